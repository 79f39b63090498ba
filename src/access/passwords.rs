//! Passwords: Argon2id in the portal, so that the database never sees one and nobody reads a hash back.
//!
//! The portal asks for an account's salt, digests what was typed, and hands the digest to the database's
//! gate, which keeps only its SHA-256. Parameters stand with the salt ([`salt`]).
//!
//! What is typed is brought into one form first (NFKC, as NIST SP 800-63B says), so that another keyboard or phone that writes
//! the same letters in other code points signs in too. There are no rules of composition: what is easy to guess is refused.

mod salt;

use unicode_normalization::UnicodeNormalization;
use zxcvbn::feedback::Warning;
use zxcvbn::{Score, zxcvbn};

use salt::Salt;
pub use salt::{fresh_salt, salt_of, stronger_salt};

/// Bytes of a digest.
pub const DIGEST_BYTES: usize = 32;
/// The fewest characters of a new password (NIST SP 800-63B asks for 8 at least; longer is the better rule).
pub const MIN_LENGTH: usize = 12;
/// The most characters of a password.
pub const MAX_LENGTH: usize = 256;
/// Words that everybody at the portal knows.
const OURS: [&str; 6] = ["eis", "power", "portal", "energy", "billing", "meter"];

/// What is nobody's password, as a sentence for whoever typed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// Longer than [`MAX_LENGTH`].
    #[error("Use at most {MAX_LENGTH} characters.")]
    TooLong,
    /// It holds a control character.
    #[error("Leave out line breaks, tabs and other characters that no key types.")]
    Control,
    /// Argon2 does not take it, or its salt is none of ours.
    #[error("This password cannot be kept. Choose another one.")]
    Undigestible,
}

/// A password in the one form in which it is digested.
fn normal(typed: &str) -> Result<String, Impossible> {
    // Four bytes are the most of a character: what is longer than that is not even brought into form.
    if typed.len() > MAX_LENGTH * 4 {
        return Err(Impossible::TooLong);
    }
    let password: String = typed.nfkc().collect();
    if password.chars().count() > MAX_LENGTH {
        return Err(Impossible::TooLong);
    }
    if password.chars().any(char::is_control) { Err(Impossible::Control) } else { Ok(password) }
}

/// What is digested of something typed to prove who one is: the password, or nothing for what is nobody's. That costs the same
/// and matches no password, since none is empty.
#[must_use]
pub fn attempted(typed: &str) -> &str {
    if normal(typed).is_ok() { typed } else { "" }
}

/// The Argon2id digest of a password with a salt and its parameters. Takes some 30 ms of one core: call it off the runtime.
///
/// # Errors
/// When it is nobody's password, or the salt is none of ours.
pub fn digest(password: &str, salt: &str) -> Result<[u8; DIGEST_BYTES], Impossible> {
    Salt::read(salt)?.digest(&normal(password)?)
}

/// What is wrong with a new password, as a sentence; `None` when it will do. `about`: what others know of the person, such as
/// name, address, organization; a password made of it is refused.
#[must_use]
pub fn fault(password: &str, about: &[&str]) -> Option<String> {
    let password = match normal(password) {
        Ok(password) => password,
        Err(impossible) => return Some(impossible.to_string()),
    };
    if password.chars().count() < MIN_LENGTH {
        return Some(format!("Use at least {MIN_LENGTH} characters; a few words do well."));
    }
    let words: Vec<&str> = about.iter().flat_map(|text| words(text)).chain(OURS).collect();
    let guessed = zxcvbn(&password, &words);
    let telling = is_made_of(&password, &words);
    if guessed.score() == Score::Four && !telling {
        return None;
    }
    let telling = telling || guessed.guesses() < zxcvbn(&password, &[]).guesses();
    let warning = guessed.feedback().and_then(zxcvbn::feedback::Feedback::warning);
    Some(why(telling, warning).to_owned() + " Use a few words that have nothing to do with each other or with you.")
}

/// Whether little is left of a password without the words that others know, however they are joined.
fn is_made_of(password: &str, words: &[&str]) -> bool {
    let whole = password.to_lowercase();
    let left = words.iter().fold(whole.clone(), |left, word| left.replace(&word.to_lowercase(), " "));
    left != whole && left.chars().filter(|c| !c.is_whitespace()).count() < 8
}

