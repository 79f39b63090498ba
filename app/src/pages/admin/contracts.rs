//! Contracts of a customer: the section on the customer's page, make, change, end.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use eis::access::Permission;
use eis::accounts::{self, Account};
use eis::contracts::{self, At, CYCLES, Contract, ContractFields, STATUSES};
use eis::ids::{ContractId, CustomerId};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::customers;
use crate::components::{
    Button, ButtonLink, Choice, Column, DataTable, DateField, ErrorSummary, Field, Kind, PageHeader, PostForm, Section,
    SelectField, Status, TextArea, changed_meanwhile,
};
use crate::format::{self, Locale};
use crate::forms::seen::{self, Shown};
use crate::forms::{FieldErrors, Reader, Typed};
use crate::messages;
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, field_errors};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client};

/// `Every month`, `Every 3 months`.
fn cycle(months: i16) -> String {
    if months == 1 { "Every month".to_owned() } else { format!("Every {months} months") }
}

/// The contracts on the customer's page. `base` is the customer's address.
pub fn section(
    contracts: Vec<Contract>,
    accounts: &[Account],
    base: &str,
    today: NaiveDate,
    may_write: bool,
    locale: Locale,
) -> impl IntoView + use<> {
    let link = if may_write { "Make another contract" } else { "" };
    let new = format!("{base}/contracts/new");
    let number = |contract: &Contract| {
        let account = accounts.iter().find(|account| account.id == contract.account_id);
        account.map(|account| account.account_number.clone()).unwrap_or_default()
    };
    let rows = contracts
        .into_iter()
        .map(|contract| {
            let edit = format!("{base}/contracts/{}/edit", contract.id);
            let billed = number(&contract);
            let stage = contract.stage(today).code();
            let address = contract.address;
            let address =
                if may_write { view! { <a href=edit>{address}</a> }.into_any() } else { address.into_any() };
            view! {
                <tr>
                    <th scope="row">{address}</th>
                    <td class="nowrap">{format::date(contract.from_on, locale)}</td>
                    <td class="nowrap">{contract.to_on.map_or_else(|| "–".to_owned(), |to| format::date(to, locale))}</td>
                    <td>{billed}</td>
                    <td>{cycle(contract.billing_cycle)}</td>
                    <td><Status value=stage/></td>
                </tr>
            }
        })
        .collect_view();
    let columns = ["Service address", "Supplied since", "Supplied until", "Billed to", "Bills", "Status"];
    let columns = columns.into_iter().map(Column::text).collect::<Vec<_>>();
    view! {
        <Section title="Contracts" link=link href=new>
            <DataTable caption="Contracts" columns=columns>{rows}</DataTable>
        </Section>
    }
}

/// What was typed to make or change a contract.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ContractForm {
    address: String,
    place: String,
    account: String,
    from_on: String,
    to_on: String,
    billing_cycle: String,
    status: String,
}

impl ContractForm {
    fn read(&self, reader: &mut Reader) -> ContractFields {
        let account = reader.id("account", &self.account, "the account that is billed");
        let from_on = reader.date("from_on", &self.from_on, "the first day supplied");
        let to_on = reader.optional_date("to_on", &self.to_on, "the first day no longer supplied");
        let status = reader.choice("status", &self.status, "a status", &STATUSES.map(|(code, _)| code));
        let cycles = CYCLES.map(|months| months.to_string());
        let cycle = cycles.iter().find(|months| **months == self.billing_cycle).and_then(|months| months.parse().ok());
        if cycle.is_none() {
            reader.errors.add("billing_cycle", "Choose how many months a bill covers.");
        }
        ContractFields {
            account_id: account.unwrap_or_else(eis::ids::AccountId::fresh),
            from_on: from_on.unwrap_or_default(),
            to_on,
            status: status.to_owned(),
            billing_cycle: cycle.unwrap_or_default(),
        }
    }

    /// A new contract: at a service point that is there, or at a new address.
    fn read_new(&self) -> Result<(At, ContractFields), FieldErrors> {
        let mut reader = Reader::default();
        let at = if self.place.trim().is_empty() {
            At::New(reader.text("address", &self.address, "the service address", 400))
        } else {
            let place = reader.id("place", self.place.trim(), "a service point");
            At::Known(place.unwrap_or_else(eis::ids::ServicePointId::fresh))
        };
        let fields = self.read(&mut reader);
        reader.errors.or((at, fields))
    }

