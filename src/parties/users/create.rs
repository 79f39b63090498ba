//! What an operator does about users at the terminal: making one with a role (a taken address gets the role on top of
//! what it has). What is lost is replaced in [`lost`](super::lost).

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::json;

use crate::access::Role;
use crate::access::passwords;
use crate::audit::{self, Entry};
use crate::db::schema::{clients, organizations};
use crate::db::{DbError, lower, owner::Owner};
use crate::parties::customers;
use crate::values::clock;
use crate::values::identifiers;
use crate::values::ids::{AssignmentId, ClientId, CustomerId, OrganizationId, UserId};

/// Tables that only the owner reads, and so are no part of the schema at large.
pub(super) mod tables {
    use diesel::table;

    table! {
        users (id) {
            id -> Uuid,
            email -> Text,
            name -> Text,
            password_salt -> Nullable<Text>,
            password_proof -> Nullable<Binary>,
            password_changed_at -> Nullable<Timestamptz>,
            status -> Text,
        }
    }

    table! {
        role_assignments (id) {
            id -> Uuid,
            organization_id -> Nullable<Uuid>,
            user_id -> Uuid,
            role -> Text,
            administrator -> Bool,
            client_id -> Nullable<Uuid>,
            customer_id -> Nullable<Uuid>,
            valid_to -> Nullable<Timestamptz>,
            last_day -> Nullable<Date>,
        }
    }
}

pub(super) use tables::{role_assignments, users};

/// Whom to make, as what, where.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The address to sign in with.
    pub email: String,
    /// The person's name; a user who is there already keeps theirs.
    pub name: String,
    /// The password; a user who is there already keeps theirs.
    pub password: String,
    /// The role.
    pub role: Role,
    /// EIS staff who may work as the system across organizations.
    pub administrator: bool,
    /// The organization's short name, for every role but EIS staff.
    pub organization: Option<String>,
    /// The client's short name, for client admins and customers.
    pub client: Option<String>,
    /// The account number, for customers.
    pub customer: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A new user with the role.
    Created,
    /// The user was there and has the role too now.
    RoleAdded,
    /// The user was there with that role already; nothing was changed.
    AlreadyThere,
}

/// Why a user cannot be made, as a sentence.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Something typed is wrong.
    #[error("{0}")]
    Input(String),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for CreateError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

pub(super) fn input<T>(message: impl Into<String>) -> Result<T, CreateError> {
    Err(CreateError::Input(message.into()))
}

/// Where a role holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    organization: Option<OrganizationId>,
    client: Option<ClientId>,
    customer: Option<CustomerId>,
}

/// Makes the user, or adds the role to the one who has this address.
///
/// # Errors
/// [`CreateError::Input`] with a sentence for whoever typed it.
pub async fn create(admin_url: &str, new: &NewUser) -> Result<Outcome, CreateError> {
    let new = &NewUser { email: address(&new.email)?, ..new.clone() };
    check(new)?;
    let mut tx = Owner::begin(admin_url).await?;
    let place = place(&mut tx, new).await?;
    let known: Option<UserId> = users::table
        .filter(lower(users::email).eq(lower(&new.email)))
        .select(users::id)
        .first(&mut *tx)
        .await
        .optional()?;
    let (user, outcome) = match known {
        Some(id) if new.administrator && promote(&mut tx, id).await? => {
            tx.commit().await?;
            return Ok(Outcome::RoleAdded);
        }
        Some(id) if holds(&mut tx, id, new.role, place).await? => return Ok(Outcome::AlreadyThere),
        Some(id) if prolong(&mut tx, id, new.role, place).await? => {
            tx.commit().await?;
            return Ok(Outcome::RoleAdded);
        }
        // Whoever was invited somewhere chose that login's password; staff get a login that only this command made.
        Some(_) if new.role == Role::EisStaff => {
            return input(format!(
                "{} has a login already; EIS staff need one of their own, under another address",
                new.email
            ));
        }
        Some(id) => (id, Outcome::RoleAdded),
        None => (insert(&mut tx, new).await?, Outcome::Created),
    };
    assign(&mut tx, user, new, place).await?;
    tx.commit().await?;
    Ok(outcome)
}