/// A text and its parts, as somebody would use them who guesses.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(|c: char| !c.is_alphanumeric());
    parts.chain([text]).filter(|word| word.chars().count() > 2)
}

/// Why a password is guessed soon.
const fn why(telling: bool, warning: Option<Warning>) -> &'static str {
    use Warning as W;
    match warning {
        _ if telling => "This is made of names that others know: yours, your organisation's or the portal's.",
        Some(
            W::ThisIsATop10Password
            | W::ThisIsATop100Password
            | W::ThisIsACommonPassword
            | W::ThisIsSimilarToACommonlyUsedPassword,
        ) => "This is one of the passwords that are tried first, or close to one.",
        _ => "This is too easy to guess: repeats, rows of keys, dates and single words are tried early.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: &str = "$argon2id$v=19$m=19456,t=2,p=1$00112233445566778899aabbccddeeff";

    #[test]
    fn the_same_password_and_salt_give_the_same_digest_and_others_do_not() {
        let one = digest("correct horse battery", SALT).unwrap();
        assert_eq!(one, digest("correct horse battery", SALT).unwrap());
        assert_ne!(one, digest("correct horse battery", &SALT.replace("$0011", "$1011")).unwrap());
        assert_ne!(one, digest("correct horse battery", &SALT.replace("t=2", "t=1")).unwrap(), "the parameters count");
        assert_ne!(one, digest("Correct horse battery", SALT).unwrap());
    }

    #[test]
    fn the_same_letters_from_another_keyboard_are_the_same_password() {
        let composed = digest("grüner Kessel am Berg", SALT).unwrap();
        assert_eq!(composed, digest("gru\u{308}ner Kessel am Berg", SALT).unwrap(), "combined dots");
        assert_eq!(composed, digest("grüner\u{a0}Kessel am Berg", SALT).unwrap(), "a space that does not break");
        assert_ne!(composed, digest("gruner Kessel am Berg", SALT).unwrap());
    }

    #[test]
    fn a_short_a_monotonous_and_a_telling_password_are_refused_with_the_reason() {
        let about = ["Margaret Hale", "margaret@thornton.example", "Northern Mills"];
        for (password, reason) in [
            ("short", "at least 12"),
            ("aaaaaaaaaaaaaaaa", "too easy"),
            ("ффффффффффффффф", "too easy"),
            ("qwertyuiop[]asdf", ""),
            ("123456789012345", ""),
            ("password12345", ""),
            ("P@ssw0rd2024!", ""),
            ("P@ssword12345!", ""),
            ("margaret-2026", "names that others know"),
            ("eis-power-portal", "names that others know"),
            ("NorthernMills1!", "names that others know"),
            ("margaret-hale-northern-mills-7", "names that others know"),
            ("thornton.hale.margaret", "names that others know"),
        ] {
            let told = fault(password, &about).unwrap_or_else(|| panic!("{password} is taken"));
            assert!(told.contains(reason), "{password}: {told}");
        }
        for good in
            ["green kettle on the hill", "a quiet heron by the weir", "зелёный чайник на холме", "Xq7#vR2m!pLz9"]
        {
            assert_eq!(fault(good, &about), None, "{good}");
        }
    }

    #[test]
    fn what_is_nobody_s_password_gets_a_sentence_and_counts_as_none() {
        for (typed, reason) in [
            ("kettle ".repeat(43), "at most 256"),
            ("x".repeat(10_000_000), "at most 256"),
            ("😀".repeat(2000), "at most 256"),
            ("\u{fdfa}".repeat(100), "at most 256"),
            ("green kettle\0 on the hill".to_owned(), "no key types"),
        ] {
            assert!(fault(&typed, &[]).unwrap().contains(reason));
            assert!(digest(&typed, SALT).is_err());
            assert_eq!(attempted(&typed), "");
        }
        let long = "kettle hill ".repeat(21);
        assert_eq!((long.len(), attempted(&long)), (252, long.as_str()));
        assert!(digest(&"😀".repeat(256), SALT).is_ok(), "characters count, not bytes");
    }
}