    fn read_changed(&self) -> Result<(String, ContractFields), FieldErrors> {
        let mut reader = Reader::default();
        let address = reader.text("address", &self.address, "the service address", 400);
        let fields = self.read(&mut reader);
        reader.errors.or((address, fields))
    }
}

/// `GET /clients/:client/customers/:customer/contracts/new`
pub async fn new(ctx: Ctx, Path((client, customer)): Path<(String, String)>) -> Result<Response, AppError> {
    let (at, mut tx) = AtClient::open(&ctx, Permission::ManageCustomers, &client).await?;
    let customer = customers::find(&mut tx, &at, &customer).await?;
    let accounts = accounts::list(&mut tx, at.client.id, customer.id).await?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let back = format!("{}/customers/{}", at.base(), customer.id);
    let crumb = format!("customers/{}", customer.id);
    let place = at.place(&[("Customers", "customers"), (&customer.name, &crumb)], "Make contract");
    let hidden = vec![
        ("client".to_owned(), at.client.id.to_string()),
        ("customer".to_owned(), customer.id.to_string()),
        ("page".to_owned(), format!("{back}/contracts/new")),
    ];
    let (context, today) = (at.actor.context_token(), at.client.today());
    let html = page(&ctx, &at.actor, place, "Make contract", move || {
        let first = accounts.iter().find(|account| account.status == "open").map(|account| account.id);
        let now = ContractFields {
            account_id: first.unwrap_or_else(eis::ids::AccountId::fresh),
            from_on: today,
            to_on: None,
            status: "agreed".to_owned(),
            billing_cycle: 1,
        };
        let words = ["/api/create_contract", "Make contract"];
        view! {
            <PageHeader title="Make contract" subtitle=customer.name/>
            {form(typed, (now, String::new()), &accounts, &Shown::default(), words, context, hidden, &back)}
        }
    })
    .await;
    Ok(html.into_response())
}

/// `GET /clients/:client/customers/:customer/contracts/:contract/edit`
pub async fn edit(
    ctx: Ctx,
    Path((client, customer, contract)): Path<(String, String, String)>,
) -> Result<Response, AppError> {
    let (at, mut tx) = AtClient::open(&ctx, Permission::ManageCustomers, &client).await?;
    let customer = customers::find(&mut tx, &at, &customer).await?;
    let id: ContractId = contract.parse().map_err(|_| AppError::NotFound)?;
    let contract = contracts::find(&mut tx, at.client.id, customer.id, id).await?.ok_or(AppError::NotFound)?;
    let accounts = accounts::list(&mut tx, at.client.id, customer.id).await?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let back = format!("{}/customers/{}", at.base(), customer.id);
    let crumb = format!("customers/{}", customer.id);
    let place = at.place(&[("Customers", "customers"), (&customer.name, &crumb)], &contract.address);
    let shown = shown(&contract);
    let hidden = vec![
        ("client".to_owned(), at.client.id.to_string()),
        ("customer".to_owned(), customer.id.to_string()),
        ("contract".to_owned(), contract.id.to_string()),
        ("page".to_owned(), format!("{back}/contracts/{}/edit", contract.id)),
        shown.hidden(&typed),
    ];
    let context = at.actor.context_token();
    let html = page(&ctx, &at.actor, place, "Edit contract", move || {
        let now = (ContractFields::from(&contract), contract.address);
        let words = ["/api/update_contract", "Save changes"];
        view! {
            <PageHeader title="Edit contract" subtitle=customer.name/>
            {form(typed, now, &accounts, &shown, words, context, hidden, &back)}
        }
    })
    .await;
    Ok(html.into_response())
}

/// A contract as the form shows it.
fn shown(now: &Contract) -> Shown {
    let ended = now.to_on.map(|day| day.to_string()).unwrap_or_default();
    Shown::default()
        .field("address", "Service address", &now.address)
        .field("account", "Billed to", now.account_id)
        .field("from_on", "First day supplied", now.from_on)
        .field("to_on", "First day no longer supplied", ended)
        .field("billing_cycle", "Bills", now.billing_cycle)
        .choice("status", "Status", &now.status, STATUSES)
}

