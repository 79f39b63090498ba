//! Passwords: Argon2id in the portal, so that the database never sees one and nobody reads a hash back.
//!
//! The portal asks for an account's salt, digests what was typed, and hands the digest to the database's
//! gate, which keeps only its SHA-256. Parameters: OWASP's for Argon2id (19 MiB, t = 2, p = 1).

use argon2::{Algorithm, Argon2, Params, Version};

/// Bytes of a digest.
pub const DIGEST_BYTES: usize = 32;
/// The fewest characters of a new password (NIST SP 800-63B asks for 8 at least; longer is the better rule).
pub const MIN_LENGTH: usize = 12;
/// The most bytes of a password.
pub const MAX_LENGTH: usize = 256;

/// A password that cannot be digested: longer than [`MAX_LENGTH`].
#[derive(Debug, thiserror::Error)]
#[error("a password has at most 256 bytes")]
pub struct TooLong;

/// A new random salt, 32 hex digits.
#[must_use]
pub fn fresh_salt() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// The Argon2id digest of a password under a salt. Takes some 30 ms of one core: call it off the runtime.
///
/// # Errors
/// When the password is too long.
pub fn digest(password: &str, salt: &str) -> Result<[u8; DIGEST_BYTES], TooLong> {
    if password.len() > MAX_LENGTH {
        return Err(TooLong);
    }
    let params = Params::new(19 * 1024, 2, 1, Some(DIGEST_BYTES)).map_err(|_| TooLong)?;
    let mut out = [0; DIGEST_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt.as_bytes(), &mut out)
        .map_err(|_| TooLong)?;
    Ok(out)
}

/// What is wrong with a new password, as a sentence; `None` when it will do.
#[must_use]
pub fn fault(password: &str, email: &str) -> Option<String> {
    let name = email.split('@').next().unwrap_or_default().to_lowercase();
    let lower = password.to_lowercase();
    if password.chars().count() < MIN_LENGTH {
        return Some(format!("Use at least {MIN_LENGTH} characters; a few words do well."));
    }
    if password.len() > MAX_LENGTH {
        return Some(format!("Use at most {MAX_LENGTH} characters."));
    }
    let mut distinct: Vec<char> = lower.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 5 || (name.len() > 3 && lower.contains(&name)) {
        return Some("This is too easy to guess: avoid your name and repeated letters.".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_password_and_salt_give_the_same_digest_and_others_do_not() {
        let one = digest("correct horse battery", "00112233445566778899aabbccddeeff").unwrap();
        assert_eq!(one, digest("correct horse battery", "00112233445566778899aabbccddeeff").unwrap());
        assert_ne!(one, digest("correct horse battery", "10112233445566778899aabbccddeeff").unwrap());
        assert_ne!(one, digest("Correct horse battery", "00112233445566778899aabbccddeeff").unwrap());
    }

    #[test]
    fn a_short_a_monotonous_and_a_telling_password_are_refused() {
        assert!(fault("short", "a@b.example").is_some());
        assert!(fault("aaaaaaaaaaaaaaaa", "a@b.example").is_some());
        assert!(fault("margaret-2026-summer", "margaret@b.example").is_some());
        assert!(fault("green kettle on the hill", "margaret@b.example").is_none());
    }
}
