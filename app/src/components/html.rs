//! HTML written straight into a string, for what is rendered most: rows, navigation, charts.
//!
//! A view costs an allocation per attribute; a table of 25 rows has hundreds. Here only
//! literals go in as they are ([`Html::raw`] takes nothing else); whatever comes from
//! data goes through [`Html::text`], which escapes it.

use std::fmt::{Display, Write as _};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::format::{self, Locale};

/// HTML under construction.
#[derive(Clone, Debug, Default)]
pub(super) struct Html(String);

impl Html {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Markup, from the source code only.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text or an attribute's value between double quotes.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        escape(&mut self.0, text);
        self
    }

    /// A number: it writes no character that would need escaping.
    pub(super) fn number(&mut self, number: impl Display + Copy + Into<i64>) -> &mut Self {
        let _ = write!(self.0, "{number}");
        self
    }

    /// A figure as people of the locale write it.
    pub(super) fn figure(&mut self, value: Decimal, places: u32, locale: Locale) -> &mut Self {
        format::write_number(&mut self.0, value, places, locale);
        self
    }

    /// A day as people of the locale write it.
    pub(super) fn date(&mut self, day: NaiveDate, locale: Locale) -> &mut Self {
        format::write_date(&mut self.0, day, locale);
        self
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// Bytes that mean something in HTML.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    special[b'&' as usize] = true;
    special[b'<' as usize] = true;
    special[b'>' as usize] = true;
    special[b'"' as usize] = true;
    special[b'\'' as usize] = true;
    special
};

/// Appends text with the characters that mean something in HTML written as entities.
pub(super) fn escape(out: &mut String, text: &str) {
    let (eights, rest) = text.as_bytes().as_chunks();
    if eights.iter().all(is_plain) && !rest.iter().any(|byte| SPECIAL[usize::from(*byte)]) {
        return out.push_str(text);
    }
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if SPECIAL[usize::from(byte)] {
            out.push_str(text.get(from..at).unwrap_or_default());
            out.push_str(match byte {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            });
            from = at + 1;
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
}

/// Whether none of eight bytes means anything in HTML, looked at all at once: almost no text holds one that does.
fn is_plain(bytes: &[u8; 8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    let word = u64::from_ne_bytes(*bytes);
    // A byte that is `wanted`, or differs from it in the bits of `loose` alone, becomes zero; a zero byte borrows.
    let found = |wanted: u8, loose: u8| {
        let zero = (word | (ONES * u64::from(loose))) ^ (ONES * u64::from(wanted));
        zero.wrapping_sub(ONES) & !zero & TOPS
    };
    // & and ' are one bit apart, and so are < and >.
    found(b'\'', 1) | found(b'>', 2) | found(b'"', 0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_days_hold_nothing_that_would_need_escaping() {
        for locale in Locale::ALL {
            let mut out = Html::default();
            for month in 1..=12 {
                out.date(NaiveDate::from_ymd_opt(2026, month, 9).unwrap(), locale);
            }
            out.figure(Decimal::new(-123_456_789_012, 3), 2, locale);
            let written = out.into_string();
            let mut escaped = String::new();
            escape(&mut escaped, &written);
            assert_eq!(written, escaped);
        }
    }

    #[test]
    fn every_byte_that_means_something_is_found_wherever_it_stands() {
        for byte in 0..=255_u8 {
            for at in 0..8 {
                let mut bytes = *b"abcdefgh";
                bytes[at] = byte;
                assert_eq!(is_plain(&bytes), !SPECIAL[usize::from(byte)], "{byte} at {at}");
            }
        }
    }

    #[test]
    fn text_cannot_break_out_of_its_place() {
        let mut out = String::new();
        escape(&mut out, "a</title><script>\"&'é");
        assert_eq!(out, "a&lt;/title&gt;&lt;script&gt;&quot;&amp;&#39;é");
    }
}
