//! What EIS staff changed in who runs an organization, told to each of its energy admins until they have seen it. The
//! database's gate writes it beside the change itself.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Integer, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::json;
use uuid::Uuid;

use crate::audit::{self, Entry};
use crate::db::{DbError, Tenant};

/// The most notices that are shown at once; the others follow when these are seen.
const SHOWN: usize = 20;

/// A change that is told.
#[derive(Debug, Clone, QueryableByName)]
pub struct RoleNotice {
    /// Its id.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// Who did what to whom: a sentence without its full stop.
    #[diesel(sql_type = Text)]
    pub summary: String,
    /// Why.
    #[diesel(sql_type = Text)]
    pub reason: String,
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

/// What the user of this context has not said to have seen, the oldest first; some 20 at most.
///
/// # Errors
/// When the database fails.
pub async fn unseen(conn: &mut AsyncPgConnection) -> QueryResult<Vec<RoleNotice>> {
    sql_query(format!(
        "SELECT id, summary, reason, created_at FROM public.role_notices
         WHERE organization_id = (SELECT public.get_current_organization_id()) AND user_id = (SELECT public.get_current_user_id())
           AND seen_at IS NULL ORDER BY created_at, id LIMIT {SHOWN}"
    ))
    .load(conn)
    .await
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = Integer)]
    value: i32,
}

/// Notes that the user of this context has seen these notices, on record; how many of them were open, of the user's own.
///
/// # Errors
/// `NotFound` when none was; `reading_only` in a context that does not write; anything else when the database fails.
pub async fn see(tx: &mut Tenant, notices: &[Uuid]) -> Result<i32, DbError> {
    let query = sql_query("SELECT public.see_notices($1) AS value").bind::<Array<SqlUuid>, _>(notices);
    let seen: Count = query.get_result(&mut **tx).await?;
    if seen.value == 0 {
        return Err(diesel::result::Error::NotFound.into());
    }
    let entry = Entry {
        action: "see",
        entity: "role_notice",
        entity_id: None,
        customer: None,
        summary: "Saw what EIS Power changed in who runs the organisation".to_owned(),
        details: audit::created(json!({ "notices": seen.value })),
    };
    audit::note(tx, entry).await?;
    Ok(seen.value)
}
