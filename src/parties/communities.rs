//! Energy communities: customers who share what some of them generate. The client's own: a member sees none of the others.

pub mod members;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use crate::access::Actor;
use crate::audit;
use crate::db::AtClient;
use crate::db::DbError;
use crate::db::lower;
use crate::db::refused::{Outcome, Refused};
use crate::db::schema::{communities, community_members};
use crate::values::codes::codes;
use crate::values::ids::{ClientId, CommunityId, CustomerId, OrganizationId};
use crate::values::texts::{TextFault, line, note};

codes! {
    /// How generation is shared.
    Sharing {
        /// Each member gets its key of what is generated.
        Fixed = "fixed",
        /// What each uses in an interval decides, within its key.
        ByUsage = "by_usage",
    }
}

/// A community.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = communities)]
pub struct Community {
    /// Its id.
    pub id: CommunityId,
    /// What people call it.
    pub name: String,
    /// How generation is shared.
    pub sharing: Sharing,
    /// Its first day.
    pub starts_on: NaiveDate,
    /// First day no longer; `None`: it goes on.
    pub ends_on: Option<NaiveDate>,
}

/// What makes or changes a community.
#[derive(Debug, Clone, PartialEq, Eq, Insertable, AsChangeset, serde::Serialize)]
#[diesel(table_name = communities, treat_none_as_null = true)]
pub struct Fields {
    /// What people call it.
    pub name: String,
    /// How generation is shared.
    pub sharing: Sharing,
    /// Its first day.
    pub starts_on: NaiveDate,
    /// First day no longer; `None`: it goes on.
    pub ends_on: Option<NaiveDate>,
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// Of the name.
    Name(TextFault),
    /// Another community of the client has the name, whatever its case.
    NameTaken,
    /// It does not end after it starts.
    EndsBeforeStart,
    /// A member shares on days that would lie outside: from, and to where it ends.
    MemberOutside {
        /// The customer.
        customer: CustomerId,
        /// The member's first day.
        from: NaiveDate,
        /// The member's first day no longer.
        to: Option<NaiveDate>,
    },
    /// So many memberships stand in it still.
    HasMembers(i64),
    /// The actor reads and changes nothing.
    MayNotWrite,
    /// There is no such community that the actor may change.
    NotThere,
}

impl From<&Community> for Fields {
    fn from(row: &Community) -> Self {
        let Community { name, sharing, starts_on, ends_on, .. } = row.clone();
        Self { name, sharing, starts_on, ends_on }
    }
}

impl Fields {
    fn checked(&self) -> Outcome<Self, Violation> {
        let mut violations = vec![];
        let name = note(line(&self.name, 200), &mut violations, Violation::Name);
        if self.ends_on.is_some_and(|ends| ends <= self.starts_on) {
            violations.push(Violation::EndsBeforeStart);
        }
        Refused::unless(violations, ())?;
        Ok(Self { name, ..self.clone() })
    }
}

async fn record(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    (action, done): (&str, &str),
    (id, customer): (CommunityId, Option<CustomerId>),
    (name, details): (&str, Value),
) -> Result<(), DbError> {
    let summary = format!("{done} the community {name}");
    let entry = audit::Entry { action, entity: "community", entity_id: Some(id.0), customer, summary, details };
    audit::record(conn, actor, entry).await
}

/// Makes a community.
///
/// # Errors
/// The violations of its fields; [`Violation::NameTaken`], also of two at once.
pub async fn create(conn: &mut AsyncPgConnection, actor: &Actor, fields: &Fields) -> Outcome<CommunityId, Violation> {
    let (here, fields, id) = (AtClient::of(actor)?, fields.checked()?, CommunityId::fresh());
    let keys = (
        communities::organization_id.eq(here.organization),
        communities::client_id.eq(here.client),
        communities::id.eq(id),
        communities::created_by.eq(actor.user.0),
    );
    let taken = [("communities_name", Violation::NameTaken)];
    diesel::insert_into(communities::table)
        .values((keys, &fields))
        .execute(conn)
        .await
        .map_err(|error| Refused::constraint_or_policy(error, Violation::MayNotWrite, taken))?;
    record(conn, actor, ("create", "Created"), (id, None), (&fields.name, audit::created(&fields))).await?;
    Ok(id)
}

/// Changes a community, within whose days its members stay.
///
/// # Errors
/// The violations of its fields; [`Violation::NameTaken`], [`Violation::MemberOutside`], [`Violation::NotThere`].
pub async fn update(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: CommunityId,
    fields: &Fields,
) -> Outcome<(), Violation> {
    let (here, fields) = (AtClient::of(actor)?, fields.checked()?);
    let before = locked(conn, &here, id).await?.ok_or(Refused::by(Violation::NotThere))?;
    let within = |member: &members::Member| {
        member.valid_from >= fields.starts_on
            && fields.ends_on.is_none_or(|ends| member.valid_to.is_some_and(|to| to <= ends))
    };
    if let Some(outside) = members::list(conn, &here, id).await?.iter().find(|member| !within(member)) {
        let (customer, from, to) = (outside.customer_id, outside.valid_from, outside.valid_to);
        return Err(Refused::by(Violation::MemberOutside { customer, from, to }));
    }
    diesel::update(of(&here).filter(communities::id.eq(id)))
        .set(&fields)
        .execute(conn)
        .await
        .map_err(|error| Refused::constraint(error, [("communities_name", Violation::NameTaken)]))?;
    let details = audit::changed(Fields::from(&before), &fields);
    record(conn, actor, ("update", "Changed"), (id, None), (&fields.name, details)).await?;
    Ok(())
}

/// Deletes a community that never had a member.
///
/// # Errors
/// [`Violation::NotThere`], [`Violation::HasMembers`].
pub async fn delete(conn: &mut AsyncPgConnection, actor: &Actor, id: CommunityId) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let before = locked(conn, &here, id).await?.ok_or(Refused::by(Violation::NotThere))?;
    let members: i64 = community_members::table
        .filter(community_members::organization_id.eq(here.organization))
        .filter(community_members::client_id.eq(here.client).and(community_members::community_id.eq(id)))
        .count()
        .get_result(conn)
        .await?;
    if members > 0 {
        return Err(Refused::by(Violation::HasMembers(members)));
    }
    diesel::delete(of(&here).filter(communities::id.eq(id))).execute(conn).await?;
    let details = audit::removed(Fields::from(&before));
    record(conn, actor, ("delete", "Deleted"), (id, None), (&before.name, details)).await?;
    Ok(())
}

#[diesel::dsl::auto_type(no_type_alias)]
fn of(here: &AtClient) -> _ {
    let organization: OrganizationId = here.organization;
    let client: ClientId = here.client;
    communities::table.filter(communities::organization_id.eq(organization)).filter(communities::client_id.eq(client))
}

/// A client's communities, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &AsyncPgConnection, here: &AtClient) -> QueryResult<Vec<Community>> {
    let mut conn = conn;
    of(here).select(Community::as_select()).order(lower(communities::name)).load(&mut conn).await
}

/// The community of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &AsyncPgConnection, here: &AtClient, id: CommunityId) -> QueryResult<Option<Community>> {
    let mut conn = conn;
    of(here).filter(communities::id.eq(id)).select(Community::as_select()).first(&mut conn).await.optional()
}

/// The community of this id, if the context may change it, locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn locked(conn: &mut AsyncPgConnection, here: &AtClient, id: CommunityId) -> QueryResult<Option<Community>> {
    of(here)
        .filter(communities::id.eq(id))
        .select(Community::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()
}
