//! Customers: list, CSV, show, create, edit.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use eis::access::Permission;
use eis::metering::meters;
use eis::parties::accounts;
use eis::parties::contracts::{self, At};
use eis::parties::customers::{self, CustomerFields, Filter, KINDS, Lack, Order};
use eis::parties::new_customers::{self, NewCustomer};
use eis::parties::service_points::ServicePoint;
use eis::receivables::owed::{self, Owed};
use eis::values::ids::CustomerId;
use leptos::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::contracts::place::{self, PlaceForm, where_it_is};
use super::{accounts as account_pages, agreements, contracts as contract_pages, records, view_as};
use crate::components::{
    Button, ButtonLink, Choice, Column, DataTable, DateField, EmptyState, ErrorSummary, Field, FilterBar, FilterSelect,
    Kind, PageHeader, Pagination, PostForm, SelectField, Sort, Status, SummaryList, SummaryRow, TextArea,
    changed_meanwhile,
};
use crate::format::{self, Locale};
use crate::forms::seen::{self, Shown};
use crate::forms::{FieldErrors, Reader, Typed};
use crate::messages;
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, EXPORT_ROWS, PAGE_ROWS, address, csv_file, field_errors, rows_text, turns};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client, see_other};
use crate::server::query::Query;

/// Search, filter, sorting and page of the list, all in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    status: String,
    lacks: String,
    sort: String,
    offset: i64,
}

impl ListQuery {
    fn filter(&self, today: NaiveDate) -> Filter {
        let order = match self.sort.as_str() {
            "account" => Order::Account,
            "moved_in" => Order::MovedIn,
            _ => Order::Name,
        };
        let lacks = match self.lacks.as_str() {
            "tariff" => Some(Lack::Tariff(today)),
            "meter" => Some(Lack::Meter(today)),
            _ => None,
        };
        Filter { search: self.q.trim().to_owned(), status: self.status.clone(), lacks, order, today }
    }

    fn href(&self, path: &str, sort: &str, offset: &str) -> String {
        let pairs =
            [("q", &*self.q), ("status", &self.status), ("lacks", &self.lacks), ("sort", sort), ("offset", offset)];
        address(path, &pairs)
    }
}

impl ListQuery {
    fn selects(&self) -> Vec<FilterSelect> {
        let select = |name: &str, label: &str, value: &str, choices| FilterSelect {
            name: name.into(),
            label: label.into(),
            value: value.into(),
            choices,
        };
        let statuses = vec![Choice::new("", "All"), Choice::new("active", "Active"), Choice::new("closed", "Closed")];
        let lacks = vec![Choice::new("", "Any"), Choice::new("tariff", "A tariff"), Choice::new("meter", "A meter")];
        vec![select("status", "Status", &self.status, statuses), select("lacks", "Without", &self.lacks, lacks)]
    }
}

