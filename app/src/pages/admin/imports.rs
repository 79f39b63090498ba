//! Usage imports: list, the file to send ([`upload`]), what became of it.

pub mod upload;

use axum::extract::Path;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use eis::access::Permission;
use eis::metering::imports::{self, Import, Rejection};
use eis::metering::meters::{self, Meter};
use eis::values::ids::{CustomerId, ImportId};
use leptos::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::components::{
    ButtonLink, Column, DataTable, EmptyState, Kind, Notice, PageHeader, Pagination, Section, Stat, Stats, Status,
    SummaryList, SummaryRow, Tone,
};
use crate::format::{self, Locale};
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, EXPORT_ROWS, PAGE_ROWS, address, csv_file, rows_text, turns};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::see_other;
use crate::server::query::Query;

/// Rejected lines on a page.
const REJECTION_ROWS: i64 = 50;

/// The page of a list, in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PageQuery {
    offset: i64,
}

impl PageQuery {
    /// The first row.
    #[must_use]
    pub fn offset(&self) -> i64 {
        self.offset.max(0)
    }
}

fn zone_of(at: &AtClient) -> Tz {
    at.client.zone()
}

fn wall(instant: DateTime<Utc>, zone: Tz) -> NaiveDateTime {
    instant.with_timezone(&zone).naive_local()
}

fn format_label(code: &str) -> &'static str {
    match code {
        "green_button" => "Green Button",
        "nem12" => "NEM12",
        _ => "CSV",
    }
}

/// `GET /clients/:client/imports`
pub async fn list(ctx: Ctx, Path(client): Path<String>, Query(query): Query<PageQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let offset = query.offset();
    let (rows, total) = imports::list(&tx, offset, PAGE_ROWS).await?;
    drop(tx);
    let may_import = at.actor.may(Permission::ImportUsage);
    let path = format!("{}/imports", at.base());
    if rows.is_empty() && offset > 0 {
        return Ok(see_other(&path));
    }
    let (locale, zone) = (at.locale(), zone_of(&at));
    let html = page(&ctx, &at.actor, at.place(&[], ""), "Usage imports", move || {
        let summary = rows_text(offset, rows.len(), total, "imports", locale);
        let [first, previous, next] = turns(offset, PAGE_ROWS, total, |to| address(&path, &[("offset", to)]));
        let new = if may_import { "Import usage" } else { "" };
        let empty = rows.is_empty();
        let body = rows
            .into_iter()
            .map(|row| {
                let count = |value: i32| format::count(i64::from(value), locale);
                view! {
                    <tr>
                        <th scope="row" class="nowrap"><a href=format!("{path}/{}", row.id)>{format::date_time(wall(row.created_at, zone), locale)}</a></th>
                        <td class="nowrap">{row.file_name}</td>
                        <td class="nowrap">{format_label(&row.format)}</td>
                        <td class="num">{count(row.accepted)}</td>
                        <td class="num">{count(row.superseded)}</td>
                        <td class="num">{count(row.unchanged)}</td>
                        <td class="num">{count(row.rejected)}</td>
                        <td><Status value=row.status/></td>
                    </tr>
                }
            })
            .collect_view();
        let columns = vec![
            Column::text("When"),
            Column::text("File"),
            Column::text("Format"),
            Column::number("New", ""),
            Column::number("Replaced", ""),
            Column::number("Unchanged", ""),
            Column::number("Rejected", ""),
            Column::text("Status"),
        ];
        view! {
            <PageHeader title="Usage imports" subtitle="Every file sent, and what became of its values." action=new href=format!("{path}/new")/>
            {if empty {
                view! { <EmptyState title="No imports yet" text="Send a file of meter values: Green Button XML, CSV or NEM12. What is new is taken, what is wrong is listed line by line." action=new href=format!("{path}/new")/> }.into_any()
            } else {
                view! {
                    <DataTable caption="Usage imports" columns=columns>{body}</DataTable>
                    <Pagination summary=summary first=first previous=previous next=next/>
                }.into_any()
            }}
        }
    })
    .await;
    Ok(html.into_response())
}

async fn find(tx: &eis::db::Tenant, id: &str) -> Result<Import, AppError> {
    let id: ImportId = id.parse().map_err(|_| AppError::NotFound)?;
    imports::find(tx, id).await?.ok_or(AppError::NotFound)
}

