//! Hours, holidays and seasons of a calendar in words.

use eis::tariff_document::{Calendar, Clock, DayKind, Season, hours};

use super::Words;
use super::season_name;
use crate::format::{self, Locale};

/// `June 1 to September 30`
pub(super) fn season_span(season: &Season, locale: Locale) -> String {
    let name = season_name(season, locale);
    name.split_once(": ").map_or_else(|| "all year".to_owned(), |(_, span)| span.to_owned())
}

/// `Monday to Friday 16:00–21:00; Saturday and Sunday 10:00–12:00`, or `all other times` where that says it as well.
pub(super) fn period_hours(season: &Season, period: usize, with_holidays: bool) -> String {
    let parts = season.days.iter().filter_map(|pattern| {
        let spans = hours::of(&pattern.hours, period);
        let on: Vec<DayKind> =
            pattern.on.iter().copied().filter(|day| with_holidays || *day != DayKind::Holiday).collect();
        if spans.is_empty() || on.is_empty() {
            return None;
        }
        let days = hours::days(&on).replace("Holiday", "holidays").replace(", holidays", " and holidays");
        let days = if days.matches(" and ").count() > 1 { days.replacen(" and ", ", ", 1) } else { days };
        Some(if spans == "00:00–24:00" { format!("{days} all day") } else { format!("{days} {spans}") })
    });
    parts.collect::<Vec<_>>().join("; ")
}

/// Which clock the hours follow.
pub(super) fn hours_clock(words: &Words<'_>, by_hour: bool) -> Option<String> {
    let place = words.document.zone.name().rsplit('/').next().unwrap_or("UTC").replace('_', " ");
    by_hour.then(|| match words.document.clock {
        Clock::DaylightSaving => {
            format!("Hours are those of the clock in {place}, in summer as in winter.")
        }
        Clock::Standard => format!(
            "Hours are standard time in {place} all year: while daylight saving is in force they begin and end one hour later on the clock."
        ),
    })
}

/// How holidays count, and the next of them.
pub(super) fn hours_holidays(words: &Words<'_>, calendar: &Calendar) -> Option<String> {
    let alike = |season: &Season| matches!(season.days.as_slice(), [one] if DayKind::WEEK.iter().all(|day| one.on.contains(day)));
    if calendar.seasons.iter().all(alike) {
        return None;
    }
    if calendar.holidays.is_empty() {
        return Some("Public holidays count as the day of the week they fall on.".to_owned());
    }
    let like = calendar.seasons.iter().find_map(|season| {
        let pattern = season.days.iter().find(|pattern| pattern.on.contains(&DayKind::Holiday))?;
        let others: Vec<DayKind> = pattern.on.iter().copied().filter(|day| *day != DayKind::Holiday).collect();
        (!others.is_empty()).then(|| hours::days(&others))
    });
    let how = like.map_or_else(|| "have hours of their own".to_owned(), |days| format!("count like {days}"));
    let mut next: Vec<_> = calendar.holidays.iter().copied().filter(|day| *day >= words.today).collect();
    next.sort_unstable();
    let next: Vec<String> = next.into_iter().take(3).map(|day| format::date(day, words.locale)).collect();
    // Dates may have commas of their own.
    let next = if next.is_empty() { String::new() } else { format!(" Next: {}.", next.join("; ")) };
    Some(format!("Holidays {how}.{next}"))
}
