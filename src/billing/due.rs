//! What is due: which days of which contracts a bill is to be made of next. Nothing is kept of it: it follows from the
//! contract's days and cycle and from what was billed.

use chrono::{Datelike, Months, NaiveDate};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Date, Jsonb, Nullable, SmallInt, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;
use serde_json::json;

use crate::db::AtClient;
use crate::values::ids::{AccountId, BillingPeriodId, BillingRunId, ContractId, CustomerId};
use crate::values::period::Period;

/// When bills of a contract end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cycle {
    /// Months that one bill covers.
    pub months: i16,
    /// A day on which a bill begins, from which the others are counted. A 31st falls on a short month's last day.
    pub anchor: NaiveDate,
}

impl Cycle {
    /// The first day after `day` on which a bill of this cycle begins.
    #[must_use]
    pub fn after(self, day: NaiveDate) -> NaiveDate {
        let months = i32::from(self.months.max(1));
        let number = |date: NaiveDate| date.year() * 12 + i32::try_from(date.month0()).unwrap_or_default();
        // The last begin that is certainly not after the day, then on from there.
        let mut step = (number(day) - number(self.anchor)).div_euclid(months) - 1;
        loop {
            let begin = self.begin(step * months);
            if begin > day {
                return begin;
            }
            step += 1;
        }
    }

    /// The anchor so many months later. Beyond the calendar there is its last day.
    fn begin(self, months: i32) -> NaiveDate {
        let by = Months::new(months.unsigned_abs());
        let found = if months < 0 { self.anchor.checked_sub_months(by) } else { self.anchor.checked_add_months(by) };
        found.unwrap_or(if months < 0 { NaiveDate::MIN } else { NaiveDate::MAX })
    }
}

/// Days of a contract that are to be billed next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// The days.
    pub days: Period,
    /// Whether the contract ends with them.
    pub is_final: bool,
}

/// The first days of a contract that no bill covers, up to the end of their cycle, of the contract, or to what is billed
/// already; `None` where they are not over by `before`.
///
/// `billed`: what bills cover, in order.
#[must_use]
pub fn next(
    from: NaiveDate,
    to: Option<NaiveDate>,
    cycle: Cycle,
    billed: &[Period],
    before: NaiveDate,
) -> Option<Next> {
    let mut begin = from;
    let mut limit = to;
    for bill in billed {
        if bill.from() > begin {
            limit = Some(limit.map_or(bill.from(), |end| end.min(bill.from())));
            break;
        }
        begin = begin.max(bill.to());
    }
    if limit.is_some_and(|end| begin >= end) {
        return None;
    }
    let end = cycle.after(begin);
    let end = limit.map_or(end, |limit| end.min(limit));
    let days = Period::new(begin, end).ok().filter(|days| days.to() <= before)?;
    Some(Next { days, is_final: to == Some(end) })
}

#[derive(QueryableByName)]
struct Candidate {
    #[diesel(sql_type = SqlUuid)]
    customer_id: CustomerId,
    #[diesel(sql_type = SqlUuid)]
    contract_id: ContractId,
    #[diesel(sql_type = SqlUuid)]
    account_id: AccountId,
    #[diesel(sql_type = Text)]
    address: String,
    #[diesel(sql_type = Date)]
    begins: NaiveDate,
    #[diesel(sql_type = Nullable<Date>)]
    to_on: Option<NaiveDate>,
    #[diesel(sql_type = SmallInt)]
    billing_cycle: i16,
    #[diesel(sql_type = Date)]
    billing_anchor: NaiveDate,
    #[diesel(sql_type = Nullable<Array<Date>>)]
    froms: Option<Vec<NaiveDate>>,
    #[diesel(sql_type = Nullable<Array<Date>>)]
    tos: Option<Vec<NaiveDate>>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    credited: Option<serde_json::Value>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    period_id: Option<BillingPeriodId>,
}

/// A row of a billing period that is due.
#[derive(Debug, Serialize)]
pub(super) struct DueRow {
    customer_id: CustomerId,
    contract_id: ContractId,
    account_id: AccountId,
    address: String,
    pub id: BillingPeriodId,
    from_on: NaiveDate,
    to_on: NaiveDate,
    reason: &'static str,
    corrects_id: Option<BillingPeriodId>,
}

