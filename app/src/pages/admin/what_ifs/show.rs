//! One what-if: how far it is, and then who would pay more, who less, and what it does to revenue.

use axum::extract::Path;
use axum::http::HeaderValue;
use axum::http::header::REFRESH;
use axum::response::{IntoResponse, Response};
use eis::access::Permission;
use eis::billing::what_ifs::{WhatIf, results};
use futures_util::stream;
use leptos::prelude::*;

use super::table::ShowQuery;
use super::{chosen_text, effect, find, months_text, table, wall};
use crate::components::{ConfirmPanel, Notice, PageHeader, Progress, Status, SummaryList, SummaryRow, Tone};
use crate::format::{self, Locale};
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, address, csv_stream};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::query::Query;

/// Seconds after which a page that shows progress is asked for again.
const AGAIN: HeaderValue = HeaderValue::from_static("3");
/// Rows of the file that are read at once.
const CSV_ROWS: i64 = 1_000;

/// What stands above the results, or in their place.
struct Head {
    what_if: WhatIf,
    path: String,
    context: String,
    may_write: bool,
    asked: String,
    locale: Locale,
}

/// `GET /clients/:client/what-ifs/:what_if`
pub async fn show(
    ctx: Ctx,
    Path((client, id)): Path<(String, String)>,
    Query(query): Query<ShowQuery>,
) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let what_if = find(&tx, &id).await?;
    let choice = table::Choice::of(&query, what_if.candidates.len());
    let rows = match what_if.totals {
        Some(_) => results::list(&tx, what_if.id, &choice.filter, choice.offset, choice.rows).await?,
        None => (vec![], 0),
    };
    drop(tx);
    let (locale, currency, base) = (at.locale(), at.client.currency.clone(), at.base());
    let list = format!("{base}/what-ifs");
    let head = Head {
        path: what_if.id.below(&list),
        context: at.actor.context_token(),
        may_write: at.actor.may(Permission::ManageTariffs),
        asked: format!(
            "{}, {}",
            format::date_time(wall(what_if.created_at, at.client.zone()), locale),
            what_if.user_name
        ),
        what_if,
        locale,
    };
    let (moving, still) = (head.what_if.under_way(), !query.still.is_empty());
    let title = head.what_if.tried();
    let client = at.client.id.to_string();
    let html = page(&ctx, &at.actor, at.place(&[("What-if", "what-ifs")], &title), title, move || {
        let again = if head.may_write && !moving { "Run again" } else { "" };
        let again_href = address(&format!("{list}/new"), &[("again", &head.what_if.id.to_string())]);
        let (status, steps) = (head.what_if.status.clone(), head.may_write.then(|| delete(&head, client)));
        let body = match &head.what_if.totals {
            Some(totals) => {
                let effect = effect::view(&head.what_if, totals, &choice, &head.path, &currency, locale);
                let table = table::view(&head.what_if, rows, &choice, &head.path, &base, &currency, locale);
                view! { {effect} {table} }.into_any()
            }
            None => under_way(&head, still, &list).into_any(),
        };
        view! {
            <PageHeader title=head.what_if.tried() second=again second_href=again_href><Status value=status/></PageHeader>
            <div class="stack">
                <SummaryList rows=facts(&head)/>
                {body}
                {steps}
            </div>
        }
    })
    .await;
    let mut response = html.into_response();
    if moving && !still {
        response.headers_mut().insert(REFRESH, AGAIN);
    }
    Ok(response)
}

fn facts(head: &Head) -> Vec<SummaryRow> {
    let names: Vec<String> =
        head.what_if.candidates.iter().map(|candidate| format!("{} ({})", candidate.name, candidate.label())).collect();
    vec![
        SummaryRow::new("Tried", names.join(", ")),
        SummaryRow::new("Customers", chosen_text(&head.what_if.chosen, head.locale)),
        SummaryRow::new("Months", months_text(head.what_if.months, head.locale)),
        SummaryRow::new("Asked", head.asked.clone()),
    ]
}

