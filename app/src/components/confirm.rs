//! A step that cannot be taken back says, in numbers, what it will do before it does it.

use super::{Button, Kind, PostForm, present};
use leptos::prelude::*;

/// A button that opens what it is about to do, with the button that does it.
///
/// It is a `<details>`: it needs no script, and the reader sees the figures before the form.
#[component]
pub fn ConfirmPanel(
    /// The step: `Issue invoices…`.
    #[prop(into)]
    open: String,
    /// The question, with its figure: `Issue 1,204 invoices for November 2026?`
    #[prop(into)]
    title: String,
    /// What will happen, one statement each, in numbers.
    consequences: Vec<String>,
    /// Label of the button that does it: `Issue 1,204 invoices`.
    #[prop(into)]
    label: String,
    /// Where it is posted.
    #[prop(into)]
    action: String,
    /// The signed context of the page.
    #[prop(into)]
    context: String,
    /// Further hidden pairs.
    #[prop(optional)]
    hidden: Vec<(String, String)>,
    /// Danger where it destroys, Primary where it only cannot be undone.
    #[prop(default = Kind::Danger)]
    kind: Kind,
    /// Already open: after a fault in its fields.
    #[prop(optional)]
    shown: bool,
    /// What is kept, or how to mend it afterwards; empty for none.
    #[prop(optional, into)]
    note: String,
    /// Fields the step needs: a reason, a date.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let items = consequences.into_iter().map(|text| view! { <li>{text}</li> }).collect_view();
    view! {
        <details class="confirm" data-menu="" open=shown>
            <summary class=kind.class()>{open}</summary>
            <div class="confirm-panel">
                <p class="confirm-title">{title}</p>
                <ul>{items}</ul>
                {present(note).map(|note| view! { <p class="hint">{note}</p> })}
                <PostForm action=action context=context hidden=hidden class="form">
                    {children.map(|children| children())}
                    <div class="actions">
                        <Button label=label kind=kind/>
                        <button r#type="button" class="button" data-close="" hidden="">"Keep as it is"</button>
                    </div>
                </PostForm>
            </div>
        </details>
    }
}
