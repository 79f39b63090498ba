//! Choosing and switching what one acts as, and the way home.

use axum::response::{IntoResponse, Response};
use eis::access::Role;
use eis::ids::{AssignmentId, OrganizationId};
use eis::users;
use leptos::prelude::*;

use super::frame::{Place, page as framed};
use crate::components::{EmptyState, PageHeader, SwitchTarget, Switcher};
use crate::format::hue_of;
use crate::server::auth::rotate;
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, ctx, see_other};

/// `GET /`: everybody's start page.
pub async fn home(ctx: Ctx) -> Result<Response, AppError> {
    let actor = ctx.require_user()?;
    let to = match (actor.role, &actor.organization, actor.client) {
        (Some(Role::EisStaff), None, _) => "/staff/organizations".to_owned(),
        (Some(Role::EisStaff | Role::EnergyAdmin), Some(_), _) => "/organization".to_owned(),
        (Some(Role::ClientAdmin), _, Some(client)) => format!("/clients/{client}"),
        (Some(Role::CustomerUser), ..) => "/account".to_owned(),
        _ => "/switch".to_owned(),
    };
    Ok(see_other(&to))
}

/// `GET /switch`: what one may act as.
pub async fn page(ctx: Ctx) -> Result<Response, AppError> {
    let actor = ctx.require_user()?;
    let mut tx = ctx.read(&actor).await?;
    let rows = users::my_assignments(&mut tx).await?;
    drop(tx);
    let staff = rows.iter().any(|row| row.role == Role::EisStaff.code());
    let current = actor.assignment;
    let targets: Vec<SwitchTarget> = rows
        .into_iter()
        .map(|row| {
            let role = Role::parse(&row.role).map_or("", Role::label);
            let name = row.organization_name.unwrap_or_else(|| "EIS Power".to_owned());
            let detail = match (row.client_name, row.account_number) {
                (Some(client), Some(account)) => format!("{role} · {client} · account {account}"),
                (Some(client), None) => format!("{role} · {client}"),
                _ => role.to_owned(),
            };
            SwitchTarget {
                field: ("assignment".to_owned(), row.assignment_id.to_string()),
                hue: hue_of(row.organization_slug.as_deref().unwrap_or("eis")),
                name,
                detail,
                current: Some(row.assignment_id) == current,
            }
        })
        .collect();
    let context = actor.context_token();
    let html = framed(&ctx, &actor, Place::default(), "Switch", move || {
        view! {
            <PageHeader title="Choose what to open" subtitle="You act as one role in one organisation at a time; everything you see and write belongs to it."/>
            {if targets.is_empty() {
                view! { <EmptyState title="No role is open to you" text="Your roles have ended or were taken back. Ask your administrator for an invitation."/> }.into_any()
            } else {
                view! { <Switcher context=context action="/api/switch" targets=targets/> }.into_any()
            }}
            {staff.then(|| view! { <p><a href="/staff/organizations">"All organisations (EIS staff)"</a></p> })}
        }
    })
    .await;
    Ok(html.into_response())
}

/// Opens another assignment, or, for EIS staff, an organization.
#[server(prefix = "/api", endpoint = "switch")]
pub(crate) async fn switch(
    #[server(default)] assignment: String,
    #[server(default)] organization: String,
) -> Result<(), ServerFnError> {
    act(async {
        let ctx = ctx()?;
        let actor = ctx.require_user()?;
        let assignment: Option<AssignmentId> = assignment.parse().ok();
        let organization: Option<OrganizationId> = organization.parse().ok();
        if assignment.is_none() && organization.is_none() {
            return Err(AppError::BadRequest("Choose what to open.".into()));
        }
        let ticket = ctx.db().switch_context(actor.secret, assignment, organization).await?;
        rotate(&ctx.auth, &ticket, &ctx.address, &ctx.agent).await?;
        Ok(Done::to("/"))
    })
    .await
}
