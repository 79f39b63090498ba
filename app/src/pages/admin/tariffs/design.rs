//! The tariff designer: a draft as one form with an example bill beside it. Buttons within the form change it and save
//! nothing; what was typed is kept until the page is shown again. With scripts the page follows what is typed.

mod ask;
mod calendar;
mod charges;
mod example;
mod fields;
mod fill;
mod prices;
mod read;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use chrono::{Datelike, Months, NaiveDate};
use eis::access::Permission;
use eis::db::Tenant;
use eis::parties::clients::{self, Client};
use eis::tariff_document::{TariffDocument, difference};
use eis::tariffs::{self, NewTariff, Tariff};
use eis::values::ids::TariffRateId;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::starter::starter;
use crate::components::{
    Button, ButtonLink, Column, DataTable, DateField, ErrorSummary, FieldError, Kind, PageHeader, PostForm, Rows,
    Section, save_over,
};
use crate::format::Locale;
use crate::forms::seen;
use crate::forms::{FieldErrors, Typed, days};
use crate::messages::tariffs as messages;
use crate::pages::frame::{Place, page};
use crate::pages::parts::AtClient;
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, own_path, require_client};
pub(super) use example::change_table;
use fields::Fields;
pub(super) use fill::fill;
use read::{Design, read};

/// What the designer shows.
struct Shown {
    fields: Fields,
    errors: FieldErrors,
    /// The draft that is changed; `None`: a new one.
    draft: Option<Tariff>,
    side: example::Side,
    /// The draft as somebody else saved it meanwhile, beside the form.
    theirs: Option<AnyView>,
    client: Client,
    context: String,
    hidden: Vec<(String, String)>,
    cancel: String,
}

/// The designer for a new tariff: part of `GET /clients/:client/tariffs/new`.
pub(super) async fn of_new(ctx: Ctx, at: AtClient, tx: Tenant, kind: &str) -> Result<Response, AppError> {
    let client = clients::find(&tx, at.organization, at.client.id).await?.ok_or(AppError::Forbidden)?;
    let mut fresh = with_head(&starter(kind, &client), "", first_of_next_month(client.today()), at.locale());
    fresh.leave_out_zeros();
    shown(ctx, at, tx, client, None, fresh).await
}

/// `GET /clients/:client/tariffs/:tariff/design`: a draft to be changed, or the next version of one that is none.
pub async fn design(ctx: Ctx, Path((client, id)): Path<(String, String)>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ManageTariffs, &client).await?;
    let id: TariffRateId = id.parse().map_err(|_| AppError::NotFound)?;
    let version = tariffs::find(&tx, id).await?.ok_or(AppError::NotFound)?;
    let client = clients::find(&tx, at.organization, at.client.id).await?.ok_or(AppError::Forbidden)?;
    let draft = version.status == "draft";
    let from = if draft { version.effective_from } else { first_of_next_month(client.today()) };
    let fresh = with_head(&version.document()?, &version.code, from, at.locale());
    shown(ctx, at, tx, client, draft.then_some(version), fresh).await
}

fn first_of_next_month(today: NaiveDate) -> NaiveDate {
    today.with_day(1).and_then(|day| day.checked_add_months(Months::new(1))).unwrap_or(today)
}

fn with_head(document: &TariffDocument, code: &str, from: NaiveDate, locale: Locale) -> Fields {
    let mut fields = fill(document, locale);
    fields.set("code", code);
    fields.set("effective_from", from);
    fields
}

