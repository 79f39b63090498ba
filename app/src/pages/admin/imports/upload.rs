//! The file to import: its form, and receiving it.
//!
//! The upload is no server function, since it streams: guard, then the context the form was rendered in,
//! then the file to a temporary place, which is gone afterwards whatever happens ([`receive`]).

mod receive;

use std::sync::Arc;

use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use chrono_tz::Tz;
use eis::access::Permission;
use eis::metering::imports::{self, ImportError, ImportFile, ImportOptions, ImportResult, Survey};
use eis::usage::Hints;
use eis::values::clock::local_day;
use eis::values::figures::Mark;
use eis::values::ids::ClientId;
use leptos::prelude::*;
use serde::Deserialize;

use crate::components::{
    Button, ButtonLink, Choice, ErrorSummary, Field, FileField, Kind, PageHeader, PostForm, SelectField,
};
use crate::format;
use crate::forms::once;
use crate::forms::{FieldErrors, Typed};
use crate::pages::conflict;
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, field_errors};
use crate::server::UPLOAD_LIMIT;
use crate::server::ctx::Ctx;
use crate::server::errors::{AppError, BUSY};
use crate::server::functions::{Done, see_other};
use crate::server::guards::{Guard, refuses};
use crate::server::query::Query;
use receive::{Form, Received, Sent};

/// The meter that the form is opened for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NewQuery {
    meter: String,
}

/// `GET /clients/:client/imports/new`
pub async fn new(ctx: Ctx, Path(client): Path<String>, Query(query): Query<NewQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ImportUsage, &client).await?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let list = format!("{}/imports", at.base());
    let place = at.place(&[("Usage imports", "imports")], "Import usage");
    let context = at.actor.context_token();
    let html = page(&ctx, &at.actor, place, "Import usage", move || {
        let template = format!("{list}/template.csv");
        let largest = UPLOAD_LIMIT / 1024 / 1024;
        view! {
            <PageHeader title="Import usage"/>
            <ErrorSummary errors=field_errors(&typed)/>
            <div class="stack">
            <PostForm action=list.clone() context=context multipart=true class="form">
                <Field name="serial" label="Meter serial" width="w20" autocomplete="off" hint="For a file of one meter that does not carry its serial, as most Green Button files do not. Leave it empty when the file names its meters." value=typed.value("serial", query.meter) error=typed.error("serial") optional=true/>
                <SelectField name="values" label="Values below zero" hint="They are refused unless the file has one net column for both ways: energy bought less energy fed in. Bought and fed in are then kept apart, and the meter needs a register for each." choices=ways() value=typed.value("values", "")/>
                <SelectField name="decimal" label="Decimal mark" hint="For a CSV file whose figures can be read in two ways, such as 1.234." choices=marks() value=typed.value("decimal", "")/>
                <FileField name="file" label="File" accept=".xml,.csv,.txt" hint=format!("Green Button XML, CSV or NEM12, at most {largest} MB. The format is told by the content.") error=typed.error("file")/>
                <div class="actions"><Button label="Import usage"/><ButtonLink label="Cancel" href=list.clone() kind=Kind::Secondary/></div>
            </PostForm>
            <p class="hint">
                "CSV has one row an interval, with the columns interval_start and kwh, and if you like meter, register, direction and quality. "
                <a href=template>"Download a template"</a>
            </p>
            {what_is_read()}
            </div>
        }
    })
    .await;
    Ok(html.into_response())
}

/// What files are read and what is refused, for who wonders before or after.
fn what_is_read() -> impl IntoView {
    let lines = [
        "CSV: a header and one row an interval, in any order; commas, semicolons, tabs or bars between fields; decimal point or comma; UTF-8, or UTF-16 with its mark.",
        "Times are the start of the interval, like 2026-01-31T13:45:00+01:00. Without an offset they are local to the meter.",
        "Green Button: a meter is told by its usage point's link; other units than watt-hours are left out. NEM12: registers E are bought, B fed in.",
        "Intervals of 5, 15, 30 or 60 minutes; the length may change from a day on.",
        "Every register must have its days. A day that one of several registers lacks is not taken.",
        "Values below zero, two different values of one interval, and figures that may be two numbers are refused.",
        "A line that is refused costs that line only: it is kept with its reason, to be mended and sent again.",
    ];
    view! {
        <details>
            <summary>"What is read, and what is refused"</summary>
            <ul>{lines.map(|line| view! { <li>{line}</li> }).collect_view()}</ul>
        </details>
    }
}