/// `GET /clients/:client/imports/:import`
pub async fn show(
    ctx: Ctx,
    Path((client, id)): Path<(String, String)>,
    Query(query): Query<PageQuery>,
) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let import = find(&tx, &id).await?;
    let offset = query.offset();
    let (rejected, total) = imports::rejections(&tx, import.id, offset, REJECTION_ROWS).await?;
    let meter = match import.meter_id {
        Some(id) => meters::find(&tx, id).await?,
        None => None,
    };
    // With the customer on whose page it stands.
    let meter = match meter {
        Some(meter) => Some((meters::customer(&tx, &meter).await?, meter)),
        None => None,
    };
    drop(tx);
    let (locale, zone) = (at.locale(), zone_of(&at));
    let place = at.place(&[("Usage imports", "imports")], &import.file_name);
    let base = at.base();
    let again = if at.actor.may(Permission::ImportUsage) { "Import another file" } else { "" };
    let next_step = at.actor.may(Permission::RunBilling) && import.status == "applied";
    let html = page(&ctx, &at.actor, place, import.file_name.clone(), move || {
        let path = format!("{base}/imports/{}", import.id);
        let (problem, status) = (import.problem.clone(), import.status.clone());
        let tone = if import.status == "failed" { Tone::Bad } else { Tone::Info };
        let (figures, rows) = (stats(&import, locale), facts(&import, meter, &base, zone, locale));
        let kept = (total > 0).then(|| rejections(rejected, &path, offset, total, locale));
        view! {
            <PageHeader title=import.file_name.clone() second=again second_href=format!("{base}/imports/new")>
                <Status value=status/>
            </PageHeader>
            <div class="stack">
            {(!problem.is_empty()).then(|| view! { <Notice tone=tone title=problem/> })}
            <Stats stats=figures/>
            <SummaryList rows=rows/>
            {next_step.then(|| view! {
                <div class="actions"><ButtonLink label="Go to billing runs" href=format!("{base}/billing-runs") kind=Kind::Secondary/></div>
            })}
            {kept}
            </div>
        }
    })
    .await;
    Ok(html.into_response())
}

fn stats(import: &Import, locale: Locale) -> Vec<Stat> {
    let stat = |label: &str, value: i32, note: &str| Stat {
        label: label.to_owned(),
        value: format::count(i64::from(value), locale),
        note: note.to_owned(),
        ..Stat::default()
    };
    let tone = if import.rejected > 0 { Tone::Warn } else { Tone::Neutral };
    vec![
        stat("New values", import.accepted, "taken for the first time"),
        stat("Replaced", import.superseded, "the old ones are kept on record"),
        stat("Unchanged", import.unchanged, "there already"),
        Stat { tone, ..stat("Rejected", import.rejected, "listed below with the reason") },
    ]
}

fn facts(
    import: &Import,
    meter: Option<(Option<CustomerId>, Meter)>,
    base: &str,
    zone: Tz,
    locale: Locale,
) -> Vec<SummaryRow> {
    let energy = format!("{} kWh", format::kwh(import.kwh, locale));
    let size = Decimal::from(import.file_bytes) / Decimal::from(1024);
    let mut rows = vec![
        SummaryRow::new("Imported", format::date_time(wall(import.created_at, zone), locale)),
        SummaryRow::new(
            "Format",
            format!("{}, {} kB", format_label(&import.format), format::number(size.ceil(), 0, locale)),
        ),
        SummaryRow::new("Energy", energy),
    ];
    if let Some((first, last)) = import.first_at.zip(import.last_at) {
        let zone = meter.as_ref().map_or(zone, |(_, meter)| meter.zone());
        let text = format!(
            "{} – {}",
            format::date_time(wall(first, zone), locale),
            format::date_time(wall(last, zone), locale)
        );
        rows.push(SummaryRow::new("From – until", text));
    }
    if let Some((customer, meter)) = meter {
        let label = format!("{} ({})", meter.serial, meter.direction);
        rows.push(match customer {
            Some(customer) => {
                let href = format!("{base}/customers/{customer}");
                SummaryRow::view("Meter", view! { <a href=href>{label}</a> })
            }
            None => SummaryRow::new("Meter", label),
        });
    }
    rows
}

fn rejections(rows: Vec<Rejection>, path: &str, offset: i64, total: i64, locale: Locale) -> impl IntoView + use<> {
    let summary = rows_text(offset, rows.len(), total, "rejected lines", locale);
    let [first, previous, next] = turns(offset, REJECTION_ROWS, total, |to| address(path, &[("offset", to)]));
    let body = rows
        .into_iter()
        .map(|row| {
            view! {
                <tr>
                    <th scope="row" class="num">{row.line}</th>
                    <td><code>{row.content}</code></td>
                    <td>{row.reason}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![Column::number("Line", ""), Column::text("Content"), Column::text("Reason")];
    view! {
        <Section title="Rejected lines" link="Download as CSV" href=format!("{path}/rejections.csv")>
            <DataTable caption="Rejected lines" columns=columns>{body}</DataTable>
            <Pagination summary=summary first=first previous=previous next=next/>
        </Section>
    }
}

/// `GET /clients/:client/imports/:import/rejections.csv`
pub async fn rejections_csv(ctx: Ctx, Path((client, id)): Path<(String, String)>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let import = find(&tx, &id).await?;
    let (rows, _) = imports::rejections(&tx, import.id, 0, EXPORT_ROWS).await?;
    let rows = rows.into_iter().map(|row| vec![row.line.to_string(), row.column.to_string(), row.content, row.reason]);
    csv_file(&format!("{}-rejected-lines", at.client.slug), &["line", "column", "content", "reason"], rows)
}

/// `GET /clients/:client/imports/template.csv`
pub async fn template(ctx: Ctx, Path(client): Path<String>) -> Result<Response, AppError> {
    let (_, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    drop(tx);
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"usage-template.csv\""),
    ];
    Ok((headers, eis::usage::csv::TEMPLATE).into_response())
}
