//! What a what-if comes to: figures, effect on revenue, and how the changes are spread.

use eis::billing::what_ifs::totals::{Outcome, Reason};
use eis::billing::what_ifs::{CandidateSummary, Totals, WhatIf};
use leptos::prelude::*;
use rust_decimal::Decimal;

use super::table::Choice;
use super::{percent_text, signed};
use crate::components::{
    BarChart, Column, DataTable, Notice, Rows, Section, Series, SeriesTone, Stat, Stats, Tab, Tabs, Tone,
};
use crate::format::{self, Locale};

/// Revenue under each candidate where there are several; figures and distribution of the one that is looked at.
pub fn view(
    what_if: &WhatIf,
    totals: &Totals,
    choice: &Choice,
    path: &str,
    currency: &str,
    locale: Locale,
) -> impl IntoView + use<> {
    let at = choice.filter.candidate;
    let several = (what_if.candidates.len() > 1).then(|| {
        let tab = |(n, candidate): (usize, &CandidateSummary)| {
            Tab::new(candidate.label(), choice.with_tariff(path, n), n == at)
        };
        let tabs = what_if.candidates.iter().enumerate().map(tab).collect();
        let effect = effect(what_if, totals, currency, locale);
        view! {
            <Section title="Effect on revenue">{effect}</Section>
            <Tabs label="Tariff looked at" tabs=tabs/>
        }
    });
    let label = what_if.candidates.get(at).map(CandidateSummary::label).unwrap_or_default();
    let one = totals.candidates.get(at).map(|outcome| {
        view! {
            <Stats stats=stats(totals, outcome, &label, currency, locale)/>
            {left_out(totals, outcome, choice, path, locale)}
            {distribution(totals, outcome, &label, locale)}
        }
    });
    view! { {several} {one} }
}

fn stats(totals: &Totals, outcome: &Outcome, label: &str, currency: &str, locale: Locale) -> Vec<Stat> {
    let stat =
        |label: &str, value: String, note: String| Stat { label: label.to_owned(), value, note, ..Stat::default() };
    let estimated = match totals.estimated {
        0 => String::new(),
        some => format!(", {} with estimates", format::count(some, locale)),
    };
    let change = outcome.change();
    let of = format!("of {}{estimated}", format::count(totals.customers, locale));
    vec![
        stat("Customers compared", format::count(outcome.compared, locale), of),
        stat("Revenue now", format::amount(outcome.now, currency, locale), format::kwh_short(outcome.kwh, locale)),
        stat(&format!("Under {label}"), format::amount(outcome.total, currency, locale), "with tax".to_owned()),
        stat(
            "Effect on revenue",
            signed(change, format::amount(change, currency, locale)),
            percent_text(outcome.now, outcome.total, locale),
        ),
    ]
}

/// Who could not be compared, or not in every month, and why.
fn left_out(
    totals: &Totals,
    outcome: &Outcome,
    choice: &Choice,
    path: &str,
    locale: Locale,
) -> Option<impl IntoView + use<>> {
    let out = totals.customers - outcome.compared;
    if out == 0 && outcome.in_part == 0 {
        return None;
    }
    let count = |some: i64| format::count(some, locale);
    let lack = if outcome.in_part == 1 { "lacks" } else { "lack" };
    let title = match (out, outcome.in_part) {
        (out, 0) => format!("{} could not be compared", count(out)),
        (0, part) => format!("{} {lack} some of the months", count(part)),
        (out, part) => format!("{} could not be compared, {} {lack} some of the months", count(out), count(part)),
    };
    let told = |reason: &Reason| {
        let some = reason.left_out + reason.in_part;
        let noun = if some == 1 { "customer" } else { "customers" };
        view! { <li>{format!("{} {noun}: {}", count(some), reason.text)}</li> }
    };
    let reasons = outcome.reasons.iter().map(told).collect_view();
    let href = choice.with_show(path, "problem");
    Some(view! {
        <Notice tone=Tone::Warn title=title>
            <ul>{reasons}</ul>
            <p>"A month counts where it can be rated both now and under the tariff tried. "<a href=href>"Show these customers"</a></p>
        </Notice>
    })
}

