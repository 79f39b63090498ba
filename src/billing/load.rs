//! What rating needs from the database: a fixed number of queries for a batch of customers, never one each. Rows
//! come in a certain order, so that the same rows have the same fingerprint.

use std::collections::BTreeMap;

use chrono::{Months, NaiveDate};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;

use super::Desk;
use crate::customers::with_account;
use crate::db::schema::{
    accounts, customers, interval_days, invoices, meter_readings, meters, tariff_agreements, tariff_rates,
};
use crate::ids::{AccountId, CustomerId, MeterId, TariffRateId};
use crate::money::Money;
use crate::period::Period;
use crate::rating::{Carried, PastPeak};
use crate::tariff_document::Ratchet;

/// A customer with supply in the period.
#[derive(Debug, Clone, Queryable, Selectable, Serialize)]
#[diesel(table_name = customers)]
pub(super) struct CustomerRow {
    pub id: CustomerId,
    /// The main account: its supply is billed to it.
    #[diesel(select_expression = accounts::id)]
    pub account_id: AccountId,
    #[diesel(select_expression = accounts::account_number)]
    pub account_number: String,
    pub name: String,
    pub service_address: String,
    #[diesel(select_expression = accounts::billing_address)]
    pub billing_address: String,
    pub moved_in_on: NaiveDate,
    pub moved_out_on: Option<NaiveDate>,
}

/// A meter register.
#[derive(Debug, Clone, Queryable, Selectable, Serialize)]
#[diesel(table_name = meters)]
pub(super) struct MeterRow {
    pub id: MeterId,
    pub customer_id: CustomerId,
    pub serial: String,
    pub direction: String,
    pub kind: String,
    pub interval_minutes: Option<i16>,
    pub registers: Vec<String>,
    pub time_zone: String,
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
}

/// A customer's being on a tariff.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = tariff_agreements)]
pub(super) struct AgreementRow {
    pub customer_id: CustomerId,
    pub tariff_code: String,
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
}

/// A version of a tariff.
#[derive(Debug, Clone, Queryable, Selectable, Serialize)]
#[diesel(table_name = tariff_rates)]
pub(super) struct VersionRow {
    pub id: TariffRateId,
    pub code: String,
    pub name: String,
    pub document: Value,
    pub effective_from: NaiveDate,
    pub effective_to: Option<NaiveDate>,
}

/// A register read.
#[derive(Debug, Clone, Queryable, Selectable, Serialize)]
#[diesel(table_name = meter_readings)]
pub(super) struct ReadRow {
    pub meter_id: MeterId,
    pub from_on: NaiveDate,
    pub to_on: NaiveDate,
    pub kwh: Decimal,
    pub kwh_by_period: Value,
    pub peak_kw: Option<Decimal>,
    pub quality: String,
}

/// A day of interval data.
#[derive(Debug, Clone, Queryable, Selectable, Serialize)]
#[diesel(table_name = interval_days)]
pub(super) struct DayRow {
    pub meter_id: MeterId,
    pub day: NaiveDate,
    pub interval_minutes: i16,
    pub wh: Vec<Option<i32>>,
    pub flags: Option<Vec<Option<i16>>>,
}

/// An earlier invoice, and what it leaves to later ones.
#[derive(Debug, Clone, Queryable, Selectable, Serialize)]
#[diesel(table_name = invoices)]
pub(super) struct PastRow {
    pub customer_id: CustomerId,
    pub period_from: NaiveDate,
    pub period_to: NaiveDate,
    pub total: Decimal,
    pub peak_kw: Option<Decimal>,
    pub peak_names: Vec<String>,
    pub peak_kws: Vec<Option<Decimal>>,
    pub carried_credit: Decimal,
    pub carried_year_to_date: Decimal,
    pub banked_periods: Vec<String>,
    pub banked_kwh: Vec<Option<Decimal>>,
}

