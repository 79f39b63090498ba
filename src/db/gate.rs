//! Calls to the database's gate: sessions, signing in, switching, invitations. Each hands over a secret,
//! a password digest or a one-time token, which the database checks itself (`operate/scripts/after`).

use chrono::{DateTime, Utc};
use diesel::sql_types::{Binary, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, Queryable, QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use uuid::Uuid;

use super::tenant::{self, Tenant, begin_reading, refused};
use super::{Cached, Db, DbError, Unreadable};
use crate::access::ClientSummary;
use crate::access::{Narrowed, SessionSecret};
use crate::values::hex;
use crate::values::ids::{AssignmentId, ClientId, CustomerId, OrganizationId, UserId};

/// What a request needs to know about who asks.
#[derive(Debug, Clone, Queryable)]
pub struct LoadedSession {
    /// What the web keeps with the session, JSON.
    pub data: String,
    /// Whether `seen_at` is due for renewal.
    pub stale: bool,
    /// The end of the session, whatever happens.
    pub expires_at: DateTime<Utc>,
    /// The user, when somebody is signed in.
    pub user_id: Option<Uuid>,
    /// The user's address.
    pub email: Option<String>,
    /// The user's name.
    pub user_name: Option<String>,
    /// What `auth_hash` was when the session was bound.
    pub bound_hash: Option<Vec<u8>>,
    /// Changes with the password and the assignment.
    pub auth_hash: Option<Vec<u8>>,
    /// The assignment that is open and in force.
    pub assignment_id: Option<Uuid>,
    /// Its role.
    pub role: Option<String>,
    /// How many assignments the user holds.
    pub assignments: i32,
    /// The organization that is open.
    pub organization_id: Option<Uuid>,
    /// Its slug.
    pub organization_slug: Option<String>,
    /// Its name.
    pub organization_name: Option<String>,
    /// The assignment's client.
    pub client_id: Option<Uuid>,
    /// Its short name in addresses and files.
    pub client_slug: Option<String>,
    /// Its name.
    pub client_name: Option<String>,
    /// ISO 4217.
    pub client_currency: Option<String>,
    /// IANA.
    pub client_time_zone: Option<String>,
    /// BCP 47.
    pub client_locale: Option<String>,
    /// The assignment's customer.
    pub customer_id: Option<Uuid>,
    /// Until when EIS staff may write in the organization that is open; `None`: reading only.
    pub writes_until: Option<DateTime<Utc>>,
    /// Until when the session sees as a customer: role, client and customer are the customer's then.
    pub viewed_until: Option<DateTime<Utc>>,
    /// That customer's name.
    pub viewed_name: Option<String>,
    /// The role of the assignment, whatever is seen.
    pub own_role: Option<String>,
    /// Until when the role may do without a second factor; `None`: it needs none, or its person has one.
    pub factor_due: Option<DateTime<Utc>>,
    /// Whether that moment is over: the session opens no tenant.
    pub locked: bool,
    /// What the assignment is narrowed to.
    pub narrowed: Option<Narrowed>,
}

/// The columns of [`LoadedSession`], in order.
type SessionColumns = (
    Text,
    Bool,
    Timestamptz,
    Nullable<SqlUuid>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Binary>,
    Nullable<Binary>,
    Nullable<SqlUuid>,
    Nullable<Text>,
    Integer,
    Nullable<SqlUuid>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<SqlUuid>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<SqlUuid>,
    Nullable<Timestamptz>,
    Nullable<Timestamptz>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Timestamptz>,
    Bool,
    Nullable<Text>,
);

impl LoadedSession {
    /// The client of the assignment, as its pages know it.
    ///
    /// # Errors
    /// When its zone cannot be read.
    pub fn client(&self) -> Result<Option<ClientSummary>, Unreadable> {
        let (Some(id), Some(name)) = (self.client_id, self.client_time_zone.as_deref()) else { return Ok(None) };
        let zone = Unreadable::zone(name, "clients", id)?;
        let summary = |zone| {
            Some(ClientSummary {
                id: ClientId(id),
                slug: self.client_slug.clone()?,
                name: self.client_name.clone()?,
                currency: self.client_currency.clone()?,
                time_zone: name.to_owned(),
                locale: self.client_locale.clone()?,
                zone,
            })
        };
        Ok(summary(zone))
    }
}

/// What came of an attempt to sign in.
#[derive(Debug)]
pub enum SignIn {
    /// The password was right: whose it is, and a ticket for a new session.
    SignedIn {
        /// The user.
        user: UserId,
        /// Good for one session, for one minute.
        ticket: Ticket,
    },
    /// The password was right, and a code is asked for: a ticket that opens nothing without one.
    CodeNeeded {
        /// Good for [`Db::second_factor`] alone.
        half: Ticket,
    },
    /// Account or password is wrong; which of them is not said.
    Wrong,
    /// Too many wrong attempts; not tried.
    Limited {
        /// Seconds until another attempt is tried.
        retry_after: i32,
    },
}

/// What it takes to try a password.
#[derive(Debug, QueryableByName)]
pub struct Salt {
    /// Parameters and salt to digest it with; a steady made-up one for an unknown account.
    #[diesel(sql_type = Text)]
    pub salt: String,
    /// Seconds until an attempt is tried at all, where the limit holds: then there is nothing to digest.
    #[diesel(sql_type = Nullable<Integer>)]
    pub retry_after: Option<i32>,
}

/// What came of accepting an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// The assignment is made.
    Yes,
    /// The known person's password is wrong, or a new person's is not fit for a login.
    Wrong,
    /// Too many wrong attempts; not tried.
    Limited,
    /// The link is spent, or its maker or this login may no longer take part.
    Refused,
}

