//! What rating needs from the database: a fixed number of queries for a batch of customers, never one each. Rows
//! come in a certain order, so that the same rows have the same fingerprint.

use std::collections::BTreeMap;

use chrono::{Months, NaiveDate};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;

use crate::db::AtClient;
use crate::db::schema::{
    accounts, billing_periods, contract_meters, contracts, customers, interval_days, invoices, tariff_agreements,
    tariff_rates,
};
use crate::metering::meter_readings::{self, Used};
use crate::rating::{Carried, PastPeak};
use crate::tariff_document::Ratchet;
use crate::tariffs::agreements::SUPPLY;
use crate::values::ids::{AccountId, BillingPeriodId, BillingRunId, ContractId, CustomerId, MeterId, TariffRateId};
use crate::values::money::Money;
use crate::values::period::Period;

/// A contract with supply in the period.
#[derive(Debug, Clone, Queryable, Selectable, Serialize)]
#[diesel(table_name = contracts)]
pub(super) struct ContractRow {
    pub id: ContractId,
    pub customer_id: CustomerId,
    pub account_id: AccountId,
    #[diesel(select_expression = accounts::account_number)]
    pub account_number: String,
    #[diesel(select_expression = customers::name)]
    pub name: String,
    pub address: String,
    #[diesel(select_expression = accounts::billing_address)]
    pub billing_address: String,
    /// Whether its bill is one with the account's others.
    #[diesel(select_expression = accounts::collective)]
    pub collective: bool,
    pub from_on: NaiveDate,
    pub to_on: Option<NaiveDate>,
}

/// A meter register on the days of a contract, as the contract knows it: what a customer may read as well.
#[derive(Debug, Clone, Queryable, Selectable, Serialize)]
#[diesel(table_name = contract_meters)]
pub(super) struct MeterRow {
    #[diesel(column_name = meter_id)]
    pub id: MeterId,
    pub contract_id: ContractId,
    pub serial: String,
    pub direction: String,
    pub kind: String,
    pub interval_minutes: Option<i16>,
    pub registers: Vec<String>,
    pub time_zone: String,
    #[diesel(column_name = from_on)]
    pub valid_from: NaiveDate,
    #[diesel(column_name = to_on)]
    pub valid_to: Option<NaiveDate>,
}

/// A contract's being on a tariff.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = tariff_agreements)]
pub(super) struct AgreementRow {
    pub contract_id: ContractId,
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

/// What was used between two readings of a meter.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ReadRow {
    pub meter_id: MeterId,
    pub from_on: NaiveDate,
    pub to_on: NaiveDate,
    pub kwh: Decimal,
    pub kwh_by_period: Value,
    pub peak_kw: Option<Decimal>,
    pub quality: String,
}

