//! One version of a tariff: what it charges, when it applies, who is on it, and the next step.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use eis::access::Permission;
use eis::tariff_document::{FixedBasis, TariffDocument, difference};
use eis::tariffs::{self, Activation, Tariff, TariffRow, agreements, blocks_of, kind_label};
use eis::values::ids::TariffRateId;
use leptos::prelude::*;

use super::{applies, offers};
use crate::components::{
    Column, ConfirmPanel, DataTable, DateField, ErrorSummary, Kind, Notice, PageHeader, Section, Source, Status,
    SummaryList, SummaryRow, Tone,
};
use crate::format::{self, Locale};
use crate::forms::{Typed, seen};
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, address, field_errors};
use crate::pages::tariff_view::{calendar_table, price_table};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;

/// What the next step needs to know.
struct Step {
    context: String,
    hidden: Vec<(String, String)>,
    activation: Option<Activation>,
    customers: i64,
    today: NaiveDate,
}

/// `GET /clients/:client/tariffs/:tariff`
pub async fn show(ctx: Ctx, Path((client, id)): Path<(String, String)>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let id: TariffRateId = id.parse().map_err(|_| AppError::NotFound)?;
    let tariff = tariffs::find(&tx, id).await?.ok_or(AppError::NotFound)?;
    let versions = tariffs::versions(&tx, &tariff.code).await?;
    let today = at.client.today();
    let customers = agreements::customers_from(&tx, &tariff.code, today).await?;
    let may_write = at.actor.may(Permission::ManageTariffs);
    let activation =
        if may_write && tariff.status == "draft" { Some(tariffs::activation(&tx, &tariff).await?) } else { None };
    let before = match versions.iter().find(|other| other.version < tariff.version) {
        Some(row) => tariffs::find(&tx, row.id).await?,
        None => None,
    };
    drop(tx);
    let typed = ctx.take_typed().await;
    let locale = at.locale();
    let path = format!("{}/tariffs", at.base());
    let place = at.place(&[("Tariffs", "tariffs")], &format!("{} version {}", tariff.code, tariff.version));
    let hidden = vec![
        ("client".to_owned(), at.client.id.to_string()),
        ("tariff".to_owned(), tariff.id.to_string()),
        ("page".to_owned(), format!("{path}/{}", tariff.id)),
        (seen::FIELD.to_owned(), tariffs::digest(&tariff)),
    ];
    let offering = may_write.then(|| (at.actor.context_token(), hidden.clone()));
    let step = may_write.then(|| Step { context: at.actor.context_token(), hidden, activation, customers, today });
    let html = page(&ctx, &at.actor, place, tariff.name.clone(), move || {
        let (document, status) = (tariff.document(), tariff.status.clone());
        let json = on_lines(&serde_json::to_string_pretty(&tariff.document).unwrap_or_default());
        let kind = tariff.kind.as_str();
        let design = match (may_write, status.as_str()) {
            (false, _) => "",
            (true, "draft") => "Edit draft",
            (true, _) => "New version",
        };
        let design_href = format!("{path}/{}/design", tariff.id);
        let trying = if may_write && status != "retired" { "Try on past usage…" } else { "" };
        let try_href = address(&path.replace("/tariffs", "/what-ifs/new"), &[("tariff", &tariff.id.to_string())]);
        let subtitle = format!("{} · version {} · {}", tariff.code, tariff.version, kind_label(kind));
        view! {
            <PageHeader title=tariff.name.clone() subtitle=subtitle second=design second_href=design_href third=trying third_href=try_href>
                <Status value=status/>
            </PageHeader>
            <ErrorSummary errors=field_errors(&typed)/>
            <div class="stack">
            {step.map(|step| next_step(&tariff, step, &typed, locale))}
            {match document {
                Ok(document) => view! { {warnings(&document, today)} {charges(&tariff, &document, customers, locale)} }.into_any(),
                Err(fault) => view! { <Notice tone=Tone::Bad title="The document of this version cannot be read"><p>{fault.to_string()}</p></Notice> }.into_any(),
            }}
            {before.and_then(|before| changes(&before, &tariff))}
            {version_table(versions, &path, tariff.id, locale)}
            {offers::of_tariff(tariff.offered, offering)}
            <Section title="Document"><Source label="The tariff as JSON" text=json/></Section>
            </div>
        }
    })
    .await;
    Ok(html.into_response())
}

