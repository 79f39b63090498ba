//! How far a thing has come.

use super::{Glyph, Icon};
use leptos::prelude::*;

/// The steps of a life cycle, with the one reached: open → rated → approved → issued.
#[component]
pub fn Steps(
    /// What goes through them: `Billing run`.
    #[prop(into)]
    label: String,
    /// Names of the steps, in order.
    steps: Vec<String>,
    /// Index of the step it is in now; those before are done.
    current: usize,
) -> impl IntoView {
    let items = steps
        .into_iter()
        .enumerate()
        .map(|(at, step)| {
            let done = at < current;
            view! {
                <li class=done.then_some("done") aria-current=(at == current).then_some("step")>
                    <span class="step-mark" aria-hidden="true">
                        {if done { view! { <Icon glyph=Glyph::Check/> }.into_any() } else { (at + 1).to_string().into_any() }}
                    </span>
                    {step}
                    {done.then(|| view! { <span class="visually-hidden">" (done)"</span> })}
                </li>
            }
        })
        .collect_view();
    view! { <ol class="steps" aria-label=label>{items}</ol> }
}
