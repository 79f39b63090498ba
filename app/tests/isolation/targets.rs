//! Every page and server function: where it stands, who may open it. A new one needs one line here.
//!
//! Placeholders: `{client}`, `{customer}`, `{account}`, `{contract}`, `{meter}`, `{tariff}`, `{code}`, `{period}`, `{run}`, `{invoice}`,
//! `{import}`, `{agreement}`, `{payment}`, `{reading}`, `{register}`, `{assignment}`, `{invitation}`, `{organization}`, `{what_if}`, `{notice}`,
//! `{identity}`, `{service_point}`.

use crate::support::world::{Kind, PASSWORD, client, customer, id, organization};
use eis::access::Narrowed::{self, Billing, Finance, ReadOnly, ServiceDesk};
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

const READABLE: &str = r#"{"format": "eis-tariff/1", "name": "T", "currency": "EUR", "zone": "Europe/Berlin", "energy": [{"name": "Energy", "prices": [{"blocks": [{"price": "0.3"}]}]}]}"#;
const ALL: &[Role] = &[S, E, C, K];
const READ: &[Role] = &[S, E, C];
const WRITE: &[Role] = &[E, C];

/// Every route that answers GET.
pub const PAGES: &[Page] = &[
    page("/", Place::SignedIn, ALL),
    page("/login", Place::Public, ALL),
    page("/login/code", Place::Public, ALL),
    page("/healthz", Place::Public, ALL),
    page("/readyz", Place::Public, ALL),
    page("/favicon.ico", Place::Public, ALL),
    page("/switch", Place::SignedIn, ALL),
    page("/profile", Place::SignedIn, ALL),
    page("/profile/second-factor", Place::SignedIn, ALL),
    page("/invitation/{token}", Place::Public, ALL),
    page("/reset/{token}", Place::Public, ALL),
    page("/staff/organizations", Place::Staff, &[S]),
    page("/organization", Place::Organization, &[S, E]),
    page("/organization/audit", Place::Organization, &[S, E]),
    page("/organization/audit.csv", Place::Organization, &[S, E]),
    page("/organization/clients", Place::Organization, &[S, E]),
    page("/organization/clients.csv", Place::Organization, &[S, E]),
    page("/organization/clients/new", Place::Organization, &[E]),
    page("/organization/clients/{client}/edit", Place::Organization, &[E]),
    page("/organization/isolation", Place::Organization, &[S, E]),
    page("/organization/users", Place::Organization, &[S, E]),
    page("/organization/users/invite", Place::Organization, &[E]),
    page("/organization/users/{assignment}/edit", Place::Organization, &[E]),
    page("/organization/service-identities", Place::Organization, &[S, E]),
    page("/organization/service-identities/new", Place::Organization, &[E]),
    page("/staff/step-up", Place::Organization, &[S]),
    page("/account", Place::Account, &[K]),
    page("/account/invoices", Place::Account, &[K]),
    page("/account/invoices/{invoice}", Place::Account, &[K]),
    page("/account/price", Place::Account, &[K]),
    page("/account/price/compare", Place::Account, &[K]),
    page("/account/statement", Place::Account, &[K]),
    page("/account/usage", Place::Account, &[K]),
    page("/account/usage.csv", Place::Account, &[K]),
    page("/clients/{client}", Place::Client, READ),
    page("/clients/{client}/audit", Place::Client, READ),
    page("/clients/{client}/audit.csv", Place::Client, READ),
    page("/clients/{client}/billing-runs", Place::Client, READ),
    page("/clients/{client}/billing-runs/new", Place::Client, WRITE),
    page("/clients/{client}/billing-runs/{run}", Place::Client, READ),
    page("/clients/{client}/customers", Place::Client, READ),
    page("/clients/{client}/customers.csv", Place::Client, READ),
    page("/clients/{client}/customers/new", Place::Client, WRITE),
    page("/clients/{client}/customers/{customer}", Place::Client, READ),
    page("/clients/{client}/customers/{customer}/edit", Place::Client, WRITE),
    page("/clients/{client}/customers/{customer}/accounts/new", Place::Client, WRITE),
    page("/clients/{client}/customers/{customer}/accounts/{account}/edit", Place::Client, WRITE),
    page("/clients/{client}/customers/{customer}/contracts/new", Place::Client, WRITE),
    page("/clients/{client}/customers/{customer}/contracts/{contract}/edit", Place::Client, WRITE),
    page("/clients/{client}/customers/{customer}/statement", Place::Client, READ),
    page("/clients/{client}/customers/{customer}/meters/new", Place::Client, WRITE),
    page("/clients/{client}/customers/{customer}/meters/{meter}/edit", Place::Client, WRITE),
    page("/clients/{client}/customers/{customer}/meters/{meter}/readings", Place::Client, WRITE),
    page("/clients/{client}/service-points", Place::Client, READ),
    page("/clients/{client}/service-points/new", Place::Client, WRITE),
    page("/clients/{client}/service-points/{service_point}", Place::Client, READ),
    page("/clients/{client}/service-points/{service_point}/edit", Place::Client, WRITE),
    page("/clients/{client}/service-points/{service_point}/meters/new", Place::Client, WRITE),
    page("/clients/{client}/service-points/{service_point}/meters/{meter}/edit", Place::Client, WRITE),
    page("/clients/{client}/service-points/{service_point}/meters/{meter}/readings", Place::Client, WRITE),
    page("/clients/{client}/imports", Place::Client, READ),
    page("/clients/{client}/imports/new", Place::Client, WRITE),
    page("/clients/{client}/imports/template.csv", Place::Client, READ),
    page("/clients/{client}/imports/{import}", Place::Client, READ),
    page("/clients/{client}/imports/{import}/rejections.csv", Place::Client, READ),
    page("/clients/{client}/invoices", Place::Client, READ),
    page("/clients/{client}/invoices.csv", Place::Client, READ),
    page("/clients/{client}/invoices/{invoice}", Place::Client, READ),
    page("/clients/{client}/ledger", Place::Client, READ),
    page("/clients/{client}/ledger.csv", Place::Client, READ),
    page("/clients/{client}/tariffs", Place::Client, READ),
    page("/clients/{client}/tariffs/new", Place::Client, WRITE),
    page("/clients/{client}/tariffs/{tariff}", Place::Client, READ),
    page("/clients/{client}/tariffs/{tariff}/design", Place::Client, WRITE),
    page("/clients/{client}/what-ifs", Place::Client, READ),
    page("/clients/{client}/what-ifs/new", Place::Client, WRITE),
    page("/clients/{client}/what-ifs/{what_if}", Place::Client, READ),
    page("/clients/{client}/what-ifs/{what_if}/customers.csv", Place::Client, READ),
    page("/clients/{client}/service-identities", Place::Client, READ),
    page("/clients/{client}/service-identities/new", Place::Client, WRITE),
    page("/clients/{client}/users", Place::Client, READ),
    page("/clients/{client}/users/invite", Place::Client, WRITE),
    page("/clients/{client}/users/{assignment}/edit", Place::Client, WRITE),
];

