//! Billing: every month rated by [`crate::rating`] over the stored usage, issued and paid.

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

use super::accounts::Account;
use super::book::Book;
use super::cast::LastMonth;
use super::explained::Made;
use super::payments;
use super::rows::{CounterRow, ExceptionRow, InvoiceRow, LineRow, PeriodRow, RunRow};
use super::tariffs::Tariff;
use super::usage::{Month, Usage};
use crate::audit::grouped;
use crate::money::Money;
use crate::period::Period;
use crate::rating::{self, Bill, BillLine, History, RatingError, TraceDay};

/// Invoices with gapless numbers.
struct Numbers {
    next: i64,
}

/// A run on its way through billing.
struct Billing {
    id: Uuid,
    month: Period,
    state: LastMonth,
    rated_at: DateTime<Utc>,
    issued_on: NaiveDate,
    kwh: Decimal,
    net: Money,
    tax: Money,
    total: Money,
    invoices: i64,
    customers: i64,
    blocked: i64,
}

/// Writes periods, runs, invoices, lines, exceptions and payments.
pub fn fill(book: &mut Book<'_>, tariffs: &[Tariff], accounts: &[Account], usage: &Usage) {
    let mut numbers = Numbers { next: 1 };
    let months = book.months.clone();
    let last = months.len().saturating_sub(1);
    let made = Made { tariffs, usage, months: &months };
    for (at, month) in months.iter().copied().enumerate() {
        let state = if at == last { book.utility.last_month } else { LastMonth::Invoiced };
        let Some(parts) = usage.get(at).filter(|_| state != LastMonth::Missing) else { continue };
        let mut billing = begin(book, month, state);
        if state != LastMonth::Open {
            for (place, (account, part)) in accounts.iter().zip(parts).enumerate() {
                one(book, &made, account, place, part.as_ref(), &mut billing, &mut numbers);
            }
        }
        finish(book, &billing);
    }
    let now = book.at(book.as_of, 0);
    let counter = CounterRow {
        key: book.key,
        series: book.utility.series,
        last_number: numbers.next - 1,
        created_at: book.at(book.begin(), 0),
        updated_at: now,
    };
    book.rows.invoice_counters.push(counter);
}

fn begin(book: &Book<'_>, month: Period, state: LastMonth) -> Billing {
    let rated_at = book.at(month.to() + Days::new(1), 120);
    let id = book.seed(&format!("run/{}", month.from())).id(rated_at);
    Billing {
        id,
        month,
        state,
        rated_at,
        issued_on: (month.to() + Days::new(3)).min(book.as_of),
        kwh: Decimal::ZERO,
        net: Money::ZERO,
        tax: Money::ZERO,
        total: Money::ZERO,
        invoices: 0,
        customers: 0,
        blocked: 0,
    }
}

/// Bills one customer, or says why not.
fn one(
    book: &mut Book<'_>,
    made: &Made<'_>,
    account: &Account,
    place: usize,
    part: Option<&Month>,
    billing: &mut Billing,
    numbers: &mut Numbers,
) {
    let Some(days) = account.supplied(billing.month) else { return };
    billing.customers += 1;
    let shown = billing.state == LastMonth::Rated;
    let period = book.seed(&format!("period/{}/{}", account.number, billing.month.from())).id(billing.rated_at);
    let rated = rate(made.tariffs, account, part, days);
    match rated {
        Ok((tariff, bill)) => {
            let explained = made.explained(account, place, billing.month, &bill);
            if shown {
                warn(book, account, period, &bill, billing);
            }
            invoice(book, account, tariff, &bill, (period, part, explained), billing, numbers);
        }
        Err((kind, message)) if shown => {
            held(book, account, period, days, billing);
            except(book, account, period, billing, (kind, "blocks"), message);
        }
        // Who has no usage in a month long issued was seen to then.
        Err(_) => {}
    }
}

/// Rates a customer's days, or says why not.
pub fn rate<'t>(
    tariffs: &'t [Tariff],
    account: &Account,
    part: Option<&Month>,
    days: Period,
) -> Result<(&'t Tariff, Bill), (&'static str, String)> {
    let holds = |tariff: &&Tariff| {
        tariff.code == account.code && tariff.from <= days.from() && tariff.to.is_none_or(|to| days.from() < to)
    };
    let tariff =
        tariffs.iter().find(holds).ok_or_else(|| ("no_tariff", "No tariff holds in this period.".to_owned()))?;
    let Some(part) = part else { return Err(("no_usage", format!("No usage is there for {days}."))) };
    let usage = part.input();
    let bill = rating::rate(&tariff.compiled, &usage, days, &History::default());
    let bill = bill.map_err(|error| match error {
        RatingError::ValuesMissing { date, .. } => ("missing_usage", format!("Usage is missing: {date}.")),
        other => ("rating_failed", other.to_string()),
    })?;
    Ok((tariff, bill))
}

