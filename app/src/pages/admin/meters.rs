//! Meters: the section on a customer's page; add and edit, from there and from a service point's page.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use eis::access::Permission;
use eis::db::Tenant;
use eis::metering::meters::{self, INTERVALS, Meter, MeterFields};
use eis::metering::registers::{self, DEMAND, ENERGY, RegisterFields};
use eis::parties::contracts::{self, Contract};
use eis::parties::customers::Customer;
use eis::parties::service_points::ServicePoint;
use eis::values::figures::Unit;
use eis::values::ids::{CustomerId, MeterId, ServicePointId};
use leptos::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{contracts as contract_pages, records};
use crate::components::{
    Button, ButtonLink, Choice, Column, DataTable, DateField, ErrorSummary, Field, Kind, Notice, PageHeader, PostForm,
    Radios, Section, SelectField, TextArea, changed_meanwhile,
};
use crate::format::{self, Locale};
use crate::forms::seen::{self, Shown};
use crate::forms::{self, FieldErrors, Figure, Reader, Typed};
use crate::messages;
use crate::pages::frame::{Place, page};
use crate::pages::parts::{AtClient, address, field_errors};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client};

/// How a meter measures, in words: `Every 15 minutes`.
pub(super) fn measure(meter: &Meter) -> String {
    match meter.interval_minutes {
        Some(60) => "Every hour".to_owned(),
        Some(minutes) => format!("Every {minutes} minutes"),
        None => "Register".to_owned(),
    }
}

/// Which way a meter counts, in a word.
pub(super) fn direction(code: &str) -> &'static str {
    if code == "export" { "Export" } else { "Import" }
}

/// The meters on the customer's page. `base` is the customer's address, `import` the import form's.
pub fn section(meters: Vec<Meter>, base: &str, import: &str, may_write: bool, locale: Locale) -> impl IntoView + use<> {
    let (base, import) = (base.to_owned(), import.to_owned());
    let (none, may_import) = (meters.is_empty(), !import.is_empty());
    let link = if may_write { "Add meter" } else { "" };
    let add = format!("{base}/meters/new");
    let rows = meters
        .into_iter()
        .map(|meter| {
            let serial = meter.serial.clone();
            let edit = format!("{base}/meters/{}/edit", meter.id);
            let bring = (!import.is_empty()).then(|| {
                let about = format!(" for meter {serial}");
                let (label, href) = if meter.kind == "interval" {
                    ("Import usage", address(&import, &[("meter", &serial)]))
                } else {
                    ("Enter a reading", format!("{base}/meters/{}/readings", meter.id))
                };
                view! { <a href=href>{label}<span class="visually-hidden">{about}</span></a> }
            });
            view! {
                <tr>
                    <th scope="row">
                        {if may_write { view! { <a href=edit>{serial}</a> }.into_any() } else { serial.into_any() }}
                    </th>
                    <td>{direction(&meter.direction)}</td>
                    <td>{measure(&meter)}</td>
                    <td>{meter.registers.join(", ")}</td>
                    <td>{meter.time_zone}</td>
                    <td class="nowrap">{format::date(meter.valid_from, locale)}</td>
                    <td class="nowrap">{meter.valid_to.map_or_else(|| "In service".to_owned(), |to| format::date(to, locale))}</td>
                    {may_import.then(|| view! { <td class="nowrap">{bring}</td> })}
                </tr>
            }
        })
        .collect_view();
    let columns = ["Serial", "Direction", "Measures", "Registers", "Time zone", "From", "Removed"];
    let columns = columns.into_iter().chain(may_import.then_some("Usage")).map(Column::text).collect::<Vec<_>>();
    view! {
        <Section title="Meters" link=link href=add>
            {if none {
                view! { <p>"No meter yet. Usage can be imported once there is one."</p> }.into_any()
            } else {
                view! { <DataTable caption="Meters" columns=columns>{rows}</DataTable> }.into_any()
            }}
        </Section>
    }
}

/// What was typed to make or change a meter.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MeterForm {
    serial: String,
    direction: String,
    measure: String,
    registers: String,
    read_registers: String,
    time_zone: String,
    valid_from: String,
    valid_to: String,
}

