//! Reading the log: records by who, what, when and about whom, page by page; and whether its chain holds.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use crate::db::lower;
use crate::db::schema::{accounts, audit_log};
use crate::values::identifiers;
use crate::values::ids::{AuditRecordId, ClientId, CustomerId, OrganizationId};

/// A record as people read it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = audit_log)]
pub struct Record {
    /// Its id, ordered by time.
    pub id: AuditRecordId,
    /// The client it is about, if one.
    pub client_id: Option<ClientId>,
    /// The customer it is about, if one.
    pub customer_id: Option<CustomerId>,
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

/// Which records to list; empty texts and `None`: all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The noun.
    pub entity: String,
    /// The verb.
    pub action: String,
    /// Part of the name of the person who did it.
    pub who: String,
    /// Part of the sentence.
    pub search: String,
    /// From this moment on.
    pub from: Option<DateTime<Utc>>,
    /// Before this moment.
    pub to: Option<DateTime<Utc>>,
    /// About this client.
    pub client: Option<ClientId>,
    /// About the customer with this account number.
    pub account: String,
}

/// Where a page of records begins: after this one, going back in time.
pub type Cursor = (DateTime<Utc>, AuditRecordId);

fn part(of: &str) -> String {
    format!("%{}%", crate::db::literal(of))
}

/// Records that the context may read, the latest first, from before `before` on.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
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
    if let Some(client) = filter.client {
        query = query.filter(audit_log::client_id.eq(client));
    }
    if !filter.account.is_empty() {
        let of_account = accounts::table
            .filter(
                accounts::organization_id
                    .eq(organization)
                    .and(lower(accounts::account_number).eq(lower(identifiers::plain(&filter.account)))),
            )
            .select(accounts::customer_id.nullable());
        query = query.filter(audit_log::customer_id.eq_any(of_account));
    }
    if !filter.entity.is_empty() {
        query = query.filter(audit_log::entity.eq(filter.entity.clone()));
    }
    if !filter.action.is_empty() {
        query = query.filter(audit_log::action.eq(filter.action.clone()));
    }
    if !filter.who.is_empty() {
        query = query.filter(audit_log::user_name.ilike(part(&filter.who)));
    }
    if !filter.search.is_empty() {
        query = query.filter(audit_log::summary.ilike(part(&filter.search)));
    }
    if let Some(from) = filter.from {
        query = query.filter(audit_log::at.ge(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(audit_log::at.lt(to));
    }
    if let Some((at, id)) = before {
        query = query.filter(audit_log::at.le(at));
        query = query.filter(audit_log::at.lt(at).or(audit_log::id.lt(id)));
    }
    query.load(conn).await
}

/// The main account's number of each customer that records are about.
///
/// # Errors
/// When the database fails.
pub async fn accounts(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    records: &[Record],
) -> QueryResult<Vec<(CustomerId, String)>> {
    let mut ids: Vec<CustomerId> = records.iter().filter_map(|record| record.customer_id).collect();
    ids.sort();
    ids.dedup();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    accounts::table
        .filter(accounts::organization_id.eq(organization).and(accounts::customer_id.eq_any(ids)))
        .filter(accounts::is_main)
        .select((accounts::customer_id, accounts::account_number))
        .load(conn)
        .await
}

/// How the log's chain stands, as far as the context sees it.
#[derive(Debug, Clone, QueryableByName)]
pub struct Chain {
    /// All sealed records of the organization; NULL for those who see one client.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub records: Option<i64>,
    /// How many of the latest were held against their seals just now.
    #[diesel(sql_type = BigInt)]
    pub checked: i64,
    /// When the latest of them was sealed.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub sealed_at: Option<DateTime<Utc>>,
    /// The chain's end, hex: whoever notes it down can show later that nothing before it was changed.
    #[diesel(sql_type = Nullable<Text>)]
    pub end: Option<String>,
    /// The first fault; `None` when the links hold.
    #[diesel(sql_type = Nullable<Text>)]
    pub fault: Option<String>,
}

/// Holds the latest `links` records against their seals.
///
/// # Errors
/// When the database fails.
pub async fn chain(conn: &mut AsyncPgConnection, links: i64) -> QueryResult<Option<Chain>> {
    sql_query(
        "SELECT records, checked, sealed_at, encode(hash, 'hex') AS \"end\", fault FROM public.my_audit_links($1)",
    )
    .bind::<BigInt, _>(links)
    .get_result(conn)
    .await
    .optional()
}
