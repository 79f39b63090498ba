//! A secret on its way from the form that made it to the page that shows it once. It waits with the session, whose data is
//! sealed (`server/sealed.rs`).

use eis::access::Actor;
use eis::parties::service_identities::Secret;
use eis::values::hex;
use serde::{Deserialize, Serialize};

use crate::pages::scope::{Scope, base_of};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;

/// Where the session keeps it until its page has shown it.
const KEY: &str = "service_secret";

/// A secret that waits to be shown: where, to whom, of which identity.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    base: String,
    by: String,
    name: String,
    secret: String,
}

/// Keeps a secret for the page that follows.
pub(super) async fn keep(ctx: &Ctx, actor: &Actor, name: &str, secret: &Secret) -> Result<(), AppError> {
    let (base, by) = (base_of(actor), actor.user.to_string());
    let kept = Kept { base, by, name: name.to_owned(), secret: hex::of(secret.bytes()) };
    ctx.auth.session.insert(KEY, kept).await.map_err(|e| AppError::Internal(e.to_string()))
}

/// The secret just made here, once: the identity's name and the secret as people copy it.
pub(super) async fn take(ctx: &Ctx, scope: &Scope) -> Option<(String, String)> {
    let kept: Kept = ctx.auth.session.get(KEY).await.ok().flatten()?;
    if kept.base != scope.base() || kept.by != scope.actor.user.to_string() {
        return None;
    }
    let _ = ctx.auth.session.remove::<Kept>(KEY).await;
    Some((kept.name, kept.secret))
}