/// What values below zero are.
fn ways() -> Vec<Choice> {
    vec![Choice::new("", "An error: refuse them"), Choice::new("net", "Energy fed in: the column is net")]
}

/// The decimal marks of files.
fn marks() -> Vec<Choice> {
    vec![
        Choice::new("", "As the file's figures tell"),
        Choice::new("comma", "Comma: 1,234 is a little more than one"),
        Choice::new("point", "Point: 1.234 is a little more than one"),
    ]
}

/// What a person said of the file.
#[derive(Debug, Clone, Default)]
struct Told {
    /// The form's own id.
    form: String,
    serial: String,
    values: String,
    decimal: String,
}

impl Told {
    /// Takes a field of this name; false where it is another one's.
    fn take(&mut self, name: &str, text: String) -> bool {
        let field = match name {
            once::FIELD => &mut self.form,
            "serial" => &mut self.serial,
            "values" => &mut self.values,
            "decimal" => &mut self.decimal,
            _ => return false,
        };
        text.trim().clone_into(field);
        true
    }

    /// As the form gives it back.
    fn values(self) -> Vec<(String, String)> {
        [("serial", self.serial), ("values", self.values), ("decimal", self.decimal)]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    /// What reading the file needs to know.
    fn hints(&self, zone: Tz) -> Result<Hints, FieldErrors> {
        let net = match self.values.as_str() {
            "" => false,
            "net" => true,
            _ => return Err(FieldErrors::one("values", "Choose what values below zero are.")),
        };
        let mark = match self.decimal.as_str() {
            "" => None,
            "comma" => Some(Mark::Comma),
            "point" => Some(Mark::Point),
            _ => return Err(FieldErrors::one("decimal", "Choose the decimal mark.")),
        };
        Ok(Hints { zone: Some(zone), mark, net })
    }
}

/// Why an upload was not taken.
enum Refusal {
    /// Back to the form.
    Form(Box<Sent>, FieldErrors),
    /// Anything else.
    App(AppError),
}

impl From<AppError> for Refusal {
    fn from(error: AppError) -> Self {
        Self::App(error)
    }
}

/// `POST /clients/:client/imports`
pub async fn create(ctx: Ctx, Path(client): Path<String>, request: Request) -> Result<Response, AppError> {
    // Before the client is looked at: it may be one of the organisation that was open when the form was.
    let actor = ctx.require_user()?;
    let client: ClientId = client.parse().map_err(|_| AppError::Forbidden)?;
    let mut body = Form::of(request).await?;
    let sent = body.context().await?;
    if refuses(Guard::SameContext, sent != actor.context_token()) {
        let values = body.told().await.values();
        let typed = Typed { page: form_of(client), context: sent.clone(), values, ..Typed::default() };
        return Ok(conflict::refuse(ctx, actor, typed).await);
    }
    let (at, tx) = AtClient::open(&ctx, Permission::ImportUsage, &client.to_string()).await?;
    drop(tx);
    let list = format!("{}/imports", at.base());
    match import(&ctx, &at, body).await {
        Ok(result) => {
            ctx.flash(result.accepted + result.unchanged + result.superseded > 0, outcome(&result, &at)).await;
            Ok(see_other(&format!("{list}/{}", result.id)))
        }
        Err(Refusal::App(AppError::Again(Some(before)))) => {
            if let Some(said) = before.said {
                ctx.flash(true, said).await;
            }
            Ok(see_other(&before.location))
        }
        Err(Refusal::Form(sent, errors)) => {
            let values = sent.told.values();
            let context = at.actor.context_token();
            let page = form_of(client);
            ctx.keep_typed(Typed { page: page.clone(), context, values, errors }).await;
            Ok(see_other(&page))
        }
        Err(Refusal::App(error)) => Err(error),
    }
}

async fn import(ctx: &Ctx, at: &AtClient, body: Form) -> Result<ImportResult, Refusal> {
    let mut sent = body.receive().await?;
    let refused = |field: &str, text: String, sent: Sent| Refusal::Form(Box::new(sent), FieldErrors::one(field, text));
    let Some(Received { file, bytes, name }) = sent.file.take() else {
        let text = if sent.empty { "This file is empty. Choose the file with the values." } else { "Choose a file." };
        return Err(refused("file", text.into(), sent));
    };
    let hints = match sent.told.hints(at.client.zone()) {
        Ok(hints) => hints,
        Err(errors) => return Err(Refusal::Form(Box::new(sent), errors)),
    };
    let Ok(_turn) = ctx.state.shares.reading(bytes).await else {
        return Err(refused("file", format!("{BUSY} Choose the file again."), sent));
    };
    let file = ImportFile::new(file, &name);
    match read_and_write(ctx, at, file, hints, &sent).await {
        Ok(result) => Ok(result),
        // A file cannot be kept for its form: it is chosen again.
        Err(Failed::App(AppError::Busy)) => Err(refused("file", format!("{BUSY} Choose the file again."), sent)),
        Err(Failed::App(error)) => Err(Refusal::App(error)),
        Err(Failed::Import(ImportError::File(text))) => Err(refused("file", text, sent)),
        Err(Failed::Import(ImportError::Meter(text))) => Err(refused("serial", text, sent)),
        Err(Failed::Import(ImportError::Db(error))) => Err(Refusal::App(error.into())),
    }
}

/// Why a file was not imported.
enum Failed {
    Import(ImportError),
    App(AppError),
}

impl From<ImportError> for Failed {
    fn from(error: ImportError) -> Self {
        Self::Import(error)
    }
}

impl From<AppError> for Failed {
    fn from(error: AppError) -> Self {
        Self::App(error)
    }
}

/// The form with its file, told by its content: sent twice, it is imported once.
fn as_form(at: &AtClient, sent: &Sent, survey: &Survey, name: &str) -> once::Sent {
    let hash = eis::values::hex::of(&survey.hash());
    let mut values = sent.told.clone().values();
    values.extend([("file", name), ("hash", &hash)].map(|(field, value)| (field.to_owned(), value.to_owned())));
    once::Sent::new(&sent.told.form, &format!("{}/imports", at.base()), values)
}

/// The file is looked through before the transaction is opened, so that it holds no connection meanwhile.
async fn read_and_write(
    ctx: &Ctx,
    at: &AtClient,
    file: ImportFile,
    hints: Hints,
    sent: &Sent,
) -> Result<ImportResult, Failed> {
    let name = file.name().to_owned();
    let _turn = ctx.heavy(&at.actor).await?;
    let survey = imports::survey(file, hints).await?;
    let options = ImportOptions { serial: Some(sent.told.serial.clone()) };
    let ctx = Ctx { sent: Arc::new(as_form(at, sent, &survey, &name)), ..ctx.clone() };
    let mut tx = ctx.write(&at.actor).await?;
    let result = imports::import_usage(&mut tx, survey, &options).await?;
    let to = format!("{}/imports/{}", at.base(), result.id);
    Done::to(to).saying(outcome(&result, at)).commit(&ctx, tx).await?;
    Ok(result)
}

/// The page of the form.
fn form_of(client: ClientId) -> String {
    format!("/clients/{client}/imports/new")
}

/// What happened, in a sentence.
fn outcome(result: &ImportResult, at: &AtClient) -> String {
    let locale = at.locale();
    let count = |value: u64| format::count(i64::try_from(value).unwrap_or(i64::MAX), locale);
    let ImportResult { accepted, superseded, unchanged, rejected, .. } = *result;
    if let (Some(before), 0, 0) = (result.before, accepted, superseded) {
        return format!(
            "This file was imported on {}; nothing changed.",
            format::date(local_day(at.client.zone(), before), locale)
        );
    }
    let mut parts = vec![format!("{} new values", count(accepted))];
    for (value, what) in [(superseded, "replaced"), (unchanged, "unchanged"), (rejected, "rejected")] {
        if value > 0 {
            parts.push(format!("{} {what}", count(value)));
        }
    }
    format!("{}.", parts.join(", "))
}
