//! Times as files write them: RFC 3339 and the other forms of ISO 8601, with or without an offset.

use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};

use super::super::plausible;

/// A time as a row has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// With an offset.
    Instant(DateTime<Utc>),
    /// Without: local time.
    Local(NaiveDateTime),
}

/// Forms without an offset: with and without seconds or marks.
const LOCAL: [&str; 8] = [
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y%m%dT%H%M%S",
    "%Y%m%dT%H%M",
    "%Y%m%d %H%M%S",
    "%Y%m%d %H%M",
];

/// Forms with an offset, which may lack its colon or its minutes.
const OFFSET: [&str; 6] = [
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M%#z",
    "%Y%m%dT%H%M%S%#z",
    "%Y%m%dT%H%M%#z",
];

/// Reads times; the form of the last one is tried first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stamps {
    local: usize,
    offset: usize,
    /// A time was read that is not written as UTC.
    elsewhere: bool,
}

impl Stamps {
    /// Reads a time.
    ///
    /// # Errors
    /// A sentence, for what is not a time or one that no meter can have measured.
    pub fn read(&mut self, text: &str) -> Result<Stamp, String> {
        let stamp = self.parse(text).ok_or_else(|| {
            format!("{text:?} is not a time such as 2026-01-31T13:45:00+01:00, or 2026-01-31 13:45 for local time")
        })?;
        let instant = match stamp {
            Stamp::Instant(instant) => instant,
            Stamp::Local(local) => local.and_utc(),
        };
        if plausible(instant) {
            Ok(stamp)
        } else {
            Err(format!("{text:?} is not a time that a meter can have measured"))
        }
    }

    /// Whether every time so far was written as UTC (`Z`, or an offset of nothing).
    pub const fn all_utc(&self) -> bool {
        !self.elsewhere
    }

    fn parse(&mut self, text: &str) -> Option<Stamp> {
        let (_, rest) = text.split_at_checked(10)?;
        if !(rest.contains(['+', '-']) || text.contains(['Z', 'z'])) {
            self.elsewhere = true;
            let read = |form: &str| NaiveDateTime::parse_from_str(text, form).ok();
            return first(&LOCAL, &mut self.local, read).map(Stamp::Local);
        }
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            return Some(self.instant(instant));
        }
        let text = text.strip_suffix(['Z', 'z']).map_or_else(|| text.to_owned(), |local| format!("{local}+00:00"));
        let read = |form: &str| DateTime::parse_from_str(&text, form).ok();
        let instant = first(&OFFSET, &mut self.offset, read)?;
        Some(self.instant(instant))
    }

    fn instant(&mut self, instant: DateTime<FixedOffset>) -> Stamp {
        self.elsewhere |= instant.offset().local_minus_utc() != 0;
        Stamp::Instant(instant.to_utc())
    }
}

/// The first form by which a text is read; `last` is tried before the others, and noted.
fn first<T>(forms: &[&str], last: &mut usize, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    if let Some(found) = forms.get(*last).and_then(|form| read(form)) {
        return Some(found);
    }
    let (at, found) = forms.iter().enumerate().find_map(|(at, form)| read(form).map(|found| (at, found)))?;
    *last = at;
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_iso_8601_are_the_same_instant() {
        let instant: DateTime<Utc> = "2026-01-31T12:45:00Z".parse().unwrap();
        for text in [
            "2026-01-31T13:45:00+01:00",
            "2026-01-31T13:45+01:00",
            "2026-01-31 13:45:00+01:00",
            "2026-01-31 13:45:00 +0100",
            "2026-01-31T13:45:00.000+0100",
            "2026-01-31T13:45+01",
            "2026-01-31T12:45Z",
            "20260131T134500+0100",
            "20260131T1345+01",
            "20260131T124500Z",
            "2026-01-31T06:15-06:30",
        ] {
            assert_eq!(Stamps::default().read(text), Ok(Stamp::Instant(instant)), "{text}");
        }
        for text in
            ["2026-01-31 12:45", "2026-01-31T12:45:00", "20260131T1245", "20260131 124500", "2026-01-31 12:45:00.0"]
        {
            assert_eq!(Stamps::default().read(text), Ok(Stamp::Local(instant.naive_utc())), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-01-31",
            "31.01.2026 13:45",
            "01/02/2026 13:45",
            "2022/07/01 01:00",
            "2026-01-31 24:00",
            "2026-02-30 00:00",
            "2026-01-31T13:45+25:00",
            "45678.5",
            "1767225600",
        ] {
            assert!(Stamps::default().read(text).is_err(), "{text}");
        }
        assert!(Stamps::default().read("1850-01-01 00:00").unwrap_err().contains("can have measured"));
    }
}
