//! Names of people and things, in all scripts: which characters they may have, how others are shown, and which names look
//! like another.
//!
//! Refused are characters that cannot be seen and those that turn the direction of what stands around: with them one name
//! shows as another. Those that a script needs stay: joiners between letters of scripts that join, and what makes a picture
//! of several.

use unicode_normalization::UnicodeNormalization;
use unicode_script::{Script, UnicodeScript};
use unicode_security::skeleton;

/// What is shown for a character that no name may have.
const INSTEAD: char = '\u{fffd}';

/// Alphabets whose letters look alike.
const ALIKE: [Script; 5] = [Script::Latin, Script::Greek, Script::Cyrillic, Script::Armenian, Script::Cherokee];

/// A character that no name may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "There is a character in it that cannot be seen or turns the text around (U+{:04X}). Type it anew rather than pasting it.",
    u32::from(*.0)
)]
pub struct Hidden(pub char);

/// The first character of a text that no name may have. Line breaks and tabs are looked at by whoever takes several lines.
///
/// # Errors
/// That character.
pub fn check(text: &str) -> Result<(), Hidden> {
    hidden(text).next().map_or(Ok(()), |(_, character)| Err(Hidden(character)))
}

/// A text as it may be shown: with a mark in place of every character that no name may have.
#[must_use]
pub fn shown(text: &str) -> std::borrow::Cow<'_, str> {
    if check(text).is_ok() {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    for (at, character) in hidden(text) {
        shown.push_str(text.get(from..at).unwrap_or_default());
        shown.push(INSTEAD);
        from = at + character.len_utf8();
    }
    shown.push_str(text.get(from..).unwrap_or_default());
    shown.into()
}

/// The characters that no name may have, with their places. Whole pages are looked through: plain text is passed quickly.
fn hidden(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut next = 0;
    std::iter::from_fn(move || {
        loop {
            let at = odd(text.as_bytes(), next)?;
            let (before, rest) = text.split_at_checked(at)?;
            let character = rest.chars().next()?;
            next = at + character.len_utf8();
            if is_hidden(before.chars().next_back(), character) {
                return Some((at, character));
            }
        }
    })
}

/// The place of the next byte that is no plain ASCII.
fn odd(bytes: &[u8], from: usize) -> Option<usize> {
    let is_odd = |byte: u8| byte >= 0x7f || (byte < b' ' && !matches!(byte, b'\n' | b'\r' | b'\t'));
    let rest = bytes.get(from..)?;
    let plain = |part: &&[u8]| !part.iter().fold(false, |odd, byte| odd | is_odd(*byte));
    let passed = rest.chunks(64).take_while(plain).map(<[u8]>::len).sum::<usize>();
    let found = rest.get(passed..)?.iter().position(|byte| is_odd(*byte))?;
    Some(from + passed + found)
}

/// Whether a character hides something where it stands: behind `before`.
fn is_hidden(before: Option<char>, character: char) -> bool {
    match character {
        '\n' | '\r' | '\t' => false,
        // Joiners, between letters that join or parts of a picture.
        '\u{200c}' | '\u{200d}' => !before.is_some_and(joins),
        // The looks of the character before it.
        '\u{fe00}'..='\u{fe0f}' | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{e0100}'..='\u{e01ef}' => {
            before.is_none_or(|before| ALIKE.contains(&before.script()) || before.is_whitespace() || is_look(before))
        }
        // The letters of a flag, behind a black flag.
        '\u{e0020}'..='\u{e007f}' => {
            !before.is_some_and(|before| matches!(before, '\u{1f3f4}' | '\u{e0020}'..='\u{e007e}'))
        }
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        other => other.is_control(),
    }
}

fn is_look(character: char) -> bool {
    matches!(character, '\u{fe00}'..='\u{fe0f}' | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Whether something may be joined to a character: letters of the scripts that join, and pictures.
fn joins(character: char) -> bool {
    match character {
        '\u{fe0f}' | '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' => true,
        '\u{2000}'..='\u{206f}' => false,
        other => {
            let script = other.script();
            u32::from(other) >= 0x0590 && script != Script::Common && !ALIKE.contains(&script)
        }
    }
}

/// Whether a word of a name has letters of several alphabets whose letters look alike, such as Latin and Cyrillic ones.
#[must_use]
pub fn is_mixed(name: &str) -> bool {
    let composed: String = name.nfc().collect();
    composed.split(|c: char| !c.is_alphabetic()).any(|word| {
        let mut scripts = word.chars().map(|c| c.script()).filter(|script| ALIKE.contains(script));
        scripts.next().is_some_and(|first| scripts.any(|other| other != first))
    })
}

/// What a name looks like: two that have the same look, and are not the same but for case, are taken for each other.
#[must_use]
pub fn look(name: &str) -> String {
    let small: String = name.nfkc().collect::<String>().to_lowercase();
    skeleton(&small).filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests;
