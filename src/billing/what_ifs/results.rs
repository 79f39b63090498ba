//! A what-if's results, customer by customer: written in the background, read in pages, searched and sorted.

use diesel::sql_types::{Array, BigInt, Bool, Integer, Numeric, SmallInt, Text, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;
use serde_json::json;

use super::totals::{Compared, Share};
use super::{Count, Id};
use crate::billing::shadow::{ShadowAccount, ShadowMonth};
use crate::db::AtClient;
use crate::db::{Cached, Tenant};
use crate::values::ids::{ContractId, CustomerId, WhatIfId};

#[derive(QueryableByName)]
struct Kept {
    #[diesel(sql_type = SqlUuid)]
    customer_id: CustomerId,
    #[diesel(sql_type = SqlUuid)]
    contract_id: ContractId,
    #[diesel(sql_type = Text)]
    account_number: String,
    #[diesel(sql_type = Text)]
    customer_name: String,
    #[diesel(sql_type = SmallInt)]
    supplied: i16,
    #[diesel(sql_type = Bool)]
    estimated: bool,
    #[diesel(sql_type = Array<SmallInt>)]
    months: Vec<i16>,
    #[diesel(sql_type = Array<Numeric>)]
    kwh: Vec<Decimal>,
    #[diesel(sql_type = Array<Numeric>)]
    now: Vec<Decimal>,
    #[diesel(sql_type = Array<Numeric>)]
    costs: Vec<Decimal>,
    #[diesel(sql_type = Array<Text>)]
    problems: Vec<String>,
}

/// What the months of a contract cost now and under each candidate.
#[derive(Debug, Clone)]
pub struct Row {
    /// The customer.
    pub customer_id: CustomerId,
    /// The contract.
    pub contract_id: ContractId,
    /// Its account.
    pub account_number: String,
    /// Its name.
    pub customer_name: String,
    /// The figures.
    pub compared: Compared,
}

impl From<Kept> for Row {
    fn from(row: Kept) -> Self {
        let figures = row.months.into_iter().zip(row.kwh).zip(row.now).zip(row.costs).zip(row.problems);
        let share = |((((months, kwh), now), cost), problem)| Share { months, kwh, now, cost, problem };
        Self {
            customer_id: row.customer_id,
            contract_id: row.contract_id,
            account_number: row.account_number,
            customer_name: row.customer_name,
            compared: Compared {
                supplied: row.supplied,
                estimated: row.estimated,
                shares: figures.map(share).collect(),
            },
        }
    }
}

impl Row {
    /// Sums a customer's months. A month counts for a candidate where it was rated both now and under it, so that like
    /// is compared with like.
    pub(super) fn of(account: &ShadowAccount, candidates: usize) -> Self {
        Self {
            customer_id: account.customer,
            contract_id: account.contract,
            account_number: account.account_number.clone(),
            customer_name: account.name.clone(),
            compared: Compared {
                supplied: i16::try_from(account.months.len()).unwrap_or(i16::MAX),
                estimated: account.months.iter().any(|month| month.estimated),
                shares: (0..candidates).map(|at| share(&account.months, at)).collect(),
            },
        }
    }
}

fn share(months: &[ShadowMonth], candidate: usize) -> Share {
    let mut share = Share::default();
    if months.is_empty() {
        "Not supplied in these months.".clone_into(&mut share.problem);
    }
    for month in months {
        let Some(under) = month.candidates.get(candidate) else { continue };
        match (&month.now, under) {
            (Ok(now), Ok(cost)) => {
                share.months += 1;
                share.kwh += month.kwh;
                share.now += now.amount();
                share.cost += cost.amount();
            }
            (Err(problem), _) | (_, Err(problem)) if share.problem.is_empty() => share.problem = sentence(problem),
            _ => {}
        }
    }
    share
}

/// A fault of rating as a sentence, without the place in the data that it names for programs.
fn sentence(problem: &str) -> String {
    let text = match problem.split_once(": ") {
        Some((place, rest)) if place.contains(['.', '[']) && !place.contains(' ') => rest,
        _ => problem,
    };
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let stop = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

/// Which customers of a what-if to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Show {
    /// All.
    #[default]
    All,
    /// Those who would pay more.
    More,
    /// Those who would pay less.
    Less,
    /// Those for whom nothing changes.
    Same,
    /// Those who lack a month or all.
    Problem,
}

/// How they are ordered; who could not be compared comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The largest increase first.
    #[default]
    Increase,
    /// The largest decrease first.
    Decrease,
    /// The largest increase in percent first.
    IncreasePercent,
    /// The largest decrease in percent first.
    DecreasePercent,
    /// By account number.
    Account,
}

