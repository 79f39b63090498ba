//! Readings of register meters: the figures on a meter's registers at the beginning of a day, and what was used between
//! two of them. One of a day that has a reading already takes its place; the old one is kept.
//!
//! Whose a figure is follows from the days that it ends and begins: it is of the customer who has the day before it, and
//! where somebody else has the day itself it stands twice, as the final figure of the one and the opening figure of the
//! other. So everybody sees both ends of what they are billed for, and no figure between.
//!
//! A figure below the last one is taken as a roll-over where the usage across it stays below half of what the register
//! can show; else it is refused.

mod used;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Date, Nullable, Numeric, SmallInt, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;

use crate::audit::{self, Entry};
use crate::db::refused::Refused;
use crate::db::schema::meter_readings;
use crate::db::{Cached, DbError, Tenant};
use crate::metering::meters::{self, Meter};
use crate::metering::registers::{self, ENERGY, Register};
use crate::parties::contracts::{self, Contract};
use crate::values::days::{self, Unlikely};
use crate::values::ids::{ClientId, CustomerId, MeterId, MeterReadingId, OrganizationId, RegisterId};

pub use used::{Used, advance, is_plausible, used};

/// Who read it, as the database spells it and as people say it.
pub const QUALITIES: [(&str, &str); 3] =
    [("actual", "Read by us"), ("customer", "Read by the customer"), ("estimated", "Estimated")];

/// A figure that counts, with what is to be known of its register.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Figure {
    /// Its meter.
    #[diesel(sql_type = SqlUuid)]
    pub meter_id: MeterId,
    /// Its register.
    #[diesel(sql_type = SqlUuid)]
    pub register_id: RegisterId,
    /// The register's name; empty where the meter has one.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Energy or demand.
    #[diesel(sql_type = Text)]
    pub measures: String,
    /// The register's whole digits.
    #[diesel(sql_type = SmallInt)]
    pub digits: i16,
    /// What a unit on it stands for.
    #[diesel(sql_type = Numeric)]
    pub multiplier: Decimal,
    /// The day at whose beginning it holds.
    #[diesel(sql_type = Date)]
    pub read_on: NaiveDate,
    /// What stands on the register.
    #[diesel(sql_type = Numeric)]
    pub figure: Decimal,
    /// `installed` or `opening`: it begins usage; `final` or `removed`: it ends it; `periodic`: both.
    #[diesel(sql_type = Text)]
    pub why: String,
    /// One of [`QUALITIES`].
    #[diesel(sql_type = Text)]
    pub quality: String,
}

/// The figures of some customers that say what they used in some days: those within, and of each register the last before
/// and the first after.
///
/// # Errors
/// When the database fails.
pub(crate) async fn figures(
    conn: &AsyncPgConnection,
    (organization, client): (OrganizationId, ClientId),
    customers: &[CustomerId],
    (from, to): (NaiveDate, NaiveDate),
) -> QueryResult<Vec<Figure>> {
    let mut conn = conn;
    let customers: Vec<uuid::Uuid> = customers.iter().map(|customer| customer.0).collect();
    let query = sql_query(
        "SELECT f.meter_id, f.register_id, k.name, k.measures, k.digits, k.multiplier, f.read_on, f.figure, f.why, f.quality
         FROM (SELECT r.customer_id, r.meter_id, r.register_id, r.read_on, r.figure, r.why, r.quality,
                   lag(r.read_on) OVER each_register AS before, lead(r.read_on) OVER each_register AS next
               FROM public.meter_readings r
               WHERE r.organization_id = $1 AND r.client_id = $2 AND r.customer_id = ANY ($3) AND r.superseded_by IS NULL
               WINDOW each_register AS (PARTITION BY r.customer_id, r.register_id ORDER BY r.read_on, r.why = 'opening')) f
         CROSS JOIN LATERAL (SELECT c.name, c.measures, c.digits, c.multiplier FROM public.contract_meters m
             CROSS JOIN LATERAL jsonb_to_recordset(m.counts) AS c (id uuid, name text, measures text, digits smallint, multiplier numeric)
             WHERE m.organization_id = $1 AND m.client_id = $2 AND m.customer_id = f.customer_id AND m.meter_id = f.meter_id
               AND c.id = f.register_id LIMIT 1) k
         WHERE (f.read_on < $5 AND f.next > $4) OR (f.read_on > $4 AND f.before < $5)
         ORDER BY f.read_on, f.meter_id, f.register_id",
    )
    .bind::<SqlUuid, _>(organization)
    .bind::<SqlUuid, _>(client)
    .bind::<Array<SqlUuid>, _>(customers)
    .bind::<Date, _>(from)
    .bind::<Date, _>(to);
    Cached(query).load(&mut conn).await
}

