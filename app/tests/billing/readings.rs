//! Readings of register meters: entered, corrected, refused, and billed.

use super::support::database::Case;
use super::support::http::Browser;
use super::support::world::{Kind, client, customer, id};
use super::{CLEO, bill, create, post};

/// Sends the form of the first customer's meter; what its page says then.
async fn enter(browser: &Browser, from: &str, to: &str, kwh: &str, periods: &str) -> String {
    let meter = id(Kind::Meter, 1, 1, 1, 1).to_string();
    let page = format!("/clients/{}/customers/{}/meters/{meter}/readings", client(1, 1), customer(1, 1, 1));
    let seen = browser.seen(&page, "/api/record_reading").await;
    let form = [
        ("page", page.as_str()),
        ("seen", &seen),
        ("meter", &meter),
        ("from_on", from),
        ("to_on", to),
        ("kwh", kwh),
        ("kwh_by_period", periods),
        ("quality", "actual"),
    ];
    let answer = post(browser, CLEO, "record_reading", &form).await;
    assert_eq!((answer.status.as_u16(), answer.location()), (303, page.as_str()), "{}", answer.body);
    browser.get(&page).await.body
}

#[tokio::test]
async fn a_reading_is_entered_corrected_and_billed_and_no_two_are_of_one_day() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let refused = enter(&browser, "2026-10-01", "2026-11-01", "100", "").await;
    assert!(refused.contains("This meter measures in intervals"), "{refused}");
    looker.must("DELETE FROM interval_days; UPDATE meters SET kind = 'register', interval_minutes = NULL").await;
    let state = "SELECT coalesce(string_agg(concat_ws(' ', from_on, to_on, kwh, quality, kwh_by_period), ', ' ORDER BY from_on), 'none')
         FROM meter_readings WHERE superseded_by IS NULL AND source = 'typed'";

    for (from, to, kwh, periods, fault) in [
        ("2026-10-01", "2026-10-01", "1", "", "Enter a day after the first day."),
        ("2026-10-01", "2199-01-01", "1", "", "Enter a day that is not in the future."),
        ("2023-10-01", "2023-11-01", "1", "", "The meter is in service from"),
        ("2026-10-01", "2026-11-01", "-1", "", "Enter the energy used between 0"),
        ("2026-10-01", "2026-11-01", "1.0001", "", "at most three decimals"),
        ("2026-10-01", "2026-11-01", "10", "on-peak 4", "The periods add up to 4 kWh"),
        ("2026-09-15", "2026-11-01", "10", "", "There is a reading of 1 Sep 2026 – 30 Sep 2026 already"),
    ] {
        let said = enter(&browser, from, to, kwh, periods).await;
        assert!(said.contains(fault) && said.contains(&format!("value=\"{kwh}\"")), "{fault}: {said}");
        assert_eq!(looker.value(state).await, "none", "{fault}");
    }
    let said = enter(&browser, "2026-10-01", "2026-11-01", "80.5", "").await;
    assert!(said.contains("Reading recorded: 80.500 kWh of meter M-1"), "{said}");
    assert!(said.contains("value=\"2026-11-01\""), "the next one begins where it ends: {said}");
    let said = enter(&browser, "2026-10-01", "2026-11-01", "81", "day 50\nnight 31").await;
    assert!(said.contains("Reading corrected: 81.000 kWh"), "{said}");
    assert_eq!(looker.value(state).await, "2026-10-01 2026-11-01 81.000 actual {\"day\": \"50\", \"night\": \"31\"}");
    let kept = "SELECT string_agg(kwh::text, ' ' ORDER BY created_at) FROM meter_readings WHERE source = 'typed'";
    assert_eq!(looker.value(kept).await, "80.500 81.000", "the old one is kept");
    let told = "SELECT string_agg(action, ' ' ORDER BY at) FROM audit_log WHERE entity = 'meter_reading'";
    assert_eq!(looker.value(told).await, "record update");
    // Ten days of November for the bill.
    enter(&browser, "2026-11-01", "2026-11-11", "240", "").await;
    let run = create(&browser, &looker).await;
    bill(&browser, &run).await;
    let billed = format!(
        "SELECT concat_ws(' ', kwh, status) FROM invoices WHERE billing_run_id = '{run}' AND customer_id = '{}'",
        customer(1, 1, 1)
    );
    assert_eq!(looker.value(&billed).await, "240.000 issued");
}
