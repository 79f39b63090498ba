//! Who may do what: roles, permissions, and the actor that a guard hands to the business.
//!
//! The table of permissions is `domain.md`'s "Who may do what". It decides which pages open; which rows
//! are seen is decided by the database (`operate/scripts/before`), whatever this file says.

mod client;
mod narrowed;
pub mod passwords;
pub mod service;

use chrono::{DateTime, Utc};

pub use client::ClientSummary;
pub use narrowed::Narrowed;

use crate::values::ids::{AssignmentId, ClientId, CustomerId, OrganizationId, UserId};

/// No organization is open, or the actor stands at no client: whoever asks for one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no organization is open, or no client")]
pub struct NoTenant;

/// What an assignment makes of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// EIS Power's own staff: opens one organization at a time, reads.
    EisStaff,
    /// Runs all clients of an organization.
    EnergyAdmin,
    /// Runs one client.
    ClientAdmin,
    /// Sees one account.
    CustomerUser,
}

impl Role {
    /// Every role, in order of reach.
    pub const ALL: [Self; 4] = [Self::EisStaff, Self::EnergyAdmin, Self::ClientAdmin, Self::CustomerUser];

    /// The role as the database and addresses spell it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::EisStaff => "eis_staff",
            Self::EnergyAdmin => "energy_admin",
            Self::ClientAdmin => "client_admin",
            Self::CustomerUser => "customer_user",
        }
    }

    /// The role as people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::EisStaff => "EIS staff",
            Self::EnergyAdmin => "Energy admin",
            Self::ClientAdmin => "Client admin",
            Self::CustomerUser => "Customer",
        }
    }

    /// The role of a code; `None` for anything else.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    /// The role as people read it, with what it is narrowed to: `Client admin, billing`.
    #[must_use]
    pub fn narrowed_label(self, narrowed: Option<Narrowed>) -> String {
        narrowed.map_or_else(|| self.label().to_owned(), |narrowed| format!("{}, {}", self.label(), narrowed.short()))
    }

    /// What the role can be narrowed to; of a customer's login nothing but reading, EIS staff to nothing.
    #[must_use]
    pub const fn narrowings(self) -> &'static [Narrowed] {
        match self {
            Self::EisStaff => &[],
            Self::EnergyAdmin | Self::ClientAdmin => &Narrowed::ALL,
            Self::CustomerUser => &[Narrowed::ReadOnly],
        }
    }

    /// The roles that one of this role may give and take back; at one client, only its customers'. Of the narrowed, the
    /// service desk gives customers their logins, and nobody else anything. (The database's `private.may_grant` says the
    /// same and has the last word.)
    #[must_use]
    pub const fn grants(self, narrowed: Option<Narrowed>, at_client: bool) -> &'static [Self] {
        match (narrowed, self) {
            (None, _) => {}
            (Some(Narrowed::ServiceDesk), Self::EnergyAdmin | Self::ClientAdmin) => return &[Self::CustomerUser],
            (Some(_), _) => return &[],
        }
        match (self, at_client) {
            (Self::EisStaff, false) => &[Self::EnergyAdmin],
            (Self::EnergyAdmin, false) => &[Self::ClientAdmin, Self::CustomerUser],
            (Self::EnergyAdmin | Self::ClientAdmin, true) => &[Self::CustomerUser],
            _ => &[],
        }
    }

    /// Whether the role includes a permission.
    #[must_use]
    pub const fn may(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::EisStaff => matches!(
                permission,
                P::OpenOrganizations | P::ViewOrganization | P::ViewClient | P::ViewUsers | P::ViewAudit
            ),
            Self::EnergyAdmin => !matches!(permission, P::OpenOrganizations | P::ViewAccount),
            Self::ClientAdmin => matches!(
                permission,
                P::ViewClient
                    | P::ManageCustomers
                    | P::ManageTariffs
                    | P::ImportUsage
                    | P::RunBilling
                    | P::IssueInvoices
                    | P::RecordPayments
                    | P::ViewUsers
                    | P::ManageUsers
                    | P::ManageServices
                    | P::ViewAudit
            ),
            Self::CustomerUser => matches!(permission, P::ViewAccount),
        }
    }
}

/// What a page or server function asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// List and open organizations (EIS staff).
    OpenOrganizations,
    /// The organization's own pages: its clients and what needs attention.
    ViewOrganization,
    /// Create and change clients.
    ManageClients,
    /// Read a client's customers, usage, tariffs, billing and invoices.
    ViewClient,
    /// Create and change customers and meters.
    ManageCustomers,
    /// Create and change tariffs.
    ManageTariffs,
    /// Bring usage in.
    ImportUsage,
    /// Create, rate and approve billing periods.
    RunBilling,
    /// Issue invoices.
    IssueInvoices,
    /// Record payments.
    RecordPayments,
    /// See users and roles.
    ViewUsers,
    /// Invite and revoke, as far as the role may grant.
    ManageUsers,
    /// Make and end service identities.
    ManageServices,
    /// Read the audit log.
    ViewAudit,
    /// One's own account as a customer.
    ViewAccount,
}

/// The secret of a live web session: what the database checks before it gives a context.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionSecret(pub i128);

impl SessionSecret {
    /// The bytes that the database hashes.
    #[must_use]
    pub const fn bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The bytes as lowercase hex.
    #[must_use]
    pub fn hex(self) -> String {
        format!("{:032x}", self.0)
    }
}

impl SessionSecret {
    /// Of no session: whoever acts without one, as a service identity does. It opens nothing.
    pub const NONE: Self = Self(0);
}

impl std::fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionSecret(…)")
    }
}

