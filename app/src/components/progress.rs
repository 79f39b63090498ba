//! Long work, as far as it has come.

use leptos::prelude::*;

/// A bar with its figures; without `most` it only says that something goes on.
#[component]
pub fn Progress(
    /// What is counted: `Rated`.
    #[prop(into)]
    label: String,
    /// How much is done.
    value: i64,
    /// Of how much, once that is known.
    most: Option<i64>,
    /// The same in words: `1,200 of 10,000 customers`.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    let most = most.filter(|most| *most > 0);
    let now = most.map(|_| value.to_string());
    view! {
        <div class="progress">
            <label r#for="progress">{label}</label>
            <progress id="progress" value=now max=most.map(|most| most.to_string())></progress>
            <p role="status">{text}</p>
        </div>
    }
}
