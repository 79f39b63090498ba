//! `portal bench rls`: what row-level security and the signed context cost. The same queries, prepared, with the same
//! plans, on the portal's own tables and on their unprotected twin with a hand-written condition; one after the
//! other in the same run (A, B, B, A), so that the machine's drift meets both alike.

use std::time::Instant;

use eis::operate::connect::Settings;
use portal::out;
use serde_json::Value;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use crate::twin::{self, CUSTOMERS, Id, MONTHS, ORGANIZATIONS, Tenant, told};

/// A question that is asked of both.
struct Query {
    name: &'static str,
    /// `{s}`: the schema.
    sql: &'static str,
    writes: bool,
    /// Twice as often as this, as each round asks A, B, B, A.
    rounds: usize,
    /// Tenths of a percent that it may cost more.
    goal: i64,
}

const QUERIES: [Query; 4] = [
    Query {
        name: "point",
        sql: "SELECT label, status, total, paid, due_on FROM {s}.invoices WHERE organization_id = $1 AND client_id = $2 AND id = $3",
        writes: false,
        rounds: 800,
        goal: 50,
    },
    Query {
        name: "list (25 rows)",
        sql: "SELECT id, label, customer_name, issued_on, total, paid FROM {s}.invoices
              WHERE organization_id = $1 AND client_id = $2 AND status = 'paid' AND id <> $3 ORDER BY issued_on DESC, id DESC LIMIT 25",
        writes: false,
        rounds: 800,
        goal: 50,
    },
    Query {
        name: "aggregate",
        sql: "SELECT sum(total), sum(paid), count(*) FROM {s}.invoices
              WHERE organization_id = $1 AND client_id = $2 AND status <> 'draft' AND id <> $3",
        writes: false,
        rounds: 80,
        goal: 100,
    },
    Query {
        name: "insert",
        sql: "INSERT INTO {s}.invoices (organization_id, client_id, id, customer_id, account_id, customer_name, account_number, period_from, period_to,
                  currency, kwh, net, tax, total)
              VALUES ($1, $2, gen_random_uuid(), $3, $3, 'Customer', 'A-1', '2026-11-01', '2026-12-01', 'USD', 300, 60, 0, 60)",
        writes: true,
        rounds: 600,
        goal: 50,
    },
];

/// Which way a query is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The twin, hand-written condition, and nothing that says who asks.
    Twin,
    /// The twin, after looking up who asks: what a portal without row-level security does as well.
    TwinSession,
    /// Row-level security under the signed context.
    Rls,
}

/// Nanoseconds, half and 95 of 100 of which were quicker.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct Times {
    /// The median.
    pub p50_ns: i64,
    /// 95 of 100 were quicker.
    pub p95_ns: i64,
}

/// Unprotected and protected, side by side.
#[derive(Debug, serde::Serialize)]
pub struct Pair {
    /// The twin.
    pub twin: Times,
    /// Row-level security.
    pub rls: Times,
    /// How much more the medians cost, in percent.
    pub more_p50: String,
    /// How much more the 95th percentiles cost, in percent.
    pub more_p95: String,
}

/// One query's figures.
#[derive(Debug, serde::Serialize)]
pub struct Figures {
    /// Which query.
    pub query: &'static str,
    /// Measurements of each way.
    pub times: usize,
    /// Whether both plans have the same nodes, and which.
    pub same_plan: bool,
    /// Plan nodes from the top.
    pub plan: Vec<String>,
    /// The query alone, in a transaction that is open already: what the policies cost.
    pub alone: Pair,
    /// The transaction up to its answer: BEGIN, the context, the query.
    pub whole: Pair,
    /// The same against a twin that looks its session up.
    pub whole_with_session: Pair,
    /// Whether the whole is within the goal of 5 or 10 percent.
    pub within_goal: bool,
    /// The same against a twin that looks its session up.
    pub within_goal_with_session: bool,
    /// Round trips of the twin and under row-level security, up to the answer.
    pub round_trips: (usize, usize),
}