/// A server function, with a form that its rightful user may send.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    pub path: &'static str,
    pub place: Place,
    pub may: &'static [Role],
    pub form: &'static [(&'static str, &'static str)],
    /// Where the rightful user is sent when it is done, up to the first placeholder; "-": tested in `sessions` and `roles`.
    pub done: &'static str,
    /// What the world lacks for it: SQL that is run before the rightful call.
    pub ready: &'static str,
    /// The page that its form stands on; empty: none that the world shows.
    pub page: &'static str,
    /// Its form edits a row, and says what it saw of it.
    pub edits: bool,
}

const fn function(
    path: &'static str,
    place: Place,
    may: &'static [Role],
    form: &'static [(&'static str, &'static str)],
    done: &'static str,
) -> Function {
    Function { path, place, may, form, done, ready: "", page: "", edits: false }
}

impl Function {
    const fn after(mut self, ready: &'static str) -> Self {
        self.ready = ready;
        self
    }

    const fn on(mut self, page: &'static str) -> Self {
        self.page = page;
        self
    }

    const fn edits(mut self) -> Self {
        self.edits = true;
        self
    }
}

const CLIENT: (&str, &str) = ("client", "{client}");
const RUN_PAGE: &str = "/clients/{client}/billing-runs/{open_run}";
const RUN: [(&str, &str); 2] = [CLIENT, ("run", "{open_run}")];
const DRAFT: [(&str, &str); 2] = [CLIENT, ("tariff", "{draft_tariff}")];
const CUSTOMER: [(&str, &str); 6] = [
    CLIENT,
    ("account_number", "NEW"),
    ("kind", "person"),
    ("name", "New Person"),
    ("service_address", "9 New Lane"),
    ("moved_in_on", "2026-01-01"),
];
const ACCOUNT: [(&str, &str); 5] =
    [CLIENT, ("customer", "{customer}"), ("account_number", "A-1N"), ("delivery", "portal"), ("status", "open")];