impl MeterForm {
    fn read(&self) -> Result<MeterFields, FieldErrors> {
        let mut reader = Reader::default();
        let serial = reader.identifier("serial", &self.serial, "the meter's serial", 60);
        let direction = reader.choice("direction", &self.direction, "a direction", &["import", "export"]);
        let measure =
            reader.choice("measure", &self.measure, "how the meter measures", &["register", "5", "15", "30", "60"]);
        let time_zone = reader.text("time_zone", &self.time_zone, "the meter's time zone", 60);
        let valid_from = reader.date("valid_from", &self.valid_from, "the first day in service");
        let valid_to = reader.optional_date("valid_to", &self.valid_to, "the first day no longer in service");
        let interval_minutes = measure.parse::<i16>().ok();
        reader.errors.or(MeterFields {
            serial,
            direction: direction.to_owned(),
            kind: if interval_minutes.is_some() { "interval" } else { "register" }.to_owned(),
            interval_minutes,
            registers: meters::register_names(&self.registers),
            time_zone,
            valid_from: valid_from.unwrap_or_default(),
            valid_to,
        })
    }
}

impl MeterForm {
    /// The registers that are read: none of a meter that tells its values itself.
    fn read_registers(&self, locale: Locale) -> Result<Vec<RegisterFields>, FieldErrors> {
        let lines = if self.measure == "register" { self.read_registers.as_str() } else { "" };
        register_lines(lines, locale).map_err(|fault| FieldErrors::one("read_registers", fault))
    }
}

/// Registers one a line, as a form shows them: `HT kWh 6 0 1`.
fn written(registers: &[RegisterFields], locale: Locale) -> String {
    let line = |one: &RegisterFields| {
        let (unit, multiplier) = (registers::unit(&one.measures), format::field(one.multiplier, locale));
        format!("{} {unit} {} {} {multiplier}", one.name, one.digits, one.decimals).trim_start().to_owned()
    };
    registers.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Registers one a line: a name where it has one, kWh or kW, whole digits, decimals, multiplier.
fn register_lines(typed: &str, locale: Locale) -> Result<Vec<RegisterFields>, String> {
    typed.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| register_line(line, locale)).collect()
}

fn register_line(line: &str, locale: Locale) -> Result<RegisterFields, String> {
    let no = || {
        format!(
            "“{line}” is not a register. Write a name where it has one, kWh or kW, whole digits, decimals and multiplier: HT kWh 6 0 1."
        )
    };
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name @ .., unit, digits, decimals, multiplier] = &words[..] else { return Err(no()) };
    let measures = match unit.to_lowercase().as_str() {
        "kwh" => ENERGY,
        "kw" => DEMAND,
        _ => return Err(no()),
    };
    let (digits, decimals) = (digits.parse().map_err(|_| no())?, decimals.parse().map_err(|_| no())?);
    let (least, most) = (Decimal::ZERO, registers::MOST_MULTIPLIER);
    let asked = Figure { what: "the multiplier", unit: Unit::Named("x"), least, most, places: 6 };
    let multiplier = forms::figure(multiplier, locale, asked)?;
    Ok(RegisterFields { name: name.join(" "), measures: measures.to_owned(), digits, decimals, multiplier })
}

/// The registers of a meter as its form takes them.
async fn registers_of(tx: &Tenant, meter: &Meter) -> Result<Vec<RegisterFields>, AppError> {
    let there = registers::of_meters(tx, &[meter.id]).await?;
    Ok(there.iter().map(RegisterFields::from).collect())
}

