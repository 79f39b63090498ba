//! Every table, and what each role sees of it. A new table fails `coverage` until it has a line here.

use eis::access::Role;

use crate::support::world::{Who, client, customer, organization};

/// What a login may do with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Rows of tenants: of the organization, its client and, with a condition, its customer.
    Tenant {
        /// The column that names the client.
        client: &'static str,
        /// What a customer sees besides the client's condition; `None`: nothing.
        customer: Option<&'static str>,
        /// What admins may do: any of INSERT, UPDATE, DELETE.
        writes: &'static [&'static str],
        /// Rows that a trigger does not hold fast.
        open: &'static str,
        /// Who sees these rows of those who stand at the client or the organization.
        person: Person,
    },
    /// Rows of a whole organization: nobody below it sees them, and no login writes them.
    Whole,
    /// The organization itself.
    Organization,
    /// One's own rows, and those of the organization or client one runs.
    Assignments,
    /// One's own rows.
    Own,
    /// For no login.
    Hidden,
    /// Part of a table; for no login to read directly.
    Partition,
    /// The program's own; no tenant data.
    Program,
    /// For the monitor's login alone; no tenant data.
    Monitor,
    /// The record of runs of the isolation test: for the monitor, EIS staff and the organization's admin.
    Runs,
}

/// Who sees rows of a client, of those who stand at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Person {
    /// Everybody.
    Everyone,
    /// Client admins: members of the workspace that this column names; everybody else who stands there.
    Members(&'static str),
    /// The row's own person alone (`user_id`).
    Own,
}

impl Person {
    /// What narrows the rows that somebody sees, or those that they write.
    pub fn condition(self, who: Who, writes: bool) -> String {
        match (self, who.role()) {
            (Self::Members(column), Role::ClientAdmin) => format!(
                "{column} IN (SELECT m.workspace_id FROM workspace_members m WHERE m.user_id = '{}' AND (m.role = 'owner' OR NOT {writes}))",
                who.user()
            ),
            (Self::Own, Role::ClientAdmin | Role::EnergyAdmin) => format!("user_id = '{}'", who.user()),
            (Self::Own, _) => "false".to_owned(),
            _ => "true".to_owned(),
        }
    }
}

const IU: &[&str] = &["INSERT", "UPDATE"];
const I: &[&str] = &["INSERT"];
const ID: &[&str] = &["INSERT", "DELETE"];
const IUD: &[&str] = &["INSERT", "UPDATE", "DELETE"];

const fn of_client(writes: &'static [&'static str]) -> Rule {
    Rule::Tenant { client: "client_id", customer: None, writes, open: "true", person: Person::Everyone }
}

const fn of_customer(writes: &'static [&'static str], customer: &'static str, open: &'static str) -> Rule {
    Rule::Tenant { client: "client_id", customer: Some(customer), writes, open, person: Person::Everyone }
}

const fn of_workspace(writes: &'static [&'static str], customer: Option<&'static str>) -> Rule {
    Rule::Tenant { client: "client_id", customer, writes, open: "true", person: Person::Members("workspace_id") }
}

const fn own(writes: &'static [&'static str]) -> Rule {
    Rule::Tenant { client: "client_id", customer: None, writes, open: "true", person: Person::Own }
}

const MINE: &str = "customer_id = '{customer}'";
/// The tariff that every customer of the world is on, and where the client lets customers compare, what is on offer.
const OWN_AND_OFFERED: &str = "status = 'active' AND (code = 'HOME' OR offered AND EXISTS (SELECT FROM clients c
    WHERE (c.organization_id, c.id) = (tariff_rates.organization_id, tariff_rates.client_id) AND c.tariff_comparison))";

/// Blocks that a trigger does not hold fast.
const OF_A_DRAFT: &str = "EXISTS (SELECT FROM tariff_rates r WHERE r.organization_id = tariff_blocks.organization_id
    AND r.client_id = tariff_blocks.client_id AND r.id = tariff_rate_id AND r.status = 'draft')";

/// What the client published.
const PUBLISHED: &str = "workspace_id IN (SELECT w.id FROM workspaces w WHERE w.published AND w.status = 'active')";

