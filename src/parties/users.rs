//! Users and roles as an actor may see them; granting and revoking, as far as the database's gate allows.

pub mod create;
pub mod invitations;
pub mod lost;
pub mod narrow;
pub mod notices;
pub mod roles;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{BigInt, Binary, Bool, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::access::{Narrowed, SessionSecret};
use crate::db::{DbError, Tenant};
use crate::values::clock;
use crate::values::ids::{AssignmentId, ClientId, CustomerId, InvitationId, SessionId, UserId};

/// An assignment of the user of this context.
#[derive(Debug, QueryableByName)]
pub struct MyAssignment {
    /// The assignment.
    #[diesel(sql_type = SqlUuid)]
    pub assignment_id: AssignmentId,
    /// Its role.
    #[diesel(sql_type = Text)]
    pub role: String,
    /// Where; `None` for EIS staff.
    #[diesel(sql_type = Nullable<Text>)]
    pub organization_name: Option<String>,
    /// Its slug.
    #[diesel(sql_type = Nullable<Text>)]
    pub organization_slug: Option<String>,
    /// At which client.
    #[diesel(sql_type = Nullable<Text>)]
    pub client_name: Option<String>,
    /// For which account.
    #[diesel(sql_type = Nullable<Text>)]
    pub account_number: Option<String>,
    /// What it is narrowed to.
    #[diesel(sql_type = Nullable<Text>)]
    pub narrowed: Option<Narrowed>,
}

/// What the user of this context may switch to.
///
/// # Errors
/// When the database fails.
pub async fn my_assignments(conn: &mut AsyncPgConnection) -> QueryResult<Vec<MyAssignment>> {
    sql_query("SELECT * FROM public.my_assignments()").load(conn).await
}

/// A session of one's own.
#[derive(Debug, QueryableByName)]
pub struct MySession {
    /// Its public id.
    #[diesel(sql_type = SqlUuid)]
    pub id: SessionId,
    /// Whether it is the one asking.
    #[diesel(sql_type = Bool)]
    pub current: bool,
    /// Where it was opened from.
    #[diesel(sql_type = Text)]
    pub address: String,
    /// With which browser.
    #[diesel(sql_type = Text)]
    pub agent: String,
    /// When it was opened.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    #[diesel(sql_type = Timestamptz)]
    pub seen_at: DateTime<Utc>,
}

/// One's own live sessions, the last used first.
///
/// # Errors
/// When the database fails.
pub async fn my_sessions(conn: &mut AsyncPgConnection, secret: SessionSecret) -> QueryResult<Vec<MySession>> {
    sql_query("SELECT * FROM public.my_sessions($1)").bind::<Binary, _>(secret.bytes().to_vec()).load(conn).await
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = Integer)]
    value: i32,
}

/// Ends the sessions of an assignment's person in the organization, at roles that the context may take back; how many. The
/// roles stay, and the person may sign in again.
///
/// # Errors
/// `not_yours` when the context may not take the role back, or reads only; anything else when the database fails.
async fn end_user_sessions(conn: &mut AsyncPgConnection, id: AssignmentId) -> QueryResult<i32> {
    let count: Count =
        sql_query("SELECT public.end_user_sessions($1) AS value").bind::<SqlUuid, _>(id).get_result(conn).await?;
    Ok(count.value)
}

/// An attempt to sign in to one's own account.
#[derive(Debug, QueryableByName)]
pub struct MySignIn {
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    /// From where.
    #[diesel(sql_type = Text)]
    pub address: String,
    /// `signed_in`, `password` (a code is asked for), `wrong`, `limited`, `entered` (under way or left off), or `ended`: the
    /// oldest of too many sessions, which was of this address.
    #[diesel(sql_type = Text)]
    pub outcome: String,
}

/// The latest attempts to sign in to one's own account.
///
/// # Errors
/// When the database fails.
pub async fn my_sign_ins(conn: &mut AsyncPgConnection) -> QueryResult<Vec<MySignIn>> {
    sql_query("SELECT at, address, outcome FROM public.sign_ins WHERE user_id = (SELECT public.get_current_user_id()) ORDER BY at DESC LIMIT 20")
        .load(conn)
        .await
}