/// `GET /clients/:client/customers`
pub async fn list(ctx: Ctx, Path(client): Path<String>, Query(query): Query<ListQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let offset = query.offset.max(0);
    let (rows, total) = customers::list(&tx, &query.filter(at.client.today()), offset, PAGE_ROWS).await?;
    drop(tx);
    let path = format!("{}/customers", at.base());
    if rows.is_empty() && offset > 0 {
        return Ok(see_other(&query.href(&path, &query.sort, "")));
    }
    let may_write = at.actor.may(Permission::ManageCustomers);
    let locale = at.locale();
    let html = page(&ctx, &at.actor, at.place(&[], ""), "Customers", move || {
        let sorted = |sort: &str, now: Sort| {
            let current = query.sort == sort || (query.sort.is_empty() && sort == "name");
            (query.href(&path, sort, ""), if current { now } else { Sort::None })
        };
        let (by_account, account) = sorted("account", Sort::Ascending);
        let (by_name, name) = sorted("name", Sort::Ascending);
        let (by_moved_in, moved_in) = sorted("moved_in", Sort::Descending);
        let columns = vec![
            Column::text("Account").sorted(by_account, account),
            Column::text("Name").sorted(by_name, name),
            Column::text("Service address"),
            Column::text("Since").sorted(by_moved_in, moved_in),
            Column::text("Status"),
        ];
        let filtered = !query.q.is_empty() || !query.status.is_empty() || !query.lacks.is_empty();
        let summary = rows_text(offset, rows.len(), total, "customers", locale);
        let [first, previous, next] = turns(offset, PAGE_ROWS, total, |to| query.href(&path, &query.sort, to));
        let shown = !rows.is_empty();
        let body = rows
            .into_iter()
            .map(|c| {
                view! {
                    <tr>
                        <th scope="row"><a href=format!("{path}/{}", c.id)>{c.account_number}</a></th>
                        <td>{c.name}</td>
                        <td>{c.service_address}</td>
                        <td class="nowrap">{c.moved_in_on.map(|day| format::date(day, locale))}</td>
                        <td><Status value=c.status/></td>
                    </tr>
                }
            })
            .collect_view();
        let new = if may_write { "New customer" } else { "" };
        view! {
            <PageHeader title="Customers" action=new href=format!("{path}/new")/>
            <FilterBar
                action=path.clone()
                search="Name, account or address"
                q=query.q.clone()
                selects=query.selects()
                hidden=vec![("sort".into(), query.sort.clone())]
                clear={if filtered { path.clone() } else { String::new() }}
                csv=query.href(&format!("{path}.csv"), &query.sort, "")
            />
            {if shown {
                view! {
                    <DataTable caption="Customers" columns=columns>{body}</DataTable>
                    <Pagination
                        summary=summary
                        first=first
                        previous=previous
                        next=next
                    />
                }.into_any()
            } else if filtered {
                view! { <EmptyState title="No customer matches" text="Try fewer words, or clear the search." action="Clear the search" href=path.clone()/> }.into_any()
            } else {
                view! { <EmptyState title="No customers yet" text="A customer is whom you supply, with a service address and an account. Add one, then its meter, and import usage." action=new href=format!("{path}/new")/> }.into_any()
            }}
        }
    })
    .await;
    Ok(html.into_response())
}

/// `GET /clients/:client/customers.csv`
pub async fn csv(ctx: Ctx, Path(client): Path<String>, Query(query): Query<ListQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let filter = query.filter(at.client.today());
    let (rows, _) = customers::list(&tx, &filter, 0, EXPORT_ROWS).await?;
    let head = [
        "account_number",
        "kind",
        "name",
        "email",
        "phone",
        "tax_number",
        "service_address",
        "billing_address",
        "status",
        "moved_in_on",
        "moved_out_on",
    ];
    let rows = rows.into_iter().map(|c| {
        let out = c.moved_out_on.map(|d| d.to_string()).unwrap_or_default();
        vec![
            c.account_number,
            c.kind,
            c.name,
            c.email,
            c.phone,
            c.tax_number,
            c.service_address,
            c.billing_address,
            c.status,
            c.moved_in_on.map(|d| d.to_string()).unwrap_or_default(),
            out,
        ]
    });
    csv_file(&format!("{}-customers", at.client.slug), &head, rows)
}

