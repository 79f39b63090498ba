//! A secret on its way from the form that made it to the page that shows it once. The session's data lies in the database,
//! which is to keep no secret: it gets it hidden under the session's own id, of which it knows a digest alone.

use eis::access::{Actor, SessionSecret};
use eis::hex;
use eis::service_identities::Secret;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

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
    nonce: Uuid,
    hidden: String,
}

/// Bytes as long as a secret that only the holder of the session's id can make; others with each nonce.
fn cover(session: SessionSecret, nonce: Uuid) -> [u8; 32] {
    Sha256::new().chain_update("service secret").chain_update(nonce).chain_update(session.bytes()).finalize().into()
}

fn covered(bytes: &[u8], session: SessionSecret, nonce: Uuid) -> Vec<u8> {
    bytes.iter().zip(cover(session, nonce)).map(|(byte, cover)| byte ^ cover).collect()
}

/// Keeps a secret for the page that follows.
pub(super) async fn keep(ctx: &Ctx, actor: &Actor, name: &str, secret: &Secret) -> Result<(), AppError> {
    let nonce = Uuid::now_v7();
    let kept = Kept {
        base: base_of(actor),
        by: actor.user.to_string(),
        name: name.to_owned(),
        nonce,
        hidden: hex::of(&covered(secret.bytes(), actor.secret, nonce)),
    };
    ctx.auth.session.insert(KEY, kept).await.map_err(|e| AppError::Internal(e.to_string()))
}

/// The secret just made here, once: the identity's name and the secret as people copy it.
pub(super) async fn take(ctx: &Ctx, scope: &Scope) -> Option<(String, String)> {
    let kept: Kept = ctx.auth.session.get(KEY).await.ok().flatten()?;
    if kept.base != scope.base() || kept.by != scope.actor.user.to_string() {
        return None;
    }
    let _ = ctx.auth.session.remove::<Kept>(KEY).await;
    let hidden = hex::bytes(&kept.hidden)?;
    Some((kept.name, hex::of(&covered(&hidden, scope.actor.secret, kept.nonce))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_back_under_its_own_session_alone() {
        let (mine, other, nonce) = (SessionSecret(7), SessionSecret(8), Uuid::now_v7());
        let hidden = covered(&[9; 32], mine, nonce);
        assert_eq!(covered(&hidden, mine, nonce), [9; 32]);
        assert_ne!(covered(&hidden, other, nonce), [9; 32]);
        assert_ne!(covered(&[9; 32], mine, Uuid::now_v7()), hidden, "another cover each time");
    }
}
