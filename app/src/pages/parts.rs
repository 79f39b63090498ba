//! Small things that several pages share: the client that is open, lists in the address, CSV.

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName};
use axum::response::{IntoResponse, Response};
use eis::access::ClientSummary;
use eis::access::{Actor, Permission};
use eis::db::Tenant;
use eis::parties::clients;
use eis::values::ids::OrganizationId;
use eis::values::names;
use futures_util::{Stream, StreamExt, stream};

use super::frame::Place;
use crate::components::{Crumb, FieldError};
use crate::format::Locale;
use crate::forms::Typed;
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;

/// Rows on a page of a list.
pub const PAGE_ROWS: i64 = 25;
/// Rows of a CSV export.
pub const EXPORT_ROWS: i64 = 100_000;

/// The faults of a form as its error summary shows them.
#[must_use]
pub fn field_errors(typed: &Typed) -> Vec<FieldError> {
    typed
        .errors
        .0
        .iter()
        .map(|(field, message)| FieldError { field: field.clone(), message: message.clone() })
        .collect()
}

/// One of a client's pages: who asks, standing at the client, and the client itself.
#[derive(Debug)]
pub struct AtClient {
    /// Who asks.
    pub actor: Actor,
    /// The organization.
    pub organization: OrganizationId,
    /// The client.
    pub client: ClientSummary,
}

impl AtClient {
    /// Guards a client's page and opens its READ ONLY transaction.
    ///
    /// # Errors
    /// `Forbidden` for a client that is not the actor's, whether it exists or not.
    pub async fn open(ctx: &Ctx, permission: Permission, client: &str) -> Result<(Self, Tenant), AppError> {
        let actor = ctx.require_client(permission, client)?;
        let tx = ctx.read(&actor).await?;
        Ok((Self::standing(actor, &tx).await?, tx))
    }

    /// The client at which an actor stands. It came with the session of those who belong to one client.
    ///
    /// # Errors
    /// `Forbidden` for a client that the context does not see.
    pub(crate) async fn standing(actor: Actor, tx: &Tenant) -> Result<Self, AppError> {
        let (id, organization) = actor.tenant()?;
        let client = match &actor.client_summary {
            Some(own) if own.id == id => own.clone(),
            _ => clients::summary(tx, organization, id).await?.ok_or(AppError::Forbidden)?,
        };
        Ok(Self { actor, organization, client })
    }

    /// The address of the client's pages.
    #[must_use]
    pub fn base(&self) -> String {
        format!("/clients/{}", self.client.id)
    }

    /// How this client writes numbers and dates.
    #[must_use]
    pub fn locale(&self) -> Locale {
        Locale::from(self.client.locale.as_str())
    }

    /// The place for the frame; crumbs as (label, path below the client).
    #[must_use]
    pub fn place(&self, crumbs: &[(&str, &str)], this: &str) -> Place {
        let mut trail: Vec<Crumb> =
            crumbs.iter().map(|(label, path)| Crumb::new(*label, format!("{}/{path}", self.base()))).collect();
        if !crumbs.is_empty() {
            trail.push(Crumb::new(this, ""));
        }
        Place {
            client: Some(self.client.id),
            client_name: self.client.name.clone(),
            locale: self.locale(),
            crumbs: trail,
        }
    }
}

/// What was to be changed was: a row that the database let nobody change is not told as changed.
///
/// # Errors
/// `Forbidden` when it was not.
pub fn changed(row: bool) -> Result<(), AppError> {
    if row { Ok(()) } else { Err(AppError::Forbidden) }
}

/// An address with a query; pairs with an empty value are left out.
#[must_use]
pub fn address(path: &str, pairs: &[(&str, &str)]) -> String {
    let kept: Vec<&(&str, &str)> = pairs.iter().filter(|(_, value)| !value.is_empty()).collect();
    match serde_urlencoded::to_string(&kept) {
        Ok(query) if !query.is_empty() => format!("{path}?{query}"),
        _ => path.to_owned(),
    }
}