/// A user with one of their roles, as an administrator sees them.
#[derive(Debug, Clone, QueryableByName)]
pub struct OrganizationUser {
    /// The assignment.
    #[diesel(sql_type = SqlUuid)]
    pub assignment_id: AssignmentId,
    /// The user.
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    /// The user's name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// The user's address.
    #[diesel(sql_type = Text)]
    pub email: String,
    /// The user's status.
    #[diesel(sql_type = Text)]
    pub status: String,
    /// The role.
    #[diesel(sql_type = Text)]
    pub role: String,
    /// At which client.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub client_id: Option<ClientId>,
    /// That client's name.
    #[diesel(sql_type = Nullable<Text>)]
    pub client_name: Option<String>,
    /// For which customer.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub customer_id: Option<CustomerId>,
    /// That customer's name.
    #[diesel(sql_type = Nullable<Text>)]
    pub customer_name: Option<String>,
    /// Since when.
    #[diesel(sql_type = Timestamptz)]
    pub valid_from: DateTime<Utc>,
    /// Until when, as a moment: the end of its last day, or when it was taken back.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub valid_to: Option<DateTime<Utc>>,
    /// The first day on which it held, in its zone.
    #[diesel(sql_type = Date)]
    pub since: NaiveDate,
    /// The last day on which it holds, in its zone; `None`: no end.
    #[diesel(sql_type = Nullable<Date>)]
    pub last_day: Option<NaiveDate>,
    /// The zone of its days: its client's, or the organization's. IANA.
    #[diesel(sql_type = Text)]
    pub time_zone: String,
    /// What it is narrowed to; `None`: the whole role.
    #[diesel(sql_type = Nullable<Text>)]
    pub narrowed: Option<Narrowed>,
}

impl OrganizationUser {
    /// Whether it has ended.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.valid_to.is_some_and(|to| to <= clock::now())
    }
}

/// Which users to list; empty: all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Part of name, address or customer.
    pub search: String,
    /// A role's code.
    pub role: String,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(embed)]
    user: OrganizationUser,
    #[diesel(sql_type = BigInt)]
    total: i64,
}

/// Users and roles of the organization, or of the one client at which the context stands: one page, and how
/// many there are in all.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &mut AsyncPgConnection,
    filter: &Filter,
    offset: i64,
    limit: i64,
) -> QueryResult<(Vec<OrganizationUser>, i64)> {
    let rows: Vec<Counted> = sql_query(
        "SELECT u.*, count(*) OVER () AS total FROM public.organization_users() u
         WHERE ($1 = '' OR strpos(lower(concat_ws(' ', u.name, u.email, u.customer_name)), lower($1)) > 0)
           AND ($2 = '' OR u.role = $2)
         ORDER BY lower(u.name), u.assignment_id OFFSET $3 LIMIT $4",
    )
    .bind::<Text, _>(&filter.search)
    .bind::<Text, _>(&filter.role)
    .bind::<BigInt, _>(offset)
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    let total = rows.iter().map(|row| row.total).max().unwrap_or(0);
    Ok((rows.into_iter().map(|row| row.user).collect(), total))
}

/// The assignment of this id with its user, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut AsyncPgConnection, id: AssignmentId) -> QueryResult<Option<OrganizationUser>> {
    sql_query("SELECT u.* FROM public.organization_users() u WHERE u.assignment_id = $1")
        .bind::<SqlUuid, _>(id)
        .get_result(conn)
        .await
        .optional()
}

/// The roles that a user holds now, of those that the context sees, the widest first.
///
/// # Errors
/// When the database fails.
pub async fn held_by(conn: &mut AsyncPgConnection, user: UserId) -> QueryResult<Vec<OrganizationUser>> {
    sql_query(
        "SELECT u.* FROM public.organization_users() u
         WHERE u.user_id = $1 AND u.valid_from <= now() AND (u.valid_to IS NULL OR u.valid_to > now())
         ORDER BY u.customer_id IS NOT NULL, u.client_id IS NOT NULL, u.client_name, u.customer_name, u.assignment_id",
    )
    .bind::<SqlUuid, _>(user)
    .load(conn)
    .await
}

/// An invitation that is open.
#[derive(Debug, Clone, QueryableByName)]
pub struct OpenInvitation {
    /// Its id.
    #[diesel(sql_type = SqlUuid)]
    pub id: InvitationId,
    /// Who is invited.
    #[diesel(sql_type = Text)]
    pub email: String,
    /// Their name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// As what.
    #[diesel(sql_type = Text)]
    pub role: String,
    /// At which client.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub client_id: Option<ClientId>,
    /// For which customer.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub customer_id: Option<CustomerId>,
    /// The last day on which the link works, where the client is, or the organization.
    #[diesel(sql_type = Date)]
    pub last_day: NaiveDate,
    /// What the role will be narrowed to.
    #[diesel(sql_type = Nullable<Text>)]
    pub narrowed: Option<Narrowed>,
}

/// Invitations that were neither accepted nor revoked and have not run out.
///
/// # Errors
/// When the database fails.
pub async fn open_invitations(conn: &mut AsyncPgConnection) -> QueryResult<Vec<OpenInvitation>> {
    sql_query(
        "SELECT i.id, i.email, i.name, i.role, i.client_id, i.customer_id, i.narrowed,
            ((i.expires_at - interval '1 microsecond') AT TIME ZONE coalesce(c.time_zone, g.time_zone))::date AS last_day
         FROM public.invitations i
         JOIN public.organizations g ON g.id = i.organization_id
         LEFT JOIN public.clients c ON (c.organization_id, c.id) = (i.organization_id, i.client_id)
         WHERE i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now() ORDER BY i.created_at DESC LIMIT 200",
    )
    .load(conn)
    .await
}

