//! Rows of a table, written straight from data: a list of 25 costs microseconds.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::html::Html;
use super::tag::{Tone, status};
use crate::format::{KWH_PLACES, Locale, MONEY_PLACES};

/// Rows for a [`DataTable`](super::DataTable). Every text given to it is escaped.
///
/// ```
/// # use portal::components::Rows;
/// let mut rows = Rows::new();
/// rows.row(|row| {
///     row.name_link("/invoices/1", "HL-2026-10441").text("Maria Okafor").status("issued").number("142.10");
/// });
/// ```
#[derive(Clone, Debug, Default)]
pub struct Rows(Html);

/// The cells of one row, left to right: one call per column.
#[derive(Debug)]
pub struct Cells<'a>(&'a mut Html);

impl Rows {
    /// No rows yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Html::with_capacity(8 * 1024))
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl FnOnce(&mut Cells<'_>)) {
        self.0.raw("<tr>");
        cells(&mut Cells(&mut self.0));
        self.0.raw("</tr>");
    }

    pub(super) fn into_html(self) -> String {
        self.0.into_string()
    }
}

/// A naming cell's start: numbers and short names stay on one line even where the screen is narrow.
fn head(text: &str) -> &'static str {
    if text.chars().count() <= 16 { "<th scope=\"row\" class=\"nowrap\">" } else { "<th scope=\"row\">" }
}

impl Cells<'_> {
    /// The cell that names the row.
    pub fn name(&mut self, text: &str) -> &mut Self {
        self.0.raw(head(text)).text(text).raw("</th>");
        self
    }

    /// The cell that names the row and opens what it is about.
    pub fn name_link(&mut self, href: &str, text: &str) -> &mut Self {
        self.0.raw(head(text)).raw("<a href=\"").text(href).raw("\">").text(text).raw("</a></th>");
        self
    }

    /// The same with a quieter line beneath: a bill's number and its month.
    pub fn name_link_with(&mut self, href: &str, text: &str, beneath: &str) -> &mut Self {
        self.0.raw(head(text)).raw("<a href=\"").text(href).raw("\">").text(text);
        self.0.raw("</a><span class=\"sub\">").text(beneath).raw("</span></th>");
        self
    }

    /// The cell that names the row, with a quieter line beneath.
    pub fn name_with(&mut self, text: &str, beneath: &str) -> &mut Self {
        self.0.raw(head(text)).text(text).raw("<span class=\"sub\">").text(beneath).raw("</span></th>");
        self
    }

    /// Words.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.0.raw("<td>").text(text).raw("</td>");
        self
    }

    /// Words with a quieter line beneath: a name and its address.
    pub fn text_with(&mut self, text: &str, beneath: &str) -> &mut Self {
        self.0.raw("<td>").text(text).raw("<span class=\"sub\">").text(beneath).raw("</span></td>");
        self
    }

    /// Words long enough to be broken on a narrow screen: a reason, a message.
    pub fn prose(&mut self, text: &str) -> &mut Self {
        self.0.raw("<td class=\"wrap\">").text(text).raw("</td>");
        self
    }

    /// Something kept on one line: a date, a serial number.
    pub fn line(&mut self, text: &str) -> &mut Self {
        self.0.raw("<td class=\"nowrap\">").text(text).raw("</td>");
        self
    }

    /// A link.
    pub fn link(&mut self, href: &str, text: &str) -> &mut Self {
        self.0.raw("<td><a href=\"").text(href).raw("\">").text(text).raw("</a></td>");
        self
    }

    /// A figure, formatted, without the unit that its column names.
    pub fn number(&mut self, figure: &str) -> &mut Self {
        self.0.raw("<td class=\"num\">").text(figure).raw("</td>");
        self
    }

    /// Money in the currency that its column names.
    pub fn money(&mut self, value: Decimal, locale: Locale) -> &mut Self {
        self.0.raw("<td class=\"num\">").figure(value, MONEY_PLACES, locale).raw("</td>");
        self
    }

    /// Energy to the watt-hour; its column names kWh.
    pub fn kwh(&mut self, value: Decimal, locale: Locale) -> &mut Self {
        self.0.raw("<td class=\"num\">").figure(value, KWH_PLACES, locale).raw("</td>");
        self
    }

    /// A day.
    pub fn date(&mut self, day: NaiveDate, locale: Locale) -> &mut Self {
        self.0.raw("<td class=\"nowrap\">").date(day, locale).raw("</td>");
        self
    }

    /// A life cycle's status as the database spells it: see [`Status`](super::Status).
    pub fn status(&mut self, value: &str) -> &mut Self {
        let (word, tone) = status(value);
        self.tag(word, tone)
    }

    /// A state's badge.
    pub fn tag(&mut self, word: &str, tone: Tone) -> &mut Self {
        self.0.raw("<td><span class=\"").raw(tone.tag()).raw("\">").text(word).raw("</span></td>");
        self
    }

    /// Nothing.
    pub fn empty(&mut self) -> &mut Self {
        self.0.raw("<td></td>");
        self
    }
}
