//! An invoice as the client's people and the customer both see it, from plain values.
//!
//! [`account`] is the sum to follow, each line opening to the days behind it, a part for each billing period where there are
//! several; [`facts`] says whose, for which days, on which tariff; [`compared`] sets it against earlier bills; [`explained`]
//! says why it differs; [`received`] lists what was paid.

mod periods;
mod why;

use chrono::{Datelike, Months, NaiveDate};
use eis::parties::clients::Client;
use eis::receivables::invoices::{Billed, DayShare, Invoice, Line, UsageSource, shares};
use eis::receivables::payments::{Paid, method_label};
use leptos::prelude::*;
use rust_decimal::Decimal;

pub use why::{explained, shares_in_words};

use crate::components::{
    Bill, BillLine, BillSum, Column, CompareBars, Comparison, DataTable, Rows, SummaryList, SummaryRow,
};
use crate::format::{self, Locale};

/// The account: every line with quantity, price and amount, the sums, and what is left to pay. Of several billing periods
/// each has a part of its own, with a heading.
pub fn account(invoice: &Invoice, lines: &[Line], billed: &[Billed], locale: Locale) -> AnyView {
    if billed.len() > 1 {
        return periods::account(invoice, lines, billed, locale);
    }
    let charges = charges(lines.iter(), "", &invoice.currency, locale);
    let sums = sums(invoice, lines, locale);
    view! { <Bill currency=invoice.currency.clone()>{charges}{sums}</Bill> }.into_any()
}

/// Lines but those of tax. `part`: which part of the bill they are, where it has several; it tells their days apart.
fn charges<'l>(lines: impl Iterator<Item = &'l Line>, part: &str, currency: &str, locale: Locale) -> Vec<AnyView> {
    lines.filter(|line| line.kind != "tax").map(|line| charge(line, part, currency, locale)).collect()
}

/// What the lines come to: before tax, each tax, in total, and what is left to pay.
fn sums(invoice: &Invoice, lines: &[Line], locale: Locale) -> AnyView {
    let money = |value: Decimal| format::money(value, locale);
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
        <BillSum label="Before tax" amount=net/>
        {taxes}
        {rounding}
        <BillSum label="Total" amount=total total=true/>
        {paid}
    }
    .into_any()
}

fn tax_label(line: &Line, locale: Locale) -> String {
    let name = line.description.split(", ").next().unwrap_or(&line.description);
    format!("{name}, {} of {}", format::percent_exact(line.price, locale), format::money(line.quantity, locale))
}

