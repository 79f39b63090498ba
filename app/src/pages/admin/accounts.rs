//! Accounts of a customer: the section on the customer's page, open, edit, close.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use eis::access::Permission;
use eis::parties::accounts::{self, Account, AccountFields, DELIVERIES};
use eis::values::ids::{AccountId, CustomerId};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::records;
use crate::components::{
    Button, ButtonLink, Checkbox, Choice, Column, DataTable, ErrorSummary, Field, Kind, PageHeader, PostForm, Section,
    SelectField, Status, TextArea, changed_meanwhile,
};
use crate::format::Locale;
use crate::forms::seen::{self, Shown};
use crate::forms::{FieldErrors, Reader, Typed};
use crate::messages;
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, field_errors};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client};

/// The accounts on the customer's page. `base` is the customer's address.
pub fn section(accounts: Vec<Account>, base: &str, may_write: bool) -> impl IntoView + use<> {
    let link = if may_write { "Open another account" } else { "" };
    let new = format!("{base}/accounts/new");
    let base = base.to_owned();
    let rows = accounts
        .into_iter()
        .map(|account| {
            let edit = format!("{base}/accounts/{}/edit", account.id);
            let number = account.account_number;
            let number = if may_write { view! { <a href=edit>{number}</a> }.into_any() } else { number.into_any() };
            let delivery = label(&DELIVERIES, &account.delivery);
            let address =
                if account.billing_address.is_empty() { "The service address".into() } else { account.billing_address };
            view! {
                <tr>
                    <th scope="row">{number}</th>
                    <td>{address}</td>
                    <td>{delivery}</td>
                    <td>{if account.is_main { "Yes" } else { "" }}</td>
                    <td><Status value=account.status/></td>
                </tr>
            }
        })
        .collect_view();
    let columns = ["Account", "Billing address", "Bills go out", "Supply is billed here", "Status"];
    let columns = columns.into_iter().map(Column::text).collect::<Vec<_>>();
    view! {
        <Section title="Accounts" link=link href=new>
            <DataTable caption="Accounts" columns=columns>{rows}</DataTable>
        </Section>
    }
}

/// What people read for a code; the code itself where none is known.
fn label(choices: &[(&'static str, &'static str)], code: &str) -> String {
    choices.iter().find(|(known, _)| *known == code).map_or_else(|| code.to_owned(), |(_, label)| (*label).to_owned())
}

/// The statuses of an account.
const STATUSES: [(&str, &str); 2] = [("open", "Open"), ("closed", "Closed")];

/// What was typed to open or change an account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountForm {
    account_number: String,
    billing_address: String,
    delivery: String,
    language: String,
    payment_terms_days: String,
    collective: String,
    status: String,
}

impl AccountForm {
    fn read(&self) -> Result<AccountFields, FieldErrors> {
        let mut reader = Reader::default();
        let account_number = reader.identifier("account_number", &self.account_number, "an account number", 40);
        let billing_address = reader.optional("billing_address", &self.billing_address, 400);
        let delivery = reader.choice("delivery", &self.delivery, "how bills go out", &DELIVERIES.map(|(code, _)| code));
        let language = match self.language.as_str() {
            "" => "",
            typed => reader.choice("language", typed, "a language", &Locale::ALL.map(Locale::tag)),
        };
        let terms = self.payment_terms_days.trim();
        let payment_terms_days = if terms.is_empty() { None } else { terms.parse().ok() };
        if !terms.is_empty() && payment_terms_days.is_none() {
            reader.errors.add("payment_terms_days", "Enter a number of days, or leave it empty.");
        }
        let status = reader.choice("status", &self.status, "a status", &STATUSES.map(|(code, _)| code));
        reader.errors.or(AccountFields {
            account_number,
            billing_address,
            delivery: delivery.to_owned(),
            language: language.to_owned(),
            payment_terms_days,
            collective: !self.collective.is_empty(),
            status: status.to_owned(),
        })
    }
}

