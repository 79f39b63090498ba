//! What the web keeps with a session is sealed before it goes to the database: one-time links and codes until their page has
//! shown them, forms that were refused. The key is made of the session's secret, which lies in its browser alone (the database
//! keeps a digest of it), so that a backup, a replica or whoever reads the table opens none of it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use eis::access::SessionSecret;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::error::Unspecified;
use ring::hkdf::{HKDF_SHA256, Salt};

/// What the key is for: no other key is made of the secret with these words.
const PURPOSE: &[u8] = b"eis-power session data 1";
/// What a session holds that keeps nothing yet.
const NOTHING: &str = "{}";

fn key(secret: SessionSecret) -> Result<LessSafeKey, Unspecified> {
    let made = Salt::new(HKDF_SHA256, &[]).extract(&secret.bytes());
    Ok(LessSafeKey::new(UnboundKey::from(made.expand(&[PURPOSE], &CHACHA20_POLY1305)?)))
}

/// A text as only who has the session's secret reads it.
///
/// # Errors
/// When it cannot be sealed; it is not kept in the open then.
pub fn seal(secret: SessionSecret, text: &str) -> Result<String, Unspecified> {
    // Random: one session seals some thousand texts in its life, far from the number at which two nonces would meet.
    let nonce: [u8; NONCE_LEN] = rand::random();
    let mut sealed = text.as_bytes().to_vec();
    key(secret)?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)?;
    Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
}

/// The text that was sealed; `None` when it was not sealed for this session, or was changed since.
#[must_use]
pub fn open(secret: SessionSecret, sealed: &str) -> Option<String> {
    if sealed == NOTHING {
        return Some(NOTHING.to_owned());
    }
    let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let (nonce, text) = bytes.split_first_chunk::<NONCE_LEN>()?;
    let mut text = text.to_vec();
    let opened = key(secret).ok()?.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut text).ok()?;
    String::from_utf8(opened.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_read_with_its_own_secret_alone_and_unchanged_alone() {
        let (mine, theirs) = (SessionSecret(7), SessionSecret(8));
        let text = r#"{"link":"https://portal.example/reset/0f0f"}"#;
        let sealed = seal(mine, text).unwrap();
        assert!(!sealed.contains("reset") && sealed != seal(mine, text).unwrap(), "{sealed}");
        assert_eq!(open(mine, &sealed).as_deref(), Some(text));
        assert_eq!(open(theirs, &sealed), None);
        for place in [0, 20, sealed.len() - 2] {
            let mut changed = sealed.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            assert_eq!(open(mine, &String::from_utf8(changed).unwrap()), None, "{place}");
        }
        for other in ["", "x", text, r#"{"flash":"in the open"}"#] {
            assert_eq!(open(mine, other), None, "{other}");
        }
        assert_eq!(open(mine, "{}").as_deref(), Some("{}"), "a session that keeps nothing yet");
    }
}
