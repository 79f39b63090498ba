//! Readings of a register meter: what there is, and entering one.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use eis::access::Permission;
use eis::db::DbError;
use eis::figures::Unit;
use eis::ids::{CustomerId, MeterId};
use eis::meter_readings::{self, MeterReading, NewReading, QUALITIES, ReadingError, Recorded, Violation};
use eis::meters::{self, Meter};
use leptos::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::customers;
use super::imports::PageQuery;
use crate::components::{
    Button, ButtonLink, Choice, Column, DataTable, DateField, EmptyState, ErrorSummary, Field, Kind, PageHeader,
    Pagination, PostForm, Rows, Section, SelectField, TextArea, changed_meanwhile,
};
use crate::format::{self, Locale};
use crate::forms::seen::{self, Shown};
use crate::forms::{self, FieldErrors, Figure, Reader, Typed};
use crate::messages;
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, PAGE_ROWS, address, field_errors, rows_text, turns};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client, see_other};
use crate::server::query::Query;

/// The most kWh, and kW, of a reading.
const MOST: Decimal = Decimal::from_parts(99_999_999, 0, 0, false, 0);
/// The energy of a reading.
const KWH: Figure<'_> =
    Figure { what: "the energy used", unit: Unit::Named("kWh"), least: Decimal::ZERO, most: MOST, places: 3 };

