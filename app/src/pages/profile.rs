//! One's own profile: password, sessions ([`sessions`]), sign-ins; the second factor is in [`second_factor`].

pub mod second_factor;
mod sessions;

use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use eis::access::Actor;
use eis::access::passwords;
use eis::db::{DbError, Tenant};
use eis::parties::clients;
use eis::parties::organizations;
use eis::parties::users;
use leptos::prelude::*;

use super::frame::{Place, page as framed};
use super::parts::field_errors;
use crate::components::{
    Button, Column, DataTable, ErrorSummary, Field, PageHeader, PostForm, Section, SummaryList, SummaryRow, Tag, Tone,
};
use crate::format::{self, Locale};
use crate::forms::FieldErrors;
use crate::server::auth::{network, rotate, too_many};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, ctx};

/// `GET /profile`
pub async fn page(ctx: Ctx) -> Result<Response, AppError> {
    let actor = ctx.require_user()?;
    if actor.viewing.is_some() {
        let text = "You see the portal as a customer just now. Stop that first, then open your own profile.";
        return Err(AppError::Conflict(text.to_owned()));
    }
    if actor.factor_due.is_some_and(|due| due.over) {
        return Err(AppError::SecondFactorNeeded);
    }
    let mut tx = ctx.read(&actor).await?;
    let sessions = users::my_sessions(&mut tx, actor.secret).await?;
    let sign_ins = users::my_sign_ins(&mut tx).await?;
    let clock = Clock::of(&mut tx, &actor).await?;
    drop(tx);
    let factor = ctx.db().my_second_factor(actor.secret).await?;
    let typed = ctx.take_typed().await;
    let context = actor.context_token();
    let again = context.clone();
    let email = ctx.auth.user.as_ref().map(|u| u.email().to_owned()).unwrap_or_default();
    let name = actor.user_name.clone();
    let html = framed(&ctx, &actor, Place::default(), "Profile", move || {
        let attempts = sign_ins
            .into_iter()
            .map(|s| {
                // What is as it should be is plain: the eye finds the rest.
                let (word, odd) = match s.outcome.as_str() {
                    "signed_in" => ("Signed in", None),
                    "password" => ("Right password, code asked for", None),
                    "wrong" => ("Wrong password or code", Some(Tone::Warn)),
                    "entered" => ("Begun and not finished", None),
                    "ended" => ("Oldest session ended: there were more than ten", Some(Tone::Neutral)),
                    _ => ("Refused: too many attempts", Some(Tone::Bad)),
                };
                let outcome = match odd {
                    Some(tone) => view! { <Tag text=word tone=tone/> }.into_any(),
                    None => word.into_any(),
                };
                view! {
                    <tr>
                        <th scope="row" class="nowrap">{clock.moment(s.at)}</th>
                        <td data-label="Address">{s.address}</td>
                        <td data-label="Outcome">{outcome}</td>
                    </tr>
                }
            })
            .collect_view();
        let places = sessions::section(sessions, clock, &typed, again);
        let summary = vec![SummaryRow::new("Name", name), SummaryRow::new("E-mail address", email), second_factor::row(&factor)];
        view! {
            <PageHeader title="Profile and security"/>
            <ErrorSummary errors=field_errors(&typed) secrets=true/>
            <SummaryList rows=summary/>
            <Section title="Change password">
                <PostForm action="/api/change_password" context=context hidden=vec![("page".into(), "/profile".into())] class="form">
                    <Field name="old_password" label="Current password" kind="password" autocomplete="current-password" error=typed.error("old_password")/>
                    <Field name="new_password" label="New password" kind="password" autocomplete="new-password" hint="At least 12 characters; a few words do well." error=typed.error("new_password")/>
                    <Field name="again_password" label="New password again" kind="password" autocomplete="new-password" error=typed.error("again_password")/>
                    <p class="hint">"You stay signed in here; every other session ends."</p>
                    <Button label="Change password"/>
                </PostForm>
            </Section>
            {places}
            <Section title="Latest sign-ins">
                <DataTable caption="Sign-ins" columns=vec![Column::text("When"), Column::text("Address"), Column::text("Outcome")] cards=true>{attempts}</DataTable>
            </Section>
        }
    })
    .await;
    Ok(html.into_response())
}

/// How moments are written for a person: as their client or organization does, else in UTC.
#[derive(Debug, Clone, Copy)]
struct Clock {
    locale: Locale,
    zone: Tz,
}

impl Clock {
    async fn of(tx: &mut Tenant, actor: &Actor) -> Result<Self, AppError> {
        let organization = actor.organization.as_ref().map(|open| open.id);
        let found = match (organization, actor.client) {
            (Some(at), Some(client)) => {
                clients::find(tx, at, client).await?.map(|own| (own.locale.clone(), own.zone()))
            }
            (Some(at), None) => organizations::find(tx, at).await?.map(|own| (own.locale, own.zone.0)),
            _ => None,
        };
        // Nobody's clock where no organization is open: the moment says that it is in UTC.
        let (locale, zone) = found.unwrap_or_else(|| (String::new(), Tz::UTC));
        Ok(Self { locale: Locale::from(&locale), zone })
    }

    fn moment(self, at: DateTime<Utc>) -> String {
        let zone = if self.zone == Tz::UTC { " UTC" } else { "" };
        format!("{}{zone}", format::date_time(at.with_timezone(&self.zone).naive_local(), self.locale))
    }
}

/// Changes one's password; other sessions end.
#[server(prefix = "/api", endpoint = "change_password")]
pub(crate) async fn change_password(
    old_password: String,
    new_password: String,
    again_password: String,
) -> Result<(), ServerFnError> {
    act(async {
        let ctx = ctx()?;
        let actor = ctx.require_user()?;
        let mut errors = FieldErrors::default();
        if let Some(fault) = passwords::fault(&new_password, &known_of(&ctx, &actor)) {
            errors.add("new_password", fault);
        }
        if new_password == old_password {
            errors.add("new_password", "Choose another password than the one you have.");
        }
        if new_password != again_password {
            errors.add("again_password", "The two new passwords differ.");
        }
        errors.or(())?;
        let backend = &ctx.auth.backend;
        let old = backend.my_attempt(&actor, &old_password).await.map_err(|fault| fault.at("old_password"))?;
        let (salt, new) = backend.new_password(new_password).await.map_err(|fault| fault.at("new_password"))?;
        let ticket = match ctx.db().change_password(actor.secret, &old, &salt, &new, &network(&ctx.address)).await {
            Err(DbError::Limited) => {
                return Err(FieldErrors::one("old_password", too_many(15 * 60)).into());
            }
            other => other?,
        };
        let Some(ticket) = ticket else {
            return Err(FieldErrors::one("old_password", "This is not your current password.").into());
        };
        rotate(&ctx.auth, &ticket, &ctx.address, &ctx.agent).await?;
        Ok(Done::to("/profile").saying("Password changed. Your other sessions have ended."))
    })
    .await
}

/// What others know of a person: a password is not made of it.
fn known_of<'a>(ctx: &'a Ctx, actor: &'a Actor) -> Vec<&'a str> {
    let email = ctx.auth.user.as_ref().map(|user| user.email());
    let organization = actor.organization.as_ref().map(|open| open.name.as_str());
    let client = actor.client_summary.as_ref().map(|client| client.name.as_str());
    [Some(actor.user_name.as_str()), email, organization, client].into_iter().flatten().collect()
}