/// What is to be seen to soon, such as holidays that are not listed yet.
fn warnings(document: &TariffDocument, today: NaiveDate) -> AnyView {
    let warnings = document.warnings(today);
    warnings.into_iter().map(|warning| view! { <Notice title=warning.to_string()/> }).collect_view().into_any()
}

/// Indented JSON with lists of plain numbers on one line: a day's 24 hours, not 24 lines.
fn on_lines(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        out.push('[');
        rest = after;
        if let Some((list, tail)) = after.split_once(']')
            && list.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || c == ',')
        {
            out.push_str(&list.split(',').map(str::trim).collect::<Vec<_>>().join(", "));
            out.push(']');
            rest = tail;
        }
    }
    out.push_str(rest);
    out
}

/// Activate or discard a draft; retire what is active.
fn next_step(tariff: &Tariff, step: Step, typed: &Typed, locale: Locale) -> AnyView {
    let Step { context, hidden, activation, customers, today } = step;
    if let Some(activation) = activation {
        return draft_steps(tariff, &activation, context, hidden, locale).into_any();
    }
    if tariff.status != "active" {
        return ().into_any();
    }
    let (code, version) = (&tariff.code, tariff.version);
    let count = people(customers, locale);
    let consequences = vec![
        format!("From the day you choose, no version of {code} applies until another one is activated."),
        if customers == 0 {
            format!("No customer is on {code} now or later.")
        } else {
            format!(
                "{count} on {code} now or later: put them on another tariff, or their bills stop with an exception."
            )
        },
        "Bills for days before that stay as they are and can still be made.".to_owned(),
    ];
    let error = typed.error("retire_from");
    let shown = !error.is_empty();
    let value = typed.value("retire_from", today.max(tariff.effective_from.succ_opt().unwrap_or(today)).to_string());
    view! {
        <div class="actions">
            <ConfirmPanel
                open="Retire…"
                title=format!("Retire version {version} of {code}?")
                consequences=consequences
                label=format!("Retire version {version}")
                action="/api/retire_tariff"
                context=context
                hidden=hidden
                shown=shown
            >
                <DateField name="retire_from" label="First day it no longer applies" value=value error=error/>
            </ConfirmPanel>
        </div>
    }
    .into_any()
}

fn people(customers: i64, locale: Locale) -> String {
    match customers {
        0 => "No customer is".to_owned(),
        1 => "1 customer is".to_owned(),
        n => format!("{} customers are", format::count(n, locale)),
    }
}

fn draft_steps(
    tariff: &Tariff,
    plan: &Activation,
    context: String,
    hidden: Vec<(String, String)>,
    locale: Locale,
) -> impl IntoView + use<> {
    let (code, version) = (&tariff.code, tariff.version);
    let from = format::date_long(tariff.effective_from, locale);
    let affected = people(plan.customers, locale);
    let mut consequences = vec![if plan.customers == 0 {
        format!("No customer is on {code} from {from} on.")
    } else {
        format!("{affected} on {code} from {from} on: their energy is charged by version {version}.")
    }];
    for row in &plan.ends {
        let last = tariff.effective_from.pred_opt().unwrap_or(tariff.effective_from);
        consequences.push(format!(
            "Version {} ends: its last day is {}.",
            row.version,
            format::date_long(last, locale)
        ));
    }
    for row in &plan.set_back {
        let starts = format::date(row.effective_from, locale);
        consequences
            .push(format!("Version {}, from {starts}, has billed nothing and becomes a draft again.", row.version));
    }
    let way = plan.in_the_way.first().map(|row| {
        let starts = format::date(row.effective_from, locale);
        format!("Version {}, from {starts}, has billed already: this draft cannot be activated. Make a version that begins later.", row.version)
    });
    let discard = vec![format!("Version {version} never applies."), "It stays in the list as retired.".to_owned()];
    let activate = match way {
        Some(text) => view! { <Notice tone=Tone::Warn title=text/> }.into_any(),
        None => view! {
            <ConfirmPanel
                open="Activate…"
                title=format!("Activate version {version} from {from}?")
                consequences=consequences
                label=format!("Activate version {version}")
                action="/api/activate_tariff"
                context=context.clone()
                hidden=hidden.clone()
                kind=Kind::Primary
                note="Once it has rated a bill it never changes; a change is a new version."
            />
        }
        .into_any(),
    };
    view! {
        <div class="actions">
            {activate}
            <ConfirmPanel
                open="Discard…"
                title=format!("Discard the draft of version {version}?")
                consequences=discard
                label="Discard draft"
                action="/api/discard_tariff"
                context=context
                hidden=hidden
            />
        </div>
    }
}