/// Proof that a session may be bound to a user and assignment.
#[derive(Clone)]
pub struct Ticket(Vec<u8>);

impl Ticket {
    /// Its bytes as hex, for a session that waits for its second factor.
    #[must_use]
    pub fn hex(&self) -> String {
        hex::of(&self.0)
    }

    /// The ticket of such hex.
    #[must_use]
    pub fn of_hex(text: &str) -> Option<Self> {
        hex::bytes(text).map(Self)
    }

    pub(super) const fn of(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticket(…)")
    }
}

/// What a one-time link invites to.
#[derive(Debug, QueryableByName)]
pub struct Invited {
    /// Who is invited.
    #[diesel(sql_type = Text)]
    pub email: String,
    /// Their name as the inviter wrote it.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// The role.
    #[diesel(sql_type = Text)]
    pub role: String,
    /// The organization.
    #[diesel(sql_type = Text)]
    pub organization_name: String,
    /// The client, for roles that have one.
    #[diesel(sql_type = Nullable<Text>)]
    pub client_name: Option<String>,
    /// What the role is narrowed to.
    #[diesel(sql_type = Nullable<Text>)]
    pub narrowed: Option<Narrowed>,
}

#[derive(QueryableByName)]
struct SignInRow {
    #[diesel(sql_type = Text)]
    outcome: String,
    #[diesel(sql_type = Nullable<Binary>)]
    ticket: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    user_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Integer>)]
    retry_after: Option<i32>,
}

#[derive(QueryableByName)]
struct Moment {
    #[diesel(sql_type = Timestamptz)]
    value: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Flag {
    #[diesel(sql_type = Nullable<Bool>)]
    value: Option<bool>,
}

#[derive(QueryableByName)]
struct Words {
    #[diesel(sql_type = Text)]
    value: String,
}

#[derive(QueryableByName)]
struct Bytes {
    #[diesel(sql_type = Nullable<Binary>)]
    value: Option<Vec<u8>>,
}

async fn load(mut connection: &AsyncPgConnection, of: SessionSecret, enter: bool) -> QueryResult<LoadedSession> {
    let query = sql_query("SELECT * FROM public.session_load($1, $2)")
        .bind::<Binary, _>(of.bytes().to_vec())
        .bind::<Bool, _>(enter);
    Cached(query).columns::<SessionColumns>().get_result(&mut connection).await
}

fn secret(secret: SessionSecret) -> Vec<u8> {
    secret.bytes().to_vec()
}

impl Db {
    /// The live session of a secret, with its user and assignment. Inside [`Db::entering`] its context is opened
    /// with it, for the request's first [`Db::as_tenant`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_load(&self, of: SessionSecret) -> Result<Option<LoadedSession>, DbError> {
        match self.session_load_once(of).await {
            // A backend that was ended takes a moment to hang up: its connection looks alive until then.
            Err(error) if error.was_cut_off() => self.session_load_once(of).await,
            other => other,
        }
    }

