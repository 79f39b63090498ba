//! Readings of a register meter: what stands on its registers, and entering what stands there now.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use eis::access::Permission;
use eis::db::Tenant;
use eis::metering::meter_readings::{self, NewReading, QUALITIES, Reading, ReadingError, Recorded, Used, Violation};
use eis::metering::meters::{self, Meter};
use eis::metering::registers::{self, Register};
use eis::values::figures::Unit;
use eis::values::ids::{CustomerId, MeterId, RegisterId};
use leptos::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::imports::PageQuery;
use super::meters::Around;
use super::records;
use crate::components::{
    Button, ButtonLink, Choice, Column, DataTable, DateField, EmptyState, ErrorSummary, Field, Kind, PageHeader,
    Pagination, PostForm, Rows, Section, SelectField, changed_meanwhile,
};
use crate::format::{self, Locale};
use crate::forms::seen::{self, Shown};
use crate::forms::{self, FieldErrors, Figure, Reader, Typed};
use crate::messages;
use crate::messages::readings::field;
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, PAGE_ROWS, address, field_errors, rows_text, turns};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client, see_other};
use crate::server::query::Query;

/// More than any register shows: what a register shows is told by the business.
const MOST: Decimal = Decimal::from_parts(1_410_065_407, 2, 0, false, 0);

/// What a register is called beside others: `HT`, `Highest demand`; one that stands alone is not called anything.
fn called(register: &Register) -> String {
    match (register.is_energy(), register.name.as_str()) {
        (true, name) => name.to_owned(),
        (false, "") => "Highest demand".to_owned(),
        (false, name) => format!("Highest demand {name}"),
    }
}

/// The label of a register's figure.
fn label(register: &Register) -> String {
    match called(register).as_str() {
        "" => "Figure on the register".to_owned(),
        name if register.is_energy() => format!("Figure on register {name}"),
        name => name.to_owned(),
    }
}

/// `GET /clients/:client/customers/:customer/meters/:meter/readings`
pub async fn list(
    ctx: Ctx,
    Path((client, customer, meter)): Path<(String, String, String)>,
    Query(query): Query<PageQuery>,
) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ImportUsage, &client).await?;
    let customer = records::customer(&tx, &customer).await?;
    let id: MeterId = meter.parse().map_err(|_| AppError::NotFound)?;
    let meter = super::meters::of_customer(&tx, customer.id, id).await?;
    let around = Around::customer(&at, &customer, &meter);
    readings_page(ctx, at, tx, (meter, around), query).await
}

/// `GET /clients/:client/service-points/:service_point/meters/:meter/readings`: also where nobody was ever supplied.
pub async fn list_at_place(
    ctx: Ctx,
    Path((client, place, meter)): Path<(String, String, String)>,
    Query(query): Query<PageQuery>,
) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ImportUsage, &client).await?;
    let there = super::meters::at_place(&tx, &at, &place, &meter).await?;
    readings_page(ctx, at, tx, there, query).await
}

