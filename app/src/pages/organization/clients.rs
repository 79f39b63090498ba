//! The clients of an organization: list, CSV, create, edit.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use eis::access::Permission;
use eis::db::Tenant;
use eis::parties::clients::{self, CURRENCIES, Client, ClientFields};
use eis::parties::organizations::Organization;
use eis::values::figures::Unit;
use eis::values::identifiers;
use eis::values::ids::ClientId;
use leptos::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::components::{
    Button, ButtonLink, Choice, Column, DataTable, EmptyState, ErrorSummary, Field, FilterBar, Kind, PageHeader,
    Pagination, PostForm, SelectField, Status, TextArea, changed_meanwhile,
};
use crate::format::{self, Locale};
use crate::forms::seen::{self, Shown};
use crate::forms::{FieldErrors, Figure, Reader, Typed};
use crate::messages::clients as messages;
use crate::pages::frame::page;
use crate::pages::parts::{address, csv_file, field_errors, rows_text};
use crate::pages::scope::{Scope, open};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require};
use crate::server::query::Query;

const PATH: &str = "/organization/clients";

/// Search of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
}

impl ListQuery {
    /// An organization has few clients: they are all read, and searched here.
    fn keep(&self, rows: Vec<Client>) -> Vec<Client> {
        let words = self.q.trim().to_lowercase();
        let names = |row: &Client| format!("{} {} {}", row.name, row.legal_name, row.slug).to_lowercase();
        rows.into_iter().filter(|row| names(row).contains(&words)).collect()
    }
}

/// `GET /organization/clients`
pub async fn list(ctx: Ctx, Query(query): Query<ListQuery>) -> Result<Response, AppError> {
    let (scope, mut tx) = Scope::organization(&ctx, Permission::ViewOrganization).await?;
    let rows = query.keep(clients::list(&mut tx).await?);
    drop(tx);
    let locale = scope.locale();
    let may_write = scope.actor.may(Permission::ManageClients);
    let html = page(&ctx, &scope.actor, scope.place(&[], ""), "Clients", move || {
        let filtered = !query.q.is_empty();
        let shown = rows.len();
        let total = i64::try_from(shown).unwrap_or_default();
        let body = rows
            .into_iter()
            .map(|row| {
                let edit = format!("{PATH}/{}/edit", row.id);
                view! {
                    <tr>
                        <th scope="row"><a href=format!("/clients/{}", row.id)>{row.name.clone()}</a></th>
                        <td>{row.legal_name}</td>
                        <td>{row.invoice_series}</td>
                        <td>{row.currency}</td>
                        <td>{row.time_zone}</td>
                        <td><Status value=row.status/></td>
                        {may_write.then(|| view! { <td><a href=edit>"Edit" <span class="visually-hidden">" " {row.name}</span></a></td> })}
                    </tr>
                }
            })
            .collect_view();
        let mut columns: Vec<Column> =
            ["Client", "Legal name", "Series", "Currency", "Time zone", "Status"].map(Column::text).into();
        if may_write {
            columns.push(Column::text("Change"));
        }
        let new = if may_write { "New client" } else { "" };
        view! {
            <PageHeader title="Clients" action=new href=format!("{PATH}/new")/>
            <FilterBar action=PATH search="Name" q=query.q.clone() clear={if filtered { PATH } else { "" }} csv=address("/organization/clients.csv", &[("q", &query.q)])/>
            {if shown > 0 {
                view! {
                    <DataTable caption="Clients" columns=columns>{body}</DataTable>
                    <Pagination summary=rows_text(0, shown, total, "clients", locale)/>
                }.into_any()
            } else if filtered {
                view! { <EmptyState title="No client matches" text="Try fewer letters, or clear the search." action="Clear the search" href=PATH/> }.into_any()
            } else {
                view! { <EmptyState title="No clients yet" text="A client is an energy company with its own brand, tariffs, invoices and currency." action=new href=format!("{PATH}/new")/> }.into_any()
            }}
        }
    })
    .await;
    Ok(html.into_response())
}

