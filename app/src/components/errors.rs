//! What was wrong with a form, all of it at once.

use leptos::prelude::*;

/// One fault and the field to mend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name (which is its id); empty when no one field is to blame.
    pub field: String,
    /// What is wrong and how to mend it: `Enter an end date after 1 November 2026`.
    pub message: String,
}

/// The summary at the head of a form that was sent back; nothing when there is no error.
#[component]
pub fn ErrorSummary(
    /// The faults, in the order of the form's fields.
    errors: Vec<FieldError>,
    /// Whether the form asks for secrets, passwords or codes, which are not given back.
    #[prop(optional)]
    secrets: bool,
) -> impl IntoView {
    (!errors.is_empty()).then(|| {
        let items = errors
            .into_iter()
            .map(|error| {
                if error.field.is_empty() {
                    view! { <li>{error.message}</li> }.into_any()
                } else {
                    view! { <li><a href=format!("#{}", error.field)>{error.message}</a></li> }.into_any()
                }
            })
            .collect_view();
        view! {
            <div class="error-summary" role="alert" tabindex="-1" data-focus="" aria-labelledby="error-summary-title">
                <h2 id="error-summary-title">"There is a problem"</h2>
                <ul>{items}</ul>
                <p>{if secrets { "Passwords and codes are never kept: type them again." } else { "Everything you typed is still here." }}</p>
            </div>
        }
    })
}