/// Every table of the schemas `public` and `private`.
pub const TABLES: &[(&str, Rule)] = &[
    ("private.second_factor_rule", Rule::Hidden),
    ("private.signing_keys", Rule::Hidden),
    ("public.__diesel_schema_migrations", Rule::Program),
    ("public.accounts", of_customer(IU, MINE, "true")),
    ("public.allocations", of_customer(I, MINE, "true")),
    ("public.applied_scripts", Rule::Hidden),
    ("public.audit_chains", Rule::Hidden),
    ("public.audit_log", of_client(I)),
    ("public.audit_seals", Rule::Hidden),
    ("public.billing_exceptions", of_client(ID)),
    (
        "public.billing_periods",
        of_customer(
            IUD,
            "customer_id = '{customer}' AND status IN ('issued', 'credited')",
            "status NOT IN ('issued', 'credited')",
        ),
    ),
    ("public.billing_runs", of_client(IUD)),
    ("public.chat_messages", own(ID)),
    ("public.chat_sessions", own(IUD)),
    (
        "public.clients",
        Rule::Tenant { client: "id", customer: Some("true"), writes: IU, open: "true", person: Person::Everyone },
    ),
    ("public.communities", of_client(IUD)),
    ("public.community_members", of_client(IUD)),
    ("public.contract_meters", of_customer(ID, MINE, "true")),
    ("public.contracts", of_customer(IU, MINE, "true")),
    ("public.customer_requests", of_customer(IU, MINE, "status = 'received'")),
    ("public.customers", of_customer(IU, "id = '{customer}'", "true")),
    ("public.data_sources", of_workspace(IUD, None)),
    ("public.document_chunks", of_workspace(ID, Some(PUBLISHED))),
    ("public.documents", of_customer(IUD, "customer_id = '{customer}' AND status = 'issued'", "status = 'draft'")),
    ("public.expected_state", Rule::Monitor),
    ("public.files", of_workspace(IUD, Some(PUBLISHED))),
    ("public.import_rejections", of_client(I)),
    ("public.imports", of_client(IU)),
    ("public.interval_days", of_customer(IU, MINE, "true")),
    ("public.interval_days_2024", Rule::Partition),
    ("public.interval_days_2025", Rule::Partition),
    ("public.interval_days_2026", Rule::Partition),
    ("public.interval_days_2027", Rule::Partition),
    ("public.interval_days_2028", Rule::Partition),
    ("public.interval_days_2029", Rule::Partition),
    ("public.interval_days_2030", Rule::Partition),
    ("public.interval_days_other", Rule::Partition),
    ("public.invitations", of_client(&[])),
    ("public.invoice_counters", of_client(IU)),
    ("public.invoice_counts", of_client(IU)),
    ("public.invoice_lines", of_customer(IUD, "customer_id = '{customer}' AND issued", "NOT issued")),
    ("public.invoices", of_customer(IUD, "customer_id = '{customer}' AND status <> 'draft'", "status = 'draft'")),
    ("public.isolation_drift", Rule::Monitor),
    ("public.isolation_functions", Rule::Monitor),
    ("public.isolation_grants", Rule::Monitor),
    ("public.isolation_policies", Rule::Monitor),
    ("public.isolation_roles", Rule::Monitor),
    ("public.isolation_runs", Rule::Runs),
    ("public.isolation_state", Rule::Monitor),
    ("public.isolation_tables", Rule::Monitor),
    ("public.jobs", of_client(&[])),
    ("public.ledger_entries", of_customer(&[], MINE, "true")),
    ("public.ledger_lines", of_customer(&[], MINE, "true")),
    ("public.messages", of_customer(IU, "customer_id = '{customer}' AND status = 'sent'", "status = 'queued'")),
    ("public.meter_readings", of_customer(IU, MINE, "true")),
    ("public.meters", of_client(IU)),
    ("public.organizations", Rule::Organization),
    ("public.password_resets", Rule::Hidden),
    ("public.payments", of_customer(I, MINE, "true")),
    ("public.price_points", of_client(I)),
    ("public.price_series", of_client(IU)),
    ("public.recovery_codes", Rule::Hidden),
    ("public.registers", of_client(ID)),
    ("public.role_assignments", Rule::Assignments),
    ("public.role_notices", Rule::Whole),
    ("public.second_factors", Rule::Hidden),
    ("public.sent_forms", Rule::Hidden),
    ("public.service_identities", of_client(&[])),
    ("public.service_points", of_client(IU)),
    ("public.session_tickets", Rule::Hidden),
    ("public.sessions", Rule::Hidden),
    ("public.sign_ins", Rule::Own),
    ("public.step_ups", Rule::Whole),
    ("public.superseded_interval_days", of_client(I)),
    ("public.system_work", Rule::Whole),
    ("public.tariff_agreements", of_customer(IU, MINE, "true")),
    (
        "public.tariff_blocks",
        Rule::Tenant { client: "client_id", customer: None, writes: ID, open: OF_A_DRAFT, person: Person::Everyone },
    ),
    ("public.tariff_rates", of_customer(IU, OWN_AND_OFFERED, "true")),
    ("public.users", Rule::Hidden),
    ("public.what_if_results", of_client(ID)),
    ("public.what_ifs", of_client(IUD)),
    ("public.workspace_members", of_workspace(IUD, None)),
    (
        "public.workspaces",
        Rule::Tenant {
            client: "client_id",
            customer: Some("published AND status = 'active'"),
            writes: IUD,
            open: "true",
            person: Person::Members("id"),
        },
    ),
];