/// All of a run.
#[derive(Debug, serde::Serialize)]
pub struct Report {
    /// Rows of each table.
    pub invoices: usize,
    /// Tenants.
    pub organizations: usize,
    /// Opening the context, a round trip of its own.
    pub context: Times,
    /// A statement that does nothing, a round trip of its own.
    pub nothing: Times,
    /// Each query.
    pub queries: Vec<Figures>,
}

/// A connection as the portal's login with everything prepared.
struct Bench {
    app: Client,
    context: Statement,
    session: Statement,
    nothing: Statement,
}

/// Both statements of a query.
struct Both {
    twin: Statement,
    rls: Statement,
}

fn nanos(start: Instant) -> i64 {
    i64::try_from(start.elapsed().as_nanos()).unwrap_or(i64::MAX)
}

fn times(mut all: Vec<i64>) -> Times {
    all.sort_unstable();
    let at = |percent: usize| all.get((all.len() * percent / 100).min(all.len().saturating_sub(1))).copied();
    Times { p50_ns: at(50).unwrap_or_default(), p95_ns: at(95).unwrap_or_default() }
}

/// Tenths of a percent that `b` is above `a`.
const fn more(a: i64, b: i64) -> i64 {
    (b - a) * 1000 / if a > 0 { a } else { 1 }
}

fn percent(tenths: i64) -> String {
    let sign = if tenths < 0 { '-' } else { '+' };
    format!("{sign}{}.{} %", tenths.abs() / 10, tenths.abs() % 10)
}

fn pair(twin: Times, rls: Times) -> Pair {
    let said = |a, b| percent(more(a, b));
    Pair { more_p50: said(twin.p50_ns, rls.p50_ns), more_p95: said(twin.p95_ns, rls.p95_ns), twin, rls }
}

impl Bench {
    async fn new(app: Client) -> Result<Self, tokio_postgres::Error> {
        let context = app.prepare("SELECT public.open_context($1, $2)").await?;
        let session = app.prepare("SELECT user_id, assignment_id FROM twin.sessions WHERE secret_hash = sha256($1) AND expires_at > now()").await?;
        let nothing = app.prepare("SELECT $1::bytea, $2::uuid").await?;
        Ok(Self { app, context, session, nothing })
    }

    /// The transaction of a page or a write, up to its answer, as the portal sends it: reading, everything goes out
    /// together; writing, the portal waits for the context. Nanoseconds and round trips.
    async fn whole(
        &self,
        way: Way,
        query: &Query,
        both: &Both,
        tenant: &Tenant,
        third: Id,
    ) -> Result<(i64, usize), tokio_postgres::Error> {
        let values: [&(dyn ToSql + Sync); 3] = [&tenant.organization, &tenant.client, &third];
        let begin = self.app.batch_execute(if query.writes { "BEGIN" } else { "BEGIN READ ONLY" });
        let start = Instant::now();
        let trips = match way {
            Way::Twin => {
                tokio::try_join!(biased; begin, self.app.query(&both.twin, &values))?;
                1
            }
            Way::TwinSession => {
                let who: [&(dyn ToSql + Sync); 1] = [&tenant.secret];
                let look = self.app.query(&self.session, &who);
                if query.writes {
                    tokio::try_join!(biased; begin, look)?;
                    self.app.query(&both.twin, &values).await?;
                    2
                } else {
                    tokio::try_join!(biased; begin, look, self.app.query(&both.twin, &values))?;
                    1
                }
            }
            Way::Rls => {
                let who: [&(dyn ToSql + Sync); 2] = [&tenant.secret, &None::<Id>];
                let open = self.app.query(&self.context, &who);
                if query.writes {
                    tokio::try_join!(biased; begin, open)?;
                    self.app.query(&both.rls, &values).await?;
                    2
                } else {
                    tokio::try_join!(biased; begin, open, self.app.query(&both.rls, &values))?;
                    1
                }
            }
        };
        let spent = nanos(start);
        self.app.batch_execute("ROLLBACK").await?;
        Ok((spent, trips))
    }