/// `GET /clients/:client/customers/:customer/meters/new`
pub async fn new(ctx: Ctx, Path((client, customer)): Path<(String, String)>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ManageCustomers, &client).await?;
    let customer = records::customer(&tx, &customer).await?;
    let contracts = contract_pages::standing(&tx, customer.id).await?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let back = format!("{}/customers/{}", at.base(), customer.id);
    let place =
        at.place(&[("Customers", "customers"), (&customer.name, &format!("customers/{}", customer.id))], "Add meter");
    let hidden = vec![
        ("client".to_owned(), at.client.id.to_string()),
        ("customer".to_owned(), customer.id.to_string()),
        ("page".to_owned(), format!("{back}/meters/new")),
    ];
    let now =
        fresh(&at.client.time_zone, contracts.first().map_or_else(|| at.client.today(), |contract| contract.from_on));
    let context = at.actor.context_token();
    let places = places(&contracts, at.locale());
    let usual = written(&[RegisterFields::default()], at.locale());
    let html = page(&ctx, &at.actor, place, "Add meter", move || {
        view! {
            <PageHeader title="Add meter" subtitle=customer.name/>
            {form(typed, (now, usual), places, &Shown::default(), "/api/create_meter", context, hidden, "Add meter", &back)}
        }
    })
    .await;
    Ok(html.into_response())
}

/// `GET /clients/:client/service-points/:service_point/meters/new`
pub async fn new_at_place(ctx: Ctx, Path((client, id)): Path<(String, String)>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ManageCustomers, &client).await?;
    let there = records::service_point(&tx, &id).await?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let (back, crumb) = (format!("{}/service-points/{}", at.base(), there.id), format!("service-points/{}", there.id));
    let trail = at.place(&[("Service points", "service-points"), (&there.address, &crumb)], "Add meter");
    let hidden = vec![
        ("client".to_owned(), at.client.id.to_string()),
        ("service_point".to_owned(), there.id.to_string()),
        ("page".to_owned(), format!("{back}/meters/new")),
    ];
    let now = fresh(&there.time_zone, at.client.today());
    let usual = written(&[RegisterFields::default()], at.locale());
    let context = at.actor.context_token();
    let html = page(&ctx, &at.actor, trail, "Add meter", move || {
        view! {
            <PageHeader title="Add meter" subtitle=there.address/>
            {form(typed, (now, usual), vec![], &Shown::default(), "/api/create_meter", context, hidden, "Add meter", &back)}
        }
    })
    .await;
    Ok(html.into_response())
}

/// `GET /clients/:client/customers/:customer/meters/:meter/edit`
pub async fn edit(
    ctx: Ctx,
    Path((client, customer, meter)): Path<(String, String, String)>,
) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ManageCustomers, &client).await?;
    let customer = records::customer(&tx, &customer).await?;
    let id: MeterId = meter.parse().map_err(|_| AppError::NotFound)?;
    let meter = of_customer(&tx, customer.id, id).await?;
    let around = Around::customer(&at, &customer, &meter);
    edit_page(ctx, at, tx, meter, around).await
}

/// `GET /clients/:client/service-points/:service_point/meters/:meter/edit`
pub async fn edit_at_place(
    ctx: Ctx,
    Path((client, place, meter)): Path<(String, String, String)>,
) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ManageCustomers, &client).await?;
    let (meter, around) = at_place(&tx, &at, &place, &meter).await?;
    edit_page(ctx, at, tx, meter, around).await
}

/// A meter at a service point, both from an address, or 404.
pub(super) async fn at_place(
    tx: &Tenant,
    at: &AtClient,
    place: &str,
    meter: &str,
) -> Result<(Meter, Around), AppError> {
    let there = records::service_point(tx, place).await?;
    let id: MeterId = meter.parse().map_err(|_| AppError::NotFound)?;
    let meter = meters::find(tx, id).await?.filter(|meter| meter.service_point_id == there.id);
    let meter = meter.ok_or(AppError::NotFound)?;
    let around = Around::place(at, there, &meter);
    Ok((meter, around))
}

/// What stands around a meter's page: the page from which one came.
pub(super) struct Around {
    /// The field that names it.
    pub whose: (String, String),
    /// What it is called.
    pub subtitle: String,
    /// Its address below the client's.
    pub crumb: String,
    /// The way to the page.
    pub trail: Place,
    /// What leads back: `Back to the customer`.
    pub back: &'static str,
}

impl Around {
    /// One came from a customer.
    pub fn customer(at: &AtClient, customer: &Customer, meter: &Meter) -> Self {
        let crumb = format!("customers/{}", customer.id);
        Self {
            whose: ("customer".to_owned(), customer.id.to_string()),
            subtitle: customer.name.clone(),
            trail: at.place(&[("Customers", "customers"), (&customer.name, &crumb)], &meter.serial),
            crumb,
            back: "Back to the customer",
        }
    }

