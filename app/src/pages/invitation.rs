//! Accepting an invitation by its one-time link: no session is needed, the link is the key.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use eis::access::Role;
use eis::db::gate::{Accepted, Invited, Salt};
use eis::passwords;
use leptos::prelude::*;

use super::errors;
use super::frame::render;
use crate::components::{
    Button, Document, ErrorSummary, Field, Notice, Plain, PostForm, SummaryList, SummaryRow, Tone,
};
use crate::forms::{FieldErrors, Reader};
use crate::pages::parts::field_errors;
use crate::server::auth::{AuthError, network, too_many};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, ctx};

/// The token of an address: 32 bytes in hex.
fn token(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    (0..64).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect()
}

async fn find(ctx: &Ctx, hex: &str) -> Result<Option<(Vec<u8>, Invited)>, AppError> {
    let Some(token) = token(hex) else { return Ok(None) };
    let invited = ctx.db().invitation_by_token(&token).await?;
    Ok(invited.map(|invited| (token, invited)))
}

/// The same page for a link that never was, is spent, was revoked or has run out.
fn spent() -> Response {
    let body = errors::page(
        "This invitation link no longer works",
        "A link works once and for 14 days, and whoever sent it may take it back. If you have accepted it already, sign in. Otherwise ask the sender for a new one, and check that the whole link was copied.",
        "",
        false,
    );
    (StatusCode::NOT_FOUND, body).into_response()
}

/// `GET /invitation/:token`
pub async fn page(ctx: Ctx, Path(hex): Path<String>) -> Result<Response, AppError> {
    let Some((_, invited)) = find(&ctx, &hex).await? else {
        return Ok(spent());
    };
    let typed = ctx.take_typed().await;
    let flash = ctx.take_flash().await;
    let hidden = vec![("token".to_owned(), hex.clone()), ("page".to_owned(), format!("/invitation/{hex}"))];
    let role = Role::parse(&invited.role).map_or("", Role::label);
    let place = invited.client_name.clone().unwrap_or_else(|| invited.organization_name.clone());
    let customer = invited.role == Role::CustomerUser.code();
    let title = if customer { format!("See your account at {place}") } else { format!("Join {place}") };
    let lead = if invited.known {
        "You have a login already. Enter its password, and this role is added to it."
    } else {
        "Choose a password. You sign in with your e-mail address from then on."
    };
    let mut rows = vec![SummaryRow::new("E-mail address", invited.email.clone()), SummaryRow::new("Role", role)];
    if !customer {
        rows.push(SummaryRow::new("Organisation", invited.organization_name.clone()));
    }
    let html = render(move || {
        view! {
            <Document title="Invitation">
                <Plain title=title lead=lead>
                    {flash.map(|f| view! { <Notice tone=if f.ok { Tone::Good } else { Tone::Bad } title=f.text/> })}
                    <ErrorSummary errors=field_errors(&typed) secrets=true/>
                    <SummaryList rows=rows/>
                    <PostForm action="/api/accept_invitation" context="" hidden=hidden class="form">
                        {if invited.known {
                            view! {
                                <Field name="password" label="Password" kind="password" autocomplete="current-password" error=typed.error("password")/>
                                <Button label="Accept the invitation"/>
                            }.into_any()
                        } else {
                            view! {
                                <Field name="name" label="Your name" autocomplete="name" value=typed.value("name", invited.name) error=typed.error("name")/>
                                <Field name="password" label="Password" kind="password" autocomplete="new-password" hint="At least 12 characters; a few words do well." error=typed.error("password")/>
                                <Field name="again_password" label="Password again" kind="password" autocomplete="new-password" error=typed.error("again_password")/>
                                <Button label="Accept and create my login"/>
                            }.into_any()
                        }}
                    </PostForm>
                </Plain>
            </Document>
        }
    });
    Ok(html.into_response())
}

/// Accepts an invitation: a new person sets a password, a known one proves theirs.
#[server(prefix = "/api", endpoint = "accept_invitation")]
pub(crate) async fn accept_invitation(
    #[server(default)] token: String,
    #[server(default)] name: String,
    #[server(default)] password: String,
    #[server(default)] again_password: String,
) -> Result<(), ServerFnError> {
    act(async {
        let ctx = ctx()?;
        let Some((key, invited)) = find(&ctx, &token).await? else {
            // As a rule the same form once more: it leads where the first led, and tells nothing about the link.
            let text = "This link was used already or no longer works. If you accepted the invitation, sign in with your e-mail address and password.";
            ctx.flash(false, text).await;
            return Ok(Done::to("/login"));
        };
        let (name, salt, digest) = if invited.known {
            let Salt { salt, retry_after } = ctx.db().sign_in_salt(&invited.email, &network(&ctx.address)).await?;
            if let Some(seconds) = retry_after {
                return Err(limited(seconds));
            }
            let digest = ctx.auth.backend.digest(password, salt.clone()).await.map_err(|_| wrong())?;
            (invited.name, salt, digest)
        } else {
            let name = read(&name, &password, &again_password, &invited.email)?;
            let salt = passwords::fresh_salt();
            let digest = ctx.auth.backend.digest(password, salt.clone()).await;
            (name, salt, digest.map_err(|e: AuthError| AppError::Internal(e.to_string()))?)
        };
        match ctx.db().accept_invitation(&key, &name, &salt, &digest, &network(&ctx.address)).await? {
            Accepted::Yes => {}
            Accepted::Wrong => return Err(wrong()),
            Accepted::Limited => return Err(limited(15 * 60)),
            Accepted::Refused => {
                let text = "This login cannot take the invitation. Ask whoever invited you for another address.";
                return Err(FieldErrors::one("password", text).into());
            }
        }
        Ok(Done::to("/login").saying("Invitation accepted. Sign in with your e-mail address and password."))
    })
    .await
}

fn wrong() -> AppError {
    FieldErrors::one("password", "This is not the password of this address. Check it and try again.").into()
}

/// The limits on attempts are those of signing in: otherwise whoever makes an invitation could try passwords through it.
fn limited(seconds: i32) -> AppError {
    FieldErrors::one("password", too_many(seconds)).into()
}

/// A new person's name, when name and password will do.
fn read(name: &str, password: &str, again: &str, email: &str) -> Result<String, FieldErrors> {
    let mut reader = Reader::default();
    let name = reader.text("name", name, "your name", 200);
    if let Some(fault) = passwords::fault(password, email) {
        reader.errors.add("password", fault);
    }
    if password != again {
        reader.errors.add("again_password", "The two passwords differ.");
    }
    reader.errors.or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_32_bytes_in_hex_and_nothing_else() {
        assert_eq!(token(&"0f".repeat(32)).unwrap(), vec![15; 32]);
        assert!(token("0f").is_none());
        assert!(token(&"zz".repeat(32)).is_none());
        assert!(token(&"é".repeat(32)).is_none());
    }
}