/// A meter's reading of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The day at whose beginning its figures hold.
    pub read_on: NaiveDate,
    /// What stood on each register.
    pub figures: BTreeMap<RegisterId, Decimal>,
    /// One of [`QUALITIES`].
    pub quality: String,
    /// What was used since the reading before; nothing where none is before it.
    pub used: Option<Used>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = meter_readings)]
struct Row {
    id: MeterReadingId,
    register_id: RegisterId,
    read_on: NaiveDate,
    figure: Decimal,
    why: String,
    quality: String,
}

#[diesel::dsl::auto_type]
fn of(at: (OrganizationId, ClientId), meter: MeterId) -> _ {
    let (organization, client): (OrganizationId, ClientId) = at;
    meter_readings::table
        .filter(meter_readings::organization_id.eq(organization).and(meter_readings::client_id.eq(client)))
        .filter(meter_readings::meter_id.eq(meter))
}

async fn rows(tx: &Tenant, meter: &Meter) -> QueryResult<Vec<Row>> {
    of(tx.here()?, meter.id)
        .filter(meter_readings::superseded_by.is_null())
        .select(Row::as_select())
        .order((meter_readings::read_on, meter_readings::register_id, meter_readings::why))
        .load(&mut tx.shared())
        .await
}

/// The readings that count of a meter, the latest first, whoever lived there.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tenant, meter: &Meter) -> QueryResult<Vec<Reading>> {
    let counted = registers::of_meters(tx, &[meter.id]).await?;
    Ok(readings(&rows(tx, meter).await?, &counted))
}

fn readings(rows: &[Row], counted: &[Register]) -> Vec<Reading> {
    let figure = |row: &Row| {
        let register = counted.iter().find(|register| register.id == row.register_id)?.clone();
        Some(Figure {
            meter_id: register.meter_id,
            register_id: register.id,
            name: register.name,
            measures: register.measures,
            digits: register.digits,
            multiplier: register.multiplier,
            read_on: row.read_on,
            figure: row.figure,
            why: row.why.clone(),
            quality: row.quality.clone(),
        })
    };
    let mut usage: BTreeMap<NaiveDate, Used> =
        used(&rows.iter().filter_map(figure).collect::<Vec<_>>()).into_iter().map(|used| (used.to_on, used)).collect();
    let mut days: BTreeMap<NaiveDate, Reading> = BTreeMap::new();
    for row in rows {
        let day = days.entry(row.read_on).or_insert_with(|| Reading {
            read_on: row.read_on,
            figures: BTreeMap::new(),
            quality: row.quality.clone(),
            used: usage.remove(&row.read_on),
        });
        day.figures.insert(row.register_id, row.figure);
    }
    days.into_values().rev().collect()
}

/// How many figures of a meter were ever recorded, those corrected since included: it grows with each reading.
///
/// # Errors
/// When the database fails.
pub async fn recorded(tx: &Tenant, meter: &Meter) -> QueryResult<i64> {
    of(tx.here()?, meter.id).count().get_result(&mut tx.shared()).await
}

/// What makes a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReading {
    /// The day at whose beginning the figures hold.
    pub read_on: NaiveDate,
    /// One of [`QUALITIES`].
    pub quality: String,
    /// What stands on each register of the meter.
    pub figures: BTreeMap<RegisterId, Decimal>,
}

/// A register as a violation names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Which {
    /// Energy or demand.
    pub measures: String,
    /// Its name.
    pub name: String,
}

impl From<&Register> for Which {
    fn from(register: &Register) -> Self {
        Self { measures: register.measures.clone(), name: register.name.clone() }
    }
}

/// What forbids a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// The meter measures in intervals: it tells its values itself.
    IntervalMeter,
    /// The day of the reading is hardly meant.
    ReadOn(Unlikely),
    /// The meter is in service from this day on only.
    InServiceFrom(NaiveDate),
    /// The meter was removed on this day.
    Removed(NaiveDate),
    /// Of this register there is no figure.
    Missing(Which),
    /// A figure has more digits than its register shows: so many whole ones, and so many decimals.
    TooLong(Which, i16, i16),
    /// A figure lies below the last one, and it is no roll-over.
    BelowLast(Which, NaiveDate, Decimal),
    /// A figure lies above the next one, and it is no roll-over.
    AboveNext(Which, NaiveDate, Decimal),
}

/// Why a reading was not recorded.
pub type ReadingError = Refused<Violation>;

/// A reading that was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its meter.
    pub meter: Meter,
    /// Whether it counts in place of an earlier one of the same day.
    pub corrects: bool,
    /// What was used since the reading before it.
    pub used: Option<Used>,
}

