//! Service points of a client: list, show with the meters and contracts there, create, edit.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use eis::access::Permission;
use eis::metering::meters::{self, Meter};
use eis::parties::contracts::{self, Contract};
use eis::parties::customers;
use eis::parties::service_points::{self, DIRECTIONS, PHASES, ServicePoint, ServicePointFields};
use eis::values::ids::{CustomerId, ServicePointId};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{meters as meter_pages, records};
use crate::components::{
    Button, ButtonLink, Choice, Column, DataTable, EmptyState, ErrorSummary, Field, FilterBar, Kind, PageHeader,
    Pagination, PostForm, Rows, Section, SelectField, Status, SummaryList, SummaryRow, TextArea, changed_meanwhile,
};
use crate::format::{self, Locale};
use crate::forms::seen::{self, Shown};
use crate::forms::{FieldErrors, Reader, Typed};
use crate::messages;
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, PAGE_ROWS, address, field_errors};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client};
use crate::server::query::Query;

/// Search and place in the list, all in the address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    after: String,
    after_id: String,
}

impl ListQuery {
    /// The last row of the page before.
    fn after(&self) -> Option<(String, ServicePointId)> {
        self.after_id.parse().ok().map(|id| (self.after.clone(), id))
    }

    fn href(&self, path: &str, after: Option<&ServicePoint>) -> String {
        let (place, id) = after.map(|last| (last.address.clone(), last.id.to_string())).unwrap_or_default();
        address(path, &[("q", &self.q), ("after", &place), ("after_id", &id)])
    }
}

/// `GET /clients/:client/service-points`
pub async fn list(ctx: Ctx, Path(client): Path<String>, Query(query): Query<ListQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    // One more than is shown: whether there is a next page.
    let mut rows = service_points::list(&tx, query.q.trim(), query.after(), PAGE_ROWS + 1).await?;
    drop(tx);
    let shown = usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
    let more = rows.len() > shown;
    rows.truncate(shown);
    let path = format!("{}/service-points", at.base());
    let may_write = at.actor.may(Permission::ManageCustomers);
    let locale = at.locale();
    let html = page(&ctx, &at.actor, at.place(&[], ""), "Service points", move || {
        let filtered = !query.q.is_empty();
        let first = if query.after_id.is_empty() { String::new() } else { query.href(&path, None) };
        let next = rows.last().filter(|_| more).map(|last| query.href(&path, Some(last))).unwrap_or_default();
        let (there, noun) = (rows.len(), if rows.len() == 1 { "service point" } else { "service points" });
        let count = format::count(i64::try_from(there).unwrap_or_default(), locale);
        let summary = format!("{count} {noun} on this page");
        let new = if may_write { "New service point" } else { "" };
        view! {
            <PageHeader title="Service points" action=new href=format!("{path}/new")/>
            <FilterBar
                action=path.clone()
                search="Address or supply point id"
                q=query.q.clone()
                clear={if filtered { path.clone() } else { String::new() }}
            />
            {if there > 0 {
                view! {
                    {table(rows, &path)}
                    <Pagination summary=summary first=first next=next/>
                }.into_any()
            } else if filtered {
                view! { <EmptyState title="No service point matches" text="Try fewer words, or clear the search." action="Clear the search" href=path.clone()/> }.into_any()
            } else {
                view! { <EmptyState title="No service points yet" text="A service point is where energy is delivered or fed in. It is made with a new customer, or here; its meters stay when people move." action=new href=format!("{path}/new")/> }.into_any()
            }}
        }
    })
    .await;
    Ok(html.into_response())
}

fn table(places: Vec<ServicePoint>, path: &str) -> impl IntoView + use<> {
    let columns = ["Address", "Supply point id", "Grid operator", "Connection", "Energy"];
    let columns = columns.into_iter().map(Column::text).collect();
    let mut rows = Rows::new();
    for place in places {
        rows.row(|cells| {
            cells
                .name_link(&place.id.below(path), &place.address)
                .text(&place.supply_point_id)
                .text(&place.grid_operator)
                .text(&connection(&place))
                .text(direction(&place.direction));
        });
    }
    view! { <DataTable caption="Service points" columns=columns rows=rows/> }
}