/// A choice of rows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Which candidate is compared, from 0.
    pub candidate: usize,
    /// Part of name or account number; empty: all.
    pub search: String,
    /// Which.
    pub show: Show,
    /// In which order.
    pub order: Order,
}

const COLUMNS: &str = "r.customer_id, r.contract_id, r.account_number, r.customer_name, r.supplied, r.estimated, r.months, r.kwh, r.now, r.costs, r.problems";
const OF: &str = "r.organization_id = $1 AND r.client_id = $2 AND r.what_if_id = $3";

impl Filter {
    /// The candidate as an array counts, from 1.
    fn at(&self) -> i32 {
        i32::try_from(self.candidate).unwrap_or_default().saturating_add(1)
    }

    /// `$4`: the candidate; `$5`: a pattern.
    fn condition(&self) -> String {
        let show = match self.show {
            Show::All => "true",
            Show::More => "r.months[$4] > 0 AND r.costs[$4] > r.now[$4]",
            Show::Less => "r.months[$4] > 0 AND r.costs[$4] < r.now[$4]",
            Show::Same => "r.months[$4] > 0 AND r.costs[$4] = r.now[$4]",
            Show::Problem => "r.problems[$4] <> ''",
        };
        format!("{OF} AND {show} AND ($5 = '' OR r.customer_name ILIKE $5 OR r.account_number ILIKE $5) AND $4 > 0")
    }

    fn pattern(&self) -> String {
        match self.search.trim() {
            "" => String::new(),
            search => format!("%{}%", crate::db::literal(search)),
        }
    }

    const fn order(&self) -> &'static str {
        match self.order {
            Order::Increase => "(r.months[$4] > 0) DESC, r.costs[$4] - r.now[$4] DESC, r.account_number, r.contract_id",
            Order::Decrease => "(r.months[$4] > 0) DESC, r.costs[$4] - r.now[$4], r.account_number, r.contract_id",
            Order::IncreasePercent => {
                "(r.months[$4] > 0 AND r.now[$4] > 0) DESC, CASE WHEN r.now[$4] > 0 THEN (r.costs[$4] - r.now[$4]) / r.now[$4] END DESC, r.account_number, r.contract_id"
            }
            Order::DecreasePercent => {
                "(r.months[$4] > 0 AND r.now[$4] > 0) DESC, CASE WHEN r.now[$4] > 0 THEN (r.costs[$4] - r.now[$4]) / r.now[$4] END, r.account_number, r.contract_id"
            }
            Order::Account => "r.account_number, r.contract_id",
        }
    }
}

/// One page of a what-if's customers, and how many match in all.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tenant, id: WhatIfId, filter: &Filter, offset: i64, limit: i64) -> QueryResult<(Vec<Row>, i64)> {
    let (here, mut one, mut two) = (AtClient::here(tx)?, tx.shared(), tx.shared());
    let (condition, order) = (filter.condition(), filter.order());
    let rows = Cached(
        sql_query(format!(
            "SELECT {COLUMNS} FROM public.what_if_results r WHERE {condition} ORDER BY {order} OFFSET $6 LIMIT $7"
        ))
        .bind::<SqlUuid, _>(here.organization)
        .bind::<SqlUuid, _>(here.client)
        .bind::<SqlUuid, _>(id)
        .bind::<Integer, _>(filter.at())
        .bind::<Text, _>(filter.pattern())
        .bind::<BigInt, _>(offset)
        .bind::<BigInt, _>(limit),
    );
    let all = Cached(
        sql_query(format!("SELECT count(*) AS value FROM public.what_if_results r WHERE {condition}"))
            .bind::<SqlUuid, _>(here.organization)
            .bind::<SqlUuid, _>(here.client)
            .bind::<SqlUuid, _>(id)
            .bind::<Integer, _>(filter.at())
            .bind::<Text, _>(filter.pattern()),
    );
    let (rows, all): (Vec<Kept>, Count) = tokio::try_join!(rows.load(&mut one), all.get_result(&mut two))?;
    Ok((rows.into_iter().map(Row::from).collect(), all.value))
}

/// The next results by account number, after one that was read.
///
/// # Errors
/// When the database fails.
pub async fn after(tx: &Tenant, id: WhatIfId, last: Option<&Row>, limit: i64) -> QueryResult<Vec<Row>> {
    after_of(tx.shared(), &AtClient::here(tx)?, id, last, limit).await
}