const CONTRACT: [(&str, &str); 7] = [
    CLIENT,
    ("customer", "{customer}"),
    ("address", "1 Mill Lane"),
    ("account", "{account}"),
    ("from_on", "2024-01-01"),
    ("billing_cycle", "3"),
    ("status", "agreed"),
];
const SERVICE_POINT: [(&str, &str); 4] =
    [CLIENT, ("address", "9 New Lane"), ("direction", "import"), ("time_zone", "Europe/Berlin")];
const METER: [(&str, &str); 6] = [
    CLIENT,
    ("serial", "NEW"),
    ("direction", "import"),
    ("measure", "60"),
    ("time_zone", "Europe/Berlin"),
    ("valid_from", "2024-01-01"),
];
const COMPANY: [(&str, &str); 11] = [
    ("name", "New Company"),
    ("legal_name", "New Company Ltd"),
    ("slug", "new-company"),
    ("address", "1 New Street"),
    ("invoice_series", "NEW"),
    ("currency", "EUR"),
    ("time_zone", "Europe/Berlin"),
    ("locale", "en-GB"),
    ("tax_name", "VAT"),
    ("tax_percent", "19"),
    ("payment_terms_days", "14"),
];

/// One more field before those that two forms share.
const fn with<const N: usize, const M: usize>(
    first: (&'static str, &'static str),
    rest: [(&'static str, &'static str); N],
) -> [(&'static str, &'static str); M] {
    let mut all = [first; M];
    let mut at = 0;
    while at < N {
        all[at + 1] = rest[at];
        at += 1;
    }
    all
}

