//! Every page and server function: where it stands, who may open it. A new one needs one line here.
//!
//! Placeholders: `{client}`, `{customer}`, `{meter}`, `{tariff}`, `{code}`, `{period}`, `{run}`, `{invoice}`,
//! `{import}`, `{agreement}`, `{payment}`, `{reading}`, `{assignment}`, `{invitation}`, `{organization}`.

use crate::support::world::{Kind, client, customer, id, organization};
use eis::access::Role::{self, ClientAdmin as C, CustomerUser as K, EisStaff as S, EnergyAdmin as E};

/// Where a page or function stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nobody needs to be signed in.
    Public,
    /// For everybody who is signed in.
    SignedIn,
    /// Pages of EIS staff, without an organization.
    Staff,
    /// Pages of the organization that is open.
    Organization,
    /// Pages of one client, which the address (or the field `client`) names.
    Client,
    /// The customer's own pages.
    Account,
}

/// A page or download.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    pub path: &'static str,
    pub place: Place,
    pub opens: &'static [Role],
}

const fn page(path: &'static str, place: Place, opens: &'static [Role]) -> Page {
    Page { path, place, opens }
}

const ALL: &[Role] = &[S, E, C, K];
const READ: &[Role] = &[S, E, C];
const WRITE: &[Role] = &[E, C];

/// Every route that answers GET.
pub const PAGES: &[Page] = &[
    page("/", Place::SignedIn, ALL),
    page("/login", Place::Public, ALL),
    page("/healthz", Place::Public, ALL),
    page("/readyz", Place::Public, ALL),
    page("/favicon.ico", Place::Public, ALL),
    page("/switch", Place::SignedIn, ALL),
    page("/profile", Place::SignedIn, ALL),
    page("/clients/{client}/customers", Place::Client, READ),
    page("/clients/{client}/customers.csv", Place::Client, READ),
    page("/clients/{client}/customers/new", Place::Client, WRITE),
    page("/clients/{client}/customers/{customer}", Place::Client, READ),
    page("/clients/{client}/customers/{customer}/edit", Place::Client, WRITE),
];

/// A server function, with a form that its rightful user may send.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    pub path: &'static str,
    pub place: Place,
    pub may: &'static [Role],
    pub form: &'static [(&'static str, &'static str)],
    /// Where the rightful user is sent when it is done, up to the first placeholder; "-": tested in `sessions`.
    pub done: &'static str,
}

const CUSTOMER: [(&str, &str); 4] =
    [("name", "New Person"), ("service_address", "9 New Lane"), ("status", "active"), ("moved_in_on", "2026-01-01")];

/// Every server function.
pub const FUNCTIONS: &[Function] = &[
    Function { path: "/api/sign_in", place: Place::Public, may: ALL, form: &[], done: "-" },
    Function { path: "/api/sign_out", place: Place::SignedIn, may: ALL, form: &[], done: "-" },
    Function { path: "/api/switch", place: Place::SignedIn, may: ALL, form: &[], done: "-" },
    Function { path: "/api/change_password", place: Place::SignedIn, may: ALL, form: &[], done: "-" },
    Function { path: "/api/end_other_sessions", place: Place::SignedIn, may: ALL, form: &[], done: "/profile" },
    Function {
        path: "/api/create_customer",
        place: Place::Client,
        may: WRITE,
        form: &[("client", "{client}"), ("account_number", "NEW"), CUSTOMER[0], CUSTOMER[1], CUSTOMER[2], CUSTOMER[3]],
        done: "/clients/{client}/customers/",
    },
    Function {
        path: "/api/update_customer",
        place: Place::Client,
        may: WRITE,
        form: &[
            ("client", "{client}"),
            ("customer", "{customer}"),
            ("account_number", "NEW"),
            CUSTOMER[0],
            CUSTOMER[1],
            CUSTOMER[2],
            CUSTOMER[3],
        ],
        done: "/clients/{client}/customers/{customer}",
    },
];

/// Organization, client, customer by number.
pub type At = (u8, u8, u8);

/// Fills placeholders: the client's from one place, those of what lies within it from another.
pub fn fill(template: &str, outer: At, inner: At) -> String {
    let (o, c, k) = inner;
    let mut text = template.replace("{client}", &client(outer.0, outer.1).to_string());
    for (name, value) in [
        ("{organization}", organization(o)),
        ("{customer}", customer(o, c, k)),
        ("{meter}", id(Kind::Meter, o, c, k, 1)),
        ("{tariff}", id(Kind::Tariff, o, c, 0, 1)),
        ("{draft_tariff}", id(Kind::Tariff, o, c, 0, 2)),
        ("{period}", id(Kind::Period, o, c, 0, 1)),
        ("{open_period}", id(Kind::Period, o, c, 0, 2)),
        ("{run}", id(Kind::Run, o, c, 0, 1)),
        ("{import}", id(Kind::Import, o, c, 0, 1)),
        ("{reading}", id(Kind::Reading, o, c, k, 1)),
        ("{agreement}", id(Kind::Agreement, o, c, k, 1)),
        ("{invoice}", id(Kind::Invoice, o, c, k, 1)),
        ("{draft_invoice}", id(Kind::Invoice, o, c, k, 2)),
        ("{payment}", id(Kind::Payment, o, c, k, 1)),
        ("{assignment}", id(Kind::Assignment, o, c, k, 1)),
        ("{invitation}", id(Kind::Invitation, o, c, 0, 1)),
    ] {
        text = text.replace(name, &value.to_string());
    }
    text
}

/// Whether a template names something within its client or account.
pub fn has_inner(template: &str) -> bool {
    template.replace("{client}", "").contains('{')
}