/// Figures by their names, as two columns of one row keep them; the table's CHECKs hold them alike long and whole.
fn named<K: From<String> + Ord>(names: &[String], figures: &[Option<Decimal>]) -> BTreeMap<K, Decimal> {
    names.iter().cloned().map(K::from).zip(figures.iter().flatten().copied()).collect()
}

impl PastRow {
    /// Its highest demand, where it was measured.
    pub fn peak(&self) -> Option<PastPeak> {
        let tou = named(&self.peak_names, &self.peak_kws);
        self.peak_kw.map(|kw| PastPeak { from: self.period_from, kw, tou })
    }

    /// What it leaves to the next bill.
    pub fn carried(&self) -> Carried {
        Carried {
            bank_kwh: named(&self.banked_periods, &self.banked_kwh),
            credit: Money::new(self.carried_credit),
            year_to_date: Money::new(self.carried_year_to_date),
        }
    }
}

/// An invoice for later days, issued before.
#[derive(Debug, Clone, Queryable, Selectable, Serialize)]
#[diesel(table_name = invoices)]
pub(super) struct LaterRow {
    pub customer_id: CustomerId,
    pub label: String,
}

/// What a batch of customers is rated from.
pub(super) struct Batch {
    pub meters: Vec<MeterRow>,
    pub agreements: Vec<AgreementRow>,
    pub reads: Vec<ReadRow>,
    pub days: Vec<DayRow>,
    pub past: Vec<PastRow>,
    pub later: Vec<LaterRow>,
}

/// The customers with supply in the period, by account number. Who moved out is billed for the days until then.
pub(super) async fn customers(conn: &AsyncPgConnection, desk: &Desk, period: Period) -> QueryResult<Vec<CustomerRow>> {
    let mut conn = conn;
    with_account()
        .filter(customers::organization_id.eq(desk.organization).and(customers::client_id.eq(desk.client)))
        .filter(customers::moved_in_on.lt(period.to()))
        .filter(customers::moved_out_on.is_null().or(customers::moved_out_on.gt(period.from())))
        .filter(customers::status.eq("active").or(customers::moved_out_on.is_not_null()))
        .select(CustomerRow::as_select())
        .order((accounts::account_number, customers::id))
        .load(&mut conn)
        .await
}

/// Versions that hold on some day of the period. One that is retired still rates the days it was in force.
pub(super) async fn versions(conn: &AsyncPgConnection, desk: &Desk, period: Period) -> QueryResult<Vec<VersionRow>> {
    let mut conn = conn;
    let in_force = tariff_rates::status
        .eq("active")
        .or(tariff_rates::status.eq("retired").and(tariff_rates::effective_to.is_not_null()));
    tariff_rates::table
        .filter(tariff_rates::organization_id.eq(desk.organization).and(tariff_rates::client_id.eq(desk.client)))
        .filter(tariff_rates::effective_from.lt(period.to()))
        .filter(tariff_rates::effective_to.is_null().or(tariff_rates::effective_to.gt(period.from())))
        .filter(in_force)
        .select(VersionRow::as_select())
        .order((tariff_rates::code, tariff_rates::effective_from, tariff_rates::version))
        .load(&mut conn)
        .await
}

/// The customers of these ids that the context sees, by account number.
pub(super) async fn these_customers(
    conn: &AsyncPgConnection,
    desk: &Desk,
    ids: &[CustomerId],
) -> QueryResult<Vec<CustomerRow>> {
    let mut conn = conn;
    with_account()
        .filter(customers::organization_id.eq(desk.organization).and(customers::client_id.eq(desk.client)))
        .filter(customers::id.eq_any(ids))
        .select(CustomerRow::as_select())
        .order((accounts::account_number, customers::id))
        .load(&mut conn)
        .await
}

