//! A what-if's customers: searched, filtered, sorted, as a table and as a file.

use eis::billing::what_ifs::results::{Filter, Order, Row, Show};
use eis::billing::what_ifs::{CandidateSummary, WhatIf, totals};
use leptos::prelude::*;

use super::{percent_text, signed};
use serde::Deserialize;

use crate::components::{
    Choice as Option_, Column, DataTable, EmptyState, FilterBar, FilterSelect, Pagination, Rows, Section, Sort,
};
use crate::format::{self, Locale};
use crate::pages::parts::{PAGE_ROWS, address, rows_text, turns};

/// Which candidate, which rows, and whether the page stands still while the work goes on; all in the address.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub struct ShowQuery {
    pub(super) tariff: usize,
    pub(super) show: String,
    pub(super) sort: String,
    pub(super) q: String,
    pub(super) rows: String,
    pub(super) offset: i64,
    pub(super) still: String,
}

/// Which rows are looked at.
#[derive(Debug, Clone)]
pub struct Choice {
    /// For the query.
    pub filter: Filter,
    /// The first row.
    pub offset: i64,
    /// How many.
    pub rows: i64,
    query: ShowQuery,
}

impl Choice {
    /// What an address asks for, of so many candidates.
    pub fn of(query: &ShowQuery, candidates: usize) -> Self {
        let show = match query.show.as_str() {
            "more" => Show::More,
            "less" => Show::Less,
            "same" => Show::Same,
            "problem" => Show::Problem,
            _ => Show::All,
        };
        let order = match query.sort.as_str() {
            "decrease" => Order::Decrease,
            "increase_percent" => Order::IncreasePercent,
            "decrease_percent" => Order::DecreasePercent,
            "account" => Order::Account,
            _ => Order::Increase,
        };
        let candidate = query.tariff.saturating_sub(1).min(candidates.saturating_sub(1));
        let filter = Filter { candidate, search: query.q.trim().to_owned(), show, order };
        let rows = if query.rows == "50" { 50 } else { PAGE_ROWS };
        Self { filter, offset: query.offset.max(0), rows, query: query.clone() }
    }

    fn href(&self, path: &str, tariff: usize, show: &str, sort: &str, offset: &str) -> String {
        let tariff = if tariff > 0 { (tariff + 1).to_string() } else { String::new() };
        let rows = if self.rows == PAGE_ROWS { String::new() } else { self.rows.to_string() };
        let pairs = [
            ("tariff", tariff.as_str()),
            ("show", show),
            ("sort", sort),
            ("q", &self.query.q),
            ("rows", &rows),
            ("offset", offset),
        ];
        address(path, &pairs)
    }

    /// The same of another candidate.
    pub fn with_tariff(&self, path: &str, tariff: usize) -> String {
        self.href(path, tariff, &self.query.show, &self.query.sort, "")
    }

    /// Other rows of the same candidate.
    pub fn with_show(&self, path: &str, show: &str) -> String {
        self.href(path, self.filter.candidate, show, &self.query.sort, "")
    }

    fn with_sort(&self, path: &str, sort: &str) -> String {
        self.href(path, self.filter.candidate, &self.query.show, sort, "")
    }

    fn at(&self, path: &str, offset: &str) -> String {
        self.href(path, self.filter.candidate, &self.query.show, &self.query.sort, offset)
    }

    /// A column that sorts, the other way round when it does already: address, and how it is sorted now.
    fn sorting(&self, path: &str, down: (Order, &str), up: (Order, &str)) -> (String, Sort) {
        match self.filter.order {
            order if order == down.0 => (self.with_sort(path, up.1), Sort::Descending),
            order if order == up.0 => (self.with_sort(path, down.1), Sort::Ascending),
            _ => (self.with_sort(path, down.1), Sort::None),
        }
    }

    fn selects(&self) -> Vec<FilterSelect> {
        let select = |name: &str, label: &str, value: String, choices: &[(&str, &str)]| FilterSelect {
            name: name.into(),
            label: label.into(),
            value,
            choices: choices.iter().map(|(value, label)| Option_::new(*value, *label)).collect(),
        };
        let shows = [
            ("", "All"),
            ("more", "Would pay more"),
            ("less", "Would pay less"),
            ("same", "Would pay the same"),
            ("problem", "Lack months"),
        ];
        let rows = if self.rows == PAGE_ROWS { String::new() } else { self.rows.to_string() };
        vec![
            select("show", "Customers", self.query.show.clone(), &shows),
            select("rows", "Rows", rows, &[("", "25"), ("50", "50")]),
        ]
    }
}

