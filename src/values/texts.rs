//! Texts that people type, as they are kept: trimmed, bounded, without characters that hide something.

use crate::values::names;

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFault {
    /// There is none.
    Missing,
    /// It has more than so many characters.
    TooLong(usize),
    /// It has a character that cannot be seen, or one that it may not have.
    Forbidden(char),
}

/// A text of one line as it is kept: without spaces around it.
///
/// # Errors
/// When it is empty, has more than `most` characters, or one that no name may have.
pub fn line(text: &str, most: usize) -> Result<String, TextFault> {
    match optional_line(text, most)? {
        text if text.is_empty() => Err(TextFault::Missing),
        text => Ok(text),
    }
}

/// As [`line`], and it may be empty.
///
/// # Errors
/// As [`line`] but for an empty one.
pub fn optional_line(text: &str, most: usize) -> Result<String, TextFault> {
    let text = text.trim();
    names::check(text).map_err(|hidden| TextFault::Forbidden(hidden.0))?;
    if let Some(control) = text.chars().find(|c| c.is_control()) {
        return Err(TextFault::Forbidden(control));
    }
    if text.chars().count() > most { Err(TextFault::TooLong(most)) } else { Ok(text.to_owned()) }
}

/// A text of several lines as it is kept; it may be empty.
///
/// # Errors
/// When it has more than `most` characters, or one that cannot be seen; line breaks and tabs may be there.
pub fn optional_lines(text: &str, most: usize) -> Result<String, TextFault> {
    let text = text.trim();
    names::check(text).map_err(|hidden| TextFault::Forbidden(hidden.0))?;
    if text.chars().count() > most { Err(TextFault::TooLong(most)) } else { Ok(text.to_owned()) }
}

/// As [`optional_lines`], and it may not be empty.
///
/// # Errors
/// As [`optional_lines`], and for an empty one.
pub fn lines(text: &str, most: usize) -> Result<String, TextFault> {
    match optional_lines(text, most)? {
        text if text.is_empty() => Err(TextFault::Missing),
        text => Ok(text),
    }
}

/// Takes what a check found into the list of violations, and the good value out of it.
pub fn note<T: Default, F, V>(checked: Result<T, F>, violations: &mut Vec<V>, violation: impl FnOnce(F) -> V) -> T {
    checked.unwrap_or_else(|fault| {
        violations.push(violation(fault));
        // Never used: with a violation nothing is written.
        T::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_trimmed_and_each_fault_is_told() {
        assert_eq!(line("  Bills of 2026 ", 40), Ok("Bills of 2026".to_owned()));
        assert_eq!(line(" \t", 40), Err(TextFault::Missing));
        assert_eq!(line("Straße", 5), Err(TextFault::TooLong(5)));
        assert_eq!(line("a\nb", 5), Err(TextFault::Forbidden('\n')));
        assert_eq!(line("a\u{202e}b", 5), Err(TextFault::Forbidden('\u{202e}')));
        assert_eq!(optional_line(" ", 5), Ok(String::new()));
    }

    #[test]
    fn several_lines_may_break_and_hide_nothing() {
        assert_eq!(lines("a\r\n\tb\n", 10), Ok("a\r\n\tb".to_owned()));
        assert_eq!(lines("a\n\u{0}b", 10), Err(TextFault::Forbidden('\u{0}')));
        assert_eq!((lines("\n", 10), optional_lines("\n", 10)), (Err(TextFault::Missing), Ok(String::new())));
        assert_eq!(lines("abc", 2), Err(TextFault::TooLong(2)));
    }

    #[test]
    fn every_violation_is_kept_and_nothing_is_done_with_one() {
        let mut violations = vec![];
        let good = note(line("x", 2), &mut violations, |fault| fault);
        let bad = note(line("", 2), &mut violations, |fault| fault);
        assert_eq!((good.as_str(), bad.as_str()), ("x", ""));
        assert_eq!(violations, [TextFault::Missing]);
    }
}
