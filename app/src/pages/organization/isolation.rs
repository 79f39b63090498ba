//! The isolation report: when the test last ran against this database, what it tried and found, how everything that
//! decides who may see what stands now; and the button that runs it. For an auditor to print.

use std::collections::BTreeSet;

use axum::response::{IntoResponse, Response};
use eis::access::Permission;
use eis::audit::{self, Chain};
use eis::operate::isolation::{self, Report};
use eis::operate::proof::{ProofError, Run, TableState};
use eis::values::clock;
use leptos::prelude::*;
use serde_json::Value;

use crate::components::{
    Button, Column, DataTable, Kind, Notice, PageHeader, PostForm, Section, SummaryList, SummaryRow, Tag, Tone,
};
use crate::format;
use crate::pages::frame::page;
use crate::pages::scope::Scope;
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require};

/// Where the report is.
pub const PATH: &str = crate::server::paths::ISOLATION_REPORT;
/// Links of the audit log's chain that are held against their records with every look.
const LINKS: i64 = 10_000;
/// Seconds between two runs: each keeps the database busy for some.
const PAUSE: i32 = 20;

/// `GET /organization/isolation`
pub async fn show(ctx: Ctx) -> Result<Response, AppError> {
    let (scope, mut tx) = Scope::organization(&ctx, Permission::ViewOrganization).await?;
    let report = isolation::report(&mut tx, &ctx.state.monitor).await?;
    let chain = audit::chain(&mut tx, LINKS).await?;
    drop(tx);
    let (actor, place, context) = (scope.actor.clone(), scope.place(&[], ""), scope.actor.context_token());
    let html = page(&ctx, &actor, place, "Isolation report", move || {
        let made = format!("{}. PostgreSQL {}, portal {}.", scope.moment(clock::now()), report.server.version, env!("CARGO_PKG_VERSION"));
        let last = report.runs.first().cloned();
        let earlier: Vec<Run> = report.runs.iter().skip(1).cloned().collect();
        let verdict = verdict(&report, &scope);
        let last = last.map(|run| last_run(run, &scope));
        let standing = standing(report, chain, &scope);
        let earlier = (!earlier.is_empty()).then(|| history(earlier, &scope));
        view! {
            <PageHeader title="Isolation report" subtitle=format!("How this portal keeps organisations, clients and customers apart. As of {made}")/>
            {verdict}
            <PostForm action="/api/run_isolation_test" context=context hidden=vec![("page".into(), PATH.into())] class="actions">
                <Button label="Run the test now" kind=Kind::Secondary/>
                <span class="hint">"A few seconds. It works on organisations of its own, which are gone afterwards; no real row is touched."</span>
            </PostForm>
            {last.map(|last| view! { <Section title="The last run">{last}</Section> })}
            <Section title="As it stands now">{standing}</Section>
            {earlier.map(|earlier| view! { <Section title="Earlier runs">{earlier}</Section> })}
        }
    })
    .await;
    Ok(html.into_response())
}

/// The point of the page in one sentence, loud when it is bad.
fn verdict(report: &Report, scope: &Scope) -> impl IntoView + use<> {
    let doubts = report.doubts();
    if !doubts.is_empty() {
        let doubts = doubts.into_iter().map(|doubt| view! { <li>{doubt}</li> }).collect_view();
        return view! {
            <div role="alert">
                <Notice tone=Tone::Bad title="Isolation is in doubt.">
                    <ul>{doubts}</ul>
                    <p>"Tell EIS Power at once. Whoever runs the server finds each fault named by " <code>"portal check"</code> " with what to do."</p>
                </Notice>
            </div>
        }
        .into_any();
    }
    match report.runs.first() {
        None => view! {
            <Notice tone=Tone::Warn title="The test has not run against this database yet.">
                <p>"What stands now is as it should be. Run the test to see it tried."</p>
            </Notice>
        }
        .into_any(),
        Some(run) => {
            let count = |n: i32| format::count(n.into(), scope.locale());
            let text = format!(
                "All {} attempts on {} tables ended as they should when the test last ran, {}. Nothing that decides who may see what has changed since the portal's migrations.",
                count(run.tried),
                count(run.tables),
                scope.moment(run.at)
            );
            view! { <Notice tone=Tone::Good title="Isolation holds."><p>{text}</p></Notice> }.into_any()
        }
    }
}

