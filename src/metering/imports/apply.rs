//! What a file changes: compared with what is kept, written, counted, recorded.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use serde_json::json;

use super::matching::Matched;
use super::refused::Refused;
use super::survey::Survey;
use super::take::{Reading, Taken, TakenDay};
use super::{ImportError, ImportResult};
use crate::audit::{self, Entry};
use crate::db::schema::{import_rejections, imports, meters};
use crate::db::{DbError, Tenant};
use crate::metering::interval_days::{self, CHUNK, IntervalDay};
use crate::metering::meters::Meter;
use crate::parties::contracts::{self, Contract};
use crate::usage::{DayUsage, Format, Quality};
use crate::values::clock;
use crate::values::ids::{ImportId, MeterId, ServicePointId};

/// Values counted by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    accepted: u64,
    unchanged: u64,
    superseded: u64,
}

/// Reads a file part by part and writes what is new or changed.
pub(super) async fn apply(tx: &mut Tenant, survey: Arc<Survey>, matched: Matched) -> Result<ImportResult, ImportError> {
    let mut reading = Reading::new(Arc::clone(&survey), matched).next().await?;
    let meters = reading.meters();
    let before = imported_before(tx, &survey, &meters).await?;
    let id = ImportId::fresh();
    insert(tx, id, &survey).await?;
    lock(tx, &meters).await?;
    let places: Vec<ServicePointId> = meters.iter().map(|meter| meter.service_point_id).collect();
    let contracts = contracts::held_at(tx, &places).await?;
    let (mut counts, mut wh) = (Counts::default(), 0);
    loop {
        wh += write_part(tx, id, &mut reading.taken, &contracts, before.is_some(), &mut counts).await?;
        if reading.is_done() {
            break;
        }
        reading = reading.next().await?;
    }
    let taken = reading.taken;
    write_rejections(tx, id, &taken).await?;
    let Counts { accepted, unchanged, superseded } = counts;
    let (unchanged, rejected, kwh) = (unchanged + taken.duplicates, taken.rejected, Decimal::new(wh, 3));
    let result = ImportResult { id, accepted, unchanged, superseded, rejected, kwh, before };
    close(tx, &result, &taken).await?;
    record(tx, &survey, &result, &taken.meters).await?;
    Ok(result)
}

/// Writes the days of one part, which are given up then; their energy in watt-hours.
async fn write_part(
    tx: &mut Tenant,
    id: ImportId,
    taken: &mut Taken,
    contracts: &[Contract],
    fill_only: bool,
    counts: &mut Counts,
) -> Result<i64, ImportError> {
    learn(tx, taken).await?;
    let mut days = std::mem::take(&mut taken.days);
    days.sort_by_key(|day| (day.meter, day.usage.date));
    let mut refused = vec![];
    for chunk in days.chunks(CHUNK) {
        write_chunk(tx, id, (&taken.meters, contracts), chunk, fill_only, counts, &mut refused).await?;
    }
    for day in refused {
        taken.refuse(day);
    }
    Ok(days.iter().map(|day| day.usage.wh()).sum())
}

/// The meter of a file that is of one alone.
fn only(meters: &[Meter]) -> Option<MeterId> {
    if let [meter] = meters { Some(meter.id) } else { None }
}

/// When the very same file was last applied to these meters. A file that does not name its meter is another one's data
/// when another one is chosen for it.
async fn imported_before(tx: &Tenant, survey: &Survey, meters: &[Meter]) -> QueryResult<Option<DateTime<Utc>>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let ids: Vec<Option<MeterId>> = meters.iter().map(|meter| Some(meter.id)).collect();
    // An import to several meters keeps none of them. One to a single meter that is among several now counts: the
    // others were added since, and the first one's corrections stay.
    let applied = imports::table
        .filter(imports::organization_id.eq(organization).and(imports::client_id.eq(client)))
        .filter(imports::file_hash.eq(survey.hash.to_vec()).and(imports::status.eq("applied")))
        .select(imports::created_at)
        .order(imports::created_at.desc())
        .into_boxed();
    let these = match only(meters) {
        Some(meter) => applied.filter(imports::meter_id.eq(meter)),
        None => applied.filter(imports::meter_id.is_null().or(imports::meter_id.eq_any(ids))),
    };
    these.first(&mut conn).await.optional()
}

