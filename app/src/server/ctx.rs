//! One request: who asks, from where, with which flash; and the guards that hand out actors.

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::header::{HOST, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use eis::access::{Actor, Permission, Role};
use eis::db::turns::{Party, Place};
use eis::db::{Access, Db, Tenant};
use eis::values::ids::ClientId;
use std::net::SocketAddr;
use std::sync::Arc;

use super::auth::AuthSession;
use super::errors::AppError;
pub use super::flash::FlashMessage;
use super::guards::{Guard, refuses};
use super::outside::Outside;
use super::state::AppState;
use crate::forms::Typed;
use crate::forms::once::Sent;

const FLASH_KEY: &str = "flash";
const TYPED_KEY: &str = "typed";
/// The most that a session keeps of a refused form, as JSON. Of a session without anybody signed in there is none: its
/// browser keeps a little ([`Outside`]).
const KEPT_BYTES: usize = 96 * 1024;
/// The most that it keeps of a sentence, in characters.
const FLASH_CHARACTERS: usize = 4000;

/// A request as pages and server functions see it.
#[derive(Clone)]
pub struct Ctx {
    /// What all requests share.
    pub state: AppState,
    /// The session.
    pub auth: AuthSession,
    /// What the browser keeps while nobody is signed in.
    pub outside: Outside,
    /// Path and query asked for.
    pub uri: String,
    /// Where the request comes from.
    pub address: String,
    /// The browser.
    pub agent: String,
    /// Scheme and host that people type.
    pub origin: String,
    /// The form that was sent; of a page, an empty one.
    pub sent: Arc<Sent>,
}

impl std::fmt::Debug for Ctx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ctx")
    }
}

/// The address a request comes from; forwarded ones only behind a proxy that is trusted.
#[must_use]
pub fn peer_address(headers: &HeaderMap, extensions: &Extensions, trust_proxy: bool) -> String {
    // The last one is the proxy's own word, also where it adds a header of its own instead of a word to the first.
    let last = headers.get_all("x-forwarded-for").iter().next_back();
    let forwarded = last.and_then(|v| v.to_str().ok()).and_then(|v| v.rsplit(',').next());
    match forwarded {
        Some(address) if trust_proxy => address.trim().to_owned(),
        _ => extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or_else(String::new, |ConnectInfo(peer)| peer.ip().to_string()),
    }
}

impl Ctx {
    /// The context of a request whose session layer has run.
    ///
    /// # Errors
    /// When it has not: a fault of the router.
    pub fn of(parts: &Parts, state: &AppState) -> Result<Self, AppError> {
        let auth = parts
            .extensions
            .get::<AuthSession>()
            .cloned()
            .ok_or_else(|| AppError::Internal("no session layer around this route".into()))?;
        let outside = parts
            .extensions
            .get::<Outside>()
            .cloned()
            .ok_or_else(|| AppError::Internal("no layer for the browser's own keeping around this route".into()))?;
        let header = |name| parts.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        // The host is one that `server::host` believed.
        let origin = state.options.public_url.clone().unwrap_or_else(|| format!("http://{}", header(HOST)));
        Ok(Self {
            auth,
            outside,
            uri: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
            address: peer_address(&parts.headers, &parts.extensions, state.options.trust_proxy),
            agent: header(USER_AGENT),
            origin,
            state: state.clone(),
            sent: Arc::default(),
        })
    }

