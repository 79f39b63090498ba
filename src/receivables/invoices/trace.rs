//! The trace behind a line: the days, and what each of them cost.

use chrono::NaiveDate;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::{deserialize, sql_types};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Line;
use crate::db::Unreadable;
use crate::db::schema::invoice_lines;
use crate::values::ids::InvoiceId;
use crate::values::money::Money;

/// A day's, or a register read's, share of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayShare {
    /// First day.
    pub date: NaiveDate,
    /// Last day; the same but for register reads.
    pub last: NaiveDate,
    /// The share in the line's unit.
    pub quantity: Decimal,
    /// Its amount; the amounts of a line's days sum to the line. `None` where days do not add up, as with demand.
    pub amount: Option<Money>,
    /// Whether it was estimated.
    pub estimated: bool,
}

/// A day as it is kept: `{"date","quantity"}`, for a read also the day after its last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    date: NaiveDate,
    quantity: Decimal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    estimated: bool,
}

/// The days behind a line, read with its row: what cannot be read is a fault of that row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace(Vec<Kept>);

impl Selectable<Pg> for Trace {
    type SelectExpression = (invoice_lines::invoice_id, invoice_lines::position, invoice_lines::trace);

    fn construct_selection() -> Self::SelectExpression {
        (invoice_lines::invoice_id, invoice_lines::position, invoice_lines::trace)
    }
}

impl Queryable<(sql_types::Uuid, sql_types::SmallInt, sql_types::Jsonb), Pg> for Trace {
    type Row = (InvoiceId, i16, Value);

    fn build((invoice, position, trace): Self::Row) -> deserialize::Result<Self> {
        let row = format!("{invoice}, position {position}");
        Ok(Self(Unreadable::json(&trace, "invoice_lines", row, "trace")?))
    }
}

impl From<&crate::rating::TraceDay> for Kept {
    fn from(day: &crate::rating::TraceDay) -> Self {
        let until = (day.date.succ_opt() != Some(day.until)).then_some(day.until);
        Self { date: day.date, quantity: day.quantity, until, estimated: day.estimated }
    }
}

/// The days behind a line with their amounts: what the line comes to after each day, less what it came to
/// before, so that rounding is never lost and the days sum to the line exactly.
#[must_use]
pub fn shares(line: &Line) -> Vec<DayShare> {
    let kept = &line.trace.0;
    let adds_up = kept.iter().map(|day| day.quantity).sum::<Decimal>() == line.quantity;
    let count = kept.len();
    let (mut quantity, mut so_far) = (Decimal::ZERO, Money::ZERO);
    kept.iter()
        .enumerate()
        .map(|(at, day)| {
            quantity += day.quantity;
            let to_here = if at + 1 == count { Money::new(line.amount) } else { Money::new(quantity * line.price) };
            let amount = adds_up.then_some(to_here - so_far);
            so_far = to_here;
            let last = day.until.and_then(|until| until.pred_opt()).unwrap_or(day.date);
            DayShare { date: day.date, last, quantity: day.quantity, amount, estimated: day.estimated }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line(quantity: &str, amount: &str, trace: Value) -> Line {
        Line {
            position: 1,
            billing_period_id: None,
            kind: "energy".into(),
            description: "Energy".into(),
            tou_period: String::new(),
            block: None,
            quantity: quantity.parse().unwrap(),
            unit: "kWh".into(),
            price: "0.1".parse().unwrap(),
            amount: amount.parse().unwrap(),
            estimated: false,
            trace: Trace(serde_json::from_value(trace).unwrap()),
        }
    }

    #[test]
    fn the_days_of_a_line_sum_to_it_exactly() {
        let days = json!([
            {"date": "2026-03-01", "quantity": "0.333"},
            {"date": "2026-03-02", "quantity": "0.333"},
            {"date": "2026-03-03", "quantity": "0.334"},
        ]);
        let shares = shares(&line("1.000", "0.10", days));
        let amounts: Vec<String> = shares.iter().map(|day| day.amount.unwrap().to_string()).collect();
        assert_eq!(amounts, ["0.03", "0.04", "0.03"]);
    }

    #[test]
    fn days_that_do_not_add_up_have_no_amounts() {
        let days = json!([{"date": "2026-03-01", "quantity": "4.2"}, {"date": "2026-03-09", "quantity": "4.8"}]);
        assert!(shares(&line("4.8", "0.48", days)).iter().all(|day| day.amount.is_none()));
    }

    #[test]
    fn a_read_is_shown_from_its_first_to_its_last_day() {
        let read = json!([{"date": "2026-03-01", "until": "2026-04-01", "quantity": "5", "estimated": true}]);
        let shares = shares(&line("5", "0.50", read));
        assert_eq!((shares[0].last.to_string(), shares[0].estimated), ("2026-03-31".to_owned(), true));
    }
}