/// The organization that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOrganization {
    /// Its id.
    pub id: OrganizationId,
    /// Its short name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// A customer as whom somebody else sees the portal, reading only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewing {
    /// The customer's name.
    pub customer: String,
    /// Until when.
    pub until: DateTime<Utc>,
    /// What the person is in truth.
    pub own_role: Role,
}

/// Until when a role that needs a second factor may do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactorDue {
    /// The moment.
    pub at: DateTime<Utc>,
    /// Whether it is over, by the database's clock: the session opens no tenant then.
    pub over: bool,
}

/// Who asks, as the guard found them. Only the guard makes one; `Db::as_tenant` takes nothing else.
#[derive(Debug, Clone)]
pub struct Actor {
    /// What the database checks.
    pub secret: SessionSecret,
    /// The user.
    pub user: UserId,
    /// The user's name, for the audit log and the header.
    pub user_name: String,
    /// The role of the assignment that is open; `None` until one is chosen.
    pub role: Option<Role>,
    /// What the assignment is narrowed to; `None`: the whole role.
    pub narrowed: Option<Narrowed>,
    /// The assignment that is open.
    pub assignment: Option<AssignmentId>,
    /// How many assignments the user holds.
    pub assignments: i32,
    /// The organization that is open.
    pub organization: Option<OpenOrganization>,
    /// The client of the assignment.
    pub client: Option<ClientId>,
    /// The same as its pages know it.
    pub client_summary: Option<ClientSummary>,
    /// The customer of the assignment.
    pub customer: Option<CustomerId>,
    /// Until when EIS staff may write in the organization that is open; `None`: reading only.
    pub writes_until: Option<DateTime<Utc>>,
    /// Where the role needs a second factor and its person has none: until when it may do without.
    pub factor_due: Option<FactorDue>,
    /// While somebody sees the portal as a customer: role, client and customer are the customer's then, for the
    /// database as for the pages.
    pub viewing: Option<Viewing>,
    /// The one client at which this request stands.
    pub at: Option<ClientId>,
    /// Where the request comes from, for the audit log.
    pub address: String,
}

impl Actor {
    /// The same actor standing at one client, so that policies are exact. The database refuses a client
    /// that the assignment does not cover.
    #[must_use]
    pub fn at_client(mut self, client: ClientId) -> Self {
        self.at = Some(client);
        self
    }

    /// The organization that is open.
    ///
    /// # Errors
    /// [`NoTenant`] when none is.
    pub fn open_organization(&self) -> Result<OrganizationId, NoTenant> {
        self.organization.as_ref().map(|o| o.id).ok_or(NoTenant)
    }

    /// The client at which the actor stands and its organization.
    ///
    /// # Errors
    /// [`NoTenant`] when the actor stands at none.
    pub fn tenant(&self) -> Result<(ClientId, OrganizationId), NoTenant> {
        let client = self.at.or(self.client);
        client.zip(self.organization.as_ref().map(|o| o.id)).ok_or(NoTenant)
    }

    /// The open role as people read it, with what it is narrowed to.
    #[must_use]
    pub fn role_label(&self) -> String {
        self.role.map_or_else(|| "No role chosen".to_owned(), |role| role.narrowed_label(self.narrowed))
    }

    /// The roles that the actor may give and take back where it stands, a stepped-up one of EIS staff included.
    #[must_use]
    pub fn grants(&self, at_client: bool) -> &'static [Role] {
        self.role.map_or(&[], |role| role.grants(self.narrowed, at_client))
    }

    /// Whether the open role includes a permission, as far as it is not narrowed. EIS staff who stepped up may do what an energy admin may,
    /// but grant other roles: those of [`Role::grants`].
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        let stepped_up = self.role == Some(Role::EisStaff) && self.writes_until.is_some();
        let within = self.narrowed.is_none_or(|narrowed| narrowed.includes(permission));
        within
            && self.role.is_some_and(|role| role.may(permission) || (stepped_up && Role::EnergyAdmin.may(permission)))
    }

    /// Whether EIS staff would have this permission in the organization that is open if they stepped up.
    #[must_use]
    pub fn may_step_up_to(&self, permission: Permission) -> bool {
        let reads = self.role == Some(Role::EisStaff) && self.organization.is_some() && self.writes_until.is_none();
        reads && Role::EnergyAdmin.may(permission)
    }

    /// What a form carries to say under which assignment and organization it was rendered, and as which customer.
    #[must_use]
    pub fn context_token(&self) -> String {
        let assignment = self.assignment.map(|id| id.to_string()).unwrap_or_default();
        let organization = self.organization.as_ref().map(|o| o.id.to_string()).unwrap_or_default();
        let viewed = self.customer.filter(|_| self.viewing.is_some()).map(|id| format!(".{id}")).unwrap_or_default();
        format!("{assignment}.{organization}{viewed}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_may_only_open_the_account() {
        assert!(Role::CustomerUser.may(Permission::ViewAccount));
        assert!(!Role::CustomerUser.may(Permission::ViewClient));
        assert!(!Role::CustomerUser.may(Permission::ViewAudit));
    }

    #[test]
    fn staff_read_and_never_bill() {
        assert!(Role::EisStaff.may(Permission::ViewClient));
        assert!(!Role::EisStaff.may(Permission::RunBilling));
        assert!(!Role::EisStaff.may(Permission::ManageUsers));
        assert!(!Role::EisStaff.may(Permission::ManageCustomers));
    }

    #[test]
    fn a_secret_is_never_printed() {
        assert_eq!(format!("{:?}", SessionSecret(7)), "SessionSecret(…)");
    }
}