/// `GET /clients/:client/customers/:customer`
pub async fn show(ctx: Ctx, Path((client, id)): Path<(String, String)>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let customer = records::customer(&tx, &id).await?;
    let contracts = contracts::list(&tx, customer.id).await?;
    let places: Vec<_> = contracts.iter().map(|contract| contract.service_point_id).collect();
    let meters = meters::list(&tx, &places).await?;
    let tariff = agreements::load(&tx, &at, &customer, &contracts).await?;
    let accounts = accounts::list(&tx, customer.id).await?;
    let owed = owed::owed(&tx, customer.id, at.client.today()).await?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let (locale, today) = (at.locale(), at.client.today());
    let may_write = at.actor.may(Permission::ManageCustomers);
    let import =
        if at.actor.may(Permission::ImportUsage) { format!("{}/imports/new", at.base()) } else { String::new() };
    let place = at.place(&[("Customers", "customers")], &customer.name);
    let base = format!("{}/customers/{}", at.base(), customer.id);
    let (client, tariffs, currency) = (at.base(), format!("{}/tariffs", at.base()), at.client.currency.clone());
    let hidden = vec![
        ("client".to_owned(), at.client.id.to_string()),
        ("customer".to_owned(), customer.id.to_string()),
        ("page".to_owned(), base.clone()),
    ];
    let view = (at.actor.context_token(), hidden.clone());
    let log = address(&format!("{}/audit", at.base()), &[("account", &customer.account_number)]);
    let form = may_write.then(|| (at.actor.context_token(), hidden));
    let html = page(&ctx, &at.actor, place, customer.name.clone(), move || {
        let rows = vec![
            SummaryRow::new("Account number", customer.account_number),
            SummaryRow::new("E-mail address", customer.email),
            SummaryRow::new("Phone", customer.phone),
            SummaryRow::new("Tax number", customer.tax_number),
            SummaryRow::new("Billing address", if customer.billing_address.is_empty() { "The service address".into() } else { customer.billing_address }),
            SummaryRow::new("Balance", balance(&owed, &currency, locale)).action("Account statement", format!("{base}/statement")),
        ];
        let status = if contracts.iter().any(|contract| contract.is_alive(today)) { "active" } else { "closed" };
        view! {
            <PageHeader title=customer.name second={if may_write { "Edit" } else { "" }} second_href=format!("{base}/edit")>
                <Status value=status/>
            </PageHeader>
            <ErrorSummary errors=field_errors(&typed)/>
            <SummaryList rows=rows/>
            {view_as::offer(view, log)}
            {contract_pages::section(contracts, &accounts, &client, &base, today, may_write, locale)}
            {account_pages::section(accounts, &base, may_write)}
            {super::meters::section(meters, &base, &import, may_write, locale)}
            {agreements::section(tariff, typed, form, &tariffs, locale)}
        }
    })
    .await;
    Ok(html.into_response())
}

/// `€53.00 owed, €12.00 of it overdue`, `€6.01 of credit, which pays the next bill`.
fn balance(owed: &Owed, currency: &str, locale: Locale) -> String {
    let amount = |value: Decimal| format::amount(value, currency, locale);
    let overdue =
        if owed.overdue > Decimal::ZERO { format!(", {} overdue", amount(owed.overdue)) } else { String::new() };
    let kept = if owed.credit > Decimal::ZERO {
        format!(", {} of credit taken off", amount(owed.credit))
    } else {
        String::new()
    };
    if owed.amount < Decimal::ZERO {
        format!("{} of credit, which pays the next bill", amount(-owed.amount))
    } else if owed.amount.is_zero() {
        "Nothing owed".to_owned()
    } else {
        format!("{} owed{overdue}{kept}", amount(owed.amount))
    }
}

/// What was typed to make or change a customer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CustomerForm {
    kind: String,
    name: String,
    email: String,
    phone: String,
    tax_number: String,
}

/// What is typed besides for the first account and the first contract of a new one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FirstContractForm {
    account_number: String,
    billing_address: String,
    service_address: String,
    moved_in_on: String,
    moved_out_on: String,
}