impl From<Used> for ReadRow {
    fn from(used: Used) -> Self {
        let Used { meter_id, from_on, to_on, kwh, kwh_by_period, peak_kw, quality } = used;
        let periods = kwh_by_period.into_iter().map(|(name, kwh)| (name, Value::String(kwh.to_string())));
        let kwh_by_period = Value::Object(periods.collect());
        Self { meter_id, from_on, to_on, kwh, kwh_by_period, peak_kw, quality }
    }
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

/// An earlier bill of a contract, and what it leaves to later ones.
#[derive(Debug, Clone, Queryable, Selectable, Serialize)]
#[diesel(table_name = billing_periods)]
pub(super) struct PastRow {
    pub contract_id: ContractId,
    #[diesel(column_name = from_on)]
    pub period_from: NaiveDate,
    #[diesel(column_name = to_on)]
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

/// A bill of later days, issued before.
#[derive(Debug, Clone, Queryable, Selectable, Serialize)]
#[diesel(table_name = billing_periods)]
pub(super) struct LaterRow {
    pub contract_id: ContractId,
    #[diesel(select_expression = invoices::label)]
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

/// Contracts, each with its account and its customer.
#[diesel::dsl::auto_type]
fn with_parties() -> _ {
    let account = accounts::organization_id
        .eq(contracts::organization_id)
        .and(accounts::client_id.eq(contracts::client_id))
        .and(accounts::customer_id.eq(contracts::customer_id))
        .and(accounts::id.eq(contracts::account_id));
    let customer = customers::organization_id
        .eq(contracts::organization_id)
        .and(customers::client_id.eq(contracts::client_id))
        .and(customers::id.eq(contracts::customer_id));
    contracts::table.inner_join(accounts::table.on(account)).inner_join(customers::table.on(customer))
}

/// A billing period that is to be rated, with its contract.
pub(super) struct InRun {
    pub id: BillingPeriodId,
    pub days: Period,
    pub contract: ContractRow,
}

/// What a run has on its way in these statuses, by days and then by account number; `only` these periods, if given.
pub(super) async fn of_run(
    conn: &AsyncPgConnection,
    here: &AtClient,
    run: BillingRunId,
    statuses: &[&str],
    only: Option<Vec<BillingPeriodId>>,
) -> QueryResult<Vec<InRun>> {
    let mut conn = conn;
    let period = billing_periods::organization_id
        .eq(contracts::organization_id)
        .and(billing_periods::client_id.eq(contracts::client_id))
        .and(billing_periods::customer_id.eq(contracts::customer_id))
        .and(billing_periods::contract_id.eq(contracts::id));
    let query = with_parties()
        .inner_join(billing_periods::table.on(period))
        .filter(contracts::organization_id.eq(here.organization).and(contracts::client_id.eq(here.client)))
        .filter(billing_periods::organization_id.eq(here.organization).and(billing_periods::client_id.eq(here.client)))
        .filter(billing_periods::billing_run_id.eq(run).and(billing_periods::status.eq_any(statuses)))
        .select((billing_periods::id, billing_periods::from_on, billing_periods::to_on, ContractRow::as_select()))
        .order((
            billing_periods::from_on,
            billing_periods::to_on,
            accounts::account_number,
            contracts::from_on,
            contracts::id,
        ));
    let rows: Vec<(BillingPeriodId, NaiveDate, NaiveDate, ContractRow)> = match only {
        None => query.load(&mut conn).await?,
        Some(only) => query.filter(billing_periods::id.eq_any(only)).load(&mut conn).await?,
    };
    let in_run = |(id, from, to, contract)| {
        // The table's CHECK keeps the end after the start.
        let days = Period::new(from, to).unwrap_or_else(|_| Period::day(from));
        InRun { id, days, contract }
    };
    Ok(rows.into_iter().map(in_run).collect())
}

/// Versions that hold on some day of the period. One that is retired still rates the days it was in force.
pub(super) async fn versions(
    conn: &AsyncPgConnection,
    here: &AtClient,
    period: Period,
) -> QueryResult<Vec<VersionRow>> {
    let mut conn = conn;
    let in_force = tariff_rates::status
        .eq("active")
        .or(tariff_rates::status.eq("retired").and(tariff_rates::effective_to.is_not_null()));
    tariff_rates::table
        .filter(tariff_rates::organization_id.eq(here.organization).and(tariff_rates::client_id.eq(here.client)))
        .filter(tariff_rates::effective_from.lt(period.to()))
        .filter(tariff_rates::effective_to.is_null().or(tariff_rates::effective_to.gt(period.from())))
        .filter(in_force)
        .select(VersionRow::as_select())
        .order((tariff_rates::code, tariff_rates::effective_from, tariff_rates::version))
        .load(&mut conn)
        .await
}

/// The contracts of these customers that the context sees, by account number.
pub(super) async fn of_customers(
    conn: &AsyncPgConnection,
    here: &AtClient,
    customers: &[CustomerId],
) -> QueryResult<Vec<ContractRow>> {
    let mut conn = conn;
    with_parties()
        .filter(contracts::organization_id.eq(here.organization).and(contracts::client_id.eq(here.client)))
        .filter(contracts::customer_id.eq_any(customers).and(contracts::status.eq("agreed")))
        .select(ContractRow::as_select())
        .order((accounts::account_number, contracts::from_on, contracts::id))
        .load(&mut conn)
        .await
}

/// Everything else about some customers, in queries that go out together.
pub(super) async fn batch(
    conn: &AsyncPgConnection,
    here: &AtClient,
    of: &[CustomerId],
    period: Period,
) -> QueryResult<Batch> {
    let (from, to) = (period.from(), period.to());
    let earliest = earliest(from);
    let (mut one, mut two) = (conn, conn);
    let past = billing_periods::table
        .filter(billing_periods::organization_id.eq(here.organization).and(billing_periods::client_id.eq(here.client)))
        .filter(billing_periods::customer_id.eq_any(of).and(billing_periods::status.eq("issued")))
        .filter(billing_periods::from_on.ge(earliest).and(billing_periods::to_on.le(from)))
        .select(PastRow::as_select())
        .order((billing_periods::from_on, billing_periods::id))
        .load(&mut one);
    let bill = invoices::organization_id
        .eq(billing_periods::organization_id)
        .and(invoices::client_id.eq(billing_periods::client_id))
        .and(invoices::id.nullable().eq(billing_periods::invoice_id));
    let later = billing_periods::table
        .inner_join(invoices::table.on(bill))
        .filter(billing_periods::organization_id.eq(here.organization).and(billing_periods::client_id.eq(here.client)))
        .filter(billing_periods::customer_id.eq_any(of).and(billing_periods::status.eq("issued")))
        .filter(billing_periods::from_on.ge(to))
        .select(LaterRow::as_select())
        .order((billing_periods::from_on, billing_periods::id))
        .load(&mut two);
    let (supply, past, later) = tokio::try_join!(supply(conn, here, of, period), past, later)?;
    Ok(Batch { past, later, ..supply })
}

/// As far back as any ratchet looks.
fn earliest(from: NaiveDate) -> NaiveDate {
    from.checked_sub_months(Months::new(Ratchet::MOST_MONTHS.into())).unwrap_or(from)
}

/// The same without bills: meters, agreements and usage.
pub(super) async fn supply(
    conn: &AsyncPgConnection,
    here: &AtClient,
    of: &[CustomerId],
    period: Period,
) -> QueryResult<Batch> {
    let (from, to) = (period.from(), period.to());
    let (mut one, mut two, mut three) = (conn, conn, conn);
    let meters = contract_meters::table
        .filter(contract_meters::organization_id.eq(here.organization).and(contract_meters::client_id.eq(here.client)))
        .filter(contract_meters::customer_id.eq_any(of).and(contract_meters::from_on.lt(to)))
        .filter(contract_meters::to_on.is_null().or(contract_meters::to_on.gt(from)))
        .select(MeterRow::as_select())
        .order((contract_meters::from_on, contract_meters::serial, contract_meters::meter_id))
        .load(&mut one);
    let agreements = tariff_agreements::table
        .filter(
            tariff_agreements::organization_id.eq(here.organization).and(tariff_agreements::client_id.eq(here.client)),
        )
        .filter(tariff_agreements::customer_id.eq_any(of).and(tariff_agreements::part.eq(SUPPLY)))
        .filter(tariff_agreements::valid_from.lt(to))
        .filter(tariff_agreements::valid_to.is_null().or(tariff_agreements::valid_to.gt(from)))
        .select(AgreementRow::as_select())
        .order(tariff_agreements::valid_from)
        .load(&mut two);
    let figures = meter_readings::figures(conn, (here.organization, here.client), of, (from, to));
    let days = interval_days::table
        .filter(interval_days::organization_id.eq(here.organization).and(interval_days::client_id.eq(here.client)))
        .filter(interval_days::customer_id.eq_any(of))
        .filter(interval_days::day.ge(from).and(interval_days::day.lt(to)))
        .select(DayRow::as_select())
        .order((interval_days::day, interval_days::meter_id))
        .load(&mut three);
    let (meters, agreements, figures, days) = tokio::try_join!(meters, agreements, figures, days)?;
    let within = |used: &Used| used.from_on < to && used.to_on > from;
    let reads = meter_readings::used(&figures).into_iter().filter(within).map(ReadRow::from).collect();
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