/// The table of customers under one candidate.
pub fn view(
    what_if: &WhatIf,
    (rows, total): (Vec<Row>, i64),
    choice: &Choice,
    path: &str,
    base: &str,
    currency: &str,
    locale: Locale,
) -> impl IntoView + use<> {
    let candidate = choice.filter.candidate;
    let label = what_if.candidates.get(candidate).map(CandidateSummary::label).unwrap_or_default();
    let filtered = choice.filter.show != Show::All || !choice.filter.search.is_empty();
    let hidden =
        vec![("tariff".to_owned(), (candidate + 1).to_string()), ("sort".to_owned(), choice.query.sort.clone())];
    let cleared = Choice { query: ShowQuery { q: String::new(), ..choice.query.clone() }, ..choice.clone() };
    let all = cleared.with_show(path, "");
    let clear = if filtered { all.clone() } else { String::new() };
    let body = if rows.is_empty() {
        let text = if filtered { "Try fewer words, or look at all customers." } else { "No customer was looked at." };
        let action = if filtered { "Look at all" } else { "" };
        view! { <EmptyState title="No customer matches" text=text action=action href=all/> }.into_any()
    } else {
        let summary = rows_text(choice.offset, rows.len(), total, "customers", locale);
        let [first, previous, next] = turns(choice.offset, choice.rows, total, |to| choice.at(path, to));
        let table = table(&rows, choice, &label, path, base, currency, locale);
        view! {
            {table}
            <Pagination summary=summary first=first previous=previous next=next/>
        }
        .into_any()
    };
    let (q, selects, csv, path) =
        (choice.query.q.clone(), choice.selects(), format!("{path}/customers.csv"), path.to_owned());
    view! {
        <Section title=format!("Customers under {label}")>
            <FilterBar action=path search="Name or account" q=q selects=selects hidden=hidden clear=clear csv=csv/>
            {body}
        </Section>
    }
}

fn table(
    rows: &[Row],
    choice: &Choice,
    label: &str,
    path: &str,
    base: &str,
    currency: &str,
    locale: Locale,
) -> impl IntoView + use<> {
    let (by_change, change) = choice.sorting(path, (Order::Increase, ""), (Order::Decrease, "decrease"));
    let (by_percent, percent) = choice.sorting(
        path,
        (Order::IncreasePercent, "increase_percent"),
        (Order::DecreasePercent, "decrease_percent"),
    );
    let account = if choice.filter.order == Order::Account { Sort::Ascending } else { Sort::None };
    let columns = vec![
        Column::text("Account").sorted(choice.with_sort(path, "account"), account),
        Column::text("Name"),
        Column::number("Months", ""),
        Column::number("Usage", "kWh"),
        Column::number("Now", currency),
        Column::number(label, currency),
        Column::number("Change", currency).sorted(by_change, change),
        Column::number("Change", "%").sorted(by_percent, percent),
    ];
    let mut table = Rows::new();
    for row in rows {
        let Some(share) = row.compared.shares.get(choice.filter.candidate) else { continue };
        table.row(|cells| {
            cells.name_link(&row.customer_id.below(&format!("{base}/customers")), &row.account_number);
            if share.problem.is_empty() {
                cells.text(&row.customer_name);
            } else {
                cells.text_with(&row.customer_name, &format::prose(&share.problem, locale));
            }
            if share.months < row.compared.supplied {
                cells.number(&format!("{} of {}", share.months, row.compared.supplied));
            } else {
                cells.number(&share.months.to_string());
            }
            if share.months > 0 {
                let change = share.cost - share.now;
                cells
                    .kwh(share.kwh, locale)
                    .money(share.now, locale)
                    .money(share.cost, locale)
                    .number(&signed(change, format::money(change, locale)))
                    .number(&percent_text(share.now, share.cost, locale));
            } else {
                (0..5).for_each(|_| {
                    cells.number("–");
                });
            }
        });
    }
    view! { <DataTable caption=format!("Customers under {label}") columns=columns rows=table/> }
}

/// The columns of the file: seven for each candidate.
pub fn csv_head(candidates: &[CandidateSummary]) -> Vec<String> {
    let mut head: Vec<String> = ["account_number", "name", "months_supplied", "estimated"].map(str::to_owned).to_vec();
    for candidate in candidates {
        let name = format!("{}_v{}", candidate.code, candidate.version);
        head.extend(
            ["months", "kwh", "now", "cost", "change", "percent", "problem"].map(|part| format!("{name}_{part}")),
        );
    }
    head
}

/// A customer's line of the file.
pub fn csv_row(row: &Row) -> Vec<String> {
    let estimated = if row.compared.estimated { "yes" } else { "no" };
    let mut line = vec![
        row.account_number.clone(),
        row.customer_name.clone(),
        row.compared.supplied.to_string(),
        estimated.to_owned(),
    ];
    for share in &row.compared.shares {
        let percent = totals::percent(share.now, share.cost).map(|percent| format!("{:.2}", percent.round_dp(2)));
        line.extend([
            share.months.to_string(),
            share.kwh.to_string(),
            share.now.to_string(),
            share.cost.to_string(),
            (share.cost - share.now).to_string(),
            percent.unwrap_or_default(),
            share.problem.clone(),
        ]);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_the_choice_and_the_sort_turns_round() {
        let query =
            ShowQuery { tariff: 2, show: "more".into(), rows: "50".into(), offset: 100, ..ShowQuery::default() };
        let choice = Choice::of(&query, 3);
        assert_eq!((choice.filter.candidate, choice.rows, choice.offset), (1, 50, 100));
        assert_eq!(choice.at("/x", "50"), "/x?tariff=2&show=more&rows=50&offset=50");
        let (href, now) = choice.sorting("/x", (Order::Increase, ""), (Order::Decrease, "decrease"));
        assert_eq!((href.as_str(), now), ("/x?tariff=2&show=more&sort=decrease&rows=50", Sort::Descending));
        let beyond = Choice::of(&ShowQuery { tariff: 99, rows: "7".into(), offset: -1, ..ShowQuery::default() }, 2);
        assert_eq!((beyond.filter.candidate, beyond.rows, beyond.offset), (1, PAGE_ROWS, 0));
    }
}
