//! Usage: register reads and interval days month by month, each with the file it came in. In the last
//! month a little is wrong where billing is not through yet, as it is in life.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use super::accounts::{Account, Counter, DIGITS, Kind, counters};
use super::book::Book;
use super::cast::{LastMonth, Utility};
use super::household::Reference;
use super::rows::{ImportRow, IntervalRow, ReadingRow, RejectionRow};
use super::seed::Seed;
use crate::audit::grouped;
use crate::usage::days::{day_end, day_start};
use crate::usage::{DayUsage, Quality};
use crate::values::period::Period;

/// What is wrong with a customer's usage of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Nothing came.
    Nothing,
    /// Some values of a day did not come.
    Gap(NaiveDate),
    /// Several times as much as usual.
    High,
}

/// Where the registers of a meter stand, at the beginning of the day that was read last, and whose the days after it are.
struct Stand {
    meter: Uuid,
    counters: Vec<Counter>,
    day: Option<NaiveDate>,
    holder: Option<Uuid>,
}

type Stands = HashMap<Uuid, Stand>;

struct Import {
    id: Uuid,
    at: DateTime<Utc>,
    values: i64,
    wh: i64,
}

/// Writes imports, reads and interval days.
pub fn fill(book: &mut Book<'_>, reference: &Reference, accounts: &mut [Account]) {
    let months = book.months.clone();
    let last = months.len().saturating_sub(1);
    let mut stands = Stands::new();
    for (at, month) in months.into_iter().enumerate() {
        let mut seed = book.seed(&format!("import/{}", month.from()));
        let time = book.at(month.to(), 15);
        let mut import = Import { id: seed.id(time), at: time, values: 0, wh: 0 };
        // Rows refer to the import; the import's row is finished after them and inserted before.
        for (place, account) in accounts.iter_mut().enumerate() {
            let fault = if at == last { fault(book.utility, place, account, month) } else { None };
            if account.walk || fault == Some(Fault::Nothing) {
                continue;
            }
            for (days, meter) in account.measured(month) {
                take(book, reference, account, (days, meter), fault, (&mut import, &mut stands));
            }
        }
        write_import(book, &mut seed, month, &import);
    }
}

/// What is wrong with whom in the last month: nothing where it is approved or issued already.
fn fault(utility: &Utility, place: usize, account: &Account, month: Period) -> Option<Fault> {
    let interval = matches!(account.kind, Kind::Interval(_));
    if matches!(utility.last_month, LastMonth::Approved | LastMonth::Invoiced) || account.walk {
        return None;
    }
    match place {
        6 | 31 if !interval => Some(Fault::Nothing),
        13 if interval => month.from().checked_add_days(chrono::Days::new(16)).map(Fault::Gap),
        22 if !interval => Some(Fault::High),
        _ => None,
    }
}

fn take(
    book: &mut Book<'_>,
    reference: &Reference,
    account: &mut Account,
    measured: (Period, Uuid),
    fault: Option<Fault>,
    (import, stands): (&mut Import, &mut Stands),
) {
    match account.kind {
        Kind::Interval(minutes) => intervals(book, reference, account, measured, minutes, fault, import),
        Kind::Register | Kind::TwoRegisters => read(book, reference, account, measured, fault, (import, stands)),
    }
}

fn intervals(
    book: &mut Book<'_>,
    reference: &Reference,
    account: &mut Account,
    (days, meter): (Period, Uuid),
    minutes: u16,
    fault: Option<Fault>,
    import: &mut Import,
) {
    let zone = book.utility.zone;
    for date in days.dates() {
        let mut day = DayUsage::actual(date, reference.day(&mut account.shape, zone, date, minutes));
        if fault == Some(Fault::Gap(date)) {
            let gap = day.values.len() / 3..day.values.len() / 2;
            let flags = (0..day.values.len()).map(|at| if gap.contains(&at) { Quality::Missing.code() } else { 0 });
            day.flags = Some(flags.collect());
            day.values[gap].fill(0);
        }
        import.values += i64::try_from(day.values.len()).unwrap_or(0);
        import.wh += day.wh();
        book.rows.interval_days.push(IntervalRow {
            key: book.key,
            customer_id: account.id,
            meter_id: meter,
            day: date,
            interval_minutes: minutes,
            wh: array(&day),
            total_wh: day.wh(),
            import_id: import.id,
            created_at: import.at,
            updated_at: import.at,
        });
    }
}

/// A day's values as PostgreSQL writes an array; what is missing is NULL.
fn array(day: &DayUsage) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(day.values.len() * 5);
    for (at, value) in day.values.iter().enumerate() {
        text.push(if at == 0 { '{' } else { ',' });
        let written = if day.quality(at) == Quality::Missing { write!(text, "NULL") } else { write!(text, "{value}") };
        debug_assert!(written.is_ok(), "a string takes whatever is written");
    }
    text.push('}');
    text
}