/// A context: somebody, or an admin or staff standing at one client.
#[derive(Debug, Clone, Copy)]
pub struct Stand {
    pub who: Who,
    pub at: Option<(u8, u8)>,
}

impl Stand {
    /// Every context that the world has.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = Who::all().into_iter().map(|who| Self { who, at: None }).collect();
        for who in [Who::Staff(1), Who::Admin(1), Who::Admin(2), Who::Client(1, 1)] {
            all.extend((1..=2).map(|c| Self { who, at: Some((who.place().0, c)) }).filter(|s| s.fits()));
        }
        all
    }

    fn fits(self) -> bool {
        let (_, c, _) = self.who.place();
        c == 0 || self.at.is_none_or(|(_, at)| at == c)
    }

    /// The statement that opens it.
    pub fn open(self) -> String {
        let narrow = self.at.map(|(o, c)| format!(", '{}'", client(o, c))).unwrap_or_default();
        format!("SELECT public.open_context('\\x{}'{narrow})", self.who.secret().hex())
    }

    /// Organization, client, customer; 0 where it does not narrow.
    pub fn place(self) -> (u8, u8, u8) {
        self.at.map_or(self.who.place(), |(o, c)| (o, c, 0))
    }
}

/// The condition that a table's rows meet when `stand` may see them; `None` where the login may not even ask.
pub fn visible(rule: Rule, stand: Stand) -> Option<String> {
    let (o, c, k) = stand.place();
    let (org, cli, cus) = (organization(o), client(o, c), customer(o, c, k));
    let me = format!("user_id = '{}'", stand.who.user());
    Some(match rule {
        Rule::Hidden | Rule::Partition | Rule::Monitor => return None,
        Rule::Runs => match stand.who {
            Who::Staff(_) | Who::Admin(_) => "true".to_owned(),
            _ => "false".to_owned(),
        },
        Rule::Program => "true".to_owned(),
        Rule::Own => me,
        Rule::Organization if o == 0 => "false".to_owned(),
        Rule::Whole => match (o, c) {
            (1.., 0) => format!("organization_id = '{org}'"),
            _ => "false".to_owned(),
        },
        Rule::Organization => format!("id = '{org}'"),
        Rule::Assignments => match (o, c, k) {
            (0, ..) | (.., 1..) => me,
            (_, 0, _) => format!("({me} OR organization_id = '{org}')"),
            _ => format!("({me} OR (organization_id = '{org}' AND client_id = '{cli}'))"),
        },
        Rule::Tenant { client: column, customer, person, .. } => match (o, c, k) {
            (0, ..) => "false".to_owned(),
            (_, _, 0) if person.condition(stand.who, false) == "false" => "false".to_owned(),
            (_, 0, _) => format!("(organization_id = '{org}' AND {})", person.condition(stand.who, false)),
            (_, _, 0) => {
                format!("(organization_id = '{org}' AND {column} = '{cli}' AND {})", person.condition(stand.who, false))
            }
            _ => customer.map_or_else(
                || "false".to_owned(),
                |condition| {
                    let condition = condition.replace("{customer}", &cus.to_string());
                    format!("(organization_id = '{org}' AND {column} = '{cli}' AND {condition})")
                },
            ),
        },
    })
}