#[derive(serde::Deserialize)]
struct Credited {
    id: BillingPeriodId,
    from_on: NaiveDate,
    to_on: NaiveDate,
}

impl Candidate {
    fn due(self, before: NaiveDate) -> QueryResult<Option<DueRow>> {
        let (froms, tos) = (self.froms.unwrap_or_default(), self.tos.unwrap_or_default());
        let billed: Vec<Period> =
            froms.into_iter().zip(tos).filter_map(|(from, to)| Period::new(from, to).ok()).collect();
        let cycle = Cycle { months: self.billing_cycle, anchor: self.billing_anchor };
        let Some(next) = next(self.begins, self.to_on, cycle, &billed, before) else { return Ok(None) };
        let credited: Vec<Credited> = match self.credited {
            Some(kept) => serde_json::from_value(kept).map_err(super::digest::unhashable)?,
            None => vec![],
        };
        // The latest bill of these days that was taken back.
        let corrects = credited.iter().rev().find(|old| old.from_on < next.days.to() && old.to_on > next.days.from());
        let reason = if corrects.is_some() {
            "correction"
        } else if next.is_final {
            "final"
        } else {
            "cycle"
        };
        Ok(Some(DueRow {
            customer_id: self.customer_id,
            contract_id: self.contract_id,
            account_id: self.account_id,
            address: self.address,
            id: self.period_id.unwrap_or_else(BillingPeriodId::fresh),
            from_on: next.days.from(),
            to_on: next.days.to(),
            reason,
            corrects_id: corrects.map(|old| old.id),
        }))
    }
}

/// Contracts with what bills cover of them. $1 organization, $2 client, $3 the day before which days are to be over.
const CANDIDATES: &str = "SELECT c.customer_id, c.id AS contract_id, c.account_id, c.address, greatest(c.from_on, c.billing_from) AS begins, \
     c.to_on, c.billing_cycle, c.billing_anchor, b.froms, b.tos, k.credited";
const BILLED: &str = "FROM public.contracts c \
     LEFT JOIN (SELECT p.contract_id, array_agg(p.from_on ORDER BY p.from_on) AS froms, array_agg(p.to_on ORDER BY p.from_on) AS tos \
         FROM public.billing_periods p WHERE p.organization_id = $1 AND p.client_id = $2 AND p.status = 'issued' GROUP BY p.contract_id) b \
         ON b.contract_id = c.id \
     LEFT JOIN (SELECT p.contract_id, jsonb_agg(jsonb_build_object('id', p.id, 'from_on', p.from_on, 'to_on', p.to_on) ORDER BY p.created_at, p.id) AS credited \
         FROM public.billing_periods p WHERE p.organization_id = $1 AND p.client_id = $2 AND p.status = 'credited' GROUP BY p.contract_id) k \
         ON k.contract_id = c.id";

