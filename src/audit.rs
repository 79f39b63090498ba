//! The audit log: who did what to which row, when, in which organization, from where. Written in the
//! caller's transaction, so that a write and its record stand or fall together.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use crate::access::Actor;
use crate::db::DbError;
use crate::db::schema::audit_log;
use crate::ids::{AuditRecordId, ClientId, CustomerId, OrganizationId, UserId};

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
    /// Before and after, or figures.
    pub details: Value,
}

#[derive(Insertable)]
#[diesel(table_name = audit_log)]
struct NewRecord<'a> {
    organization_id: OrganizationId,
    id: AuditRecordId,
    client_id: Option<ClientId>,
    customer_id: Option<CustomerId>,
    user_id: UserId,
    user_name: &'a str,
    role: &'a str,
    action: &'a str,
    entity: &'a str,
    entity_id: Option<uuid::Uuid>,
    summary: &'a str,
    details: &'a Value,
    address: &'a str,
}

/// Writes a record of what the actor did.
///
/// # Errors
/// When the database refuses; the caller's transaction then fails as a whole.
pub async fn record(conn: &mut AsyncPgConnection, actor: &Actor, entry: Entry<'_>) -> Result<(), DbError> {
    let organization = actor.organization.as_ref().ok_or(DbError::Refused)?;
    let row = NewRecord {
        organization_id: organization.id,
        id: AuditRecordId::fresh(),
        client_id: actor.at.or(actor.client),
        customer_id: entry.customer,
        user_id: actor.user,
        user_name: &actor.user_name,
        role: actor.role.map_or("none", |role| role.code()),
        action: entry.action,
        entity: entry.entity,
        entity_id: entry.entity_id,
        summary: &entry.summary,
        details: &entry.details,
        address: &actor.address,
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

/// A record as people read it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = audit_log)]
pub struct Record {
    /// Its id, ordered by time.
    pub id: AuditRecordId,
    /// Who.
    pub user_name: String,
    /// As what.
    pub role: String,
    /// The verb.
    pub action: String,
    /// The noun.
    pub entity: String,
    /// Which one.
    pub entity_id: Option<uuid::Uuid>,
    /// A sentence.
    pub summary: String,
    /// Before and after, or figures.
    pub details: Value,
    /// From where.
    pub address: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Which records to list; empty texts: all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The noun.
    pub entity: String,
    /// The verb.
    pub action: String,
    /// Part of the user's name or of the sentence.
    pub search: String,
}

/// Where a page of records begins: after this one, going back in time.
pub type Cursor = (DateTime<Utc>, AuditRecordId);

/// Records that the context may read, the latest first, from before `before` on.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    client: Option<ClientId>,
    filter: &Filter,
    before: Option<Cursor>,
    limit: i64,
) -> QueryResult<Vec<Record>> {
    let mut query = audit_log::table
        .filter(audit_log::organization_id.eq(organization))
        .select(Record::as_select())
        .order((audit_log::at.desc(), audit_log::id.desc()))
        .limit(limit)
        .into_boxed();
    if let Some(client) = client {
        query = query.filter(audit_log::client_id.eq(client));
    }
    if !filter.entity.is_empty() {
        query = query.filter(audit_log::entity.eq(filter.entity.clone()));
    }
    if !filter.action.is_empty() {
        query = query.filter(audit_log::action.eq(filter.action.clone()));
    }
    if !filter.search.is_empty() {
        let pattern = format!("%{}%", filter.search.replace(['\\', '%', '_'], " "));
        query = query.filter(audit_log::user_name.ilike(pattern.clone()).or(audit_log::summary.ilike(pattern)));
    }
    if let Some((at, id)) = before {
        query = query.filter(audit_log::at.lt(at).or(audit_log::at.eq(at).and(audit_log::id.lt(id))));
    }
    query.load(conn).await
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
