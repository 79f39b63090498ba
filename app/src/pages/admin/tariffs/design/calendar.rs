//! Calendars in the designer: periods, seasons, the week painted hour by hour, holidays.

use eis::tariff_document::{DayKind, hours};
use leptos::prelude::*;

use super::ask::{Ask, change, part};
use super::fill::DAYS;
use crate::components::{GridDay, WEEK_COLOURS, WeekGrid};

/// Every calendar, and a button for another.
pub fn calendars(ask: &Ask<'_>) -> AnyView {
    let numbers = ask.fields.items("calendars");
    let none = numbers.is_empty();
    let several = numbers.len() > 1;
    let each = numbers.into_iter().map(|number| calendar(ask, number, several)).collect_view();
    let label = if none { "Add hours and seasons" } else { "Add another calendar" };
    let hint = none.then(|| view! { <p class="hint">"Prices that change with the hour, the weekday or the season need a calendar. Without one, each price holds at all times."</p> });
    view! { {hint} {each} <div class="actions">{change("add:calendars", label, "")}</div> }.into_any()
}

fn calendar(ask: &Ask<'_>, number: usize, several: bool) -> AnyView {
    let at = format!("calendars.{number}");
    let name = ask.fields.get(&format!("{at}.name")).to_owned();
    let title = if several && !name.is_empty() { format!("Calendar {name}") } else { "Hours and seasons".to_owned() };
    let name = if several {
        ask.text(&format!("{at}.name"), "Name of the calendar", "", "w20")
    } else {
        ask.carry(&format!("{at}.name"))
    };
    let seasons = ask.fields.items(&format!("{at}.seasons"));
    let alone = seasons.len() == 1;
    let names = period_names(ask, &at);
    let seasons = seasons.into_iter().map(|season| self::season(ask, &at, season, alone, &names)).collect_view();
    let body = view! {
        {name}
        {periods(ask, &at)}
        {ask.fault(&format!("{at}.seasons"))}
        {seasons}
        <div class="actions">{change(&format!("add:{at}.seasons"), "Add a season", "")}</div>
        {ask.lines(&format!("{at}.holidays"), "Holidays", "One day a line, like 2026-12-25. They have hours of their own below each week.", 2)}
        {ask.optional(&format!("{at}.no_holidays_in"), "Years without any holiday", "years")}
    };
    part(&at, &title, &format!("remove:{at}"), body.into_any())
}

/// The names of the periods as hours refer to them: empty ones do not count.
fn period_names(ask: &Ask<'_>, at: &str) -> Vec<String> {
    let list = format!("{at}.periods");
    let name = |number: usize| ask.fields.get(&format!("{list}.{number}")).to_owned();
    ask.fields.items(&list).into_iter().map(name).filter(|name| !name.is_empty()).collect()
}

/// The periods with their colours; with scripts, the one chosen is what the pointer paints.
fn periods(ask: &Ask<'_>, at: &str) -> AnyView {
    let list = format!("{at}.periods");
    let numbers = ask.fields.items(&list);
    let mut shown = 0_usize;
    let rows = numbers
        .iter()
        .map(|number| {
            let field = format!("{list}.{number}");
            let named = !ask.fields.get(&field).is_empty();
            let (colour, brush) = (format!("swatch p{}", shown % WEEK_COLOURS), shown.to_string());
            shown += usize::from(named);
            let paint = named.then(|| view! { <button r#type="button" class="button small" data-brush=brush aria-pressed="false" hidden="">"Paint"</button> });
            let remove = (numbers.len() > 1).then(|| change(&format!("remove:{field}"), "Remove", ask.fields.get(&field)));
            view! { <li><span class=colour></span>{ask.cell(&field, "Name of a period", "w20")}{paint}{remove}</li> }
        })
        .collect_view();
    view! {
        <fieldset class="field" id=list.clone()>
            <legend>"Periods"</legend>
            <p class="hint">"The first holds wherever no other is painted."</p>
            {ask.fault(&list)}
            <ul class="periods" role="list" data-brushes="">{rows}</ul>
            {change(&format!("add:{list}"), "Add a period", "")}
        </fieldset>
    }
    .into_any()
}

fn season(ask: &Ask<'_>, calendar: &str, number: usize, alone: bool, periods: &[String]) -> AnyView {
    let at = format!("{calendar}.seasons.{number}");
    let name = ask.fields.get(&format!("{at}.name")).to_owned();
    let title = if name.is_empty() { "New season".to_owned() } else { name };
    let remove = if alone { String::new() } else { format!("remove:{at}") };
    let mut grid = vec![];
    let mut words = vec![];
    let mut wrong = false;
    for day in DAYS {
        let field = format!("{at}.days.{}", day.index());
        let full = if day == DayKind::Holiday { "Holidays".to_owned() } else { format!("{day:?}") };
        let label: String = full.chars().take(3).collect();
        let parts = hours::read(ask.fields.get(&field), periods).unwrap_or_else(|_| vec![0; 24]);
        wrong |= !ask.errors.of(&field).is_empty();
        grid.push(GridDay { label, field: field.clone(), parts });
        words.push(view! { <tr><th scope="row">{full.clone()}</th><td>{ask.cell(&field, &format!("Hours of {full}, {title}"), "")}</td></tr> });
    }
    let told = told(&grid, periods);
    let rows = words.into_iter().collect_view();
    let example = periods.get(1).cloned().unwrap_or_else(|| "On-peak".to_owned());
    let hint = format!(
        "Like “{example} 16–21” or “{example} 6:30–9, 17–20”; several periods with a semicolon between. Empty: the first period all day."
    );
    let body = view! {
        <div class="fields">
            {ask.text(&format!("{at}.name"), "Season", "Its name", "w10")}
            {ask.text(&format!("{at}.from"), "First day", "Month-day", "w4")}
            {ask.text(&format!("{at}.to"), "Last day", "Month-day", "w4")}
        </div>
        <WeekGrid label=told periods=periods.to_vec() days=grid/>
        <details class="behind" open=wrong>
            <summary>"Hours in words"</summary>
            <p class="hint">{hint}</p>
            <table class="words"><tbody>{rows}</tbody></table>
        </details>
    };
    part(&at, &title, &remove, body.into_any())
}

/// The week in words: days with the same hours together.
fn told(grid: &[GridDay], periods: &[String]) -> String {
    let mut groups: Vec<(Vec<DayKind>, &[u8])> = vec![];
    for (day, row) in DAYS.into_iter().zip(grid) {
        match groups.iter_mut().find(|(_, parts)| *parts == row.parts.as_slice()) {
            Some((days, _)) => days.push(day),
            None => groups.push((vec![day], &row.parts)),
        }
    }
    let first = periods.first().cloned().unwrap_or_default();
    let told = groups.into_iter().map(|(days, parts)| {
        let words = hours::write(parts, periods);
        format!("{}: {}", hours::days(&days), if words.is_empty() { first.clone() } else { words })
    });
    told.collect::<Vec<_>>().join(". ")
}