/// What to look at before approving: the same questions that the portal's own rating asks.
fn warn(book: &mut Book<'_>, account: &Account, period: Uuid, bill: &Bill, billing: &mut Billing) {
    if bill.estimated {
        except(book, account, period, billing, ("estimated", "warns"), "Some of the usage is estimated.".to_owned());
    }
    let earlier = book.rows.invoices.iter().rev().find(|invoice| invoice.customer_id == account.id);
    let Some(before) = earlier.map(|last| per_day(last.total, last.period_from, last.period_to)) else { return };
    let now = per_day(bill.total, bill.period.from(), bill.period.to());
    let told = format!("{now:.2} a day; the last bill was {before:.2} a day.");
    if now > before * Decimal::from(3) {
        except(book, account, period, billing, ("much_higher", "warns"), told);
    } else if before > now * Decimal::from(3) {
        except(book, account, period, billing, ("much_lower", "warns"), told);
    }
}

fn per_day(total: Money, from: NaiveDate, to: NaiveDate) -> Decimal {
    total.amount() / Decimal::from((to - from).num_days().max(1))
}

fn except(
    book: &mut Book<'_>,
    account: &Account,
    period: Uuid,
    billing: &mut Billing,
    (kind, severity): (&'static str, &'static str),
    message: String,
) {
    billing.blocked += i64::from(severity == "blocks");
    book.rows.billing_exceptions.push(ExceptionRow {
        key: book.key,
        customer_id: account.id,
        billing_period_id: period,
        kind,
        severity,
        message,
        created_at: billing.rated_at,
        created_by: book.admin,
    });
}

/// A period of which there is no bill.
fn held(book: &mut Book<'_>, account: &Account, id: Uuid, days: Period, billing: &Billing) {
    let row = PeriodRow { status: "held", ..blank(book, account, id, days, billing) };
    book.rows.billing_periods.push(row);
}

fn blank(book: &Book<'_>, account: &Account, id: Uuid, days: Period, billing: &Billing) -> PeriodRow {
    let is_final = account.moved_out == Some(days.to());
    PeriodRow {
        key: book.key,
        customer_id: account.id,
        id,
        contract_id: account.contract,
        account_id: account.account,
        billing_run_id: billing.id,
        invoice_id: None,
        from_on: days.from(),
        to_on: days.to(),
        reason: if is_final { "final" } else { "cycle" },
        status: "due",
        address: account.service_address.clone(),
        tariff_name: String::new(),
        tariff_rate_ids: vec![],
        kwh: Decimal::ZERO,
        exported_kwh: Decimal::ZERO,
        peak_kw: None,
        peak_names: vec![],
        peak_kws: vec![],
        estimated: false,
        net: Money::ZERO,
        tax: Money::ZERO,
        total: Money::ZERO,
        carried_credit: Money::ZERO,
        carried_year_to_date: Money::ZERO,
        banked_periods: vec![],
        banked_kwh: vec![],
        usage_source: Value::Null,
        explained: json!([]),
        created_at: billing.rated_at,
        created_by: book.admin,
        updated_at: billing.rated_at,
    }
}

fn invoice(
    book: &mut Book<'_>,
    account: &Account,
    tariff: &Tariff,
    bill: &Bill,
    (period, part, explained): (Uuid, Option<&Month>, Value),
    billing: &mut Billing,
    numbers: &mut Numbers,
) {
    let mut seed = book.seed(&format!("invoice/{}/{}", account.number, billing.month.from()));
    let issued = billing.state == LastMonth::Invoiced;
    let number = issued.then_some(numbers.next);
    numbers.next += i64::from(issued);
    let due_on = billing.issued_on + Days::new(u64::try_from(book.utility.terms).unwrap_or(14));
    let id = seed.id(billing.rated_at);
    let label = number.map(|number| format!("{}-{}-{number:06}", book.utility.series, billing.issued_on.year()));
    let mut row = InvoiceRow {
        key: book.key,
        id,
        customer_id: account.id,
        account_id: account.account,
        billing_run_id: billing.id,
        kind: "invoice",
        status: if issued { "issued" } else { "draft" },
        series: if issued { book.utility.series } else { "" },
        number,
        label: label.unwrap_or_default(),
        customer_name: account.name.clone(),
        account_number: account.number.clone(),
        billing_address: account.bills_go_to().to_owned(),
        period_from: bill.period.from(),
        period_to: bill.period.to(),
        issued_on: issued.then_some(billing.issued_on),
        due_on: issued.then_some(due_on),
        currency: book.group.currency,
        tariff_name: tariff.name.clone(),
        kwh: bill.kwh,
        estimated: bill.estimated,
        net: bill.net,
        tax: bill.tax,
        payable_rounding: bill.payable_rounding,
        total: bill.payable,
        paid: Money::ZERO,
        carried_credit: bill.carried.credit,
        metadata: json!({}),
        created_at: billing.rated_at,
        created_by: book.admin,
        updated_at: billing.rated_at,
    };
    let approved = billing.state == LastMonth::Approved;
    let found = PeriodRow {
        invoice_id: Some(id),
        status: if issued { "issued" } else if approved { "approved" } else { "rated" },
        tariff_name: tariff.name.clone(),
        tariff_rate_ids: vec![tariff.id],
        kwh: bill.kwh,
        exported_kwh: bill.exported_kwh,
        peak_kw: bill.peak_kw,
        peak_names: bill.peaks.keys().cloned().collect(),
        peak_kws: bill.peaks.values().copied().collect(),
        estimated: bill.estimated,
        net: bill.net,
        tax: bill.tax,
        total: bill.payable,
        carried_credit: bill.carried.credit,
        carried_year_to_date: bill.carried.year_to_date,
        banked_periods: bill.carried.bank_kwh.keys().cloned().collect(),
        banked_kwh: bill.carried.bank_kwh.values().copied().collect(),
        usage_source: source(account, part),
        explained,
        ..blank(book, account, period, bill.period, billing)
    };
    book.rows.billing_periods.push(found);
    billing.kwh += bill.kwh;
    billing.net += bill.net;
    billing.tax += bill.tax;
    billing.total += bill.payable;
    billing.invoices += 1;
    for (at, line) in bill.lines.iter().enumerate() {
        let line = line_row(book, account, (id, period), at + 1, line, billing);
        book.rows.invoice_lines.push(line);
    }
    if issued {
        payments::settle(book, &mut seed, &mut row);
    }
    book.rows.invoices.push(row);
}

