//! Who signs in, and as what.

use uuid::Uuid;

use super::accounts::{Account, Kind};
use super::book::at;
use super::cast;
use super::names::address_of;
use super::plan::{Client, Organization, id_of};
use super::rows::{AssignmentRow, UserRow};
use super::seed::Seed;
use crate::access::Role;
use crate::access::passwords;

/// Users and what they may act as, in the order in which they are shown.
#[derive(Debug, Default)]
pub struct People {
    pub users: Vec<UserRow>,
    pub assignments: Vec<AssignmentRow>,
}

/// Where a role holds: organization, client, customer.
type Place = (Option<Uuid>, Option<Uuid>, Option<Uuid>);

impl People {
    fn user(&mut self, (name, email): (&str, &str)) -> Uuid {
        let id = id_of(email);
        let created = at(cast::founded(), 30);
        self.users.push(UserRow {
            id,
            email: email.to_owned(),
            name: name.to_owned(),
            password_salt: passwords::salt_of(Seed::named(&format!("salt/{email}")).id(created).as_u128()),
            password_proof: String::new(),
            password_changed_at: created,
            status: "active",
            created_at: created,
            updated_at: created,
        });
        id
    }

    fn assign(&mut self, user: Uuid, role: Role, place: Place) {
        let created = at(cast::founded(), 45);
        let id = Seed::named(&format!("assignment/{user}/{}/{place:?}", role.code())).id(created);
        self.assignments.push(AssignmentRow {
            id,
            organization_id: place.0,
            user_id: user,
            role: role.code(),
            client_id: place.1,
            customer_id: place.2,
            valid_from: created,
            created_at: created,
            updated_at: created,
        });
    }

    fn one(&mut self, who: (&str, &str), role: Role, place: Place) {
        let user = self.user(who);
        self.assign(user, role, place);
    }

    fn customer(&mut self, client: &Client<'_>, account: &Account) -> Option<Uuid> {
        let email = address_of(&account.name);
        if self.users.iter().any(|user| user.email == email) {
            return None;
        }
        let user = self.user((&account.name, &email));
        self.assign(user, Role::CustomerUser, place(client, account));
        Some(user)
    }
}

fn place(client: &Client<'_>, account: &Account) -> Place {
    (Some(client.row.organization_id), Some(client.row.id), Some(account.id))
}

/// Everybody who signs in.
pub fn people(organizations: &[Organization<'_>]) -> People {
    let mut people = People::default();
    for who in cast::STAFF {
        people.one(who, Role::EisStaff, (None, None, None));
    }
    for organization in organizations {
        people.one(organization.group.admin, Role::EnergyAdmin, (Some(organization.row.id), None, None));
        for client in &organization.clients {
            people.one(client.utility.admin, Role::ClientAdmin, (Some(organization.row.id), Some(client.row.id), None));
            customers(&mut people, client);
        }
    }
    consultant(&mut people, organizations);
    two_accounts(&mut people, organizations);
    walk(&mut people, organizations);
    people
}

/// Long-standing customers: they have bills.
fn settled<'c>(client: &'c Client<'_>) -> impl Iterator<Item = &'c Account> {
    client.accounts.iter().filter(|account| {
        !account.walk && !account.business && account.moved_out.is_none() && account.moved_in < client.begin
    })
}

/// One with interval data and one with a register.
fn customers(people: &mut People, client: &Client<'_>) {
    for interval in [true, false] {
        let mut fitting = settled(client).filter(|account| matches!(account.kind, Kind::Interval(_)) == interval);
        let made = fitting.any(|account| people.customer(client, account).is_some());
        debug_assert!(made, "every client has a settled household of each kind");
    }
}

fn consultant(people: &mut People, organizations: &[Organization<'_>]) {
    let user = people.user(cast::CONSULTANT);
    for organization in organizations {
        for client in
            organization.clients.iter().filter(|client| cast::CONSULTANT_CLIENTS.contains(&client.utility.slug))
        {
            people.assign(user, Role::ClientAdmin, (Some(organization.row.id), Some(client.row.id), None));
        }
        if organization.group.slug == cast::CONSULTANT_ORGANIZATION {
            people.assign(user, Role::EnergyAdmin, (Some(organization.row.id), None, None));
        }
    }
}

/// A household that also runs a shop: the same person, two accounts.
fn two_accounts(people: &mut People, organizations: &[Organization<'_>]) {
    let clients = organizations.iter().flat_map(|organization| &organization.clients);
    for client in clients.filter(|client| client.utility.slug == cast::TWO_ACCOUNTS_CLIENT) {
        let shop = client.accounts.iter().find(|account| account.business && account.moved_out.is_none());
        let home = settled(client).find_map(|account| people.customer(client, account));
        if let (Some(user), Some(shop)) = (home, shop) {
            people.assign(user, Role::CustomerUser, place(client, shop));
        }
    }
}

fn walk(people: &mut People, organizations: &[Organization<'_>]) {
    for client in organizations.iter().flat_map(|organization| &organization.clients) {
        for account in client.accounts.iter().filter(|account| account.walk) {
            people.one((cast::WALK_PERSON, cast::WALK_EMAIL), Role::CustomerUser, place(client, account));
        }
    }
}