fn charges(tariff: &Tariff, document: &TariffDocument, customers: i64, locale: Locale) -> impl IntoView + use<> {
    let currency = &document.currency;
    let mut rows = vec![
        SummaryRow::new("Applies", applies(tariff.effective_from, tariff.effective_to, locale)),
        SummaryRow::new("Customers", format!("{} on it now or later", people(customers, locale))),
        SummaryRow::new(
            "On offer",
            if tariff.offered { "Yes: customers may compare with it, where they may compare" } else { "No" },
        ),
        SummaryRow::new("Currency and time zone", format!("{currency}, {}", document.zone)),
        SummaryRow::new("Used for bills", if tariff.rated { "Yes: it never changes any more" } else { "Not yet" }),
    ];
    for fixed in &document.fixed {
        let per = match fixed.per {
            FixedBasis::Month => "a month",
            FixedBasis::Day | FixedBasis::AverageMonthDay => "a day",
        };
        let price = format!("{} {currency} {per}", format::rate(fixed.price, locale));
        rows.push(SummaryRow::new(fixed.name.clone(), price));
    }
    for demand in &document.demand {
        let cells = demand.prices.iter().flat_map(|cell| &cell.blocks).map(|block| format::rate(block.price, locale));
        let prices = cells.collect::<Vec<_>>().join(", ");
        rows.push(SummaryRow::new(demand.name.clone(), format!("{prices} {currency} per kW")));
    }
    for minimum in &document.minimums {
        rows.push(SummaryRow::new(
            minimum.name.clone(),
            format!("at least {} {currency}", format::money(minimum.amount, locale)),
        ));
    }
    for tax in &document.taxes {
        rows.push(SummaryRow::new(
            tax.name.clone(),
            format::percent_exact(tax.percent / rust_decimal::Decimal::ONE_HUNDRED, locale),
        ));
    }
    let calendars = document.calendars.values().map(|calendar| calendar_table(calendar, locale)).collect_view();
    let energy = price_table(blocks_of(document), currency, locale);
    view! {
        <SummaryList rows=rows/>
        <Section title="Energy">{energy}</Section>
        {calendars}
    }
}

/// What this version says otherwise than the one before it.
fn changes(before: &Tariff, tariff: &Tariff) -> Option<AnyView> {
    let changes = difference(&before.document().ok()?, &tariff.document().ok()?);
    let title = format!("What changed from version {}", before.version);
    let table = super::design::change_table(changes);
    Some(view! { <Section title=title>{table}</Section> }.into_any())
}

fn version_table(versions: Vec<TariffRow>, path: &str, this: TariffRateId, locale: Locale) -> impl IntoView + use<> {
    let path = path.to_owned();
    let body = versions
        .into_iter()
        .map(|row| {
            let label = format!("Version {}", row.version);
            let name = if row.id == this {
                view! { <span aria-current="true">{label}</span> }.into_any()
            } else {
                view! { <a href=format!("{path}/{}", row.id)>{label}</a> }.into_any()
            };
            view! {
                <tr>
                    <th scope="row">{name}</th>
                    <td>{row.name}</td>
                    <td class="nowrap">{applies(row.effective_from, row.effective_to, locale)}</td>
                    <td><Status value=row.status/></td>
                </tr>
            }
        })
        .collect_view();
    let columns = ["Version", "Name", "Applies", "Status"].into_iter().map(Column::text).collect::<Vec<_>>();
    view! { <Section title="Versions"><DataTable caption="Versions" columns=columns>{body}</DataTable></Section> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_numbers_stay_on_one_line() {
        let json = serde_json::to_string_pretty(&serde_json::json!({ "a": ["x"], "hours": [0, 1, 0] })).unwrap();
        assert!(on_lines(&json).contains("\"hours\": [0, 1, 0]"));
        let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(parse(&on_lines(&json)), parse(&json));
    }
}
