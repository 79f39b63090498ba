//! What an assignment may be narrowed to: some of its role's commands, never fewer rows. The database keeps reading ones
//! from writing (`private.stand`) and holds who may grant (`private.may_grant`); the rest is said here.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;

use super::Permission;

/// A part of a role's commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum Narrowed {
    /// Changes nothing: its contexts never write.
    ReadOnly,
    /// Customers, their meters and their logins.
    ServiceDesk,
    /// Usage, tariffs, rating and issuing.
    Billing,
    /// Money received.
    Finance,
}

impl Narrowed {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::ReadOnly, Self::ServiceDesk, Self::Billing, Self::Finance];

    /// As the database and forms spell it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ReadOnly => "read_only",
            Self::ServiceDesk => "service_desk",
            Self::Billing => "billing",
            Self::Finance => "finance",
        }
    }

    /// As it follows a role's name: `Client admin, billing`.
    #[must_use]
    pub const fn short(self) -> &'static str {
        match self {
            Self::ReadOnly => "read only",
            Self::ServiceDesk => "service desk",
            Self::Billing => "billing",
            Self::Finance => "finance",
        }
    }

    /// As people choose it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ReadOnly => "Read only: changes nothing",
            Self::ServiceDesk => "Service desk: customers, meters, customers' logins",
            Self::Billing => "Billing: usage, tariffs, rating, issuing",
            Self::Finance => "Finance: payments",
        }
    }

    /// The one of a code; `None` for anything else.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|narrowed| narrowed.code() == code)
    }

    /// Whether a permission lies within it, for a role that has it. All of them read what the role reads.
    #[must_use]
    pub const fn includes(self, permission: Permission) -> bool {
        use Permission as P;
        match permission {
            P::ViewOrganization | P::ViewClient | P::ViewUsers | P::ViewAudit | P::ViewAccount => true,
            P::ManageCustomers | P::ManageUsers => matches!(self, Self::ServiceDesk),
            P::ManageTariffs | P::ImportUsage | P::RunBilling | P::IssueInvoices => matches!(self, Self::Billing),
            P::RecordPayments => matches!(self, Self::Finance),
            P::OpenOrganizations | P::ManageClients | P::ManageServices => false,
        }
    }
}

impl ToSql<Text, Pg> for Narrowed {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <str as ToSql<Text, Pg>>::to_sql(self.code(), out)
    }
}

impl FromSql<Text, Pg> for Narrowed {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let code = <String as FromSql<Text, Pg>>::from_sql(value)?;
        // What is not known here must not open as the whole role.
        Self::parse(&code)
            .ok_or_else(|| format!("a role is narrowed to {code:?}, which this version does not know").into())
    }
}

#[cfg(test)]
mod tests {
    use super::Narrowed;
    use crate::access::{Permission, Role};

    #[test]
    fn nobody_who_is_narrowed_grants_beyond_own_rights() {
        for narrowed in Narrowed::ALL {
            for at_client in [false, true] {
                for role in Role::ALL {
                    let grants = role.grants(Some(narrowed), at_client);
                    let may = narrowed.includes(Permission::ManageUsers);
                    assert!(grants.is_empty() || (may && grants == [Role::CustomerUser]), "{role:?} {narrowed:?}");
                }
            }
        }
    }

    #[test]
    fn a_role_narrowed_to_reading_changes_nothing() {
        for permission in [
            Permission::ManageClients,
            Permission::ManageCustomers,
            Permission::ManageTariffs,
            Permission::ImportUsage,
            Permission::RunBilling,
            Permission::IssueInvoices,
            Permission::RecordPayments,
            Permission::ManageUsers,
            Permission::ManageServices,
        ] {
            assert!(!Narrowed::ReadOnly.includes(permission), "{permission:?}");
        }
        assert!(Narrowed::ReadOnly.includes(Permission::ViewClient));
    }

    #[test]
    fn every_code_is_read_back() {
        assert!(Narrowed::ALL.into_iter().all(|narrowed| Narrowed::parse(narrowed.code()) == Some(narrowed)));
        assert_eq!(Narrowed::parse(""), None);
    }
}
