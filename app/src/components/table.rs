//! Tables of figures and lists.

use super::present;
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

/// A table with its heads; the rows are the page's own `<tr>`s, built straight from data.
///
/// In a row the cell that names it is `<th scope="row">`, figures are `<td class="num">`.
/// Wide tables scroll inside their own focusable region, never the page.
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
    /// Rows of totals: `<tr>`s for the foot.
    #[prop(optional)]
    foot: Option<AnyView>,
    /// Rows as HTML that this crate wrote itself, every text in it escaped; instead of children.
    #[prop(optional)]
    html: String,
    /// Rows: `<tr>`s.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let body = match children {
        Some(children) => view! { <tbody>{children()}</tbody> }.into_any(),
        None => view! { <tbody inner_html=html></tbody> }.into_any(),
    };
    let label = caption.clone();
    let heads = columns.into_iter().map(head).collect_view();
    view! {
        <div class="table-scroll" role="region" aria-label=label tabindex="0">
            <table class="table">
                <caption class=(!titled).then_some("visually-hidden")>{caption}</caption>
                <thead><tr>{heads}</tr></thead>
                {body}
                {foot.map(|rows| view! { <tfoot>{rows}</tfoot> })}
            </table>
        </div>
    }
}

fn head(column: Column) -> impl IntoView {
    let class = column.numeric.then_some("num");
    let unit = present(column.unit).map(|unit| view! { " " <span class="unit">{unit}</span> });
    match column.sort {
        None => view! { <th scope="col" class=class>{column.label}{unit}</th> }.into_any(),
        Some((href, now)) => {
            let (state, arrow) = match now {
                Sort::None => (None, None),
                Sort::Ascending => (Some("ascending"), Some("↑")),
                Sort::Descending => (Some("descending"), Some("↓")),
            };
            let arrow = arrow.map(|arrow| view! { <span aria-hidden="true">{arrow}</span> });
            view! {
                <th scope="col" class=class aria-sort=state>
                    <a class="sort" href=href><span>{column.label}{unit}</span>{arrow}</a>
                </th>
            }
            .into_any()
        }
    }
}
