//! Server functions: what stands around each, and how they answer.
//!
//! Every form posts to `/api/<function>`. Here the body is read once, the context that the form was
//! rendered in is compared with the one open now, and the function is run by leptos. What it answers is
//! an [`Outcome`] (a redirect, or an error with its page), never leptos' own error in an address.

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use eis::access::{Actor, Permission};
use eis::db::sent_forms::Answer;
use eis::db::turns::{Party, asked_by};
use eis::db::{Access, Tenant};
use futures_util::future::BoxFuture;
use leptos::prelude::{ServerFnError, provide_context, use_context};

use super::apart::apart;
use super::ctx::Ctx;
use super::errors::{AppError, BUSY, DONE_BEFORE, step_up_first};
use super::guards::{Guard, refuses};
use super::nul;
use super::paths;
use super::protect::form_bytes;
pub use super::redirect::{encode, own_path, see_other};
use super::shares::HEAVY_FUNCTIONS;
use super::state::AppState;
use crate::forms::Typed;
use crate::forms::once::{self, Sent};

/// Functions that nobody needs to be signed in for; every other one starts with a guard.
pub const OPEN_FUNCTIONS: [&str; 4] =
    ["/api/sign_in", "/api/second_factor", "/api/accept_invitation", "/api/reset_password"];

/// What a server function did.
#[derive(Debug)]
pub struct Done {
    to: String,
    say: Option<String>,
    forget: bool,
}

impl Done {
    /// Go on at this address.
    pub fn to(address: impl Into<String>) -> Self {
        Self { to: address.into(), say: None, forget: false }
    }

    /// And say there what was done.
    #[must_use]
    pub fn saying(mut self, text: impl Into<String>) -> Self {
        self.say = Some(text.into());
        self
    }

    /// And have the browser forget what it kept of the portal's pages. Its cookies stay: the session's is removed by name, and
    /// what the next page says lies in another.
    #[must_use]
    pub const fn forgetting(mut self) -> Self {
        self.forget = true;
        self
    }

    /// Makes what was done last, with this answer beside it: the same form sent again is answered so and does nothing.
    ///
    /// # Errors
    /// When the database refuses at the last moment; then nothing was done.
    pub async fn commit(self, ctx: &Ctx, mut tx: Tenant) -> Result<Self, AppError> {
        ctx.sent.answered(&mut tx, &self.to, self.say.as_deref()).await?;
        tx.commit().await?;
        Ok(self)
    }
}

/// Functions that change the session itself, or end others of its person, by the gate's functions and not in a transaction of the actor's: the answer is
/// kept after them, and looked for before them.
pub const OF_THE_SESSION: [&str; 5] =
    ["/api/switch", "/api/view_as", "/api/stop_viewing", "/api/change_password", "/api/end_session"];

/// What this very form was answered with, if it was sent and done before.
async fn before(ctx: &Ctx, actor: &Actor) -> Result<Option<Answer>, AppError> {
    if !ctx.sent.is_known() {
        return Ok(None);
    }
    let mut tx = ctx.db().as_tenant(actor, Access::Write).await?;
    Ok(ctx.sent.before(&mut tx).await?)
}

/// Keeps the answer of a function that changed the session, for whoever is signed in now.
async fn remember(ctx: &Ctx, done: &Done) -> Result<(), AppError> {
    let Some(actor) = ctx.signed_in() else { return Ok(()) };
    let mut tx = ctx.write(&actor).await?;
    ctx.sent.answered(&mut tx, &done.to, done.say.as_deref()).await?;
    Ok(tx.commit().await?)
}

type Slot = Arc<Mutex<Option<Response>>>;

#[derive(Clone)]
struct Call {
    ctx: Ctx,
    typed: Typed,
    slot: Slot,
    /// Its function is one of [`OF_THE_SESSION`].
    of_the_session: bool,
}

/// The request that a server function runs in.
///
/// # Errors
/// When it is called from outside one: a fault of the program.
pub fn ctx() -> Result<Ctx, AppError> {
    use_context::<Call>()
        .map(|call| call.ctx)
        .ok_or_else(|| AppError::Internal("server function without a request".into()))
}