/// Takes on what is due by a day: a period for each contract that has days to bill and is in no other run; how many. What is
/// held in a run that goes on without it, or of which nothing else is left, is taken over.
pub(super) async fn take_on(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    run: BillingRunId,
    due_on: NaiveDate,
    cycle: Option<i16>,
) -> QueryResult<usize> {
    sql_query(
        "DELETE FROM public.billing_periods p USING public.billing_runs r, public.contracts c \
         WHERE p.organization_id = $1 AND p.client_id = $2 AND p.status IN ('due', 'held') \
             AND r.organization_id = $1 AND r.client_id = $2 AND r.id = p.billing_run_id \
             AND (r.status IN ('approved', 'issued') OR r.status = 'rated' AND r.invoices = 0) \
             AND c.organization_id = $1 AND c.client_id = $2 AND c.customer_id = p.customer_id AND c.id = p.contract_id \
             AND p.to_on <= $3 AND ($4 IS NULL OR c.billing_cycle = $4)",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<Date, _>(due_on)
    .bind::<Nullable<SmallInt>, _>(cycle)
    .execute(conn)
    .await?;
    let found: Vec<Candidate> = sql_query(format!(
        "{CANDIDATES}, NULL::uuid AS period_id {BILLED} \
         WHERE c.organization_id = $1 AND c.client_id = $2 AND c.status = 'agreed' AND c.from_on < $3 AND ($4 IS NULL OR c.billing_cycle = $4) \
             AND NOT EXISTS (SELECT FROM public.billing_periods u WHERE u.organization_id = $1 AND u.client_id = $2 \
                 AND u.contract_id = c.id AND u.status NOT IN ('issued', 'credited')) ORDER BY c.id"
    ))
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<Date, _>(due_on)
    .bind::<Nullable<SmallInt>, _>(cycle)
    .load(conn)
    .await?;
    let rows = due(found, due_on)?;
    // Of two runs that take a contract on at once, one waits here and finds it taken.
    sql_query(
        "INSERT INTO public.billing_periods (organization_id, client_id, billing_run_id, created_by, customer_id, contract_id, account_id, \
             address, id, from_on, to_on, reason, corrects_id) \
         SELECT $1, $2, $3, $4, r.* FROM jsonb_to_recordset($5::jsonb) AS r (customer_id uuid, contract_id uuid, account_id uuid, \
             address text, id uuid, from_on date, to_on date, reason text, corrects_id uuid) ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<SqlUuid, _>(run)
    .bind::<Nullable<SqlUuid>, _>(here.by)
    .bind::<Jsonb, _>(json!(rows))
    .execute(conn)
    .await
}

/// Takes away the runs that made no bill and have nothing left; how many.
pub(super) async fn drop_emptied(conn: &mut AsyncPgConnection, here: &AtClient) -> QueryResult<usize> {
    sql_query(
        "DELETE FROM public.billing_runs r WHERE r.organization_id = $1 AND r.client_id = $2 AND r.status = 'rated' AND r.invoices = 0 \
             AND NOT EXISTS (SELECT FROM public.billing_periods p WHERE p.organization_id = $1 AND p.client_id = $2 AND p.billing_run_id = r.id)",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .execute(conn)
    .await
}

fn due(found: Vec<Candidate>, before: NaiveDate) -> QueryResult<Vec<DueRow>> {
    found.into_iter().filter_map(|one| one.due(before).transpose()).collect()
}

/// Works out anew what is due of the contracts that a run has: their days and cycles may have changed. A contract of which
/// nothing is due any more leaves the run.
pub(super) async fn refresh(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    run: BillingRunId,
    due_on: NaiveDate,
) -> QueryResult<()> {
    let found: Vec<Candidate> = sql_query(format!(
        "{CANDIDATES}, u.id AS period_id {BILLED} JOIN public.billing_periods u ON u.organization_id = $1 AND u.client_id = $2 \
             AND u.customer_id = c.customer_id AND u.contract_id = c.id AND u.billing_run_id = $4 AND u.status NOT IN ('issued', 'credited') \
         WHERE c.organization_id = $1 AND c.client_id = $2 AND c.status = 'agreed' AND c.from_on < $3"
    ))
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<Date, _>(due_on)
    .bind::<SqlUuid, _>(run)
    .load(conn)
    .await?;
    let rows = due(found, due_on)?;
    sql_query(
        "WITH r AS (SELECT r.* FROM jsonb_to_recordset($4::jsonb) AS r (customer_id uuid, account_id uuid, address text, id uuid, from_on date, \
             to_on date, reason text, corrects_id uuid)), \
         gone AS (DELETE FROM public.billing_periods p WHERE p.organization_id = $1 AND p.client_id = $2 AND p.billing_run_id = $3 \
             AND p.status IN ('due', 'held') AND NOT EXISTS (SELECT FROM r WHERE r.id = p.id)) \
         UPDATE public.billing_periods p SET account_id = r.account_id, address = r.address, from_on = r.from_on, to_on = r.to_on, \
             reason = r.reason, corrects_id = r.corrects_id \
         FROM r WHERE p.organization_id = $1 AND p.client_id = $2 AND p.customer_id = r.customer_id AND p.id = r.id \
             AND (p.account_id <> r.account_id OR p.address <> r.address OR p.from_on <> r.from_on OR p.to_on <> r.to_on \
                 OR p.reason <> r.reason OR p.corrects_id IS DISTINCT FROM r.corrects_id)",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<SqlUuid, _>(run)
    .bind::<Jsonb, _>(json!(rows))
    .execute(conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn days(from: &str, to: &str) -> Period {
        Period::new(day(from), day(to)).unwrap()
    }

    fn cycle(months: i16, anchor: &str) -> Cycle {
        Cycle { months, anchor: day(anchor) }
    }

    #[test]
    fn a_cycle_is_counted_from_its_anchor_both_ways() {
        assert_eq!(cycle(1, "2026-01-01").after(day("2026-03-15")), day("2026-04-01"));
        assert_eq!(cycle(1, "2026-01-01").after(day("2026-04-01")), day("2026-05-01"));
        assert_eq!(cycle(3, "2026-01-01").after(day("2026-02-10")), day("2026-04-01"));
        assert_eq!(cycle(12, "2026-09-15").after(day("2024-01-01")), day("2024-09-15"));
        assert_eq!(cycle(2, "2026-06-10").after(day("2026-02-10")), day("2026-04-10"));
    }

    #[test]
    fn the_thirty_first_falls_on_a_short_month_s_last_day_and_comes_back() {
        let monthly = cycle(1, "2026-01-31");
        assert_eq!(monthly.after(day("2026-01-31")), day("2026-02-28"));
        assert_eq!(monthly.after(day("2026-02-28")), day("2026-03-31"));
        assert_eq!(monthly.after(day("2028-02-01")), day("2028-02-29"));
    }

    #[test]
    fn the_first_period_runs_to_the_next_anchor_and_the_last_to_the_contract_s_end() {
        let monthly = cycle(1, "2026-01-01");
        let first = next(day("2026-03-17"), None, monthly, &[], day("2026-04-01")).unwrap();
        assert_eq!((first.days, first.is_final), (days("2026-03-17", "2026-04-01"), false));
        assert_eq!(next(day("2026-03-17"), None, monthly, &[], day("2026-03-31")), None);
        let billed = [days("2026-03-17", "2026-04-01")];
        let last = next(day("2026-03-17"), Some(day("2026-04-12")), monthly, &billed, day("2026-04-12")).unwrap();
        assert_eq!((last.days, last.is_final), (days("2026-04-01", "2026-04-12"), true));
        let all = [days("2026-03-17", "2026-04-01"), days("2026-04-01", "2026-04-12")];
        assert_eq!(next(day("2026-03-17"), Some(day("2026-04-12")), monthly, &all, day("2027-01-01")), None);
    }

    #[test]
    fn days_that_a_bill_left_come_first_and_end_where_the_next_bill_begins() {
        let monthly = cycle(1, "2026-01-01");
        let billed = [days("2026-01-01", "2026-02-01"), days("2026-02-20", "2026-03-01")];
        let gap = next(day("2026-01-01"), None, monthly, &billed, day("2026-06-01")).unwrap();
        assert_eq!((gap.days, gap.is_final), (days("2026-02-01", "2026-02-20"), false));
        // Moved in earlier than was thought.
        let earlier = next(day("2025-12-20"), None, monthly, &billed, day("2026-06-01")).unwrap();
        assert_eq!(earlier.days, days("2025-12-20", "2026-01-01"));
    }

    #[test]
    fn a_contract_that_ends_before_what_was_billed_has_nothing_due() {
        let billed = [days("2026-01-01", "2026-02-01")];
        assert_eq!(
            next(day("2026-01-01"), Some(day("2026-01-20")), cycle(1, "2026-01-01"), &billed, day("2026-06-01")),
            None
        );
    }

    #[test]
    fn a_year_is_due_when_it_is_over() {
        let yearly = cycle(12, "2025-10-01");
        assert_eq!(next(day("2025-10-01"), None, yearly, &[], day("2026-09-30")), None);
        assert_eq!(
            next(day("2025-10-01"), None, yearly, &[], day("2026-10-01")).unwrap().days,
            days("2025-10-01", "2026-10-01")
        );
    }
}