/// `GET /organization/clients.csv`
pub async fn csv(ctx: Ctx, Query(query): Query<ListQuery>) -> Result<Response, AppError> {
    let (scope, mut tx) = Scope::organization(&ctx, Permission::ViewOrganization).await?;
    let rows = query.keep(clients::list(&mut tx).await?);
    let head = [
        "name",
        "short_name",
        "legal_name",
        "address",
        "tax_number",
        "invoice_series",
        "currency",
        "time_zone",
        "locale",
        "tax_name",
        "tax_rate",
        "payment_terms_days",
        "status",
    ];
    let rows = rows.into_iter().map(|c| {
        vec![
            c.name,
            c.slug,
            c.legal_name,
            c.address,
            c.tax_number,
            c.invoice_series,
            c.currency,
            c.time_zone,
            c.locale,
            c.tax_name,
            c.tax_rate.to_string(),
            c.payment_terms_days.to_string(),
            c.status,
        ]
    });
    csv_file(&format!("{}-clients", scope.organization.slug), &head, rows)
}

/// What was typed to make or change a client.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientForm {
    name: String,
    legal_name: String,
    slug: String,
    address: String,
    tax_number: String,
    invoice_series: String,
    currency: String,
    time_zone: String,
    locale: String,
    tax_name: String,
    tax_percent: String,
    payment_terms_days: String,
}

impl ClientForm {
    fn read(&self, written: Locale) -> Result<ClientFields, FieldErrors> {
        let mut reader = Reader::default();
        let name = reader.text("name", &self.name, "the client's name", 200);
        let legal_name = reader.text("legal_name", &self.legal_name, "the name in law", 200);
        let slug = identifiers::canonical(&self.slug).trim().to_owned();
        let address = reader.optional("address", &self.address, 400);
        let tax_number = reader.optional("tax_number", &self.tax_number, 60);
        let invoice_series = identifiers::canonical(&self.invoice_series).to_uppercase().trim().to_owned();
        let tax_name = reader.text("tax_name", &self.tax_name, "what the tax is called", 40);
        let (least, most) = (Decimal::ZERO, Decimal::new(9999, 2));
        let asked = Figure { what: "the tax", unit: Unit::Percent, least, most, places: 2 };
        let percent = reader.figure("tax_percent", &self.tax_percent, written, asked);
        let fields = ClientFields {
            slug,
            name,
            legal_name,
            address,
            tax_number,
            currency: self.currency.clone(),
            time_zone: self.time_zone.trim().to_owned(),
            locale: self.locale.clone(),
            invoice_series,
            tax_name,
            tax_rate: percent.unwrap_or_default() / Decimal::ONE_HUNDRED,
            // What is no whole number lies outside the bounds, too.
            payment_terms_days: self.payment_terms_days.trim().parse().unwrap_or(-1),
        };
        messages::tell(&mut reader.errors, &fields.violations());
        reader.errors.or(fields)
    }
}

/// `GET /organization/clients/new`
pub async fn new(ctx: Ctx) -> Result<Response, AppError> {
    let (scope, tx) = Scope::organization(&ctx, Permission::ManageClients).await?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let place = scope.place(&[("Clients", "clients")], "New client");
    let hidden = vec![("page".to_owned(), format!("{PATH}/new"))];
    let (context, written) = (scope.actor.context_token(), scope.locale());
    let now = defaults(&scope.organization);
    let html = page(&ctx, &scope.actor, place, "New client", move || {
        view! {
            <PageHeader title="New client"/>
            {form(&typed, now, &Shown::default(), ("/api/create_client", "Create client"), context, hidden, written)}
        }
    })
    .await;
    Ok(html.into_response())
}

fn defaults(organization: &Organization) -> ClientFields {
    ClientFields {
        slug: String::new(),
        name: String::new(),
        legal_name: String::new(),
        address: String::new(),
        tax_number: String::new(),
        currency: organization.currency.clone(),
        time_zone: organization.time_zone.clone(),
        locale: organization.locale.clone(),
        invoice_series: String::new(),
        tax_name: "Tax".to_owned(),
        tax_rate: Decimal::ZERO,
        payment_terms_days: 14,
    }
}