    /// The query alone, in a transaction that stands under its context already.
    async fn alone(
        &self,
        way: Way,
        query: &Query,
        both: &Both,
        tenant: &Tenant,
        third: Id,
    ) -> Result<i64, tokio_postgres::Error> {
        let values: [&(dyn ToSql + Sync); 3] = [&tenant.organization, &tenant.client, &third];
        self.app.batch_execute(if query.writes { "BEGIN" } else { "BEGIN READ ONLY" }).await?;
        self.app.query(&self.context, &[&tenant.secret, &None::<Id>]).await?;
        let start = Instant::now();
        self.app.query(if way == Way::Rls { &both.rls } else { &both.twin }, &values).await?;
        let spent = nanos(start);
        self.app.batch_execute("ROLLBACK").await?;
        Ok(spent)
    }

    async fn statement(&self, sql: &str, tenant: &Tenant) -> Result<i64, tokio_postgres::Error> {
        self.app.batch_execute("BEGIN READ ONLY").await?;
        let statement = if sql == "context" { &self.context } else { &self.nothing };
        let start = Instant::now();
        self.app.query(statement, &[&tenant.secret, &None::<Id>]).await?;
        let spent = nanos(start);
        self.app.batch_execute("ROLLBACK").await?;
        Ok(spent)
    }

    /// Nodes of the plan that the prepared statement has, without the policies' own look at the context.
    async fn plan(&self, query: &Query, schema: &str, tenant: &Tenant) -> Result<Vec<String>, String> {
        let sql = query.sql.replace("{s}", schema);
        let third = if query.writes { tenant.customer(7) } else { tenant.invoice(7) };
        let begin = format!("BEGIN; SELECT public.open_context('\\x{}')", eis::values::hex::of(&tenant.secret));
        self.app.batch_execute(&begin).await.map_err(told)?;
        self.app.batch_execute(&format!("PREPARE judged AS {sql}")).await.map_err(told)?;
        let explain =
            format!("EXPLAIN (FORMAT JSON) EXECUTE judged('{}', '{}', '{third}')", tenant.organization, tenant.client);
        let rows = self.app.simple_query(&explain).await.map_err(told)?;
        let text: String = rows
            .iter()
            .filter_map(|message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
                _ => None,
            })
            .collect();
        self.app.batch_execute("ROLLBACK; DEALLOCATE judged").await.map_err(told)?;
        let plan: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
        let mut nodes = Vec::new();
        walk(&plan[0]["Plan"], &mut nodes);
        Ok(nodes)
    }

    async fn query(&self, query: &Query, tenants: &[Tenant]) -> Result<Figures, String> {
        let first = tenants.first().ok_or("no tenants")?;
        let (twin_plan, plan) = (self.plan(query, "twin", first).await?, self.plan(query, "public", first).await?);
        let prepare = async |schema| self.app.prepare(&query.sql.replace("{s}", schema)).await.map_err(told);
        let both = Both { twin: prepare("twin").await?, rls: prepare("public").await? };
        let mut whole = [Vec::new(), Vec::new(), Vec::new()];
        let mut alone = [Vec::new(), Vec::new()];
        let mut trips = (0, 0);
        for round in 0..query.rounds + query.rounds / 10 {
            // Far apart in the table, so that no page stays at hand by being asked for twice.
            let tenant = &tenants[round * 67 % tenants.len()];
            let third = if query.writes { tenant.customer(round * 31) } else { tenant.invoice(round * 7919) };
            let warm = round >= query.rounds / 10;
            for way in [Way::Twin, Way::TwinSession, Way::Rls, Way::Rls, Way::TwinSession, Way::Twin] {
                // Asked once before it is measured, so that no way pays for pages that another brought in.
                self.alone(way, query, &both, tenant, third).await.map_err(told)?;
                let (spent, made) = self.whole(way, query, &both, tenant, third).await.map_err(told)?;
                if warm {
                    whole[way as usize].push(spent);
                }
                match way {
                    Way::Twin => trips.0 = made,
                    Way::Rls => trips.1 = made,
                    Way::TwinSession => {}
                }
            }
            for way in [Way::Twin, Way::Rls, Way::Rls, Way::Twin] {
                self.alone(way, query, &both, tenant, third).await.map_err(told)?;
                let spent = self.alone(way, query, &both, tenant, third).await.map_err(told)?;
                if warm {
                    alone[usize::from(way == Way::Rls)].push(spent);
                }
            }
        }
        let ([plain, session, rls], [plain_alone, rls_alone]) = (whole.map(times), alone.map(times));
        Ok(Figures {
            query: query.name,
            times: query.rounds * 2,
            same_plan: twin_plan == plan,
            plan,
            alone: pair(plain_alone, rls_alone),
            within_goal: more(plain.p50_ns, rls.p50_ns) <= query.goal,
            within_goal_with_session: more(session.p50_ns, rls.p50_ns) <= query.goal,
            whole: pair(plain, rls),
            whole_with_session: pair(session, rls),
            round_trips: trips,
        })
    }
}

