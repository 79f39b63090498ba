//! A billing run from open to issued, through the portal and against a real database.

#[cfg(test)]
#[expect(dead_code, reason = "the isolation suite uses the rest")]
#[path = "../support/support.rs"]
mod support;

mod activation;
mod changed;
mod collective;
mod credit;
mod credited;
mod cycles;
mod deleted;
mod designer;
mod explained;
mod figures;
mod fixed;
mod held;
mod identifiers;
mod imports;
mod ledger;
mod many;
mod moving;
mod order;
mod overlaps;
mod payments;
mod places;
mod readings;
mod registers;
mod rounding;
mod stale;
mod today;
mod unreadable;

use chrono::{Days, Months, NaiveDate};
use eis::parties::contracts::CYCLES;
use support::database::{Case, apart};
use support::http::{Answer, Browser};
use support::sql::Sql;
use support::world::{self, Kind, Who, account_of, client, customer, id, organization};

/// A change beneath the triggers, as no login may make it: it stands for what was issued otherwise.
fn beneath(sql: &str) -> String {
    format!("SET session_replication_role = replica; {sql}; RESET session_replication_role")
}

const CLEO: Who = Who::Client(1, 1);

/// The world's run of October is put aside with its drafts, so that nothing of the client is on its way.
async fn without_october(owner: &Sql) {
    owner.must(&world::without_october(1, 1)).await;
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Bills of the client's contracts that are not billed yet begin on one day and end on another, last day included.
async fn due(owner: &Sql, from: &str, to: &str) {
    let end = day(to) + Days::new(1);
    let reaches = |months: &i16| end - Months::new(months.unsigned_abs().into()) <= day(from);
    let Some(cycle) = CYCLES.into_iter().find(reaches) else { panic!("no cycle from {from} to {to}") };
    owner
        .must(&format!(
            "UPDATE contracts SET billing_from = '{from}', billing_anchor = '{end}', billing_cycle = {cycle} WHERE client_id = '{}'",
            client(1, 1)
        ))
        .await;
}

/// Gives the two customers of a client full days of usage, but for the one day of the second.
async fn usage(owner: &Sql) {
    days_of(owner, "2026-11-01", "2026-11-10", "NOT (m.serial = 'M-2' AND d = '2026-11-07')").await;
}

/// Days of 1 kWh an hour for the meters of the client's contracts, where a condition holds.
async fn days_of(owner: &Sql, from: &str, to: &str, condition: &str) {
    owner
        .must(&format!(
            "INSERT INTO interval_days (organization_id, client_id, customer_id, meter_id, day, interval_minutes, wh, total_wh)
             SELECT m.organization_id, m.client_id, m.customer_id, m.meter_id, d::date, 60, array_fill(1000, ARRAY[h]), 1000 * h
             FROM contract_meters m, generate_series('{from}'::timestamp, '{to}', '1 day') d,
                 LATERAL (SELECT (extract(epoch FROM (d + interval '1 day') AT TIME ZONE 'Europe/Berlin' - d AT TIME ZONE 'Europe/Berlin') / 3600)::int) x (h)
             WHERE m.client_id = '{}' AND m.from_on <= d AND (m.to_on IS NULL OR m.to_on > d) AND {condition}
             ON CONFLICT (organization_id, client_id, meter_id, day) DO UPDATE SET wh = excluded.wh, total_wh = excluded.total_wh",
            client(1, 1)
        ))
        .await;
}

async fn the_missing_day(owner: &Sql) {
    days_of(owner, "2026-11-07", "2026-11-07", "m.serial = 'M-2'").await;
}

/// Another service point of the client with an hourly meter; its id.
async fn another_place(owner: &Sql, n: u8) -> String {
    let (place, meter) = (id(Kind::Place, 1, 1, 3, n), id(Kind::Meter, 1, 1, 3, n));
    let own = format!("'{}', '{}'", organization(1), client(1, 1));
    owner
        .must(&format!(
            "INSERT INTO service_points (organization_id, client_id, id, address, time_zone) VALUES ({own}, '{place}', '{n} House Lane', 'Europe/Berlin');
             INSERT INTO meters (organization_id, client_id, id, service_point_id, serial, kind, interval_minutes, time_zone, valid_from)
             VALUES ({own}, '{meter}', '{place}', 'H-{n}', 'interval', 60, 'Europe/Berlin', '2024-01-01')"
        ))
        .await;
    place.to_string()
}

/// A contract of a customer of the client at a place, on the world's tariff, from a day on until another if it ends, billed
/// by the calendar's months; its id.
async fn contract_at(owner: &Sql, place: &str, (k, n): (u8, u8), from: &str, to: Option<&str>) -> String {
    let (customer, contract) = (customer(1, 1, k), id(Kind::Contract, 1, 1, k, n));
    let (own, to) =
        (format!("'{}', '{}'", organization(1), client(1, 1)), to.map_or("NULL".to_owned(), |to| format!("'{to}'")));
    owner
        .must(&format!(
            "INSERT INTO contracts (organization_id, client_id, customer_id, id, account_id, service_point_id, from_on, to_on, billing_anchor)
             VALUES ({own}, '{customer}', '{contract}', '{}', '{place}', '{from}', {to}, '2024-01-01');
             INSERT INTO tariff_agreements (organization_id, client_id, id, customer_id, contract_id, tariff_code, valid_from)
             VALUES ({own}, gen_random_uuid(), '{customer}', '{contract}', 'HOME', '{from}')",
            account_of(customer)
        ))
        .await;
    contract.to_string()
}

/// What a run has: of each contract its account, days and why, by account and days.
async fn taken_on(owner: &Sql, run: &str) -> String {
    let sql = format!(
        "SELECT string_agg(concat_ws(' ', a.account_number, p.from_on, p.to_on, p.reason), ', ' ORDER BY a.account_number, p.from_on, p.address)
         FROM billing_periods p JOIN accounts a ON a.id = p.account_id WHERE p.billing_run_id = '{run}'"
    );
    owner.value(&sql).await
}

/// What of the books is wrong, as `portal check` tells it.
fn faults_in_the_books(case: &Case) -> Vec<String> {
    let url = case.connected.admin_url().to_owned();
    let found = apart(async { eis::receivables::ledger::control::check(&url).await });
    let found = found.unwrap_or_else(|error| panic!("{error}"));
    found.into_iter().filter(|finding| !finding.ok).map(|finding| finding.message).collect()
}

async fn post(browser: &Browser, who: Who, function: &str, form: &[(&str, &str)]) -> Answer {
    let (client, context) = (client(1, 1).to_string(), who.context_token());
    let mut pairs = vec![("client", client.as_str()), ("context", context.as_str())];
    pairs.extend_from_slice(form);
    let action = format!("/api/{function}");
    // As a person does who looks at the page and sends its form.
    let of = |wanted: &str| form.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    let seen = match (of("page"), of("seen")) {
        (Some(page), None) => browser.seen(page, &action).await,
        _ => String::new(),
    };
    if !seen.is_empty() {
        pairs.push(("seen", &seen));
    }
    browser.post(&action, &pairs).await
}

/// Creates a run of 1 to 10 November; its id.
async fn create(browser: &Browser, owner: &Sql) -> String {
    create_of(browser, owner, "2026-11-01", "2026-11-10").await
}

/// Creates a run of what is due when these days are over.
async fn create_of(browser: &Browser, owner: &Sql, from: &str, to: &str) -> String {
    without_october(owner).await;
    due(owner, from, to).await;
    run_of(browser, &(day(to) + Days::new(1)).to_string(), "").await
}

/// Creates a run of what is due by a day, of a cycle or of every one; its id.
async fn run_of(browser: &Browser, due_on: &str, cycle: &str) -> String {
    let page = new_page();
    let form = [("page", page.as_str()), ("due_on", due_on), ("cycle", cycle)];
    let answer = post(browser, CLEO, "create_billing_run", &form).await;
    answer.location().rsplit('/').next().unwrap_or_default().to_owned()
}

fn new_page() -> String {
    format!("/clients/{}/billing-runs/new", client(1, 1))
}

fn page_of(run: &str) -> String {
    format!("/clients/{}/billing-runs/{run}", client(1, 1))
}

const BILL: [&str; 3] = ["rate_billing_run", "approve_billing_run", "issue_billing_run"];

/// Rates, approves and issues a run.
async fn bill(browser: &Browser, run: &str) {
    for function in BILL {
        step(browser, run, function).await;
    }
}

async fn step(browser: &Browser, run: &str, function: &str) -> Answer {
    post(browser, CLEO, function, &[("run", run), ("page", &page_of(run))]).await
}

/// Billing exceptions of a run's periods: a condition.
fn found_in(run: &str) -> String {
    format!("billing_period_id IN (SELECT p.id FROM billing_periods p WHERE p.billing_run_id = '{run}')")
}

#[tokio::test]
async fn a_run_is_rated_mended_rated_again_approved_and_issued_once() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    usage(&looker).await;
    let run = create(&browser, &looker).await;
    let of_run = format!("FROM invoices WHERE billing_run_id = '{run}'");

    step(&browser, &run, "rate_billing_run").await;
    let found = format!("SELECT message FROM billing_exceptions WHERE {} AND severity = 'blocks'", found_in(&run));
    assert_eq!(looker.value(&found).await, "Usage is missing: 2026-11-07.");
    // Ten days of 24 kWh at 0.28, and the client's tax of 19 %.
    assert_eq!(
        looker.value(&format!("SELECT string_agg(concat_ws(' ', kwh, net, tax, total), ', ') {of_run}")).await,
        "240.000 67.20 12.77 79.97"
    );

    the_missing_day(&looker).await;
    step(&browser, &run, "rate_billing_run").await;
    assert_eq!(looker.count(&format!("SELECT count(*) {of_run}")).await, 2);
    let refused = step(&browser, &run, "issue_billing_run").await;
    assert!(browser.get(refused.location()).await.body.contains("Approve the run first"));

    step(&browser, &run, "approve_billing_run").await;
    step(&browser, &run, "reopen_billing_run").await;
    assert_eq!(looker.count(&format!("SELECT count(*) {of_run}")).await, 0);
    step(&browser, &run, "rate_billing_run").await;
    step(&browser, &run, "approve_billing_run").await;

    // Twice at once and once more: the numbers follow those of the world and are given once.
    let other = portal.browser_of(CLEO);
    tokio::join!(step(&browser, &run, "issue_billing_run"), step(&other, &run, "issue_billing_run"));
    step(&browser, &run, "issue_billing_run").await;
    let labels =
        format!("SELECT string_agg(split_part(label, '-', 3) || ' ' || account_number, ', ' ORDER BY number) {of_run}");
    assert_eq!(looker.value(&labels).await, "000003 A-1, 000004 A-2");
    let counter = format!("SELECT last_number FROM invoice_counters WHERE client_id = '{}'", client(1, 1));
    assert_eq!(looker.count(&counter).await, 4);
    let records = format!(
        "SELECT count(*) FROM audit_log WHERE entity = 'billing_run' AND entity_id = '{run}' AND action = 'issue'"
    );
    assert_eq!(looker.count(&records).await, 1);
    let refused = step(&browser, &run, "reopen_billing_run").await;
    assert!(browser.get(refused.location()).await.body.contains("credit note"));
    assert_eq!(looker.count(&format!("SELECT count(*) {of_run} AND status = 'issued'")).await, 2);
}

