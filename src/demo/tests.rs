//! The demo before a database is asked.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::cast::GROUPS;
use super::household::Reference;
use super::plan::{Organization, client, organizations};
use super::rows::Rows;
use crate::clock::local_day;
use crate::identifiers;
use crate::money::Money;

fn rows<'p>(organizations: &'p [Organization<'_>]) -> impl Iterator<Item = &'p Rows> {
    organizations.iter().flat_map(|organization| organization.clients.iter().map(|client| &client.rows))
}

#[test]
fn the_same_day_makes_the_same_rows() {
    let reference = Reference::read();
    for (group, utility) in [(&GROUPS[1], &GROUPS[1].clients[1]), (&GROUPS[2], &GROUPS[2].clients[1])] {
        let made = || client(group, utility, &reference, "2026-03-01".parse().unwrap());
        let text = || serde_json::to_string(&made().rows).unwrap();
        assert!(text() == text(), "{}", utility.name);
    }
}

#[test]
fn the_books_are_right() {
    let day: NaiveDate = "2026-11-23".parse().unwrap();
    let organizations = organizations(day);
    lines_sum_to_totals(&organizations);
    numbers_have_no_gaps(&organizations);
    payments_are_what_was_paid(&organizations);
    nothing_happens_after(day, &organizations);
    assert_eq!(rows(&organizations).map(|rows| rows.customers.len()).sum::<usize>(), 400);
    let people = super::people::people(&organizations);
    assert_eq!(people.users.len(), 32);
    for user in &people.users {
        assert_eq!(identifiers::login(&user.email).as_ref(), Ok(&user.email));
    }
    for account in rows(&organizations).flat_map(|rows| &rows.accounts) {
        assert_eq!(identifiers::kept(&account.account_number).as_ref(), Ok(&account.account_number));
    }
    for customer in rows(&organizations).flat_map(|rows| &rows.customers) {
        if !customer.email.is_empty() {
            assert_eq!(identifiers::email(&customer.email).as_ref(), Ok(&customer.email));
        }
    }
}

fn lines_sum_to_totals(organizations: &[Organization<'_>]) {
    for rows in rows(organizations) {
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

fn numbers_have_no_gaps(organizations: &[Organization<'_>]) {
    for rows in rows(organizations) {
        let numbers: Vec<i64> = rows.invoices.iter().filter_map(|invoice| invoice.number).collect();
        assert!(numbers.iter().copied().eq(1..=rows.invoice_counters[0].last_number));
    }
}

fn payments_are_what_was_paid(organizations: &[Organization<'_>]) {
    for rows in rows(organizations) {
        let paid: Money = rows.invoices.iter().map(|invoice| invoice.paid).sum();
        assert_eq!(rows.payments.iter().map(|payment| payment.amount).sum::<Money>(), paid);
        assert_eq!(rows.allocations.iter().map(|allocation| allocation.amount).sum::<Money>(), paid);
    }
}

fn nothing_happens_after(day: NaiveDate, organizations: &[Organization<'_>]) {
    for rows in rows(organizations) {
        assert!(rows.invoices.iter().all(|invoice| invoice.issued_on.is_none_or(|on| on <= day)));
        assert!(rows.payments.iter().all(|payment| payment.received_on <= day));
        assert!(rows.audit_log.iter().all(|record| local_day(chrono_tz::Tz::UTC, record.at) <= day));
    }
}
