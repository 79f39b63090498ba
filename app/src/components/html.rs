//! HTML written straight into a string, for what is rendered most: rows, navigation, charts.
//!
//! A view costs an allocation per attribute; a table of 25 rows has hundreds. Here only
//! literals go in as they are ([`Html::raw`] takes nothing else); whatever comes from
//! data goes through [`Html::text`], which escapes it.

use std::fmt::{Display, Write as _};

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
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| SPECIAL[usize::from(byte)]) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        out.push_str(match after.as_bytes().first() {
            Some(b'&') => "&amp;",
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            Some(b'"') => "&quot;",
            _ => "&#39;",
        });
        rest = after.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_break_out_of_its_place() {
        let mut out = String::new();
        escape(&mut out, "a</title><script>\"&'é");
        assert_eq!(out, "a&lt;/title&gt;&lt;script&gt;&quot;&amp;&#39;é");
    }
}
