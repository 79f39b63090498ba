//! The charges of a tariff in the designer: energy, demand, fixed, riders, minimums, taxes, exports, rounding.

use leptos::prelude::*;

use super::ask::{Ask, change, part};
use super::prices::prices;
use super::read::KINDS;
use crate::components::Section;

/// A list of charges of one kind, with a button for another.
fn list(ask: &Ask<'_>, list: &str, title: &str, add: &str, one: impl Fn(&str) -> AnyView) -> AnyView {
    let items = ask
        .fields
        .items(list)
        .into_iter()
        .map(|number| {
            let at = format!("{list}.{number}");
            let name = ask.fields.get(&format!("{at}.name")).to_owned();
            let name = if name.is_empty() { "New".to_owned() } else { name };
            part(&at, &name, &format!("remove:{at}"), one(&at))
        })
        .collect_view();
    let (fault, more) = (ask.fault(list), change(&format!("add:{list}"), add, ""));
    let title = title.to_owned();
    view! { <Section title=title>{fault}{items}<div class="actions">{more}</div></Section> }.into_any()
}

/// Every charge, in the order of the document.
pub fn charges(ask: &Ask<'_>) -> AnyView {
    let (export, rounding) = (export(ask), rounding(ask));
    view! {
        {list(ask, "energy", "Energy", "Add an energy charge", |at| energy(ask, at))}
        {list(ask, "demand", "Demand", "Add a demand charge", |at| demand(ask, at))}
        {list(ask, "fixed", "Fixed charges", "Add a fixed charge", |at| fixed(ask, at))}
        {list(ask, "adjustments", "Riders and discounts", "Add a rider", |at| rider(ask, at))}
        {list(ask, "minimums", "Minimum charges", "Add a minimum", |at| minimum(ask, at))}
        {list(ask, "taxes", "Taxes", "Add a tax", |at| tax(ask, at))}
        <Section title="Energy fed in">{export}</Section>
        <Section title="Rounding">{rounding}</Section>
    }
    .into_any()
}

fn name(ask: &Ask<'_>, at: &str) -> AnyView {
    ask.text(&format!("{at}.name"), "Name on the bill", "", "w20")
}

fn energy(ask: &Ask<'_>, at: &str) -> AnyView {
    let limits = (ask.fields.steps(at) > 1).then(|| {
        let choices = [
            ("period", "A billing period, however long"),
            ("normal_days", "So many days, scaled to the days of the period"),
            ("day", "A day, times the days of the period"),
        ];
        let days = normal_days(ask, at, "blocks_per");
        view! { <div class="fields">{ask.choice(&format!("{at}.blocks_per"), "Limits hold for", &choices)}{days}</div> }
    });
    view! { <div class="fields">{name(ask, at)}{register(ask, at)}</div> {prices(ask, at, "kWh", true)} {limits} }
        .into_any()
}

/// The register that it is a price of, where the tariff prices them apart.
fn register(ask: &Ask<'_>, at: &str) -> AnyView {
    ask.optional(&format!("{at}.register"), "Only of the register", "like E2")
}

/// How many days are normal, where the choice `of` says that they count.
fn normal_days(ask: &Ask<'_>, at: &str, of: &str) -> Option<AnyView> {
    let chosen = ask.fields.get(&format!("{at}.{of}")) == "normal_days";
    chosen.then(|| ask.figure(&format!("{at}.normal_days"), "Normal days", "days"))
}

fn demand(ask: &Ask<'_>, at: &str) -> AnyView {
    let windows = [
        ("", "The meter's interval"),
        ("15", "15 minutes"),
        ("30", "30 minutes"),
        ("60", "60 minutes"),
        ("5", "5 minutes"),
    ];
    view! {
        <div class="fields">{name(ask, at)}{register(ask, at)}{ask.choice(&format!("{at}.window"), "Highest average over", &windows)}</div>
        {prices(ask, at, "kW", true)}
        <details class="behind" open={!ask.fields.get(&format!("{at}.ratchet.percent")).is_empty()}>
            <summary>"Ratchet: billed demand is at least a share of an earlier peak"</summary>
            <div class="fields">
                {ask.optional(&format!("{at}.ratchet.percent"), "Share of the earlier peak", "%")}
                {ask.optional(&format!("{at}.ratchet.months"), "Looking back", "months")}
                {ask.optional(&format!("{at}.ratchet.only"), "Only peaks of these months", "1 to 12")}
            </div>
        </details>
    }
    .into_any()
}

fn fixed(ask: &Ask<'_>, at: &str) -> AnyView {
    let per = [("month", "A month"), ("day", "A day"), ("average_month_day", "A day, 365/12 in every month")];
    let part =
        [("none", "In full"), ("calendar_days", "Its share of calendar days"), ("normal_days", "By normal days")];
    view! {
        <div class="fields">
            {name(ask, at)}
            {ask.figure(&format!("{at}.price"), "Price", ask.currency)}
            {ask.choice(&format!("{at}.per"), "Per", &per)}
            {ask.choice(&format!("{at}.proration"), "A part of a month costs", &part)}
            {normal_days(ask, at, "proration")}
        </div>
    }
    .into_any()
}

