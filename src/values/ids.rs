//! A newtype per id, so that a customer's id never passes for a meter's. All are UUIDv7 (time-ordered).

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[diesel(sql_type = sql_types::Uuid)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id, ordered by the time of its making.
            #[must_use]
            pub fn fresh() -> Self {
                Self(Uuid::now_v7())
            }

            /// Its address beneath `path`.
            #[must_use]
            pub fn below(self, path: &str) -> String {
                let mut buffer = Uuid::encode_buffer();
                let id = self.0.hyphenated().encode_lower(&mut buffer);
                [path, "/", id].concat()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl ToSql<sql_types::Uuid, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                ToSql::<sql_types::Uuid, Pg>::to_sql(&self.0, out)
            }
        }

        impl FromSql<sql_types::Uuid, Pg> for $name {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                <Uuid as FromSql<sql_types::Uuid, Pg>>::from_sql(value).map(Self)
            }
        }
    )*};
}

ids! {
    /// A tenant.
    OrganizationId,
    /// An energy company of an organization.
    ClientId,
    /// A customer of a client.
    CustomerId,
    /// An account of a customer.
    AccountId,
    /// Where energy is delivered.
    ServicePointId,
    /// An account at a service point.
    ContractId,
    /// A register of a meter.
    MeterId,
    /// A login identity.
    UserId,
    /// A role that a user holds somewhere.
    AssignmentId,
    /// A one-time link to join.
    InvitationId,
    /// A register read.
    MeterReadingId,
    /// A register of a meter.
    RegisterId,
    /// A file of usage.
    ImportId,
    /// A version of a tariff.
    TariffRateId,
    /// A customer's being on a tariff.
    TariffAgreementId,
    /// Days that a client bills together.
    BillingPeriodId,
    /// An attempt to rate or issue a period.
    BillingRunId,
    /// An invoice or credit note.
    InvoiceId,
    /// An entry of the ledger.
    LedgerEntryId,
    /// Money received.
    PaymentId,
    /// A record of the audit log.
    AuditRecordId,
    /// Work in the background.
    JobId,
    /// A comparison of tariffs over past usage.
    WhatIfId,
    /// A web session as its owner sees it; never its secret.
    SessionId,
    /// A place for documents of a client.
    WorkspaceId,
    /// A file of a workspace.
    FileId,
    /// A piece of a file's text.
    DocumentChunkId,
    /// Where documents of a workspace come from.
    DataSourceId,
    /// A conversation about a workspace.
    ChatSessionId,
    /// What was rendered for a customer.
    DocumentId,
    /// A message to a customer.
    MessageId,
    /// What a customer asks for.
    CustomerRequestId,
    /// Customers who share generation.
    CommunityId,
    /// A customer's share in a community, from a day to a day.
    CommunityMemberId,
    /// Market prices.
    PriceSeriesId,
    /// What work without a person stands as.
    ServiceIdentityId,
}