/// What a reading breaks by itself.
fn faults(meter: &Meter, counted: &[Register], reading: &NewReading) -> Vec<Violation> {
    let mut found: Vec<Violation> = [
        (meter.kind != "register").then_some(Violation::IntervalMeter),
        days::read(reading.read_on, meter.today()).map(Violation::ReadOn),
        (reading.read_on < meter.valid_from).then_some(Violation::InServiceFrom(meter.valid_from)),
        meter.valid_to.filter(|end| reading.read_on > *end).map(Violation::Removed),
    ]
    .into_iter()
    .flatten()
    .collect();
    for register in counted {
        match reading.figures.get(&register.id) {
            None => found.push(Violation::Missing(register.into())),
            Some(figure) if !shows(register, *figure) => {
                found.push(Violation::TooLong(register.into(), register.digits, register.decimals));
            }
            Some(_) => {}
        }
    }
    found
}

/// Whether a register can show a figure.
fn shows(register: &Register, figure: Decimal) -> bool {
    let decimals = u32::try_from(register.decimals).unwrap_or(0);
    figure >= Decimal::ZERO && figure < used::range(register.digits) && figure.normalize().scale() <= decimals
}

/// What a reading breaks beside those before and after it.
fn against(rows: &[Row], counted: &[Register], reading: &NewReading) -> Vec<Violation> {
    let mut found = vec![];
    for register in counted.iter().filter(|register| register.measures == ENERGY) {
        let Some(figure) = reading.figures.get(&register.id).copied() else { continue };
        let others = || rows.iter().filter(|row| row.register_id == register.id);
        let last = others().rfind(|row| row.read_on < reading.read_on);
        let next = others().find(|row| row.read_on > reading.read_on);
        let below = last.filter(|row| !is_plausible(row.figure, figure, register.digits));
        found.extend(below.map(|row| Violation::BelowLast(register.into(), row.read_on, row.figure)));
        let above = next.filter(|row| !is_plausible(figure, row.figure, register.digits));
        found.extend(above.map(|row| Violation::AboveNext(register.into(), row.read_on, row.figure)));
    }
    found
}

/// Records a reading of a meter, and puts it on record. One of the same day as another corrects that; the same once more
/// changes nothing.
///
/// # Errors
/// [`ReadingError`].
pub async fn create(tx: &mut Tenant, meter: MeterId, reading: &NewReading) -> Result<Recorded, ReadingError> {
    // Of two at once, one waits here and then sees the other's figures.
    let meter = meters::locked(tx, meter).await?.ok_or(Refused::NotFound)?;
    let counted = registers::of_meters(tx, &[meter.id]).await?;
    if reading.figures.keys().any(|id| !counted.iter().any(|register| register.id == *id)) {
        return Err(Refused::NotFound);
    }
    Refused::unless(faults(&meter, &counted, reading), ())?;
    let there = rows(tx, &meter).await?;
    Refused::unless(against(&there, &counted, reading), ())?;
    let old: Vec<&Row> = there.iter().filter(|row| row.read_on == reading.read_on).collect();
    let before = readings(&there, &counted).into_iter().find(|before| before.read_on == reading.read_on);
    if let Some(same) = before.as_ref().filter(|old| old.figures == reading.figures && old.quality == reading.quality) {
        return Ok(Recorded { meter, corrects: false, used: same.used.clone() });
    }
    let contracts = contracts::held_at(tx, &[meter.service_point_id]).await?;
    let made = made(&meter, &contracts, reading);
    insert(tx, &meter, reading, (&made, &old)).await?;
    let corrects = !old.is_empty();
    record(tx, (&meter, &counted), reading, (before, &made)).await?;
    let now = list(tx, &meter).await?.into_iter().find(|now| now.read_on == reading.read_on);
    Ok(Recorded { meter, corrects, used: now.and_then(|now| now.used) })
}

/// A row of a reading that is made.
struct Made {
    id: MeterReadingId,
    register: RegisterId,
    figure: Decimal,
    why: &'static str,
    customer: Option<CustomerId>,
}

const OPENING: &str = "opening";

/// The rows of a reading: one for each register, and two where the day is that of a move.
fn made(meter: &Meter, contracts: &[Contract], reading: &NewReading) -> Vec<Made> {
    let holder = |day: NaiveDate| {
        let held = contracts.iter().find(|held| held.from_on <= day && held.to_on.is_none_or(|to| day < to));
        held.map(|held| held.customer_id)
    };
    let day = reading.read_on;
    let before = day.pred_opt().filter(|before| meter.covers(*before));
    let (goes, comes) = (before.and_then(holder), holder(day));
    let (why, customer, parted) = if before.is_none() {
        ("installed", comes, false)
    } else if !meter.covers(day) {
        ("removed", goes, false)
    } else if goes != comes {
        ("final", goes, true)
    } else {
        ("periodic", goes, false)
    };
    let row = |register, figure, why, customer| Made { id: MeterReadingId::fresh(), register, figure, why, customer };
    let mut made = vec![];
    for (register, figure) in &reading.figures {
        made.push(row(*register, *figure, why, customer));
        made.extend(parted.then(|| row(*register, *figure, OPENING, comes)));
    }
    made
}