/// Every server function.
pub const FUNCTIONS: &[Function] = &[
    function("/api/accept_invitation", Place::Public, ALL, &[], "-"),
    function("/api/reset_password", Place::Public, ALL, &[], "-"),
    function("/api/sign_in", Place::Public, ALL, &[], "-"),
    function("/api/second_factor", Place::Public, ALL, &[], "-"),
    function("/api/begin_second_factor", Place::SignedIn, ALL, &[], "-"),
    function("/api/confirm_second_factor", Place::SignedIn, ALL, &[], "-"),
    function("/api/new_recovery_codes", Place::SignedIn, ALL, &[], "-"),
    function("/api/end_second_factor", Place::SignedIn, ALL, &[], "-"),
    function("/api/sign_out", Place::SignedIn, ALL, &[], "-"),
    function("/api/switch", Place::SignedIn, ALL, &[], "-"),
    function("/api/change_password", Place::SignedIn, ALL, &[], "-"),
    function("/api/end_session", Place::SignedIn, ALL, &[("session", "others"), ("password", PASSWORD)], "/profile")
        .on("/profile"),
    function(
        "/api/step_up",
        Place::Organization,
        &[S],
        &[("reason", "Ticket 4711: a reading was mistyped"), ("minutes", "15")],
        "/organization",
    )
    .on("/staff/step-up"),
    function("/api/step_down", Place::Organization, &[S], &[], "/organization").after(
        "INSERT INTO step_ups (organization_id, id, user_id, session_id, reason, expires_at)
         SELECT organization_id, gen_random_uuid(), user_id, id, 'Ticket 4711', now() + interval '9 minutes' FROM sessions WHERE organization_id IS NOT NULL",
    )
    .on("/staff/step-up"),
    function("/api/view_as", Place::Client, READ, &[CLIENT, ("customer", "{customer}")], "/account")
    .on("/clients/{client}/customers/{customer}"),
    function("/api/stop_viewing", Place::SignedIn, READ, &[], "/clients/{client}/customers/{customer}").after(
        "UPDATE sessions SET viewed_client_id = '{client}', viewed_customer_id = '{customer}', viewed_until = now() + interval '9 minutes'",
    )
    .on("/account"),
    function("/api/create_customer", Place::Client, WRITE, &CUSTOMER, "/clients/{client}/customers/")
    .on("/clients/{client}/customers/new"),
    function(
        "/api/update_customer",
        Place::Client,
        WRITE,
        &with::<6, 7>(("customer", "{customer}"), CUSTOMER),
        "/clients/{client}/customers/{customer}",
    )
    .on("/clients/{client}/customers/{customer}/edit")
    .edits(),
    function(
        "/api/create_account",
        Place::Client,
        WRITE,
        &ACCOUNT,
        "/clients/{client}/customers/{customer}",
    )
    .on("/clients/{client}/customers/{customer}/accounts/new"),
    function(
        "/api/update_account",
        Place::Client,
        WRITE,
        &with::<5, 6>(("account", "{account}"), ACCOUNT),
        "/clients/{client}/customers/{customer}",
    )
    .on("/clients/{client}/customers/{customer}/accounts/{account}/edit")
    .edits(),
    function(
        "/api/create_contract",
        Place::Client,
        WRITE,
        &CONTRACT,
        "/clients/{client}/customers/{customer}",
    )
    .on("/clients/{client}/customers/{customer}/contracts/new"),
    function(
        "/api/update_contract",
        Place::Client,
        WRITE,
        &with::<7, 8>(("contract", "{contract}"), CONTRACT),
        "/clients/{client}/customers/{customer}",
    )
    .on("/clients/{client}/customers/{customer}/contracts/{contract}/edit")
    .edits(),
    function(
        "/api/create_service_point",
        Place::Client,
        WRITE,
        &SERVICE_POINT,
        "/clients/{client}/service-points/",
    )
    .on("/clients/{client}/service-points/new"),
    function(
        "/api/update_service_point",
        Place::Client,
        WRITE,
        &with::<4, 5>(("service_point", "{service_point}"), SERVICE_POINT),
        "/clients/{client}/service-points/{service_point}",
    )
    .on("/clients/{client}/service-points/{service_point}/edit")
    .edits(),
    function(
        "/api/create_meter",
        Place::Client,
        WRITE,
        &with::<6, 7>(("customer", "{customer}"), METER),
        "/clients/{client}/customers/{customer}",
    )
    .on("/clients/{client}/customers/{customer}/meters/new"),
    function(
        "/api/update_meter",
        Place::Client,
        WRITE,
        &with::<6, 7>(("meter", "{meter}"), METER),
        "/clients/{client}/customers/{customer}",
    )
    .on("/clients/{client}/customers/{customer}/meters/{meter}/edit")
    .edits(),
    function(
        "/api/record_reading",
        Place::Client,
        WRITE,
        &[
            CLIENT,
            ("meter", "{meter}"),
            ("read_on", "2026-11-01"),
            ("figure", "1152.5"),
            ("quality", "actual"),
        ],
        "/clients/{client}/customers/{customer}/meters/{meter}/readings",
    )
    .after("UPDATE meters SET kind = 'register', interval_minutes = NULL")
    .on("/clients/{client}/customers/{customer}/meters/{meter}/readings")
    .edits(),
    function(
        "/api/put_on_tariff",
        Place::Client,
        WRITE,
        &[CLIENT, ("customer", "{customer}"), ("tariff_code", "HOME"), ("tariff_from", "2026-12-01")],
        "/clients/{client}/customers/{customer}",
    )
    .after("DELETE FROM tariff_agreements")
    .on("/clients/{client}/customers/{customer}")
    .edits(),
    function(
        "/api/save_tariff",
        Place::Client,
        WRITE,
        &[
            CLIENT,
            ("code", "NEW"),
            ("name", "New"),
            ("effective_from", "2027-01-01"),
            ("zone", "Europe/Berlin"),
            ("energy.0.name", "Energy"),
            ("energy.0.prices.sx.px.blocks.0.price", "0.30"),
            ("do", "save"),
        ],
        "/clients/{client}/tariffs/",
    )
    .on("/clients/{client}/tariffs/new?kind=flat"),
    function(
        "/api/read_tariff",
        Place::Client,
        WRITE,
        &[CLIENT, ("json", READABLE)],
        "/clients/{client}/tariffs/new?kind=file",
    )
    .on("/clients/{client}/tariffs/new"),
    function("/api/activate_tariff", Place::Client, WRITE, &DRAFT, "/clients/{client}/tariffs/{draft_tariff}")
    .on("/clients/{client}/tariffs/{draft_tariff}")
    .edits(),
    function("/api/discard_tariff", Place::Client, WRITE, &DRAFT, "/clients/{client}/tariffs")
    .on("/clients/{client}/tariffs/{draft_tariff}")
    .edits(),
    function(
        "/api/retire_tariff",
        Place::Client,
        WRITE,
        &[CLIENT, ("tariff", "{tariff}"), ("retire_from", "2027-01-01")],
        "/clients/{client}/tariffs/{tariff}",
    )
    .on("/clients/{client}/tariffs/{tariff}")
    .edits(),
    function(
        "/api/offer_tariff",
        Place::Client,
        WRITE,
        &[CLIENT, ("tariff", "{tariff}"), ("offered", "yes")],
        "/clients/{client}/tariffs/{tariff}",
    )
    .on("/clients/{client}/tariffs/{tariff}"),
    function(
        "/api/allow_comparison",
        Place::Client,
        WRITE,
        &[CLIENT, ("allowed", "no")],
        "/clients/{client}/tariffs",
    )
    .on("/clients/{client}/tariffs"),
    function(
        "/api/create_what_if",
        Place::Client,
        WRITE,
        &[
            CLIENT,
            ("candidate_1", "{draft_tariff}"),
            ("customers", "all"),
            ("first_month", "2026-09"),
            ("last_month", "2026-10"),
        ],
        "/clients/{client}/what-ifs/",
    )
    .on("/clients/{client}/what-ifs/new"),
    function(
        "/api/delete_what_if",
        Place::Client,
        WRITE,
        &[CLIENT, ("what_if", "{what_if}")],
        "/clients/{client}/what-ifs",
    )
    .on("/clients/{client}/what-ifs/{what_if}"),
    function(
        "/api/create_billing_run",
        Place::Client,
        WRITE,
        &[CLIENT, ("due_on", "2026-12-01"), ("cycle", "1")],
        "/clients/{client}/billing-runs/",
    )
    .after("UPDATE invoice_lines SET billing_period_id = NULL WHERE NOT issued; DELETE FROM billing_periods WHERE billing_run_id = '{open_run}'")
    .on("/clients/{client}/billing-runs/new"),
    function("/api/rate_billing_run", Place::Client, WRITE, &RUN, RUN_PAGE)
    .on("/clients/{client}/billing-runs/{open_run}"),
    function("/api/approve_billing_run", Place::Client, WRITE, &RUN, RUN_PAGE)
    .on("/clients/{client}/billing-runs/{open_run}"),
    function("/api/reopen_billing_run", Place::Client, WRITE, &RUN, RUN_PAGE)
        .after("UPDATE billing_runs SET status = 'approved', approved_at = now() WHERE id = '{open_run}'")
    .on("/clients/{client}/billing-runs/{open_run}"),
    function("/api/issue_billing_run", Place::Client, WRITE, &RUN, RUN_PAGE)
        .after(
            "UPDATE billing_periods SET status = 'approved' WHERE billing_run_id = '{open_run}';
             UPDATE billing_runs SET status = 'approved', approved_at = now() WHERE id = '{open_run}'",
        )
    .on("/clients/{client}/billing-runs/{open_run}"),
    function("/api/delete_billing_run", Place::Client, WRITE, &RUN, "/clients/{client}/billing-runs")
    .on("/clients/{client}/billing-runs/{open_run}"),
    function(
        "/api/record_payment",
        Place::Client,
        WRITE,
        &[
            CLIENT,
            ("invoice", "{invoice}"),
            ("key", "01936f00-0000-7000-8000-000000000001"),
            ("amount", "5.00"),
            ("received_on", "2026-11-01"),
            ("method", "bank_transfer"),
        ],
        "/clients/{client}/invoices/{invoice}",
    )
    .on("/clients/{client}/invoices/{invoice}"),
    function(
        "/api/invite_user",
        Place::Client,
        WRITE,
        &[
            CLIENT,
            ("name", "New"),
            ("email", "fresh@eis.example"),
            ("role", "customer_user"),
            ("account_number", "A-1"),
        ],
        "/clients/{client}/users",
    )
    .on("/clients/{client}/users/invite"),
    function(
        "/api/revoke_invitation",
        Place::Client,
        WRITE,
        &[CLIENT, ("invitation", "{invitation}")],
        "/clients/{client}/users",
    )
    .after("UPDATE invitations SET role = 'customer_user', customer_id = '{customer}' WHERE id = '{invitation}'")
    .on("/clients/{client}/users"),
    function(
        "/api/change_role",
        Place::Client,
        WRITE,
        &[CLIENT, ("assignment", "{assignment}"), ("last_day", "2027-01-31")],
        "/clients/{client}/users",
    )
    .on("/clients/{client}/users/{assignment}/edit")
    .edits(),
    function(
        "/api/narrow_role",
        Place::Client,
        WRITE,
        &[CLIENT, ("assignment", "{assignment}"), ("narrowed", "read_only")],
        "/clients/{client}/users",
    )
    .on("/clients/{client}/users/{assignment}/edit")
    .edits(),
    function(
        "/api/create_service_identity",
        Place::Client,
        WRITE,
        &[CLIENT, ("name", "Nightly import"), ("import_usage", "true")],
        "/clients/{client}/service-identities",
    )
    .on("/clients/{client}/service-identities/new"),
    function(
        "/api/replace_service_secret",
        Place::Client,
        WRITE,
        &[CLIENT, ("identity", "{identity}")],
        "/clients/{client}/service-identities",
    )
    .on("/clients/{client}/service-identities"),
    function(
        "/api/end_service_identity",
        Place::Client,
        WRITE,
        &[CLIENT, ("identity", "{identity}")],
        "/clients/{client}/service-identities",
    )
    .on("/clients/{client}/service-identities"),
    function(
        "/api/revoke_role",
        Place::Client,
        WRITE,
        &[CLIENT, ("assignment", "{assignment}")],
        "/clients/{client}/users",
    )
    .on("/clients/{client}/users/{assignment}/edit"),
    function(
        "/api/make_reset_link",
        Place::Client,
        WRITE,
        &[CLIENT, ("assignment", "{assignment}")],
        "/clients/{client}/users/{assignment}/edit",
    )
    .on("/clients/{client}/users/{assignment}/edit"),
    function(
        "/api/end_user_sessions",
        Place::Client,
        WRITE,
        &[CLIENT, ("assignment", "{assignment}")],
        "/clients/{client}/users",
    )
    .on("/clients/{client}/users/{assignment}/edit"),
    function("/api/run_isolation_test", Place::Organization, &[S, E], &[], "/organization/isolation")
    .on("/organization/isolation"),
    function("/api/see_notices", Place::Organization, &[E], &[("notices", "{notice}")], "/organization")
    .on("/organization"),
    function("/api/create_client", Place::Organization, &[E], &COMPANY, "/clients/")
    .on("/organization/clients/new"),
    function(
        "/api/update_client",
        Place::Organization,
        &[E],
        &with::<11, 12>(CLIENT, COMPANY),
        "/organization/clients",
    )
    .on("/organization/clients/{client}/edit")
    .edits(),
];