/// How much usage stands behind the invoice.
fn source(account: &Account, part: Option<&Month>) -> Value {
    let (intervals, reads) = match part {
        Some(Month::Profile(profile)) => (profile.days.iter().map(|day| day.values.len()).sum(), 0),
        Some(Month::Reads(reads)) => (0_usize, reads.len()),
        None => (0, 0),
    };
    json!({ "intervals": intervals, "reads": reads, "meters": [account.serial] })
}

fn line_row(
    book: &Book<'_>,
    account: &Account,
    (invoice, period): (Uuid, Uuid),
    position: usize,
    line: &BillLine,
    billing: &Billing,
) -> LineRow {
    LineRow {
        key: book.key,
        invoice_id: invoice,
        position,
        customer_id: account.id,
        billing_period_id: Some(period),
        issued: billing.state == LastMonth::Invoiced,
        kind: line.item.kind.as_str(),
        description: line.item.description.clone(),
        tou_period: line.item.tou_period.clone().unwrap_or_default(),
        block: line.item.block,
        quantity: line.quantity.round_dp(4),
        unit: line.item.unit.as_str(),
        price: line.item.price,
        amount: line.amount,
        tax_rate: line.item.tax_rate,
        estimated: line.estimated,
        trace: line.trace.iter().map(kept).collect(),
        created_at: billing.rated_at,
        created_by: book.admin,
    }
}

/// A day behind a line as it is kept.
fn kept(day: &TraceDay) -> Value {
    let mut kept = json!({ "date": day.date, "quantity": day.quantity });
    if let Some(fields) = kept.as_object_mut() {
        if day.date.succ_opt() != Some(day.until) {
            fields.insert("until".to_owned(), json!(day.until));
        }
        if day.estimated {
            fields.insert("estimated".to_owned(), Value::Bool(true));
        }
    }
    kept
}

fn finish(book: &mut Book<'_>, billing: &Billing) {
    use LastMonth::{Approved, Invoiced, Open, Rated};
    let approved = matches!(billing.state, Approved | Invoiced);
    let (approved_at, issued_at) = (book.at(billing.month.to() + Days::new(2), 200), book.at(billing.issued_on, 210));
    let status = match billing.state {
        Open | LastMonth::Missing => "open",
        Rated => "rated",
        Approved => "approved",
        Invoiced => "issued",
    };
    book.rows.billing_runs.push(RunRow {
        key: book.key,
        id: billing.id,
        due_on: billing.month.to(),
        status,
        contracts: billing.customers,
        invoices: billing.invoices,
        exceptions: billing.blocked,
        kwh: billing.kwh,
        net: billing.net,
        tax: billing.tax,
        total: billing.total,
        rated_at: (billing.state != Open).then_some(billing.rated_at),
        approved_at: approved.then_some(approved_at),
        approved_by: approved.then_some(book.admin),
        issued_at: (billing.state == Invoiced).then_some(issued_at),
        created_at: billing.rated_at,
        created_by: book.admin,
        updated_at: if billing.state == Invoiced { issued_at } else { billing.rated_at },
    });
    let name = month_name(billing.month);
    if billing.state != Open {
        let summary = format!("Rated {name}: {} invoices, {} kWh", grouped(billing.invoices), grouped(billing.kwh));
        step(book, billing, "rate", billing.rated_at, summary);
    }
    if approved {
        step(
            book,
            billing,
            "approve",
            approved_at,
            format!("Approved {name}: {} {}", grouped(billing.total), book.group.currency),
        );
    }
    if billing.state == Invoiced {
        step(book, billing, "issue", issued_at, format!("Issued {} invoices for {name}", grouped(billing.invoices)));
    }
}

fn month_name(month: Period) -> String {
    month.from().format("%B %Y").to_string()
}

fn step(book: &mut Book<'_>, billing: &Billing, action: &'static str, at: DateTime<Utc>, summary: String) {
    let details = json!({ "invoices": billing.invoices, "kwh": billing.kwh, "total": billing.total });
    book.record(at, action, ("billing_run", billing.id), summary, details);
}
