//! A billing period from open to invoiced, through the portal and against a real database.

#[cfg(test)]
#[expect(dead_code, reason = "the isolation suite uses the rest")]
#[path = "../support/support.rs"]
mod support;

mod activation;
mod changed;
mod credit;
mod deleted;
mod designer;
mod explained;
mod figures;
mod fixed;
mod identifiers;
mod imports;
mod ledger;
mod left_out;
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

use support::database::Case;
use support::http::{Answer, Browser};
use support::sql::Sql;
use support::world::{Who, client};

/// A change beneath the triggers, as no login may make it: it stands for what was issued otherwise.
fn beneath(sql: &str) -> String {
    format!("SET session_replication_role = replica; {sql}; RESET session_replication_role")
}

const CLEO: Who = Who::Client(1, 1);

/// The world's period of October is put aside: it has no drafts, so November need not wait for it.
async fn without_october(owner: &Sql) {
    owner.must(&format!("DELETE FROM invoices WHERE client_id = '{}' AND status = 'draft'", client(1, 1))).await;
}

/// Gives the two customers of a client full days of usage, but for the one day of the second.
async fn usage(owner: &Sql) {
    without_october(owner).await;
    owner
        .must(&format!(
            "INSERT INTO interval_days (organization_id, client_id, customer_id, meter_id, day, interval_minutes, wh, total_wh)
             SELECT m.organization_id, m.client_id, m.customer_id, m.meter_id, d::date, 60, array_fill(1000, ARRAY[24]), 24000
             FROM contract_meters m, generate_series('2026-11-01'::timestamp, '2026-11-10', '1 day') d
             WHERE m.client_id = '{}' AND NOT (m.serial = 'M-2' AND d = '2026-11-07')",
            client(1, 1)
        ))
        .await;
}

async fn the_missing_day(owner: &Sql) {
    owner
        .must(&format!(
            "INSERT INTO interval_days (organization_id, client_id, customer_id, meter_id, day, interval_minutes, wh, total_wh)
             SELECT organization_id, client_id, customer_id, meter_id, '2026-11-07', 60, array_fill(1000, ARRAY[24]), 24000
             FROM contract_meters WHERE client_id = '{}' AND serial = 'M-2'",
            client(1, 1)
        ))
        .await;
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

/// Creates 1 to 10 November; the id of the period.
async fn create(browser: &Browser) -> String {
    create_of(browser, "2026-11-01", "2026-11-10").await
}

async fn create_of(browser: &Browser, from: &str, to: &str) -> String {
    let page = format!("/clients/{}/billing-periods/new", client(1, 1));
    let form = [("page", page.as_str()), ("from", from), ("to", to)];
    let answer = post(browser, CLEO, "create_billing_period", &form).await;
    answer.location().rsplit('/').next().unwrap_or_default().to_owned()
}

/// Rates, approves and issues a period.
async fn bill(browser: &Browser, period: &str) {
    for function in ["rate_billing_period", "approve_billing_period", "issue_billing_period"] {
        step(browser, period, function).await;
    }
}

async fn step(browser: &Browser, period: &str, function: &str) -> Answer {
    let page = format!("/clients/{}/billing-periods/{period}", client(1, 1));
    post(browser, CLEO, function, &[("period", period), ("page", &page)]).await
}

#[tokio::test]
async fn a_period_is_rated_mended_rated_again_approved_and_issued_once() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    usage(&looker).await;
    let period = create(&browser).await;
    let of_period = format!("FROM invoices WHERE billing_period_id = '{period}'");

    step(&browser, &period, "rate_billing_period").await;
    let found =
        format!("SELECT message FROM billing_exceptions WHERE billing_period_id = '{period}' AND severity = 'blocks'");
    assert_eq!(looker.value(&found).await, "Usage is missing: 2026-11-07.");
    // Ten days of 24 kWh at 0.28, and the client's tax of 19 %.
    assert_eq!(
        looker.value(&format!("SELECT string_agg(concat_ws(' ', kwh, net, tax, total), ', ') {of_period}")).await,
        "240.000 67.20 12.77 79.97"
    );

    the_missing_day(&looker).await;
    step(&browser, &period, "rate_billing_period").await;
    assert_eq!(looker.count(&format!("SELECT count(*) {of_period}")).await, 2);
    let refused = step(&browser, &period, "issue_billing_period").await;
    assert!(browser.get(refused.location()).await.body.contains("Approve the period first"));

    step(&browser, &period, "approve_billing_period").await;
    step(&browser, &period, "reopen_billing_period").await;
    assert_eq!(looker.count(&format!("SELECT count(*) {of_period}")).await, 0);
    step(&browser, &period, "rate_billing_period").await;
    step(&browser, &period, "approve_billing_period").await;

    // Twice at once and once more: the numbers follow those of the world and are given once.
    let other = portal.browser_of(CLEO);
    tokio::join!(step(&browser, &period, "issue_billing_period"), step(&other, &period, "issue_billing_period"));
    step(&browser, &period, "issue_billing_period").await;
    let labels = format!(
        "SELECT string_agg(split_part(label, '-', 3) || ' ' || account_number, ', ' ORDER BY number) {of_period}"
    );
    assert_eq!(looker.value(&labels).await, "000003 A-1, 000004 A-2");
    let counter = format!("SELECT last_number FROM invoice_counters WHERE client_id = '{}'", client(1, 1));
    assert_eq!(looker.count(&counter).await, 4);
    let records = format!(
        "SELECT count(*) FROM audit_log WHERE entity = 'billing_period' AND entity_id = '{period}' AND action = 'issue'"
    );
    assert_eq!(looker.count(&records).await, 1);
    let refused = step(&browser, &period, "reopen_billing_period").await;
    assert!(browser.get(refused.location()).await.body.contains("credit note"));
    assert_eq!(looker.count(&format!("SELECT count(*) {of_period} AND status = 'issued'")).await, 2);
}

#[tokio::test]
async fn a_day_is_in_one_period_only() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let browser = portal.browser_of(CLEO);
    create(&browser).await;
    let page = format!("/clients/{}/billing-periods/new", client(1, 1));
    for (from, to, why) in [("2026-11-10", "2026-11-20", "overlap"), ("2026-11-01", "2026-11-10", "exactly these days")]
    {
        post(&browser, CLEO, "create_billing_period", &[("page", &page), ("from", from), ("to", to)]).await;
        let form = browser.get(&page).await.body;
        assert!(form.contains(why) && form.contains(from) && form.contains(to), "{form}");
    }
}

#[tokio::test]
async fn staff_look_at_a_period_and_change_nothing() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let period = create(&portal.browser_of(CLEO)).await;
    let staff = portal.browser_of(Who::Staff(1));
    let seen = staff.get(&format!("/clients/{}/billing-periods/{period}", client(1, 1))).await;
    assert_eq!(seen.status, 200);
    assert!(!seen.body.contains("/api/rate_billing_period"));
    let steps = ["rate", "approve", "reopen", "issue", "delete"];
    for function in steps.map(|step| format!("{step}_billing_period")) {
        let function = function.as_str();
        assert_eq!(post(&staff, Who::Staff(1), function, &[("period", &period)]).await.status, 403, "{function}");
    }
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