#[tokio::test]
async fn a_contract_is_in_one_run_at_a_time() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    create(&browser, &looker).await;
    let runs = format!("SELECT count(*) FROM billing_runs WHERE client_id = '{}'", client(1, 1));
    let page = new_page();
    for (due_on, cycle, why) in [
        ("2026-11-11", "", "Nothing is due by this day that is not in another run"),
        ("2027-02-11", "1", "Nothing is due by this day that is not in another run"),
        ("2026-11-11", "4", "Choose one of the cycles"),
        ("2199-01-01", "", "is the year right?"),
        ("some day", "", "id=\"due_on-error\""),
    ] {
        post(&browser, CLEO, "create_billing_run", &[("page", &page), ("due_on", due_on), ("cycle", cycle)]).await;
        let form = browser.get(&page).await.body;
        assert!(form.contains(why) && form.contains(&format!("value=\"{due_on}\"")), "{due_on} {cycle}: {form}");
        assert_eq!(looker.count(&runs).await, 2, "{due_on} {cycle}: nothing is left of it");
    }
}

#[tokio::test]
async fn staff_look_at_a_run_and_change_nothing() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let run = create(&portal.browser_of(CLEO), &looker).await;
    let staff = portal.browser_of(Who::Staff(1));
    let seen = staff.get(&page_of(&run)).await;
    assert_eq!(seen.status, 200);
    assert!(!seen.body.contains("/api/rate_billing_run"));
    let steps = ["rate", "approve", "reopen", "issue", "delete"];
    for function in steps.map(|step| format!("{step}_billing_run")) {
        let function = function.as_str();
        assert_eq!(post(&staff, Who::Staff(1), function, &[("run", &run)]).await.status, 403, "{function}");
    }
    assert_eq!(post(&staff, Who::Staff(1), "create_billing_run", &[("due_on", "2027-01-01")]).await.status, 403);
}

/// Records a payment of September's invoice of the first customer with the form's key; its page.
async fn pay(browser: &Browser, looker: &Sql, amount: &str, key: &str) -> String {
    pay_saying(browser, looker, amount, key, &[]).await
}

async fn pay_saying(browser: &Browser, looker: &Sql, amount: &str, key: &str, more: &[(&str, &str)]) -> String {
    let number = format!("SELECT id FROM invoices WHERE client_id = '{}' AND number = 1", client(1, 1));
    let invoice = looker.value(&number).await;
    let page = format!("/clients/{}/invoices/{invoice}", client(1, 1));
    let form = [
        ("invoice", invoice.as_str()),
        ("page", page.as_str()),
        ("key", key),
        ("amount", amount),
        ("received_on", "2026-11-02"),
        ("method", "cash"),
    ];
    let form: Vec<_> = form.into_iter().chain(more.iter().copied()).collect();
    post(browser, CLEO, "record_payment", &form).await;
    page
}
