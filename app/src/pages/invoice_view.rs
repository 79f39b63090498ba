//! An invoice as the client's people and the customer both see it, from plain values.
//!
//! [`account`] is the sum to follow, each line opening to the days behind it; [`facts`] says whose, for which
//! days, on which tariff; [`compared`] sets it against earlier bills; [`received`] lists what was paid.

use chrono::{Datelike, Months, NaiveDate};
use eis::clients::Client;
use eis::invoices::{DayShare, Explained, Invoice, Line, shares};
use eis::money::Money;
use eis::payments::{Paid, method_label};
use eis::rating::explain::Factor;
use leptos::prelude::*;
use rust_decimal::Decimal;

use crate::components::{
    Bill, BillLine, BillSum, Column, CompareBars, Comparison, DataTable, Rows, Section, ShareBar, ShareBars,
    SummaryList, SummaryRow,
};
use crate::format::{self, Locale};

/// The account: every line with quantity, price and amount, the sums, and what is left to pay.
pub fn account(invoice: &Invoice, lines: &[Line], locale: Locale) -> AnyView {
    let money = |value: Decimal| format::money(value, locale);
    let charges = lines.iter().filter(|line| line.kind != "tax");
    let charges = charges.map(|line| charge(line, &invoice.currency, locale)).collect_view();
    let taxes = lines.iter().filter(|line| line.kind == "tax");
    let taxes = taxes
        .map(|line| view! { <BillSum label=tax_label(line, locale) amount=money(line.amount)/> }.into_any())
        .collect_view();
    let (net, total) = (money(invoice.net), money(invoice.total));
    let rounding = Some(invoice.rounding()).filter(|rounding| !rounding.is_zero()).map(money);
    let rounding = rounding.map(|amount| view! { <BillSum label="Rounding" amount=amount/> });
    let paid = (!invoice.paid.is_zero()).then(|| (money(-invoice.paid), money(invoice.open())));
    let settled = if invoice.paid < Decimal::ZERO { "Kept as credit" } else { "Paid" };
    let paid = paid.map(|(paid, open)| {
        view! {
            <BillSum label=settled amount=paid/>
            <BillSum label="Left to pay" amount=open total=true/>
        }
    });
    view! {
        <Bill currency=invoice.currency.clone()>
            {charges}
            <BillSum label="Before tax" amount=net/>
            {taxes}
            {rounding}
            <BillSum label="Total" amount=total total=true/>
            {paid}
        </Bill>
    }
    .into_any()
}

fn tax_label(line: &Line, locale: Locale) -> String {
    let name = line.description.split(", ").next().unwrap_or(&line.description);
    format!("{name}, {} of {}", format::percent_exact(line.price, locale), format::money(line.quantity, locale))
}

fn charge(line: &Line, currency: &str, locale: Locale) -> AnyView {
    let days = shares(line);
    let estimated = if line.estimated { " (estimated)" } else { "" };
    let label = format!("{}{estimated}", described(&line.description, locale));
    let how = how(line, currency, locale);
    let amount = format::money(line.amount, locale);
    if days.is_empty() {
        return view! { <BillLine label=label how=how amount=amount/> }.into_any();
    }
    let behind = days_table(line, &days, currency, locale);
    view! { <BillLine label=label how=how amount=amount>{behind}</BillLine> }.into_any()
}

/// A line's words, the figures of its note as the locale writes them: `Fuel rider, 5 % of 1200.50` reads
/// `Fuel rider, 5% of 1,200.50`, and `Minimum, 50.00 less 32.10` keeps its marks.
fn described(text: &str, locale: Locale) -> String {
    let exact = |value: Decimal| format::number(value, value.scale(), locale);
    for (mark, word) in [(" % of ", "of"), (" less ", "less")] {
        let Some((left, right)) = text.split_once(mark) else { continue };
        let (before, first) = left.rsplit_once(' ').unwrap_or(("", left));
        let (second, after) = right.split_once(' ').unwrap_or((right, ""));
        if let (Ok(first), Ok(second)) = (first.parse::<Decimal>(), second.parse::<Decimal>()) {
            let percent = word == "of";
            let first =
                if percent { format::percent_exact(first / Decimal::ONE_HUNDRED, locale) } else { exact(first) };
            let all = [before, &first, word, &exact(second), after];
            return all.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        }
    }
    text.to_owned()
}