/// What says that a role has not ended.
type NotEnded = diesel::dsl::Or<
    diesel::dsl::IsNull<role_assignments::valid_to>,
    diesel::dsl::Gt<role_assignments::valid_to, diesel::dsl::now>,
>;

/// Whether a role has not ended: it is in force, or will be.
pub(super) fn not_ended() -> NotEnded {
    role_assignments::valid_to.is_null().or(role_assignments::valid_to.gt(diesel::dsl::now))
}

/// What the database keeps of a password.
#[derive(AsChangeset, Insertable)]
#[diesel(table_name = users)]
pub(super) struct Password {
    password_salt: String,
    password_proof: Vec<u8>,
    password_changed_at: chrono::DateTime<chrono::Utc>,
}

impl Password {
    /// Of a new password, unless it is one that is guessed.
    pub(super) fn of(password: &str, about: &[&str]) -> Result<Self, CreateError> {
        if let Some(fault) = passwords::fault(password, about) {
            return input(fault);
        }
        let salt = passwords::fresh_salt();
        let proof = proof(password, &salt)?;
        Ok(Self { password_salt: salt, password_proof: proof, password_changed_at: clock::now() })
    }
}

fn address(typed: &str) -> Result<String, CreateError> {
    identifiers::login(typed)
        .or_else(|fault| input(format!("{typed:?} is not an e-mail address to sign in with. {fault}")))
}

fn check(new: &NewUser) -> Result<(), CreateError> {
    if new.name.trim().is_empty() {
        return input("a user needs a name: give --name");
    }
    if new.administrator && new.role != Role::EisStaff {
        return input("--administrator is for the role eis_staff");
    }
    let asked = (new.organization.is_some(), new.client.is_some(), new.customer.is_some());
    let (wanted, words) = match new.role {
        Role::EisStaff => ((false, false, false), "no --organization, --client or --customer"),
        Role::EnergyAdmin => ((true, false, false), "--organization, and no --client or --customer"),
        Role::ClientAdmin => ((true, true, false), "--organization and --client, and no --customer"),
        Role::CustomerUser => ((true, true, true), "--organization, --client and --customer"),
    };
    if asked != wanted {
        return input(format!("the role {} takes {words}", new.role.code()));
    }
    Ok(())
}

/// Finds what was named; stands at the organization.
async fn place(tx: &mut Owner, new: &NewUser) -> Result<Place, CreateError> {
    let mut place = Place { organization: None, client: None, customer: None };
    let Some(slug) = &new.organization else { return Ok(place) };
    let found: Option<OrganizationId> = organizations::table
        .filter(organizations::slug.eq(identifiers::canonical(slug)))
        .select(organizations::id)
        .first(&mut **tx)
        .await
        .optional()?;
    let Some(organization) = found else { return input(format!("there is no organisation {slug:?}")) };
    tx.stand_at(organization).await?;
    place.organization = Some(organization);
    if let Some(slug) = &new.client {
        place.client = clients::table
            .filter(clients::organization_id.eq(organization).and(clients::slug.eq(identifiers::canonical(slug))))
            .select(clients::id)
            .first(&mut **tx)
            .await
            .optional()?;
        let Some(client) = place.client else { return input(format!("the organisation has no client {slug:?}")) };
        if let Some(account) = &new.customer {
            place.customer = customers::with_number(tx.tenant(), client, account).await?;
            if place.customer.is_none() {
                return input(format!("the client has no customer with the account number {account:?}"));
            }
        }
    }
    Ok(place)
}

async fn holds(conn: &mut AsyncPgConnection, user: UserId, role: Role, place: Place) -> QueryResult<bool> {
    let held: Vec<(Option<OrganizationId>, Option<ClientId>, Option<CustomerId>)> = role_assignments::table
        .filter(role_assignments::user_id.eq(user).and(role_assignments::role.eq(role.code())))
        .filter(role_assignments::valid_to.is_null())
        .select((role_assignments::organization_id, role_assignments::client_id, role_assignments::customer_id))
        .load(conn)
        .await?;
    Ok(held.contains(&(place.organization, place.client, place.customer)))
}

