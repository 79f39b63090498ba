//! A new tariff, or a new version of one, as a draft: flat, tiered, or on-peak and off-peak.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use chrono::{Datelike, Months, NaiveDate, Utc};
use chrono_tz::Tz;
use eis::access::Permission;
use eis::audit::{self, Entry};
use eis::clients::{self, Client};
use eis::ids::TariffRateId;
use eis::tariff_document::{BlockBasis, TariffDocument};
use eis::tariffs::{self, NewTariff, TariffError};
use leptos::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::components::{
    Button, ButtonLink, Choice, DateField, ErrorSummary, Field, Kind, PageHeader, PostForm, Radios, SelectField,
};
use crate::forms::{FieldErrors, Reader, Typed};
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, address, field_errors};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client};

const KINDS: [(&str, &str); 3] = [
    ("flat", "Flat: one price per kWh at all times"),
    ("tiered", "Tiered: the price changes with the energy used"),
    ("time_of_use", "Time of use: on-peak hours on weekdays, off-peak otherwise"),
];

/// Kind, and the code when it is a new version.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NewQuery {
    kind: String,
    code: String,
}

/// `GET /clients/:client/tariffs/new`
pub async fn new(ctx: Ctx, Path(client): Path<String>, Query(query): Query<NewQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ManageTariffs, &client).await?;
    let client = clients::find(&tx, at.organization, at.client.id).await?.ok_or(AppError::Forbidden)?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let path = format!("{}/tariffs", at.base());
    let place = at.place(&[("Tariffs", "tariffs")], "New tariff");
    let context = at.actor.context_token();
    let actor = at.actor;
    let html = page(&ctx, &actor, place, "New tariff", move || {
        let known = KINDS.iter().any(|(kind, _)| *kind == query.kind);
        if !known {
            return choose(&path, &query).into_any();
        }
        let this = address(&format!("{path}/new"), &[("kind", &query.kind), ("code", &query.code)]);
        let hidden = vec![
            ("client".to_owned(), client.id.to_string()),
            ("kind".to_owned(), query.kind.clone()),
            ("page".to_owned(), this),
        ];
        form(typed, &query, &client, context, hidden, &path).into_any()
    })
    .await;
    Ok(html.into_response())
}

