//! What-if: candidate tariffs over chosen customers' own past usage. Asked for here, worked through in the background
//! ([`run`]), kept customer by customer ([`results`]) and summed up at the end ([`totals`]). No bill comes of it.

mod ask;
pub mod results;
mod run;
pub mod totals;

use std::collections::HashSet;

use chrono::{DateTime, Months, NaiveDate, Utc};
use diesel::sql_types::{Array, BigInt, Date, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::db::AtClient;
use crate::db::{Cached, DbError, Tenant, Unreadable};
use crate::tariffs::Tariff;
use crate::values::ids::{CustomerId, JobId, TariffRateId, WhatIfId};
use crate::values::period::Period;

pub use ask::{Asking, WhatIfViolation, create, delete};
pub(crate) use run::at_once;
pub use run::{KIND, candidate, work};
pub use totals::Totals;

/// Versions that are tried at once, at most.
pub const CANDIDATES: usize = 4;
/// Months that are looked back at, at most.
pub const MONTHS: usize = 24;
/// Account numbers that are chosen at once, at most.
pub const ACCOUNTS: usize = 2_000;
/// What-ifs of a client that wait or run at a time, at most.
pub const WAITING: i64 = 3;

/// Which customers are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// All with supply in the months.
    All,
    /// Those of them who were on a tariff of this code at some time in these months.
    Tariff(String),
    /// Those of these account numbers.
    Accounts(Vec<String>),
}

impl Chosen {
    fn of(id: WhatIfId, word: &str, code: String, accounts: &Value) -> Result<Self, Unreadable> {
        Ok(match word {
            "all" => Self::All,
            "tariff" => Self::Tariff(code),
            "accounts" => Self::Accounts(Unreadable::json(accounts, TABLE, id, "accounts")?),
            other => {
                return Err(Unreadable::new(TABLE, id, "chosen", format!("\"{other}\" is no choice of customers")));
            }
        })
    }

    /// As the table spells it: word, code, account numbers.
    const fn parts(&self) -> (&'static str, &str, &[String]) {
        match self {
            Self::All => ("all", "", &[]),
            Self::Tariff(code) => ("tariff", code.as_str(), &[]),
            Self::Accounts(accounts) => ("accounts", "", accounts.as_slice()),
        }
    }
}

/// A version that is tried, as its what-if names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateSummary {
    /// The version.
    pub id: TariffRateId,
    /// What agreements call it.
    pub code: String,
    /// 1, 2, …
    pub version: i32,
    /// What people call it.
    pub name: String,
}

impl CandidateSummary {
    /// `HOME version 2`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{} version {}", self.code, self.version)
    }
}

/// A comparison, and how far it is.
#[derive(Debug, Clone)]
pub struct WhatIf {
    /// Its id.
    pub id: WhatIfId,
    /// Which customers.
    pub chosen: Chosen,
    /// Whole months.
    pub months: Period,
    /// What is tried, in order.
    pub candidates: Vec<CandidateSummary>,
    /// What came of it; `None` until it is done.
    pub totals: Option<Totals>,
    /// Who asked.
    pub user_name: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it was done.
    pub finished_at: Option<DateTime<Utc>>,
    /// `queued`, `running`, `done` or `failed`.
    pub status: String,
    /// Customers done.
    pub progress: i32,
    /// Customers in all, once known.
    pub total: Option<i32>,
    /// Why it failed.
    pub problem: String,
}

impl WhatIf {
    /// What is tried, in a line.
    #[must_use]
    pub fn tried(&self) -> String {
        self.candidates.iter().map(CandidateSummary::label).collect::<Vec<_>>().join(", ")
    }

    /// Whether it waits or runs.
    #[must_use]
    pub fn under_way(&self) -> bool {
        matches!(self.status.as_str(), "queued" | "running")
    }
}

/// What was asked for, as the table keeps it.
#[derive(QueryableByName)]
struct Asked {
    #[diesel(sql_type = Text)]
    chosen: String,
    #[diesel(sql_type = Text)]
    tariff_code: String,
    #[diesel(sql_type = Jsonb)]
    accounts: Value,
    #[diesel(sql_type = Date)]
    from_on: NaiveDate,
    #[diesel(sql_type = Date)]
    to_on: NaiveDate,
    #[diesel(sql_type = Jsonb)]
    candidates: Value,
}

