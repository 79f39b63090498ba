//! Usage that changes after it was invoiced is told; the invoice stays as it is.

use super::support::database::Case;
use super::support::http::{Browser, Portal};
use super::support::sql::Sql;
use super::support::world::{Kind, Who, account_of, client, customer, id, organization};
use super::{CLEO, bill, create, found_in, step, the_missing_day, usage};

/// Issues 1 to 10 November for both customers; the id of the run.
async fn issued(portal: &Portal, looker: &Sql) -> (Browser, String) {
    let browser = portal.browser_of(CLEO);
    usage(looker).await;
    the_missing_day(looker).await;
    let run = create(&browser, looker).await;
    bill(&browser, &run).await;
    (browser, run)
}

/// Sends a file with two hours of the first customer's meter, as a browser does.
async fn import(browser: &Browser, kwh: [&str; 2]) {
    let (path, context) = (format!("/clients/{}/imports", client(1, 1)), CLEO.context_token());
    let file =
        format!("interval_start,kwh\r\n2026-11-02T00:00:00+01:00,{}\r\n2026-11-02T01:00:00+01:00,{}", kwh[0], kwh[1]);
    let answer = browser.upload(&path, &context, "M-1", &file).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
}

/// What is told, by account.
async fn told(looker: &Sql, run: &str) -> String {
    let sql = format!(
        "SELECT coalesce(string_agg(concat_ws(' ', c.account_number, e.message), ', '), 'nothing')
         FROM billing_exceptions e JOIN accounts c ON c.customer_id = e.customer_id WHERE e.{} AND e.kind = 'usage_changed'",
        found_in(run)
    );
    looker.value(&sql).await
}

#[tokio::test]
async fn an_import_that_changes_values_of_an_invoice_is_told_and_the_invoice_stays() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let (browser, run) = issued(&portal, &looker).await;
    let first = customer(1, 1, 1);
    let bill = format!("SELECT i::text FROM invoices i WHERE billing_run_id = '{run}' AND customer_id = '{first}'");
    let before = looker.value(&bill).await;

    import(&browser, ["1", "1"]).await;
    assert_eq!(told(&looker, &run).await, "nothing", "the same values change nothing");
    import(&browser, ["1", "3"]).await;
    assert_eq!(
        told(&looker, &run).await,
        "A-1 Usage changed after invoice INV-2026-000003: values of 2026-11-02 are different now."
    );
    import(&browser, ["1", "4"]).await;
    assert_eq!(looker.value(&bill).await, before);

    let invoice = looker
        .value(&format!("SELECT id FROM invoices WHERE billing_run_id = '{run}' AND customer_id = '{first}'"))
        .await;
    let link = format!("/clients/{}/invoices/{invoice}", client(1, 1));
    for page in ["", &format!("/{run}")] {
        let page = browser.get(&format!("/clients/{}/billing-runs{page}", client(1, 1))).await.body;
        assert!(page.contains("Usage changed after invoice INV-2026-000003") && page.contains(&link), "{page}");
    }
    let overview = browser.get(&format!("/clients/{}", client(1, 1))).await.body;
    assert!(overview.contains("Usage of 1 invoice changed after issue"), "{overview}");
    let hers = portal.browser_of(Who::Customer(1, 1, 1)).get("/account").await.body;
    assert!(!hers.contains("changed after"), "the customer reads about it on the corrected bill");
}

#[tokio::test]
async fn values_and_reads_that_come_after_the_invoice_are_told() {
    let read = "INSERT INTO meter_readings (organization_id, client_id, id, customer_id, meter_id, register_id, read_on, figure, quality)
        SELECT k.organization_id, k.client_id, gen_random_uuid(), k.customer_id, k.meter_id, r.id, v.read_on, v.figure, 'actual'
        FROM contract_meters k JOIN registers r ON r.meter_id = k.meter_id, (VALUES ('2026-11-05'::date, 1100), ('2026-12-01', 1101)) v (read_on, figure)
        WHERE k.serial = 'M-1'";
    let day = "INSERT INTO interval_days (organization_id, client_id, customer_id, meter_id, day, interval_minutes, wh, total_wh)
        SELECT organization_id, client_id, customer_id, meter_id, '2026-09-02', 60, array_fill(1, ARRAY[24]), 24 FROM contract_meters WHERE serial = 'M-1'";
    let corrected = "UPDATE meter_readings SET figure = 1073 WHERE read_on = '2026-10-01' AND superseded_by IS NULL";
    let outside = "UPDATE interval_days SET wh[1] = 7 WHERE day = '2026-10-11'";
    let changes = [
        (read, "a reading of 2026-11-05 came later"),
        (day, "values of 2026-09-02 came later"),
        (corrected, "the reading of 2026-10-01 is different now"),
        (outside, "nothing"),
    ];
    for (change, message) in changes {
        let case = Case::world().await;
        let (portal, looker) = (case.portal().await, case.superuser().await);
        issued(&portal, &looker).await;
        looker.must(change).await;
        let sql = format!(
            "SELECT coalesce(string_agg(message, ', '), 'nothing') FROM billing_exceptions WHERE kind = 'usage_changed' AND customer_id = '{}'",
            customer(1, 1, 1)
        );
        let told = looker.value(&sql).await;
        assert!(told.contains(message), "{message}: {told}");
    }
}