#[expect(clippy::too_many_arguments, reason = "a form's own parts, for a new row and for one that is edited")]
fn form(
    typed: Typed,
    (now, address): (ContractFields, String),
    accounts: &[Account],
    shown: &Shown,
    [action, label]: [&str; 2],
    context: String,
    hidden: Vec<(String, String)>,
    back: &str,
) -> impl IntoView + use<> {
    let (action, label, back) = (action.to_owned(), label.to_owned(), back.to_owned());
    let new = address.is_empty();
    let ended = now.to_on.map(|day| day.to_string()).unwrap_or_default();
    let accounts: Vec<Choice> =
        accounts.iter().map(|account| Choice::new(account.id.to_string(), account.account_number.clone())).collect();
    let cycles: Vec<Choice> = CYCLES.iter().map(|months| Choice::new(months.to_string(), cycle(*months))).collect();
    let statuses = STATUSES.map(|(code, text)| Choice::new(code, text)).to_vec();
    let changed = changed_meanwhile(&typed, shown);
    let hint = if new {
        "Where the energy is used. Leave empty for a service point that is there."
    } else {
        "Of the service point, for all its contracts."
    };
    view! {
        <ErrorSummary errors=field_errors(&typed)/>
        <PostForm action=action context=context hidden=hidden class="form">
            <TextArea name="address" label="Service address" rows=3 hint=hint value=typed.value("address", address) error=typed.error("address")/>
            {new.then(|| view! {
                <Field name="place" label="Service point" autocomplete="off" hint="The id of one that is there already, where somebody moves in." value=typed.value("place", "") error=typed.error("place") optional=true/>
            })}
            <SelectField name="account" label="Billed to" choices=accounts value=typed.value("account", now.account_id.to_string()) error=typed.error("account")/>
            <DateField name="from_on" label="First day supplied" value=typed.value("from_on", now.from_on.to_string()) error=typed.error("from_on")/>
            <DateField name="to_on" label="First day no longer supplied" value=typed.value("to_on", ended) error=typed.error("to_on") optional=true/>
            <SelectField name="billing_cycle" label="Bills" choices=cycles value=typed.value("billing_cycle", now.billing_cycle.to_string()) error=typed.error("billing_cycle")/>
            <SelectField name="status" label="Status" choices=statuses value=typed.value("status", now.status) error=typed.error("status")/>
            <div class="actions"><Button label=label/><ButtonLink label="Cancel" href=back kind=Kind::Secondary/></div>
            {changed}
        </PostForm>
    }
}

/// Makes a contract of a customer.
#[server(prefix = "/api", endpoint = "create_contract")]
pub(crate) async fn create_contract(
    client: String,
    customer: String,
    #[server(flatten)] form: ContractForm,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageCustomers, &client)?;
        let customer: CustomerId = customer.parse().map_err(|_| AppError::NotFound)?;
        let (at, _) = actor.tenant()?;
        let (place, fields) = form.read_new()?;
        let mut tx = ctx.write(&actor).await?;
        let made = contracts::create(&mut tx, &actor, customer, &place, &fields).await;
        made.map_err(|refused| messages::told(refused, messages::contracts::words))?;
        Done::to(format!("/clients/{at}/customers/{customer}"))
            .saying(format!("Contract made from {}.", fields.from_on))
            .commit(&ctx, tx)
            .await
    })
    .await
}

/// Changes a contract, ends it, or has it billed otherwise.
#[server(prefix = "/api", endpoint = "update_contract")]
pub(crate) async fn update_contract(
    client: String,
    customer: String,
    contract: String,
    #[server(flatten)] form: ContractForm,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageCustomers, &client)?;
        let customer: CustomerId = customer.parse().map_err(|_| AppError::NotFound)?;
        let id: ContractId = contract.parse().map_err(|_| AppError::NotFound)?;
        let (at, organization) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        // The customer first, as the command does: two who change its contracts follow each other.
        eis::customers::locked(&mut tx, organization, at, customer).await?.ok_or(AppError::NotFound)?;
        let before = contracts::locked(&mut tx, at, customer, id).await?.ok_or(AppError::NotFound)?;
        let (address, fields) = form.read_changed()?;
        seen::unchanged(&ctx.sent, &shown(&before))?;
        let changed = contracts::update(&mut tx, &actor, customer, id, &fields, &address).await;
        changed.map_err(|refused| messages::told(refused, messages::contracts::words))?;
        Done::to(format!("/clients/{at}/customers/{customer}")).saying("Changes saved.").commit(&ctx, tx).await
    })
    .await
}