async fn readings_page(
    ctx: Ctx,
    at: AtClient,
    tx: Tenant,
    (meter, around): (Meter, Around),
    query: PageQuery,
) -> Result<Response, AppError> {
    let counted = registers::of_meters(&tx, &[meter.id]).await?;
    let readings = meter_readings::list(&tx, &meter).await?;
    let typed = ctx.take_typed().await;
    let asked = forms::day(&typed.value("read_on", ""));
    let there = asked.and_then(|day| readings.iter().find(|reading| reading.read_on == day));
    let recorded = meter_readings::recorded(&tx, &meter).await?;
    let shown = shown(recorded, &counted, there, at.locale());
    drop(tx);
    let back = format!("{}/{}", at.base(), around.crumb);
    let path = format!("{back}/meters/{}/readings", meter.id);
    let (offset, total) = (query.offset(), i64::try_from(readings.len()).unwrap_or(i64::MAX));
    let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
    let rows: Vec<Reading> =
        readings.iter().skip(skipped).take(usize::try_from(PAGE_ROWS).unwrap_or(0)).cloned().collect();
    if rows.is_empty() && offset > 0 {
        return Ok(see_other(&path));
    }
    let locale = at.locale();
    let title = format!("Readings of meter {}", meter.serial);
    let hidden = vec![
        ("client".to_owned(), at.client.id.to_string()),
        around.whose,
        ("meter".to_owned(), meter.id.to_string()),
        ("page".to_owned(), path.clone()),
        shown.hidden(&typed),
    ];
    let import = format!("{}/imports/new", at.base());
    let (context, today) = (at.actor.context_token(), meter.today().to_string());
    let last = readings.into_iter().next();
    let html = page(&ctx, &at.actor, around.trail, title.clone(), move || {
        let summary = rows_text(offset, rows.len(), total, "readings", locale);
        let [first, previous, later] = turns(offset, PAGE_ROWS, total, |to| address(&path, &[("offset", to)]));
        let table = table(&rows, &counted, locale);
        let there = (!rows.is_empty()).then(|| {
            view! {
                <Section title="Readings">
                    {table}
                    <Pagination summary=summary first=first previous=previous next=later/>
                </Section>
            }
        });
        let entering = if is_read(&meter) {
            let fields = figures(&typed, &counted, last.as_ref(), locale);
            form(typed, &shown, fields, &today, context, hidden, (&back, around.back)).into_any()
        } else {
            let href = address(&import, &[("meter", &meter.serial)]);
            view! { <EmptyState title="This meter tells its values itself" text="It measures in intervals: import the file with its usage." action="Import usage" href=href/> }.into_any()
        };
        view! {
            <PageHeader title=title subtitle=around.subtitle/>
            <div class="stack">
                {entering}
                {there}
            </div>
        }
    })
    .await;
    Ok(html.into_response())
}

/// Whether people read a meter; an interval meter tells its values itself.
fn is_read(meter: &Meter) -> bool {
    meter.kind == "register"
}

fn table(rows: &[Reading], counted: &[Register], locale: Locale) -> impl IntoView + use<> {
    // Columns that no reading fills are left out.
    let by_period = rows.iter().filter_map(|reading| reading.used.as_ref()).any(|used| used.kwh_by_period.len() > 1);
    let mut table = Rows::new();
    for reading in rows {
        let who = QUALITIES.iter().find(|(code, _)| *code == reading.quality).map_or("", |(_, label)| *label);
        table.row(|cells| {
            cells.name(&format::date(reading.read_on, locale));
            for register in counted {
                let figure = reading.figures.get(&register.id).copied();
                cells.number(&figure.map_or_else(|| "–".to_owned(), |figure| shown_figure(register, figure, locale)));
            }
            match &reading.used {
                Some(used) => cells.kwh(used.kwh, locale).line(&days(used, locale)),
                None => cells.number("–").empty(),
            };
            if by_period {
                cells.text(&reading.used.as_ref().map(|used| shares(used, locale)).unwrap_or_default());
            }
            cells.text(who);
        });
    }
    let figures = counted.iter().map(|register| {
        let name = called(register);
        Column::number(if name.is_empty() { "Figure".to_owned() } else { name }, register.unit())
    });
    let columns = std::iter::once(Column::text("Read on"))
        .chain(figures)
        .chain([Column::number("Used", "kWh"), Column::text("Days")])
        .chain(by_period.then(|| Column::text("By period")))
        .chain([Column::text("Reading")])
        .collect::<Vec<_>>();
    view! { <DataTable caption="Readings" columns=columns rows=table/> }
}

/// A figure with the decimals that its register shows.
fn shown_figure(register: &Register, figure: Decimal, locale: Locale) -> String {
    let shown = u32::try_from(register.decimals).unwrap_or(0).max(figure.normalize().scale());
    format::number(figure, shown, locale)
}

/// The days of some usage.
fn days(used: &Used, locale: Locale) -> String {
    format::date_range(used.from_on, used.to_on.pred_opt().unwrap_or(used.to_on), locale)
}

