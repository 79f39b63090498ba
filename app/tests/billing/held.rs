//! Customers that an issued period left without a bill are billed in a further part of it; what is issued stays.

use super::support::database::Case;
use super::support::http::{Browser, Portal};
use super::support::sql::Sql;
use super::support::world::{Who, client};
use super::{CLEO, create, post, step, the_missing_day, usage};

const STEPS: [&str; 3] = ["rate_billing_period", "approve_billing_period", "issue_billing_period"];

fn page(period: &str) -> String {
    format!("/clients/{}/billing-periods/{period}", client(1, 1))
}

/// Issues 1 to 10 November for the first customer alone: a day of the second is missing.
async fn issued(portal: &Portal, looker: &Sql) -> (Browser, String) {
    let browser = portal.browser_of(CLEO);
    usage(looker).await;
    let period = create(&browser).await;
    for function in STEPS {
        step(&browser, &period, function).await;
    }
    (browser, period)
}

/// The id of the further part that is made.
async fn bill_left_out(browser: &Browser, period: &str) -> String {
    let made = step(browser, period, "bill_left_out").await;
    made.location().rsplit('/').next().unwrap_or_default().to_owned()
}

/// Everything of a period's invoices and lines.
async fn bills(looker: &Sql, period: &str) -> String {
    let all = format!(
        "SELECT md5(string_agg(i::text || l::text, '' ORDER BY i.id, l.position)) FROM invoices i
         JOIN invoice_lines l ON l.invoice_id = i.id WHERE i.billing_period_id = '{period}'"
    );
    looker.value(&all).await
}

#[tokio::test]
async fn those_left_out_are_rated_apart_and_only_their_drafts_are_issued() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let (browser, first) = issued(&portal, &looker).await;
    // The first customer has credit and an open bill: billing others later must not touch either.
    looker
        .must(&format!(
            "INSERT INTO payments (organization_id, client_id, id, customer_id, account_id, received_on, amount, currency, method)
             SELECT organization_id, client_id, gen_random_uuid(), customer_id, id, '2026-11-20', 5, 'EUR', 'cash'
             FROM accounts WHERE client_id = '{}' AND account_number = 'A-1'",
            client(1, 1)
        ))
        .await;
    let (home, before) = (format!("/clients/{}", client(1, 1)), bills(&looker, &first).await);
    let told = "1 customer of 1 Nov 2026 – 10 Nov 2026 without a bill";
    assert!(browser.get(&home).await.body.contains(told), "the overview names it");
    let admin = portal.browser_of(Who::Admin(1));
    assert!(admin.get("/organization").await.body.contains("1 exception"), "and so does the organization's");
    assert!(browser.get(&page(&first)).await.body.contains("/api/bill_left_out"));

    the_missing_day(&looker).await;
    let second = bill_left_out(&browser, &first).await;
    let preview = browser.get(&page(&second)).await.body;
    assert!(preview.contains("those left out") && preview.contains("1 invoice issued over €79.97"), "{preview}");
    assert!(!browser.get(&home).await.body.contains(told), "it is on its way");
    let drafts = format!(
        "SELECT string_agg(concat_ws(' ', account_number, kwh, total, status), ', ') FROM invoices WHERE billing_period_id = '{second}'"
    );
    assert_eq!(looker.value(&drafts).await, "A-2 240.000 79.97 draft", "who has an invoice gets no other");
    let again = step(&browser, &first, "bill_left_out").await;
    assert!(browser.get(again.location()).await.body.contains("There is a billing period for those left out already"));

    for function in STEPS {
        step(&browser, &second, function).await;
    }
    let labels = format!(
        "SELECT string_agg(concat_ws(' ', number, account_number, status, paid), ', ' ORDER BY number) FROM invoices
         WHERE billing_period_id IN ('{first}', '{second}')"
    );
    assert_eq!(looker.value(&labels).await, "3 A-1 issued 0.00, 4 A-2 issued 0.00");
    assert_eq!(bills(&looker, &first).await, before, "what was issued stays as it was");
    assert!(!admin.get("/organization").await.body.contains("1 exception"));
    let counter = format!("SELECT last_number FROM invoice_counters WHERE client_id = '{}'", client(1, 1));
    assert_eq!(looker.count(&counter).await, 4);
    let totals = "SELECT string_agg(concat_ws(' ', part, status, invoices, total), ', ' ORDER BY part) FROM billing_periods WHERE from_on = '2026-11-01'";
    assert_eq!(looker.value(totals).await, "1 invoiced 1 79.97, 2 invoiced 1 79.97");
    let shown = browser.get(&page(&first)).await.body;
    assert!(shown.contains(&second) && !shown.contains("/api/bill_left_out"), "{shown}");
    assert!(!browser.get(&page(&second)).await.body.contains("/api/bill_left_out"), "everybody has a bill");
    let refused = step(&browser, &second, "bill_left_out").await;
    assert!(browser.get(refused.location()).await.body.contains("Every customer of this period has a bill"));
}