/// `GET /organization/clients/:client/edit`
pub async fn edit(ctx: Ctx, Path(id): Path<String>) -> Result<Response, AppError> {
    let (scope, tx) = Scope::organization(&ctx, Permission::ManageClients).await?;
    let id: ClientId = id.parse().map_err(|_| AppError::NotFound)?;
    let client = clients::find(&tx, scope.actor.open_organization()?, id).await?.ok_or(AppError::NotFound)?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let title = format!("Edit {}", client.name);
    let place = scope.place(&[("Clients", "clients")], &client.name);
    let now = ClientFields::from(&client);
    let shown = shown(&now, scope.locale());
    let page_of = ("page".to_owned(), format!("{PATH}/{id}/edit"));
    let hidden = vec![("client".to_owned(), id.to_string()), page_of, shown.hidden(&typed)];
    let (context, written) = (scope.actor.context_token(), scope.locale());
    let html = page(&ctx, &scope.actor, place, title.clone(), move || {
        view! {
            <PageHeader title=title/>
            {form(&typed, now, &shown, ("/api/update_client", "Save changes"), context, hidden, written)}
        }
    })
    .await;
    Ok(html.into_response())
}

/// A client as the form shows it.
fn shown(now: &ClientFields, written: Locale) -> Shown {
    Shown::default()
        .field("name", "Name", &now.name)
        .field("legal_name", "Legal name", &now.legal_name)
        .field("slug", "Short name", &now.slug)
        .field("address", "Postal address", &now.address)
        .field("tax_number", "Tax number", &now.tax_number)
        .field("invoice_series", "Invoice series", &now.invoice_series)
        .field("currency", "Currency", &now.currency)
        .field("time_zone", "Time zone", &now.time_zone)
        .choice("locale", "Numbers and dates", &now.locale, Locale::ALL.map(|locale| (locale.tag(), locale.label())))
        .field("tax_name", "Name of the tax", &now.tax_name)
        .field("tax_percent", "Tax in percent", format::field(now.tax_rate * Decimal::ONE_HUNDRED, written))
        .field("payment_terms_days", "Payment terms in days", now.payment_terms_days)
}

fn form(
    typed: &Typed,
    now: ClientFields,
    shown: &Shown,
    (action, label): (&str, &str),
    context: String,
    hidden: Vec<(String, String)>,
    written: Locale,
) -> impl IntoView + use<> {
    let (action, label, typed) = (action.to_owned(), label.to_owned(), typed.clone());
    let currencies = CURRENCIES.iter().map(|code| Choice::new(*code, *code)).collect::<Vec<_>>();
    let locales = Locale::ALL.iter().map(|locale| Choice::new(locale.tag(), locale.label())).collect::<Vec<_>>();
    let percent = format::field(now.tax_rate * Decimal::ONE_HUNDRED, written);
    let changed = changed_meanwhile(&typed, shown);
    view! {
        <ErrorSummary errors=field_errors(&typed)/>
        <PostForm action=action context=context hidden=hidden class="form">
            <Field name="name" label="Name" autocomplete="off" hint="The brand, as customers know it." value=typed.value("name", now.name) error=typed.error("name")/>
            <Field name="legal_name" label="Legal name" autocomplete="off" hint="Stands on invoices." value=typed.value("legal_name", now.legal_name) error=typed.error("legal_name")/>
            <Field name="slug" label="Short name" autocomplete="off" width="w20" hint="For the names of files: small letters, digits, hyphens." value=typed.value("slug", now.slug) error=typed.error("slug")/>
            <TextArea name="address" label="Postal address" rows=3 value=typed.value("address", now.address) error=typed.error("address") optional=true/>
            <Field name="tax_number" label="Tax number" autocomplete="off" width="w20" value=typed.value("tax_number", now.tax_number) error=typed.error("tax_number") optional=true/>
            <Field name="invoice_series" label="Invoice series" autocomplete="off" width="w10" hint="What invoice numbers begin with: capital letters, digits, hyphens." value=typed.value("invoice_series", now.invoice_series) error=typed.error("invoice_series")/>
            <SelectField name="currency" label="Currency" choices=currencies value=typed.value("currency", now.currency) error=typed.error("currency")/>
            <Field name="time_zone" label="Time zone" autocomplete="off" width="w20" hint="Of the IANA list, like America/New_York." value=typed.value("time_zone", now.time_zone) error=typed.error("time_zone")/>
            <SelectField name="locale" label="Numbers and dates" hint="How amounts and dates are written for this client and its customers." choices=locales value=typed.value("locale", now.locale) error=typed.error("locale")/>
            <Field name="tax_name" label="Name of the tax" autocomplete="off" width="w10" value=typed.value("tax_name", now.tax_name) error=typed.error("tax_name")/>
            <Field name="tax_percent" label="Tax" inputmode="decimal" width="w4" unit="%" hint="Applies where a tariff names no tax of its own." value=typed.value("tax_percent", percent) error=typed.error("tax_percent")/>
            <Field name="payment_terms_days" label="Payment terms" inputmode="numeric" width="w4" unit="days" hint="From issue until an invoice is due." value=typed.value("payment_terms_days", now.payment_terms_days.to_string()) error=typed.error("payment_terms_days")/>
            <div class="actions"><Button label=label/><ButtonLink label="Cancel" href=PATH kind=Kind::Secondary/></div>
            {changed}
        </PostForm>
    }
}

