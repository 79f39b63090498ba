//! The questions of the designer's form: each control with what was typed and what is wrong with it.

use leptos::prelude::*;

use super::fields::Fields;
use crate::components::{Checkbox, Choice, Field, SelectField, TextArea};
use crate::forms::FieldErrors;

/// What the form shows.
pub struct Ask<'f> {
    /// What was typed.
    pub fields: &'f Fields,
    /// What is wrong.
    pub errors: &'f FieldErrors,
    /// ISO 4217.
    pub currency: &'f str,
}

impl Ask<'_> {
    fn value(&self, name: &str) -> String {
        self.fields.get(name).to_owned()
    }

    /// A line of text.
    pub fn text(&self, name: &str, label: &str, hint: &str, width: &str) -> AnyView {
        let (value, error) = (self.value(name), self.errors.of(name));
        view! { <Field name=name.to_owned() label=label hint=hint width=width autocomplete="off" value=value error=error/> }
            .into_any()
    }

    /// A line that may stay empty.
    pub fn optional(&self, name: &str, label: &str, unit: &str) -> AnyView {
        let (value, error) = (self.value(name), self.errors.of(name));
        view! { <Field name=name.to_owned() label=label width="w10" autocomplete="off" unit=unit value=value error=error optional=true/> }
            .into_any()
    }

    /// A figure with its unit.
    pub fn figure(&self, name: &str, label: &str, unit: &str) -> AnyView {
        let (value, error) = (self.value(name), self.errors.of(name));
        view! { <Field name=name.to_owned() label=label width="w10" inputmode="decimal" autocomplete="off" unit=unit value=value error=error/> }
            .into_any()
    }

    /// Several lines.
    pub fn lines(&self, name: &str, label: &str, hint: &str, rows: u8) -> AnyView {
        let (value, error) = (self.value(name), self.errors.of(name));
        view! { <TextArea name=name.to_owned() label=label hint=hint rows=rows value=value error=error optional=true/> }
            .into_any()
    }

    /// One of some choices.
    pub fn choice(&self, name: &str, label: &str, choices: &[(&str, &str)]) -> AnyView {
        let choices = choices.iter().map(|(value, label)| Choice::new(*value, *label)).collect();
        let (value, error) = (self.value(name), self.errors.of(name));
        view! { <SelectField name=name.to_owned() label=label choices=choices value=value error=error/> }.into_any()
    }

    /// A box to tick.
    pub fn tick(&self, name: &str, label: &str) -> AnyView {
        let (checked, error) = (self.fields.has(name), self.errors.of(name));
        view! { <Checkbox name=name.to_owned() label=label checked=checked error=error/> }.into_any()
    }

    /// A control within a table or a list, whose label only those need who cannot see where it stands.
    pub fn cell(&self, name: &str, label: &str, class: &str) -> AnyView {
        let (value, error) = (self.value(name), self.errors.of(name));
        let fault_id = (!error.is_empty()).then(|| format!("{name}-error"));
        let fault =
            fault_id.clone().map(|id| view! { <span class="fault" id=id><span class="visually-hidden">"Error: "</span>{error.clone()}</span> });
        view! {
            <input class=format!("input {class}") id=name.to_owned() name=name.to_owned() value=value autocomplete="off"
                aria-label=label.to_owned() aria-describedby=fault_id.clone() aria-invalid=fault_id.map(|_| "true")/>
            {fault}
        }
        .into_any()
    }

    /// A fault of something that has no control of its own.
    pub fn fault(&self, name: &str) -> Option<AnyView> {
        let error = self.errors.of(name);
        (!error.is_empty()).then(|| view! { <p class="fault" id=name.to_owned()>{error}</p> }.into_any())
    }

    /// A value that the form carries unseen.
    pub fn carry(&self, name: &str) -> AnyView {
        view! { <input r#type="hidden" name=name.to_owned() value=self.value(name)/> }.into_any()
    }
}

/// A button that changes the form and saves nothing.
pub fn change(action: &str, label: &str, about: &str) -> AnyView {
    let about = (!about.is_empty()).then(|| format!("{label}: {about}"));
    view! { <button r#type="submit" class="button small" name="do" value=action.to_owned() aria-label=about>{label.to_owned()}</button> }
        .into_any()
}

/// One part of the tariff under its own heading, with a button that takes it out.
pub fn part(id: &str, title: &str, remove: &str, body: AnyView) -> AnyView {
    let remove = (!remove.is_empty()).then(|| change(remove, "Remove", title));
    view! {
        <section class="part" id=id.to_owned()>
            <div class="part-head"><h3>{title.to_owned()}</h3>{remove}</div>
            {body}
        </section>
    }
    .into_any()
}
