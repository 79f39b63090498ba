//! Organizations: the one that is open, all of them for EIS staff, and how each client of one is doing.

pub mod create;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Date, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;

use crate::db::schema::organizations;
use crate::db::zone_of_row;
use crate::values::clock;
use crate::values::ids::{BillingRunId, ClientId, OrganizationId};

/// An organization.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = organizations)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its short name.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// ISO 4217: what new clients begin with.
    pub currency: String,
    /// IANA.
    pub time_zone: String,
    /// BCP 47.
    pub locale: String,
    /// The zone of `time_zone`.
    #[diesel(embed)]
    pub zone: OrganizationZone,
}

zone_of_row!(
    /// An organization's zone.
    OrganizationZone,
    organizations,
    OrganizationId
);

/// The organization of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut AsyncPgConnection, id: OrganizationId) -> QueryResult<Option<Organization>> {
    organizations::table.filter(organizations::id.eq(id)).select(Organization::as_select()).first(conn).await.optional()
}

/// An organization as EIS staff see it before they open it: its name and size, nothing inside.
#[derive(Debug, Clone, QueryableByName)]
pub struct StaffRow {
    /// Its id.
    #[diesel(sql_type = SqlUuid)]
    pub id: OrganizationId,
    /// Its short name.
    #[diesel(sql_type = Text)]
    pub slug: String,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// `active` or `suspended`.
    #[diesel(sql_type = Text)]
    pub status: String,
    /// How many clients it has.
    #[diesel(sql_type = BigInt)]
    pub clients: i64,
    /// How many organizations match in all.
    #[diesel(sql_type = BigInt)]
    pub total: i64,
}

/// Organizations by name, one page, and how many match in all. The database refuses anyone but EIS staff.
///
/// # Errors
/// `not_yours` for anyone else; anything else when the database fails.
pub async fn staff_list(
    conn: &mut AsyncPgConnection,
    search: &str,
    offset: i32,
    limit: i32,
) -> QueryResult<(Vec<StaffRow>, i64)> {
    let rows: Vec<StaffRow> = sql_query("SELECT * FROM public.staff_organizations($1, $2, $3)")
        .bind::<Text, _>(search)
        .bind::<Integer, _>(offset)
        .bind::<Integer, _>(limit)
        .load(conn)
        .await?;
    let total = rows.iter().map(|row| row.total).max().unwrap_or(0);
    Ok((rows, total))
}

/// How a client is doing: what is done, and what waits for somebody.
#[derive(Debug, Clone, QueryableByName)]
pub struct ClientOverview {
    /// The client.
    #[diesel(sql_type = SqlUuid)]
    pub id: ClientId,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// `active` or `closed`.
    #[diesel(sql_type = Text)]
    pub status: String,
    /// ISO 4217.
    #[diesel(sql_type = Text)]
    pub currency: String,
    /// Active customers.
    #[diesel(sql_type = BigInt)]
    pub customers: i64,
    /// Billing runs not rated yet.
    #[diesel(sql_type = BigInt)]
    pub open_runs: i64,
    /// Rated ones with drafts that wait for approval, and approved ones that wait to be issued.
    #[diesel(sql_type = BigInt)]
    pub waiting_runs: i64,
    /// The first of these that wait, when there is one.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub waiting_run: Option<BillingRunId>,
    /// The day by which it bills what is due.
    #[diesel(sql_type = Nullable<Date>)]
    pub waiting_due_on: Option<NaiveDate>,
    /// Contracts that are held: rating made no bill of their days.
    #[diesel(sql_type = BigInt)]
    pub exceptions: i64,
    /// Invoices past their day.
    #[diesel(sql_type = BigInt)]
    pub overdue: i64,
    /// What is open on these.
    #[diesel(sql_type = Numeric)]
    pub overdue_amount: Decimal,
    /// What is open on all invoices.
    #[diesel(sql_type = Numeric)]
    pub open_amount: Decimal,
    /// Imports of the last 30 days that failed or have refused lines.
    #[diesel(sql_type = BigInt)]
    pub faulty_imports: i64,
}

impl ClientOverview {
    /// How many things wait for somebody: what the overview is sorted by.
    #[must_use]
    pub const fn attention(&self) -> i64 {
        self.waiting_runs + self.exceptions + self.overdue + self.faulty_imports
    }
}

/// Each client of the organization that is open, those with most to do first. Every figure is read from a
/// kept count or a partial index; none grows with the invoices issued. What is overdue is so by each client's own day.
///
/// # Errors
/// When the database fails.
pub async fn overview(conn: &mut AsyncPgConnection) -> QueryResult<Vec<ClientOverview>> {
    let mut rows: Vec<ClientOverview> =
        sql_query(include_str!("organizations/overview.sql")).bind::<Timestamptz, _>(clock::now()).load(conn).await?;
    rows.sort_by(|a, b| b.attention().cmp(&a.attention()).then_with(|| a.name.cmp(&b.name)));
    Ok(rows)
}

/// What an organization holds, in figures. Only its sizes are written out for others ([`crate::operate::platform`]).
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName, serde::Serialize)]
pub struct Statistics {
    /// Active clients.
    #[diesel(sql_type = BigInt)]
    pub clients: i64,
    /// Active customers.
    #[diesel(sql_type = BigInt)]
    pub customers: i64,
    /// Closed accounts.
    #[serde(skip)]
    #[diesel(sql_type = BigInt)]
    pub closed_customers: i64,
    /// Meters, in service or not.
    #[diesel(sql_type = BigInt)]
    pub meters: i64,
    /// Issued invoices and credit notes.
    #[diesel(sql_type = BigInt)]
    pub invoices: i64,
    /// ISO 4217: what its clients bill in.
    #[serde(skip)]
    #[diesel(sql_type = Array<Text>)]
    pub currencies: Vec<String>,
    /// What is open on invoices, one amount a currency.
    #[serde(skip)]
    #[diesel(sql_type = Array<Numeric>)]
    pub open: Vec<Decimal>,
    /// People with a role that holds today.
    #[diesel(sql_type = BigInt)]
    pub users: i64,
    /// Files of usage that came.
    #[serde(skip)]
    #[diesel(sql_type = BigInt)]
    pub files: i64,
    /// Their size.
    #[serde(skip)]
    #[diesel(sql_type = BigInt)]
    pub bytes: i64,
    /// When the last of them came.
    #[serde(skip)]
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_at: Option<DateTime<Utc>>,
    /// When a billing run last ended.
    #[serde(skip)]
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_run: Option<DateTime<Utc>>,
}

/// The figures of the organization that is open.
///
/// # Errors
/// When the database fails.
pub async fn statistics(conn: &mut AsyncPgConnection, organization: OrganizationId) -> QueryResult<Statistics> {
    sql_query(include_str!("organizations/statistics.sql")).bind::<SqlUuid, _>(organization).get_result(conn).await
}