fn effect(what_if: &WhatIf, totals: &Totals, currency: &str, locale: Locale) -> impl IntoView + use<> {
    let columns = vec![
        Column::text("Tariff"),
        Column::number("Compared", "customers"),
        Column::number("Now", currency),
        Column::number("Under it", currency),
        Column::number("Effect", currency),
        Column::number("Effect", "%"),
        Column::number("Pay more", ""),
        Column::number("Pay less", ""),
        Column::number("The same", ""),
    ];
    let mut rows = Rows::new();
    for (candidate, outcome) in what_if.candidates.iter().zip(&totals.candidates) {
        let change = outcome.change();
        rows.row(|row| {
            row.name(&candidate.label())
                .number(&format::count(outcome.compared, locale))
                .money(outcome.now, locale)
                .money(outcome.total, locale)
                .number(&signed(change, format::money(change, locale)))
                .number(&percent_text(outcome.now, outcome.total, locale))
                .number(&format::count(outcome.more, locale))
                .number(&format::count(outcome.less, locale))
                .number(&format::count(outcome.same, locale));
        });
    }
    view! { <DataTable caption="Effect on revenue" columns=columns rows=rows/> }
}

/// How many customers change by how much, in bands of percent.
fn distribution(totals: &Totals, outcome: &Outcome, label: &str, locale: Locale) -> impl IntoView + use<> {
    let edges = totals.edges();
    let names = edges.iter().map(|edge| band_name(*edge, locale)).collect();
    let labels = edges.iter().map(|edge| band_label(*edge)).collect();
    let middle = edges.len() / 2;
    let part = |name: &str, tone, holds: fn(usize, usize) -> bool| Series {
        name: name.to_owned(),
        tone,
        values: outcome
            .bands
            .iter()
            .enumerate()
            .map(|(at, count)| if holds(at, middle) { Decimal::from(*count) } else { Decimal::ZERO })
            .collect(),
    };
    let series = vec![
        part("Pay less", SeriesTone::Export, |at, middle| at < middle),
        part("The same", SeriesTone::Before, |at, middle| at == middle),
        part("Pay more", SeriesTone::OnPeak, |at, middle| at > middle),
    ];
    let count = |some: i64| format::count(some, locale);
    let none = match outcome.without_percent {
        0 => String::new(),
        some => format!(" {} pay nothing now and have no percentage.", count(some)),
    };
    let description = format!(
        "{} would pay more, {} less, {} the same.{none}",
        count(outcome.more),
        count(outcome.less),
        count(outcome.same)
    );
    let note = description.clone();
    let title = format!("Customers by change of what they pay under {label}, in percent");
    view! {
        <Section title="How the change is spread">
            <p>{note}</p>
            <BarChart
                id="spread" title=title untitled=true description=description
                unit="customers" label_head="Change" labels=labels names=names series=series locale=locale places=0 whole=true
            />
        </Section>
    }
}

/// On the axis: the outer edge of a band.
fn band_label(edge: (Option<i64>, Option<i64>)) -> String {
    let minus = |value: i64| value.to_string().replace('-', "\u{2212}");
    match edge {
        (None, None) => "0%".to_owned(),
        (None, Some(to)) => format!("<{}", minus(to)),
        (Some(from), None) => format!(">{from}"),
        (Some(from), Some(to)) => {
            if to <= 0 {
                minus(from)
            } else {
                format!("+{to}")
            }
        }
    }
}

/// In words: `2% to 4% more`.
fn band_name(edge: (Option<i64>, Option<i64>), locale: Locale) -> String {
    let percent = |value: i64| format::percent_exact(Decimal::new(value.abs(), 2), locale);
    match edge {
        (None, None) => "No change".to_owned(),
        (None, Some(to)) => format!("More than {} less", percent(to)),
        (Some(from), None) => format!("More than {} more", percent(from)),
        (Some(from), Some(to)) if to <= 0 => format!("{} to {} less", percent(to), percent(from)),
        (Some(from), Some(to)) => format!("{} to {} more", percent(from), percent(to)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_told_in_words_and_by_their_outer_edge() {
        let totals = Totals { width: 2, ..Totals::default() };
        let edges = totals.edges();
        let told = |at: usize| (band_label(edges[at]), band_name(edges[at], Locale::EnUs));
        assert_eq!(told(0), ("<\u{2212}10".to_owned(), "More than 10% less".to_owned()));
        assert_eq!(told(5), ("\u{2212}2".to_owned(), "0% to 2% less".to_owned()));
        assert_eq!(told(6), ("0%".to_owned(), "No change".to_owned()));
        assert_eq!(told(7), ("+2".to_owned(), "0% to 2% more".to_owned()));
        assert_eq!(told(12), (">10".to_owned(), "More than 10% more".to_owned()));
    }
}