/// In one statement: the old ones name the new ones, and of each register and day one reading counts.
async fn insert(
    tx: &mut Tenant,
    meter: &Meter,
    reading: &NewReading,
    (made, old): (&[Made], &[&Row]),
) -> Result<(), DbError> {
    let ((organization, client), by) = (tx.client()?, tx.author()?.user);
    let successor = |row: &Row| {
        let of_register = || made.iter().filter(|made| made.register == row.register_id);
        let alike = of_register().find(|made| (made.why == OPENING) == (row.why == OPENING));
        alike.or_else(|| of_register().next()).map(|made| (row.id.0, made.id.0))
    };
    let (old, new): (Vec<uuid::Uuid>, Vec<uuid::Uuid>) = old.iter().filter_map(|row| successor(row)).unzip();
    sql_query(
        "WITH old AS (UPDATE public.meter_readings r SET superseded_by = o.successor
             FROM unnest($4, $5) AS o (id, successor)
             WHERE r.organization_id = $1 AND r.client_id = $2 AND r.id = o.id RETURNING r.id)
         INSERT INTO public.meter_readings (organization_id, client_id, id, customer_id, meter_id, register_id, read_on, figure, why,
             quality, source, created_by)
         SELECT $1, $2, n.id, n.customer_id, $3, n.register_id, $6, n.figure, n.why, $7, 'typed', $8
         FROM (SELECT count(*) FROM old) AS before, unnest($9, $10, $11, $12, $13) AS n (id, customer_id, register_id, figure, why)",
    )
    .bind::<SqlUuid, _>(organization)
    .bind::<SqlUuid, _>(client)
    .bind::<SqlUuid, _>(meter.id)
    .bind::<Array<SqlUuid>, _>(old)
    .bind::<Array<SqlUuid>, _>(new)
    .bind::<Date, _>(reading.read_on)
    .bind::<Text, _>(&reading.quality)
    .bind::<Nullable<SqlUuid>, _>(by.map(|user| user.0))
    .bind::<Array<SqlUuid>, _>(made.iter().map(|made| made.id.0).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(made.iter().map(|made| made.customer.map(|one| one.0)).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(made.iter().map(|made| made.register.0).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(made.iter().map(|made| made.figure).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(made.iter().map(|made| made.why).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A reading as the log tells it.
#[derive(Serialize)]
struct Told {
    read_on: NaiveDate,
    quality: String,
    figures: Value,
}

impl Told {
    fn of(counted: &[Register], read_on: NaiveDate, quality: &str, figures: &BTreeMap<RegisterId, Decimal>) -> Self {
        let figures = named(counted, figures).map(|(name, figure)| (name, Value::String(figure)));
        Self { read_on, quality: quality.to_owned(), figures: Value::Object(figures.collect()) }
    }
}

/// Figures by what their registers are called: a name, else the unit.
fn named(counted: &[Register], figures: &BTreeMap<RegisterId, Decimal>) -> impl Iterator<Item = (String, String)> {
    counted.iter().filter_map(|register| {
        let figure = figures.get(&register.id)?.normalize().to_string();
        let (name, unit) = (register.name.as_str(), register.unit());
        let called = match (register.is_energy(), name) {
            (_, "") => unit.to_owned(),
            (true, name) => name.to_owned(),
            (false, name) => format!("{name} {unit}"),
        };
        Some((called, figure))
    })
}

async fn record(
    tx: &mut Tenant,
    (meter, counted): (&Meter, &[Register]),
    reading: &NewReading,
    (before, made): (Option<Reading>, &[Made]),
) -> Result<(), ReadingError> {
    let now = Told::of(counted, reading.read_on, &reading.quality, &reading.figures);
    let said: Vec<String> =
        named(counted, &reading.figures).map(|(name, figure)| format!("{name} {}", audit::grouped(figure))).collect();
    let said = format!("meter {} on {}: {}", meter.serial, reading.read_on, said.join(", "));
    let (action, did, details) = match before {
        None => ("record", "Recorded the reading of", audit::created(now)),
        Some(old) => {
            let was = Told::of(counted, old.read_on, &old.quality, &old.figures);
            ("update", "Corrected the reading of", audit::changed(was, now))
        }
    };
    let entry = Entry {
        action,
        entity: "meter_reading",
        entity_id: made.first().map(|made| made.id.0),
        customer: made.iter().find_map(|made| made.customer),
        summary: format!("{did} {said}"),
        details,
    };
    Ok(audit::note(tx, entry).await?)
}

#[cfg(test)]
mod tests;
