//! The demo before a database is asked.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::cast::GROUPS;
use super::household::Reference;
use super::plan::{Organization, client, organizations};
use super::rows::Rows;
use crate::values::clock::local_day;
use crate::values::identifiers;

fn rows<'p>(organizations: &'p [Organization<'_>]) -> impl Iterator<Item = &'p Rows> {
    organizations.iter().flat_map(|organization| organization.clients.iter().map(|client| &client.book.rows))
}

#[test]
fn the_same_day_makes_the_same_rows() {
    let reference = Reference::read();
    for (group, utility) in [(&GROUPS[1], &GROUPS[1].clients[1]), (&GROUPS[2], &GROUPS[2].clients[1])] {
        let made = || client(group, utility, &reference, "2026-03-01".parse().unwrap());
        let text = || serde_json::to_string(&made().book.rows).unwrap();
        assert!(text() == text(), "{}", utility.name);
    }
}

#[test]
fn the_books_are_right() {
    let day: NaiveDate = "2026-11-23".parse().unwrap();
    let organizations = organizations(day);
    every_kind_of_contract_is_there(&organizations);
    nothing_happens_after(day, &organizations);
    let customers = rows(&organizations).map(|rows| rows.customers.len()).sum::<usize>();
    assert!((370..410).contains(&customers), "{customers}");
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

fn every_kind_of_contract_is_there(organizations: &[Organization<'_>]) {
    for rows in rows(organizations) {
        let cycles: BTreeSet<i16> = rows.contracts.iter().map(|contract| contract.billing_cycle).collect();
        assert_eq!(cycles, BTreeSet::from([1, 2, 3, 12]));
        let landlord = rows.accounts.iter().find(|account| account.collective).unwrap();
        let flats: Vec<_> = rows.contracts.iter().filter(|contract| contract.account_id == landlord.id).collect();
        assert_eq!((flats.len(), flats.iter().filter(|flat| flat.to_on.is_some()).count()), (4, 1));
        // An exchanged meter follows another at the same place.
        assert!(rows.meters.iter().any(|meter| {
            rows.meters
                .iter()
                .any(|next| next.service_point_id == meter.service_point_id && Some(next.valid_from) == meter.valid_to)
        }));
    }
    // Somebody moves in where somebody moved out.
    let moved = rows(organizations).any(|rows| {
        rows.contracts.iter().any(|contract| {
            rows.contracts.iter().any(|next| {
                next.service_point_id == contract.service_point_id
                    && contract.to_on.is_some_and(|to| to <= next.from_on)
            })
        })
    });
    assert!(moved);
}

fn nothing_happens_after(day: NaiveDate, organizations: &[Organization<'_>]) {
    for rows in rows(organizations) {
        assert!(rows.audit_log.iter().all(|record| local_day(chrono_tz::Tz::UTC, record.at) <= day));
    }
}
