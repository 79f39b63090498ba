//! Setting a new password by a one-time link: no session is needed, the link is the key, and a code where the login has a
//! second factor.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use eis::access::passwords;
use eis::db::password_resets::{Reset, ResetAnswer};
use leptos::prelude::*;

use super::invitation::token;
use crate::components::refusal;
use crate::components::render::render;
use crate::components::{Button, Document, ErrorSummary, Field, Notice, Plain, PostForm, Tone};
use crate::forms::FieldErrors;
use crate::pages::parts::field_errors;
use crate::server::auth::{network, too_many};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, ctx};

async fn find(ctx: &Ctx, hex: &str) -> Result<Option<(Vec<u8>, Reset)>, AppError> {
    let Some(token) = token(hex) else { return Ok(None) };
    let reset = ctx.db().password_reset(&token).await?;
    Ok(reset.map(|reset| (token, reset)))
}

/// The same page for a link that never was, is spent, has run out, or never reached its login.
fn over() -> Response {
    let body = refusal::page(
        "This link no longer works",
        "It works once, for a day, and until the password changes. If you set a new password with it, sign in. Otherwise ask for a new link. If that one does not work either, ask EIS Power to set a password for you.",
        "",
        &[("Sign in", "/login")],
    );
    (StatusCode::NOT_FOUND, body).into_response()
}

/// `GET /reset/:token`
pub async fn page(ctx: Ctx, Path(hex): Path<String>) -> Result<Response, AppError> {
    let Some((_, reset)) = find(&ctx, &hex).await? else { return Ok(over()) };
    let typed = ctx.take_typed().await;
    let flash = ctx.take_flash().await;
    let hidden = vec![("token".to_owned(), hex.clone()), ("page".to_owned(), format!("/reset/{hex}"))];
    let lead = format!("For the login {}. Every device that is signed in to it is signed out.", reset.email);
    let html = render(move || {
        view! {
            <Document title="New password">
                <Plain title="Set a new password" lead=lead>
                    {flash.map(|f| view! { <Notice tone=if f.ok { Tone::Good } else { Tone::Bad } title=f.text/> })}
                    <ErrorSummary errors=field_errors(&typed) secrets=true/>
                    <PostForm action="/api/reset_password" context="" hidden=hidden class="form">
                        // For password managers, which keep the new password under it.
                        <input r#type="hidden" name="username" autocomplete="username" value=reset.email/>
                        <Field name="new_password" label="New password" kind="password" autocomplete="new-password" hint="At least 12 characters; a few words do well." error=typed.error("new_password")/>
                        <Field name="again_password" label="New password again" kind="password" autocomplete="new-password" error=typed.error("again_password")/>
                        <Field name="one_time_password" label="Code" hint="Only if you sign in with a second factor: from your app, or one from paper." autocomplete="one-time-code" width="w20" optional=true error=typed.error("one_time_password")/>
                        <Button label="Set the password"/>
                    </PostForm>
                </Plain>
            </Document>
        }
    });
    Ok(html.into_response())
}

/// Sets a new password by a link.
#[server(prefix = "/api", endpoint = "reset_password")]
pub(crate) async fn reset_password(
    #[server(default)] token: String,
    #[server(default)] new_password: String,
    #[server(default)] again_password: String,
    #[server(default)] one_time_password: String,
) -> Result<(), ServerFnError> {
    act(async {
        let ctx = ctx()?;
        let Some((key, reset)) = find(&ctx, &token).await? else {
            // As a rule the same form once more: it leads where the first led, and tells nothing about the link.
            let text = "This link was used already or no longer works. If you set a new password, sign in with it.";
            ctx.flash(false, text).await;
            return Ok(Done::to("/login"));
        };
        check(&new_password, &again_password, &reset)?;
        let made = ctx.auth.backend.new_password(new_password).await;
        let (salt, digest) = made.map_err(|fault| fault.at("new_password"))?;
        let code = |text: &str| AppError::from(FieldErrors::one("one_time_password", text));
        match ctx.db().reset_password(&key, &salt, &digest, &one_time_password, &network(&ctx.address)).await? {
            ResetAnswer::Done => Ok(Done::to("/login").saying("Your new password is set. Sign in with it.")),
            ResetAnswer::WrongCode => {
                Err(code("This login has a second factor. Enter the code that your app shows now."))
            }
            ResetAnswer::Limited => Err(code(&too_many(15 * 60))),
            ResetAnswer::Refused => Ok(Done::to(format!("/reset/{token}"))),
        }
    })
    .await
}

/// Whether a new password will do.
fn check(password: &str, again: &str, reset: &Reset) -> Result<(), FieldErrors> {
    let mut errors = FieldErrors::default();
    if let Some(fault) = passwords::fault(password, &[&reset.name, &reset.email, &reset.organization_name]) {
        errors.add("new_password", fault);
    }
    if password != again {
        errors.add("again_password", "The two passwords differ.");
    }
    errors.or(())
}