/// What a narrowed admin may still open or do, of what not every one of them may; each page and function that an admin's
/// whole role may and that is not for reading has a line here.
pub const WITHIN: &[(&str, &[Narrowed])] = &[
    ("/organization/clients/new", &[]),
    ("/organization/clients/{client}/edit", &[]),
    ("/organization/service-identities/new", &[]),
    ("/organization/users/invite", &[ServiceDesk]),
    ("/organization/users/{assignment}/edit", &[ServiceDesk]),
    ("/clients/{client}/billing-runs/new", &[Billing]),
    ("/clients/{client}/customers/new", &[ServiceDesk]),
    ("/clients/{client}/customers/{customer}/edit", &[ServiceDesk]),
    ("/clients/{client}/customers/{customer}/accounts/new", &[ServiceDesk]),
    ("/clients/{client}/customers/{customer}/accounts/{account}/edit", &[ServiceDesk]),
    ("/clients/{client}/customers/{customer}/contracts/new", &[ServiceDesk]),
    ("/clients/{client}/customers/{customer}/contracts/{contract}/edit", &[ServiceDesk]),
    ("/clients/{client}/customers/{customer}/meters/new", &[ServiceDesk]),
    ("/clients/{client}/customers/{customer}/meters/{meter}/edit", &[ServiceDesk]),
    ("/clients/{client}/customers/{customer}/meters/{meter}/readings", &[Billing]),
    ("/clients/{client}/service-points/new", &[ServiceDesk]),
    ("/clients/{client}/service-points/{service_point}/edit", &[ServiceDesk]),
    ("/clients/{client}/service-points/{service_point}/meters/new", &[ServiceDesk]),
    ("/clients/{client}/service-points/{service_point}/meters/{meter}/edit", &[ServiceDesk]),
    ("/clients/{client}/service-points/{service_point}/meters/{meter}/readings", &[Billing]),
    ("/clients/{client}/imports/new", &[Billing]),
    ("/clients/{client}/tariffs/new", &[Billing]),
    ("/clients/{client}/tariffs/{tariff}/design", &[Billing]),
    ("/clients/{client}/what-ifs/new", &[Billing]),
    ("/clients/{client}/service-identities/new", &[]),
    ("/clients/{client}/users/invite", &[ServiceDesk]),
    ("/clients/{client}/users/{assignment}/edit", &[ServiceDesk]),
    ("/clients/{client}/imports", &[Billing]),
    ("/api/view_as", &Narrowed::ALL),
    ("/api/create_customer", &[ServiceDesk]),
    ("/api/update_customer", &[ServiceDesk]),
    ("/api/create_account", &[ServiceDesk]),
    ("/api/update_account", &[ServiceDesk]),
    ("/api/create_contract", &[ServiceDesk]),
    ("/api/update_contract", &[ServiceDesk]),
    ("/api/create_service_point", &[ServiceDesk]),
    ("/api/update_service_point", &[ServiceDesk]),
    ("/api/create_meter", &[ServiceDesk]),
    ("/api/update_meter", &[ServiceDesk]),
    ("/api/record_reading", &[Billing]),
    ("/api/put_on_tariff", &[ServiceDesk]),
    ("/api/save_tariff", &[Billing]),
    ("/api/read_tariff", &[Billing]),
    ("/api/activate_tariff", &[Billing]),
    ("/api/discard_tariff", &[Billing]),
    ("/api/retire_tariff", &[Billing]),
    ("/api/offer_tariff", &[Billing]),
    ("/api/allow_comparison", &[Billing]),
    ("/api/create_what_if", &[Billing]),
    ("/api/delete_what_if", &[Billing]),
    ("/api/create_billing_run", &[Billing]),
    ("/api/rate_billing_run", &[Billing]),
    ("/api/approve_billing_run", &[Billing]),
    ("/api/reopen_billing_run", &[Billing]),
    ("/api/issue_billing_run", &[Billing]),
    ("/api/delete_billing_run", &[Billing]),
    ("/api/record_payment", &[Finance]),
    ("/api/invite_user", &[ServiceDesk]),
    ("/api/revoke_invitation", &[ServiceDesk]),
    ("/api/change_role", &[ServiceDesk]),
    ("/api/narrow_role", &[ServiceDesk]),
    ("/api/revoke_role", &[ServiceDesk]),
    ("/api/make_reset_link", &[ServiceDesk]),
    ("/api/end_user_sessions", &[ServiceDesk]),
    ("/api/create_service_identity", &[]),
    ("/api/replace_service_secret", &[]),
    ("/api/end_service_identity", &[]),
    ("/api/run_isolation_test", &[ReadOnly, ServiceDesk, Billing, Finance]),
    ("/api/see_notices", &[]),
    ("/api/create_client", &[]),
    ("/api/update_client", &[]),
];