/// `3 phases, 63 A`; empty where nothing is known.
fn connection(place: &ServicePoint) -> String {
    let phases = place.phases.map(|phases| if phases == 1 { "1 phase".to_owned() } else { format!("{phases} phases") });
    let fuse = place.fuse_amps.map(|amps| format!("{amps} A"));
    phases.into_iter().chain(fuse).collect::<Vec<_>>().join(", ")
}

/// What people read for a direction.
fn direction(code: &str) -> &'static str {
    DIRECTIONS.iter().find(|(known, _)| *known == code).map_or("", |(_, label)| *label)
}

/// `GET /clients/:client/service-points/:service_point`
pub async fn show(ctx: Ctx, Path((client, id)): Path<(String, String)>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let place = records::service_point(&tx, &id).await?;
    let meters = meters::list(&tx, &[place.id]).await?;
    let contracts = contracts::at(&tx, &[place.id]).await?;
    let mut names: Vec<(CustomerId, String)> = vec![];
    for contract in &contracts {
        if names.iter().any(|(id, _)| *id == contract.customer_id) {
            continue;
        }
        let customer = customers::find(&tx, contract.customer_id).await?;
        names.extend(customer.map(|customer| (customer.id, customer.name)));
    }
    drop(tx);
    let (base, locale, today) = (at.base(), at.locale(), at.client.today());
    let may_write = at.actor.may(Permission::ManageCustomers);
    let may_read = at.actor.may(Permission::ImportUsage);
    let trail = at.place(&[("Service points", "service-points")], &place.address);
    let html = page(&ctx, &at.actor, trail, place.address.clone(), move || {
        let edit = if may_write { "Edit" } else { "" };
        let here = format!("{base}/service-points/{}", place.id);
        let href = format!("{here}/edit");
        let customers = format!("{base}/customers");
        let rows = vec![
            SummaryRow::new("Address", place.address.clone()),
            SummaryRow::new("Supply point id", place.supply_point_id.clone()),
            SummaryRow::new("Grid operator", place.grid_operator.clone()),
            SummaryRow::new("Connection", connection(&place)),
            SummaryRow::new("Energy", direction(&place.direction)),
            SummaryRow::new("Time zone", place.time_zone.clone()),
        ];
        view! {
            <PageHeader title=place.address second=edit second_href=href/>
            <SummaryList rows=rows/>
            {meters_here(meters, &here, (may_write, may_read), locale)}
            {contracts_here(contracts, &names, &customers, today, locale)}
        }
    })
    .await;
    Ok(html.into_response())
}

/// The meters of a service point, whose page is `here`.
fn meters_here(
    meters: Vec<Meter>,
    here: &str,
    (may_write, may_read): (bool, bool),
    locale: Locale,
) -> impl IntoView + use<> {
    let none = meters.is_empty();
    let link = if may_write { "Add meter" } else { "" };
    let new = format!("{here}/meters/new");
    let rows = meters
        .into_iter()
        .map(|meter| {
            let edit = may_write.then(|| format!("{here}/meters/{}/edit", meter.id));
            let measure = meter_pages::measure(&meter);
            let read = may_read.then(|| {
                let (href, of) = (format!("{here}/meters/{}/readings", meter.id), format!(" of meter {}", meter.serial));
                view! { <td><a href=href>"Readings"<span class="visually-hidden">{of}</span></a></td> }
            });
            let serial = meter.serial;
            let serial = match edit {
                Some(edit) => view! { <a href=edit>{serial}</a> }.into_any(),
                None => serial.into_any(),
            };
            view! {
                <tr>
                    <th scope="row">{serial}</th>
                    <td>{meter_pages::direction(&meter.direction)}</td>
                    <td>{measure}</td>
                    <td>{meter.registers.join(", ")}</td>
                    <td class="nowrap">{format::date(meter.valid_from, locale)}</td>
                    <td class="nowrap">{meter.valid_to.map_or_else(|| "In service".to_owned(), |to| format::date(to, locale))}</td>
                    {read}
                </tr>
            }
        })
        .collect_view();
    let columns = ["Serial", "Direction", "Measures", "Registers", "From", "Removed"];
    let readings = may_read.then_some("Readings");
    let columns = columns.into_iter().chain(readings).map(Column::text).collect::<Vec<_>>();
    view! {
        <Section title="Meters" link=link href=new>
            {if none {
                view! { <p>"No meter here yet."</p> }.into_any()
            } else {
                view! { <DataTable caption="Meters" columns=columns>{rows}</DataTable> }.into_any()
            }}
        </Section>
    }
}

