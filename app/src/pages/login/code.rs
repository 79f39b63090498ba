//! The second step of signing in: the code of the authenticator app, or one from paper.

use axum::response::{IntoResponse, Response};
use eis::db::second_factor::CodeAnswer;
use leptos::prelude::*;

use super::LoginQuery;
use crate::components::render::render;
use crate::components::{Button, Document, ErrorSummary, Field, Plain, PostForm};
use crate::forms::FieldErrors;
use crate::pages::parts::field_errors;
use crate::server::auth::{User, network, too_many};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, ctx, encode, own_path, see_other};
use crate::server::query::Query;

/// The page, which leads on to `next`.
#[must_use]
pub fn address(next: &str) -> String {
    if next.is_empty() { "/login/code".to_owned() } else { format!("/login/code?next={}", encode(next)) }
}

/// `GET /login/code`
pub async fn page(ctx: Ctx, Query(query): Query<LoginQuery>) -> Response {
    if ctx.outside.half().is_none() {
        return see_other("/login");
    }
    let typed = ctx.take_typed().await;
    let next = own_path(&query.next, "");
    let hidden = vec![("page".to_owned(), address(&next)), ("next".to_owned(), next)];
    render(move || {
        view! {
            <Document title="Code">
                <Plain title="Enter the code" lead="Your password was right. One more step: the six digits that your authenticator app shows now.">
                    <ErrorSummary errors=field_errors(&typed) secrets=true/>
                    <PostForm action="/api/second_factor" context="" hidden=hidden class="form">
                        <Field name="one_time_password" label="Code" hint="Without your phone, one of your codes on paper." autocomplete="one-time-code" width="w20" error=typed.error("one_time_password") autofocus=true/>
                        <Button label="Sign in"/>
                    </PostForm>
                    <p class="hint">"Lost the phone and the paper? Ask EIS Power, who makes sure that it is you."</p>
                    <p class="hint"><a href="/login">"Sign in as somebody else"</a></p>
                </Plain>
            </Document>
        }
    })
    .into_response()
}

/// Tries the code and signs in.
#[server(prefix = "/api", endpoint = "second_factor")]
pub(crate) async fn second_factor(
    #[server(default)] one_time_password: String,
    #[server(default)] next: String,
) -> Result<(), ServerFnError> {
    act(async {
        let ctx = ctx()?;
        let Some(half) = ctx.outside.half() else {
            // As a rule the same form once more: who is signed in by now goes where the first led.
            return ctx.signed_in().map(|_| Done::to(own_path(&next, "/"))).ok_or(AppError::SignedOut);
        };
        match ctx.db().second_factor(&half, &one_time_password, &network(&ctx.address)).await? {
            CodeAnswer::SignedIn { user, ticket } => {
                let user = User::to_bind(user, ticket.clone());
                super::begin(&ctx, &user, &ticket, &next).await
            }
            CodeAnswer::Wrong => {
                let text = "This code is wrong or was used already. Wait for the app to show the next one.";
                Err(FieldErrors::one("one_time_password", text).into())
            }
            CodeAnswer::Limited { retry_after } => {
                Err(FieldErrors::one("one_time_password", too_many(retry_after)).into())
            }
            CodeAnswer::Stale => {
                ctx.outside.keep_half(None);
                Err(AppError::Conflict("That took too long. Sign in again.".to_owned()))
            }
        }
    })
    .await
}