impl Asked {
    fn read(self, id: WhatIfId) -> Result<(Chosen, Period, Vec<CandidateSummary>), Unreadable> {
        let months =
            Period::new(self.from_on, self.to_on).map_err(|fault| Unreadable::new(TABLE, id, "to_on", fault))?;
        let candidates = Unreadable::json(&self.candidates, TABLE, id, "candidates")?;
        Ok((Chosen::of(id, &self.chosen, self.tariff_code, &self.accounts)?, months, candidates))
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: WhatIfId,
    #[diesel(embed)]
    asked: Asked,
    #[diesel(sql_type = Nullable<Jsonb>)]
    totals: Option<Value>,
    #[diesel(sql_type = Text)]
    user_name: String,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    finished_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Integer)]
    progress: i32,
    #[diesel(sql_type = Nullable<Integer>)]
    total: Option<i32>,
    #[diesel(sql_type = Text)]
    problem: String,
}

impl TryFrom<Row> for WhatIf {
    type Error = Unreadable;

    fn try_from(row: Row) -> Result<Self, Unreadable> {
        let (chosen, months, candidates) = row.asked.read(row.id)?;
        let totals = row.totals.map(|totals| Unreadable::json(&totals, TABLE, row.id, "totals")).transpose()?;
        Ok(Self {
            id: row.id,
            chosen,
            months,
            candidates,
            totals,
            user_name: row.user_name,
            created_at: row.created_at,
            finished_at: row.finished_at,
            status: row.status,
            progress: row.progress,
            total: row.total,
            problem: row.problem,
        })
    }
}

/// As its faults name it.
const TABLE: &str = "what_ifs";

const SELECT: &str = "\
SELECT w.id, w.chosen, w.tariff_code, w.accounts, w.from_on, w.to_on, w.candidates, w.totals, w.user_name, w.created_at, \
  w.finished_at, CASE WHEN w.finished_at IS NOT NULL THEN 'done' ELSE coalesce(j.status, 'failed') END AS status, \
  coalesce(j.progress, 0) AS progress, j.total, coalesce(j.problem, '') AS problem \
FROM public.what_ifs w LEFT JOIN public.jobs j ON j.organization_id = w.organization_id AND j.id = w.job_id \
WHERE w.organization_id = $1 AND w.client_id = $2";

/// A client's what-ifs, the latest first; one page, and how many there are in all.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tenant, offset: i64, limit: i64) -> QueryResult<(Vec<WhatIf>, i64)> {
    let (here, mut one, mut two) = (AtClient::here(tx)?, tx.shared(), tx.shared());
    let rows = Cached(
        sql_query(format!("{SELECT} ORDER BY w.created_at DESC, w.id DESC OFFSET $3 LIMIT $4"))
            .bind::<SqlUuid, _>(here.organization)
            .bind::<SqlUuid, _>(here.client)
            .bind::<BigInt, _>(offset)
            .bind::<BigInt, _>(limit),
    );
    let all = counted("SELECT count(*) AS value FROM public.what_ifs WHERE organization_id = $1 AND client_id = $2");
    let all = all.bind::<SqlUuid, _>(here.organization).bind::<SqlUuid, _>(here.client);
    let (rows, all): (Vec<Row>, Count) = tokio::try_join!(rows.load(&mut one), all.get_result(&mut two))?;
    Ok((rows.into_iter().map(WhatIf::try_from).collect::<Result<_, _>>()?, all.value))
}

/// The what-if of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &Tenant, id: WhatIfId) -> QueryResult<Option<WhatIf>> {
    let (here, mut conn) = (AtClient::here(tx)?, tx.shared());
    let query = sql_query(format!("{SELECT} AND w.id = $3"))
        .bind::<SqlUuid, _>(here.organization)
        .bind::<SqlUuid, _>(here.client)
        .bind::<SqlUuid, _>(id);
    let row: Option<Row> = Cached(query).get_result(&mut conn).await.optional()?;
    Ok(row.map(WhatIf::try_from).transpose()?)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

fn counted(sql: &str) -> diesel::query_builder::SqlQuery {
    sql_query(sql)
}

