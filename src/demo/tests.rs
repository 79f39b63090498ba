//! The demo before a database is asked.

use std::collections::BTreeMap;

use super::plan::{Plan, plan};
use super::rows::Rows;
use crate::money::Money;

fn made() -> Plan<'static> {
    plan("2026-11-23".parse().unwrap()).unwrap()
}

fn rows<'p>(plan: &'p Plan<'_>) -> impl Iterator<Item = &'p Rows> {
    plan.organizations.iter().flat_map(|organization| organization.clients.iter().map(|client| &client.rows))
}

#[test]
fn the_same_day_makes_the_same_rows_and_they_are_right() {
    let (one, other) = (made(), made());
    let text = |plan: &Plan<'_>| rows(plan).map(|rows| serde_json::to_string(rows).unwrap()).collect::<Vec<_>>();
    assert!(text(&one) == text(&other), "two plans of one day differ");
    lines_sum_to_totals(&one);
    numbers_have_no_gaps(&one);
    payments_are_what_was_paid(&one);
    assert_eq!(rows(&one).map(|rows| rows.customers.len()).sum::<usize>(), 400);
}

fn lines_sum_to_totals(plan: &Plan<'_>) {
    for rows in rows(plan) {
        let mut sums: BTreeMap<_, Money> = BTreeMap::new();
        for line in &rows.invoice_lines {
            *sums.entry(line.invoice_id).or_default() += line.amount;
        }
        for invoice in &rows.invoices {
            assert_eq!(sums.get(&invoice.id), Some(&invoice.total), "{}", invoice.label);
            assert_eq!(invoice.net + invoice.tax, invoice.total);
        }
    }
}

fn numbers_have_no_gaps(plan: &Plan<'_>) {
    for rows in rows(plan) {
        let numbers: Vec<i64> = rows.invoices.iter().filter_map(|invoice| invoice.number).collect();
        assert!(numbers.iter().copied().eq(1..=rows.invoice_counters[0].last_number));
    }
}

fn payments_are_what_was_paid(plan: &Plan<'_>) {
    for rows in rows(plan) {
        let paid: Money = rows.invoices.iter().map(|invoice| invoice.paid).sum();
        assert_eq!(rows.payments.iter().map(|payment| payment.amount).sum::<Money>(), paid);
        assert_eq!(rows.allocations.iter().map(|allocation| allocation.amount).sum::<Money>(), paid);
    }
}