#[tokio::test]
async fn usage_written_while_a_run_is_issued_is_either_billed_or_told() {
    let case = Case::world().await;
    let (portal, looker, writer) = (case.portal().await, case.superuser().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    usage(&looker).await;
    the_missing_day(&looker).await;
    let run = create(&browser, &looker).await;
    step(&browser, &run, "rate_billing_run").await;
    step(&browser, &run, "approve_billing_run").await;
    // Written and not yet committed when issuing begins: issuing waits for it, and sees it.
    writer
        .must(&format!(
            "BEGIN; UPDATE interval_days SET wh[1] = 2 WHERE day = '2026-11-03' AND client_id = '{}'",
            client(1, 1)
        ))
        .await;
    let issuing = step(&browser, &run, "issue_billing_run");
    let committing = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        writer.must("COMMIT").await;
    };
    let (refused, ()) = tokio::join!(issuing, committing);
    let said = browser.get(refused.location()).await.body;
    assert!(said.contains("A-1 (usage), A-2 (usage)"), "{said}");
    assert_eq!(told(&looker, &run).await, "nothing");
}

/// The first customer gets another place of theirs, with a meter, usage and the same tariff; its contract and its meter.
async fn another_place(looker: &Sql) -> (String, String) {
    let kim = customer(1, 1, 1);
    let [place, contract, meter, agreement] =
        [Kind::Place, Kind::Contract, Kind::Meter, Kind::Agreement].map(|kind| id(kind, 1, 1, 1, 2));
    let own = format!("'{}', '{}'", organization(1), client(1, 1));
    let sql = format!(
        "INSERT INTO service_points (organization_id, client_id, id, address, time_zone) VALUES ({own}, '{place}', '12 House Lane', 'Europe/Berlin');
         INSERT INTO contracts (organization_id, client_id, customer_id, id, account_id, service_point_id, from_on, billing_anchor)
         VALUES ({own}, '{kim}', '{contract}', '{}', '{place}', '2026-11-01', '2026-11-01');
         INSERT INTO meters (organization_id, client_id, id, service_point_id, serial, kind, interval_minutes, time_zone, valid_from)
         VALUES ({own}, '{meter}', '{place}', 'H-12', 'interval', 60, 'Europe/Berlin', '2026-11-01');
         INSERT INTO registers (organization_id, client_id, id, meter_id) VALUES ({own}, gen_random_uuid(), '{meter}');
         INSERT INTO tariff_agreements (organization_id, client_id, id, customer_id, contract_id, tariff_code, valid_from)
         VALUES ({own}, '{agreement}', '{kim}', '{contract}', 'HOME', '2026-11-01')",
        account_of(kim)
    );
    looker.must(&sql).await;
    (contract.to_string(), meter.to_string())
}

#[tokio::test]
async fn a_change_at_one_place_of_a_landlord_is_told_of_that_place_s_bill_alone() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let (contract, meter) = another_place(&looker).await;
    let (_, period) = issued(&portal, &looker).await;
    let bills = format!(
        "SELECT string_agg(p.address, ', ' ORDER BY i.number) FROM billing_periods p JOIN invoices i ON i.id = p.invoice_id
         WHERE p.billing_run_id = '{period}' AND i.status = 'issued'"
    );
    assert_eq!(looker.value(&bills).await, "1 Mill Lane, 12 House Lane, 2 Mill Lane");
    let read = |meter: &str| {
        format!(
            "INSERT INTO meter_readings (organization_id, client_id, id, customer_id, meter_id, register_id, read_on, figure, quality)
             SELECT k.organization_id, k.client_id, gen_random_uuid(), k.customer_id, k.meter_id, r.id, v.read_on, v.figure, 'actual'
             FROM contract_meters k JOIN registers r ON r.meter_id = k.meter_id, (VALUES ('2026-11-02'::date, 1100), ('2026-11-05', 1101)) v (read_on, figure)
             WHERE k.meter_id = '{meter}'"
        )
    };
    let own = id(Kind::Meter, 1, 1, 1, 1).to_string();
    let values =
        |meter: &str| format!("UPDATE interval_days SET wh[1] = 7 WHERE day = '2026-11-03' AND meter_id = '{meter}'");
    let again = format!(
        "WITH was AS (DELETE FROM interval_days WHERE day = '2026-11-04' AND meter_id = '{meter}' RETURNING *)
         INSERT INTO interval_days SELECT * FROM was"
    );
    let corrected = format!("UPDATE meter_readings SET figure = figure + 2 WHERE meter_id = '{meter}'");
    let moved = format!("UPDATE contracts SET to_on = '2026-11-06' WHERE id = '{contract}'");
    for (change, told) in [
        (values(&meter), "12 House Lane: values of 2026-11-03 are different now."),
        (again, "12 House Lane: values of 2026-11-04 came later."),
        (read(&meter), "12 House Lane: a reading of 2026-11-02 came later."),
        (corrected, "12 House Lane: the reading of 2026-11-02 is different now."),
        (moved, "12 House Lane: values of 2026-11-06 have changed hands."),
        (values(&own), "1 Mill Lane: values of 2026-11-03 are different now."),
        (read(&own), "1 Mill Lane: a reading of 2026-11-02 came later."),
    ] {
        looker.must("DELETE FROM billing_exceptions WHERE kind = 'usage_changed'").await;
        looker.must(&change).await;
        let sql =
            "SELECT coalesce(string_agg(concat(p.address, ': ', split_part(e.message, ': ', 2)), ', '), 'nothing')
            FROM billing_exceptions e JOIN billing_periods p ON p.id = e.billing_period_id WHERE e.kind = 'usage_changed'";
        assert_eq!(looker.value(sql).await, told, "{change}");
    }
}