/// Whether a client may ask for another what-if: fewer than [`WAITING`] wait or run. Until the transaction ends nobody else
/// asks for one there, so that of many at once no more than the limit are made. [`DbError::Refused`] where the context does not
/// write at this client.
async fn may_ask(conn: &AsyncPgConnection, here: &AtClient) -> Result<bool, DbError> {
    let mut conn = conn;
    // A row that the context may not change is not found for a lock.
    let lock = "SELECT 1 FROM public.clients WHERE organization_id = $1 AND id = $2 FOR NO KEY UPDATE";
    let lock = sql_query(lock).bind::<SqlUuid, _>(here.organization).bind::<SqlUuid, _>(here.client);
    if lock.execute(&mut conn).await? == 0 {
        return Err(DbError::Refused);
    }
    let query = counted(
        "SELECT count(*) AS value FROM public.what_ifs w JOIN public.jobs j ON j.organization_id = w.organization_id AND j.id = w.job_id \
         WHERE w.organization_id = $1 AND w.client_id = $2 AND w.finished_at IS NULL AND j.status IN ('queued', 'running')",
    );
    let query = query.bind::<SqlUuid, _>(here.organization).bind::<SqlUuid, _>(here.client);
    let count: Count = query.get_result(&mut conn).await?;
    Ok(count.value < WAITING)
}

/// What makes a what-if.
#[derive(Debug, Clone)]
pub struct NewWhatIf {
    /// Which customers.
    pub chosen: Chosen,
    /// Whole months.
    pub months: Period,
    /// What is tried, one to [`CANDIDATES`].
    pub candidates: Vec<Tariff>,
}

impl NewWhatIf {
    /// The versions as the what-if names them.
    #[must_use]
    pub fn faces(&self) -> Vec<CandidateSummary> {
        let candidate = |row: &Tariff| CandidateSummary {
            id: row.id,
            code: row.code.clone(),
            version: row.version,
            name: row.name.clone(),
        };
        self.candidates.iter().map(candidate).collect()
    }
}

