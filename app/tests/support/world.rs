//! The world of `seed.sql` as Rust names it: ids, people, their passwords and their live sessions.

use eis::access::ClientSummary;
use eis::access::{Actor, OpenOrganization, Role, SessionSecret};
use eis::values::ids::{AssignmentId, ClientId, CustomerId, OrganizationId, UserId};
use uuid::Uuid;

/// The password of everybody in the world.
pub const PASSWORD: &str = "green kettle on the hill";
/// Parameters and salt of everybody's password.
pub const SALT: &str = "$argon2id$v=19$m=19456,t=2,p=1$00112233445566778899aabbccddeeff";
/// [`PASSWORD`] digested under [`SALT`], hex; a test checks it.
pub const DIGEST: &str = include_str!("digest.txt");

/// What an id belongs to; the number stands in the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Organization = 1,
    Client = 2,
    Customer = 3,
    Meter = 4,
    Tariff = 5,
    Period = 6,
    Run = 7,
    Import = 8,
    Reading = 10,
    User = 11,
    Agreement = 12,
    Invoice = 13,
    Payment = 14,
    Assignment = 15,
    Invitation = 16,
    WhatIf = 23,
    Notice = 24,
    Workspace = 25,
    File = 26,
    DataSource = 27,
    Chunk = 28,
    Chat = 29,
    Document = 30,
    Message = 31,
    Request = 32,
    Community = 33,
    Membership = 34,
    PriceSeries = 35,
    Service = 45,
    Account = 46,
    Place = 48,
    Contract = 49,
    Register = 50,
}

/// An id of the world: of organization `o`, client `c`, customer `k`, the `n`th of its kind there.
pub fn id(kind: Kind, o: u8, c: u8, k: u8, n: u8) -> Uuid {
    format!("{:08}-{o:04}-7{c:03}-8{k:03}-{n:012}", kind as u32).parse().expect("an id of the world")
}

pub fn organization(o: u8) -> Uuid {
    id(Kind::Organization, o, 0, 0, 0)
}

pub fn client(o: u8, c: u8) -> Uuid {
    id(Kind::Client, o, c, 0, 0)
}

pub fn customer(o: u8, c: u8, k: u8) -> Uuid {
    id(Kind::Customer, o, c, k, 0)
}

/// The contract of a customer of the world.
pub fn contract_of(customer: Uuid) -> Uuid {
    Uuid::from_u128(customer.as_u128() + (0x46 << 96) + 1)
}

/// The account of a customer of the world.
pub fn account_of(customer: Uuid) -> Uuid {
    Uuid::from_u128(customer.as_u128() + (0x43 << 96) + 1)
}

/// SQL that puts the run of October of a client of the world aside, with its drafts: nothing of the client is on its way.
pub fn without_october(o: u8, c: u8) -> String {
    let (client, run) = (client(o, c), id(Kind::Run, o, c, 0, 2));
    let drafts = format!("client_id = '{client}' AND billing_run_id = '{run}'");
    format!(
        "DELETE FROM invoice_lines WHERE client_id = '{client}' AND invoice_id IN (SELECT id FROM invoices WHERE {drafts} AND status = 'draft');
         DELETE FROM billing_periods WHERE {drafts} AND status <> 'issued'; DELETE FROM invoices WHERE {drafts} AND status = 'draft';
         DELETE FROM billing_runs r WHERE id = '{run}' AND NOT EXISTS (SELECT FROM billing_periods p WHERE p.billing_run_id = r.id)"
    )
}

/// Somebody with a live session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// EIS staff with this organization open; 0: none.
    Staff(u8),
    /// The energy admin of an organization.
    Admin(u8),
    /// The client admin of an organization's client.
    Client(u8, u8),
    /// The login of a customer.
    Customer(u8, u8, u8),
    /// Client admin of the first client of this organization, one person for both; 0: nothing chosen yet.
    Consultant(u8),
}