/// Routes that take a file: who may send one.
pub const UPLOADS: &[(&str, &[Role])] = &[("/clients/{client}/imports", WRITE)];

/// Organization, client, customer by number.
pub type At = (u8, u8, u8);

/// Whether a placeholder is in it; the braces of JSON are none.
fn named(template: &str) -> bool {
    template.split('{').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
}

/// Fills placeholders: the client's from one place, those of what lies within it from another.
pub fn fill(template: &str, outer: At, inner: At) -> String {
    let (o, c, k) = inner;
    let mut text = template.replace("{client}", &client(outer.0, outer.1).to_string());
    for (name, value) in [
        ("{organization}", organization(o)),
        ("{customer}", customer(o, c, k)),
        ("{account}", id(Kind::Account, o, c, k, 1)),
        ("{contract}", id(Kind::Contract, o, c, k, 1)),
        ("{service_point}", id(Kind::Place, o, c, k, 1)),
        ("{meter}", id(Kind::Meter, o, c, k, 1)),
        ("{register}", id(Kind::Register, o, c, k, 1)),
        ("{tariff}", id(Kind::Tariff, o, c, 0, 1)),
        ("{draft_tariff}", id(Kind::Tariff, o, c, 0, 2)),
        ("{period}", id(Kind::Period, o, c, k, 1)),
        ("{run}", id(Kind::Run, o, c, 0, 1)),
        ("{open_run}", id(Kind::Run, o, c, 0, 2)),
        ("{import}", id(Kind::Import, o, c, 0, 1)),
        ("{reading}", id(Kind::Reading, o, c, k, 1)),
        ("{agreement}", id(Kind::Agreement, o, c, k, 1)),
        ("{invoice}", id(Kind::Invoice, o, c, k, 1)),
        ("{draft_invoice}", id(Kind::Invoice, o, c, k, 2)),
        ("{payment}", id(Kind::Payment, o, c, k, 1)),
        ("{assignment}", id(Kind::Assignment, o, c, k, 1)),
        ("{invitation}", id(Kind::Invitation, o, c, 0, 1)),
        ("{what_if}", id(Kind::WhatIf, o, c, 0, 1)),
        ("{notice}", id(Kind::Notice, o, 0, 0, 1)),
        ("{identity}", id(Kind::Service, o, c, 0, 1)),
    ] {
        text = text.replace(name, &value.to_string());
    }
    text
}

/// Whether a template names something within its client, account or organization.
pub fn has_inner(place: Place, template: &str) -> bool {
    match place {
        Place::Client | Place::Account => named(&template.replace("{client}", "")),
        Place::Organization => named(template),
        _ => false,
    }
}
