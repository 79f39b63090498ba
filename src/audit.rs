//! The audit log: who did what to which row, when, in which organization, from where. Written in the
//! caller's transaction, so that a write and its record stand or fall together.

mod details;
mod log;

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use crate::access::Actor;
use crate::db::schema::audit_log;
use crate::db::{Author, DbError, Scope, Tenant};
use crate::values::ids::{AuditRecordId, ClientId, CustomerId, OrganizationId, UserId};

pub use details::{changed, created, removed};
pub use log::{Chain, Cursor, Filter, Record, accounts, chain, list};

/// What was done.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// A verb: `create`, `update`, `issue`.
    pub action: &'a str,
    /// The noun, as its table is called in the singular: `customer`.
    pub entity: &'a str,
    /// Which one; `None` when it is about many.
    pub entity_id: Option<uuid::Uuid>,
    /// The customer it is about, if one.
    pub customer: Option<CustomerId>,
    /// A sentence.
    pub summary: String,
    /// Before and after ([`created`], [`changed`], [`removed`]), or figures.
    pub details: Value,
}

#[derive(Insertable)]
#[diesel(table_name = audit_log)]
struct NewRecord<'a> {
    organization_id: OrganizationId,
    id: AuditRecordId,
    client_id: Option<ClientId>,
    customer_id: Option<CustomerId>,
    user_id: Option<UserId>,
    user_name: &'a str,
    role: &'a str,
    action: &'a str,
    entity: &'a str,
    entity_id: Option<uuid::Uuid>,
    summary: &'a str,
    details: &'a Value,
    address: &'a str,
}

/// Writes a record of what an operator did at the terminal, under the system's context at the organization.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn record_at_terminal(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    client: Option<ClientId>,
    entry: Entry<'_>,
) -> QueryResult<()> {
    diesel::insert_into(audit_log::table)
        .values((
            audit_log::organization_id.eq(organization),
            audit_log::id.eq(AuditRecordId::fresh()),
            audit_log::client_id.eq(client),
            audit_log::customer_id.eq(entry.customer),
            audit_log::user_name.eq("Command line"),
            audit_log::role.eq("system"),
            audit_log::action.eq(entry.action),
            audit_log::entity.eq(entry.entity),
            audit_log::entity_id.eq(entry.entity_id),
            audit_log::summary.eq(entry.summary),
            audit_log::details.eq(entry.details),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes a record of what the actor did. A change ([`changed`]) that changed nothing leaves none.
///
/// # Errors
/// When the database refuses; the caller's transaction then fails as a whole.
pub async fn record(conn: &mut AsyncPgConnection, actor: &Actor, entry: Entry<'_>) -> Result<(), DbError> {
    write(conn, Scope::of(actor), &Author::from(actor), entry).await
}

/// Writes a record of what a command did, in its transaction: by whom and where, the transaction knows. A change
/// ([`changed`]) that changed nothing leaves none.
///
/// # Errors
/// When the transaction only reads or the database refuses; the transaction then fails as a whole.
pub async fn note(tx: &mut Tenant, entry: Entry<'_>) -> Result<(), DbError> {
    note_at(tx, None, entry).await
}

/// As [`note`], for what is about a client (`None`: about the whole), so that the client's own log shows it too.
///
/// # Errors
/// As [`note`].
pub async fn note_at(tx: &mut Tenant, client: Option<ClientId>, entry: Entry<'_>) -> Result<(), DbError> {
    let (scope, author) = (tx.scope().at_client(client), tx.author()?.clone());
    write(tx, scope, &author, entry).await
}

async fn write(conn: &mut AsyncPgConnection, scope: Scope, author: &Author, entry: Entry<'_>) -> Result<(), DbError> {
    if details::is_no_change(&entry.details) {
        return Ok(());
    }
    let row = NewRecord {
        organization_id: scope.organization()?,
        id: AuditRecordId::fresh(),
        client_id: scope.client_if_any(),
        customer_id: entry.customer,
        user_id: author.user,
        user_name: &author.name,
        role: &author.role,
        action: entry.action,
        entity: entry.entity,
        entity_id: entry.entity_id,
        summary: &entry.summary,
        details: &entry.details,
        address: &author.address,
    };
    diesel::insert_into(audit_log::table).values(&row).execute(conn).await?;
    Ok(())
}

/// A figure for a sentence of the log, grouped in thousands as English writes it: `38,047.806`.
#[must_use]
pub fn grouped(figure: impl ToString) -> String {
    let text = figure.to_string();
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let (sign, digits) = whole.split_at(whole.len() - whole.trim_start_matches('-').len());
    let mut out = sign.to_owned();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn figures_are_grouped_in_thousands() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(8_969), "8,969");
        assert_eq!(grouped(-1_234_567), "-1,234,567");
        assert_eq!(grouped("38047.806"), "38,047.806");
    }
}