/// A line about who is at a service point.
#[derive(Debug)]
enum Line {
    /// A contract.
    Taken(Contract),
    /// Nobody is, from a day on and until another.
    Vacant(NaiveDate, Option<NaiveDate>),
}

/// Contracts in the order of their days, with the vacant days between them and after them; the latest first.
fn lines(contracts: Vec<Contract>) -> Vec<Line> {
    let mut lines = vec![];
    let mut free: Option<NaiveDate> = None;
    for contract in contracts {
        if let Some(from) = free.filter(|from| *from < contract.from_on) {
            lines.push(Line::Vacant(from, Some(contract.from_on)));
        }
        free = contract.to_on;
        lines.push(Line::Taken(contract));
    }
    lines.extend(free.map(|from| Line::Vacant(from, None)));
    lines.reverse();
    lines
}

/// The contracts at a service point; `customers` is the address of the client's customers.
fn contracts_here(
    contracts: Vec<Contract>,
    names: &[(CustomerId, String)],
    customers: &str,
    today: NaiveDate,
    locale: Locale,
) -> impl IntoView + use<> {
    let none = contracts.is_empty();
    let last = |to: Option<NaiveDate>| {
        let last = to.map(|to| to.pred_opt().unwrap_or(to));
        last.map_or_else(|| "–".to_owned(), |last| format::date(last, locale))
    };
    let rows = lines(contracts)
        .into_iter()
        .map(|line| {
            let (who, from, to, stage) = match line {
                Line::Taken(contract) => {
                    let href = format!("{customers}/{}", contract.customer_id);
                    let name = names.iter().find(|(id, _)| *id == contract.customer_id).map(|(_, name)| name.clone());
                    let stage = contract.stage(today).code();
                    (view! { <a href=href>{name}</a> }.into_any(), contract.from_on, contract.to_on, stage)
                }
                Line::Vacant(from, to) => ("Nobody".into_any(), from, to, "vacant"),
            };
            view! {
                <tr>
                    <th scope="row">{who}</th>
                    <td class="nowrap">{format::date(from, locale)}</td>
                    <td class="nowrap">{last(to)}</td>
                    <td><Status value=stage/></td>
                </tr>
            }
        })
        .collect_view();
    let columns = ["Customer", "From", "Last day", "Status"].into_iter().map(Column::text).collect::<Vec<_>>();
    view! {
        <Section title="Contracts">
            {if none {
                view! { <p>"Nobody has been supplied here yet. A contract is made on the page of a customer."</p> }.into_any()
            } else {
                view! { <DataTable caption="Contracts" columns=columns>{rows}</DataTable> }.into_any()
            }}
        </Section>
    }
}

/// What was typed to make or change a service point.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServicePointForm {
    address: String,
    supply_point_id: String,
    grid_operator: String,
    phases: String,
    fuse_amps: String,
    direction: String,
    time_zone: String,
}

impl ServicePointForm {
    fn read(&self) -> Result<ServicePointFields, FieldErrors> {
        let mut reader = Reader::default();
        let typed = self.supply_point_id.trim();
        let supply_point_id = if typed.is_empty() {
            String::new()
        } else {
            reader.identifier("supply_point_id", typed, "the supply point id", 60)
        };
        let phases = self.phases.trim();
        let fuse = self.fuse_amps.trim();
        let fuse_amps = if fuse.is_empty() { None } else { fuse.parse().ok() };
        if !fuse.is_empty() && fuse_amps.is_none() {
            reader.errors.add("fuse_amps", "Enter whole amperes, or leave it empty.");
        }
        let read_phases = if phases.is_empty() { None } else { phases.parse().ok() };
        if !phases.is_empty() && read_phases.is_none() {
            reader.errors.add("phases", "Choose one phase or three, or leave it open.");
        }
        let codes = DIRECTIONS.map(|(code, _)| code);
        let direction = reader.choice("direction", &self.direction, "which way energy goes", &codes);
        let fields = ServicePointFields {
            address: reader.text("address", &self.address, "the address", service_points::LONGEST_ADDRESS),
            supply_point_id,
            grid_operator: reader.optional("grid_operator", &self.grid_operator, 200),
            phases: read_phases,
            fuse_amps,
            direction: direction.to_owned(),
            time_zone: reader.text("time_zone", &self.time_zone, "the time zone", 60),
        };
        reader.errors.or(fields)
    }
}

