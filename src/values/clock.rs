//! What time it is, and which day: the one place that asks.
//!
//! A day is always that of a zone: the client's, the meter's or, on pages of a whole organization, the organization's.
//! Around midnight the day of UTC is another one, so nothing takes that by the way (`clippy.toml` forbids it elsewhere).
//! What the database itself compares with its own clock are moments: ends of sessions, roles and links, and what is on
//! offer today where the client is (`offers_on`).

use std::future::Future;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

tokio::task_local! {
    static MOMENT: DateTime<Utc>;
}

/// The clock of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    System,
    /// One that stands at a moment: a test's.
    At(DateTime<Utc>),
}

impl Clock {
    /// Runs something by this clock.
    pub async fn run<F: Future>(self, work: F) -> F::Output {
        match self {
            Self::System => work.await,
            Self::At(moment) => MOMENT.scope(moment, work).await,
        }
    }
}

/// Now.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
pub fn now() -> DateTime<Utc> {
    MOMENT.try_with(|moment| *moment).unwrap_or_else(|_| Utc::now())
}

/// Today in a zone.
#[must_use]
pub fn today(zone: Tz) -> NaiveDate {
    local_day(zone, now())
}

/// The local day in which an instant lies.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that takes a zone's day of an instant")]
pub fn local_day(zone: Tz, instant: DateTime<Utc>) -> NaiveDate {
    instant.with_timezone(&zone).date_naive()
}

/// Whole minutes from now until then, at least one.
#[must_use]
pub fn minutes_left(until: DateTime<Utc>) -> i64 {
    (until - now()).num_minutes().max(0) + 1
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn at(moment: &str) -> Clock {
        Clock::At(moment.parse().unwrap())
    }

    #[tokio::test]
    async fn a_quarter_past_midnight_in_berlin_is_the_next_day_already() {
        let moment = at("2026-10-31T23:16:00Z");
        assert_eq!(moment.run(async { today(Tz::Europe__Berlin) }).await.to_string(), "2026-11-01");
        assert_eq!(moment.run(async { today(Tz::UTC) }).await.to_string(), "2026-10-31");
    }

    #[tokio::test]
    async fn half_past_six_in_denver_is_the_month_s_last_day_still() {
        let moment = at("2026-11-01T00:30:00Z");
        assert_eq!(moment.run(async { today(Tz::America__Denver) }).await.to_string(), "2026-10-31");
        assert_eq!(moment.run(async { today(Tz::Pacific__Apia) }).await.to_string(), "2026-11-01");
    }

    /// Every text of SQL and Rust below a folder.
    fn texts(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                texts(&path, found);
            } else if path.extension().is_some_and(|end| end == "sql" || end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }

    #[test]
    fn no_statement_takes_the_day_of_the_database_s_zone() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = vec![];
        for folder in ["migrations", "src", "app/src"] {
            texts(&root.join(folder), &mut found);
        }
        assert!(found.len() > 100, "the positive control");
        for (path, text) in found {
            let text: String = text.to_lowercase().split_whitespace().collect();
            let day = [
                "current_date",
                "now()::date",
                "current_timestamp::date",
                "localtimestamp",
                "'today'::",
                "date(now())",
            ];
            // This file names them.
            let asks = day.iter().find(|way| text.contains(**way) && !path.ends_with("src/values/clock.rs"));
            assert_eq!(asks, None, "{}: say in which zone: (now() AT TIME ZONE zone)::date", path.display());
        }
    }

    #[tokio::test]
    async fn the_machine_s_clock_goes_on() {
        let before = Clock::System.run(async { now() }).await;
        assert!(now() >= before);
    }
}
