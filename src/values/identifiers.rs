//! What people and things are called by: e-mail addresses, account numbers, serials, codes. Two that nobody can tell
//! apart are one: compared without case, outer spaces and characters that cannot be seen.

use email_address::{EmailAddress, Options};
use unicode_normalization::UnicodeNormalization;
use unicode_security::{GeneralSecurityProfile, MixedScript};

/// The longest address that mail can be sent to (RFC 5321).
const LONGEST: usize = 254;

/// What an identifier is compared by: composed, in small letters, without outer spaces and unseen characters.
#[must_use]
pub fn canonical(text: &str) -> String {
    plain(text).to_lowercase()
}

/// Whether two identifiers are the same one.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    one == other || canonical(one) == canonical(other)
}

/// An identifier as a question to the database has it, which compares it without case by its own `lower`.
#[must_use]
pub fn plain(text: &str) -> String {
    let seen: String = text.nfc().filter(|c| !is_unseen(*c)).collect();
    seen.trim().to_owned()
}

/// An identifier as it is kept: as typed, composed, without what stands around it unseen.
///
/// # Errors
/// The first character inside it that cannot be seen, or looks like a space and is none.
pub fn kept(text: &str) -> Result<String, Unseen> {
    let text: String = text.trim_matches(|c: char| c.is_whitespace() || is_unseen(c)).nfc().collect();
    match text.chars().find(|c| is_unseen(*c) || (c.is_whitespace() && *c != ' ')) {
        Some(unseen) => Err(Unseen(unseen)),
        None => Ok(text),
    }
}

/// A character that cannot be seen stands inside an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("There is a character in it that cannot be seen (U+{:04X}). Type it anew rather than pasting it.", u32::from(*.0))]
pub struct Unseen(pub char);

/// Controls, and the characters that Unicode says are shown by nothing (`Default_Ignorable_Code_Point`), those that turn
/// the direction of text among them.
fn is_unseen(c: char) -> bool {
    let ignorable = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}');
    ignorable || (c.is_control() && !c.is_whitespace())
}

/// Why a text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAddress {
    /// It is not of the form.
    #[error("Enter an e-mail address like name@example.com.")]
    Form,
    /// A character cannot be seen.
    #[error(transparent)]
    Unseen(#[from] Unseen),
    /// Its letters are of several scripts, or of none that names are written in.
    #[error("The address has letters that look like others. Type it anew with the letters of one alphabet.")]
    LookAlike,
}

/// An e-mail address as it is kept to write to: one mailbox at a named host.
///
/// # Errors
/// [`NotAnAddress`] for anything else: a second `@`, quotes, commas, a dot at an end, a host by its number, letters of
/// several scripts.
pub fn email(text: &str) -> Result<String, NotAnAddress> {
    let text = kept(text)?;
    let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
    let read = EmailAddress::parse_with_options(&text, options).map_err(|_| NotAnAddress::Form)?;
    let top = read.domain().rsplit('.').next().unwrap_or_default();
    let quoted = text.contains(['"', ' ', '\\']) || text.matches('@').count() != 1;
    if quoted || text.len() > LONGEST || !top.chars().all(|c| c.is_alphabetic() || c == '-' || top.starts_with("xn--"))
    {
        return Err(NotAnAddress::Form);
    }
    let letters: String = text.chars().filter(|c| c.is_alphanumeric() || !c.is_ascii()).collect();
    let is_allowed = |c: char| c.is_ascii() || c.identifier_allowed();
    if !letters.chars().all(is_allowed) || !letters.is_single_script() {
        return Err(NotAnAddress::LookAlike);
    }
    Ok(text)
}

/// The e-mail address that somebody signs in with: in small letters.
///
/// # Errors
/// As [`email`].
pub fn login(text: &str) -> Result<String, NotAnAddress> {
    email(text).map(|address| address.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_that_nobody_can_tell_apart_are_one() {
        for (one, other) in [
            ("M-1", "m-1"),
            (" M-1\u{a0}", "M-1"),
            ("M\u{200b}-1", "M-1"),
            ("\u{feff}M-1", "M-1"),
            ("Za\u{308}hler", "ZÄHLER"),
        ] {
            assert!(same(one, other), "{one:?} {other:?}");
        }
        for (one, other) in [("M-1", "M-2"), ("M 1", "M1"), ("0M", "OM"), ("", "M")] {
            assert!(!same(one, other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn an_identifier_is_kept_as_typed_and_holds_nothing_unseen() {
        assert_eq!(kept(" Ab 1 \u{200b}").as_deref(), Ok("Ab 1"));
        assert_eq!(kept("A\u{308}1").as_deref(), Ok("Ä1"));
        for unseen in ['\u{200b}', '\u{202e}', '\u{ad}', '\u{a0}', '\t', '\u{0}', '\u{fe0f}'] {
            assert_eq!(kept(&format!("A{unseen}1")), Err(Unseen(unseen)));
        }
        assert!(Unseen('\u{200b}').to_string().contains("U+200B"));
    }

    #[test]
    fn an_address_of_one_mailbox_is_taken() {
        for address in [
            "name@example.com",
            "o'brien+bills@mail.example.co.uk",
            "a@b.de",
            "jörg@müller.de",
            "пример@почта.рф",
            "n@xn--mller-kva.de",
            "n@host.xn--p1ai",
        ] {
            assert_eq!(email(address).as_deref(), Ok(address));
        }
        assert_eq!(email(" Name@Example.com ").as_deref(), Ok("Name@Example.com"));
        assert_eq!(login(" Name@Example.com\u{200b}").as_deref(), Ok("name@example.com"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "n".repeat(65));
        let longer = format!("n@{}.com", [&*"a".repeat(60); 5].join("."));
        for text in [
            "",
            "name",
            "@example.com",
            "name@",
            "a@b@example.com",
            "a@example.com, b@example.com",
            "a,b@example.com",
            "a@example,com",
            "a@example.com.",
            "a@.example.com",
            "a@example..com",
            ".a@example.com",
            "a.@example.com",
            "a..b@example.com",
            "a@example",
            "a@-example.com",
            "a@example-.com",
            "a b@example.com",
            "a@exam ple.com",
            "\"a@b\"@example.com",
            "\"a\"@example.com",
            "Name <a@example.com>",
            "a@[192.0.2.1]",
            "a@192.0.2.1",
            "a@example.c1m",
            "a;b@example.com",
            "mailto:a@example.com",
            "a@example.com?x",
            &long,
            &longer,
        ] {
            assert_eq!(email(text), Err(NotAnAddress::Form), "{text:?}");
        }
    }

    #[test]
    fn an_address_that_looks_like_another_is_refused() {
        assert_eq!(email("n\u{200b}ame@example.com"), Err(NotAnAddress::Unseen(Unseen('\u{200b}'))));
        assert_eq!(email("n\u{202e}ame@example.com"), Err(NotAnAddress::Unseen(Unseen('\u{202e}'))));
        // A Cyrillic а, a Greek ο, a Cyrillic name at a Latin host, wide letters, a Latin alpha.
        for text in ["\u{430}dmin@example.com", "name@g\u{3bf}ogle.com", "\u{430}\u{440}\u{440}@example.com"] {
            assert_eq!(email(text), Err(NotAnAddress::LookAlike), "{text}");
        }
        for text in ["ｎame@example.com", "n\u{251}me@example.com"] {
            assert_eq!(email(text), Err(NotAnAddress::LookAlike), "{text}");
        }
    }
}
