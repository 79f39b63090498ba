//! Members of a workspace: client admins who may read it, write in it or run it. Who runs the organization needs not be one.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::json;

use super::{locked, record};
use crate::access::Actor;
use crate::audit;
use crate::db::AtClient;
use crate::db::refused::{Outcome, Refused};
use crate::db::schema::workspace_members;
use crate::values::codes::codes;
use crate::values::ids::{UserId, WorkspaceId};

codes! {
    /// What a member may do.
    Role {
        /// Read.
        Reader = "reader",
        /// Put files and data sources in, and take them out.
        Editor = "editor",
        /// Say who is a member, publish, archive and delete.
        Owner = "owner",
    }
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Member {
    /// Who.
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    /// What they may do.
    #[diesel(sql_type = Text)]
    pub role: Role,
    /// Their name; `None`: somebody of the organization whom the reader does not see.
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    /// Their address, as the name.
    #[diesel(sql_type = Nullable<Text>)]
    pub email: Option<String>,
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// There is no such workspace that the actor owns.
    NotThere,
    /// The person is no client admin of this client today.
    NoClientAdmin,
    /// The person is a member already.
    AlreadyMember,
    /// The person is no member.
    NotMember,
    /// Nobody would own the workspace.
    LastOwner,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

/// Whether somebody is an admin of the here's client today.
async fn is_client_admin(conn: &mut AsyncPgConnection, here: &AtClient, user: UserId) -> QueryResult<bool> {
    let count: Count = sql_query(
        "SELECT count(*) AS value FROM public.organization_users() u WHERE u.user_id = $1 AND u.client_id = $2 \
         AND u.role = 'client_admin' AND u.status = 'active' AND u.valid_from <= now() AND (u.valid_to IS NULL OR u.valid_to > now())",
    )
    .bind::<SqlUuid, _>(user)
    .bind::<SqlUuid, _>(here.client)
    .get_result(conn)
    .await?;
    Ok(count.value > 0)
}

/// The members of a workspace, owners first.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &AsyncPgConnection, here: &AtClient, workspace: WorkspaceId) -> QueryResult<Vec<Member>> {
    let mut conn = conn;
    sql_query(
        "SELECT m.user_id, m.role, u.name, u.email FROM public.workspace_members m \
         LEFT JOIN (SELECT DISTINCT ON (o.user_id) o.user_id, o.name, o.email FROM public.organization_users() o ORDER BY o.user_id) u USING (user_id) \
         WHERE m.organization_id = $1 AND m.client_id = $2 AND m.workspace_id = $3 \
         ORDER BY array_position('{owner,editor,reader}', m.role), u.name, m.user_id",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<SqlUuid, _>(workspace)
    .load(&mut conn)
    .await
}

/// A member's role, and how many own the workspace. Held by the workspace's lock, so that it is true until the end.
async fn standing(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    workspace: WorkspaceId,
    user: UserId,
) -> QueryResult<(Option<Role>, usize)> {
    let all: Vec<(UserId, Role)> = workspace_members::table
        .filter(workspace_members::organization_id.eq(here.organization))
        .filter(workspace_members::client_id.eq(here.client).and(workspace_members::workspace_id.eq(workspace)))
        .select((workspace_members::user_id, workspace_members::role))
        .load(conn)
        .await?;
    let role = all.iter().find(|(known, _)| *known == user).map(|(_, role)| *role);
    Ok((role, all.iter().filter(|(_, role)| *role == Role::Owner).count()))
}

/// Locks the workspace; the member's role, where the change leaves an owner: `to` is what the member is afterwards.
async fn changeable(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    workspace: WorkspaceId,
    user: UserId,
    to: Option<Role>,
) -> Outcome<Role, Violation> {
    locked(conn, here, workspace).await?.ok_or(Refused::by(Violation::NotThere))?;
    let (role, owners) = standing(conn, here, workspace, user).await?;
    let role = role.ok_or(Refused::by(Violation::NotMember))?;
    if role == Role::Owner && to != Some(Role::Owner) && owners == 1 {
        return Err(Refused::by(Violation::LastOwner));
    }
    Ok(role)
}

/// Makes a client admin a member.
///
/// # Errors
/// [`Violation::NotThere`], [`Violation::NoClientAdmin`], [`Violation::AlreadyMember`].
pub async fn add(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    workspace: WorkspaceId,
    user: UserId,
    role: Role,
) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    locked(conn, &here, workspace).await?.ok_or(Refused::by(Violation::NotThere))?;
    if !is_client_admin(conn, &here, user).await? {
        return Err(Refused::by(Violation::NoClientAdmin));
    }
    let row = (
        workspace_members::organization_id.eq(here.organization),
        workspace_members::client_id.eq(here.client),
        workspace_members::workspace_id.eq(workspace),
        workspace_members::user_id.eq(user),
        workspace_members::role.eq(role),
        workspace_members::created_by.eq(actor.user.0),
    );
    diesel::insert_into(workspace_members::table)
        .values(row)
        .execute(conn)
        .await
        .map_err(|error| Refused::constraint(error, [("workspace_members_pkey", Violation::AlreadyMember)]))?;
    let details = audit::created(json!({ "member": user, "role": role }));
    record(conn, actor, ("add_member", "workspace"), workspace.0, "Added a member to a workspace", details).await?;
    Ok(())
}

/// Gives a member another role.
///
/// # Errors
/// [`Violation::NotThere`], [`Violation::NotMember`], [`Violation::LastOwner`].
pub async fn update(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    workspace: WorkspaceId,
    user: UserId,
    role: Role,
) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let before = changeable(conn, &here, workspace, user, Some(role)).await?;
    let member = workspace_members::table
        .filter(workspace_members::organization_id.eq(here.organization))
        .filter(workspace_members::client_id.eq(here.client).and(workspace_members::workspace_id.eq(workspace)))
        .filter(workspace_members::user_id.eq(user));
    diesel::update(member).set(workspace_members::role.eq(role)).execute(conn).await?;
    let mut details = audit::changed(json!({ "role": before }), json!({ "role": role }));
    if before != role {
        details["member"] = json!(user);
    }
    record(conn, actor, ("change_member", "workspace"), workspace.0, "Changed a member's role in a workspace", details)
        .await?;
    Ok(())
}

/// Ends a membership.
///
/// # Errors
/// [`Violation::NotThere`], [`Violation::NotMember`], [`Violation::LastOwner`].
pub async fn remove(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    workspace: WorkspaceId,
    user: UserId,
) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let before = changeable(conn, &here, workspace, user, None).await?;
    let member = workspace_members::table
        .filter(workspace_members::organization_id.eq(here.organization))
        .filter(workspace_members::client_id.eq(here.client).and(workspace_members::workspace_id.eq(workspace)))
        .filter(workspace_members::user_id.eq(user));
    diesel::delete(member).execute(conn).await?;
    let details = audit::removed(json!({ "member": user, "role": before }));
    record(conn, actor, ("remove_member", "workspace"), workspace.0, "Removed a member from a workspace", details)
        .await?;
    Ok(())
}