    async fn session_load_once(&self, of: SessionSecret) -> Result<Option<LoadedSession>, DbError> {
        let connection = self.connection().await?;
        if !tenant::may_enter() {
            return Ok(load(&connection, of, false).await.optional()?);
        }
        // A guard from the start: dropped at any point, it rolls back.
        let tenant = Tenant::around(connection);
        let mut first = tenant.shared();
        // Sent one behind the other, in one round trip.
        let found = tokio::try_join!(biased; first.batch_execute(begin_reading()), load(tenant.shared(), of, true));
        let found = found.map(|((), row)| row).optional()?;
        if found.as_ref().is_some_and(|row| row.user_id.is_some() && row.bound_hash == row.auth_hash) {
            tenant::keep(of, tenant);
        }
        Ok(found)
    }

    /// Saves the web's data of a live session; false when it is gone (it does not come back).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_save(&self, of: SessionSecret, data: &str) -> Result<bool, DbError> {
        let mut connection = self.connection().await?;
        let flag: Flag = sql_query("SELECT public.session_save($1, $2) AS value")
            .bind::<Binary, _>(secret(of))
            .bind::<Text, _>(data)
            .get_result(&mut connection)
            .await?;
        Ok(flag.value.unwrap_or(false))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_delete(&self, of: SessionSecret) -> Result<(), DbError> {
        let mut connection = self.connection().await?;
        sql_query("SELECT public.session_delete($1)").bind::<Binary, _>(secret(of)).execute(&mut connection).await?;
        Ok(())
    }