fn shares(used: &Used, locale: Locale) -> String {
    let share = |(name, kwh): (&String, &Decimal)| format!("{name} {}", format::kwh(*kwh, locale));
    used.kwh_by_period.iter().map(share).collect::<Vec<_>>().join(", ")
}

/// A meter's readings as the form saw them: how many figures were ever recorded, and the reading of the day typed, if there
/// is one.
fn shown(recorded: i64, counted: &[Register], there: Option<&Reading>, locale: Locale) -> Shown {
    let mut shown = Shown::default().field("recorded", "Figures recorded", recorded);
    for register in counted {
        let figure = there.and_then(|there| there.figures.get(&register.id));
        let figure = figure.map(|figure| format::field(*figure, locale)).unwrap_or_default();
        shown = shown.field(field(&register.measures, &register.name), label(register), figure);
    }
    shown.choice("quality", "Reading", there.map(|there| there.quality.clone()).unwrap_or_default(), QUALITIES)
}

/// A reading of a day that has one already corrects that one, and no other than the form's page showed.
async fn unchanged(
    tx: &mut Tenant,
    ctx: &Ctx,
    meter: &Meter,
    counted: &[Register],
    (reading, locale): (&NewReading, Locale),
) -> Result<(), AppError> {
    meters::locked(tx, meter.id).await?;
    let readings = meter_readings::list(tx, meter).await?;
    let Some(there) = readings.iter().find(|there| there.read_on == reading.read_on) else { return Ok(()) };
    let recorded = meter_readings::recorded(tx, meter).await?;
    if seen::names(&ctx.sent, "recorded", &recorded.to_string()) {
        return Ok(());
    }
    Ok(seen::unchanged(&ctx.sent, &shown(recorded, counted, Some(there), locale))?)
}

/// A field for each register, which tells where it stood last.
fn figures(typed: &Typed, counted: &[Register], last: Option<&Reading>, locale: Locale) -> Vec<AnyView> {
    let one = |register: &Register| {
        let name = field(&register.measures, &register.name);
        let before = last.and_then(|last| Some((last.read_on, *last.figures.get(&register.id)?)));
        let hint = match before {
            Some((on, figure)) => {
                let (figure, on) = (shown_figure(register, figure, locale), format::date(on, locale));
                format!("{figure} {} on {on}.{}", register.unit(), times(register, locale))
            }
            None => format!("The first figure: usage is counted from it on.{}", times(register, locale)),
        };
        let (value, error) = (typed.value(&name, ""), typed.error(&name));
        let (label, unit) = (label(register), register.unit());
        view! { <Field name=name label=label unit=unit inputmode="decimal" width="w10" hint=hint value=value error=error/> }
            .into_any()
    };
    counted.iter().map(one).collect()
}

/// What a unit on a register stands for, where it is not itself.
fn times(register: &Register, locale: Locale) -> String {
    if register.multiplier == Decimal::ONE {
        return String::new();
    }
    format!(" A unit stands for {} {}.", format::field(register.multiplier, locale), register.unit())
}

fn form(
    typed: Typed,
    shown: &Shown,
    figures: Vec<AnyView>,
    today: &str,
    context: String,
    hidden: Vec<(String, String)>,
    (back, to): (&str, &'static str),
) -> impl IntoView + use<> {
    let qualities: Vec<Choice> = QUALITIES.iter().map(|(code, label)| Choice::new(*code, *label)).collect();
    let (back, today) = (back.to_owned(), today.to_owned());
    let changed = changed_meanwhile(&typed, shown);
    view! {
        <ErrorSummary errors=field_errors(&typed)/>
        <PostForm action="/api/record_reading" context=context hidden=hidden class="form">
            <DateField name="read_on" label="Read on" hint="The figures hold at the beginning of this day: usage is that of the days before it. The same day again corrects what is there." value=typed.value("read_on", today) error=typed.error("read_on")/>
            {figures}
            <SelectField name="quality" label="Reading" choices=qualities value=typed.value("quality", "actual") error=typed.error("quality")/>
            <div class="actions"><Button label="Record reading"/><ButtonLink label=to href=back kind=Kind::Secondary/></div>
            {changed}
        </PostForm>
    }
}

/// What was typed to record a reading.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ReadingForm {
    read_on: String,
    quality: String,
    /// A field for each register.
    #[serde(flatten)]
    figures: BTreeMap<String, String>,
}