/// `GET /clients/:client/customers/:customer/accounts/new`
pub async fn new(ctx: Ctx, Path((client, customer)): Path<(String, String)>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ManageCustomers, &client).await?;
    let customer = records::customer(&tx, &customer).await?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let back = format!("{}/customers/{}", at.base(), customer.id);
    let crumb = format!("customers/{}", customer.id);
    let place = at.place(&[("Customers", "customers"), (&customer.name, &crumb)], "Open account");
    let hidden = vec![
        ("client".to_owned(), at.client.id.to_string()),
        ("customer".to_owned(), customer.id.to_string()),
        ("page".to_owned(), format!("{back}/accounts/new")),
    ];
    let context = at.actor.context_token();
    let html = page(&ctx, &at.actor, place, "Open account", move || {
        let now = AccountFields::opened("", "");
        view! {
            <PageHeader title="Open account" subtitle=customer.name/>
            {form(typed, now, &Shown::default(), "/api/create_account", context, hidden, "Open account", &back)}
        }
    })
    .await;
    Ok(html.into_response())
}

/// `GET /clients/:client/customers/:customer/accounts/:account/edit`
pub async fn edit(
    ctx: Ctx,
    Path((client, customer, account)): Path<(String, String, String)>,
) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ManageCustomers, &client).await?;
    let customer = records::customer(&tx, &customer).await?;
    let id: AccountId = account.parse().map_err(|_| AppError::NotFound)?;
    let account = accounts::find(&tx, customer.id, id).await?.ok_or(AppError::NotFound)?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let back = format!("{}/customers/{}", at.base(), customer.id);
    let crumb = format!("customers/{}", customer.id);
    let place = at.place(&[("Customers", "customers"), (&customer.name, &crumb)], &account.account_number);
    let now = AccountFields::from(&account);
    let shown = shown(&now);
    let hidden = vec![
        ("client".to_owned(), at.client.id.to_string()),
        ("customer".to_owned(), customer.id.to_string()),
        ("account".to_owned(), account.id.to_string()),
        ("page".to_owned(), format!("{back}/accounts/{}/edit", account.id)),
        shown.hidden(&typed),
    ];
    let context = at.actor.context_token();
    let title = format!("Edit account {}", account.account_number);
    let html = page(&ctx, &at.actor, place, title.clone(), move || {
        view! {
            <PageHeader title=title subtitle=customer.name/>
            {form(typed, now, &shown, "/api/update_account", context, hidden, "Save changes", &back)}
        }
    })
    .await;
    Ok(html.into_response())
}

/// How the form writes days to pay.
fn terms(now: &AccountFields) -> String {
    now.payment_terms_days.map(|days| days.to_string()).unwrap_or_default()
}

/// An account as the form shows it.
fn shown(now: &AccountFields) -> Shown {
    let languages = Locale::ALL.map(|locale| (locale.tag(), locale.label()));
    Shown::default()
        .field("account_number", "Account number", &now.account_number)
        .field("billing_address", "Billing address", &now.billing_address)
        .choice("delivery", "Bills go out", &now.delivery, DELIVERIES)
        .choice("language", "Language", &now.language, languages)
        .field("payment_terms_days", "Days to pay", terms(now))
        .tick("collective", "One bill for all contracts", now.collective)
        .choice("status", "Status", &now.status, STATUSES)
}