fn choose(path: &str, query: &NewQuery) -> impl IntoView + use<> {
    let choices = KINDS.iter().map(|(value, label)| Choice::new(*value, *label)).collect();
    let code =
        (!query.code.is_empty()).then(|| view! { <input r#type="hidden" name="code" value=query.code.clone()/> });
    view! {
        <PageHeader title="New tariff"/>
        <form method="get" action=format!("{path}/new") class="form">
            {code}
            <Radios name="kind" label="Kind of tariff" choices=choices value="flat"/>
            <div class="actions"><Button label="Continue"/><ButtonLink label="Cancel" href=path.to_owned() kind=Kind::Secondary/></div>
        </form>
    }
}

/// What was typed to make a tariff.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TariffForm {
    kind: String,
    code: String,
    name: String,
    price: String,
    price_1: String,
    limit_1: String,
    price_2: String,
    limit_2: String,
    price_3: String,
    limit_3: String,
    price_4: String,
    limit_4: String,
    price_5: String,
    blocks_per: String,
    on_peak: String,
    off_peak: String,
    peak_from: String,
    peak_to: String,
    fixed: String,
    fixed_per: String,
    tax: String,
    effective_from: String,
}

/// A tariff as typed, read.
#[derive(Debug)]
struct Draft {
    code: String,
    document: TariffDocument,
    effective_from: NaiveDate,
}

fn price(reader: &mut Reader, field: &str, typed: &str, what: &str) -> Decimal {
    let price = reader.decimal(field, typed, what, Decimal::from(-100), Decimal::from(10_000));
    let price = price.unwrap_or_default();
    if price.normalize().scale() > 6 {
        reader.errors.add(field, "Use at most 6 decimals.");
    }
    price
}

impl TariffForm {
    fn read(&self, client: &Client) -> Result<Draft, FieldErrors> {
        let mut reader = Reader::default();
        let code = reader.text("code", &self.code, "a code", 40);
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let fine = code.starts_with(|c: char| c.is_ascii_alphanumeric()) && code.chars().all(plain);
        if !fine && !code.is_empty() {
            reader
                .errors
                .add("code", "Use letters, digits, hyphens and underscores, beginning with a letter or digit.");
        }
        let name = reader.text("name", &self.name, "what people call the tariff", 200);
        let zone = client.time_zone.parse().unwrap_or(Tz::UTC);
        let mut document = match self.kind.as_str() {
            "tiered" => self.tiered(&mut reader, &name, &client.currency, zone),
            "time_of_use" => self.time_of_use(&mut reader, &name, &client.currency, zone),
            _ => {
                let price = price(&mut reader, "price", &self.price, "the price per kWh");
                TariffDocument::flat(&name, &client.currency, zone, price)
            }
        };
        if !self.fixed.trim().is_empty() {
            let fixed = price(&mut reader, "fixed", &self.fixed, "the fixed charge");
            document = if self.fixed_per == "day" {
                document.and_daily("Base charge", fixed)
            } else {
                document.and_monthly("Base charge", fixed)
            };
        }
        if !self.tax.trim().is_empty() {
            let tax = reader.decimal("tax", &self.tax, "the tax in per cent", Decimal::ZERO, Decimal::ONE_HUNDRED);
            let name = if client.tax_name.is_empty() { "Tax" } else { client.tax_name.as_str() };
            document = document.and_tax(name, tax.unwrap_or_default().normalize());
        }
        let effective_from = reader.date("effective_from", &self.effective_from, "the first day it applies");
        for fault in document.validate().into_iter().filter(|_| reader.errors.0.is_empty()).collect::<Vec<_>>() {
            reader.errors.add("", format!("{}: {}", fault.path, fault.message));
        }
        reader.errors.or(Draft { code, document, effective_from: effective_from.unwrap_or_default() })
    }

    /// The steps typed, up to the last price.
    fn tiered(&self, reader: &mut Reader, name: &str, currency: &str, zone: Tz) -> TariffDocument {
        let typed = [
            (&self.price_1, &self.limit_1),
            (&self.price_2, &self.limit_2),
            (&self.price_3, &self.limit_3),
            (&self.price_4, &self.limit_4),
            (&self.price_5, &String::new()),
        ];
        let used = typed.iter().rposition(|(price, limit)| !price.trim().is_empty() || !limit.trim().is_empty());
        let last = used.map_or(1, |at| at.max(1));
        let (mut steps, mut below) = (vec![], Decimal::ZERO);
        for (at, (amount, limit)) in typed.iter().enumerate().take(last + 1) {
            let number = at + 1;
            let amount = price(reader, &format!("price_{number}"), amount, &format!("the price of step {number}"));
            if at == last {
                if !limit.trim().is_empty() {
                    reader.errors.add(
                        format!("limit_{number}"),
                        "The last step has no limit: leave it empty, or add a price after it.",
                    );
                }
                steps.push((None, amount));
                continue;
            }
            let field = format!("limit_{number}");
            let most = Decimal::from(99_999_999);
            let limit =
                reader.decimal(&field, limit, &format!("the limit of step {number} in kWh"), Decimal::ZERO, most);
            if limit.is_some_and(|limit| limit <= below) {
                reader.errors.add(field, format!("The limit must lie above {below} kWh, where this step begins."));
            }
            below = limit.unwrap_or(below);
            steps.push((limit, amount));
        }
        let mut document = TariffDocument::tiered(name, currency, zone, &steps);
        for charge in &mut document.energy {
            charge.blocks_per = match self.blocks_per.as_str() {
                "30" => BlockBasis::NormalDays(30),
                "day" => BlockBasis::Day,
                _ => BlockBasis::Period,
            };
        }
        document
    }

    fn time_of_use(&self, reader: &mut Reader, name: &str, currency: &str, zone: Tz) -> TariffDocument {
        let on = price(reader, "on_peak", &self.on_peak, "the on-peak price per kWh");
        let off = price(reader, "off_peak", &self.off_peak, "the off-peak price per kWh");
        let hour = |typed: &str| typed.parse::<usize>().ok().filter(|hour| *hour <= 24);
        let (from, to) = (hour(&self.peak_from), hour(&self.peak_to));
        let mut weekday = [0_u8; 24];
        match from.zip(to).and_then(|(from, to)| weekday.get_mut(from..to)).filter(|hours| !hours.is_empty()) {
            Some(hours) => hours.fill(1),
            None => reader.errors.add("peak_to", "On-peak must end after it begins."),
        }
        let periods = [("Off-peak", off), ("On-peak", on)];
        TariffDocument::time_of_use(name, currency, zone, &periods, weekday, [0; 24])
    }
}

fn form(
    typed: Typed,
    query: &NewQuery,
    client: &Client,
    context: String,
    hidden: Vec<(String, String)>,
    path: &str,
) -> impl IntoView + use<> {
    let per_kwh = format!("{}/kWh", client.currency);
    let title = match query.kind.as_str() {
        "tiered" => "New tiered tariff",
        "time_of_use" => "New time-of-use tariff",
        _ => "New flat tariff",
    };
    let prices = match query.kind.as_str() {
        "tiered" => steps(&typed, &per_kwh).into_any(),
        "time_of_use" => peaks(&typed, &per_kwh).into_any(),
        _ => view! { <Field name="price" label="Price" width="w10" inputmode="decimal" autocomplete="off" unit=per_kwh value=typed.value("price", "") error=typed.error("price")/> }.into_any(),
    };
    let (code, currency, cancel) = (query.code.clone(), client.currency.clone(), path.to_owned());
    let per = vec![Choice::new("month", "A month"), Choice::new("day", "A day")];
    let today = Utc::now().date_naive();
    let next = today.with_day(1).and_then(|day| day.checked_add_months(Months::new(1))).unwrap_or(today);
    let tax = (client.tax_rate * Decimal::ONE_HUNDRED).normalize();
    let tax = if tax.is_zero() { String::new() } else { tax.to_string() };
    let tax_label = if client.tax_name.is_empty() { "Tax".to_owned() } else { client.tax_name.clone() };
    view! {
        <PageHeader title=title/>
        <ErrorSummary errors=field_errors(&typed)/>
        <PostForm action="/api/create_tariff" context=context hidden=hidden class="form">
            <Field name="code" label="Code" width="w10" autocomplete="off" hint="What agreements call it, like RES-1. A code that is there already gets its next version." value=typed.value("code", code) error=typed.error("code")/>
            <Field name="name" label="Name" autocomplete="off" hint="As it stands on the bill." value=typed.value("name", "") error=typed.error("name")/>
            {prices}
            <Field name="fixed" label="Fixed charge" width="w10" inputmode="decimal" autocomplete="off" unit=currency value=typed.value("fixed", "") error=typed.error("fixed") optional=true/>
            <SelectField name="fixed_per" label="Fixed charge per" choices=per value=typed.value("fixed_per", "month") error=typed.error("fixed_per")/>
            <Field name="tax" label=tax_label width="w10" inputmode="decimal" autocomplete="off" unit="%" value=typed.value("tax", tax) error=typed.error("tax") optional=true/>
            <DateField name="effective_from" label="Applies from" value=typed.value("effective_from", next.to_string()) error=typed.error("effective_from")/>
            <div class="actions"><Button label="Create draft"/><ButtonLink label="Cancel" href=cancel kind=Kind::Secondary/></div>
        </PostForm>
    }
}

fn steps(typed: &Typed, per_kwh: &str) -> impl IntoView + use<> {
    let rows = (1..=5)
        .map(|number| {
            let (price, limit) = (format!("price_{number}"), format!("limit_{number}"));
            let optional = number > 2;
            let end = (number < 5).then(|| {
                let hint = if number == 1 { "The last step that you use has no limit." } else { "" };
                view! { <Field name=limit.clone() label=format!("Step {number} up to") hint=hint width="w10" inputmode="decimal" autocomplete="off" unit="kWh" value=typed.value(&limit, "") error=typed.error(&limit) optional={number > 1}/> }
            });
            view! {
                <Field name=price.clone() label=format!("Price of step {number}") width="w10" inputmode="decimal" autocomplete="off" unit=per_kwh.to_owned() value=typed.value(&price, "") error=typed.error(&price) optional=optional/>
                {end}
            }
        })
        .collect_view();
    let bases = vec![
        Choice::new("period", "A billing period, however long"),
        Choice::new("30", "30 days, scaled to the days of the period"),
        Choice::new("day", "A day, times the days of the period"),
    ];
    view! {
        {rows}
        <SelectField name="blocks_per" label="Limits hold for" choices=bases value=typed.value("blocks_per", "period") error=typed.error("blocks_per")/>
    }
}

fn peaks(typed: &Typed, per_kwh: &str) -> impl IntoView + use<> {
    let hours = || (0..=24).map(|hour| Choice::new(hour.to_string(), format!("{hour:02}:00"))).collect::<Vec<_>>();
    view! {
        <Field name="on_peak" label="On-peak price" width="w10" inputmode="decimal" autocomplete="off" unit=per_kwh.to_owned() value=typed.value("on_peak", "") error=typed.error("on_peak")/>
        <Field name="off_peak" label="Off-peak price" width="w10" inputmode="decimal" autocomplete="off" unit=per_kwh.to_owned() value=typed.value("off_peak", "") error=typed.error("off_peak")/>
        <SelectField name="peak_from" label="On-peak from" hint="Monday to Friday; all other hours are off-peak." choices=hours() value=typed.value("peak_from", "16") error=typed.error("peak_from")/>
        <SelectField name="peak_to" label="On-peak until" choices=hours() value=typed.value("peak_to", "21") error=typed.error("peak_to")/>
    }
}

/// Makes a draft.
#[server(prefix = "/api", endpoint = "create_tariff")]
pub(crate) async fn create_tariff(client: String, #[server(flatten)] form: TariffForm) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageTariffs, &client)?;
        let (at, organization) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        let client = clients::find(&tx, organization, at).await?.ok_or(AppError::Forbidden)?;
        let draft = form.read(&client)?;
        let id = TariffRateId::fresh();
        let new = NewTariff { code: &draft.code, document: &draft.document, effective_from: draft.effective_from };
        let version = tariffs::create(&mut tx, organization, at, id, actor.user, &new).await.map_err(taken)?;
        let entry = Entry {
            action: "create",
            entity: "tariff_rate",
            entity_id: Some(id.0),
            customer: None,
            summary: format!("Drafted {} version {version}", draft.code),
            details: audit::created(json!({
                "code": draft.code, "version": version, "status": "draft", "effective_from": draft.effective_from, "document": draft.document,
            })),
        };
        audit::record(&mut tx, &actor, entry).await?;
        tx.commit().await?;
        let say = format!("Draft of version {version} created. Look it over, then activate it.");
        Ok(Done::to(format!("/clients/{at}/tariffs/{id}")).saying(say))
    })
    .await
}