/// What to know where another client has the same invoice series; empty where none has.
async fn shared_series(tx: &mut Tenant, id: ClientId, series: &str) -> Result<String, AppError> {
    let others = clients::others_with_series(tx, id, series).await?;
    if others.is_empty() {
        return Ok(String::new());
    }
    let others = others.join(", ");
    Ok(format!(
        " Invoices of {others} are numbered in the series {series} too: two invoices may have the same number. Give one of them another series, unless that is meant."
    ))
}

/// Makes a client.
#[server(prefix = "/api", endpoint = "create_client")]
pub(crate) async fn create_client(#[server(flatten)] form: ClientForm) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require(Permission::ManageClients)?;
        let mut tx = ctx.write(&actor).await?;
        let organization = open(&mut tx, &actor).await?;
        let fields = form.read(Locale::from(&organization.locale))?;
        let id = clients::create(&mut tx, &fields).await?;
        let shared = shared_series(&mut tx, id, &fields.invoice_series).await?;
        let say = format!("Client created. Add its tariffs and customers next.{shared}");
        Done::to(format!("/clients/{id}")).saying(say).commit(&ctx, tx).await
    })
    .await
}

/// Changes a client.
#[server(prefix = "/api", endpoint = "update_client")]
pub(crate) async fn update_client(client: String, #[server(flatten)] form: ClientForm) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require(Permission::ManageClients)?;
        let id: ClientId = client.parse().map_err(|_| AppError::NotFound)?;
        let mut tx = ctx.write(&actor).await?;
        let before = clients::locked(&mut tx, actor.open_organization()?, id).await?.ok_or(AppError::NotFound)?;
        let written = Locale::from(&open(&mut tx, &actor).await?.locale);
        let fields = form.read(written)?;
        seen::unchanged(&ctx.sent, &shown(&ClientFields::from(&before), written))?;
        clients::update(&mut tx, id, &fields).await?;
        let shared = shared_series(&mut tx, id, &fields.invoice_series).await?;
        Done::to(PATH).saying(format!("Changes to {} saved.{shared}", before.name)).commit(&ctx, tx).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_that_no_clock_knows_and_a_currency_without_cents_are_refused() {
        let form = ClientForm { time_zone: "Mars/Olympus".into(), currency: "JPY".into(), ..ClientForm::default() };
        let errors = form.read(Locale::EnUs).unwrap_err();
        assert!(errors.of("time_zone").contains("IANA"));
        assert!(!errors.of("currency").is_empty());
    }

    #[test]
    fn a_tax_in_percent_is_kept_as_a_share() {
        let form = ClientForm {
            name: "Harbor".into(),
            legal_name: "Harbor Inc.".into(),
            slug: "harbor".into(),
            invoice_series: "HL".into(),
            currency: "USD".into(),
            time_zone: "America/New_York".into(),
            locale: "de-DE".into(),
            tax_name: "Sales tax".into(),
            tax_percent: "8,25 %".into(),
            payment_terms_days: "21".into(),
            ..ClientForm::default()
        };
        assert_eq!(form.read(Locale::DeDe).unwrap().tax_rate, Decimal::new(825, 4));
        assert!(form.read(Locale::EnUs).unwrap_err().of("tax_percent").contains("could be 8.25 or 825"));
    }
}
