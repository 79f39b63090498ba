//! The demo's organizations and clients as rows, before a database is asked: the same for the same day, every time.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use super::accounts::{self, Account};
use super::book::{Book, at, months};
use super::cast::{COMPARING, GROUPS, Group, Utility, founded};
use super::household::Reference;
use super::rows::{ClientRow, Key, OrganizationRow, Rows};
use super::seed::Seed;
use super::{tariffs, usage};

/// The id of the user of this address.
pub fn id_of(email: &str) -> Uuid {
    Seed::named(&format!("user/{email}")).id(at(founded(), 30))
}

/// An organization with its clients.
pub struct Organization<'c> {
    pub group: &'c Group,
    pub row: OrganizationRow,
    pub clients: Vec<Client<'c>>,
}

/// A client with everything of its own.
pub struct Client<'c> {
    pub utility: &'c Utility,
    pub row: ClientRow,
    pub accounts: Vec<Account>,
    /// Its customers, tariffs and usage; its bills are made from them.
    pub book: Book<'c>,
    /// The first day with usage.
    pub begin: NaiveDate,
}

/// The organizations, each client worked out beside the others.
pub fn organizations(as_of: NaiveDate) -> Vec<Organization<'static>> {
    let reference = Reference::read();
    std::thread::scope(|scope| {
        let groups = GROUPS.iter().map(|group| {
            let clients = group.clients.iter().map(|utility| scope.spawn(|| client(group, utility, &reference, as_of)));
            (group, clients.collect::<Vec<_>>())
        });
        let running: Vec<_> = groups.collect();
        running
            .into_iter()
            .map(|(group, clients)| Organization {
                group,
                row: organization(group),
                clients: clients.into_iter().filter_map(|client| client.join().ok()).collect(),
            })
            .collect()
    })
}

fn id(name: &str) -> Uuid {
    Seed::named(name).id(at(founded(), 0))
}

fn organization(group: &'static Group) -> OrganizationRow {
    let created = at(founded(), 0);
    OrganizationRow {
        id: id(&format!("organization/{}", group.slug)),
        slug: group.slug,
        name: group.name,
        currency: group.currency,
        time_zone: group.time_zone,
        locale: group.locale,
        metadata: json!({}),
        status: "active",
        created_at: created,
        updated_at: created,
    }
}

/// A client of a day.
pub fn client(
    group: &'static Group,
    utility: &'static Utility,
    reference: &Reference,
    as_of: NaiveDate,
) -> Client<'static> {
    let organization = id(&format!("organization/{}", group.slug));
    let row = client_row(group, utility, organization);
    let mut book = Book {
        group,
        utility,
        key: Key { organization_id: organization, client_id: row.id },
        admin: id_of(utility.admin.1),
        as_of,
        months: months(as_of),
        rows: Rows::default(),
    };
    tariffs::fill(&mut book);
    let mut accounts = accounts::fill(&mut book);
    usage::fill(&mut book, reference, &mut accounts);
    Client { utility, row, accounts, begin: book.begin(), book }
}

fn client_row(group: &'static Group, utility: &'static Utility, organization: Uuid) -> ClientRow {
    let created = at(founded(), 10);
    ClientRow {
        organization_id: organization,
        id: id(&format!("client/{}", utility.slug)),
        slug: utility.slug,
        name: utility.name,
        legal_name: utility.legal_name,
        address: utility.address,
        tax_number: utility.tax_number,
        currency: group.currency,
        time_zone: utility.zone.name(),
        locale: group.locale,
        invoice_series: utility.series,
        tax_name: utility.tax_name,
        tax_rate: Decimal::new(utility.tax, 4),
        payment_terms_days: utility.terms,
        status: "active",
        tariff_comparison: COMPARING.contains(&utility.slug),
        metadata: json!({}),
        created_at: created,
        updated_at: created,
    }
}
