//! A new tariff: what it begins from. The rest is the [designer](super::design)'s.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use eis::access::Permission;
use eis::parties::clients;
use eis::tariff_document;
use eis::tariffs::TariffError;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::design::{self, fill};
use crate::components::{
    Button, ButtonLink, Choice, ErrorSummary, Kind, PageHeader, PostForm, Radios, Section, TextArea,
};
use crate::format::Locale;
use crate::forms::{FieldErrors, Typed};
use crate::messages::tariffs as messages;
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, field_errors};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client};
use crate::server::query::Query;

const KINDS: [(&str, &str); 4] = [
    ("flat", "Flat: one price per kWh at all times"),
    ("tiered", "Tiered: the price changes with the energy used"),
    ("time_of_use", "Time of use: the price changes with the hour, the weekday or the season"),
    ("demand", "Demand: energy, and the highest demand in kW"),
];

/// Kind of a new tariff; empty while it is to be chosen.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NewQuery {
    kind: String,
}

/// `GET /clients/:client/tariffs/new`
pub async fn new(ctx: Ctx, Path(client): Path<String>, Query(query): Query<NewQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ManageTariffs, &client).await?;
    if !query.kind.is_empty() {
        return design::of_new(ctx, at, tx, &query.kind).await;
    }
    drop(tx);
    let typed = ctx.take_typed().await;
    let path = format!("{}/tariffs", at.base());
    let place = at.place(&[("Tariffs", "tariffs")], "New tariff");
    let context = at.actor.context_token();
    let client = at.client.id.to_string();
    let html = page(&ctx, &at.actor, place, "New tariff", move || choose(&typed, path, client, context)).await;
    Ok(html.into_response())
}

fn choose(typed: &Typed, path: String, client: String, context: String) -> impl IntoView + use<> {
    let choices = KINDS.iter().map(|(value, label)| Choice::new(*value, *label)).collect();
    let new = format!("{path}/new");
    let hidden = vec![("client".to_owned(), client), ("page".to_owned(), new.clone())];
    let (errors, json, fault) = (field_errors(typed), typed.value("json", ""), typed.error("json"));
    view! {
        <PageHeader title="New tariff"/>
        <ErrorSummary errors=errors/>
        <div class="stack">
        <form method="get" action=new class="form">
            <Radios name="kind" label="Begin with" choices=choices value="flat"/>
            <p class="hint">"Everything can be added and taken out afterwards. For a new version of a tariff that is there, open it and choose New version."</p>
            <div class="actions"><Button label="Continue"/><ButtonLink label="Cancel" href=path kind=Kind::Secondary/></div>
        </form>
        <Section title="Or from a file">
            <PostForm action="/api/read_tariff" context=context hidden=hidden class="form">
                <TextArea name="json" label="Tariff as JSON" rows=6 hint="This portal's own form, or a rate of the utility rate database (URDB, versions 7 and 8). Nothing is saved yet." value=json error=fault/>
                <div class="actions"><Button label="Open in the designer" kind=Kind::Secondary/></div>
            </PostForm>
        </Section>
        </div>
    }
}

/// A tariff as text.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TextForm {
    json: String,
}

/// Reads a tariff from text and opens it in the designer; nothing is saved.
#[server(prefix = "/api", endpoint = "read_tariff")]
pub(crate) async fn read_tariff(client: String, #[server(flatten)] form: TextForm) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageTariffs, &client)?;
        let (at, organization) = actor.tenant()?;
        let tx = ctx.read(&actor).await?;
        let client = clients::find(&tx, organization, at).await?.ok_or(AppError::Forbidden)?;
        drop(tx);
        let zone = client.zone();
        let document = tariff_document::read(&form.json, zone).map_err(|faults| {
            FieldErrors(faults.iter().map(|fault| ("json".to_owned(), fault.to_string())).collect())
        })?;
        if document.currency != client.currency {
            let other = TariffError::OtherCurrency { tariff: document.currency, client: client.currency };
            return Err(FieldErrors::one("json", messages::words(&other)).into());
        }
        let page = format!("/clients/{at}/tariffs/new");
        let values = fill(&document, Locale::from(&client.locale)).pairs();
        let kept = Typed { page: page.clone(), context: actor.context_token(), values, ..Typed::default() };
        ctx.keep_typed(kept).await;
        Ok(Done::to(format!("{page}?kind=file")).saying("Read. Give it a code, look it over and save it."))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::super::starter::starter;
    use super::*;

    #[test]
    fn a_new_tariff_of_each_kind_lacks_nothing_but_its_name() {
        let client = design::tests::client();
        for (kind, _) in KINDS {
            let faults = starter(kind, &client).validate();
            assert!(faults.iter().all(|fault| fault.path == "name"), "{kind}: {faults:?}");
        }
    }
}