async fn shown(
    ctx: Ctx,
    at: AtClient,
    mut tx: Tenant,
    client: Client,
    draft: Option<Tariff>,
    fresh: Fields,
) -> Result<Response, AppError> {
    let Typed { values, errors, .. } = ctx.take_typed().await;
    let fields = if values.is_empty() { fresh } else { Fields::from_pairs(&values) };
    let side = side(&at, &mut tx, &client, &fields).await?;
    drop(tx);
    let path = format!("{}/tariffs", at.base());
    let cancel = draft.as_ref().map_or_else(|| path.clone(), |draft| format!("{path}/{}", draft.id));
    let seen = draft.as_ref().map(tariffs::digest).unwrap_or_default();
    let theirs = draft.as_ref().filter(|_| fields.has(seen::FIELD) && fields.get(seen::FIELD) != seen);
    let theirs = theirs.map(|draft| theirs_beside(draft, &read(&fields, &client).0)).transpose()?;
    let hidden = vec![
        ("client".to_owned(), client.id.to_string()),
        ("tariff".to_owned(), draft.as_ref().map(|draft| draft.id.to_string()).unwrap_or_default()),
        (seen::FIELD.to_owned(), if fields.has(seen::FIELD) { fields.get(seen::FIELD).to_owned() } else { seen }),
        ("page".to_owned(), ctx.uri.clone()),
    ];
    let title = match &draft {
        Some(draft) => format!("Design {} version {}", draft.code, draft.version),
        None => "Design a tariff".to_owned(),
    };
    let place: Place = at.place(&[("Tariffs", "tariffs")], &title);
    let context = at.actor.context_token();
    let shown = Shown { fields, errors, draft, side, theirs, client, context, hidden, cancel };
    let html = page(&ctx, &at.actor, place, title.clone(), move || designer(title, shown)).await;
    Ok(html.into_response())
}

/// What somebody else saved in the draft meanwhile beside what the form holds, with the button that saves over it.
fn theirs_beside(draft: &Tariff, yours: &Design) -> Result<AnyView, AppError> {
    let mut rows = Rows::new();
    if draft.effective_from != yours.effective_from {
        let (mine, theirs) = (yours.effective_from.to_string(), draft.effective_from.to_string());
        rows.row(|row| {
            row.name("Applies from").prose(&mine).prose(&theirs);
        });
    }
    let or_none = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
    for change in difference(&draft.document()?, &yours.document) {
        rows.row(|row| {
            row.name(&change.what).prose(&or_none(&change.after)).prose(&or_none(&change.before));
        });
    }
    let columns = vec![Column::text("What"), Column::text("Yours"), Column::text("Theirs, saved now")];
    let table = view! { <DataTable caption="Yours and theirs" columns=columns rows=rows/> };
    Ok(save_over(table.into_any(), tariffs::digest(draft)).into_any())
}

/// The example and the changes that belong to what the form holds.
async fn side(at: &AtClient, tx: &mut Tenant, client: &Client, fields: &Fields) -> Result<example::Side, AppError> {
    let (mut design, faults) = read(fields, client);
    design.code = tariffs::spelling(tx, &design.code).await?;
    let active = tariffs::version_for(tx, &design.code, client.today()).await?;
    let base = active.as_ref().and_then(|version| version.document().ok());
    // A code, a name or a day still to be typed does not keep the bill from being worked out.
    let ready = faults.0.iter().all(|(field, _)| read::HEAD.contains(&field.as_str()));
    let example = if ready {
        let here = eis::db::AtClient::of(&at.actor)?;
        let name = if design.document.name.is_empty() { "Draft".to_owned() } else { design.document.name.clone() };
        let named = TariffDocument { name, ..design.document.clone() };
        Some(example::example(tx, &here, client, fields, &named, base.as_ref()).await?)
    } else {
        None
    };
    let changes = active.zip(base).map(|(version, base)| {
        (format!("version {}, which is active", version.version), difference(&base, &design.document))
    });
    let month = example::month(fields, client.today());
    let warnings = design.document.warnings(client.today()).iter().map(ToString::to_string).collect();
    Ok(example::Side { example, faults, warnings, changes, locale: Locale::from(client.locale.as_str()), month })
}