#[tokio::test]
async fn who_cannot_be_billed_yet_stays_named_and_may_be_billed_later() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let (browser, first) = issued(&portal, &looker).await;
    let second = bill_left_out(&browser, &first).await;
    let home = format!("/clients/{}", client(1, 1));
    let overview = browser.get(&home).await.body;
    assert!(overview.contains("1 customer of rated periods have no bill"), "{overview}");
    assert!(!overview.contains("To approve") && !overview.contains("Left out"));
    // Deleted, it is the issued period's again.
    step(&browser, &second, "delete_billing_period").await;
    assert!(browser.get(&home).await.body.contains("Left out"));
    the_missing_day(&looker).await;
    let second = bill_left_out(&browser, &first).await;
    for function in STEPS {
        step(&browser, &second, function).await;
    }
    let overview = browser.get(&home).await.body;
    assert!(!overview.contains("Left out") && !overview.contains("have no bill"), "{overview}");
}

#[tokio::test]
async fn who_has_a_bill_for_later_days_is_refused_and_the_page_says_so() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let (browser, first) = issued(&portal, &looker).await;
    looker
        .must(&format!(
            "INSERT INTO interval_days (organization_id, client_id, customer_id, meter_id, day, interval_minutes, wh, total_wh)
             SELECT m.organization_id, m.client_id, m.customer_id, m.meter_id, d::date, 60, array_fill(1000, ARRAY[24]), 24000
             FROM contract_meters m, generate_series('2026-11-11'::timestamp, '2026-11-12', '1 day') d WHERE m.client_id = '{}'",
            client(1, 1)
        ))
        .await;
    let new = format!("/clients/{}/billing-periods/new", client(1, 1));
    let form = [("page", new.as_str()), ("from", "2026-11-11"), ("to", "2026-11-12")];
    let later = post(&browser, CLEO, "create_billing_period", &form).await.location().to_owned();
    let later = later.rsplit('/').next().unwrap_or_default().to_owned();
    for function in STEPS {
        step(&browser, &later, function).await;
    }
    the_missing_day(&looker).await;
    let second = bill_left_out(&browser, &first).await;
    let made = format!("SELECT count(*) FROM invoices WHERE billing_period_id = '{second}'");
    assert_eq!(looker.count(&made).await, 0);
    let said = browser.get(&page(&second)).await.body;
    assert!(said.contains("INV-2026-000005 for later days is issued already"), "{said}");
}

#[tokio::test]
async fn a_later_period_waits_for_those_left_out_who_are_being_billed() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let (browser, first) = issued(&portal, &looker).await;
    let new = format!("/clients/{}/billing-periods/new", client(1, 1));
    let form = [("page", new.as_str()), ("from", "2026-11-11"), ("to", "2026-11-12")];
    let later = post(&browser, CLEO, "create_billing_period", &form).await.location().to_owned();
    let later = later.rsplit('/').next().unwrap_or_default().to_owned();
    the_missing_day(&looker).await;
    bill_left_out(&browser, &first).await;
    let refused = step(&browser, &later, "rate_billing_period").await;
    let said = browser.get(refused.location()).await.body;
    assert!(said.contains("Issue the billing period 1 Nov 2026 to 10 Nov 2026 first"), "{said}");
}

#[tokio::test]
async fn a_list_page_that_ends_between_two_parts_goes_on_with_the_other() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let (browser, first) = issued(&portal, &looker).await;
    let second = bill_left_out(&browser, &first).await;
    let list = format!("/clients/{}/billing-periods", client(1, 1));
    let rest = browser.get(&format!("{list}?before=2026-11-01&part=2")).await.body;
    assert!(rest.contains(&first) && !rest.contains(&second), "{rest}");
    let rest = browser.get(&format!("{list}?before=2026-11-01&part=1")).await.body;
    assert!(!rest.contains(&first) && !rest.contains(&second), "{rest}");
    let staff = portal.browser_of(Who::Staff(1));
    assert!(!staff.get(&page(&first)).await.body.contains("/api/bill_left_out"));
    assert_eq!(post(&staff, Who::Staff(1), "bill_left_out", &[("period", &first)]).await.status, 403);
}