/// Writes what was asked for.
async fn insert(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    id: WhatIfId,
    job: Option<JobId>,
    user_name: &str,
    new: &NewWhatIf,
) -> QueryResult<()> {
    let (chosen, code, accounts) = new.chosen.parts();
    let documents: Vec<&Value> = new.candidates.iter().map(|row| &row.document).collect();
    sql_query(
        "INSERT INTO public.what_ifs (organization_id, client_id, id, job_id, chosen, tariff_code, accounts, from_on, to_on, \
         candidates, documents, user_name, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<SqlUuid, _>(id)
    .bind::<Nullable<SqlUuid>, _>(job)
    .bind::<Text, _>(chosen)
    .bind::<Text, _>(code)
    .bind::<Jsonb, _>(json!(accounts))
    .bind::<Date, _>(new.months.from())
    .bind::<Date, _>(new.months.to())
    .bind::<Jsonb, _>(json!(new.faces()))
    .bind::<Jsonb, _>(json!(documents))
    .bind::<Text, _>(user_name)
    .bind::<Nullable<SqlUuid>, _>(here.by)
    .execute(conn)
    .await?;
    Ok(())
}

/// Waits for whoever writes results of a what-if, and keeps others out until the transaction ends; false: it is gone.
async fn lock(conn: &mut AsyncPgConnection, here: &AtClient, id: WhatIfId) -> QueryResult<bool> {
    let found =
        sql_query("SELECT 1 FROM public.what_ifs WHERE organization_id = $1 AND client_id = $2 AND id = $3 FOR UPDATE")
            .bind::<SqlUuid, _>(here.organization)
            .bind::<SqlUuid, _>(here.client)
            .bind::<SqlUuid, _>(id)
            .execute(conn)
            .await?;
    Ok(found == 1)
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: CustomerId,
}

#[derive(QueryableByName)]
struct Words {
    #[diesel(sql_type = Text)]
    value: String,
}

/// The customers a what-if looks at, by account number: all chosen who were supplied in the months.
///
/// # Errors
/// When the database fails.
pub async fn customers(
    conn: &AsyncPgConnection,
    here: &AtClient,
    chosen: &Chosen,
    months: Period,
) -> QueryResult<Vec<CustomerId>> {
    let mut conn = conn;
    let (word, code, accounts) = chosen.parts();
    let rows: Vec<Id> = sql_query(
        "SELECT k.id FROM public.customers k JOIN public.accounts n ON n.organization_id = $1 AND n.client_id = $2 \
           AND n.customer_id = k.id AND n.is_main WHERE k.organization_id = $1 AND k.client_id = $2 \
           AND CASE $5 WHEN 'all' THEN true WHEN 'accounts' THEN k.id IN (SELECT o.customer_id FROM public.accounts o \
               WHERE o.organization_id = $1 AND o.client_id = $2 AND lower(o.account_number) = ANY (SELECT lower(one) FROM unnest($7) AS one)) \
             ELSE EXISTS (SELECT 1 FROM public.tariff_agreements a WHERE a.organization_id = $1 AND a.client_id = $2 \
               AND a.customer_id = k.id AND a.part = 'supply' AND a.tariff_code = $6 AND a.valid_from < $4 \
               AND (a.valid_to IS NULL OR a.valid_to > $3)) END \
           AND ($5 = 'accounts' OR EXISTS (SELECT 1 FROM public.contracts c WHERE c.organization_id = $1 AND c.client_id = $2 \
             AND c.customer_id = k.id AND c.status = 'agreed' AND c.from_on < $4 AND (c.to_on IS NULL OR c.to_on > $3))) \
         ORDER BY n.account_number, k.id",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<Date, _>(months.from())
    .bind::<Date, _>(months.to())
    .bind::<Text, _>(word)
    .bind::<Text, _>(code)
    .bind::<Array<Text>, _>(accounts.to_vec())
    .load(&mut conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Those of some account numbers that the client has no customer for, in the order given.
async fn unknown_accounts(conn: &AsyncPgConnection, here: &AtClient, accounts: &[String]) -> QueryResult<Vec<String>> {
    let mut conn = conn;
    let rows: Vec<Words> = sql_query(
        "SELECT one AS value FROM unnest($3) AS one WHERE EXISTS (SELECT 1 FROM public.accounts c \
         WHERE c.organization_id = $1 AND c.client_id = $2 AND lower(c.account_number) = lower(one))",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<Array<Text>, _>(accounts.to_vec())
    .load(&mut conn)
    .await?;
    let known: HashSet<String> = rows.into_iter().map(|row| row.value).collect();
    Ok(accounts.iter().filter(|account| !known.contains(*account)).cloned().collect())
}

#[derive(QueryableByName)]
struct Day {
    #[diesel(sql_type = Nullable<Date>)]
    day: Option<NaiveDate>,
}

/// The latest month that is whole in the usage of the client, judged by a hundred of its meters (a client's days are
/// many, and only a meter's are in order); `None`: there is no usage.
///
/// # Errors
/// When the database fails.
pub async fn latest_month(conn: &AsyncPgConnection, here: &AtClient) -> QueryResult<Option<Period>> {
    let mut conn = conn;
    let query = sql_query(
        "SELECT max(latest) AS day FROM (SELECT m.id FROM public.meters m WHERE m.organization_id = $1 AND m.client_id = $2 \
           AND m.valid_to IS NULL LIMIT 100) m, LATERAL (SELECT greatest( \
             (SELECT max(d.day) + 1 FROM public.interval_days d WHERE d.organization_id = $1 AND d.client_id = $2 AND d.meter_id = m.id), \
             (SELECT max(r.read_on) FROM public.meter_readings r WHERE r.organization_id = $1 AND r.client_id = $2 AND r.meter_id = m.id) \
           ) AS latest) u",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client);
    let found: Day = query.get_result(&mut conn).await?;
    // The day after the last with usage: the month before the one in which it lies is whole.
    Ok(found.day.map(|after| {
        let first = Period::month_of(after).from();
        Period::month_of(first.checked_sub_months(Months::new(1)).unwrap_or(first))
    }))
}

/// The whole months from one to another; `None` when these are none, or too many.
#[must_use]
pub fn span(first: Period, last: Period) -> Option<Period> {
    Period::new(first.from(), last.to()).ok().filter(|days| days.months().count() <= MONTHS)
}
