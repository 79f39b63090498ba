//! Accepting an invitation by its one-time link: no session is needed, the link is the key.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use eis::access::Role;
use eis::access::passwords;
use eis::db::gate::{Accepted, Invited};
use eis::values::identifiers::same;
use leptos::prelude::*;

use crate::components::refusal;
use crate::components::render::render;
use crate::components::{
    Button, Document, ErrorSummary, Field, Notice, Plain, PostForm, SummaryList, SummaryRow, Tone,
};
use crate::forms::{FieldErrors, Reader};
use crate::pages::parts::field_errors;
use crate::server::auth::{Attempt, network, too_many};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, ctx};

/// The token of an address: 32 bytes in hex.
pub(super) fn token(hex: &str) -> Option<Vec<u8>> {
    eis::values::hex::bytes(hex).filter(|bytes| bytes.len() == 32)
}

async fn find(ctx: &Ctx, hex: &str) -> Result<Option<(Vec<u8>, Invited)>, AppError> {
    let Some(token) = token(hex) else { return Ok(None) };
    let invited = ctx.db().invitation_by_token(&token).await?;
    Ok(invited.map(|invited| (token, invited)))
}

/// The same page for a link that never was, is spent, was revoked or has run out.
fn spent() -> Response {
    let body = refusal::page(
        "This invitation link no longer works",
        "A link works once and for 14 days, and whoever sent it may take it back. If you have accepted it already, sign in. Otherwise ask the sender for a new one, and check that the whole link was copied.",
        "",
        &[("Sign in", "/login")],
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
    let role = Role::parse(&invited.role).map_or_else(String::new, |role| role.narrowed_label(invited.narrowed));
    let place = invited.client_name.clone().unwrap_or_else(|| invited.organization_name.clone());
    let customer = invited.role == Role::CustomerUser.code();
    let title = if customer { format!("See your account at {place}") } else { format!("Join {place}") };
    let lead = "If you sign in here already with this e-mail address, enter that password, and this role is added to your login. Otherwise choose a password, and enter it twice.";
    let mut rows = vec![SummaryRow::new("E-mail address", invited.email.clone()), SummaryRow::new("Role", role)];
    if !customer {
        rows.push(SummaryRow::new("Organisation", invited.organization_name.clone()));
    }
    let signed_in = signed_in_as(&ctx).map(|own| standing(&own, &invited.email));
    let html = render(move || {
        view! {
            <Document title="Invitation">
                <Plain title=title lead=lead>
                    {flash.map(|f| view! { <Notice tone=if f.ok { Tone::Good } else { Tone::Bad } title=f.text/> })}
                    {signed_in.map(|text| view! { <Notice title=text/> })}
                    <ErrorSummary errors=field_errors(&typed) secrets=true/>
                    <SummaryList rows=rows/>
                    <PostForm action="/api/accept_invitation" context="" hidden=hidden class="form">
                        <Field name="name" label="Your name" autocomplete="name" hint="For a new login; one that you have keeps its name." value=typed.value("name", invited.name) error=typed.error("name")/>
                        <Field name="password" label="Password" kind="password" autocomplete="current-password" hint="Of your login, or a new one: at least 12 characters; a few words do well." error=typed.error("password")/>
                        <Field name="again_password" label="New password again" kind="password" autocomplete="new-password" hint="For a new login only." optional=true/>
                        <Button label="Accept the invitation"/>
                    </PostForm>
                </Plain>
            </Document>
        }
    });
    Ok(html.into_response())
}

/// Accepts an invitation: a new person sets a password, a known one proves theirs. Whether the address has a login already
/// is nowhere known here, so that neither page nor time tells it.
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
        let mut reader = Reader::default();
        let name = reader.text("name", &name, "your name", 200);
        let name = reader.errors.or(name)?;
        let unfit = unfit(&password, &again_password, &name, &invited);
        let address = network(&ctx.address);
        // A new login takes the salt that its address had when nobody signed in with it, so that the salt tells nothing either.
        let tried = ctx.auth.backend.attempt(&invited.email, &password, &address).await;
        let Attempt { salt, digest } = tried.map_err(|fault| fault.at("password"))?;
        match ctx.db().accept_invitation(&key, &name, &salt, &digest, &address, unfit.is_none()).await? {
            Accepted::Yes => {}
            Accepted::Wrong => return Err(wrong(unfit.as_deref())),
            Accepted::Limited => return Err(limited(15 * 60)),
            Accepted::Refused => {
                let text = "This login cannot take the invitation. Ask whoever invited you for another address.";
                return Err(FieldErrors::one("password", text).into());
            }
        }
        let text = match signed_in_as(&ctx) {
            None => "Invitation accepted. Sign in with your e-mail address and password.",
            Some(own) if same(&own, &invited.email) => "Invitation accepted. The role is yours: open it by Switch organisation.",
            Some(_) => "Invitation accepted. Sign out here, then sign in with the address that was invited.",
        };
        Ok(Done::to("/login").saying(text))
    })
    .await
}

/// The address of whoever is signed in in this browser.
fn signed_in_as(ctx: &Ctx) -> Option<String> {
    ctx.signed_in().and(ctx.auth.user.as_ref()).map(|user| user.email().to_owned())
}

/// What somebody who is signed in is told of an invitation for an address: both are theirs to see already.
fn standing(own: &str, invited: &str) -> String {
    if same(own, invited) {
        "You are signed in with this address. Enter its password, and the role is added.".to_owned()
    } else {
        format!("You are signed in as {own}, and stay so. The invitation is for another address.")
    }
}

/// What is said where nobody was let in: the same whether the address has a login or not, for a password that would not do
/// for a new one. (One that would do either makes the login or finds it there.)
fn wrong(unfit: Option<&str>) -> AppError {
    let text = match unfit {
        Some(unfit) => format!(
            "If you have a login here, this is not its password. If you have none, this one will not do. {unfit}"
        ),
        None => "This is not the password of the login that this address has. Check it and try again.".to_owned(),
    };
    FieldErrors::one("password", text).into()
}

/// The limits on attempts are those of signing in: otherwise whoever makes an invitation could try passwords through it.
fn limited(seconds: i32) -> AppError {
    FieldErrors::one("password", too_many(seconds)).into()
}

/// Why a password would not do for a new login, whoever typed it.
fn unfit(password: &str, again: &str, name: &str, invited: &Invited) -> Option<String> {
    let differ = || (password != again).then(|| "Enter the new password in both fields, alike.".to_owned());
    let place = invited.client_name.as_deref().unwrap_or_default();
    passwords::fault(password, &[name, &invited.email, &invited.organization_name, place]).or_else(differ)
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