async fn insert(tx: &mut Tenant, id: ImportId, survey: &Survey) -> Result<(), DbError> {
    let ((organization, client), by) = (tx.client()?, tx.author()?.user);
    let format = match survey.format {
        Format::Csv => "csv",
        Format::GreenButton => "green_button",
        Format::Nem12 => "nem12",
    };
    diesel::insert_into(imports::table)
        .values((
            imports::organization_id.eq(organization),
            imports::client_id.eq(client),
            imports::id.eq(id),
            imports::file_name.eq(survey.file.name()),
            imports::file_hash.eq(survey.hash.to_vec()),
            imports::file_bytes.eq(i64::try_from(survey.bytes).unwrap_or(i64::MAX)),
            imports::format.eq(format),
            imports::status.eq("validated"),
            imports::created_by.eq(by.map(|user| user.0)),
        ))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Keeps the names of the registers that meters add up, so that a file with fewer of them is not taken for the whole.
async fn learn(tx: &mut Tenant, taken: &mut Taken) -> Result<(), ImportError> {
    for (id, registers) in &std::mem::take(&mut taken.learnt) {
        let Some(meter) = taken.meters.iter().find(|meter| meter.id == *id) else { continue };
        crate::metering::meters::learn_registers(tx, meter, registers).await?;
    }
    Ok(())
}

/// Locks the meters, in one order, so that two files for one meter follow each other.
async fn lock(tx: &mut Tenant, rows: &[Meter]) -> QueryResult<()> {
    let (organization, client) = tx.here()?;
    let ids: Vec<MeterId> = rows.iter().map(|meter| meter.id).collect();
    meters::table
        .filter(meters::organization_id.eq(organization).and(meters::client_id.eq(client)).and(meters::id.eq_any(ids)))
        .select(meters::id)
        .order(meters::id)
        .for_update()
        .load::<MeterId>(&mut **tx)
        .await?;
    Ok(())
}

async fn write_chunk(
    tx: &mut Tenant,
    import: ImportId,
    (meters, contracts): (&[Meter], &[Contract]),
    days: &[TakenDay],
    fill_only: bool,
    counts: &mut Counts,
    refused: &mut Vec<Refused>,
) -> Result<(), ImportError> {
    let mut kept = existing(tx, meters, days).await?;
    let (mut write, mut old) = (vec![], vec![]);
    for day in days {
        let Some(meter) = meters.get(day.meter) else { continue };
        let minutes = i16::try_from(day.minutes).unwrap_or(i16::MAX);
        let mut row = kept
            .remove(&(meter.id, day.usage.date))
            .unwrap_or_else(|| blank(meter, contracts, day.usage.date, minutes));
        if is_other_grid(&row, day) {
            if fill_only {
                // What came since stays, also in other intervals.
                counts.unchanged += values_of(&day.usage);
                continue;
            }
            if let Some(reason) = a_part_of_a_day(&row, day) {
                refused.push(reason);
                continue;
            }
        }
        let (merged, found) = merge(&row, &day.usage, fill_only)?;
        counts.accepted += found.accepted;
        counts.unchanged += found.unchanged;
        counts.superseded += found.superseded;
        if found.superseded > 0 {
            old.push(row.clone());
        }
        if found.accepted + found.superseded > 0 {
            row.interval_minutes = minutes;
            row.set(&merged);
            row.import_id = Some(import);
            write.push(row);
        }
    }
    interval_days::keep_superseded(tx, &old).await?;
    interval_days::write(tx, &write).await?;
    Ok(())
}

/// What is kept of the days of a chunk.
async fn existing(
    tx: &Tenant,
    meters: &[Meter],
    days: &[TakenDay],
) -> QueryResult<HashMap<(MeterId, NaiveDate), IntervalDay>> {
    let mut ids: Vec<MeterId> = days.iter().filter_map(|day| meters.get(day.meter)).map(|meter| meter.id).collect();
    ids.dedup();
    let dates = || days.iter().map(|day| day.usage.date);
    let (Some(first), Some(last)) = (dates().min(), dates().max()) else { return Ok(HashMap::new()) };
    let end = last.checked_add_days(Days::new(1)).unwrap_or(last);
    let rows = interval_days::list(tx, &ids, first, end).await?;
    Ok(rows.into_iter().map(|row| ((row.meter_id, row.day), row)).collect())
}

/// Whether a day is kept in other intervals than the file has it in.
fn is_other_grid(kept: &IntervalDay, day: &TakenDay) -> bool {
    !kept.wh.is_empty() && u16::try_from(kept.interval_minutes) != Ok(day.minutes)
}

/// Values that a day of the file has.
fn values_of(day: &DayUsage) -> u64 {
    u64::try_from(day.values.len() - day.count(Quality::Missing)).unwrap_or_default()
}

/// Why a day in other intervals than those kept is not taken: as it lacks values, it would take the place of more.
fn a_part_of_a_day(kept: &IntervalDay, day: &TakenDay) -> Option<Refused> {
    let (date, all, lacks) = (day.usage.date, day.usage.values.len(), day.usage.count(Quality::Missing));
    if lacks == 0 {
        return None;
    }
    Some(Refused {
        line: 1,
        column: 1,
        content: format!("{} values of {date}", all - lacks),
        reason: format!(
            "{date} is kept in {}-minute intervals, and the file has it in {}-minute intervals with {lacks} of {all} values missing. Import the whole day.",
            kept.interval_minutes, day.minutes
        ),
        values: values_of(&day.usage),
    })
}

fn blank(meter: &Meter, contracts: &[Contract], day: NaiveDate, minutes: i16) -> IntervalDay {
    // In order of place and first day: the last to begin there by this day.
    let begun = contracts.partition_point(|one| (one.service_point_id, one.from_on) <= (meter.service_point_id, day));
    let last = begun.checked_sub(1).and_then(|at| contracts.get(at));
    let has = |one: &&Contract| one.service_point_id == meter.service_point_id && one.to_on.is_none_or(|to| day < to);
    IntervalDay {
        organization_id: meter.organization_id,
        client_id: meter.client_id,
        customer_id: last.filter(has).map(|one| one.customer_id),
        meter_id: meter.id,
        day,
        interval_minutes: minutes,
        wh: vec![],
        flags: None,
        total_wh: 0,
        import_id: None,
    }
}

/// A day as it is kept and as the file has it, made one; values missing in the file stay as they are.
/// `fill_only`: values that are there stay, whatever the file says.
fn merge(kept: &IntervalDay, file: &DayUsage, fill_only: bool) -> Result<(DayUsage, Counts), DbError> {
    let old = kept.usage()?;
    let same_grid = old.values.len() == file.values.len();
    let (mut merged, mut counts) = (file.clone(), Counts::default());
    let mut codes = vec![Quality::Missing.code(); file.values.len()];
    for (at, (value, code)) in merged.values.iter_mut().zip(&mut codes).enumerate() {
        let was = if same_grid { old.quality(at) } else { Quality::Missing };
        let was_wh = old.values.get(at).copied().unwrap_or_default();
        let is = file.quality(at);
        let stays = is == Quality::Missing || (fill_only && was != Quality::Missing);
        match (is, was) {
            (Quality::Missing, _) => {}
            (_, Quality::Missing) if same_grid || kept.wh.is_empty() => counts.accepted += 1,
            _ if stays || (same_grid && is == was && *value == was_wh) => counts.unchanged += 1,
            _ => counts.superseded += 1,
        }
        (*value, *code) =
            if stays { (if was == Quality::Missing { 0 } else { was_wh }, was.code()) } else { (*value, is.code()) };
    }
    merged.flags = codes.iter().any(|code| *code != 0).then_some(codes);
    Ok((merged, counts))
}

async fn write_rejections(tx: &mut Tenant, id: ImportId, taken: &Taken) -> QueryResult<()> {
    let (organization, client) = tx.here()?;
    let number = |value: u64| i32::try_from(value).unwrap_or(i32::MAX);
    for (first, chunk) in (1_i32..).step_by(CHUNK).zip(taken.refused.chunks(CHUNK)) {
        let rows: Vec<_> = (first..)
            .zip(chunk)
            .map(|(position, refused)| {
                (
                    import_rejections::organization_id.eq(organization),
                    import_rejections::client_id.eq(client),
                    import_rejections::import_id.eq(id),
                    import_rejections::position.eq(position),
                    import_rejections::line.eq(number(refused.line)),
                    import_rejections::column_.eq(number(refused.column)),
                    // A NUL byte cannot be kept in a text.
                    import_rejections::content.eq(refused.content.replace('\0', "\u{fffd}")),
                    import_rejections::reason.eq(refused.reason.replace('\0', "\u{fffd}")),
                )
            })
            .collect();
        diesel::insert_into(import_rejections::table).values(rows).execute(&mut **tx).await?;
    }
    Ok(())
}

/// The import's counts and what to know about it.
async fn close(tx: &mut Tenant, result: &ImportResult, taken: &Taken) -> QueryResult<()> {
    let (organization, client) = tx.here()?;
    let count = |value: u64| i32::try_from(value).unwrap_or(i32::MAX);
    let any = result.accepted + result.unchanged + result.superseded > 0;
    diesel::update(imports::table.filter(
        imports::organization_id.eq(organization).and(imports::client_id.eq(client)).and(imports::id.eq(result.id)),
    ))
    .set((
        imports::meter_id.eq(only(&taken.meters)),
        imports::status.eq(if any { "applied" } else { "failed" }),
        imports::accepted.eq(count(result.accepted)),
        imports::unchanged.eq(count(result.unchanged)),
        imports::superseded.eq(count(result.superseded)),
        imports::rejected.eq(count(result.rejected)),
        imports::first_at.eq(taken.first),
        imports::last_at.eq(taken.last),
        imports::kwh.eq(result.kwh),
        imports::problem.eq(remarks(result, taken)),
        imports::applied_at.eq(any.then(clock::now)),
    ))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Sentences about an import, for its page.
fn remarks(result: &ImportResult, taken: &Taken) -> String {
    let mut said = vec![];
    if result.before.is_some() && result.accepted == 0 {
        said.push("This file was imported before; nothing changed.".to_owned());
    }
    if taken.meters.is_empty() {
        said.push("No value was taken: the reasons stand below.".to_owned());
    }
    if let Some(gaps) = taken.gaps.told() {
        said.push(format!("Values are missing in the file: {gaps}."));
    }
    if let Some(lengths) = taken.lengths.told() {
        said.push(format!("The interval length changes: {lengths}."));
    }
    said.join(" ")
}

async fn record(tx: &mut Tenant, survey: &Survey, result: &ImportResult, meters: &[Meter]) -> Result<(), ImportError> {
    let ImportResult { accepted, unchanged, superseded, rejected, .. } = result;
    let entry = Entry {
        action: "import",
        entity: "import",
        entity_id: Some(result.id.0),
        customer: if let [meter] = meters { crate::metering::meters::customer(tx, meter).await? } else { None },
        summary: format!(
            "Imported {}: {} new values, {} replaced, {} rejected",
            survey.file.name(),
            audit::grouped(accepted),
            audit::grouped(superseded),
            audit::grouped(rejected)
        ),
        details: json!({
            "accepted": accepted, "unchanged": unchanged, "superseded": superseded, "rejected": rejected,
            "kwh": result.kwh.to_string(), "meters": meters.len(),
        }),
    };
    Ok(audit::note(tx, entry).await?)
}

#[cfg(test)]
mod tests;
