//! The form of a contract, for a new one and for one that is changed.

use eis::parties::accounts::Account;
use eis::parties::contracts::{CYCLES, ContractFields, STATUSES};
use eis::parties::service_points::ServicePoint;
use leptos::prelude::*;

use super::place::where_it_is;
use super::{anchor, billed_from, cycle};
use crate::components::{
    Button, ButtonLink, Choice, DateField, ErrorSummary, Kind, PostForm, SelectField, changed_meanwhile,
};
use crate::forms::Typed;
use crate::forms::seen::Shown;
use crate::pages::parts::field_errors;

#[expect(clippy::too_many_arguments, reason = "a form's own parts, for a new row and for one that is edited")]
pub(super) fn form(
    typed: Typed,
    now: ContractFields,
    places: Option<Vec<ServicePoint>>,
    accounts: &[Account],
    shown: &Shown,
    [action, label]: [&str; 2],
    context: String,
    hidden: Vec<(String, String)>,
    back: &str,
) -> impl IntoView + use<> {
    let (action, label, back) = (action.to_owned(), label.to_owned(), back.to_owned());
    let ended = now.to_on.map(|day| day.to_string()).unwrap_or_default();
    let accounts: Vec<Choice> =
        accounts.iter().map(|account| Choice::new(account.id.to_string(), account.account_number.clone())).collect();
    let cycles: Vec<Choice> = CYCLES.iter().map(|months| Choice::new(months.to_string(), cycle(*months))).collect();
    let statuses = STATUSES.map(|(code, text)| Choice::new(code, text)).to_vec();
    let changed = changed_meanwhile(&typed, shown);
    let anchor = anchor(now.billing_anchor, now.from_on);
    let billed_from = billed_from(now.billing_from);
    // A new one is typed with its place.
    let place = places.map(|found| where_it_is(&typed, found, "address"));
    view! {
        <ErrorSummary errors=field_errors(&typed)/>
        <PostForm action=action context=context hidden=hidden class="form">
            {place}
            <SelectField name="account" label="Billed to" choices=accounts value=typed.value("account", now.account_id.to_string()) error=typed.error("account")/>
            <DateField name="from_on" label="First day supplied" value=typed.value("from_on", now.from_on.to_string()) error=typed.error("from_on")/>
            <DateField name="to_on" label="First day no longer supplied" hint="Who moves out on June 30 has July 1 here. Leave empty while nobody moves out." value=typed.value("to_on", ended) error=typed.error("to_on") optional=true/>
            <SelectField name="billing_cycle" label="Bills" choices=cycles value=typed.value("billing_cycle", now.billing_cycle.to_string()) error=typed.error("billing_cycle")/>
            <DateField name="billing_anchor" label="Cycle counted from" hint="The first day of any bill. Leave empty for the first day supplied." value=typed.value("billing_anchor", anchor) error=typed.error("billing_anchor") optional=true/>
            <DateField name="billing_from" label="First day billed here" hint="Days before were billed elsewhere. Leave empty where all its days are billed here." value=typed.value("billing_from", billed_from) error=typed.error("billing_from") optional=true/>
            <SelectField name="status" label="Status" choices=statuses value=typed.value("status", now.status) error=typed.error("status")/>
            <div class="actions"><Button label=label/><ButtonLink label="Cancel" href=back kind=Kind::Secondary/></div>
            {changed}
        </PostForm>
    }
}