/// Quantity x price with units: `500.000 kWh × $0.1182`.
fn how(line: &Line, currency: &str, locale: Locale) -> String {
    let each = line.unit == "each" && line.quantity == Decimal::ONE;
    if each || line.unit == "amount" {
        return String::new();
    }
    format!("{} × {}", quantity(line.quantity, &line.unit, locale), format::price_exact(line.price, currency, locale))
}

fn quantity(value: Decimal, unit: &str, locale: Locale) -> String {
    let figure = match unit {
        "kWh" | "kW" => format::kwh(value, locale),
        _ => format::number(value, value.normalize().scale().min(4), locale),
    };
    let plural = matches!(unit, "day" | "month") && value != Decimal::ONE;
    format!("{figure}\u{a0}{unit}{}", if plural { "s" } else { "" })
}

fn days_table(line: &Line, days: &[DayShare], currency: &str, locale: Locale) -> AnyView {
    let with_amounts = days.iter().all(|day| day.amount.is_some());
    let mut columns = vec![Column::text("Day"), Column::number("Quantity", line.unit.clone())];
    if with_amounts {
        columns.push(Column::number("Amount", currency));
    }
    let mut rows = Rows::new();
    for day in days {
        let same = day.last == day.date;
        let days = if same { format::date(day.date, locale) } else { format::date_range(day.date, day.last, locale) };
        let name = if day.estimated { format!("{days} (estimated)") } else { days };
        rows.row(|row| {
            row.name(&name).kwh(day.quantity, locale);
            if let Some(amount) = day.amount.filter(|_| with_amounts) {
                row.money(amount.amount(), locale);
            }
        });
    }
    let mut foot = Rows::new();
    if with_amounts {
        let (quantity, amount) = (format::kwh(line.quantity, locale), format::money(line.amount, locale));
        foot.row(|row| {
            row.name("Sum").number(&quantity).number(&amount);
        });
    }
    let caption = format!("Days behind {}", line.description);
    view! { <DataTable caption=caption columns=columns rows=rows foot=foot/> }.into_any()
}

/// Whose it is, for which days, when due, where the usage comes from. `customer_href` empty: no link.
pub fn facts(invoice: &Invoice, client: &Client, customer_href: &str) -> AnyView {
    let locale = Locale::from(&client.locale);
    let name = invoice.customer_name.clone();
    let buyer = if customer_href.is_empty() {
        SummaryRow::new("Customer", name)
    } else {
        let href = customer_href.to_owned();
        SummaryRow::view("Customer", view! { <a href=href>{name}</a> })
    };
    let days = format::count(invoice.days(), locale);
    let period = format::date_range(invoice.period_from, invoice.last_day(), locale);
    let date = |day: Option<NaiveDate>| day.map(|day| format::date(day, locale)).unwrap_or_default();
    let mut rows = vec![
        buyer,
        SummaryRow::new("Account", invoice.account_number.clone()),
        SummaryRow::new("Billed to", invoice.billing_address.clone()),
        SummaryRow::new("Period", format!("{period} ({days} {})", if invoice.days() == 1 { "day" } else { "days" })),
        SummaryRow::new("Issued", date(invoice.issued_on)),
        SummaryRow::new("Due", date(invoice.due_on)),
        SummaryRow::new("Tariff", invoice.tariff_name.clone()),
        SummaryRow::new("Usage", usage(invoice, locale)),
    ];
    if let Some(peak) = invoice.peak_kw {
        rows.push(SummaryRow::new("Highest demand", format!("{}\u{a0}kW", format::kwh(peak, locale))));
    }
    let meters = invoice.reasons.usage.as_ref().map(|source| source.meters.as_slice());
    if let Some(meters) = meters.filter(|meters| !meters.is_empty()) {
        rows.push(SummaryRow::new(if meters.len() == 1 { "Meter" } else { "Meters" }, meters.join(", ")));
    }
    if let Some(text) = invoice.reasons.usage.as_ref().and_then(|source| added(&source.added)) {
        rows.push(SummaryRow::new("Registers", text));
    }
    let tax_number =
        if client.tax_number.is_empty() { String::new() } else { format!(", tax number {}", client.tax_number) };
    rows.push(SummaryRow::new("From", format!("{}, {}{tax_number}", client.legal_name, client.address)));
    view! { <SummaryList rows=rows/> }.into_any()
}

/// That registers were added up, where some were: `E1 and E2, added up and billed as one`.
fn added(names: &[String]) -> Option<String> {
    let (last, others) = names.split_last().filter(|(_, others)| !others.is_empty())?;
    Some(format!("{} and {last}, added up and billed as one", others.join(", ")))
}

