//! Tables of figures and lists.

use super::Rows;
use super::html::Html;
use leptos::either::Either;
use leptos::prelude::*;

/// Which way a column is sorted now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// It can be, but is not.
    #[default]
    None,
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// A column's head. The unit or currency of a numeric column stands here, once.
#[derive(Clone, Debug, Default)]
pub struct Column {
    label: String,
    unit: String,
    numeric: bool,
    sort: Option<(String, Sort)>,
}

impl Column {
    /// A column of words, dates or tags.
    pub fn text(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// A column of figures in one unit: `Column::number("Amount", "USD")`. Cells are `<td class="num">`.
    pub fn number(label: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { label: label.into(), unit: unit.into(), numeric: true, sort: None }
    }

    /// Keeps a column that names a unit at the left: the names of rows, whose figures follow.
    #[must_use]
    pub(super) fn left(mut self) -> Self {
        self.numeric = false;
        self
    }

    /// Makes the head a link to the list sorted by this column (the other way round if it is already).
    #[must_use]
    pub fn sorted(mut self, href: impl Into<String>, now: Sort) -> Self {
        self.sort = Some((href.into(), now));
        self
    }
}

/// A table with its heads and rows.
///
/// Lists give [`Rows`], the quick way; rows that hold forms or other components are
/// children: `<tr>`s whose naming cell is `<th scope="row">` and whose figures are
/// `<td class="num">`. Wide tables scroll inside their own focusable region, never the page.
#[component]
pub fn DataTable(
    /// What the table holds, for those who cannot see it; also names the scrolling region.
    #[prop(into)]
    caption: String,
    /// Heads, left to right.
    columns: Vec<Column>,
    /// Shows the caption above the table.
    #[prop(optional)]
    titled: bool,
    /// On a phone each row is a card, led by its name: the other cells say in `data-label` what they are.
    #[prop(optional)]
    cards: bool,
    /// The rows.
    #[prop(optional)]
    rows: Rows,
    /// Rows of totals beneath.
    #[prop(optional)]
    foot: Option<Rows>,
    /// Rows as views, instead of `rows`.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let body = match children {
        Some(children) => Either::Left(view! { <tbody>{children()}</tbody> }),
        None => Either::Right(view! { <tbody inner_html=rows.into_html()></tbody> }),
    };
    let heads = heads(columns);
    let label = caption.clone();
    view! {
        <div class=if cards { "table-scroll cards" } else { "table-scroll" } role="region" aria-label=label tabindex="0">
            <table class="table">
                <caption class=(!titled).then_some("visually-hidden")>{caption}</caption>
                <thead inner_html=heads></thead>
                {body}
                {foot.map(|rows| view! { <tfoot inner_html=rows.into_html()></tfoot> })}
            </table>
        </div>
    }
}

fn heads(columns: Vec<Column>) -> String {
    let mut html = Html::with_capacity(1024);
    html.raw("<tr>");
    for column in columns {
        html.raw("<th scope=\"col\"");
        if column.numeric {
            html.raw(" class=\"num\"");
        }
        let arrow = match &column.sort {
            Some((_, Sort::Ascending)) => {
                html.raw(" aria-sort=\"ascending\"");
                "<span aria-hidden=\"true\">↑</span>"
            }
            Some((_, Sort::Descending)) => {
                html.raw(" aria-sort=\"descending\"");
                "<span aria-hidden=\"true\">↓</span>"
            }
            _ => "",
        };
        html.raw(">");
        if let Some((href, _)) = &column.sort {
            html.raw("<a class=\"sort\" href=\"").text(href).raw("\">");
        }
        html.raw("<span>").text(&column.label);
        if !column.unit.is_empty() {
            html.raw(" <span class=\"unit\">").text(&column.unit).raw("</span>");
        }
        html.raw("</span>");
        if column.sort.is_some() {
            html.raw(arrow).raw("</a>");
        }
        html.raw("</th>");
    }
    html.raw("</tr>");
    html.into_string()
}