fn designer(title: String, shown: Shown) -> impl IntoView {
    let Shown { fields, errors, draft, side, theirs, client, context, hidden, cancel } = shown;
    let summary = errors.0.iter().map(|(field, message)| FieldError { field: field.clone(), message: message.clone() });
    let summary = summary.collect::<Vec<_>>();
    let ask = ask::Ask { fields: &fields, errors: &errors, currency: &client.currency };
    let code = if draft.is_some() {
        ask.carry("code")
    } else {
        ask.text(
            "code",
            "Code",
            "What agreements call it, like RES-1. A code that is there already gets its next version.",
            "w10",
        )
    };
    let from = (fields.get("effective_from").to_owned(), errors.of("effective_from"));
    let clocks = [("daylight_saving", "Daylight saving, as on the wall"), ("standard", "Standard time all year")];
    let save = if draft.is_some() { "Save draft" } else { "Create draft" };
    let head = view! {
        <div class="fields">
            {code}
            {ask.text("name", "Name", "As it stands on the bill.", "w20")}
            <DateField name="effective_from" label="Applies from" value=from.0 error=from.1/>
        </div>
        {ask.lines("description", "Description", "", 2)}
        <details class="behind">
            <summary>"Time zone and clock"</summary>
            <div class="fields">
                {ask.text("zone", "Time zone", "", "w20")}
                {ask.choice("clock", "Hours follow", &clocks)}
            </div>
        </details>
    }
    .into_any();
    let (calendars, charges, side) = (calendar::calendars(&ask), charges::charges(&ask), example::side(&ask, side));
    view! {
        <PageHeader title=title/>
        <ErrorSummary errors=summary/>
        <PostForm action="/api/save_tariff" context=context hidden=hidden class="designer">
            <div class="stack">
                <div class="actions">
                    <Button label=save name="do" value="save"/>
                    <ButtonLink label="Cancel" href=cancel kind=Kind::Secondary/>
                </div>
                <Section title="Tariff">{head}</Section>
                <Section title="Hours and seasons">{calendars}</Section>
                {charges}
                <div class="actions"><Button label=save name="do" value="save"/></div>
                {theirs}
            </div>
            {side}
        </PostForm>
    }
}

/// The form as it comes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DesignForm {
    /// Every field.
    #[serde(flatten)]
    fields: Fields,
}

/// Saves the form as a new draft or over one; any other button changes the form and saves nothing.
#[server(prefix = "/api", endpoint = "save_tariff")]
pub(crate) async fn save_tariff(client: String, #[server(flatten)] form: DesignForm) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageTariffs, &client)?;
        let (at, _) = actor.tenant()?;
        let mut fields = form.fields;
        let path = format!("/clients/{at}/tariffs");
        let mut tx = ctx.write(&actor).await?;
        let client = clients::current(&tx).await?;
        let action = fields.get("do").to_owned();
        if action != "save" && !action.is_empty() {
            fields.apply(&action);
            let page = own_path(fields.get("page"), &format!("{path}/new"));
            let kept = Typed {
                page: page.clone(),
                context: actor.context_token(),
                values: fields.pairs(),
                ..Typed::default()
            };
            ctx.keep_typed(kept).await;
            return Ok(Done::to(page));
        }
        let (design, mut faults) = read(&fields, &client);
        days::announced(&mut faults, "effective_from", Some(design.effective_from), client.today());
        let design = faults.or(design)?;
        let new = NewTariff { code: &design.code, document: &design.document, effective_from: design.effective_from };
        let (id, version) = match fields.get("tariff") {
            "" => tariffs::create(&mut tx, &new).await.map_err(messages::of_draft)?,
            id => {
                let id: TariffRateId = id.parse().map_err(|_| AppError::NotFound)?;
                let seen = seen::seen_or_over(&ctx.sent);
                (id, tariffs::revise(&mut tx, id, seen, &new).await.map_err(messages::of_draft)?.version)
            }
        };
        let say = format!("Draft of version {version} saved. Activate it on its page when it is right.");
        Done::to(format!("{path}/{id}/design")).saying(say).commit(&ctx, tx).await
    })
    .await
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;

    use chrono_tz::Tz;
    use eis::parties::clients::Client;
    use eis::tariff_document::{self, TariffDocument};
    use eis::values::ids::{ClientId, OrganizationId};
    use rust_decimal::Decimal;

    /// The documentation's examples, and the rates of the reference that are URDB's.
    pub(super) fn examples() -> Vec<(String, TariffDocument)> {
        let read = |path: std::path::PathBuf| {
            let text = fs::read_to_string(&path).unwrap();
            (path.file_name().unwrap().to_string_lossy().into_owned(), tariff_document::read(&text, Tz::UTC).unwrap())
        };
        let folders = ["docs/tariffs", "end2end/reference/urdb"];
        let files = folders.map(|folder| fs::read_dir(format!("{}/../{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap());
        let found: Vec<_> = files.into_iter().flatten().map(|file| read(file.unwrap().path())).collect();
        assert!(found.len() >= 12);
        found
    }

    pub(in crate::pages::admin::tariffs) fn client() -> Client {
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
            zone: eis::parties::clients::ClientZone(Tz::America__New_York),
        }
    }
}