/// Takes away the end of a role that holds for some time yet; false when there is none. No right is held twice.
async fn prolong(conn: &mut AsyncPgConnection, user: UserId, role: Role, place: Place) -> QueryResult<bool> {
    let held = role_assignments::table
        .filter(role_assignments::user_id.eq(user).and(role_assignments::role.eq(role.code())))
        .filter(role_assignments::valid_to.gt(diesel::dsl::now))
        .filter(role_assignments::organization_id.is_not_distinct_from(place.organization))
        .filter(role_assignments::client_id.is_not_distinct_from(place.client))
        .filter(role_assignments::customer_id.is_not_distinct_from(place.customer));
    let no_end: (Option<chrono::DateTime<chrono::Utc>>, Option<chrono::NaiveDate>) = (None, None);
    let changed = diesel::update(held)
        .set((role_assignments::valid_to.eq(no_end.0), role_assignments::last_day.eq(no_end.1)))
        .execute(conn)
        .await?;
    Ok(changed > 0)
}

/// Makes EIS staff administrator too; false when the user is no staff, or is administrator already.
async fn promote(conn: &mut AsyncPgConnection, user: UserId) -> QueryResult<bool> {
    let of_user = role_assignments::user_id.eq(user).and(role_assignments::role.eq(Role::EisStaff.code()));
    let staff = role_assignments::table.filter(of_user).filter(not_ended());
    let changed = diesel::update(staff.filter(role_assignments::administrator.eq(false)))
        .set(role_assignments::administrator.eq(true))
        .execute(conn)
        .await?;
    Ok(changed > 0)
}

async fn insert(conn: &mut AsyncPgConnection, new: &NewUser) -> Result<UserId, CreateError> {
    let id = UserId::fresh();
    let places = [&new.organization, &new.client].map(|place| place.as_deref().unwrap_or_default());
    let about = [new.email.as_str(), &new.name, places[0], places[1]];
    diesel::insert_into(users::table)
        .values((
            users::id.eq(id),
            users::email.eq(&new.email),
            users::name.eq(new.name.trim()),
            users::status.eq("active"),
            Password::of(&new.password, &about)?,
        ))
        .execute(conn)
        .await?;
    Ok(id)
}

/// What the database keeps of a password: the SHA-256 of its Argon2id digest.
pub(crate) fn proof(password: &str, salt: &str) -> Result<Vec<u8>, CreateError> {
    use sha2::{Digest, Sha256};
    let digest = passwords::digest(password, salt).map_err(|error| CreateError::Input(error.to_string()))?;
    Ok(Sha256::digest(digest).to_vec())
}

async fn assign(conn: &mut AsyncPgConnection, user: UserId, new: &NewUser, place: Place) -> QueryResult<()> {
    let id = AssignmentId::fresh();
    diesel::insert_into(role_assignments::table)
        .values((
            role_assignments::id.eq(id),
            role_assignments::user_id.eq(user),
            role_assignments::role.eq(new.role.code()),
            role_assignments::administrator.eq(new.administrator),
            role_assignments::organization_id.eq(place.organization),
            role_assignments::client_id.eq(place.client),
            role_assignments::customer_id.eq(place.customer),
        ))
        .execute(conn)
        .await?;
    // EIS staff belong to no organization, and the audit log has no place outside one.
    let Some(organization) = place.organization else { return Ok(()) };
    let entry = Entry {
        action: "grant",
        entity: "role_assignment",
        entity_id: Some(id.0),
        customer: place.customer,
        summary: format!("Made {} {} at the terminal", new.name.trim(), new.role.label()),
        details: json!({ "email": new.email, "role": new.role.code() }),
    };
    audit::record_at_terminal(conn, organization, place.client, entry).await
}
