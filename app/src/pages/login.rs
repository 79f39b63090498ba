//! Signing in and out; the code that is asked for after the password is in [`code`].

pub mod code;

use axum::response::{IntoResponse, Response};
use eis::db::gate::Ticket;
use leptos::prelude::*;
use serde::Deserialize;

use crate::components::render::render;
use crate::components::{Button, Document, ErrorSummary, Field, Notice, Plain, PostForm, Tone};
use crate::forms::FieldErrors;
use crate::pages::parts::field_errors;
use crate::server::auth::{Credentials, User, network, rotate};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, ctx, encode, own_path, see_other};
use crate::server::query::Query;

/// The query of the sign-in page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LoginQuery {
    next: String,
    out: bool,
    /// What was typed into a form of the page that comes next was kept.
    kept: bool,
    /// It was not: it was too much for the browser.
    lost: bool,
}

/// Why one signs in, and what becomes of what was typed.
const fn why(query: &LoginQuery) -> (&'static str, &'static str) {
    if query.kept {
        ("Sign in to go on.", "What you had typed is not saved yet. It comes back after signing in.")
    } else if query.lost {
        (
            "You were signed out, and what you had typed was not saved.",
            "To keep it, sign in in another tab. Then come back to this one, go back to the form with the browser's Back button, and send it again.",
        )
    } else {
        ("Sign in to go on.", "")
    }
}

/// `GET /login`
pub async fn page(ctx: Ctx, Query(query): Query<LoginQuery>) -> Response {
    if ctx.signed_in().is_some() && query.next.is_empty() {
        return see_other("/");
    }
    let typed = ctx.take_typed().await;
    let flash = ctx.take_flash().await;
    let next = own_path(&query.next, "");
    let page = if next.is_empty() { "/login".to_owned() } else { format!("/login?next={}", encode(&next)) };
    let hidden = vec![("page".to_owned(), page), ("next".to_owned(), next)];
    let (why, how) = why(&query);
    let asks = !query.next.is_empty() && flash.is_none() && field_errors(&typed).is_empty();
    render(move || {
        view! {
            <Document title="Sign in">
                <Plain title="Sign in">
                    {query.out.then(|| view! { <Notice tone=Tone::Good title="You are signed out."/> })}
                    {asks.then(|| view! { <Notice title=why>{(!how.is_empty()).then(|| view! { <p>{how}</p> })}</Notice> })}
                    {flash.map(|f| view! { <Notice tone=if f.ok { Tone::Good } else { Tone::Bad } title=f.text/> })}
                    <ErrorSummary errors=field_errors(&typed) secrets=true/>
                    <PostForm action="/api/sign_in" context="" hidden=hidden class="form">
                        <Field name="email" label="E-mail address" kind="email" autocomplete="username" value=typed.value("email", "") autofocus=true/>
                        <Field name="password" label="Password" kind="password" autocomplete="current-password" error=typed.error("password")/>
                        <Button label="Sign in"/>
                    </PostForm>
                    <p class="hint">"New here, or forgot your password? Ask your energy company or administrator for a link."</p>
                </Plain>
            </Document>
        }
    })
    .into_response()
}

/// Signs in with e-mail address and password.
#[server(prefix = "/api", endpoint = "sign_in")]
pub(crate) async fn sign_in(
    email: String,
    password: String,
    #[server(default)] next: String,
) -> Result<(), ServerFnError> {
    act(async {
        let ctx = ctx()?;
        let auth = ctx.auth.clone();
        let given = Credentials {
            email: eis::values::identifiers::canonical(&email),
            password,
            address: network(&ctx.address),
        };
        let user = match auth.authenticate(given).await {
            Ok(Some(user)) => user,
            Ok(None) => {
                return Err(FieldErrors::one(
                    "password",
                    "E-mail address or password is wrong. Check both and try again.",
                )
                .into());
            }
            Err(axum_login::Error::Backend(fault)) => return Err(fault.at("password")),
            Err(error) => return Err(AppError::Internal(error.to_string())),
        };
        let ticket = user.ticket().cloned().ok_or(AppError::SignedOut)?;
        if user.code_needed() {
            ctx.outside.keep_half(Some(&ticket));
            return Ok(Done::to(code::address(&own_path(&next, ""))));
        }
        begin(&ctx, &user, &ticket, &next).await
    })
    .await
}

/// Begins the session of somebody who has proved who they are, and goes on to `next`.
async fn begin(ctx: &Ctx, user: &User, ticket: &Ticket, next: &str) -> Result<Done, AppError> {
    ctx.outside.keep_half(None);
    // What was wrong with the sign-in itself concerns nobody any more.
    drop(ctx.outside.take_typed(|typed| typed.page.starts_with("/login")));
    let mut auth = ctx.auth.clone();
    auth.login(user).await.map_err(|e| AppError::Internal(e.to_string()))?;
    let ended = rotate(&auth, ticket, &ctx.address, &ctx.agent).await?;
    let done = Done::to(own_path(next, "/"));
    Ok(match ended {
        None => done,
        Some(oldest) => {
            let since = oldest.since.format("%Y-%m-%d %H:%M UTC");
            done.saying(format!(
                "You are signed in at ten places, and more are not kept: your oldest session, begun {since} at {}, has ended. Your profile lists the others.",
                oldest.address
            ))
        }
    })
}

/// Signs out: the session is gone from the database.
#[server(prefix = "/api", endpoint = "sign_out")]
pub(crate) async fn sign_out() -> Result<(), ServerFnError> {
    act(async {
        let ctx = ctx()?;
        let mut auth = ctx.auth.clone();
        auth.logout().await.map_err(|e| AppError::Internal(e.to_string()))?;
        Ok(Done::to("/login?out=true").forgetting())
    })
    .await
}