impl ReadingForm {
    fn read(&self, counted: &[Register], locale: Locale) -> Result<NewReading, FieldErrors> {
        let mut reader = Reader::default();
        let read_on = reader.date("read_on", &self.read_on, "the day of the reading");
        let quality = reader.choice("quality", &self.quality, "who read it", &QUALITIES.map(|(code, _)| code));
        let mut figures: BTreeMap<RegisterId, Decimal> = BTreeMap::new();
        for register in counted {
            let name = field(&register.measures, &register.name);
            let typed = self.figures.get(&name).map(String::as_str).unwrap_or_default();
            // What is left out is told by the business.
            if typed.trim().is_empty() {
                continue;
            }
            let what = if register.is_energy() { "what the register shows" } else { "the highest demand" };
            let asked =
                Figure { what, unit: Unit::Named(register.unit()), least: Decimal::ZERO, most: MOST, places: 3 };
            figures.extend(reader.figure(&name, typed, locale, asked).map(|figure| (register.id, figure)));
        }
        reader.errors.or(NewReading { read_on: read_on.unwrap_or_default(), quality: quality.to_owned(), figures })
    }
}

/// The page of an interval meter has no form to tell a fault at.
fn told(refused: ReadingError, locale: Locale) -> AppError {
    match refused {
        ReadingError::Violated(found) if found.contains(&Violation::IntervalMeter) => {
            AppError::Conflict(messages::readings::INTERVAL_METER.to_owned())
        }
        refused => messages::told(refused, |violation| messages::readings::words(violation, locale)),
    }
}

/// Records a reading of a register meter.
#[server(prefix = "/api", endpoint = "record_reading")]
pub(crate) async fn record_reading(
    client: String,
    #[server(default)] customer: String,
    #[server(default)] service_point: String,
    meter: String,
    #[server(flatten)] form: ReadingForm,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ImportUsage, &client)?;
        let id: MeterId = meter.parse().map_err(|_| AppError::NotFound)?;
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        let locale = Locale::from(eis::parties::clients::current(&tx).await?.locale.as_str());
        let meter = meters::find(&tx, id).await?.ok_or(AppError::NotFound)?;
        let counted = registers::of_meters(&tx, &[id]).await?;
        let reading = form.read(&counted, locale)?;
        unchanged(&mut tx, &ctx, &meter, &counted, (&reading, locale)).await?;
        let recorded = meter_readings::create(&mut tx, id, &reading).await;
        let Recorded { meter, corrects, used } = recorded.map_err(|refused| told(refused, locale))?;
        let on = format::date(reading.read_on, locale);
        let used = used.map_or_else(String::new, |used| {
            format!(" {} kWh were used from {}.", format::kwh(used.kwh, locale), days(&used, locale))
        });
        // Back to where one came from; a meter is at its service point, whoever has it.
        let place = meter.service_point_id;
        let there = match customer.parse::<CustomerId>() {
            Ok(customer) => format!("customers/{customer}"),
            Err(_) if service_point == place.to_string() => format!("service-points/{place}"),
            Err(_) => match meters::customer(&tx, &meter).await? {
                Some(customer) => format!("customers/{customer}"),
                None => format!("service-points/{place}"),
            },
        };
        let did = if corrects { "Reading corrected" } else { "Reading recorded" };
        Done::to(format!("/clients/{at}/{there}/meters/{id}/readings"))
            .saying(format!("{did}: meter {} on {on}.{used}", meter.serial))
            .commit(&ctx, tx)
            .await
    })
    .await
}