/// `1,298.640 kWh from 1,244 intervals`.
#[must_use]
pub fn usage(invoice: &Invoice, locale: Locale) -> String {
    let source = invoice.reasons.usage.as_ref();
    let (intervals, reads) = source.map_or((0, 0), |source| (source.intervals, source.reads));
    let many = |count: usize, noun: &str| {
        let figure = format::count(i64::try_from(count).unwrap_or(i64::MAX), locale);
        (count > 0).then(|| format!("{figure} {noun}{}", if count == 1 { "" } else { "s" }))
    };
    let parts: Vec<String> =
        [many(intervals, "interval"), many(reads, "register read")].into_iter().flatten().collect();
    let from = if parts.is_empty() { String::new() } else { format!(" from {}", parts.join(" and ")) };
    let estimated = if invoice.estimated { ", partly estimated" } else { "" };
    format!("{}\u{a0}kWh{from}{estimated}", format::kwh(invoice.kwh, locale))
}

/// This bill beside earlier ones, the latest first; nothing when there are none.
pub fn compared(invoice: &Invoice, earlier: &[Invoice], locale: Locale) -> Option<AnyView> {
    let last = earlier.first()?;
    let amount = |value: Decimal| format::amount(value, &invoice.currency, locale);
    let more = |difference: Decimal| if difference < Decimal::ZERO { "less" } else { "more" };
    let usage = invoice.kwh - last.kwh;
    let description = format!(
        "{} {} than the bill before: {} {} usage, {} days instead of {}.",
        amount((invoice.total - last.total).abs()),
        more(invoice.total - last.total),
        format::kwh_short(usage.abs(), locale),
        more(usage),
        invoice.days(),
        last.days(),
    );
    let row = |bill: &Invoice| {
        let current = bill.id == invoice.id;
        let difference = invoice.total - bill.total;
        let note = if difference > Decimal::ZERO { "more now" } else { "less now" };
        Comparison {
            label: format::date_range(bill.period_from, bill.last_day(), locale),
            value: bill.total,
            text: amount(bill.total),
            note: if current || difference.is_zero() {
                String::new()
            } else {
                format!("{} {note}", amount(difference.abs()))
            },
            current,
        }
    };
    let rows = std::iter::once(row(invoice)).chain(earlier.iter().map(row)).collect();
    Some(
        view! { <CompareBars title="This bill and earlier ones" untitled=true description=description rows=rows/> }
            .into_any(),
    )
}

/// Why the bill differs from the one before and from last year's, each reason with its share; nothing where that is not
/// known.
pub fn explained(invoice: &Invoice, locale: Locale) -> Option<AnyView> {
    let all = &invoice.reasons.explained;
    let views = all.iter().map(|one| against(invoice, one, locale)).collect_view();
    (!all.is_empty())
        .then(|| view! { <Section title="Why it differs"><div class="stack">{views}</div></Section> }.into_any())
}

fn against(invoice: &Invoice, explained: &Explained, locale: Locale) -> AnyView {
    let amount = |value: Money| format::amount(value.amount(), &invoice.currency, locale);
    let signed = |value: Money| {
        let sign = if value > Money::ZERO { "+" } else { "" };
        format!("{sign}{}", amount(value))
    };
    let than = days_name(explained.from, explained.to, locale);
    let difference = explained.explanation.difference;
    let description = match difference.cmp(&Money::ZERO) {
        std::cmp::Ordering::Greater => {
            format!("{} more than the {} of then.", amount(difference), amount(explained.total))
        }
        std::cmp::Ordering::Less => {
            format!("{} less than the {} of then.", amount(-difference), amount(explained.total))
        }
        std::cmp::Ordering::Equal => format!("The same {} as then.", amount(explained.total)),
    };
    let days = invoice.days() - (explained.to - explained.from).num_days();
    let shares = explained.explanation.shares.iter().filter(|share| !share.amount.is_zero());
    let mut rows: Vec<ShareBar> = shares
        .map(|share| ShareBar {
            label: reason(share.factor).to_owned(),
            value: share.amount.amount(),
            text: signed(share.amount),
            note: if share.factor == Factor::Days { days_note(days) } else { meaning(share.factor).to_owned() },
            sum: false,
        })
        .collect();
    if rows.len() > 1 {
        rows.push(ShareBar {
            label: "Together".to_owned(),
            value: difference.amount(),
            text: signed(difference),
            sum: true,
            ..ShareBar::default()
        });
    }
    view! { <ShareBars title=format!("Against {than}") description=description rows=rows/> }.into_any()
}

