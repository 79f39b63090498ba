//! Prices in the designer: a row for each season, period and step of a charge.

use eis::tariff_document::hours;
use leptos::prelude::*;

use super::ask::{Ask, change};
use super::fill::DAYS;

/// A season or period of a price: its key in field names, and its name.
type Part = (String, String);

/// Which calendar a charge follows, and its prices. `limits` where steps are allowed.
pub fn prices(ask: &Ask<'_>, at: &str, unit: &str, limits: bool) -> AnyView {
    let numbers = ask.fields.items("calendars");
    let name = |number: &usize| {
        let name = ask.fields.get(&format!("calendars.{number}.name")).to_owned();
        if name.is_empty() { "hours".to_owned() } else { name }
    };
    let choices: Vec<(String, String)> = [(String::new(), "The same at all times".to_owned())]
        .into_iter()
        .chain(numbers.iter().map(|number| (number.to_string(), format!("By the calendar “{}”", name(number)))))
        .collect();
    let choices: Vec<(&str, &str)> = choices.iter().map(|(value, label)| (value.as_str(), label.as_str())).collect();
    let calendar = ask.fields.get(&format!("{at}.calendar")).parse::<usize>().ok().filter(|at| numbers.contains(at));
    let which = (!numbers.is_empty()).then(|| {
        let by = calendar.map(|number| {
            let seasons = ask.fields.items(&format!("calendars.{number}.seasons")).len() > 1;
            let season = format!("{at}.by_season");
            let by_season = (seasons || ask.fields.has(&season)).then(|| ask.tick(&season, "A price for each season"));
            view! { {ask.tick(&format!("{at}.by_period"), "A price for each period")} {by_season} }
        });
        view! { <div class="fields">{ask.choice(&format!("{at}.calendar"), "Price", &choices)}{by}</div> }
    });
    let steps = if limits { ask.fields.steps(at) } else { 1 };
    let rows = cells(ask, at, calendar)
        .into_iter()
        .map(|(season, period)| cell_rows(ask, at, unit, steps, season, period))
        .collect_view();
    let price_head = format!("{}/{unit}", ask.currency);
    let upto = (steps > 1).then(|| view! { <th scope="col">"Up to " <span class="unit">{unit.to_owned()}</span></th> });
    let more = (limits && steps < 16).then(|| view! { <div class="actions">{change(&format!("add:{at}.steps"), "Add a step", "prices that change with the quantity")}</div> });
    view! {
        {which}
        {ask.fault(&format!("{at}.prices"))}
        <input r#type="hidden" name=format!("{at}.steps") value=steps.to_string()/>
        <table class="price-grid">
            <thead><tr><th scope="col">"When"</th>{upto}<th scope="col">"Price " <span class="unit">{price_head}</span></th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
        {more}
    }
    .into_any()
}

/// The seasons and periods that have prices; periods that no hour of a season has are left out.
fn cells(ask: &Ask<'_>, at: &str, calendar: Option<usize>) -> Vec<(Part, Part)> {
    let every = |letter: &str| (letter.to_owned(), String::new());
    let Some(calendar) = calendar.map(|number| format!("calendars.{number}")) else {
        return vec![(every("sx"), every("px"))];
    };
    let by = |what: &str| ask.fields.has(&format!("{at}.{what}"));
    let list = format!("{calendar}.periods");
    let periods: Vec<(usize, String)> = ask
        .fields
        .items(&list)
        .into_iter()
        .map(|number| (number, ask.fields.get(&format!("{list}.{number}")).to_owned()))
        .filter(|(_, name)| !name.is_empty())
        .collect();
    let names: Vec<String> = periods.iter().map(|(_, name)| name.clone()).collect();
    let seasons = ask.fields.items(&format!("{calendar}.seasons"));
    // Hours that cannot be read may hold any period.
    let uses = |season: usize, place: usize| {
        DAYS.into_iter().any(|day| {
            let text = ask.fields.get(&format!("{calendar}.seasons.{season}.days.{}", day.index()));
            hours::read(text, &names).map_or(true, |parts| parts.iter().any(|part| usize::from(*part) == place))
        })
    };
    let mut found = vec![];
    let shown: Vec<Option<usize>> =
        if by("by_season") { seasons.iter().copied().map(Some).collect() } else { vec![None] };
    for season in shown {
        let season_part = season.map_or(every("sx"), |number| {
            (format!("s{number}"), ask.fields.get(&format!("{calendar}.seasons.{number}.name")).to_owned())
        });
        if !by("by_period") {
            found.push((season_part, every("px")));
            continue;
        }
        for (place, (number, name)) in periods.iter().enumerate() {
            let used =
                season.map_or_else(|| seasons.iter().any(|season| uses(*season, place)), |season| uses(season, place));
            if used {
                found.push((season_part.clone(), (format!("p{number}"), name.clone())));
            }
        }
    }
    found
}

fn cell_rows(ask: &Ask<'_>, at: &str, unit: &str, steps: usize, season: Part, period: Part) -> AnyView {
    let names: Vec<&str> = [season.1.as_str(), period.1.as_str()].into_iter().filter(|name| !name.is_empty()).collect();
    let when = if names.is_empty() { "At all times".to_owned() } else { names.join(" · ") };
    let at = format!("{at}.prices.{}.{}", season.0, period.0);
    let blocks_fault = ask.fault(&format!("{at}.blocks"));
    let rows = (0..steps)
        .map(|step| {
            let row = format!("{at}.blocks.{step}");
            let number = step + 1;
            let head = (step == 0).then(|| {
                let span = steps.to_string();
                view! { <th scope="rowgroup" rowspan=span>{when.clone()}</th> }
            });
            let last = step + 1 == steps;
            let limit = (steps > 1).then(|| {
                let label = format!("Limit of step {number} in {unit}, {when}");
                let rest = if last {
                    view! { <span class="muted small">"no limit"</span> }.into_any()
                } else {
                    ask.cell(&format!("{row}.to"), &label, "figure")
                };
                view! { <td>{rest}</td> }
            });
            let label = if steps > 1 { format!("Price of step {number}, {when}") } else { format!("Price, {when}") };
            view! { <tr>{head}{limit}<td>{ask.cell(&format!("{row}.price"), &label, "figure")}</td></tr> }
        })
        .collect_view();
    let fault = blocks_fault.map(|fault| view! { <tr><td colspan="3">{fault}</td></tr> });
    view! { {rows} {fault} }.into_any()
}
