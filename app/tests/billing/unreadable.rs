//! Stored values that cannot be read are faults that name their row, on the page and in exceptions; never defaults.

use super::support::database::Case;
use super::support::world::{Kind, Who, client, customer, id};
use super::{CLEO, beneath, create, found_in, step, the_missing_day, usage};

#[tokio::test]
async fn an_invoice_whose_reasons_or_days_cannot_be_read_is_a_fault_that_names_it() {
    let (invoice, period) = (id(Kind::Invoice, 1, 1, 1, 1), id(Kind::Period, 1, 1, 1, 1));
    let changes = [
        (
            "billing_periods.usage_source",
            period,
            format!("UPDATE billing_periods SET usage_source = '{{\"intervals\": \"many\"}}' WHERE id = '{period}'"),
        ),
        (
            "billing_periods.explained",
            period,
            format!("UPDATE billing_periods SET explained = '[1]' WHERE id = '{period}'"),
        ),
        (
            "invoice_lines.trace",
            invoice,
            format!(
                "UPDATE invoice_lines SET trace = '[{{\"date\": \"soon\"}}]' WHERE invoice_id = '{invoice}' AND position = 1"
            ),
        ),
    ];
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let path = format!("/clients/{}/invoices/{invoice}", client(1, 1));
    assert_eq!(browser.get(&path).await.status, 200, "the positive control");
    for (column, row, change) in changes {
        looker.must(&format!("CREATE TABLE kept AS SELECT * FROM billing_periods WHERE id = '{period}'")).await;
        looker.must(&beneath(&change)).await;
        let page = browser.get(&path).await;
        assert_eq!(page.status, 500, "{column}");
        assert!(page.body.contains(column) && page.body.contains(&row.to_string()), "{column}: {}", page.body);
        looker
            .must(&beneath(
                "UPDATE billing_periods p SET usage_source = k.usage_source, explained = k.explained FROM kept k WHERE p.id = k.id; DROP TABLE kept"
            ))
            .await;
    }
}

#[tokio::test]
async fn a_zone_that_no_clock_knows_is_a_fault_that_names_the_row() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let (cleo, ada) = (portal.browser_of(CLEO), portal.browser_of(Who::Admin(1)));
    looker
        .must(&format!("UPDATE meters SET time_zone = 'Mars/Base' WHERE id = '{}'", id(Kind::Meter, 1, 1, 1, 1)))
        .await;
    let page = cleo.get(&format!("/clients/{}/customers/{}", client(1, 1), customer(1, 1, 1))).await;
    assert_eq!(page.status, 500);
    let named = format!("meters.time_zone of the row {}", id(Kind::Meter, 1, 1, 1, 1));
    assert!(page.body.contains(&named) && page.body.contains("Mars/Base"), "{}", page.body);
    let sibling = cleo.get(&format!("/clients/{}/customers/{}", client(1, 1), customer(1, 1, 2))).await;
    assert_eq!(sibling.status, 200, "another customer's meters are read");

    looker.must(&format!("UPDATE clients SET time_zone = 'Mars/Base' WHERE id = '{}'", client(1, 2))).await;
    let page = ada.get(&format!("/clients/{}", client(1, 2))).await;
    assert_eq!(page.status, 500);
    assert!(page.body.contains(&format!("clients.time_zone of the row {}", client(1, 2))), "{}", page.body);
    assert_eq!(ada.get(&format!("/clients/{}/customers", client(1, 1))).await.status, 200, "the sibling's are read");
}

#[tokio::test]
async fn a_fingerprint_that_cannot_be_read_stops_approving_and_names_the_draft() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    usage(&looker).await;
    the_missing_day(&looker).await;
    let run = create(&browser, &looker).await;
    step(&browser, &run, "rate_billing_run").await;
    let draft = format!(
        "SELECT id FROM billing_periods WHERE billing_run_id = '{run}' AND customer_id = '{}'",
        customer(1, 1, 1)
    );
    let draft = looker.value(&draft).await;
    looker.must(&format!("UPDATE billing_periods SET inputs = '{{\"usage\": 7}}' WHERE id = '{draft}'")).await;
    let answer = step(&browser, &run, "approve_billing_run").await;
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("billing_periods.inputs") && answer.body.contains(&draft), "{}", answer.body);
    let status = format!("SELECT status FROM billing_runs WHERE id = '{run}'");
    assert_eq!(looker.value(&status).await, "rated");
}

#[tokio::test]
async fn a_meter_or_a_day_that_cannot_be_read_leaves_its_customer_without_a_bill_and_says_why() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    usage(&looker).await;
    the_missing_day(&looker).await;
    let run = create(&browser, &looker).await;
    let (first, second) = (id(Kind::Meter, 1, 1, 1, 1), id(Kind::Meter, 1, 1, 2, 1));
    looker
        .must(&format!(
            "UPDATE meters SET time_zone = 'Mars/Base' WHERE id = '{first}';
             UPDATE interval_days SET flags = array_fill(-3::smallint, ARRAY[24]) WHERE meter_id = '{second}' AND day = '2026-11-03'"
        ))
        .await;
    step(&browser, &run, "rate_billing_run").await;
    let found = format!(
        "SELECT string_agg(e.message, '; ' ORDER BY c.account_number) FROM billing_exceptions e JOIN accounts c ON c.customer_id = e.customer_id
         WHERE e.{} AND e.severity = 'blocks'",
        found_in(&run)
    );
    let found = looker.value(&found).await;
    assert!(found.contains(&format!("meters.time_zone of the row {first} cannot be read")), "{found}");
    assert!(found.contains("interval_days.flags") && found.contains("2026-11-03"), "{found}");
    assert_eq!(looker.count(&format!("SELECT count(*) FROM invoices WHERE billing_run_id = '{run}'")).await, 0);
}
