//! A contract that cannot be billed is held: it holds nobody else, and the next run takes it over.

use super::support::database::Case;
use super::support::http::{Browser, Portal};
use super::support::sql::Sql;
use super::support::world::{Who, client};
use super::{
    BILL, CLEO, bill, create, days_of, found_in, page_of, post, run_of, step, the_missing_day, usage, without_october,
};

/// Issues 1 to 10 November for the first customer alone: a day of the second is missing.
async fn issued(portal: &Portal, looker: &Sql) -> (Browser, String) {
    let browser = portal.browser_of(CLEO);
    usage(looker).await;
    let run = create(&browser, looker).await;
    bill(&browser, &run).await;
    (browser, run)
}

/// Everything of a run's invoices, periods and lines.
async fn bills(looker: &Sql, run: &str) -> String {
    let all = format!(
        "SELECT md5(string_agg(i::text || p::text || l::text, '' ORDER BY i.id, l.position)) FROM invoices i
         JOIN billing_periods p ON p.invoice_id = i.id JOIN invoice_lines l ON l.invoice_id = i.id WHERE i.billing_run_id = '{run}'"
    );
    looker.value(&all).await
}

#[tokio::test]
async fn who_is_held_holds_nobody_else_and_is_billed_by_the_next_run() {
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
    let told = "1 contract is without a bill";
    assert!(browser.get(&home).await.body.contains(told), "the overview names it");
    let admin = portal.browser_of(Who::Admin(1));
    assert!(admin.get("/organization").await.body.contains("1 contract held"), "and so does the organization's");
    let shown = browser.get(&page_of(&first)).await.body;
    assert!(shown.contains("1 contract was held.") && shown.contains("The next run takes it over."), "{shown}");

    the_missing_day(&looker).await;
    let second = run_of(&browser, "2026-11-11", "").await;
    assert!(!browser.get(&home).await.body.contains(told), "it is on its way");
    step(&browser, &second, "rate_billing_run").await;
    let drafts = format!(
        "SELECT string_agg(concat_ws(' ', account_number, kwh, total, status), ', ') FROM invoices WHERE billing_run_id = '{second}'"
    );
    assert_eq!(looker.value(&drafts).await, "A-2 240.000 79.97 draft", "who has an invoice gets no other");
    assert_eq!(run_of(&browser, "2026-11-11", "").await, "new", "nor is anything else due");
    for function in &BILL[1..] {
        step(&browser, &second, function).await;
    }
    let labels = format!(
        "SELECT string_agg(concat_ws(' ', number, account_number, status, paid), ', ' ORDER BY number) FROM invoices
         WHERE billing_run_id IN ('{first}', '{second}')"
    );
    assert_eq!(looker.value(&labels).await, "3 A-1 issued 0.00, 4 A-2 issued 0.00");
    assert_eq!(bills(&looker, &first).await, before, "what was issued stays as it was");
    assert!(!admin.get("/organization").await.body.contains("contract held"));
    let counter = format!("SELECT last_number FROM invoice_counters WHERE client_id = '{}'", client(1, 1));
    assert_eq!(looker.count(&counter).await, 4);
    let totals = "SELECT string_agg(concat_ws(' ', status, contracts, invoices, total), ', ' ORDER BY id) FROM billing_runs WHERE due_on = '2026-11-11'";
    assert_eq!(looker.value(totals).await, "issued 2 1 79.97, issued 1 1 79.97");
    let shown = browser.get(&page_of(&second)).await.body;
    assert!(!shown.contains("held"), "everybody has a bill: {shown}");
}

