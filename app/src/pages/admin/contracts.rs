//! Contracts of a customer: the section on the customer's page, make, change, end.

mod billed;
mod fields;
pub mod place;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use eis::access::Permission;
use eis::billing;
use eis::db::Tenant;
use eis::parties::accounts::{self, Account};
use eis::parties::contracts::{self, At, CYCLES, Contract, ContractFields, STATUSES};
use eis::parties::service_points::ServicePoint;
use eis::values::ids::{AccountId, ContractId, CustomerId};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use self::fields::form;
use self::place::PlaceForm;
use super::records;
use crate::components::{Choice, Column, DataTable, PageHeader, Section, Status, SummaryList, SummaryRow};
use crate::format::{self, Locale};
use crate::forms::seen::{self, Shown};
use crate::forms::{FieldErrors, Reader};
use crate::messages;
use crate::pages::frame::page;
use crate::pages::parts::AtClient;
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client};

/// `Every month`, `Every 3 months`.
fn cycle(months: i16) -> String {
    if months == 1 { "Every month".to_owned() } else { format!("Every {months} months") }
}

/// A customer's contracts but those withdrawn, the latest first: where meters stand and tariffs are agreed.
///
/// # Errors
/// When the database fails.
pub(super) async fn standing(tx: &Tenant, customer: CustomerId) -> Result<Vec<Contract>, AppError> {
    let mut contracts = contracts::list(tx, customer).await?;
    contracts.retain(|contract| contract.status != "withdrawn");
    Ok(contracts)
}

/// A customer's contracts to choose from; `first` is read while none is chosen.
pub(super) fn choices(contracts: &[Contract], first: &str, locale: Locale) -> Vec<Choice> {
    let one = |contract: &Contract| {
        let label = format!("{}, from {}", contract.address, format::date(contract.from_on, locale));
        Choice::new(contract.id.to_string(), label)
    };
    std::iter::once(Choice::new("", first)).chain(contracts.iter().map(one)).collect()
}

/// The contract that was chosen; of a customer with one alone, that one.
///
/// # Errors
/// The fault, where one is to be chosen or to be made first.
pub(super) fn one_of<'c>(contracts: &'c [Contract], chosen: &str) -> Result<&'c Contract, FieldErrors> {
    let (found, otherwise) = match (contracts, chosen) {
        ([], _) => (None, "Make a contract of this customer first."),
        ([only], "") => (Some(only), ""),
        (all, chosen) => (all.iter().find(|one| one.id.to_string() == chosen), "Choose a contract."),
    };
    found.ok_or_else(|| FieldErrors::one("contract", otherwise))
}

/// The last day of a contract; empty while it has no end.
fn last_day(contract: &Contract, locale: Locale) -> String {
    let last = contract.to_on.map(|to| to.pred_opt().unwrap_or(to));
    last.map_or_else(|| "–".to_owned(), |last| format::date(last, locale))
}

/// The contracts on the customer's page. `client` is the client's address, `base` the customer's.
pub fn section(
    contracts: Vec<Contract>,
    accounts: &[Account],
    client: &str,
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
    let none = contracts.is_empty();
    let rows = contracts
        .into_iter()
        .map(|contract| {
            let href = if may_write {
                format!("{base}/contracts/{}/edit", contract.id)
            } else {
                format!("{client}/service-points/{}", contract.service_point_id)
            };
            let (billed, last) = (number(&contract), last_day(&contract, locale));
            let stage = contract.stage(today).code();
            view! {
                <tr>
                    <th scope="row"><a href=href>{contract.address}</a></th>
                    <td class="nowrap">{format::date(contract.from_on, locale)}</td>
                    <td class="nowrap">{last}</td>
                    <td>{billed}</td>
                    <td>{cycle(contract.billing_cycle)}</td>
                    <td><Status value=stage/></td>
                </tr>
            }
        })
        .collect_view();
    let columns = ["Service address", "Supplied since", "Last day", "Billed to", "Bills", "Status"];
    let columns = columns.into_iter().map(Column::text).collect::<Vec<_>>();
    view! {
        <Section title="Contracts" link=link href=new>
            {if none {
                view! { <p>"No contract yet. Meters, tariffs and bills belong to one."</p> }.into_any()
            } else {
                view! { <DataTable caption="Contracts" columns=columns>{rows}</DataTable> }.into_any()
            }}
        </Section>
    }
}

/// What was typed to make or change a contract.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ContractForm {
    address: String,
    #[serde(flatten)]
    there: PlaceForm,
    account: String,
    from_on: String,
    to_on: String,
    billing_cycle: String,
    billing_anchor: String,
    billing_from: String,
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
        let anchor = reader.optional_date("billing_anchor", &self.billing_anchor, "the day the cycle is counted from");
        let billing_from = reader.optional_date("billing_from", &self.billing_from, "the first day billed here");
        ContractFields {
            account_id: account.unwrap_or_else(AccountId::fresh),
            from_on: from_on.unwrap_or_default(),
            to_on,
            status: status.to_owned(),
            billing_cycle: cycle.unwrap_or_default(),
            billing_anchor: anchor.or(from_on).unwrap_or_default(),
            billing_from,
        }
    }

    /// A new contract: at one of the service points that were found, or at a new address.
    fn read_new(&self, found: &[ServicePoint]) -> Result<(At, ContractFields), FieldErrors> {
        let mut reader = Reader::default();
        let at = self.there.read(&mut reader, found, ("address", &self.address));
        let fields = self.read(&mut reader);
        reader.errors.or((at, fields))
    }

    fn read_changed(&self) -> Result<ContractFields, FieldErrors> {
        let mut reader = Reader::default();
        let fields = self.read(&mut reader);
        reader.errors.or(fields)
    }
}

