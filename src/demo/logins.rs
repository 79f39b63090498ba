//! The demo's logins as they are printed: read from the database, so that a second call says the same.

use chrono::NaiveDate;
use diesel::QueryableByName;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use uuid::Uuid;

use super::cast::PASSWORD;
use crate::access::Role;
use crate::db::{DbError, owner::Owner};
use crate::values::ids::OrganizationId;

/// Somebody who can sign in to the demo, with paths that they may open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Login {
    /// The role's code; of several, the first.
    pub role: String,
    /// The organization's name; `None` where there is none or several.
    pub organization: Option<String>,
    /// The client's name; `None` where there is none or several.
    pub client: Option<String>,
    /// What to sign in with.
    pub email: String,
    /// What to sign in with.
    pub password: &'static str,
    /// The start page.
    pub home: String,
    /// An invoice, where the role has one.
    pub invoice: Option<String>,
}

#[derive(QueryableByName)]
struct Held {
    #[diesel(sql_type = SqlUuid)]
    user_id: Uuid,
    #[diesel(sql_type = Text)]
    email: String,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    organization_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    organization: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    client_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    customer_id: Option<Uuid>,
}

/// The roles of these users, in their order.
const HELD: &str = "
    SELECT u.id AS user_id, u.email, a.role, a.organization_id, g.name AS organization, a.client_id, a.customer_id
    FROM unnest($1) WITH ORDINALITY AS wanted (id, place)
    JOIN public.users u ON u.id = wanted.id
    JOIN public.role_assignments a ON a.user_id = u.id AND (a.valid_to IS NULL OR a.valid_to > now())
    LEFT JOIN public.organizations g ON g.id = a.organization_id
    ORDER BY wanted.place, a.role, a.id";

/// Reads the logins of these users.
pub async fn read(tx: &mut Owner, users: &[Uuid], as_of: NaiveDate) -> Result<Vec<Login>, DbError> {
    let held: Vec<Held> = sql_query(HELD).bind::<Array<SqlUuid>, _>(users).load(&mut **tx).await?;
    let mut logins = Vec::with_capacity(users.len());
    for of_user in held.chunk_by(|one, other| one.user_id == other.user_id) {
        if let [only] = of_user {
            logins.push(login(tx, only, as_of).await?);
        } else if let Some(first) = of_user.first() {
            logins.push(Login { organization: None, client: None, home: "/switch".to_owned(), ..bare(first) });
        }
    }
    Ok(logins)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many of these users are active and still have the password that they were made with.
pub async fn unchanged(tx: &mut Owner, users: &[Uuid]) -> Result<i64, DbError> {
    let query = sql_query(
        "SELECT count(*) AS count FROM public.users u WHERE u.id = ANY ($1) AND u.status = 'active' AND u.password_changed_at = u.created_at",
    );
    let found: Count = query.bind::<Array<SqlUuid>, _>(users).get_result(&mut **tx).await?;
    Ok(found.count)
}

fn bare(held: &Held) -> Login {
    Login {
        role: held.role.clone(),
        organization: held.organization.clone(),
        client: None,
        email: held.email.clone(),
        password: PASSWORD,
        home: "/staff/organizations".to_owned(),
        invoice: None,
    }
}

async fn login(tx: &mut Owner, held: &Held, as_of: NaiveDate) -> Result<Login, DbError> {
    let mut login = bare(held);
    let Some(organization) = held.organization_id else { return Ok(login) };
    tx.stand_at(OrganizationId(organization)).await?;
    let found = invoice(tx, organization, held, as_of).await?;
    login.client = client(tx, organization, held).await?;
    let of_client = |invoice: &Invoice| format!("/clients/{}/invoices/{}", invoice.client_id, invoice.id);
    (login.home, login.invoice) = match (Role::parse(&held.role), held.client_id) {
        (Some(Role::ClientAdmin), Some(client)) => (format!("/clients/{client}"), found.as_ref().map(of_client)),
        (Some(Role::CustomerUser), _) => {
            ("/account".to_owned(), found.map(|invoice| format!("/account/invoices/{}", invoice.id)))
        }
        _ => ("/organization".to_owned(), found.as_ref().map(of_client)),
    };
    Ok(login)
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

async fn client(tx: &mut Owner, organization: Uuid, held: &Held) -> Result<Option<String>, DbError> {
    let names: Vec<Name> = sql_query("SELECT name FROM public.clients WHERE organization_id = $1 AND id = $2")
        .bind::<SqlUuid, _>(organization)
        .bind::<Nullable<SqlUuid>, _>(held.client_id)
        .load(&mut **tx)
        .await?;
    Ok(names.into_iter().next().map(|client| client.name))
}

#[derive(QueryableByName)]
struct Invoice {
    #[diesel(sql_type = SqlUuid)]
    client_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// The latest invoice from before the demo's day, so that what is billed since changes nothing here.
async fn invoice(
    tx: &mut Owner,
    organization: Uuid,
    held: &Held,
    as_of: NaiveDate,
) -> Result<Option<Invoice>, DbError> {
    let found: Vec<Invoice> = sql_query(
        "SELECT client_id, id FROM public.invoices
         WHERE organization_id = $1 AND ($2 IS NULL OR client_id = $2) AND ($3 IS NULL OR customer_id = $3)
           AND status <> 'draft' AND kind = 'invoice' AND issued_on < $4
         ORDER BY issued_on DESC, series, number DESC LIMIT 1",
    )
    .bind::<SqlUuid, _>(organization)
    .bind::<Nullable<SqlUuid>, _>(held.client_id)
    .bind::<Nullable<SqlUuid>, _>(held.customer_id)
    .bind::<Date, _>(as_of)
    .load(&mut **tx)
    .await?;
    Ok(found.into_iter().next())
}