    /// One came from a service point.
    fn place(at: &AtClient, there: ServicePoint, meter: &Meter) -> Self {
        let crumb = format!("service-points/{}", there.id);
        Self {
            whose: ("service_point".to_owned(), there.id.to_string()),
            trail: at.place(&[("Service points", "service-points"), (&there.address, &crumb)], &meter.serial),
            subtitle: there.address,
            crumb,
            back: "Back to the service point",
        }
    }
}

async fn edit_page(ctx: Ctx, at: AtClient, tx: Tenant, meter: Meter, around: Around) -> Result<Response, AppError> {
    let measured = meters::measured_days(&tx, meter.id).await?;
    let read = registers_of(&tx, &meter).await?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let locale = at.locale();
    let back = format!("{}/{}", at.base(), around.crumb);
    let now = MeterFields::from(&meter);
    let shown = shown(&now, &read, locale);
    let read = written(&read, locale);
    let hidden = vec![
        ("client".to_owned(), at.client.id.to_string()),
        around.whose,
        ("meter".to_owned(), meter.id.to_string()),
        ("page".to_owned(), format!("{back}/meters/{}/edit", meter.id)),
        shown.hidden(&typed),
    ];
    let context = at.actor.context_token();
    let title = format!("Edit meter {}", meter.serial);
    let subtitle = around.subtitle;
    let html = page(&ctx, &at.actor, around.trail, title.clone(), move || {
        let note = measured.map(|(first, last)| {
            let text = format!(
                "It has usage from {}. Direction, interval and time zone stay as they are; its days in service must cover the usage.",
                format::date_range(first, last.max(first), locale)
            );
            view! { <Notice title=text/> }
        });
        view! {
            <PageHeader title=title subtitle=subtitle/>
            <div class="stack">
                {note}
                {form(typed, (now, read), vec![], &shown, "/api/update_meter", context, hidden, "Save changes", &back)}
            </div>
        }
    })
    .await;
    Ok(html.into_response())
}

/// A meter as its form begins.
fn fresh(time_zone: &str, valid_from: NaiveDate) -> MeterFields {
    MeterFields {
        serial: String::new(),
        direction: "import".into(),
        kind: "interval".into(),
        interval_minutes: Some(15),
        registers: vec![],
        time_zone: time_zone.to_owned(),
        valid_from,
        valid_to: None,
    }
}

/// The meter of this id, if it is at a service point of the customer's.
///
/// # Errors
/// `NotFound` when it is not, or not seen.
pub(super) async fn of_customer(tx: &Tenant, customer: CustomerId, id: MeterId) -> Result<Meter, AppError> {
    let meter = meters::find(tx, id).await?.ok_or(AppError::NotFound)?;
    let contracts = contracts::list(tx, customer).await?;
    let is_there = contracts.iter().any(|contract| contract.service_point_id == meter.service_point_id);
    if is_there { Ok(meter) } else { Err(AppError::NotFound) }
}

/// The directions of a meter.
const WAYS: [(&str, &str); 2] =
    [("import", "Import: energy the customer draws"), ("export", "Export: energy the customer feeds in")];

/// How the form writes what a meter measures in.
fn measure_code(now: &MeterFields) -> String {
    now.interval_minutes.map_or_else(|| "register".to_owned(), |minutes| minutes.to_string())
}

/// A meter as the form shows it.
fn shown(now: &MeterFields, read: &[RegisterFields], locale: Locale) -> Shown {
    let ended = now.valid_to.map(|day| day.to_string()).unwrap_or_default();
    Shown::default()
        .field("serial", "Serial", &now.serial)
        .choice("direction", "Direction", &now.direction, WAYS)
        .field("measure", "Measures", measure_code(now))
        .field("registers", "Registers", now.registers.join(", "))
        .field("read_registers", "Registers that are read", written(read, locale))
        .field("time_zone", "Time zone", &now.time_zone)
        .field("valid_from", "First day in service", now.valid_from)
        .field("valid_to", "Removed on", ended)
}

