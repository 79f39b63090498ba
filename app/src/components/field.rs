//! One question of a form, with its hint and what was wrong with the answer.
//!
//! The control's `id` is the field's name, so that an error summary can link to it.

use super::present;
use leptos::prelude::*;

/// Label, hint and error around a control; the control names hint and error as its description.
pub(super) fn question(
    name: &str,
    label: String,
    hint: String,
    error: String,
    optional: bool,
    control: AnyView,
) -> impl IntoView + use<> {
    let class = if error.is_empty() { "field" } else { "field wrong" };
    let mark = optional.then(|| view! { <span class="optional">" (optional)"</span> });
    let hint = present(hint).map(|hint| view! { <p class="hint" id=format!("{name}-hint")>{hint}</p> });
    view! {
        <div class=class>
            <label r#for=name.to_owned()>{label}{mark}</label>
            {hint}
            {fault(name, error)}
            {control}
        </div>
    }
}

/// The sentence that says what is wrong with an answer.
pub(super) fn fault(name: &str, error: String) -> Option<impl IntoView + use<>> {
    let id = format!("{name}-error");
    present(error).map(|error| {
        view! {
            <p class="fault" id=id><span class="visually-hidden">"Error: "</span>{error}</p>
        }
    })
}

/// The ids a control's `aria-describedby` names, or `None`.
pub(super) fn described(name: &str, hint: &str, error: &str) -> Option<String> {
    match (hint.is_empty(), error.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("{name}-hint")),
        (true, false) => Some(format!("{name}-error")),
        (false, false) => Some(format!("{name}-hint {name}-error")),
    }
}

/// A question answered in one line.
#[component]
pub fn Field(
    /// Name and id.
    #[prop(into)]
    name: String,
    /// The question.
    #[prop(into)]
    label: String,
    /// What was answered before.
    #[prop(optional, into)]
    value: String,
    /// What helps to answer.
    #[prop(optional, into)]
    hint: String,
    /// What was wrong with the answer.
    #[prop(optional, into)]
    error: String,
    /// `email`, `password`, `tel`, …
    #[prop(default = "text".to_owned(), into)]
    kind: String,
    /// The HTML autocomplete token: `email`, `current-password`, `street-address`, …
    #[prop(optional, into)]
    autocomplete: String,
    /// `numeric`, `decimal`, `email`: the keyboard on a phone.
    #[prop(optional, into)]
    inputmode: String,
    /// Unit or currency after the control: `kWh`.
    #[prop(optional, into)]
    unit: String,
    /// Width that tells how much is expected: `w4`, `w10`, `w20`; empty fills the column.
    #[prop(optional, into)]
    width: String,
    /// The answer may be left out.
    #[prop(optional)]
    optional: bool,
    /// The first thing to do on the page.
    #[prop(optional)]
    autofocus: bool,
) -> impl IntoView {
    let class = format!("input {width}");
    let input = view! {
        <input
            class=class
            id=name.clone()
            name=name.clone()
            r#type=kind
            value=value
            autocomplete=present(autocomplete)
            inputmode=present(inputmode)
            aria-describedby=described(&name, &hint, &error)
            aria-invalid=(!error.is_empty()).then_some("true")
            autofocus=autofocus
        />
    };
    let control = match present(unit) {
        Some(unit) => view! { <div class="with-unit">{input}<span class="unit">{unit}</span></div> }.into_any(),
        None => input.into_any(),
    };
    question(&name, label, hint, error, optional, control)
}

/// A question answered by a date, as `YYYY-MM-DD`.
#[component]
pub fn DateField(
    /// Name and id.
    #[prop(into)]
    name: String,
    /// The question.
    #[prop(into)]
    label: String,
    /// `YYYY-MM-DD`.
    #[prop(optional, into)]
    value: String,
    /// What helps to answer.
    #[prop(optional, into)]
    hint: String,
    /// What was wrong with the answer.
    #[prop(optional, into)]
    error: String,
    /// The answer may be left out.
    #[prop(optional)]
    optional: bool,
) -> impl IntoView {
    view! {
        <Field name=name label=label value=value hint=hint error=error kind="date" width="w10" optional=optional/>
    }
}

/// A question answered in several lines.
#[component]
pub fn TextArea(
    /// Name and id.
    #[prop(into)]
    name: String,
    /// The question.
    #[prop(into)]
    label: String,
    /// What was answered before.
    #[prop(optional, into)]
    value: String,
    /// What helps to answer.
    #[prop(optional, into)]
    hint: String,
    /// What was wrong with the answer.
    #[prop(optional, into)]
    error: String,
    /// Lines shown.
    #[prop(default = 4)]
    rows: u8,
    /// The answer may be left out.
    #[prop(optional)]
    optional: bool,
) -> impl IntoView {
    // Browsers drop one line break right after the tag; this one is theirs to drop.
    let value = format!("\n{value}");
    let control = view! {
        <textarea
            class="input"
            id=name.clone()
            name=name.clone()
            rows=rows.to_string()
            aria-describedby=described(&name, &hint, &error)
            aria-invalid=(!error.is_empty()).then_some("true")
        >
            {value}
        </textarea>
    };
    question(&name, label, hint, error, optional, control.into_any())
}

/// A question answered by a file; its form is `multipart`.
#[component]
pub fn FileField(
    /// Name and id.
    #[prop(into)]
    name: String,
    /// The question.
    #[prop(into)]
    label: String,
    /// What helps to answer: kinds and largest size.
    #[prop(optional, into)]
    hint: String,
    /// What was wrong with the file.
    #[prop(optional, into)]
    error: String,
    /// Kinds offered: `.xml,.csv`.
    #[prop(optional, into)]
    accept: String,
    /// Several at once.
    #[prop(optional)]
    multiple: bool,
) -> impl IntoView {
    let control = view! {
        <input
            class="input file"
            id=name.clone()
            name=name.clone()
            r#type="file"
            accept=present(accept)
            multiple=multiple
            aria-describedby=described(&name, &hint, &error)
            aria-invalid=(!error.is_empty()).then_some("true")
        />
    };
    question(&name, label, hint, error, false, control.into_any())
}
