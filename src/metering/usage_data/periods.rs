//! Usage by time-of-use period, as bills divided it: a customer sees no tariff, but the days behind each line.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Date, Numeric, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::{By, Total};
use crate::db::{Cached, Tenant};
use crate::values::ids::CustomerId;

/// A time-of-use period and what was used in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Period {
    /// As the tariff names it: `On-peak`.
    pub name: String,
    /// kWh by day or by the first day of the month.
    pub kwh: BTreeMap<NaiveDate, Decimal>,
}

#[derive(QueryableByName)]
struct Share {
    #[diesel(sql_type = Date)]
    starts: NaiveDate,
    #[diesel(sql_type = Text)]
    period: String,
    #[diesel(sql_type = Numeric)]
    kwh: Decimal,
}

/// What standing bills say was used in each period, the dearest period first. Register reads that span days are
/// left out: which day they belong to is not known.
///
/// # Errors
/// When the database fails.
pub async fn by_period(
    tx: &Tenant,
    customer: CustomerId,
    by: By,
    from: NaiveDate,
    to: NaiveDate,
) -> QueryResult<Vec<Period>> {
    let unit = if by == By::Month { "month" } else { "day" };
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let query = sql_query(
        "SELECT date_trunc($6, d.date::timestamp)::date AS starts, l.tou_period AS period, sum(d.quantity) AS kwh
         FROM (SELECT i.id FROM public.invoices i
               WHERE i.organization_id = $1 AND i.client_id = $2 AND i.customer_id = $3 AND i.kind = 'invoice'
                 AND i.status NOT IN ('draft', 'credited') AND i.period_from < $5 AND i.period_to > $4) b
         JOIN public.invoice_lines l ON l.organization_id = $1 AND l.client_id = $2 AND l.invoice_id = b.id
         CROSS JOIN LATERAL jsonb_to_recordset(l.trace) AS d(date date, quantity numeric, until date)
         WHERE l.kind = 'energy' AND l.tou_period <> '' AND l.unit = 'kWh' AND l.quantity > 0
           AND d.until IS NULL AND d.date >= $4 AND d.date < $5
         GROUP BY 1, 2 ORDER BY max(max(l.price)) OVER (PARTITION BY l.tou_period) DESC, 2, 1",
    )
    .bind::<SqlUuid, _>(organization)
    .bind::<SqlUuid, _>(client)
    .bind::<SqlUuid, _>(customer)
    .bind::<Date, _>(from)
    .bind::<Date, _>(to)
    .bind::<Text, _>(unit);
    Ok(grouped(Cached(query).load::<Share>(&mut conn).await?))
}

fn grouped(shares: Vec<Share>) -> Vec<Period> {
    let mut periods: Vec<Period> = vec![];
    for share in shares {
        let at = periods.iter().position(|period| period.name == share.period).unwrap_or_else(|| {
            periods.push(Period { name: share.period.clone(), ..Period::default() });
            periods.len() - 1
        });
        if let Some(period) = periods.get_mut(at) {
            *period.kwh.entry(share.starts).or_default() += share.kwh;
        }
    }
    periods
}

/// What of each total no period holds: days not billed yet, or not by time of use. Where the periods hold more than
/// was used (two charges by time of use, or reads corrected since) they are emptied: the chart never says more.
#[must_use]
pub fn rest(totals: &BTreeMap<NaiveDate, Total>, periods: &mut [Period]) -> BTreeMap<NaiveDate, Decimal> {
    let mut rest = BTreeMap::new();
    for (day, total) in totals {
        let held: Decimal = periods.iter().filter_map(|period| period.kwh.get(day)).sum();
        let fits = held <= total.imported;
        if !fits {
            for period in periods.iter_mut() {
                period.kwh.remove(day);
            }
        }
        rest.insert(*day, if fits { total.imported - held } else { total.imported });
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn used(kwh: i64) -> Total {
        Total { imported: Decimal::from(kwh), ..Total::default() }
    }

    #[test]
    fn what_no_period_holds_is_the_rest_and_nothing_is_told_twice() {
        let (first, second, third) = (day("2026-10-01"), day("2026-10-02"), day("2026-10-03"));
        let totals = BTreeMap::from([(first, used(10)), (second, used(10)), (third, used(10))]);
        let kwh = BTreeMap::from([(first, Decimal::from(4)), (second, Decimal::from(20))]);
        let mut periods = vec![Period { name: "On-peak".into(), kwh }];
        let rest = rest(&totals, &mut periods);
        assert_eq!(rest.values().copied().collect::<Vec<_>>(), [6, 10, 10].map(Decimal::from));
        assert_eq!(periods[0].kwh.get(&second), None);
    }

    #[test]
    fn periods_keep_the_order_of_their_prices() {
        let share =
            |period: &str, starts: &str| Share { starts: day(starts), period: period.into(), kwh: Decimal::ONE };
        let shares =
            vec![share("On-peak", "2026-10-01"), share("Off-peak", "2026-10-01"), share("On-peak", "2026-10-02")];
        let names: Vec<String> = grouped(shares).into_iter().map(|period| period.name).collect();
        assert_eq!(names, ["On-peak", "Off-peak"]);
    }
}