/// `GET /clients/:client/service-points/new`
pub async fn new(ctx: Ctx, Path(client): Path<String>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ManageCustomers, &client).await?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let trail = at.place(&[("Service points", "service-points")], "New service point");
    let back = format!("{}/service-points", at.base());
    let hidden = vec![("client".to_owned(), at.client.id.to_string()), ("page".to_owned(), format!("{back}/new"))];
    let now = ServicePointFields::named("", &at.client.time_zone);
    let context = at.actor.context_token();
    let html = page(&ctx, &at.actor, trail, "New service point", move || {
        let words = ["/api/create_service_point", "Make service point"];
        view! {
            <PageHeader title="New service point"/>
            {form(typed, now, &Shown::default(), words, context, hidden, back)}
        }
    })
    .await;
    Ok(html.into_response())
}

/// `GET /clients/:client/service-points/:service_point/edit`
pub async fn edit(ctx: Ctx, Path((client, id)): Path<(String, String)>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ManageCustomers, &client).await?;
    let place = records::service_point(&tx, &id).await?;
    drop(tx);
    let typed = ctx.take_typed().await;
    let back = format!("{}/service-points/{}", at.base(), place.id);
    let crumb = format!("service-points/{}", place.id);
    let trail = at.place(&[("Service points", "service-points"), (&place.address, &crumb)], "Edit");
    let now = ServicePointFields::from(&place);
    let shown = shown(&now);
    let hidden = vec![
        ("client".to_owned(), at.client.id.to_string()),
        ("service_point".to_owned(), place.id.to_string()),
        ("page".to_owned(), format!("{back}/edit")),
        shown.hidden(&typed),
    ];
    let context = at.actor.context_token();
    let html = page(&ctx, &at.actor, trail, "Edit service point", move || {
        let words = ["/api/update_service_point", "Save changes"];
        view! {
            <PageHeader title="Edit service point" subtitle=place.address/>
            {form(typed, now, &shown, words, context, hidden, back)}
        }
    })
    .await;
    Ok(html.into_response())
}