/// `GET /clients/:client/customers/:customer/contracts/new`
pub async fn new(ctx: Ctx, Path((client, customer)): Path<(String, String)>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ManageCustomers, &client).await?;
    let customer = records::customer(&tx, &customer).await?;
    let accounts = accounts::list(&tx, customer.id).await?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let places = place::offered(&ctx, &at.actor, &typed).await?;
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
            account_id: first.unwrap_or_else(AccountId::fresh),
            from_on: today,
            to_on: None,
            status: "agreed".to_owned(),
            billing_cycle: 1,
            billing_anchor: today,
            billing_from: None,
        };
        let words = ["/api/create_contract", "Make contract"];
        view! {
            <PageHeader title="Make contract" subtitle=customer.name/>
            {form(typed, now, Some(places), &accounts, &Shown::default(), words, context, hidden, &back)}
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
    let (at, tx) = AtClient::open(&ctx, Permission::ManageCustomers, &client).await?;
    let customer = records::customer(&tx, &customer).await?;
    let id: ContractId = contract.parse().map_err(|_| AppError::NotFound)?;
    let contract = contracts::find(&tx, customer.id, id).await?.ok_or(AppError::NotFound)?;
    let accounts = accounts::list(&tx, customer.id).await?;
    let periods = billing::of_contract(&tx, id, billed::SHOWN).await?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let (client, locale) = (at.base(), at.locale());
    let back = format!("{client}/customers/{}", customer.id);
    let crumb = format!("customers/{}", customer.id);
    let place = at.place(&[("Customers", "customers"), (&customer.name, &crumb)], &contract.address);
    let shown = shown(&contract, &accounts);
    let hidden = vec![
        ("client".to_owned(), at.client.id.to_string()),
        ("customer".to_owned(), customer.id.to_string()),
        ("contract".to_owned(), contract.id.to_string()),
        ("page".to_owned(), format!("{back}/contracts/{}/edit", contract.id)),
        shown.hidden(&typed),
    ];
    let context = at.actor.context_token();
    let there = format!("{}/service-points/{}", at.base(), contract.service_point_id);
    let html = page(&ctx, &at.actor, place, "Edit contract", move || {
        let now = ContractFields::from(&contract);
        let words = ["/api/update_contract", "Save changes"];
        let rows = vec![SummaryRow::view("Service point", view! { <a href=there>{contract.address}</a> })];
        view! {
            <PageHeader title="Edit contract" subtitle=customer.name/>
            <div class="stack">
                <SummaryList rows=rows/>
                {form(typed, now, None, &accounts, &shown, words, context, hidden, &back)}
                {billed::section(&periods, &client, locale)}
            </div>
        }
    })
    .await;
    Ok(html.into_response())
}

/// How the form writes the day from which the cycle is counted. It stays empty where that is the first day: a new first day
/// then moves it too.
fn anchor(day: NaiveDate, from: NaiveDate) -> String {
    if day == from { String::new() } else { day.to_string() }
}

/// How the form writes the first day billed here.
fn billed_from(day: Option<NaiveDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

/// A contract as the form shows it.
fn shown(now: &Contract, accounts: &[Account]) -> Shown {
    let ended = now.to_on.map(|day| day.to_string()).unwrap_or_default();
    let accounts: Vec<(String, &str)> =
        accounts.iter().map(|account| (account.id.to_string(), account.account_number.as_str())).collect();
    let cycles = CYCLES.map(|months| (months.to_string(), cycle(months)));
    Shown::default()
        .choice("account", "Billed to", now.account_id, accounts.iter().map(|(id, number)| (id.as_str(), *number)))
        .field("from_on", "First day supplied", now.from_on)
        .field("to_on", "First day no longer supplied", ended)
        .choice("billing_cycle", "Bills", now.billing_cycle, cycles.iter().map(|(code, text)| (&**code, &**text)))
        .field("billing_anchor", "Cycle counted from", anchor(now.billing_anchor, now.from_on))
        .field("billing_from", "First day billed here", billed_from(now.billing_from))
        .choice("status", "Status", &now.status, STATUSES)
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
        let mut tx = ctx.write(&actor).await?;
        let found = form.there.found(&tx).await?;
        let (place, fields) = form.read_new(&found)?;
        let made = contracts::create(&mut tx, customer, &place, &fields).await;
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
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        // As the command does: two who change its contracts follow each other.
        let (_, before) = contracts::held(&mut tx, customer, id).await?.ok_or(AppError::NotFound)?;
        let accounts = accounts::list(&tx, customer).await?;
        let fields = form.read_changed()?;
        seen::unchanged(&ctx.sent, &shown(&before, &accounts))?;
        let changed = contracts::update(&mut tx, customer, id, &fields).await;
        changed.map_err(|refused| messages::told(refused, messages::contracts::words))?;
        Done::to(format!("/clients/{at}/customers/{customer}")).saying("Changes saved.").commit(&ctx, tx).await
    })
    .await
}