/// A box for each kind of line.
fn kinds(ask: &Ask<'_>, at: &str, title: &str, hint: &str) -> AnyView {
    let boxes = KINDS
        .into_iter()
        .map(|kind| {
            let word = kind.as_str();
            let label = word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default();
            ask.tick(&format!("{at}.{word}"), &label)
        })
        .collect_view();
    view! { <fieldset class="field" id=at.to_owned()><legend>{title.to_owned()}</legend><p class="hint">{hint.to_owned()}</p>{ask.fault(at)}<div class="kinds">{boxes}</div></fieldset> }
        .into_any()
}

fn rider(ask: &Ask<'_>, at: &str) -> AnyView {
    let per = [("kwh", "On every kWh"), ("period", "Once a bill"), ("percent", "Per cent of other charges")];
    let of = (ask.fields.get(&format!("{at}.per")) == "percent")
        .then(|| kinds(ask, &format!("{at}.of"), "Per cent of", "None ticked: energy, demand and fixed charges."));
    view! {
        <div class="fields">
            {name(ask, at)}
            {ask.choice(&format!("{at}.per"), "Worked out", &per)}
            {ask.figure(&format!("{at}.amount"), "Amount or per cent", "negative for a discount")}
        </div>
        {of}
    }
    .into_any()
}

fn minimum(ask: &Ask<'_>, at: &str) -> AnyView {
    let per = [("period", "A bill"), ("day", "A day"), ("year", "A calendar year")];
    let counts = kinds(
        ask,
        &format!("{at}.counts"),
        "Counts towards it",
        "None ticked: energy, demand, fixed charges, riders and credits.",
    );
    view! {
        <div class="fields">
            {name(ask, at)}
            {ask.figure(&format!("{at}.amount"), "At least", ask.currency)}
            {ask.choice(&format!("{at}.per"), "Per", &per)}
        </div>
        <details class="behind"><summary>"What counts towards it"</summary>{counts}</details>
    }
    .into_any()
}

fn tax(ask: &Ask<'_>, at: &str) -> AnyView {
    let on = kinds(ask, &format!("{at}.on"), "On these kinds of lines", "None ticked and none named: on everything.");
    let names = ask.lines(&format!("{at}.names"), "On these charges", "Names as on the bill, one a line.", 2);
    view! {
        <div class="fields">{name(ask, at)}{ask.figure(&format!("{at}.percent"), "Rate", "%")}</div>
        <details class="behind"><summary>"On some charges only"</summary>{on}{names}</details>
    }
    .into_any()
}

fn export(ask: &Ask<'_>) -> AnyView {
    let forms = [
        ("", "Not taken: no customer with a generator"),
        ("net_metering", "Net metering: kWh taken off kWh over the bill"),
        ("net_billing", "Net billing: netted in each interval or hour, the rest paid at a price"),
        ("buy_all_sell_all", "Buy all, sell all: nothing netted, all paid at a price"),
    ];
    let form = ask.fields.get("export.form").to_owned();
    let more = match form.as_str() {
        "" => ().into_any(),
        "net_metering" => view! {
            {ask.tick("export.roll_over", "What is left over is kept in kWh for later bills")}
            <div class="fields">
                {ask.optional("export.settlement.month", "Paid out in month (0: with every bill)", "1 to 12")}
                {ask.optional("export.settlement.price", "Paid per kWh", ask.currency)}
            </div>
        }
        .into_any(),
        _ => view! {
            {(form == "net_billing").then(|| ask.choice("export.netting", "Netted within", &[("interval", "Each interval of the meter"), ("hour", "Each hour of the clock")]))}
            {ask.tick("export.roll_over", "Credit beyond the charges is kept for later bills")}
            {prices(ask, "export", "kWh", false)}
        }
        .into_any(),
    };
    view! { <div id="export" class="part-body">{ask.choice("export.form", "Energy fed into the grid", &forms)}{more}</div> }
        .into_any()
}

fn rounding(ask: &Ask<'_>) -> AnyView {
    let rules = [
        ("half_away_from_zero", "Half away from zero (usual)"),
        ("half_to_even", "Half to even"),
        ("towards_zero", "Towards zero"),
        ("away_from_zero", "Away from zero"),
    ];
    let decimals =
        [("", "As measured"), ("0", "Whole kWh"), ("1", "1 decimal"), ("2", "2 decimals"), ("3", "3 decimals")];
    view! {
        <div class="fields">
            {ask.choice("rounding.money", "Lines to two decimals", &rules)}
            {ask.choice("rounding.kwh_decimals", "Billed kWh", &decimals)}
            {ask.optional("rounding.payable_step", "Amount to pay in steps of", ask.currency)}
        </div>
    }
    .into_any()
}