#[tokio::test]
async fn who_cannot_be_billed_yet_stays_named_and_may_be_billed_later() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let (browser, _) = issued(&portal, &looker).await;
    let second = run_of(&browser, "2026-11-11", "").await;
    step(&browser, &second, "rate_billing_run").await;
    let home = format!("/clients/{}", client(1, 1));
    let overview = browser.get(&home).await.body;
    assert!(overview.contains("1 contract is without a bill") && !overview.contains("To approve"), "{overview}");
    let refused = step(&browser, &second, "approve_billing_run").await;
    let said = browser.get(refused.location()).await.body;
    assert!(said.contains("No invoice was made, so there is nothing to approve"), "{said}");
    // Of a run that has nothing else it is taken over, too; deleted, its days would be due again as well.
    the_missing_day(&looker).await;
    // A run of earlier days leaves it where it is.
    assert_eq!(run_of(&browser, "2026-11-10", "").await, "new", "nothing is due that early");
    let runs = format!("SELECT count(*) FROM billing_runs WHERE id = '{second}'");
    assert_eq!(looker.count(&runs).await, 1);
    let third = run_of(&browser, "2026-11-11", "").await;
    assert_eq!(looker.count(&runs).await, 0, "an empty run does not stay behind");
    bill(&browser, &third).await;
    let overview = browser.get(&home).await.body;
    assert!(!overview.contains("without a bill"), "{overview}");
    let billed = format!(
        "SELECT string_agg(account_number || ' ' || status, ', ') FROM invoices WHERE billing_run_id = '{third}'"
    );
    assert_eq!(looker.value(&billed).await, "A-2 issued");
}

#[tokio::test]
async fn days_that_were_held_come_before_later_ones_of_the_same_contract_alone() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    without_october(&looker).await;
    days_of(&looker, "2026-10-01", "2026-11-30", "NOT (m.serial = 'M-2' AND d = '2026-10-07')").await;
    let october = run_of(&browser, "2026-11-01", "").await;
    bill(&browser, &october).await;
    let found = format!(
        "SELECT string_agg(kind, ' ') FROM billing_exceptions WHERE {} AND severity = 'blocks'",
        found_in(&october)
    );
    assert_eq!(looker.value(&found).await, "missing_usage");
    days_of(&looker, "2026-10-07", "2026-10-07", "m.serial = 'M-2'").await;
    let billed = async |run: &str| {
        bill(&browser, run).await;
        let of = format!(
            "SELECT string_agg(concat_ws(' ', account_number, period_from, status), ', ' ORDER BY account_number) FROM invoices WHERE billing_run_id = '{run}'"
        );
        looker.value(&of).await
    };
    let next = run_of(&browser, "2026-12-01", "").await;
    assert_eq!(billed(&next).await, "A-1 2026-11-01 issued, A-2 2026-10-01 issued");
    let last = run_of(&browser, "2026-12-01", "").await;
    assert_eq!(billed(&last).await, "A-2 2026-11-01 issued");
}

#[tokio::test]
async fn a_list_page_that_ends_between_two_runs_of_a_day_goes_on_with_the_other() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let (browser, first) = issued(&portal, &looker).await;
    let second = run_of(&browser, "2026-11-11", "").await;
    let list = format!("/clients/{}/billing-runs", client(1, 1));
    let all = browser.get(&list).await.body;
    assert!(all.contains(&first) && all.contains(&second), "{all}");
    let rest = browser.get(&format!("{list}?before=2026-11-11&id={second}")).await.body;
    assert!(rest.contains(&first) && !rest.contains(&second), "{rest}");
    let rest = browser.get(&format!("{list}?before=2026-11-11&id={first}")).await.body;
    assert!(!rest.contains(&first) && !rest.contains(&second), "{rest}");
}

#[tokio::test]
async fn what_an_issued_run_holds_is_its_client_s_alone_and_staff_take_nothing_over() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let (_, first) = issued(&portal, &looker).await;
    let staff = portal.browser_of(Who::Staff(1));
    assert!(!staff.get(&page_of(&first)).await.body.contains("_billing_run\""), "nothing is offered to who reads");
    let form = [("due_on", "2026-11-11")];
    assert_eq!(post(&staff, Who::Staff(1), "create_billing_run", &form).await.status, 403);
    let held = format!("SELECT count(*) FROM billing_periods WHERE billing_run_id = '{first}' AND status = 'held'");
    assert_eq!(looker.count(&held).await, 1);
}