/// A CSV download. A text that a spreadsheet would run as a formula gets an apostrophe before it.
///
/// # Errors
/// When a row cannot be written.
pub fn csv_file(name: &str, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<Response, AppError> {
    let head = head.iter().map(|cell| (*cell).to_owned()).collect();
    let bytes = lines(std::iter::once(head).chain(rows))?;
    Ok((csv_headers(name), bytes).into_response())
}

fn csv_headers(name: &str) -> [(HeaderName, String); 2] {
    // A header takes plain letters alone.
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    let disposition = format!("attachment; filename=\"{name}.csv\"");
    [(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, disposition)]
}

/// A CSV download that is read while it is sent, some rows at a time; formulas as in [`csv_file`]. What fails under way
/// breaks the download off, so that nobody takes a part for the whole.
///
/// # Errors
/// When the head cannot be written.
pub fn csv_stream(
    name: &str,
    head: &[String],
    rows: impl Stream<Item = Result<Vec<Vec<String>>, AppError>> + Send + 'static,
) -> Result<Response, AppError> {
    let first = lines([head.to_vec()])?;
    let rows = rows.map(|rows| rows.and_then(lines));
    // Compression asks once more after the end.
    let body = Body::from_stream(stream::once(std::future::ready(Ok(first))).chain(rows).fuse());
    Ok((csv_headers(name), body).into_response())
}

fn lines(rows: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>, AppError> {
    let failed = |e: csv::Error| AppError::Internal(e.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.iter().map(|cell| harmless(cell))).map_err(failed)?;
    }
    writer.into_inner().map_err(|e| AppError::Internal(e.to_string()))
}

/// A cell that no spreadsheet runs. An apostrophe stands before whatever would be a formula at the beginning of the cell,
/// and also behind each separator: where people live decides at which one their spreadsheet splits a file. Numbers stay
/// numbers. Characters that hide something are marked.
fn harmless(cell: &str) -> String {
    let cell = names::shown(cell);
    let mut text = String::with_capacity(cell.len() + 1);
    for (at, part) in cell.split_inclusive([';', ',', '\t', '|', '\n', '\r']).enumerate() {
        if is_formula(part) || (at == 0 && cell.starts_with(['\t', '\r', '\n'])) {
            text.push('\'');
        }
        text.push_str(part);
    }
    text
}

/// Whether a spreadsheet would take a text for a formula.
fn is_formula(text: &str) -> bool {
    // Some spreadsheets look past blanks and quotes, and take the wide forms for the same.
    const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let begins = text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')).starts_with(FORMULA);
    let number = text.trim_end_matches([';', ',', '\t', '|', '\n', '\r']);
    begins && number.parse::<rust_decimal::Decimal>().is_err()
}

/// The addresses of the first, the previous and the next page of a list; empty where there is none. `to` gives that of
/// the page from a row on (empty: from the first).
pub fn turns(offset: i64, rows: i64, total: i64, to: impl Fn(&str) -> String) -> [String; 3] {
    let at = |row: i64| to(&if row > 0 { row.to_string() } else { String::new() });
    let back = |row: i64| if offset > 0 { at(row) } else { String::new() };
    let next = if offset + rows < total { at(offset + rows) } else { String::new() };
    [back(0), back(offset - rows), next]
}

/// `26–50 of 1,240 customers`; one alone is `1 customer`.
#[must_use]
pub fn rows_text(offset: i64, shown: usize, total: i64, noun: &str, locale: Locale) -> String {
    use crate::format::count;
    let last = offset + i64::try_from(shown).unwrap_or_default();
    if total == 0 {
        format!("No {noun}")
    } else if total == 1 {
        format!("1 {}", noun.strip_suffix('s').unwrap_or(noun))
    } else if shown == 1 {
        format!("{} of {} {noun}", count(last, locale), count(total, locale))
    } else {
        format!("{}–{} of {} {noun}", count(offset + 1, locale), count(last, locale), count(total, locale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_written_as_text_and_a_negative_amount_stays_a_number() {
        assert_eq!(harmless("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
        assert_eq!(harmless("-12.50"), "-12.50");
        assert_eq!(harmless("@cmd"), "'@cmd");
        for (cell, written) in [
            ("a;=1+1", "a;'=1+1"),
            ("a;\"=1+1", "a;'\"=1+1"),
            ("a\t= 1", "a\t'= 1"),
            ("a\r\n+1+cmd", "a\r\n'+1+cmd"),
            ("a|@x|b", "a|'@x|b"),
            ("a, ＝1", "a,' ＝1"),
            ("x\",=1+1,\"y", "x\",'=1+1,\"y"),
            ("\t=1", "'\t'=1"),
            ("  =1", "'  =1"),
            ("\u{a0}=1", "'\u{a0}=1"),
            ("\u{200b}=1", "\u{fffd}=1"),
            ("a;-12.5;b", "a;-12.5;b"),
            ("Main St. 5; Springfield", "Main St. 5; Springfield"),
        ] {
            assert_eq!(harmless(cell), written, "{cell:?}");
        }
    }

    #[test]
    fn a_list_turns_to_its_first_previous_and_next_page() {
        let to = |offset: &str| format!("/x?{offset}");
        assert_eq!(turns(0, 25, 25, to), ["", "", ""]);
        assert_eq!(turns(0, 25, 26, to), ["", "", "/x?25"]);
        assert_eq!(turns(25, 25, 80, to), ["/x?", "/x?", "/x?50"]);
        assert_eq!(turns(50, 25, 75, to), ["/x?", "/x?25", ""]);
    }

    #[test]
    fn rows_are_counted_in_words_that_fit() {
        let text = |offset, shown, total| rows_text(offset, shown, total, "customers", Locale::EnUs);
        assert_eq!(text(25, 25, 1240), "26–50 of 1,240 customers");
        assert_eq!((text(0, 0, 0), text(0, 1, 1)), ("No customers".to_owned(), "1 customer".to_owned()));
        assert_eq!(text(25, 1, 26), "26 of 26 customers");
    }

    #[test]
    fn an_address_leaves_out_what_is_empty() {
        assert_eq!(address("/x", &[("q", ""), ("status", "paid & open")]), "/x?status=paid+%26+open");
    }
}