/// How far the work is, or why it failed.
fn under_way(head: &Head, still: bool, list: &str) -> impl IntoView + use<> {
    let what_if = &head.what_if;
    if !what_if.under_way() {
        let problem = if what_if.problem.is_empty() { "It did not come to an end." } else { &what_if.problem };
        let text = problem.to_owned();
        return view! {
            <Notice tone=Tone::Bad title="This what-if failed"><p>{text}</p><p>"Nothing else was changed. Mend what it names, then run it again."</p></Notice>
        }
        .into_any();
    }
    let count = |customers: i32| format::count(i64::from(customers), head.locale);
    let text = match (what_if.status.as_str(), what_if.total) {
        ("running", Some(total)) => format!("{} of {} customers", count(what_if.progress), count(total)),
        ("running", None) => "Begins.".to_owned(),
        _ => "Waits for its turn.".to_owned(),
    };
    let (label, href) = if still {
        ("Show progress again", head.path.clone())
    } else {
        ("Stop refreshing", address(&head.path, &[("still", "yes")]))
    };
    let every = if still { "This page stands still. " } else { "This page shows the progress every few seconds. " };
    view! {
        <Progress label="Rated" value=i64::from(what_if.progress) most=what_if.total.map(i64::from) text=text/>
        <p>"You can leave this page, or sign out: the work goes on, and "<a href=list.to_owned()>"What-if"</a>" leads back to it."</p>
        <p class="muted">{every}<a href=href>{label}</a></p>
    }
    .into_any()
}

fn delete(head: &Head, client: String) -> impl IntoView + use<> {
    let done = head.what_if.totals.as_ref().map_or(i64::from(head.what_if.progress), |totals| totals.customers);
    let results = match done {
        0 => "It has no results yet.".to_owned(),
        1 => "Its result goes with it.".to_owned(),
        some => format!("Its results for {} customers go with it.", format::count(some, head.locale)),
    };
    let running = head.what_if.under_way().then(|| "It stops where it is.".to_owned());
    let hidden = vec![
        ("client".to_owned(), client),
        ("what_if".to_owned(), head.what_if.id.to_string()),
        ("page".to_owned(), head.path.clone()),
    ];
    let consequences =
        running.into_iter().chain([results, "Tariffs, usage and bills stay as they are.".to_owned()]).collect();
    view! {
        <div class="actions">
            <ConfirmPanel open="Delete…" title="Delete this what-if?" consequences=consequences label="Delete what-if" action="/api/delete_what_if" context=head.context.clone() hidden=hidden/>
        </div>
    }
}

/// `GET /clients/:client/what-ifs/:what_if/customers.csv`: all customers, read as the file is sent, each thousand in a
/// transaction of its own, so that a slow reader keeps no connection.
pub async fn csv(ctx: Ctx, Path((client, id)): Path<(String, String)>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let what_if = find(&tx, &id).await?;
    let first = results::after(&tx, what_if.id, None, CSV_ROWS).await?;
    drop(tx);
    let name = format!("{}-what-if-{}", at.client.slug, what_if.months.from().format("%Y-%m"));
    let head = table::csv_head(&what_if.candidates);
    let (db, actor, id) = (ctx.db().clone(), at.actor, what_if.id);
    let rows = stream::unfold(Some(first), move |rows| {
        let (db, actor) = (db.clone(), actor.clone());
        async move {
            let rows = rows?;
            let next = match rows.last() {
                Some(last) if rows.len() >= usize::try_from(CSV_ROWS).unwrap_or(usize::MAX) => {
                    let read = async {
                        let tx = db.as_tenant(&actor, eis::db::Access::Read).await?;
                        Ok::<_, AppError>(results::after(&tx, id, Some(last), CSV_ROWS).await?)
                    };
                    read.await.map(Some)
                }
                _ => Ok(None),
            };
            let lines = rows.iter().map(table::csv_row).collect::<Vec<_>>();
            Some(match next {
                Ok(next) => (Ok(lines), next),
                Err(error) => (Err(error), None),
            })
        }
    });
    csv_stream(&name, &head, rows)
}