pub(super) async fn after_of(
    conn: &AsyncPgConnection,
    here: &AtClient,
    id: WhatIfId,
    last: Option<&Row>,
    limit: i64,
) -> QueryResult<Vec<Row>> {
    let mut conn = conn;
    let (account, contract) = last
        .map_or((String::new(), ContractId(uuid::Uuid::nil())), |row| (row.account_number.clone(), row.contract_id));
    let query = sql_query(format!(
        "SELECT {COLUMNS} FROM public.what_if_results r WHERE {OF} AND (r.account_number, r.contract_id) > ($4, $5) \
         ORDER BY r.account_number, r.contract_id LIMIT $6"
    ))
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(account)
    .bind::<SqlUuid, _>(contract)
    .bind::<BigInt, _>(limit);
    let rows: Vec<Kept> = Cached(query).load(&mut conn).await?;
    Ok(rows.into_iter().map(Row::from).collect())
}

/// Customers that have their results already.
pub(super) async fn done(conn: &AsyncPgConnection, here: &AtClient, id: WhatIfId) -> QueryResult<Vec<CustomerId>> {
    let mut conn = conn;
    let query = sql_query(format!("SELECT DISTINCT r.customer_id AS id FROM public.what_if_results r WHERE {OF}"))
        .bind::<SqlUuid, _>(here.organization)
        .bind::<SqlUuid, _>(here.client)
        .bind::<SqlUuid, _>(id);
    let rows: Vec<Id> = query.load(&mut conn).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Writes results, in one statement.
pub(super) async fn write(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    id: WhatIfId,
    rows: &[Row],
) -> QueryResult<()> {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            let Compared { supplied, estimated, shares } = &row.compared;
            json!({
                "organization_id": here.organization, "client_id": here.client, "what_if_id": id,
                "customer_id": row.customer_id, "contract_id": row.contract_id, "account_number": row.account_number, "customer_name": row.customer_name,
                "supplied": supplied, "estimated": estimated,
                "months": shares.iter().map(|share| share.months).collect::<Vec<_>>(),
                "kwh": shares.iter().map(|share| share.kwh).collect::<Vec<_>>(),
                "now": shares.iter().map(|share| share.now).collect::<Vec<_>>(),
                "costs": shares.iter().map(|share| share.cost).collect::<Vec<_>>(),
                "problems": shares.iter().map(|share| &share.problem).collect::<Vec<_>>(),
            })
        })
        .collect();
    let columns = "organization_id, client_id, what_if_id, customer_id, contract_id, account_number, customer_name, supplied, estimated, months, kwh, now, costs, problems";
    let query = sql_query(format!(
        "INSERT INTO public.what_if_results ({columns}) SELECT {columns} FROM jsonb_populate_recordset(NULL::public.what_if_results, $1)"
    ));
    Cached(query.bind::<diesel::sql_types::Jsonb, _>(json!(rows))).execute(conn).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::money::Money;
    use crate::values::period::Period;

    #[test]
    fn a_month_counts_for_a_candidate_where_it_is_rated_now_and_under_it() {
        let money = |amount: i64| Ok(Money::new(amount.into()));
        let no = || Err("usage.reads[0].tou: the register is missing".to_owned());
        let month = |month: u32, now, candidates| ShadowMonth {
            period: Period::month(2026, month).unwrap(),
            kwh: Decimal::TEN,
            estimated: month == 2,
            now,
            candidates,
        };
        let months = vec![
            month(1, money(5), vec![money(6), no()]),
            month(2, money(7), vec![money(6), money(8)]),
            month(3, Err("No tariff is agreed for 2026-03-01.".to_owned()), vec![money(1), money(1)]),
        ];
        let account = ShadowAccount {
            customer: CustomerId::fresh(),
            contract: ContractId::fresh(),
            account_number: String::new(),
            name: String::new(),
            months,
        };
        let row = Row::of(&account, 2).compared;
        let figures = |at: usize| (row.shares[at].months, row.shares[at].kwh, row.shares[at].now, row.shares[at].cost);
        assert_eq!(figures(0), (2, 20.into(), 12.into(), 12.into()));
        assert_eq!(figures(1), (1, 10.into(), 7.into(), 8.into()));
        assert_eq!(row.shares[0].problem, "No tariff is agreed for 2026-03-01.");
        assert_eq!(row.shares[1].problem, "The register is missing.");
        assert!(row.supplied == 3 && row.estimated);
    }
}