impl FirstContractForm {
    /// All faults at once: of the account, the customer and the contract. Somebody may move in at one of the service points
    /// that were `found`.
    fn read(
        &self,
        customer: &CustomerForm,
        there: &PlaceForm,
        found: &[ServicePoint],
    ) -> Result<NewCustomer, FieldErrors> {
        let mut reader = Reader::default();
        let account_number = reader.identifier("account_number", &self.account_number, "an account number", 40);
        let fields = customer.read(&mut reader);
        let place = there.read(&mut reader, found, ("service_address", &self.service_address));
        let (service_address, service_point) = match place {
            At::New(address) => (address, None),
            At::Known(place) => (String::new(), Some(place)),
        };
        let billing_address = reader.optional("billing_address", &self.billing_address, 400);
        let moved_in_on = reader.date("moved_in_on", &self.moved_in_on, "the first day supplied");
        let moved_out_on = reader.optional_date("moved_out_on", &self.moved_out_on, "the first day no longer supplied");
        reader.errors.or(NewCustomer {
            account_number,
            billing_address,
            service_address,
            service_point,
            moved_in_on: moved_in_on.unwrap_or_default(),
            moved_out_on,
            fields,
        })
    }
}

impl CustomerForm {
    fn read(&self, reader: &mut Reader) -> CustomerFields {
        let kind = reader.choice("kind", &self.kind, "what kind of customer it is", &KINDS.map(|(code, _)| code));
        let name = reader.text("name", &self.name, "the customer's name", 200);
        let email = reader.email("email", &self.email);
        let phone = reader.optional("phone", &self.phone, 40);
        let tax_number = reader.optional("tax_number", &self.tax_number, 40);
        CustomerFields { kind: kind.to_owned(), name, email, phone, tax_number }
    }
}

/// `GET /clients/:client/customers/new`
pub async fn new(ctx: Ctx, Path(client): Path<String>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ManageCustomers, &client).await?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let places = place::offered(&ctx, &at.actor, &typed).await?;
    let place = at.place(&[("Customers", "customers")], "New customer");
    let list = format!("{}/customers", at.base());
    let hidden = vec![("client".to_owned(), at.client.id.to_string()), ("page".to_owned(), format!("{list}/new"))];
    let context = at.actor.context_token();
    let today = at.client.today();
    let now = CustomerFields {
        kind: "person".into(),
        name: String::new(),
        email: String::new(),
        phone: String::new(),
        tax_number: String::new(),
    };
    let html = page(&ctx, &at.actor, place, "New customer", move || {
        view! {
            <PageHeader title="New customer"/>
            {form(typed, now, Some((today, places)), &Shown::default(), "/api/create_customer", context, hidden, "Create customer", &list)}
        }
    })
    .await;
    Ok(html.into_response())
}

/// `GET /clients/:client/customers/:customer/edit`
pub async fn edit(ctx: Ctx, Path((client, id)): Path<(String, String)>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ManageCustomers, &client).await?;
    let customer = records::customer(&tx, &id).await?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let place = at.place(&[("Customers", "customers")], &customer.name);
    let back = format!("{}/customers/{}", at.base(), customer.id);
    let now = CustomerFields::from(&customer);
    let shown = shown(&now);
    let hidden = vec![
        ("client".to_owned(), at.client.id.to_string()),
        ("customer".to_owned(), customer.id.to_string()),
        ("page".to_owned(), format!("{back}/edit")),
        shown.hidden(&typed),
    ];
    let context = at.actor.context_token();
    let html = page(&ctx, &at.actor, place, format!("Edit {}", customer.name), move || {
        view! {
            <PageHeader title=format!("Edit {}", customer.name)/>
            {form(typed, now, None, &shown, "/api/update_customer", context, hidden, "Save changes", &back)}
        }
    })
    .await;
    Ok(html.into_response())
}

/// A customer as the form shows it.
fn shown(now: &CustomerFields) -> Shown {
    Shown::default()
        .choice("kind", "Kind", &now.kind, KINDS)
        .field("name", "Name", &now.name)
        .field("email", "E-mail address", &now.email)
        .field("phone", "Phone", &now.phone)
        .field("tax_number", "Tax number", &now.tax_number)
}

