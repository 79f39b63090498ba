//! The time-of-use calendar: seasons, kinds of day, and the period of every hour.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use serde::{Deserialize, Serialize};

/// Which time-of-use period holds when. A calendar with one season and one period is a calendar still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Names of the time-of-use periods; patterns refer to them by place, from 0.
    pub periods: Vec<String>,
    /// Seasons, which together cover every day of a leap year once.
    pub seasons: Vec<Season>,
    /// Dates that follow the pattern for [`DayKind::Holiday`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<NaiveDate>,
    /// Years that have no holidays. Without it a year of which none is listed is one whose list is still missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_holidays_in: Vec<i32>,
}

/// A part of the year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Season {
    /// What people call it.
    pub name: String,
    /// First day, as `MM-DD`.
    pub from: MonthDay,
    /// Last day, included, as `MM-DD`; before `from` where the season spans New Year.
    pub to: MonthDay,
    /// The pattern of every kind of day.
    pub days: Vec<DayPattern>,
}

/// The periods of a day's hours, for some kinds of day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayPattern {
    /// The days for which it holds.
    pub on: Vec<DayKind>,
    /// Index into [`Calendar::periods`] for each part of the day: 24 hours, 48 half-hours or 96 quarters.
    pub hours: Vec<u8>,
}

/// A kind of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "days of the week")]
pub enum DayKind {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
    /// A date in [`Calendar::holidays`].
    Holiday,
}

impl DayKind {
    /// Monday to Friday.
    pub const WEEKDAYS: [Self; 5] = [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday];
    /// Saturday and Sunday.
    pub const WEEKEND: [Self; 2] = [Self::Saturday, Self::Sunday];
    /// Monday to Sunday.
    pub const WEEK: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    /// 0 for Monday to 7 for holidays.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// A day of the year without a year, written `MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MonthDay {
    month: u8,
    day: u8,
}

impl MonthDay {
    /// The day; `None` where no year has it. 29 February is a day.
    #[must_use]
    pub fn new(month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(2000, month, day)?;
        Some(Self { month: u8::try_from(month).ok()?, day: u8::try_from(day).ok()? })
    }

    /// The day of a date.
    #[must_use]
    pub fn of(date: NaiveDate) -> Self {
        Self { month: u8::try_from(date.month()).unwrap_or(1), day: u8::try_from(date.day()).unwrap_or(1) }
    }

    /// A number below 372 that grows with the year.
    #[must_use]
    pub fn index(self) -> usize {
        (usize::from(self.month) - 1) * 31 + usize::from(self.day) - 1
    }

    /// Every day of a leap year.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=12).flat_map(|month| (1..=31).filter_map(move |day| Self::new(month, day)))
    }
}

impl fmt::Display for MonthDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

impl FromStr for MonthDay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('-').and_then(|(month, day)| Some((month.parse().ok()?, day.parse().ok()?)));
        parts
            .and_then(|(month, day)| Self::new(month, day))
            .ok_or_else(|| format!("{text:?} is not a day of the year such as \"06-01\""))
    }
}

impl TryFrom<String> for MonthDay {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<MonthDay> for String {
    fn from(day: MonthDay) -> Self {
        day.to_string()
    }
}

impl Calendar {
    /// Whether a holiday has other hours than some weekday: then it matters which days are holidays.
    #[must_use]
    pub fn uses_holidays(&self) -> bool {
        let differs = |season: &Season| {
            let of = |day: DayKind| season.days.iter().find(|pattern| pattern.on.contains(&day));
            let Some(holiday) = of(DayKind::Holiday) else { return false };
            DayKind::WEEK.into_iter().filter_map(of).any(|day| !day.has_hours_of(holiday))
        };
        self.seasons.iter().any(differs)
    }

    /// Whether it is known which days of a year are holidays.
    #[must_use]
    pub fn knows_holidays_of(&self, year: i32) -> bool {
        self.no_holidays_in.contains(&year) || self.holidays.iter().any(|day| day.year() == year)
    }

    /// What is to be done about a year whose holidays are not known: a sentence.
    #[must_use]
    pub fn holidays_missing(&self, year: i32) -> String {
        let mut years: Vec<i32> = self.holidays.iter().map(Datelike::year).collect();
        years.sort_unstable();
        years.dedup();
        let listed = match years.as_slice() {
            [] => "no holiday is listed".to_owned(),
            [one] => format!("holidays of {one} are listed and none of {year}"),
            [first, .., last] => format!("holidays of {first} to {last} are listed and none of {year}"),
        };
        format!("{listed}: list them, or name {year} in no_holidays_in if it has none")
    }

    /// Season and time-of-use period of a local time, by place; `None` where the calendar has a gap.
    #[must_use]
    pub fn at(&self, local: NaiveDateTime) -> Option<(usize, usize)> {
        let day = local.date();
        let season = self.seasons.iter().position(|season| season.contains(MonthDay::of(day)))?;
        let kind = if self.holidays.contains(&day) {
            DayKind::Holiday
        } else {
            *DayKind::WEEK.get(usize::try_from(day.weekday().num_days_from_monday()).ok()?)?
        };
        let hours = &self.seasons.get(season)?.days.iter().find(|pattern| pattern.on.contains(&kind))?.hours;
        let minute = usize::try_from(local.num_seconds_from_midnight() / 60).ok()?;
        let period = hours.get(minute * hours.len() / (24 * 60))?;
        Some((season, usize::from(*period)))
    }
}

impl DayPattern {
    /// Whether it has the same hours as another, however finely either is written.
    fn has_hours_of(&self, other: &Self) -> bool {
        let at = |hours: &[u8], slot: usize| hours.get(slot * hours.len() / 96).copied();
        (0..96).all(|slot| at(&self.hours, slot) == at(&other.hours, slot))
    }
}

impl Season {
    /// The whole year.
    #[must_use]
    pub fn all_year(days: Vec<DayPattern>) -> Self {
        let (from, to) = (MonthDay { month: 1, day: 1 }, MonthDay { month: 12, day: 31 });
        Self { name: "All year".to_owned(), from, to, days }
    }

    /// Whether some hour of some day has the period of this place in [`Calendar::periods`].
    #[must_use]
    pub fn uses(&self, period: usize) -> bool {
        self.days.iter().any(|pattern| pattern.hours.iter().any(|hour| usize::from(*hour) == period))
    }

    /// Whether the day lies in it.
    #[must_use]
    pub fn contains(&self, day: MonthDay) -> bool {
        if self.from <= self.to { self.from <= day && day <= self.to } else { self.from <= day || day <= self.to }
    }
}