impl Who {
    /// Everybody, each with a session in the world.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Staff(0), Self::Staff(1), Self::Staff(2), Self::Consultant(0)];
        for o in 1..=2 {
            all.extend([Self::Admin(o), Self::Consultant(o)]);
            for c in 1..=2 {
                all.extend([Self::Client(o, c), Self::Customer(o, c, 1), Self::Customer(o, c, 2)]);
            }
        }
        all
    }

    /// One of each role, at the first organization, client and customer.
    pub const ROLES: [Self; 4] = [Self::Staff(1), Self::Admin(1), Self::Client(1, 1), Self::Customer(1, 1, 1)];

    pub const fn role(self) -> Role {
        match self {
            Self::Staff(_) => Role::EisStaff,
            Self::Admin(_) => Role::EnergyAdmin,
            Self::Client(..) | Self::Consultant(_) => Role::ClientAdmin,
            Self::Customer(..) => Role::CustomerUser,
        }
    }

    /// Organization, client and customer; 0 where there is none.
    pub const fn place(self) -> (u8, u8, u8) {
        match self {
            Self::Staff(o) | Self::Admin(o) => (o, 0, 0),
            Self::Client(o, c) => (o, c, 0),
            Self::Customer(o, c, k) => (o, c, k),
            Self::Consultant(o) => (o, if o == 0 { 0 } else { 1 }, 0),
        }
    }

    pub fn email(self) -> String {
        match self {
            Self::Staff(_) => "staff@eis.example".to_owned(),
            Self::Admin(o) => format!("admin{o}@eis.example"),
            Self::Client(o, c) => format!("client{o}{c}@eis.example"),
            Self::Customer(o, c, k) => format!("customer{o}{c}{k}@eis.example"),
            Self::Consultant(_) => "consultant@eis.example".to_owned(),
        }
    }

    pub fn user(self) -> Uuid {
        match self {
            Self::Staff(_) => id(Kind::User, 0, 0, 0, 1),
            Self::Consultant(_) => id(Kind::User, 9, 0, 0, 1),
            _ => {
                let (o, c, k) = self.place();
                id(Kind::User, o, c, k, 1)
            }
        }
    }

    pub fn assignment(self) -> Uuid {
        match self {
            Self::Staff(_) => id(Kind::Assignment, 0, 0, 0, 1),
            Self::Consultant(o) => id(Kind::Assignment, 9, 0, 0, o),
            _ => {
                let (o, c, k) = self.place();
                id(Kind::Assignment, o, c, k, 1)
            }
        }
    }

    /// The secret of the session that the world keeps for this person.
    pub fn secret(self) -> SessionSecret {
        let (o, c, k) = self.place();
        let role = match self {
            Self::Staff(_) => 1,
            Self::Admin(_) => 2,
            Self::Client(..) => 3,
            Self::Customer(..) => 4,
            Self::Consultant(_) => 5,
        };
        SessionSecret(0x5eed_0000_0000 + role * 0x1000 + i128::from(o) * 0x100 + i128::from(c) * 0x10 + i128::from(k))
    }

    /// The actor that the guard would hand out.
    pub fn actor(self) -> Actor {
        let (o, c, k) = self.place();
        Actor {
            secret: self.secret(),
            user: UserId(self.user()),
            user_name: self.email(),
            role: Some(self.role()),
            narrowed: None,
            assignment: Some(AssignmentId(self.assignment())),
            assignments: 1,
            organization: (o > 0).then(|| OpenOrganization {
                id: OrganizationId(organization(o)),
                slug: format!("org-{o}"),
                name: format!("Organisation {o}"),
            }),
            client: (c > 0).then(|| ClientId(client(o, c))),
            client_summary: (c > 0).then(|| ClientSummary {
                id: ClientId(client(o, c)),
                slug: format!("client-{o}{c}"),
                name: format!("Client {o}{c}"),
                currency: "USD".to_owned(),
                time_zone: "UTC".to_owned(),
                locale: "en-US".to_owned(),
                zone: chrono_tz::Tz::UTC,
            }),
            customer: (k > 0).then(|| CustomerId(customer(o, c, k))),
            writes_until: None,
            factor_due: None,
            viewing: None,
            at: None,
            address: String::new(),
        }
    }

    /// What a form carries that was rendered for this person.
    pub fn context_token(self) -> String {
        self.actor().context_token()
    }
}