#[expect(clippy::too_many_arguments, reason = "a form's own parts, for a new row and for one that is edited")]
fn form(
    typed: Typed,
    now: CustomerFields,
    new: Option<(NaiveDate, Vec<ServicePoint>)>,
    shown: &Shown,
    action: &str,
    context: String,
    hidden: Vec<(String, String)>,
    label: &str,
    back: &str,
) -> impl IntoView + use<> {
    let (action, label, back) = (action.to_owned(), label.to_owned(), back.to_owned());
    let changed = changed_meanwhile(&typed, shown);
    let kinds = KINDS.map(|(code, text)| Choice::new(code, text)).to_vec();
    // A new one is typed with its first account and its first contract.
    view! {
        <ErrorSummary errors=field_errors(&typed)/>
        <PostForm action=action context=context hidden=hidden class="form">
            {new.is_some().then(|| view! {
                <Field name="account_number" label="Account number" width="w10" value=typed.value("account_number", "") error=typed.error("account_number") hint="Your own number for this account; unique within your company."/>
            })}
            <SelectField name="kind" label="Kind" choices=kinds value=typed.value("kind", now.kind) error=typed.error("kind")/>
            <Field name="name" label="Name" autocomplete="off" value=typed.value("name", now.name) error=typed.error("name")/>
            <Field name="email" label="E-mail address" kind="email" autocomplete="off" value=typed.value("email", now.email) error=typed.error("email") optional=true/>
            <Field name="phone" label="Phone" kind="tel" autocomplete="off" width="w20" value=typed.value("phone", now.phone) error=typed.error("phone") optional=true/>
            <Field name="tax_number" label="Tax number" autocomplete="off" width="w20" value=typed.value("tax_number", now.tax_number) error=typed.error("tax_number") optional=true/>
            {new.map(|(today, places)| view! {
                {where_it_is(&typed, places, "service_address")}
                <TextArea name="billing_address" label="Billing address" rows=3 hint="Leave empty when bills go to the service address." value=typed.value("billing_address", "") error=typed.error("billing_address") optional=true/>
                <DateField name="moved_in_on" label="First day supplied" value=typed.value("moved_in_on", today.to_string()) error=typed.error("moved_in_on")/>
                <DateField name="moved_out_on" label="First day no longer supplied" value=typed.value("moved_out_on", "") error=typed.error("moved_out_on") optional=true/>
            })}
            <div class="actions"><Button label=label/><ButtonLink label="Cancel" href=back kind=Kind::Secondary/></div>
            {changed}
        </PostForm>
    }
}

/// Makes a customer.
#[server(prefix = "/api", endpoint = "create_customer")]
pub(crate) async fn create_customer(
    client: String,
    #[server(flatten)] form: CustomerForm,
    #[server(flatten)] first: FirstContractForm,
    #[server(flatten)] there: PlaceForm,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageCustomers, &client)?;
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        let new = first.read(&form, &there, &there.found(&tx).await?)?;
        let made = new_customers::create(&mut tx, &new).await;
        let id = made.map_err(|refused| messages::told(refused, messages::customers::words))?;
        Done::to(format!("/clients/{at}/customers/{id}"))
            .saying("Customer created. Add a meter next.")
            .commit(&ctx, tx)
            .await
    })
    .await
}

/// Changes a customer.
#[server(prefix = "/api", endpoint = "update_customer")]
pub(crate) async fn update_customer(
    client: String,
    customer: String,
    #[server(flatten)] form: CustomerForm,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageCustomers, &client)?;
        let id: CustomerId = customer.parse().map_err(|_| AppError::NotFound)?;
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        let before = customers::locked(&mut tx, id).await?.ok_or(AppError::NotFound)?;
        let mut reader = Reader::default();
        let fields = form.read(&mut reader);
        let fields = reader.errors.or(fields)?;
        seen::unchanged(&ctx.sent, &shown(&CustomerFields::from(&before)))?;
        let changed = customers::update(&mut tx, id, &fields).await;
        changed.map_err(|refused| messages::told(refused, |never| -> (String, String) { match *never {} }))?;
        Done::to(format!("/clients/{at}/customers/{id}")).saying("Changes saved.").commit(&ctx, tx).await
    })
    .await
}