/// How the form writes a figure that may be left out.
fn figure(value: Option<i16>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A service point as the form shows it.
fn shown(now: &ServicePointFields) -> Shown {
    Shown::default()
        .field("address", "Address", &now.address)
        .field("supply_point_id", "Supply point id", &now.supply_point_id)
        .field("grid_operator", "Grid operator", &now.grid_operator)
        .field("phases", "Phases", figure(now.phases))
        .field("fuse_amps", "Fuse", figure(now.fuse_amps))
        .choice("direction", "Energy", &now.direction, DIRECTIONS)
        .field("time_zone", "Time zone", &now.time_zone)
}

fn form(
    typed: Typed,
    now: ServicePointFields,
    shown: &Shown,
    [action, label]: [&'static str; 2],
    context: String,
    hidden: Vec<(String, String)>,
    back: String,
) -> impl IntoView + use<> {
    let phases = std::iter::once(Choice::new("", "Not known"))
        .chain(PHASES.iter().map(|phases| Choice::new(phases.to_string(), phases.to_string())))
        .collect::<Vec<_>>();
    let directions = DIRECTIONS.map(|(code, text)| Choice::new(code, text)).to_vec();
    let changed = changed_meanwhile(&typed, shown);
    view! {
        <ErrorSummary errors=field_errors(&typed)/>
        <PostForm action=action context=context hidden=hidden class="form">
            <TextArea name="address" label="Address" rows=3 hint="Where the energy is used or fed in. Contracts here show it." value=typed.value("address", now.address) error=typed.error("address")/>
            <Field name="supply_point_id" label="Supply point id" autocomplete="off" width="w20" hint="As its market calls it: NMI, MaLo, MPAN, PRM, ESI." value=typed.value("supply_point_id", now.supply_point_id) error=typed.error("supply_point_id") optional=true/>
            <Field name="grid_operator" label="Grid operator" autocomplete="off" value=typed.value("grid_operator", now.grid_operator) error=typed.error("grid_operator") optional=true/>
            <SelectField name="phases" label="Phases" choices=phases value=typed.value("phases", figure(now.phases)) error=typed.error("phases") optional=true/>
            <Field name="fuse_amps" label="Fuse" unit="A" inputmode="numeric" width="w4" hint="Of each phase." value=typed.value("fuse_amps", figure(now.fuse_amps)) error=typed.error("fuse_amps") optional=true/>
            <SelectField name="direction" label="Energy" choices=directions value=typed.value("direction", now.direction) error=typed.error("direction")/>
            <Field name="time_zone" label="Time zone" width="w20" autocomplete="off" hint="The days of its contracts are local to this zone, like America/New_York." value=typed.value("time_zone", now.time_zone) error=typed.error("time_zone")/>
            <div class="actions"><Button label=label/><ButtonLink label="Cancel" href=back kind=Kind::Secondary/></div>
            {changed}
        </PostForm>
    }
}

/// Makes a service point.
#[server(prefix = "/api", endpoint = "create_service_point")]
pub(crate) async fn create_service_point(
    client: String,
    #[server(flatten)] form: ServicePointForm,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageCustomers, &client)?;
        let (at, _) = actor.tenant()?;
        let fields = form.read()?;
        let mut tx = ctx.write(&actor).await?;
        let made = service_points::create(&mut tx, &fields).await;
        let id = made.map_err(|refused| messages::told(refused, messages::service_points::words))?;
        Done::to(format!("/clients/{at}/service-points/{id}"))
            .saying("Service point made. Add its meter; a contract is made on the page of a customer.")
            .commit(&ctx, tx)
            .await
    })
    .await
}

/// Changes a service point.
#[server(prefix = "/api", endpoint = "update_service_point")]
pub(crate) async fn update_service_point(
    client: String,
    service_point: String,
    #[server(flatten)] form: ServicePointForm,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageCustomers, &client)?;
        let id: ServicePointId = service_point.parse().map_err(|_| AppError::NotFound)?;
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        let before = service_points::locked(&mut tx, id).await?.ok_or(AppError::NotFound)?;
        let fields = form.read()?;
        seen::unchanged(&ctx.sent, &shown(&ServicePointFields::from(&before)))?;
        let changed = service_points::update(&mut tx, id, &fields).await;
        changed.map_err(|refused| messages::told(refused, messages::service_points::words))?;
        Done::to(format!("/clients/{at}/service-points/{id}")).saying("Changes saved.").commit(&ctx, tx).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use eis::values::ids::{AccountId, ContractId};

    fn contract(from: &str, to: Option<&str>) -> Contract {
        Contract {
            id: ContractId::fresh(),
            customer_id: CustomerId::fresh(),
            account_id: AccountId::fresh(),
            service_point_id: ServicePointId::fresh(),
            address: String::new(),
            from_on: from.parse().unwrap(),
            to_on: to.map(|to| to.parse().unwrap()),
            status: "agreed".to_owned(),
            billing_cycle: 1,
            billing_anchor: from.parse().unwrap(),
            billing_from: None,
        }
    }

    #[test]
    fn vacant_days_are_told_between_contracts_and_after_the_last() {
        let told = |contracts: Vec<Contract>| {
            let line = |line: &Line| match line {
                Line::Taken(contract) => format!("taken {}", contract.from_on),
                Line::Vacant(from, to) => format!("vacant {from} {to:?}"),
            };
            lines(contracts).iter().map(line).collect::<Vec<_>>()
        };
        let first = || contract("2026-01-01", Some("2026-03-01"));
        assert_eq!(told(vec![first(), contract("2026-03-01", None)]), ["taken 2026-03-01", "taken 2026-01-01"]);
        assert_eq!(
            told(vec![first(), contract("2026-04-01", Some("2026-05-01"))]),
            ["vacant 2026-05-01 None", "taken 2026-04-01", "vacant 2026-03-01 Some(2026-04-01)", "taken 2026-01-01"]
        );
        assert!(told(vec![]).is_empty());
    }
}
