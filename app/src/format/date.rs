//! Dates and moments.

use super::{Locale, NBSP};
use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};

/// A date as it stands in a table: `Dec 14, 2026`, `14 Dec 2026`, `14.12.2026`, `2026-12-14`.
#[must_use]
pub fn date(day: NaiveDate, locale: impl Into<Locale>) -> String {
    let mut out = String::with_capacity(16);
    write_date(&mut out, day, locale.into());
    out
}

/// Appends what [`date`] gives: put together by hand, since a list writes fifty of these. No character of it means
/// anything in HTML.
pub fn write_date(out: &mut String, day: NaiveDate, locale: Locale) {
    let (y, m, d) = (day.year(), day.month(), day.day());
    let abbreviated = || month_name(m, locale).get(..3).unwrap_or_default();
    match locale {
        Locale::EnUs => {
            out.push_str(abbreviated());
            out.push(' ');
            short(out, d);
            out.push_str(", ");
            year(out, y);
        }
        Locale::EnGb => {
            short(out, d);
            out.push(' ');
            out.push_str(abbreviated());
            out.push(' ');
            year(out, y);
        }
        Locale::SvSe => {
            year(out, y);
            out.push('-');
            two(out, m);
            out.push('-');
            two(out, d);
        }
        Locale::DeDe | Locale::NlNl | Locale::FrFr => {
            let between = match locale {
                Locale::DeDe => '.',
                Locale::NlNl => '-',
                _ => '/',
            };
            two(out, d);
            out.push(between);
            two(out, m);
            out.push(between);
            year(out, y);
        }
    }
}

/// The last digit of a number.
fn digit(value: u32) -> char {
    char::from_digit(value % 10, 10).unwrap_or('0')
}

/// Two digits.
fn two(out: &mut String, value: u32) {
    out.push(digit(value / 10));
    out.push(digit(value));
}

/// One digit or two.
fn short(out: &mut String, value: u32) {
    if value >= 10 {
        out.push(digit(value / 10));
    }
    out.push(digit(value));
}

/// A year; four digits are the rule.
fn year(out: &mut String, value: i32) {
    match u32::try_from(value) {
        Ok(value) if (1000..10_000).contains(&value) => {
            two(out, value / 100);
            two(out, value);
        }
        _ => out.push_str(&value.to_string()),
    }
}

/// A date in words, for sentences and headings: `December 14, 2026`, `14 December 2026`.
#[must_use]
pub fn date_long(day: NaiveDate, locale: impl Into<Locale>) -> String {
    let locale = locale.into();
    let (y, d) = (day.year(), day.day());
    let month = month_name(day.month(), locale);
    match locale {
        Locale::EnUs => format!("{month} {d}, {y}"),
        Locale::DeDe => format!("{d}. {month} {y}"),
        _ => format!("{d} {month} {y}"),
    }
}

/// Day and month in words, where the year is plain: `December 14`, `14 December`.
#[must_use]
pub fn day_month(day: NaiveDate, locale: impl Into<Locale>) -> String {
    let locale = locale.into();
    let d = day.day();
    let month = month_name(day.month(), locale);
    match locale {
        Locale::EnUs => format!("{month} {d}"),
        Locale::DeDe => format!("{d}. {month}"),
        _ => format!("{d} {month}"),
    }
}

/// A month in words with its year: `November 2026`.
#[must_use]
pub fn month(day: NaiveDate, locale: impl Into<Locale>) -> String {
    format!("{} {}", month_name(day.month(), locale.into()), day.year())
}

/// Three letters of a month, for axes and narrow columns: `Nov`.
#[must_use]
pub fn short_month(day: NaiveDate, locale: impl Into<Locale>) -> String {
    month_name(day.month(), locale.into()).chars().take(3).collect()
}

/// First to last day, both inclusive, with an en dash: `Nov 1, 2026 – Nov 30, 2026`.
#[must_use]
pub fn date_range(first: NaiveDate, last: NaiveDate, locale: impl Into<Locale>) -> String {
    let locale = locale.into();
    format!("{} – {}", date(first, locale), date(last, locale))
}

/// A sentence of the business's with its days (`2026-12-14`) as the locale writes them.
#[must_use]
pub fn prose(text: &str, locale: impl Into<Locale>) -> String {
    const ISO: usize = "2026-12-14".len();
    let locale = locale.into();
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-' || *byte == b'_';
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len() + 8);
    let mut from = 0;
    while let Some(rest) = text.get(from..) {
        let Some(first) = rest.chars().next() else { break };
        let begins = from == 0 || !bytes.get(from - 1).is_some_and(word);
        let ends = !bytes.get(from + ISO).is_some_and(word);
        let day = rest.get(..ISO).filter(|_| begins && ends && first.is_ascii_digit());
        if let Some(day) = day.and_then(|day| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()) {
            write_date(&mut out, day, locale);
            from += ISO;
        } else {
            out.push(first);
            from += first.len_utf8();
        }
    }
    out
}

/// A moment on a wall clock: `Dec 14, 2026, 3:05 pm`, `14.12.2026 15:05`.
#[must_use]
pub fn date_time(at: NaiveDateTime, locale: impl Into<Locale>) -> String {
    let locale = locale.into();
    let day = date(at.date(), locale);
    if locale == Locale::EnUs {
        let (afternoon, hour) = at.hour12();
        let half = if afternoon { "pm" } else { "am" };
        format!("{day}, {hour}:{:02}{NBSP}{half}", at.minute())
    } else {
        format!("{day} {:02}:{:02}", at.hour(), at.minute())
    }
}

/// The locale's months, in order, as they stand within a sentence.
#[rustfmt::skip]
const fn months(locale: Locale) -> [&'static str; 12] {
    match locale {
        Locale::EnUs | Locale::EnGb => ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
        Locale::DeDe => ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"],
        Locale::SvSe => ["januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober", "november", "december"],
        Locale::NlNl => ["januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"],
        Locale::FrFr => ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"],
    }
}

fn month_name(month: u32, locale: Locale) -> &'static str {
    let at = usize::try_from(month).unwrap_or(1).saturating_sub(1);
    months(locale).get(at).copied().unwrap_or_default()
}