/// Whom to invite, as what, where, as the gate takes it.
#[derive(Debug)]
struct NewInvitation {
    /// The person's address.
    email: String,
    /// The person's name.
    name: String,
    /// The role's code.
    role: String,
    /// The client, for roles that have one.
    client: Option<ClientId>,
    /// The customer, for customers.
    customer: Option<CustomerId>,
    /// What the role is narrowed to; `None`: the whole role.
    narrowed: Option<Narrowed>,
}

#[derive(QueryableByName)]
struct Bytes {
    #[diesel(sql_type = Binary)]
    value: Vec<u8>,
}

/// Days that an invitation's link works after the one on which it is made.
pub const INVITATION_DAYS: i32 = 14;

/// Makes an invitation; its token, shown once. The database refuses a role that the actor may not grant.
///
/// # Errors
/// `not_yours` when the actor may not grant this, `own_role` when EIS staff invite themselves, `reading_only` in a context
/// that does not write; anything else when the database fails.
async fn invite(conn: &mut AsyncPgConnection, id: InvitationId, new: &NewInvitation) -> Result<Vec<u8>, DbError> {
    let bytes: Bytes = sql_query("SELECT public.invite($1, $2, $3, $4, $5, $6, $7, $8) AS value")
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(&new.email)
        .bind::<Text, _>(&new.name)
        .bind::<Text, _>(&new.role)
        .bind::<Nullable<SqlUuid>, _>(new.client)
        .bind::<Nullable<SqlUuid>, _>(new.customer)
        .bind::<Integer, _>(INVITATION_DAYS)
        .bind::<Nullable<Text>, _>(new.narrowed)
        .get_result(conn)
        .await?;
    Ok(bytes.value)
}

#[derive(QueryableByName)]
struct Flag {
    #[diesel(sql_type = Bool)]
    value: bool,
}

/// Takes an invitation back; false when it is not open or not the actor's to revoke.
///
/// # Errors
/// When the database fails.
async fn revoke_invitation(conn: &mut AsyncPgConnection, id: InvitationId) -> QueryResult<bool> {
    let flag: Flag =
        sql_query("SELECT public.revoke_invitation($1) AS value").bind::<SqlUuid, _>(id).get_result(conn).await?;
    Ok(flag.value)
}

/// Makes a one-time link with which an assignment's person sets a new password, on record; its token, shown once. It ends
/// the link before.
///
/// # Errors
/// `not_yours` when the actor may not take this assignment back; anything else when the database fails.
pub async fn make_password_reset(tx: &mut Tenant, id: AssignmentId) -> Result<Vec<u8>, DbError> {
    let address = tx.author()?.address.clone();
    let bytes: Bytes = sql_query("SELECT public.make_password_reset($1, $2) AS value")
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(address)
        .get_result(&mut **tx)
        .await?;
    Ok(bytes.value)
}

/// Holds an assignment until the transaction ends: of two who change it at once, the second waits here. The portal's login
/// cannot lock the row itself, which the gate alone writes.
///
/// # Errors
/// When the database fails.
async fn hold(conn: &mut AsyncPgConnection, id: AssignmentId) -> QueryResult<()> {
    sql_query("SELECT pg_advisory_xact_lock(hashtextextended('role_assignment ' || $1::text, 0))")
        .bind::<SqlUuid, _>(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Sets the last day of a right, in its own zone, or gives it no end. Links that would give it again stop working. False
/// when it is not in force, one's own, or not the actor's to change. The person's sessions under it end, and they sign in
/// anew.
///
/// # Errors
/// `last_energy_admin` when the organization would have none; anything else when the database fails.
async fn end_assignment(
    conn: &mut AsyncPgConnection,
    id: AssignmentId,
    last_day: Option<NaiveDate>,
) -> QueryResult<bool> {
    let flag: Flag = sql_query("SELECT public.end_assignment($1, $2) AS value")
        .bind::<SqlUuid, _>(id)
        .bind::<Nullable<Date>, _>(last_day)
        .get_result(conn)
        .await?;
    Ok(flag.value)
}

/// Takes a right back, from now on: every assignment of it, and every link that would give it again. False as for
/// [`end_assignment`].
///
/// # Errors
/// As [`end_assignment`].
async fn revoke_assignment(conn: &mut AsyncPgConnection, id: AssignmentId) -> QueryResult<bool> {
    let flag: Flag =
        sql_query("SELECT public.revoke_assignment($1) AS value").bind::<SqlUuid, _>(id).get_result(conn).await?;
    Ok(flag.value)
}
