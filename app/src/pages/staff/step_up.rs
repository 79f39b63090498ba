//! Stepping up: EIS staff read in the organization that is open; to change something they say why and for how
//! long, and the organization reads it in its audit log.

use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use eis::access::{Actor, Permission, Role};
use eis::db::Db;
use eis::values::clock;
use leptos::prelude::*;
use serde::Deserialize;

use crate::components::{Button, Choice, ErrorSummary, Field, Kind, PageHeader, PostForm, Radios};
use crate::forms::{Reader, Typed};
use crate::pages::frame::{Place, page};
use crate::pages::parts::field_errors;
use crate::server::auth::network;
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, encode, own_path, require};
use crate::server::paths;
use crate::server::query::Query;

/// Where staff step up.
pub const PATH: &str = paths::STEP_UP;
/// For how long.
const MINUTES: [(&str, &str); 3] = [("15", "15 minutes"), ("30", "30 minutes"), ("60", "One hour")];
/// A reason says more than `support`.
const LEAST: usize = 10;

/// EIS staff with an organization open.
fn in_organization(actor: &Actor) -> Result<String, AppError> {
    if actor.role != Some(Role::EisStaff) {
        return Err(AppError::Forbidden);
    }
    actor.organization.as_ref().map(|open| open.name.clone()).ok_or(AppError::ChooseOrganization)
}

/// The page that one came from and goes back to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Back {
    next: String,
}

/// `GET /staff/step-up`
pub async fn show(ctx: Ctx, Query(Back { next }): Query<Back>) -> Result<Response, AppError> {
    let actor = ctx.require(Permission::OpenOrganizations)?;
    let name = in_organization(&actor)?;
    let typed = ctx.take_typed().await;
    let (context, until) = (actor.context_token(), actor.writes_until);
    let html = page(&ctx, &actor, Place::default(), "Make changes", move || match until {
        Some(until) => stop(&name, until, context).into_any(),
        None => ask(&name, &typed, context, next).into_any(),
    })
    .await;
    Ok(html.into_response())
}

fn ask(name: &str, typed: &Typed, context: String, next: String) -> impl IntoView + use<> {
    let (reason, why_not) = (typed.value("reason", ""), typed.error("reason"));
    let (minutes, not_so) = (typed.value("minutes", "15"), typed.error("minutes"));
    let errors = field_errors(typed);
    let here = if next.is_empty() { PATH.to_owned() } else { format!("{PATH}?next={}", encode(&next)) };
    let hidden = vec![("page".to_owned(), here), ("next".to_owned(), next)];
    let choices = MINUTES.iter().map(|(minutes, label)| Choice::new(*minutes, *label)).collect();
    view! {
        <PageHeader title="Make changes" subtitle=format!("In {name}, as EIS staff. Its admins read your reason and each change in their audit log.")/>
        <ErrorSummary errors=errors/>
        <PostForm action="/api/step_up" context=context hidden=hidden class="form">
            <Field name="reason" label="Why" hint="What was asked, by whom: a ticket's number, a name." value=reason error=why_not/>
            <Radios name="minutes" label="For how long" choices=choices value=minutes error=not_so/>
            <Button label="Allow changes"/>
        </PostForm>
    }
}

fn stop(name: &str, until: DateTime<Utc>, context: String) -> impl IntoView + use<> {
    let left = clock::minutes_left(until);
    let unit = if left == 1 { "minute" } else { "minutes" };
    view! {
        <PageHeader title="You may make changes" subtitle=format!("In {name}, for {left} more {unit}. Every change is in its audit log under your name.")/>
        <PostForm action="/api/step_down" context=context hidden=vec![("page".into(), PATH.into())]>
            <Button label="Read only again" kind=Kind::Secondary/>
        </PostForm>
    }
}

/// Lets this session write in the organization that is open.
#[server(prefix = "/api", endpoint = "step_up")]
pub(crate) async fn step_up(
    #[server(default)] reason: String,
    #[server(default)] minutes: String,
    #[server(default)] next: String,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require(Permission::OpenOrganizations)?;
        let name = in_organization(&actor)?;
        let mut reader = Reader::default();
        let reason = reader.text("reason", &reason, "the reason", 500);
        if !reason.is_empty() && reason.chars().count() < LEAST {
            reader.errors.add("reason", format!("Say it in {LEAST} letters or more: the organisation reads it."));
        }
        let lengths = MINUTES.map(|(minutes, _)| minutes);
        let minutes = reader.choice("minutes", &minutes, "for how long", &lengths).parse().unwrap_or(15);
        reader.errors.or(())?;
        let mut tx = ctx.write(&actor).await?;
        let until = Db::step_up(&mut tx, actor.secret, &reason, minutes, &network(&ctx.address)).await?;
        let left = clock::minutes_left(until);
        let say = format!("You may make changes in {name} for {left} minutes.");
        Done::to(own_path(&next, "/organization")).saying(say).commit(&ctx, tx).await
    })
    .await
}

/// Back to reading, before the time is over.
#[server(prefix = "/api", endpoint = "step_down")]
pub(crate) async fn step_down() -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require(Permission::OpenOrganizations)?;
        in_organization(&actor)?;
        let mut tx = ctx.write(&actor).await?;
        Db::step_down(&mut tx, actor.secret, &network(&ctx.address)).await?;
        Done::to("/organization").saying("You read only again.").commit(&ctx, tx).await
    })
    .await
}
