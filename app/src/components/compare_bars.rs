//! This bill against the last and against last year.

use super::chart::{percent_of, thousandths};
use super::present;
use leptos::prelude::*;
use rust_decimal::Decimal;

/// One of the things compared.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Which it is: `November 2026`.
    pub label: String,
    /// How long its bar is.
    pub value: Decimal,
    /// The value as read, with unit or currency: `$142.10`.
    pub text: String,
    /// Against the first: `12 % less`; empty for none.
    pub note: String,
    /// The one that the page is about.
    pub current: bool,
}

/// A table whose rows carry a bar each: chart and figures in one, so neither is hidden.
#[component]
pub fn CompareBars(
    /// What is compared: `This bill and earlier ones`.
    #[prop(into)]
    title: String,
    /// Leaves the title to the heading above, for those who see it.
    #[prop(optional)]
    untitled: bool,
    /// What it comes to, in a sentence: `$18.20 less than October, because …`; empty for none.
    #[prop(optional, into)]
    description: String,
    /// The things compared, the page's own first.
    rows: Vec<Comparison>,
) -> impl IntoView {
    let most = rows.iter().map(|row| thousandths(row.value).max(0)).max().unwrap_or(1);
    let rows = rows
        .into_iter()
        .map(|row| {
            let wide = percent_of(thousandths(row.value).max(0), most).to_string();
            view! {
                <tr class=row.current.then_some("current")>
                    <th scope="row">{row.label}</th>
                    <td class="compare-bar">
                        <svg width="100%" height="14" aria-hidden="true"><rect width=wide height="14" rx="2"/></svg>
                    </td>
                    <td class="num">{row.text}</td>
                    <td class="compare-note">{row.note}</td>
                </tr>
            }
        })
        .collect_view();
    bars("chart compare", title, untitled, description, ["Bill", "Amount", "Difference"], rows)
}

/// The figure around rows that carry a bar each; heads of the naming cell, the figure and the note.
pub(super) fn bars(
    class: &'static str,
    title: String,
    untitled: bool,
    description: String,
    heads: [&'static str; 3],
    rows: impl IntoView,
) -> impl IntoView {
    let [name, figure, note] = heads;
    view! {
        <figure class=class>
            <figcaption>
                <span class={if untitled { "visually-hidden" } else { "chart-title" }}>{title.clone()}</span>
                {present(description).map(|text| view! { <p>{whole_figures(&text)}</p> })}
            </figcaption>
            <table>
                <caption class="visually-hidden">{title}</caption>
                <thead class="visually-hidden">
                    <tr><th scope="col">{name}</th><td></td><th scope="col">{figure}</th><th scope="col">{note}</th></tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </figure>
    }
}

/// A sentence in which a minus stays on the line of its figure: some lines would break between the two.
fn whole_figures(text: &str) -> impl IntoView + use<> {
    let mut parts = text.split(" \u{2212}");
    let first = parts.next().unwrap_or_default().to_owned();
    let figures = parts.map(|part| {
        let (figure, rest) = part.split_at(part.find(' ').unwrap_or(part.len()));
        let (figure, rest) = (format!("\u{2212}{figure}"), rest.to_owned());
        view! { " "<span class="nowrap">{figure}</span>{rest} }
    });
    view! { {first}{figures.collect_view()} }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minus_stays_with_its_figure_and_the_words_are_the_same() {
        let text = "Usage makes +$6.96, days \u{2212}$2.32 and more.";
        let html = view! { <p>{whole_figures(text)}</p> }.to_html();
        let html = html.replace("<!>", "");
        let kept = "<span class=\"nowrap\">\u{2212}$2.32</span> and more.";
        assert!(html.contains(kept), "{html}");
        let plain = html.replace("<span class=\"nowrap\">", "").replace("</span>", "");
        assert_eq!(plain, format!("<p>{text}</p>"));
    }
}