fn taken(error: TariffError) -> AppError {
    match error {
        TariffError::Db(db) if db.violates("tariff_rates_organization_id_client_id_code_version_key") => {
            AppError::Conflict("Someone made a version of this code at the same moment. Send the form again.".into())
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eis::ids::{ClientId, OrganizationId};

    fn client() -> Client {
        Client {
            organization_id: OrganizationId::fresh(),
            id: ClientId::fresh(),
            slug: "c".into(),
            name: "C".into(),
            legal_name: "C".into(),
            address: String::new(),
            tax_number: String::new(),
            currency: "USD".into(),
            time_zone: "America/New_York".into(),
            locale: "en-US".into(),
            invoice_series: "C".into(),
            tax_name: "Sales tax".into(),
            tax_rate: Decimal::ZERO,
            payment_terms_days: 14,
            status: "active".into(),
            tariff_comparison: false,
        }
    }

    fn tiered(prices: [&str; 3], limits: [&str; 3]) -> TariffForm {
        let [price_1, price_2, price_3] = prices.map(str::to_owned);
        let [limit_1, limit_2, limit_3] = limits.map(str::to_owned);
        TariffForm {
            kind: "tiered".into(),
            code: "R-1".into(),
            name: "Res".into(),
            effective_from: "2026-01-01".into(),
            price_1,
            price_2,
            price_3,
            limit_1,
            limit_2,
            limit_3,
            ..TariffForm::default()
        }
    }

    #[test]
    fn steps_follow_each_other_without_gaps() {
        let draft = tiered(["0.1", "0.2", "0.3"], ["100", "300", ""]).read(&client()).unwrap();
        let blocks = &draft.document.energy[0].prices[0].blocks;
        assert_eq!((blocks.len(), blocks[1].from, blocks[2].to), (3, Decimal::from(100), None));
    }

    #[test]
    fn a_limit_below_the_one_before_and_a_price_left_out_are_told_by_field() {
        let errors = tiered(["0.1", "", "0.3"], ["300", "100", ""]).read(&client()).unwrap_err();
        assert!(errors.of("price_2").contains("step 2"));
        assert!(errors.of("limit_2").contains("above 300"));
    }

    #[test]
    fn on_peak_must_end_after_it_begins() {
        let form = TariffForm {
            kind: "time_of_use".into(),
            code: "T".into(),
            name: "T".into(),
            on_peak: "0.3".into(),
            off_peak: "0.1".into(),
            peak_from: "21".into(),
            peak_to: "16".into(),
            effective_from: "2026-01-01".into(),
            ..TariffForm::default()
        };
        assert!(!form.read(&client()).unwrap_err().of("peak_to").is_empty());
    }
}
