//! Choosing and switching what one acts as, and the way home.

use axum::response::{IntoResponse, Response};
use eis::access::{Actor, Role};
use eis::parties::users;
use eis::values::ids::{AssignmentId, OrganizationId};
use leptos::prelude::*;

use super::frame::{Place, page as framed};
use super::recent::{Kept, RECENT_KEPT, keep, kept, recent};
use crate::components::{ButtonLink, EmptyState, Kind, PageHeader, Section, SwitchTarget, Switcher};
use crate::format::hue_of;
use crate::server::auth::rotate;
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, ctx, see_other};

/// `GET /`: everybody's start page.
pub async fn home(ctx: Ctx) -> Result<Response, AppError> {
    let actor = ctx.require_user()?;
    if actor.factor_due.is_some_and(|due| due.over) {
        return Err(AppError::SecondFactorNeeded);
    }
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
    // Staff in an organization act in it, not on their own start page.
    let current = actor.assignment.filter(|_| actor.role != Some(Role::EisStaff) || actor.organization.is_none());
    let targets: Vec<SwitchTarget> = rows
        .into_iter()
        .map(|row| {
            let role = Role::parse(&row.role).map_or_else(String::new, |role| role.narrowed_label(row.narrowed));
            let name = row.organization_name.unwrap_or_else(|| "EIS Power".to_owned());
            let detail = match (row.client_name, row.account_number) {
                (Some(client), Some(account)) => format!("{role} · {client} · account {account}"),
                (Some(client), None) => format!("{role} · {client}"),
                _ => role,
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
    remember(&ctx, &actor, &targets).await;
    let opened: Vec<SwitchTarget> =
        recent(&ctx, &actor).await.into_iter().filter(|target| target.field.0 == "organization").collect();
    let context = actor.context_token();
    let again = context.clone();
    let html = framed(&ctx, &actor, Place::default(), "Switch", move || {
        view! {
            <PageHeader title="Choose what to open" subtitle="You act as one role in one organisation at a time; everything you see and write belongs to it."/>
            {if targets.is_empty() {
                view! { <EmptyState title="No role is open to you" text="Your roles have ended or were taken back. Ask your administrator for an invitation."/> }.into_any()
            } else {
                view! { <Switcher context=context action="/api/switch" targets=targets/> }.into_any()
            }}
            {(staff && !opened.is_empty()).then(|| view! {
                <Section title="Opened last"><Switcher context=again action="/api/switch" targets=opened/></Section>
            })}
            {staff.then(|| view! { <ButtonLink label="All organisations (EIS staff)" href="/staff/organizations" kind=Kind::Secondary/> })}
        }
    })
    .await;
    Ok(html.into_response())
}

/// Keeps one's assignments; organizations that staff opened stay before them.
async fn remember(ctx: &Ctx, actor: &Actor, targets: &[SwitchTarget]) {
    if targets.len() < 2 {
        return;
    }
    let before = kept(ctx, actor).await;
    let mut all: Vec<Kept> = before.iter().filter(|kept| kept.field.0 == "organization").cloned().collect();
    let fresh = targets.iter().map(|target| Kept {
        field: target.field.clone(),
        name: target.name.clone(),
        detail: target.detail.clone(),
        hue: target.hue,
    });
    all.extend(fresh.take(RECENT_KEPT));
    // Unchanged: nothing to write.
    if before.iter().map(|kept| &kept.field).ne(all.iter().map(|kept| &kept.field)) {
        keep(ctx, actor, all).await;
    }
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