fn charge(line: &Line, part: &str, currency: &str, locale: Locale) -> AnyView {
    let days = shares(line);
    let estimated = if line.estimated { " (estimated)" } else { "" };
    let label = format!("{}{estimated}", described(&line.description, locale));
    let how = how(line, currency, locale);
    let amount = format::money(line.amount, locale);
    if days.is_empty() {
        return view! { <BillLine label=label how=how amount=amount/> }.into_any();
    }
    let behind = days_table(line, &days, part, currency, locale);
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

fn days_table(line: &Line, days: &[DayShare], part: &str, currency: &str, locale: Locale) -> AnyView {
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
    let part = if part.is_empty() { String::new() } else { format!(", {part}") };
    let caption = format!("Days behind {}{part}", line.description);
    view! { <DataTable caption=caption columns=columns rows=rows foot=foot/> }.into_any()
}

/// Whose it is, where and for which days, when due, where the usage comes from. `customer_href` empty: no link.
pub fn facts(invoice: &Invoice, billed: &[Billed], client: &Client, customer_href: &str) -> AnyView {
    let locale = Locale::from(&client.locale);
    let name = invoice.customer_name.clone();
    let buyer = if customer_href.is_empty() {
        SummaryRow::new("Customer", name)
    } else {
        let href = customer_href.to_owned();
        SummaryRow::view("Customer", view! { <a href=href>{name}</a> })
    };
    let only = if let [only] = billed { Some(only) } else { None };
    let period = format::date_range(invoice.period_from, invoice.last_day(), locale);
    let period = if billed.len() > 1 { period } else { format!("{period} ({})", days(invoice.days(), locale)) };
    let date = |day: Option<NaiveDate>| day.map(|day| format::date(day, locale)).unwrap_or_default();
    let source = only.and_then(|only| only.reasons.usage.as_ref());
    let mut rows = vec![
        buyer,
        SummaryRow::new("Account", invoice.account_number.clone()),
        SummaryRow::new("Billed to", invoice.billing_address.clone()),
    ];
    rows.extend(addresses(billed));
    rows.extend([
        SummaryRow::new("Period", period),
        SummaryRow::new("Issued", date(invoice.issued_on)),
        SummaryRow::new("Due", date(invoice.due_on)),
        SummaryRow::new("Tariff", invoice.tariff_name.clone()),
        SummaryRow::new("Usage", usage(invoice.kwh, invoice.estimated, source, locale)),
    ]);
    if let Some(peak) = only.and_then(|only| only.peak_kw) {
        rows.push(SummaryRow::new("Highest demand", demand(peak, locale)));
    }
    let sources = billed.iter().filter_map(|one| one.reasons.usage.as_ref());
    let mut meters: Vec<&str> = sources.flat_map(|source| &source.meters).map(String::as_str).collect();
    meters.dedup();
    if !meters.is_empty() {
        rows.push(SummaryRow::new(if meters.len() == 1 { "Meter" } else { "Meters" }, meters.join(", ")));
    }
    if let Some(text) = source.and_then(|source| added(&source.added)) {
        rows.push(SummaryRow::new("Registers", text));
    }
    let tax_number =
        if client.tax_number.is_empty() { String::new() } else { format!(", tax number {}", client.tax_number) };
    rows.push(SummaryRow::new("From", format!("{}, {}{tax_number}", client.legal_name, client.address)));
    view! { <SummaryList rows=rows/> }.into_any()
}

/// Where the energy was used: each address once.
fn addresses(billed: &[Billed]) -> Option<SummaryRow> {
    let mut found: Vec<&str> = vec![];
    for one in billed.iter().map(|one| one.address.as_str()).filter(|address| !address.is_empty()) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    match found.as_slice() {
        [] => None,
        [only] => Some(SummaryRow::new("Service address", *only)),
        several => {
            let lines = several.iter().map(|address| view! { <div>{(*address).to_owned()}</div> }).collect_view();
            Some(SummaryRow::view("Service addresses", lines))
        }
    }
}

/// `30 days`.
fn days(count: i64, locale: Locale) -> String {
    format::many(count, "day", "days", locale)
}

fn demand(peak: Decimal, locale: Locale) -> String {
    format!("{}\u{a0}kW", format::kwh(peak, locale))
}

/// That registers were added up, where some were: `E1 and E2, added up and billed as one`.
fn added(names: &[String]) -> Option<String> {
    let (last, others) = names.split_last().filter(|(_, others)| !others.is_empty())?;
    Some(format!("{} and {last}, added up and billed as one", others.join(", ")))
}

/// `1,298.640 kWh from 1,244 intervals`.
fn usage(kwh: Decimal, estimated: bool, source: Option<&UsageSource>, locale: Locale) -> String {
    let (intervals, reads) = source.map_or((0, 0), |source| (source.intervals, source.reads));
    let many = |count: usize, noun: &str| {
        let figure = format::count(i64::try_from(count).unwrap_or(i64::MAX), locale);
        (count > 0).then(|| format!("{figure} {noun}{}", if count == 1 { "" } else { "s" }))
    };
    let parts: Vec<String> =
        [many(intervals, "interval"), many(reads, "register read")].into_iter().flatten().collect();
    let from = if parts.is_empty() { String::new() } else { format!(" from {}", parts.join(" and ")) };
    let estimated = if estimated { ", partly estimated" } else { "" };
    format!("{}\u{a0}kWh{from}{estimated}", format::kwh(kwh, locale))
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

/// `November 2026` for a calendar month, else first to last day; `to` is the day after the last.
#[must_use]
pub fn days_name(from: NaiveDate, to: NaiveDate, locale: Locale) -> String {
    if from.day() == 1 && from.checked_add_months(Months::new(1)) == Some(to) {
        return format::month(from, locale);
    }
    format::date_range(from, to.pred_opt().unwrap_or(to), locale)
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