/// The guard of a server function within the organization open.
///
/// # Errors
/// As [`Ctx::require`].
pub fn require(permission: Permission) -> Result<(Ctx, Actor), AppError> {
    let ctx = ctx()?;
    let actor = ctx.require(permission)?;
    Ok((ctx, actor))
}

/// The guard of a server function at one client.
///
/// # Errors
/// As [`Ctx::require_client`].
pub fn require_client(permission: Permission, client: &str) -> Result<(Ctx, Actor), AppError> {
    let ctx = ctx()?;
    let actor = ctx.require_client(permission, client)?;
    Ok((ctx, actor))
}

/// Runs the body of a server function and turns what it says into the answer.
///
/// # Errors
/// Never: leptos wants the type.
pub async fn act(body: impl Future<Output = Result<Done, AppError>>) -> Result<(), ServerFnError> {
    let call = use_context::<Call>();
    let result = body.await;
    if let Some(call) = call {
        let response = answer(&call, result).await;
        if let Ok(mut slot) = call.slot.lock() {
            *slot = Some(response);
        }
    }
    Ok(())
}

async fn answer(call: &Call, result: Result<Done, AppError>) -> Response {
    match result {
        Ok(done) => {
            if call.of_the_session
                && let Err(error) = remember(&call.ctx, &done).await
            {
                // It is done all the same; sent again, it is done again.
                tracing::warn!(%error, "the answer of a form was not kept");
            }
            if let Some(text) = done.say {
                call.ctx.flash(true, text).await;
            }
            let mut response = see_other(&done.to);
            if done.forget {
                response.headers_mut().insert("clear-site-data", HeaderValue::from_static(r#""cache", "storage""#));
            }
            response
        }
        Err(AppError::Invalid(errors)) if !call.typed.page.is_empty() => {
            let to = call.typed.page.clone();
            call.ctx.keep_typed(Typed { errors, ..call.typed.clone() }).await;
            see_other(&to)
        }
        Err(AppError::Conflict(text)) if !call.typed.page.is_empty() => {
            call.ctx.flash(false, text).await;
            see_other(&call.typed.page)
        }
        Err(AppError::Busy) if !call.typed.page.is_empty() => {
            call.ctx.keep_typed(call.typed.clone()).await;
            call.ctx.flash(false, BUSY).await;
            see_other(&call.typed.page)
        }
        Err(AppError::Again(Some(before))) => again(&call.ctx, before).await,
        Err(AppError::Again(None)) if !call.typed.page.is_empty() => {
            call.ctx.flash(true, DONE_BEFORE).await;
            see_other(&call.typed.page)
        }
        Err(AppError::StepUp) if !call.typed.page.is_empty() => {
            call.ctx.keep_typed(call.typed.clone()).await;
            step_up_first(&format!("{}?next={}", paths::STEP_UP, encode(&call.typed.page)))
        }
        Err(AppError::SignedOut) => {
            let kept = if call.ctx.keep_outside(call.typed.clone()) { "kept" } else { "lost" };
            let page = if call.typed.page.is_empty() { "/" } else { call.typed.page.as_str() };
            see_other(&format!("/login?next={}&{kept}=true", encode(page)))
        }
        Err(error) => error.into_response(),
    }
}

/// The answer that a form got when it was first sent.
async fn again(ctx: &Ctx, before: Answer) -> Response {
    if let Some(text) = before.said {
        ctx.flash(true, text).await;
    }
    see_other(&before.location)
}

/// Right whatever is open: signing out, and seeing as oneself again.
pub const IN_ANY_CONTEXT: [&str; 2] = ["/api/sign_out", "/api/stop_viewing"];

/// What the server answers with a page of the portal's, which it does not know itself: whoever composes both says it.
#[derive(Debug, Clone, Copy)]
pub struct Pages {
    /// A form that was rendered under another organization or role than the one that is open: nothing is done, and what
    /// was typed is shown.
    pub of_another_context: fn(Ctx, Actor, Typed) -> BoxFuture<'static, Response>,
}

/// Handles `POST /api/*`.
pub async fn handle(state: AppState, pages: Pages, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match run(&state, pages, parts, body).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn run(state: &AppState, pages: Pages, parts: Parts, body: Body) -> Result<Response, AppError> {
    let mut ctx = Ctx::of(&parts, state)?;
    let path = parts.uri.path().to_owned();
    if !is_known(&path) {
        return Err(AppError::NotFound);
    }
    let form =
        parts.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form"));
    if !form {
        return Err(AppError::BadRequest("This function takes a plain form.".into()));
    }
    let bytes = form_bytes(body).await?;
    let mut values: Vec<(String, String)> =
        serde_urlencoded::from_bytes(&bytes).map_err(|_| AppError::BadRequest("The form cannot be read.".into()))?;
    let bytes = if nul::from_pairs(&mut values) { encoded(&values)? } else { bytes };
    let take = |values: &[(String, String)], name: &str| {
        values.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let context = take(&values, "context");
    let page = take(&values, "page");
    let form = take(&values, once::FIELD);
    values.retain(|(key, _)| !["context", "page", once::FIELD].contains(&key.as_str()));
    ctx.sent = Arc::new(Sent::new(&form, &path, values.clone()));
    let typed = Typed { page: own_path(&page, ""), context: context.clone(), values, ..Typed::default() };
    let of_the_session = OF_THE_SESSION.contains(&path.as_str());
    if let Some(actor) = ctx.signed_in() {
        let of_another = actor.context_token() != context;
        // What was done before is answered as it was, also where it was what opened the context that is open now.
        if (of_another || of_the_session)
            && let Some(answer) = before(&ctx, &actor).await?
        {
            return Ok(again(&ctx, answer).await);
        }
        let exempt = OPEN_FUNCTIONS.contains(&path.as_str()) || IN_ANY_CONTEXT.contains(&path.as_str());
        if refuses(Guard::SameContext, !exempt && of_another) {
            return Ok((pages.of_another_context)(ctx, actor, typed).await);
        }
    }
    let slot = Slot::default();
    let call = Call { ctx, typed, slot, of_the_session };
    let request = Request::from_parts(parts, Body::from(bytes));
    match call.ctx.signed_in().filter(|_| HEAVY_FUNCTIONS.contains(&path.as_str())) {
        Some(actor) => heavy(state, call, Party::of(&actor), request).await,
        None => called(call, request).await,
    }
}

/// Runs a function in its turn among heavy work, on a thread of its own.
async fn heavy(state: &AppState, call: Call, party: Party, request: Request) -> Result<Response, AppError> {
    let turn = match state.shares.heavy(party.clone()).await {
        Ok(turn) => turn,
        Err(busy) => return Ok(answer(&call, Err(busy.into())).await),
    };
    let work = async move { called(call, request).await.unwrap_or_else(IntoResponse::into_response) };
    let response = apart(state.options.clock, asked_by(party, true, work)).await;
    drop(turn);
    Ok(response)
}

/// Has leptos run the function that a request names.
async fn called(call: Call, request: Request) -> Result<Response, AppError> {
    let slot = call.slot.clone();
    let _ = leptos_axum::handle_server_fns_with_context(move || provide_context(call.clone()), request).await;
    let answered = slot.lock().ok().and_then(|mut slot| slot.take());
    answered.ok_or_else(|| {
        AppError::BadRequest("The form lacks a field. Open its page again and send it from there.".into())
    })
}

/// A form as a browser sends it.
fn encoded(values: &[(String, String)]) -> Result<Bytes, AppError> {
    serde_urlencoded::to_string(values).map(Bytes::from).map_err(|error| AppError::Internal(error.to_string()))
}

fn is_known(path: &str) -> bool {
    leptos::server_fn::axum::server_fn_paths().any(|(known, _)| known == path)
}