/// Where a new meter may stand; nothing for a customer of one contract, who need not choose.
fn places(contracts: &[Contract], locale: Locale) -> Vec<Choice> {
    if contracts.len() > 1 { contract_pages::choices(contracts, "Choose where", locale) } else { vec![] }
}

#[expect(clippy::too_many_arguments, reason = "a form's own parts, for a new row and for one that is edited")]
fn form(
    typed: Typed,
    (now, read): (MeterFields, String),
    places: Vec<Choice>,
    shown: &Shown,
    action: &str,
    context: String,
    hidden: Vec<(String, String)>,
    label: &str,
    back: &str,
) -> impl IntoView + use<> {
    let (action, label, back) = (action.to_owned(), label.to_owned(), back.to_owned());
    let measures = std::iter::once(Choice::new("register", "Register: read now and then"))
        .chain(
            INTERVALS
                .iter()
                .map(|minutes| Choice::new(minutes.to_string(), format!("Interval: every {minutes} minutes"))),
        )
        .collect();
    let ways = WAYS.map(|(code, text)| Choice::new(code, text)).to_vec();
    let measure = measure_code(&now);
    let changed = changed_meanwhile(&typed, shown);
    let several = !places.is_empty();
    let registers = now.registers.join(", ");
    let ended = now.valid_to.map(|day| day.to_string()).unwrap_or_default();
    view! {
        <ErrorSummary errors=field_errors(&typed)/>
        <PostForm action=action context=context hidden=hidden class="form">
            {several.then(|| view! {
                <SelectField name="contract" label="Where it is" choices=places value=typed.value("contract", "") error=typed.error("contract")/>
            })}
            <Field name="serial" label="Serial" width="w20" autocomplete="off" hint="As it stands on the meter and in the files with its values." value=typed.value("serial", now.serial) error=typed.error("serial")/>
            <Radios name="direction" label="Direction" choices=ways value=typed.value("direction", now.direction) error=typed.error("direction")/>
            <SelectField name="measure" label="Measures" choices=measures value=typed.value("measure", measure) error=typed.error("measure")/>
            <Field name="registers" label="Registers" width="w20" autocomplete="off" hint="Their names in the files with its values, with commas between: E1, E2. A tariff may price a register by its name; then each has a meter of its own here, with the same serial." value=typed.value("registers", registers) error=typed.error("registers") optional=true/>
            <TextArea name="read_registers" label="Registers that are read" rows=3 hint="Of a meter that is read now and then, one a line: a name where it has several, kWh or kW (highest demand), whole digits, decimals, multiplier. HT kWh 6 0 1 is a register HT that shows six digits." value=typed.value("read_registers", read) error=typed.error("read_registers") optional=true/>
            <Field name="time_zone" label="Time zone" width="w20" autocomplete="off" hint="Its days are local to this zone, like America/New_York." value=typed.value("time_zone", now.time_zone) error=typed.error("time_zone")/>
            <DateField name="valid_from" label="First day in service" value=typed.value("valid_from", now.valid_from.to_string()) error=typed.error("valid_from")/>
            <DateField name="valid_to" label="Removed on" hint="First day no longer in service here. Leave empty while it is in service." value=typed.value("valid_to", ended) error=typed.error("valid_to") optional=true/>
            <div class="actions"><Button label=label/><ButtonLink label="Cancel" href=back kind=Kind::Secondary/></div>
            {changed}
        </PostForm>
    }
}

/// How the client of a form writes figures.
async fn locale(tx: &Tenant) -> Result<Locale, AppError> {
    Ok(Locale::from(eis::parties::clients::current(tx).await?.locale.as_str()))
}

