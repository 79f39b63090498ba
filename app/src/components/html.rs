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
    fn text_cannot_break_out_of_its_place() {
        let mut out = String::new();
        escape(&mut out, "a</title><script>\"&'é");
        assert_eq!(out, "a&lt;/title&gt;&lt;script&gt;&quot;&amp;&#39;é");
    }
}