/// Everything else about some customers, in queries that go out together.
pub(super) async fn batch(
    conn: &AsyncPgConnection,
    desk: &Desk,
    of: &[CustomerId],
    period: Period,
) -> QueryResult<Batch> {
    let (from, to) = (period.from(), period.to());
    let earliest = earliest(from);
    let (mut one, mut two) = (conn, conn);
    let past = invoices::table
        .filter(invoices::organization_id.eq(desk.organization).and(invoices::client_id.eq(desk.client)))
        .filter(invoices::customer_id.eq_any(of))
        .filter(invoices::status.ne_all(["draft", "credited"]).and(invoices::kind.eq("invoice")))
        .filter(invoices::period_from.ge(earliest).and(invoices::period_to.le(from)))
        .select(PastRow::as_select())
        .order((invoices::period_from, invoices::id))
        .load(&mut one);
    let later = invoices::table
        .filter(invoices::organization_id.eq(desk.organization).and(invoices::client_id.eq(desk.client)))
        .filter(invoices::customer_id.eq_any(of))
        .filter(invoices::status.ne_all(["draft", "credited"]).and(invoices::kind.eq("invoice")))
        .filter(invoices::period_from.ge(to))
        .select(LaterRow::as_select())
        .order((invoices::period_from, invoices::id))
        .load(&mut two);
    let (supply, past, later) = tokio::try_join!(supply(conn, desk, of, period), past, later)?;
    Ok(Batch { past, later, ..supply })
}

/// As far back as any ratchet looks.
fn earliest(from: NaiveDate) -> NaiveDate {
    from.checked_sub_months(Months::new(Ratchet::MOST_MONTHS.into())).unwrap_or(from)
}

/// The same without bills: meters, agreements and usage.
pub(super) async fn supply(
    conn: &AsyncPgConnection,
    desk: &Desk,
    of: &[CustomerId],
    period: Period,
) -> QueryResult<Batch> {
    let (from, to) = (period.from(), period.to());
    let (mut one, mut two, mut three, mut four) = (conn, conn, conn, conn);
    let meters = meters::table
        .filter(meters::organization_id.eq(desk.organization).and(meters::client_id.eq(desk.client)))
        .filter(meters::customer_id.eq_any(of))
        .filter(meters::valid_from.lt(to).and(meters::valid_to.is_null().or(meters::valid_to.gt(from))))
        .select(MeterRow::as_select())
        .order((meters::valid_from, meters::serial, meters::id))
        .load(&mut one);
    let agreements = tariff_agreements::table
        .filter(
            tariff_agreements::organization_id.eq(desk.organization).and(tariff_agreements::client_id.eq(desk.client)),
        )
        .filter(tariff_agreements::customer_id.eq_any(of))
        .filter(tariff_agreements::valid_from.lt(to))
        .filter(tariff_agreements::valid_to.is_null().or(tariff_agreements::valid_to.gt(from)))
        .select(AgreementRow::as_select())
        .order(tariff_agreements::valid_from)
        .load(&mut two);
    let reads = meter_readings::table
        .filter(meter_readings::organization_id.eq(desk.organization).and(meter_readings::client_id.eq(desk.client)))
        .filter(meter_readings::customer_id.eq_any(of))
        .filter(meter_readings::from_on.lt(to).and(meter_readings::to_on.gt(from)))
        .filter(meter_readings::superseded_by.is_null())
        .select(ReadRow::as_select())
        .order((meter_readings::from_on, meter_readings::meter_id))
        .load(&mut three);
    let days = interval_days::table
        .filter(interval_days::organization_id.eq(desk.organization).and(interval_days::client_id.eq(desk.client)))
        .filter(interval_days::customer_id.eq_any(of))
        .filter(interval_days::day.ge(from).and(interval_days::day.lt(to)))
        .select(DayRow::as_select())
        .order((interval_days::day, interval_days::meter_id))
        .load(&mut four);
    let (meters, agreements, reads, days) = tokio::try_join!(meters, agreements, reads, days)?;
    Ok(Batch { meters, agreements, reads, days, past: vec![], later: vec![] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_bills_reach_back_as_far_as_the_longest_ratchet() {
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(earliest(date("2026-03-01")), date("2023-03-01"));
    }
}