#[expect(clippy::too_many_arguments, reason = "a form's own parts, for a new row and for one that is edited")]
fn form(
    typed: Typed,
    now: AccountFields,
    shown: &Shown,
    action: &str,
    context: String,
    hidden: Vec<(String, String)>,
    label: &str,
    back: &str,
) -> impl IntoView + use<> {
    let (action, label, back) = (action.to_owned(), label.to_owned(), back.to_owned());
    let deliveries = DELIVERIES.map(|(code, text)| Choice::new(code, text)).to_vec();
    let languages = std::iter::once(Choice::new("", "As your company writes"))
        .chain(Locale::ALL.iter().map(|locale| Choice::new(locale.tag(), locale.label())))
        .collect::<Vec<_>>();
    let statuses = STATUSES.map(|(code, text)| Choice::new(code, text)).to_vec();
    let terms = terms(&now);
    let collective = typed.ticked("collective", now.collective);
    let changed = changed_meanwhile(&typed, shown);
    view! {
        <ErrorSummary errors=field_errors(&typed)/>
        <PostForm action=action context=context hidden=hidden class="form">
            <Field name="account_number" label="Account number" width="w10" value=typed.value("account_number", now.account_number) error=typed.error("account_number") hint="Your own number for this account; unique within your company."/>
            <TextArea name="billing_address" label="Billing address" rows=3 hint="Leave empty when bills go to the service address." value=typed.value("billing_address", now.billing_address) error=typed.error("billing_address") optional=true/>
            <SelectField name="delivery" label="Bills go out" choices=deliveries value=typed.value("delivery", now.delivery) error=typed.error("delivery")/>
            <SelectField name="language" label="Language" choices=languages value=typed.value("language", now.language) error=typed.error("language")/>
            <Field name="payment_terms_days" label="Days to pay" inputmode="numeric" width="w10" hint="From the day of issue. Leave empty for your company's own." value=typed.value("payment_terms_days", terms) error=typed.error("payment_terms_days") optional=true/>
            <Checkbox name="collective" label="One bill for all contracts that are due together" hint="As landlords want it. Each contract is a part of the bill." checked=collective error=typed.error("collective")/>
            <SelectField name="status" label="Status" choices=statuses value=typed.value("status", now.status) error=typed.error("status")/>
            <div class="actions"><Button label=label/><ButtonLink label="Cancel" href=back kind=Kind::Secondary/></div>
            {changed}
        </PostForm>
    }
}

/// Opens an account for a customer.
#[server(prefix = "/api", endpoint = "create_account")]
pub(crate) async fn create_account(
    client: String,
    customer: String,
    #[server(flatten)] form: AccountForm,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageCustomers, &client)?;
        let customer: CustomerId = customer.parse().map_err(|_| AppError::NotFound)?;
        let (at, _) = actor.tenant()?;
        let fields = form.read()?;
        let mut tx = ctx.write(&actor).await?;
        let made = accounts::create(&mut tx, customer, &fields).await;
        made.map_err(|refused| messages::told(refused, messages::accounts::words))?;
        Done::to(format!("/clients/{at}/customers/{customer}"))
            .saying(format!("Account {} opened.", fields.account_number))
            .commit(&ctx, tx)
            .await
    })
    .await
}

/// Changes an account, closes it or opens it again.
#[server(prefix = "/api", endpoint = "update_account")]
pub(crate) async fn update_account(
    client: String,
    customer: String,
    account: String,
    #[server(flatten)] form: AccountForm,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageCustomers, &client)?;
        let customer: CustomerId = customer.parse().map_err(|_| AppError::NotFound)?;
        let id: AccountId = account.parse().map_err(|_| AppError::NotFound)?;
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        // The customer first, as the command does: two who change its accounts follow each other.
        eis::parties::customers::locked(&mut tx, customer).await?.ok_or(AppError::NotFound)?;
        let before = accounts::locked(&mut tx, customer, id).await?.ok_or(AppError::NotFound)?;
        let fields = form.read()?;
        seen::unchanged(&ctx.sent, &shown(&AccountFields::from(&before)))?;
        let changed = accounts::update(&mut tx, customer, id, &fields).await;
        changed.map_err(|refused| messages::told(refused, messages::accounts::words))?;
        Done::to(format!("/clients/{at}/customers/{customer}")).saying("Changes saved.").commit(&ctx, tx).await
    })
    .await
}