/// `November 2026` for a calendar month, else first to last day; `to` is the day after the last.
#[must_use]
pub fn days_name(from: NaiveDate, to: NaiveDate, locale: Locale) -> String {
    if from.day() == 1 && from.checked_add_months(Months::new(1)) == Some(to) {
        return format::month(from, locale);
    }
    format::date_range(from, to.pred_opt().unwrap_or(to), locale)
}

/// The shares of a difference in a few words: `usage makes −$11.93, days −$1.78`; empty where there are none.
#[must_use]
pub fn shares_in_words(explained: &Explained, amount: impl Fn(Decimal) -> String) -> String {
    let shares = explained.explanation.shares.iter().filter(|share| !share.amount.is_zero());
    let told = shares.enumerate().map(|(at, share)| {
        let verb = match (at, share.factor) {
            (0, Factor::Days | Factor::Estimates | Factor::Earlier) => " make",
            (0, _) => " makes",
            _ => "",
        };
        let sign = if share.amount > Money::ZERO { "+" } else { "" };
        // The joiner keeps the sign on the line of its figure.
        let figure = amount(share.amount.amount()).replace('\u{2212}', "\u{2212}\u{2060}");
        format!("{}{verb} {sign}{figure}", reason(share.factor).to_lowercase())
    });
    told.collect::<Vec<_>>().join(", ")
}

const fn reason(factor: Factor) -> &'static str {
    match factor {
        Factor::Usage => "Usage",
        Factor::Estimates => "Estimates",
        Factor::Days => "Days",
        Factor::Price => "Price",
        Factor::Tariff => "Tariff",
        Factor::Earlier => "Earlier bills",
    }
}

const fn meaning(factor: Factor) -> &'static str {
    match factor {
        Factor::Usage => "energy and demand, on days alike",
        Factor::Estimates => "estimated energy, until it is measured",
        Factor::Days => "",
        Factor::Price => "new prices of the same tariff",
        Factor::Tariff => "another tariff",
        Factor::Earlier => "credit and peaks, and what was put right",
    }
}

fn days_note(more: i64) -> String {
    match more {
        0 => "other days of the year".to_owned(),
        1 => "one day more".to_owned(),
        -1 => "one day fewer".to_owned(),
        more if more > 0 => format!("{more} days more"),
        fewer => format!("{} days fewer", -fewer),
    }
}

/// What was paid, the latest first; nothing when nothing was.
pub fn received(paid: &[Paid], currency: &str, locale: Locale) -> Option<AnyView> {
    (!paid.is_empty()).then(|| {
        let mut rows = Rows::new();
        for paid in paid {
            let payment = &paid.payment;
            let whole = format::amount(payment.amount, &payment.currency, locale);
            let of = if payment.amount == paid.amount { String::new() } else { format!("part of {whole}") };
            let beneath = [payment.reference.as_str(), &of].into_iter().filter(|text| !text.is_empty());
            let beneath = beneath.collect::<Vec<_>>().join(", ");
            rows.row(|row| {
                row.name(&format::date(payment.received_on, locale))
                    .text_with(method_label(&payment.method), &beneath)
                    .money(paid.amount, locale);
            });
        }
        let columns =
            vec![Column::text("Received"), Column::text("How and reference"), Column::number("Amount", currency)];
        view! { <DataTable caption="Payments" columns=columns rows=rows/> }.into_any()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_a_note_are_written_as_the_locale_does() {
        let rider = "Fuel rider, 5 % of 1200.50";
        assert_eq!(described(rider, Locale::EnUs), "Fuel rider, 5% of 1,200.50");
        assert_eq!(described(rider, Locale::DeDe), "Fuel rider, 5\u{a0}% of 1.200,50");
        let ratchet = "Demand, 80.5 % of 12.5 kW of 2026-01";
        assert_eq!(described(ratchet, Locale::DeDe), "Demand, 80,5\u{a0}% of 12,5 kW of 2026-01");
        assert_eq!(described("Minimum, 50.00 less 32.10", Locale::DeDe), "Minimum, 50,00 less 32,10");
        assert_eq!(described("Nothing % of it", Locale::EnUs), "Nothing % of it");
    }

    #[test]
    fn a_quantity_is_written_with_its_unit() {
        assert_eq!(quantity("30".parse().unwrap(), "day", Locale::EnUs), "30\u{a0}days");
        assert_eq!(quantity("0.419355".parse().unwrap(), "month", Locale::EnUs), "0.4194\u{a0}months");
        assert_eq!(quantity("1298.64".parse().unwrap(), "kWh", Locale::EnUs), "1,298.640\u{a0}kWh");
    }
}
