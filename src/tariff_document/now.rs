//! Which time-of-use period holds at a moment, and until when.

use chrono::{DateTime, Datelike, Duration, DurationRound, NaiveDateTime, Utc};

use super::{Calendar, Clock, TariffDocument};
use crate::usage::days::{offset_minutes, standard_offset_minutes};

/// A time-of-use period that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The season.
    pub season: String,
    /// The period.
    pub period: String,
    /// The moment on the clock that the calendar follows.
    pub clock: NaiveDateTime,
    /// When it ends, on the clock on the wall; `None`: not within a week.
    pub until: Option<NaiveDateTime>,
}

impl TariffDocument {
    /// The period of a calendar of this tariff that holds at a moment.
    #[must_use]
    pub fn holding(&self, calendar: &Calendar, moment: DateTime<Utc>) -> Option<Holding> {
        let clock = self.calendar_time(moment);
        let now = calendar.at(clock)?;
        // Periods begin at quarters of an hour at the earliest.
        let quarter = moment.duration_trunc(Duration::minutes(15)).ok()?;
        let later = (1..=7 * 96).map(|quarters| quarter + Duration::minutes(15 * quarters));
        let end = later.into_iter().find(|later| calendar.at(self.calendar_time(*later)).map(|at| at.1) != Some(now.1));
        Some(Holding {
            season: calendar.seasons.get(now.0)?.name.clone(),
            period: calendar.periods.get(now.1)?.clone(),
            clock,
            until: end.map(|end| end.with_timezone(&self.zone).naive_local()),
        })
    }

    /// A moment on the clock that the calendar follows.
    fn calendar_time(&self, moment: DateTime<Utc>) -> NaiveDateTime {
        let minutes = match self.clock {
            Clock::DaylightSaving => offset_minutes(self.zone, moment),
            Clock::Standard => standard_offset_minutes(self.zone, moment.year()),
        };
        moment.naive_utc() + Duration::minutes(minutes.into())
    }
}

#[cfg(test)]
mod tests {
    fn told(name: &str, moment: &str) -> String {
        let text = std::fs::read_to_string(format!("{}/docs/tariffs/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let document = super::super::read(&text, chrono_tz::UTC).unwrap();
        let calendar = document.calendars.values().next().unwrap();
        let holding = document.holding(calendar, moment.parse().unwrap()).unwrap();
        let until = holding.until.map(|until| until.format("%a %H:%M").to_string());
        format!("{}, {} until {}", holding.season, holding.period, until.unwrap_or_default())
    }

    #[test]
    fn a_period_ends_where_the_next_begins() {
        // Wednesday 15 July, 17:20 in Los Angeles.
        assert_eq!(told("time-of-use", "2026-07-16T00:20:00Z"), "Summer, on-peak until Wed 21:00");
        // Friday evening: off-peak until Saturday at 16:00.
        assert_eq!(told("time-of-use", "2026-07-18T05:30:00Z"), "Summer, off-peak until Sat 16:00");
        // Thanksgiving follows the weekend's hours: off-peak until Friday 16:00.
        assert_eq!(told("time-of-use", "2026-11-27T01:00:00Z"), "Winter, off-peak until Fri 16:00");
    }

    #[test]
    fn on_standard_time_the_wall_clock_shows_an_hour_later_in_summer() {
        // Sydney, Monday 12 January, 15:30 on the wall is 14:30 standard time: on-peak until 21:00 on the wall.
        assert_eq!(told("tiered-time-of-use", "2026-01-12T04:30:00Z"), "All year, on-peak until Mon 21:00");
        assert_eq!(told("tiered-time-of-use", "2026-07-13T04:30:00Z"), "All year, on-peak until Mon 20:00");
    }
}