/// Adds a meter to a service point: the one that is named, or that of a customer's contract.
#[server(prefix = "/api", endpoint = "create_meter")]
pub(crate) async fn create_meter(
    client: String,
    #[server(default)] customer: String,
    #[server(default)] contract: String,
    #[server(default)] service_point: String,
    #[server(flatten)] form: MeterForm,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageCustomers, &client)?;
        let (at, _) = actor.tenant()?;
        let from = Opened::read(&customer, &service_point).ok_or(AppError::NotFound)?;
        let fields = form.read()?;
        let mut tx = ctx.write(&actor).await?;
        let place = match from {
            Opened::Customer(customer) => {
                eis::parties::customers::find(&tx, customer).await?.ok_or(AppError::NotFound)?;
                let contracts = contract_pages::standing(&tx, customer).await?;
                contract_pages::one_of(&contracts, &contract)?.service_point_id
            }
            Opened::Place(place) => {
                eis::parties::service_points::find(&tx, place).await?.ok_or(AppError::NotFound)?;
                place
            }
        };
        let read = form.read_registers(locale(&tx).await?)?;
        let made = meters::install(&mut tx, place, &fields, &read).await;
        made.map_err(|refused| messages::told(refused, messages::meters::words))?;
        Done::to(format!("/clients/{at}/{}", from.page()))
            .saying(format!("Meter {} added.", fields.serial))
            .commit(&ctx, tx)
            .await
    })
    .await
}

/// Changes a meter, or ends it.
#[server(prefix = "/api", endpoint = "update_meter")]
pub(crate) async fn update_meter(
    client: String,
    #[server(default)] customer: String,
    #[server(default)] service_point: String,
    meter: String,
    #[server(flatten)] form: MeterForm,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageCustomers, &client)?;
        let id: MeterId = meter.parse().map_err(|_| AppError::NotFound)?;
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        let locale = locale(&tx).await?;
        let before = meters::locked(&mut tx, id).await?.ok_or(AppError::NotFound)?;
        let fields = form.read()?;
        let read = form.read_registers(locale)?;
        let there = registers_of(&tx, &before).await?;
        seen::unchanged(&ctx.sent, &shown(&MeterFields::from(&before), &there, locale))?;
        let changed = meters::update(&mut tx, id, &fields).await;
        changed.map_err(|refused| messages::told(refused, messages::meters::words))?;
        if !read.is_empty() {
            let changed = meters::change_registers(&mut tx, id, &read).await;
            changed.map_err(|refused| messages::told(refused, messages::meters::of_register))?;
        }
        // Back to where one came from; or to who is there, or was last; or to where it is.
        let there = meters::customer(&tx, &before).await?.map(Opened::Customer);
        let from = Opened::read(&customer, &service_point).or(there).unwrap_or(Opened::Place(before.service_point_id));
        Done::to(format!("/clients/{at}/{}", from.page())).saying("Changes saved.").commit(&ctx, tx).await
    })
    .await
}

/// On whose page a meter's form was opened.
#[derive(Debug, Clone, Copy)]
enum Opened {
    Customer(CustomerId),
    Place(ServicePointId),
}

impl Opened {
    fn read(customer: &str, place: &str) -> Option<Self> {
        place.parse().map(Self::Place).or_else(|_| customer.parse().map(Self::Customer)).ok()
    }

    /// Its address below the client's.
    fn page(self) -> String {
        match self {
            Self::Customer(customer) => format!("customers/{customer}"),
            Self::Place(place) => format!("service-points/{place}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_are_read_a_line_each_and_written_as_they_were() {
        let text = "HT kWh 6 0 1\nNT kWh 6 0 1\nkW 3 2 0,25";
        let read = register_lines(&format!(" {text}\r\n\n"), Locale::DeDe).unwrap();
        assert_eq!(written(&read, Locale::DeDe), text);
        assert_eq!((read[2].measures.as_str(), read[2].multiplier), (DEMAND, Decimal::new(25, 2)));
        assert_eq!(register_lines("Low tariff KWH 5 1 40", Locale::EnGb).unwrap()[0].name, "Low tariff");
        assert_eq!(register_lines("", Locale::EnGb), Ok(vec![]));
        assert_eq!(written(&[RegisterFields::default()], Locale::EnGb), "kWh 6 0 1");
        for wrong in ["HT", "HT kVA 6 0 1", "kWh six 0 1", "kWh 6 0"] {
            assert!(register_lines(wrong, Locale::EnGb).unwrap_err().contains("is not a register"), "{wrong}");
        }
        assert!(register_lines("kWh 6 0 -1", Locale::EnGb).unwrap_err().contains("the multiplier"));
    }
}