fn last_run(run: Run, scope: &Scope) -> impl IntoView + use<> {
    let count = |n: i32| format::count(n.into(), scope.locale());
    let rows = vec![
        SummaryRow::new("When", scope.moment(run.at)),
        SummaryRow::new("Asked for by", run.asked_by.clone()),
        SummaryRow::new("Took", format!("{}.{} s", run.milliseconds / 1000, run.milliseconds % 1000 / 100)),
        SummaryRow::new("Tried", format!("{} attempts on {} tables", count(run.tried), count(run.tables))),
        SummaryRow::view("Ended as they should", outcome(&run, scope)),
    ];
    view! {
        <p class="hint">
            "As every role, with the portal's own database login: reading, adding, changing, moving and removing one's own rows and those of others (another customer, a sibling client, another organisation), with and without a context. One's own must work, or nothing was proved."
        </p>
        <SummaryList rows=rows/>
        {failures(&run.faults)}
        {tried(&run.summary)}
    }
}

fn outcome(run: &Run, scope: &Scope) -> impl IntoView + use<> {
    let count = |n: i32| format::count(n.into(), scope.locale());
    let failed = run.tried - run.passed;
    let tag = if failed == 0 {
        view! { <Tag text="All" tone=Tone::Good/> }
    } else {
        view! { <Tag text=format!("{} failed", count(failed)) tone=Tone::Bad/> }
    };
    view! { {count(run.passed)} " " {tag} }
}

