//! Questions answered by choosing.

use super::field::{described, fault, question};
use super::present;
use leptos::prelude::*;

/// One thing to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
}

impl Choice {
    /// A choice that sends `value` and reads `label`.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into() }
    }
}

/// The `<option>`s, the one with `value` selected.
pub(super) fn options(choices: Vec<Choice>, value: &str) -> impl IntoView + use<> {
    choices
        .into_iter()
        .map(|choice| {
            let selected = choice.value == value;
            view! { <option value=choice.value selected=selected>{choice.label}</option> }
        })
        .collect_view()
}

/// A question answered from a list too long to show at once.
#[component]
pub fn SelectField(
    /// Name and id.
    #[prop(into)]
    name: String,
    /// The question.
    #[prop(into)]
    label: String,
    /// What can be chosen.
    choices: Vec<Choice>,
    /// The value chosen.
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
    let control = view! {
        <select
            class="input"
            id=name.clone()
            name=name.clone()
            aria-describedby=described(&name, &hint, &error)
            aria-invalid=(!error.is_empty()).then_some("true")
        >
            {options(choices, &value)}
        </select>
    };
    question(&name, label, hint, error, optional, control.into_any())
}

/// A question answered by one of a few, all shown.
#[component]
pub fn Radios(
    /// Name; the first choice has it as its id.
    #[prop(into)]
    name: String,
    /// The question.
    #[prop(into)]
    label: String,
    /// What can be chosen.
    choices: Vec<Choice>,
    /// The value chosen.
    #[prop(optional, into)]
    value: String,
    /// What helps to answer.
    #[prop(optional, into)]
    hint: String,
    /// What was wrong with the answer.
    #[prop(optional, into)]
    error: String,
) -> impl IntoView {
    let class = if error.is_empty() { "field" } else { "field wrong" };
    let about = described(&name, &hint, &error);
    let hint_id = format!("{name}-hint");
    let fault = fault(&name, error);
    let items = choices
        .into_iter()
        .enumerate()
        .map(|(at, choice)| {
            let id = if at == 0 { name.clone() } else { format!("{name}-{at}") };
            let checked = choice.value == value;
            view! {
                <div class="check">
                    <input r#type="radio" id=id.clone() name=name.clone() value=choice.value checked=checked/>
                    <label r#for=id>{choice.label}</label>
                </div>
            }
        })
        .collect_view();
    view! {
        <fieldset class=class aria-describedby=about>
            <legend>{label}</legend>
            {present(hint).map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> })}
            {fault}
            {items}
        </fieldset>
    }
}

/// A yes, or nothing.
#[component]
pub fn Checkbox(
    /// Name and id.
    #[prop(into)]
    name: String,
    /// The statement that a tick makes true.
    #[prop(into)]
    label: String,
    /// What is sent when ticked.
    #[prop(default = "true".to_owned(), into)]
    value: String,
    /// Ticked.
    #[prop(optional)]
    checked: bool,
    /// What helps to decide.
    #[prop(optional, into)]
    hint: String,
    /// What was wrong.
    #[prop(optional, into)]
    error: String,
) -> impl IntoView {
    let class = if error.is_empty() { "field" } else { "field wrong" };
    let about = described(&name, &hint, &error);
    let hint = present(hint).map(|hint| view! { <p class="hint" id=format!("{name}-hint")>{hint}</p> });
    view! {
        <div class=class>
            {fault(&name, error)}
            <div class="check">
                <input r#type="checkbox" id=name.clone() name=name.clone() value=value checked=checked aria-describedby=about/>
                <label r#for=name>{label}</label>
            </div>
            {hint}
        </div>
    }
}