/// `GET /clients/:client/customers/:customer/meters/:meter/readings`
pub async fn list(
    ctx: Ctx,
    Path((client, customer, meter)): Path<(String, String, String)>,
    Query(query): Query<PageQuery>,
) -> Result<Response, AppError> {
    let (at, mut tx) = AtClient::open(&ctx, Permission::ImportUsage, &client).await?;
    let customer = customers::find(&mut tx, &at, &customer).await?;
    let id: MeterId = meter.parse().map_err(|_| AppError::NotFound)?;
    let meter = super::meters::of_customer(&mut tx, &at, customer.id, id).await?;
    let offset = query.offset();
    let (rows, total) = meter_readings::list(&mut tx, &meter, offset, PAGE_ROWS).await?;
    let next = meter_readings::list(&mut tx, &meter, 0, 1).await?.0.pop().map_or(meter.valid_from, |last| last.to_on);
    let typed = ctx.take_typed().await;
    let asked = typed.value("from_on", "").parse().ok().zip(typed.value("to_on", "").parse().ok());
    let there = match asked {
        Some((from, to)) => meter_readings::of_days(&mut tx, &meter, from, to).await?,
        None => None,
    };
    let shown = shown(meter_readings::recorded(&mut tx, &meter).await?, there.as_ref(), at.locale())?;
    drop(tx);
    let periods: Vec<_> = rows.iter().map(MeterReading::periods).collect::<Result<_, _>>().map_err(DbError::from)?;
    let back = format!("{}/customers/{}", at.base(), customer.id);
    let path = format!("{back}/meters/{}/readings", meter.id);
    if rows.is_empty() && offset > 0 {
        return Ok(see_other(&path));
    }
    let locale = at.locale();
    let title = format!("Readings of meter {}", meter.serial);
    let place =
        at.place(&[("Customers", "customers"), (&customer.name, &format!("customers/{}", customer.id))], &meter.serial);
    let hidden = vec![
        ("client".to_owned(), at.client.id.to_string()),
        ("customer".to_owned(), customer.id.to_string()),
        ("meter".to_owned(), meter.id.to_string()),
        ("page".to_owned(), path.clone()),
        shown.hidden(&typed),
    ];
    let import = format!("{}/imports/new", at.base());
    let (context, today) = (at.actor.context_token(), meter.today());
    let html = page(&ctx, &at.actor, place, title.clone(), move || {
        let summary = rows_text(offset, rows.len(), total, "readings", locale);
        let [first, previous, later] = turns(offset, PAGE_ROWS, total, |to| address(&path, &[("offset", to)]));
        let there = (!rows.is_empty()).then(|| {
            view! {
                <Section title="Readings">
                    {table(&rows, &periods, locale)}
                    <Pagination summary=summary first=first previous=previous next=later/>
                </Section>
            }
        });
        let entering = if is_read(&meter) {
            form(typed, &shown, next, today, context, hidden, &back).into_any()
        } else {
            let href = address(&import, &[("meter", &meter.serial)]);
            view! { <EmptyState title="This meter tells its values itself" text="It measures in intervals: import the file with its usage." action="Import usage" href=href/> }.into_any()
        };
        view! {
            <PageHeader title=title subtitle=customer.name/>
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

fn table(rows: &[MeterReading], periods: &[BTreeMap<String, Decimal>], locale: Locale) -> impl IntoView + use<> {
    // Columns that no reading fills are left out.
    let by_period = periods.iter().any(|shares| !shares.is_empty());
    let demand = rows.iter().any(|reading| reading.peak_kw.is_some());
    let mut table = Rows::new();
    for (reading, shares) in rows.iter().zip(periods) {
        let last = reading.to_on.pred_opt().unwrap_or(reading.to_on);
        let who = QUALITIES.iter().find(|(code, _)| *code == reading.quality).map_or("", |(_, label)| *label);
        table.row(|cells| {
            cells.name(&format::date_range(reading.from_on, last, locale)).kwh(reading.kwh, locale);
            if by_period {
                let shares = shares.iter().map(|(name, kwh)| format!("{name} {}", format::kwh(*kwh, locale)));
                cells.text(&shares.collect::<Vec<_>>().join(", "));
            }
            if demand {
                cells.number(&reading.peak_kw.map_or_else(|| "–".to_owned(), |kw| format::kwh(kw, locale)));
            }
            cells.text(who);
        });
    }
    let columns = [Column::text("Days"), Column::number("Used", "kWh")]
        .into_iter()
        .chain(by_period.then(|| Column::text("By period")))
        .chain(demand.then(|| Column::number("Highest demand", "kW")))
        .chain([Column::text("Reading")])
        .collect::<Vec<_>>();
    view! { <DataTable caption="Readings" columns=columns rows=table/> }
}

/// A meter's readings as the form saw them: how many were ever recorded, and the one of the days typed, if there is one.
fn shown(recorded: i64, there: Option<&MeterReading>, locale: Locale) -> Result<Shown, DbError> {
    let periods = there.map(MeterReading::periods).transpose()?.unwrap_or_default();
    let periods: Vec<String> =
        periods.iter().map(|(name, kwh)| format!("{name} {}", format::field(*kwh, locale))).collect();
    let figure = |figure: Option<Decimal>| figure.map(|figure| format::field(figure, locale)).unwrap_or_default();
    Ok(Shown::default()
        .field("recorded", "Readings recorded", recorded)
        .field("kwh", "Used, kWh", figure(there.map(|there| there.kwh)))
        .field("kwh_by_period", "Used by period", periods.join("\n"))
        .field("peak_kw", "Highest demand, kW", figure(there.and_then(|there| there.peak_kw)))
        .choice("quality", "Reading", there.map(|there| there.quality.clone()).unwrap_or_default(), QUALITIES))
}

/// A reading for days that have one already corrects that one, and no other than the form's page showed.
async fn unchanged(
    tx: &mut eis::db::Tenant,
    ctx: &Ctx,
    meter: &Meter,
    reading: &NewReading,
    locale: Locale,
) -> Result<(), AppError> {
    meters::locked(tx, meter.client_id, meter.id).await?;
    let Some(there) = meter_readings::of_days(tx, meter, reading.from_on, reading.to_on).await? else { return Ok(()) };
    let recorded = meter_readings::recorded(tx, meter).await?;
    if seen::names(&ctx.sent, "recorded", &recorded.to_string()) {
        return Ok(());
    }
    Ok(seen::unchanged(&ctx.sent, &shown(recorded, Some(&there), locale)?)?)
}

fn form(
    typed: Typed,
    shown: &Shown,
    next: NaiveDate,
    today: NaiveDate,
    context: String,
    hidden: Vec<(String, String)>,
    back: &str,
) -> impl IntoView + use<> {
    let qualities: Vec<Choice> = QUALITIES.iter().map(|(code, label)| Choice::new(*code, *label)).collect();
    let back = back.to_owned();
    let changed = changed_meanwhile(&typed, shown);
    view! {
        <ErrorSummary errors=field_errors(&typed)/>
        <PostForm action="/api/record_reading" context=context hidden=hidden class="form">
            <DateField name="from_on" label="First day" hint="As a rule the day of the reading before. The same days again correct what is there." value=typed.value("from_on", next.to_string()) error=typed.error("from_on")/>
            <DateField name="to_on" label="Read on" hint="The usage is that of the days before this one." value=typed.value("to_on", today.to_string()) error=typed.error("to_on")/>
            <Field name="kwh" label="Used" unit="kWh" inputmode="decimal" width="w10" hint="What the register advanced since the reading before." value=typed.value("kwh", "") error=typed.error("kwh")/>
            <TextArea name="kwh_by_period" label="Used by time-of-use period" rows=3 hint="Where the meter has several registers: one a line, as the tariff names its periods, like on-peak 120.5. They add up to what was used." value=typed.value("kwh_by_period", "") error=typed.error("kwh_by_period") optional=true/>
            <Field name="peak_kw" label="Highest demand" unit="kW" inputmode="decimal" width="w10" value=typed.value("peak_kw", "") error=typed.error("peak_kw") optional=true/>
            <SelectField name="quality" label="Reading" choices=qualities value=typed.value("quality", "actual") error=typed.error("quality")/>
            <div class="actions"><Button label="Record reading"/><ButtonLink label="Back to the customer" href=back kind=Kind::Secondary/></div>
            {changed}
        </PostForm>
    }
}

/// What was typed to record a reading.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ReadingForm {
    from_on: String,
    to_on: String,
    kwh: String,
    kwh_by_period: String,
    peak_kw: String,
    quality: String,
}

impl ReadingForm {
    fn read(&self, locale: Locale) -> Result<NewReading, FieldErrors> {
        let mut reader = Reader::default();
        let from = reader.date("from_on", &self.from_on, "the first day");
        let to = reader.date("to_on", &self.to_on, "the day of the reading");
        let kwh = reader.figure("kwh", &self.kwh, locale, KWH);
        let peak_kw = if self.peak_kw.trim().is_empty() {
            None
        } else {
            let asked = Figure { what: "the highest demand", unit: Unit::Named("kW"), ..KWH };
            reader.figure("peak_kw", &self.peak_kw, locale, asked)
        };
        let kwh_by_period = by_period(&self.kwh_by_period, locale).unwrap_or_else(|fault| {
            reader.errors.add("kwh_by_period", fault);
            BTreeMap::new()
        });
        let quality = reader.choice("quality", &self.quality, "who read it", &QUALITIES.map(|(code, _)| code));
        reader.errors.or(NewReading {
            from_on: from.unwrap_or_default(),
            to_on: to.unwrap_or_default(),
            kwh: kwh.unwrap_or_default(),
            kwh_by_period,
            peak_kw,
            quality: quality.to_owned(),
        })
    }
}

/// Energy by period, one a line.
fn by_period(typed: &str, locale: Locale) -> Result<BTreeMap<String, Decimal>, String> {
    let mut found = BTreeMap::new();
    for line in typed.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let Some((name, figure)) = name_and_figure(line, locale)? else {
            return Err(format!("“{line}” is not a period and its kWh, like on-peak: {}.", example(locale)));
        };
        let kwh = forms::figure(figure, locale, Figure { what: &format!("the energy of {name}"), ..KWH })?;
        if found.insert(name.to_owned(), kwh).is_some() {
            return Err(format!("{name} is there twice."));
        }
    }
    Ok(found)
}

fn example(locale: Locale) -> String {
    format::field(Decimal::new(1205, 1), locale)
}

/// A period and what stands for its energy: after a colon, or after the last space where that parts nothing that could
/// be one figure.
fn name_and_figure(line: &str, locale: Locale) -> Result<Option<(&str, &str)>, String> {
    let parts = match line.rsplit_once(':') {
        Some((name, figure)) => Some((name.trim(), figure.trim())),
        None => {
            let bare = line.strip_suffix("kWh").map_or(line, str::trim_end);
            bare.rsplit_once([' ', '\t']).map(|(name, figure)| (name.trim(), figure))
        }
    };
    let Some((name, figure)) = parts.filter(|(name, figure)| !name.is_empty() && !figure.is_empty()) else {
        return Ok(None);
    };
    let word = name.rsplit([' ', '\t']).next().unwrap_or(name);
    if !line.contains(':') && forms::figure(&format!("{word} {figure}"), locale, KWH).is_ok() {
        return Err(format!("“{line}” could be {word} {figure} kWh or {figure} kWh. Put a colon before the figure."));
    }
    Ok(Some((name, figure)))
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
    meter: String,
    #[server(flatten)] form: ReadingForm,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ImportUsage, &client)?;
        let id: MeterId = meter.parse().map_err(|_| AppError::NotFound)?;
        let (at, organization) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        let owner = eis::clients::face(&tx, organization, at).await?.ok_or(AppError::Forbidden)?;
        let locale = Locale::from(owner.locale.as_str());
        let meter = meters::find(&mut tx, at, id).await?.ok_or(AppError::NotFound)?;
        let reading = form.read(locale)?;
        unchanged(&mut tx, &ctx, &meter, &reading, locale).await?;
        let recorded = meter_readings::create(&mut tx, &actor, id, &reading).await;
        let Recorded { meter, corrects, .. } = recorded.map_err(|refused| told(refused, locale))?;
        let days = format::date_range(reading.from_on, reading.to_on.pred_opt().unwrap_or(reading.to_on), locale);
        let said = format!("{} kWh of meter {} for {days}", format::kwh(reading.kwh, locale), meter.serial);
        // Back to the customer from whom one came.
        let there = meters::customer(&mut tx, &meter).await?;
        let customer = customer.parse::<CustomerId>().ok().or(there).ok_or(AppError::NotFound)?;
        Done::to(format!("/clients/{at}/customers/{customer}/meters/{id}/readings"))
            .saying(format!("{}: {said}.", if corrects { "Reading corrected" } else { "Reading recorded" }))
            .commit(&ctx, tx)
            .await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_a_line_each() {
        let of = by_period;
        let told = |typed: &str, locale| {
            let found = of(typed, locale).unwrap();
            found.into_iter().map(|(name, kwh)| format!("{name}={kwh}")).collect::<Vec<_>>()
        };
        assert_eq!(told("on-peak 4.5\r\n\r\n off peak: 5.5 ", Locale::EnUs), ["off peak=5.5", "on-peak=4.5"]);
        assert_eq!(told("HT 4,5 kWh\nNT: 5,5", Locale::DeDe), ["HT=4.5", "NT=5.5"]);
        assert_eq!(of("", Locale::EnUs), Ok(BTreeMap::new()));
        for (typed, fault) in [
            ("on-peak", "“on-peak” is not a period"),
            ("12", "“12” is not a period"),
            ("a -1", "Enter the energy of a between 0"),
            ("a 1.0001", "Enter the energy of a with at most three decimals"),
            ("a 1,5\nb 9", "“1,5” could be 1.5 or 15"),
            ("a 5\na 5", "a is there twice"),
            ("rate 1 234\nb 5", "“rate 1 234” could be 1 234 kWh or 234 kWh"),
            ("a 5 MWh\nb 5", "Enter the energy of a 5 as a number"),
        ] {
            assert!(of(typed, Locale::EnUs).unwrap_err().starts_with(fault), "{typed}");
        }
    }
}