fn text(of: &Value, key: &str) -> String {
    of.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn number(of: &Value, key: &str) -> i64 {
    of.get(key).and_then(Value::as_i64).unwrap_or_default()
}

/// What ended otherwise than it should, each attempt in full.
fn failures(faults: &Value) -> Option<impl IntoView + use<>> {
    let faults = faults.as_array().cloned().unwrap_or_default();
    (!faults.is_empty()).then(|| {
        let keys = ["table", "role", "attempt", "expected", "found"];
        let columns = ["Table", "As", "Attempt", "Should be", "Was"].map(Column::text).into();
        let rows = faults
            .iter()
            .map(|fault| {
                let [table, role, attempt, expected, found] = keys.map(|key| text(fault, key));
                view! {
                    <tr><th scope="row">{table}</th><td>{role}</td><td class="wrap">{attempt}</td><td class="wrap">{expected}</td><td class="wrap">{found}</td></tr>
                }
            })
            .collect_view();
        view! { <DataTable caption="Attempts that ended otherwise than they should" titled=true columns=columns>{rows}</DataTable> }
    })
}

/// Attempts by table and role: `12`, or `11 of 12` where one ended otherwise.
fn tried(summary: &Value) -> impl IntoView + use<> {
    let cells = summary.as_array().cloned().unwrap_or_default();
    let roles: BTreeSet<String> = cells.iter().map(|cell| text(cell, "role")).collect();
    let tables: BTreeSet<String> = cells.iter().map(|cell| text(cell, "table")).collect();
    let columns =
        std::iter::once(Column::text("Table")).chain(roles.iter().map(|role| Column::number(role, ""))).collect();
    let at = |table: &str, role: &str| {
        let cell = cells.iter().find(|cell| text(cell, "table") == table && text(cell, "role") == role);
        cell.map_or_else(String::new, |cell| match (number(cell, "passed"), number(cell, "tried")) {
            (passed, tried) if passed == tried => tried.to_string(),
            (passed, tried) => format!("{passed} of {tried}"),
        })
    };
    let rows = tables
        .iter()
        .map(|table| {
            let cells = roles.iter().map(|role| view! { <td class="num">{at(table, role)}</td> }).collect_view();
            view! { <tr><th scope="row">{table.clone()}</th>{cells}</tr> }
        })
        .collect_view();
    view! {
        <details class="behind">
            <summary>"What was tried, by table and role"</summary>
            <DataTable caption="Attempts by table and role" columns=columns>{rows}</DataTable>
        </details>
    }
}

/// The state that was read just now.
fn standing(report: Report, chain: Option<Chain>, scope: &Scope) -> impl IntoView + use<> {
    let all = report.tables.len();
    let forced = report.tables.iter().filter(|table| table.row_security && table.forced).count();
    let policies: i64 = report.tables.iter().map(|table| table.policies).sum();
    let key = report.server.key_since.map_or_else(String::new, |since| {
        let days = (clock::now() - since).num_days();
        let age = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
        format!("In use since {}, {age}", scope.moment(since))
    });
    let drift = match report.drift.len() {
        0 => "None: policies, rights, functions and triggers stand as the migrations left them".to_owned(),
        1 => "1 difference".to_owned(),
        n => format!("{n} differences"),
    };
    let rows = vec![
        SummaryRow::new("Database", format!("PostgreSQL {}", report.server.version)),
        SummaryRow::new("Row-level security, forced", format!("{forced} of {all} tables")),
        SummaryRow::new("Policies", format::count(policies, scope.locale())),
        SummaryRow::new("Changed since the migrations", drift),
        SummaryRow::new("Key that signs contexts", key),
        SummaryRow::new("Audit log", sealed(chain, scope)).action("See", "/organization/audit"),
    ];
    let lines = report
        .drift
        .into_iter()
        .map(|drift| view! { <tr><th scope="row">{drift.fault}</th><td class="wrap">{drift.line}</td></tr> })
        .collect_view();
    let drifted = (!lines.is_empty()).then(|| {
        let columns = ["Fault", "What"].map(Column::text).into();
        view! { <DataTable caption="What differs from the migrations" titled=true columns=columns>{lines}</DataTable> }
    });
    view! {
        <SummaryList rows=rows/>
        {drifted}
        {tables(report.tables)}
    }
}

fn sealed(chain: Option<Chain>, scope: &Scope) -> String {
    let count = |n: i64| format::count(n, scope.locale());
    match chain {
        Some(Chain { fault: Some(fault), .. }) => format!("Tampered with. {fault}"),
        Some(Chain { records: Some(records), checked, sealed_at: Some(at), end, .. }) => format!(
            "{} records sealed up to {}, the latest {} hold; its end is {}",
            count(records),
            scope.moment(at),
            count(checked),
            end.unwrap_or_default()
        ),
        _ => "Nothing on record yet".to_owned(),
    }
}

fn tables(tables: Vec<TableState>) -> impl IntoView {
    let columns = vec![
        Column::text("Table"),
        Column::text("Row-level security"),
        Column::number("Policies", ""),
        Column::text("Read by"),
        Column::text("Written by"),
    ];
    let rows = tables
        .into_iter()
        .map(|table| {
            let state = match (table.row_security, table.forced) {
                (true, true) => "Forced",
                (true, false) => "Not for its owner",
                _ => "Off",
            };
            let (readers, writers) = (table.readers.join(", "), table.writers.join(", "));
            view! {
                <tr>
                    <th scope="row">{table.table_name}</th>
                    <td>{state}</td>
                    <td class="num">{table.policies}</td>
                    <td>{readers}</td>
                    <td>{writers}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <details class="behind">
            <summary>"Every table and who reaches it"</summary>
            <DataTable caption="Tables" columns=columns>{rows}</DataTable>
        </details>
    }
}

fn history(runs: Vec<Run>, scope: &Scope) -> impl IntoView + use<> {
    let columns = vec![
        Column::text("When"),
        Column::text("Asked for by"),
        Column::number("Attempts", ""),
        Column::number("As they should", ""),
        Column::text("Result"),
    ];
    let rows = runs
        .into_iter()
        .map(|run| {
            let count = |n: i32| format::count(n.into(), scope.locale());
            let (text, tone) = if run.holds() { ("Held", Tone::Good) } else { ("Faults", Tone::Bad) };
            view! {
                <tr>
                    <th scope="row" class="nowrap">{scope.moment(run.at)}</th>
                    <td>{run.asked_by.clone()}</td>
                    <td class="num">{count(run.tried)}</td>
                    <td class="num">{count(run.passed)}</td>
                    <td><Tag text=text tone=tone/></td>
                </tr>
            }
        })
        .collect_view();
    view! { <DataTable caption="Earlier runs, the latest first" columns=columns>{rows}</DataTable> }
}

/// Why the test was not run, as its page says it.
fn refused(error: ProofError) -> AppError {
    let text = match error {
        ProofError::Runs => "The test is running just now. Look at its result in a moment.",
        ProofError::Ran => "The test ran just now. Look at its result, or run it again in a moment.",
        ProofError::Db(error) => return error.into(),
    };
    AppError::Conflict(text.to_owned())
}

/// Runs the test of isolation and puts it on record.
#[server(prefix = "/api", endpoint = "run_isolation_test")]
pub(crate) async fn run_isolation_test() -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require(Permission::ViewOrganization)?;
        let mut tx = ctx.write(&actor).await?;
        let run = isolation::run(&mut tx, &ctx.state.monitor, PAUSE).await.map_err(refused)?;
        let done = Done::to(PATH);
        if run.holds() {
            return done.saying("The test ran: every attempt ended as it should.").commit(&ctx, tx).await;
        }
        let done = done.commit(&ctx, tx).await?;
        ctx.flash(false, "The test found faults: see below.").await;
        Ok(done)
    })
    .await
}