    /// The path asked for, without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.split('?').next().unwrap_or_default()
    }

    /// The database.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.state.db
    }

    /// Who is signed in, if anybody.
    #[must_use]
    pub fn signed_in(&self) -> Option<Actor> {
        let session = self.auth.session.id()?;
        self.auth.user.as_ref().map(|user| user.actor(session, self.address.clone()))
    }

    /// The guard of every page and server function that needs somebody signed in.
    ///
    /// # Errors
    /// [`AppError::SignedOut`].
    pub fn require_user(&self) -> Result<Actor, AppError> {
        self.signed_in().ok_or(AppError::SignedOut)
    }

    /// The guard of every page and server function that needs a permission, in the organization open.
    ///
    /// # Errors
    /// [`AppError::SignedOut`], [`AppError::Choose`] while no role is chosen, [`AppError::SecondFactorNeeded`] where the role
    /// needs one and its person has set none up in time (the database opens nothing then either), [`AppError::Suspended`],
    /// [`AppError::ChooseOrganization`] for staff with none open, [`AppError::StepUp`] for staff who read and would have
    /// it after stepping up, or [`AppError::Forbidden`] when the role does not include it.
    pub fn require(&self, permission: Permission) -> Result<Actor, AppError> {
        let actor = self.require_user()?;
        if refuses(Guard::Role, actor.role.is_none()) {
            return Err(AppError::Choose);
        }
        if actor.factor_due.is_some_and(|due| due.over) {
            return Err(AppError::SecondFactorNeeded);
        }
        let closed = actor.organization.is_none() && actor.role != Some(Role::EisStaff);
        if refuses(Guard::Suspended, closed) {
            return Err(AppError::Suspended);
        }
        let tenant = actor.organization.is_some() || permission == Permission::OpenOrganizations;
        if refuses(Guard::Permission, !actor.may(permission)) {
            return Err(if actor.may_step_up_to(permission) { AppError::StepUp } else { AppError::Forbidden });
        }
        if refuses(Guard::Organization, !tenant) {
            return Err(AppError::ChooseOrganization);
        }
        Ok(actor)
    }

    /// The guard of a client's pages: the actor standing at that client. A client that is not covered is
    /// refused alike whether it exists or not; for those who may see several, the database decides.
    ///
    /// # Errors
    /// As [`Self::require`].
    pub fn require_client(&self, permission: Permission, client: &str) -> Result<Actor, AppError> {
        let actor = self.require(permission)?;
        let client: ClientId = client.parse().map_err(|_| AppError::Forbidden)?;
        if refuses(Guard::Client, actor.client.is_some_and(|own| own != client)) {
            return Err(AppError::Forbidden);
        }
        Ok(actor.at_client(client))
    }

    /// A READ ONLY transaction under the actor's context.
    ///
    /// # Errors
    /// When the context is refused or the database fails.
    pub async fn read(&self, actor: &Actor) -> Result<Tenant, AppError> {
        Ok(self.db().as_tenant(actor, Access::Read).await?)
    }

    /// A transaction for writing under the actor's context, in which the form that was sent is taken: once. It ends with
    /// [`Done::commit`](super::functions::Done::commit).
    ///
    /// # Errors
    /// When the context is refused or the database fails, or the form was sent and done before ([`AppError::Again`]).
    pub async fn write(&self, actor: &Actor) -> Result<Tenant, AppError> {
        let mut tx = self.db().as_tenant(actor, Access::Write).await?;
        self.sent.take(&mut tx).await?;
        Ok(tx)
    }

    /// A place for heavy work, after a short wait. Take it before the transaction: nobody waits while holding one.
    ///
    /// # Errors
    /// [`AppError::Busy`].
    pub async fn heavy(&self, actor: &Actor) -> Result<Place, AppError> {
        Ok(self.state.shares.heavy(Party::of(actor)).await?)
    }

    /// What the last action did; told once.
    pub async fn take_flash(&self) -> Option<FlashMessage> {
        if let Some(message) = self.outside.take_flash() {
            return Some(message);
        }
        // Looked for before it is removed: removing marks the session changed and would write it with every page.
        let kept: Option<FlashMessage> = self.auth.session.get(FLASH_KEY).await.ok().flatten();
        if kept.is_some() {
            let _ = self.auth.session.remove::<FlashMessage>(FLASH_KEY).await;
        }
        kept
    }

    /// Keeps a sentence for the next page.
    pub async fn flash(&self, ok: bool, text: impl Into<String>) {
        let text: String = text.into().chars().take(FLASH_CHARACTERS).collect();
        let message = FlashMessage { ok, text };
        if self.signed_in().is_some() {
            let _ = self.auth.session.insert(FLASH_KEY, message).await;
        } else {
            self.outside.keep_flash(message);
        }
    }

    /// What was typed into the form of this page when it was last refused; given back once.
    pub async fn take_typed(&self) -> Typed {
        let is_it = |typed: &Typed| typed.page == self.path() && typed.context == self.context_token();
        if let Some(typed) = self.outside.take_typed(is_it) {
            return typed;
        }
        let kept: Option<Typed> = self.auth.session.get(TYPED_KEY).await.ok().flatten();
        match kept {
            Some(typed) if is_it(&typed) => {
                let _ = self.auth.session.remove::<Typed>(TYPED_KEY).await;
                typed
            }
            _ => Typed::default(),
        }
    }

    /// The context that forms carry; empty before sign-in.
    fn context_token(&self) -> String {
        self.signed_in().map(|actor| actor.context_token()).unwrap_or_default()
    }

    /// Keeps what was typed for its form; whether it did. Passwords are not kept, nor more than a form of ours holds, nor,
    /// while nobody is signed in, more than the browser itself may keep: then what is wrong is told still.
    pub async fn keep_typed(&self, typed: Typed) -> bool {
        if self.signed_in().is_none() {
            return self.keep_outside(typed);
        }
        let mut typed = without_secrets(typed);
        if serde_json::to_string(&typed).map_or(true, |text| text.len() > KEPT_BYTES) {
            typed.values.clear();
        }
        let kept = !typed.values.is_empty();
        self.auth.session.insert(TYPED_KEY, typed).await.is_ok() && kept
    }

    /// The same for a form whose session has ended: the browser alone may keep it.
    #[must_use]
    pub fn keep_outside(&self, typed: Typed) -> bool {
        self.outside.keep_typed(without_secrets(typed))
    }
}

/// What may be kept of a form, and for which page.
fn without_secrets(mut typed: Typed) -> Typed {
    typed.values.retain(|(name, _)| !name.contains("password") && name != "context");
    typed.page = typed.page.split('?').next().unwrap_or_default().to_owned();
    typed
}

impl<S> FromRequestParts<S> for Ctx
where
    AppState: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AppError> {
        Self::of(parts, &AppState::from_ref(state))
    }
}
