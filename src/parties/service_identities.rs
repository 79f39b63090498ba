//! Service identities: what schedules, watched folders and other work without a person stand as. Each has one place, a list
//! of commands and a secret, of which the database keeps a digest; admins make, see and end them. How one acts is
//! [`crate::db::service`].

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Binary, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::json;

pub use crate::access::service::{Command, Secret};
use crate::audit::{self, Entry};
use crate::db::{DbError, Tenant};
use crate::values::ids::{ClientId, OrganizationId, ServiceIdentityId, UserId};

/// The longest name.
pub const NAME_CHARACTERS: usize = 200;

/// A service identity as admins see it.
#[derive(Debug, Clone, QueryableByName)]
pub struct ServiceIdentity {
    /// Its id.
    #[diesel(sql_type = SqlUuid)]
    pub id: ServiceIdentityId,
    /// The user that it stands as, who cannot sign in.
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    /// Its name, as the log shows it.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// At which client; `None`: at the organization.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub client_id: Option<ClientId>,
    /// Codes of what it may do.
    #[diesel(sql_type = Array<Text>)]
    pub commands: Vec<String>,
    /// When its secret was made.
    #[diesel(sql_type = Timestamptz)]
    pub secret_made_at: DateTime<Utc>,
    /// Who made it.
    #[diesel(sql_type = Text)]
    pub made_by: String,
    /// When it was made.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// When it was last used.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_used_at: Option<DateTime<Utc>>,
    /// From where, as the caller said.
    #[diesel(sql_type = Text)]
    pub last_used_from: String,
    /// The code of the command that it was last used for.
    #[diesel(sql_type = Text)]
    pub last_command: String,
    /// When it ended.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub ended_at: Option<DateTime<Utc>>,
}

impl ServiceIdentity {
    /// What it may do, in words.
    #[must_use]
    pub fn may(&self) -> String {
        let words =
            |code: &String| Command::parse(code).map_or_else(|| code.clone(), |command| command.label().to_owned());
        self.commands.iter().map(words).collect::<Vec<_>>().join(", ")
    }
}

const COLUMNS: &str = "id, user_id, name, client_id, commands, secret_made_at, made_by, created_at, last_used_at, last_used_from, last_command, ended_at";

/// The most that a page shows.
const SHOWN: i64 = 200;

/// The service identities that the context sees, those that live first, the newest first; some 200 at most.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut AsyncPgConnection, organization: OrganizationId) -> QueryResult<Vec<ServiceIdentity>> {
    let order = format!("ORDER BY ended_at IS NOT NULL, created_at DESC, id DESC LIMIT {SHOWN}");
    sql_query(format!("SELECT {COLUMNS} FROM public.service_identities WHERE organization_id = $1 {order}"))
        .bind::<SqlUuid, _>(organization)
        .load(conn)
        .await
}

/// A service identity that the context sees.
///
/// # Errors
/// When the database fails.
pub async fn find(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    id: ServiceIdentityId,
) -> QueryResult<Option<ServiceIdentity>> {
    sql_query(format!("SELECT {COLUMNS} FROM public.service_identities WHERE organization_id = $1 AND id = $2"))
        .bind::<SqlUuid, _>(organization)
        .bind::<SqlUuid, _>(id)
        .get_result(conn)
        .await
        .optional()
}

#[derive(QueryableByName)]
struct Bytes {
    #[diesel(sql_type = Nullable<Binary>)]
    value: Option<Vec<u8>>,
}

#[derive(QueryableByName)]
struct Flag {
    #[diesel(sql_type = Bool)]
    value: bool,
}

/// What is to be made.
#[derive(Debug, Clone)]
pub struct NewServiceIdentity {
    /// Its name.
    pub name: String,
    /// What it may do; at least one.
    pub commands: Vec<Command>,
}

/// Makes one where the actor stands, on record; its id and its secret, which is told this once.
///
/// # Errors
/// `not_yours` for whoever may not make any, `reading_only` in a context that does not write; anything else when the
/// database fails.
pub async fn create(tx: &mut Tenant, new: &NewServiceIdentity) -> Result<(ServiceIdentityId, Secret), DbError> {
    let id = ServiceIdentityId::fresh();
    let codes: Vec<&str> = new.commands.iter().map(|command| command.code()).collect();
    let made: Bytes = sql_query("SELECT public.create_service_identity($1, $2, $3) AS value")
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(&new.name)
        .bind::<Array<Text>, _>(codes)
        .get_result(&mut **tx)
        .await?;
    let secret = made.value.map(Secret::of_bytes).ok_or(DbError::Refused)?;
    let words: Vec<&str> = new.commands.iter().map(|command| command.label()).collect();
    let details = audit::created(json!({ "name": new.name, "may": words }));
    record(tx, None, "create", id, format!("Made the service identity {}", new.name), details).await?;
    Ok((id, secret))
}

/// A new secret in place of the one before, on record; `None` when it has ended meanwhile.
///
/// # Errors
/// As [`create`].
pub async fn replace_secret(tx: &mut Tenant, of: &ServiceIdentity) -> Result<Option<Secret>, DbError> {
    let made: Bytes = sql_query("SELECT public.replace_service_secret($1) AS value")
        .bind::<SqlUuid, _>(of.id)
        .get_result(&mut **tx)
        .await?;
    let Some(secret) = made.value.map(Secret::of_bytes) else { return Ok(None) };
    let details = json!({ "last_used_at": of.last_used_at, "last_used_from": of.last_used_from });
    record(tx, of.client_id, "replace_secret", of.id, format!("Replaced the secret of {}", of.name), details).await?;
    Ok(Some(secret))
}

/// Ends it, on record: its secret opens nothing from then on. False when it has ended already.
///
/// # Errors
/// As [`create`].
pub async fn end(tx: &mut Tenant, of: &ServiceIdentity) -> Result<bool, DbError> {
    let ended: Flag = sql_query("SELECT public.end_service_identity($1) AS value")
        .bind::<SqlUuid, _>(of.id)
        .get_result(&mut **tx)
        .await?;
    if !ended.value {
        return Ok(false);
    }
    let details = audit::removed(json!({ "name": of.name, "may": of.may(), "last_used_at": of.last_used_at }));
    record(tx, of.client_id, "end", of.id, format!("Ended the service identity {}", of.name), details).await?;
    Ok(true)
}

async fn record(
    tx: &mut Tenant,
    client: Option<ClientId>,
    action: &str,
    id: ServiceIdentityId,
    summary: String,
    details: serde_json::Value,
) -> Result<(), DbError> {
    let entry = Entry { action, entity: "service_identity", entity_id: Some(id.0), customer: None, summary, details };
    audit::note_at(tx, client, entry).await
}
