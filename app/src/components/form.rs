//! The form every write goes through.

use super::present;
use crate::forms::once;
use leptos::prelude::*;
use uuid::Uuid;

/// A POST form that carries the context it was rendered in.
///
/// The server refuses it when another organization has been opened meanwhile in
/// another tab. It carries an id of its own too: sent twice, it is done once. Browser validation is off: the server checks, and its answer names
/// every fault at once in an [`ErrorSummary`](super::ErrorSummary).
#[component]
pub fn PostForm(
    /// Address it posts to.
    #[prop(into)]
    action: String,
    /// The signed context of the page: `frame.context`; empty before sign-in.
    #[prop(into)]
    context: String,
    /// Further hidden pairs, as name and value.
    #[prop(optional)]
    hidden: Vec<(String, String)>,
    /// Sends files.
    #[prop(optional)]
    multipart: bool,
    /// Further classes: `form` stacks fields with the form's rhythm.
    #[prop(optional, into)]
    class: String,
    /// Fields and buttons.
    children: Children,
) -> impl IntoView {
    let pairs =
        hidden.into_iter().map(|(name, value)| view! { <input r#type="hidden" name=name value=value/> }).collect_view();
    view! {
        <form
            method="post"
            action=action
            class=present(class)
            enctype=multipart.then_some("multipart/form-data")
            novalidate
            data-busy=""
        >
            <input r#type="hidden" name="context" value=context/>
            <input r#type="hidden" name=once::FIELD value=Uuid::now_v7().to_string()/>
            {pairs}
            {children()}
        </form>
    }
}