fn walk(node: &Value, nodes: &mut Vec<String>) {
    if node["Parent Relationship"] == "InitPlan" {
        return;
    }
    nodes.extend(node["Node Type"].as_str().map(str::to_owned));
    for child in node["Plans"].as_array().into_iter().flatten() {
        walk(child, nodes);
    }
}

/// Runs all of it and prints the report.
///
/// # Errors
/// A sentence when the database cannot be made or refuses a query.
pub async fn run(settings: &Settings, json: bool, drop: bool) -> Result<(), String> {
    let (_connected, app) = twin::prepare(settings).await?;
    let bench = Bench::new(app).await.map_err(told)?;
    let tenants: Vec<Tenant> = (0..ORGANIZATIONS).map(Tenant::of).collect();
    let (mut context, mut nothing) = (Vec::new(), Vec::new());
    for tenant in tenants.iter().cycle().take(3000) {
        context.push(bench.statement("context", tenant).await.map_err(told)?);
        nothing.push(bench.statement("nothing", tenant).await.map_err(told)?);
    }
    let mut queries = Vec::new();
    for query in &QUERIES {
        queries.push(bench.query(query, &tenants).await?);
    }
    let report = Report {
        invoices: ORGANIZATIONS * CUSTOMERS * MONTHS,
        organizations: ORGANIZATIONS,
        context: times(context),
        nothing: times(nothing),
        queries,
    };
    print(&report, json)?;
    if drop { twin::discard(settings).await } else { Ok(()) }
}

fn micros(ns: i64) -> String {
    format!("{}", ns / 1000)
}

fn print(report: &Report, json: bool) -> Result<(), String> {
    if json {
        out::print(format_args!("{}", serde_json::to_string_pretty(report).map_err(|e| e.to_string())?))?;
        return Ok(());
    }
    out::print(format_args!(
        "{} invoices of {} organisations in each table, {} build; one connection, prepared, microseconds up to the answer",
        report.invoices,
        report.organizations,
        if cfg!(debug_assertions) { "development" } else { "release" }
    ))?;
    out::print(format_args!("| query | | twin p50 | RLS p50 | more | twin p95 | RLS p95 | more | plans |"))?;
    out::print(format_args!("|---|---|---|---|---|---|---|---|---|"))?;
    for q in &report.queries {
        for (what, pair) in [
            ("the query alone", &q.alone),
            ("with BEGIN and context", &q.whole),
            ("against a twin that looks its session up", &q.whole_with_session),
        ] {
            out::print(format_args!(
                "| {} | {what} | {} | {} | {} | {} | {} | {} | {} |",
                q.query,
                micros(pair.twin.p50_ns),
                micros(pair.rls.p50_ns),
                pair.more_p50,
                micros(pair.twin.p95_ns),
                micros(pair.rls.p95_ns),
                pair.more_p95,
                if q.same_plan { "same" } else { "DIFFERENT" }
            ))?;
        }
    }
    out::print(format_args!(
        "Opening the context: {} (p95 {}) as a round trip of its own; a statement that does nothing: {} (p95 {}).",
        micros(report.context.p50_ns),
        micros(report.context.p95_ns),
        micros(report.nothing.p50_ns),
        micros(report.nothing.p95_ns)
    ))?;
    for q in &report.queries {
        out::print(format_args!(
            "{}: {} of each way; round trips {} and {}; {}; {}; goal met: {}, against a twin that looks its session up: {}",
            q.query,
            q.times,
            q.round_trips.0,
            q.round_trips.1,
            q.plan.join(" > "),
            if q.same_plan { "same plan" } else { "plans differ" },
            q.within_goal,
            q.within_goal_with_session
        ))?;
    }
    Ok(())
}