    /// Notes that a session is in use.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_touch(&self, of: SessionSecret) -> Result<(), DbError> {
        let mut connection = self.connection().await?;
        sql_query("SELECT public.session_touch($1)").bind::<Binary, _>(secret(of)).execute(&mut connection).await?;
        Ok(())
    }

    /// Enters an attempt at the password of an account from an address, which counts from now on: what it takes to try it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_in_salt(&self, email: &str, address: &str) -> Result<Salt, DbError> {
        let mut connection = self.connection().await?;
        Ok(sql_query("SELECT * FROM public.sign_in_salt($1, $2)")
            .bind::<Text, _>(email)
            .bind::<Text, _>(address)
            .get_result(&mut connection)
            .await?)
    }

    /// Enters an attempt at the password of a session's own person, as [`Self::sign_in_salt`] does.
    ///
    /// # Errors
    /// [`DbError::SessionEnded`]; [`DbError::Refused`] while the session sees as a customer.
    pub async fn enter_my_attempt(&self, of: SessionSecret, address: &str) -> Result<Salt, DbError> {
        let mut connection = self.connection().await?;
        sql_query("SELECT * FROM public.enter_my_attempt($1, $2)")
            .bind::<Binary, _>(secret(of))
            .bind::<Text, _>(address)
            .get_result(&mut connection)
            .await
            .map_err(refused)
    }

    /// Tries an account's password digest, within the limits on attempts. `stronger`: salt and digest of the same password
    /// under stronger parameters, to keep it so when it is right.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_in(
        &self,
        email: &str,
        digest: &[u8],
        address: &str,
        stronger: Option<(&str, &[u8])>,
    ) -> Result<SignIn, DbError> {
        let mut connection = self.connection().await?;
        let row: SignInRow = sql_query("SELECT * FROM public.sign_in($1, $2, $3, $4, $5)")
            .bind::<Text, _>(email)
            .bind::<Binary, _>(digest)
            .bind::<Text, _>(address)
            .bind::<Nullable<Text>, _>(stronger.map(|(salt, _)| salt))
            .bind::<Nullable<Binary>, _>(stronger.map(|(_, digest)| digest))
            .get_result(&mut connection)
            .await?;
        Ok(match (row.outcome.as_str(), row.user_id, row.ticket) {
            ("signed_in", Some(user), Some(ticket)) => SignIn::SignedIn { user: UserId(user), ticket: Ticket(ticket) },
            ("code_needed", _, Some(half)) => SignIn::CodeNeeded { half: Ticket(half) },
            ("limited", ..) => SignIn::Limited { retry_after: row.retry_after.unwrap_or(900) },
            _ => SignIn::Wrong,
        })
    }

    /// A ticket for a session under another assignment of the same user or, for staff, in an organization.
    ///
    /// # Errors
    /// [`DbError::Refused`] when it is not the user's to open.
    pub async fn switch_context(
        &self,
        of: SessionSecret,
        assignment: Option<AssignmentId>,
        organization: Option<OrganizationId>,
    ) -> Result<Ticket, DbError> {
        let mut connection = self.connection().await?;
        let bytes: Bytes = sql_query("SELECT public.switch_context($1, $2, $3) AS value")
            .bind::<Binary, _>(secret(of))
            .bind::<Nullable<SqlUuid>, _>(assignment)
            .bind::<Nullable<SqlUuid>, _>(organization)
            .get_result(&mut connection)
            .await
            .map_err(refused)?;
        bytes.value.map(Ticket).ok_or(DbError::Refused)
    }

    /// Lets a session of EIS staff write in the organization that it has open, for a reason and a time.
    ///
    /// # Errors
    /// [`DbError::SessionEnded`]; [`DbError::Refused`] for anybody else.
    pub async fn step_up(
        conn: &mut AsyncPgConnection,
        of: SessionSecret,
        reason: &str,
        minutes: i32,
        address: &str,
    ) -> Result<DateTime<Utc>, DbError> {
        let ends: Moment = sql_query("SELECT public.step_up($1, $2, $3, $4) AS value")
            .bind::<Binary, _>(secret(of))
            .bind::<Text, _>(reason)
            .bind::<Integer, _>(minutes)
            .bind::<Text, _>(address)
            .get_result(conn)
            .await
            .map_err(refused)?;
        Ok(ends.value)
    }

    /// Ends what [`Self::step_up`] began; false when nothing was open.
    ///
    /// # Errors
    /// [`DbError::SessionEnded`].
    pub async fn step_down(conn: &mut AsyncPgConnection, of: SessionSecret, address: &str) -> Result<bool, DbError> {
        let flag: Flag = sql_query("SELECT public.step_down($1, $2) AS value")
            .bind::<Binary, _>(secret(of))
            .bind::<Text, _>(address)
            .get_result(conn)
            .await
            .map_err(refused)?;
        Ok(flag.value.unwrap_or(false))
    }

    /// Lets a session of staff or an admin see the portal as a customer does, reading only; tells until when.
    ///
    /// # Errors
    /// [`DbError::SessionEnded`]; [`DbError::Refused`] for a customer that is not the session's to see.
    pub async fn view_as(
        &self,
        of: SessionSecret,
        client: ClientId,
        customer: CustomerId,
        address: &str,
    ) -> Result<DateTime<Utc>, DbError> {
        let mut connection = self.connection().await?;
        let ends: Moment = sql_query("SELECT public.view_as($1, $2, $3, $4) AS value")
            .bind::<Binary, _>(secret(of))
            .bind::<SqlUuid, _>(client)
            .bind::<SqlUuid, _>(customer)
            .bind::<Text, _>(address)
            .get_result(&mut connection)
            .await
            .map_err(refused)?;
        Ok(ends.value)
    }

    /// Ends what [`Self::view_as`] began; tells which customer it was, `None` when nothing was open.
    ///
    /// # Errors
    /// [`DbError::SessionEnded`].
    pub async fn stop_viewing(&self, of: SessionSecret) -> Result<Option<(ClientId, CustomerId)>, DbError> {
        #[derive(QueryableByName)]
        struct Viewed {
            #[diesel(sql_type = SqlUuid)]
            client_id: ClientId,
            #[diesel(sql_type = SqlUuid)]
            customer_id: CustomerId,
        }
        let mut connection = self.connection().await?;
        let viewed: Option<Viewed> = sql_query("SELECT * FROM public.stop_viewing($1)")
            .bind::<Binary, _>(secret(of))
            .get_result(&mut connection)
            .await
            .optional()
            .map_err(refused)?;
        Ok(viewed.map(|viewed| (viewed.client_id, viewed.customer_id)))
    }

    /// Changes the password of a session's user, ends the user's other sessions and gives a ticket for a
    /// new one; `None` when the old password is wrong.
    ///
    /// # Errors
    /// [`DbError::SessionEnded`], [`DbError::Limited`] after too many wrong ones, or when the database fails.
    pub async fn change_password(
        &self,
        of: SessionSecret,
        old_digest: &[u8],
        new_salt: &str,
        new_digest: &[u8],
        address: &str,
    ) -> Result<Option<Ticket>, DbError> {
        let mut connection = self.connection().await?;
        let bytes: Bytes = sql_query("SELECT public.change_password($1, $2, $3, $4, $5) AS value")
            .bind::<Binary, _>(secret(of))
            .bind::<Binary, _>(old_digest)
            .bind::<Text, _>(new_salt)
            .bind::<Binary, _>(new_digest)
            .bind::<Text, _>(address)
            .get_result(&mut connection)
            .await
            .map_err(refused)?;
        Ok(bytes.value.map(Ticket))
    }

    /// What a one-time link invites to; `None` when it is spent, revoked or unknown.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn invitation_by_token(&self, token: &[u8]) -> Result<Option<Invited>, DbError> {
        let mut connection = self.connection().await?;
        Ok(sql_query("SELECT * FROM public.invitation_by_token($1)")
            .bind::<Binary, _>(token)
            .get_result(&mut connection)
            .await
            .optional()?)
    }

    /// Accepts an invitation: a known person proves the password, a new one sets it, where it is `fit` for a new login.
    /// Which of them it is stays with the database. Attempts are limited as for signing in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accept_invitation(
        &self,
        token: &[u8],
        name: &str,
        salt: &str,
        digest: &[u8],
        address: &str,
        fit: bool,
    ) -> Result<Accepted, DbError> {
        let mut connection = self.connection().await?;
        let words: Words = sql_query("SELECT public.accept_invitation($1, $2, $3, $4, $5, $6, $7, $8) AS value")
            .bind::<Binary, _>(token)
            .bind::<SqlUuid, _>(UserId::fresh())
            .bind::<SqlUuid, _>(AssignmentId::fresh())
            .bind::<Text, _>(name)
            .bind::<Text, _>(salt)
            .bind::<Binary, _>(digest)
            .bind::<Text, _>(address)
            .bind::<Bool, _>(fit)
            .get_result(&mut connection)
            .await?;
        Ok(match words.value.as_str() {
            "accepted" => Accepted::Yes,
            "wrong" => Accepted::Wrong,
            "limited" => Accepted::Limited,
            _ => Accepted::Refused,
        })
    }
}

impl Db {
    /// Versions of the migrations that the database has, read with the portal's own login.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn applied_migrations(&self) -> Result<Vec<String>, DbError> {
        let mut connection = self.connection().await?;
        let applied: Vec<Words> =
            sql_query("SELECT version AS value FROM public.__diesel_schema_migrations").load(&mut connection).await?;
        Ok(applied.into_iter().map(|row| row.value).collect())
    }
}