fn read(
    book: &mut Book<'_>,
    reference: &Reference,
    account: &mut Account,
    (days, meter): (Period, Uuid),
    fault: Option<Fault>,
    (import, stands): (&mut Import, &mut Stands),
) {
    let advance = reference.advance(&mut account.shape, days) * if fault == Some(Fault::High) { 5 } else { 1 };
    let taken = match account.shape.seed.between(1, 100) {
        1..=3 => Quality::Estimated,
        4..=5 => Quality::Customer,
        _ => Quality::Actual,
    };
    let mut advances = vec![advance];
    if account.kind == Kind::TwoRegisters {
        let high = advance * account.shape.seed.between(55, 72) / 100;
        advances = vec![high, advance - high];
    }
    import.values += i64::from(taken == Quality::Actual);
    import.wh += if taken == Quality::Actual { advance * 1000 } else { 0 };
    let stand = stands.entry(meter).or_insert_with(|| Stand {
        meter,
        counters: counters(meter, account.kind, book),
        day: None,
        holder: None,
    });
    let own = Some(account.id);
    // Where usage begins there is a reading; else it begins where the month before ended.
    match stand.day {
        Some(day) if stand.holder == own && day == days.from() => {}
        Some(day) => {
            if day < days.from() && stand.holder != own {
                figures(book, stand, (days.from(), "final"), None, Quality::Actual, import);
            }
            figures(book, stand, (days.from(), "opening"), own, Quality::Actual, import);
        }
        None => {
            let begins = days.from() == account.moved_in || account.exchanged.is_some_and(|(next, _)| next == meter);
            let why = if begins { "installed" } else { "periodic" };
            figures(book, stand, (days.from(), why), own, Quality::Actual, import);
        }
    }
    for (counter, advance) in stand.counters.iter_mut().zip(advances) {
        counter.figure = (counter.figure + advance) % 10_i64.pow(u32::from(DIGITS));
    }
    let exchanged = account.exchanged.is_some_and(|(next, on)| next != meter && on == days.to());
    let goes = account.moved_out == Some(days.to());
    let why = match goes {
        true if account.stays() => "final",
        true => "removed",
        false if exchanged => "removed",
        false => "periodic",
    };
    figures(book, stand, (days.to(), why), own, taken, import);
    stand.day = Some(days.to());
    stand.holder = own;
    if why == "final" && account.followed != Some(days.to()) {
        figures(book, stand, (days.to(), "opening"), None, taken, import);
        stand.holder = None;
    }
}

/// What stands on each register at the beginning of a day.
fn figures(
    book: &mut Book<'_>,
    stand: &Stand,
    (read_on, why): (NaiveDate, &'static str),
    customer_id: Option<Uuid>,
    taken: Quality,
    import: &Import,
) {
    let (quality, source) = match taken {
        Quality::Estimated => ("estimated", "estimate"),
        Quality::Customer => ("customer", "customer"),
        _ => ("actual", "import"),
    };
    for counter in &stand.counters {
        book.rows.meter_readings.push(ReadingRow {
            key: book.key,
            id: Seed::named(&format!("reading/{read_on}/{why}/{}", counter.id)).id(import.at),
            customer_id,
            meter_id: stand.meter,
            register_id: counter.id,
            read_on,
            figure: counter.figure,
            why,
            quality,
            source,
            import_id: (source == "import").then_some(import.id),
            created_at: import.at,
            updated_at: import.at,
        });
    }
}

fn write_import(book: &mut Book<'_>, seed: &mut Seed, month: Period, import: &Import) {
    let rejected = if seed.chance(20) { seed.between(1, 3) } else { 0 };
    let zone = book.utility.zone;
    let file_name = format!("{}-{}-{:02}.csv", book.utility.slug, month.from().year(), month.from().month());
    for position in 1..=rejected {
        reject(book, seed, import, position, month);
    }
    let summary =
        format!("Imported {file_name}: {} new values, 0 replaced, {rejected} rejected", grouped(import.values));
    book.rows.imports.push(ImportRow {
        key: book.key,
        id: import.id,
        file_name,
        file_hash: format!("\\x{}", (0..4).map(|_| format!("{:016x}", seed.next())).collect::<String>()),
        file_bytes: (import.values + rejected) * 61 + 38,
        format: "csv",
        status: "applied",
        accepted: import.values,
        unchanged: 0,
        superseded: 0,
        rejected,
        first_at: Some(day_start(zone, month.from())),
        last_at: Some(day_end(zone, month.last())),
        kwh: Decimal::new(import.wh, 3),
        problem: "",
        applied_at: import.at,
        created_at: import.at,
        created_by: book.admin,
        updated_at: import.at,
    });
    let details = json!({ "accepted": import.values, "rejected": rejected });
    book.record(import.at, "import", ("import", import.id), summary, details);
}

fn reject(book: &mut Book<'_>, seed: &mut Seed, import: &Import, position: i64, month: Period) {
    let serial = format!("{:08X}", seed.between(0x1000_0000, 0x7fff_ffff));
    let (content, reason, column) = if position == 1 {
        (
            format!("{serial},{}T00:00:00,0.412", month.from()),
            format!("No meter of this client has the serial number {serial}."),
            1,
        )
    } else {
        (format!("{serial},{}T13:00:00,1.2.7", month.last()), "\"1.2.7\" is not an amount of energy.".to_owned(), 30)
    };
    book.rows.import_rejections.push(RejectionRow {
        key: book.key,
        import_id: import.id,
        position,
        line: 412 * position + seed.between(0, 300),
        column,
        content,
        reason,
        created_at: import.at,
    });
}
