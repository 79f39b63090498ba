//! Search and filters above a list, all in the address.

use super::select::options;
use super::{Choice, Glyph, Icon, present};
use leptos::prelude::*;

/// One filter to choose from.
#[derive(Clone, Debug, Default)]
pub struct FilterSelect {
    /// Its name in the address: `status`.
    pub name: String,
    /// What it filters by: `Status`.
    pub label: String,
    /// The value chosen now.
    pub value: String,
    /// What can be chosen; the first is normally `("", "All")`.
    pub choices: Vec<Choice>,
}

/// A GET form: search, filters, clear, CSV of the very rows shown.
#[component]
pub fn FilterBar(
    /// The list's own address, without its query.
    #[prop(into)]
    action: String,
    /// What the search looks in: `Number or customer`; empty for no search.
    #[prop(optional, into)]
    search: String,
    /// What is searched for now (`q` in the address).
    #[prop(optional, into)]
    q: String,
    /// Filters, in order of use.
    #[prop(optional)]
    selects: Vec<FilterSelect>,
    /// Pairs to keep, such as the sorting.
    #[prop(optional)]
    hidden: Vec<(String, String)>,
    /// Address without search and filters; empty when none is set.
    #[prop(optional, into)]
    clear: String,
    /// Address of these rows as CSV; empty for none.
    #[prop(optional, into)]
    csv: String,
    /// Further fields, such as a [`DateField`](super::DateField).
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let search = present(search).map(|label| {
        view! {
            <div class="filter filter-search">
                <label r#for="q">{label}</label>
                <input class="input" id="q" name="q" r#type="search" value=q autocomplete="off"/>
            </div>
        }
    });
    let selects = selects
        .into_iter()
        .map(|select| {
            let id = format!("filter-{}", select.name);
            view! {
                <div class="filter">
                    <label r#for=id.clone()>{select.label}</label>
                    <select class="input" id=id name=select.name data-auto="">
                        {options(select.choices, &select.value)}
                    </select>
                </div>
            }
        })
        .collect_view();
    let hidden =
        hidden.into_iter().map(|(name, value)| view! { <input r#type="hidden" name=name value=value/> }).collect_view();
    view! {
        <form class="filters" method="get" action=action role="search">
            {hidden}
            {search}
            {selects}
            {children.map(|children| children())}
            <div class="filter-buttons">
                <button class="button" r#type="submit">"Search"</button>
                {present(clear).map(|href| view! { <a href=href>"Clear"</a> })}
            </div>
            {present(csv).map(|href| view! {
                <a class="filter-csv" href=href download=""><Icon glyph=Glyph::Download/>"CSV"</a>
            })}
        </form>
    }
}

/// A filter to type: a name, an account number, a day.
#[component]
pub fn FilterText(
    /// Its name in the address: `from`.
    #[prop(into)]
    name: String,
    /// What it filters by: `From`.
    #[prop(into)]
    label: String,
    /// The value now.
    #[prop(into)]
    value: String,
    /// `text` or `date`.
    #[prop(default = "text".to_owned(), into)]
    kind: String,
) -> impl IntoView {
    let id = format!("filter-{name}");
    view! {
        <div class="filter">
            <label r#for=id.clone()>{label}</label>
            <input class="input" id=id name=name r#type=kind value=value autocomplete="off"/>
        </div>
    }
}
