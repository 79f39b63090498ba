//! Readings of register meters: entered, corrected, refused, and billed.

use super::support::database::Case;
use super::support::http::Browser;
use super::support::world::{Kind, client, customer, id};
use super::{CLEO, bill, create, post};

/// Sends the form of a meter of the first customer's; what its page says then.
async fn enter(browser: &Browser, meter: &str, on: &str, figures: &[(&str, &str)]) -> String {
    let page = format!("/clients/{}/customers/{}/meters/{meter}/readings", client(1, 1), customer(1, 1, 1));
    let seen = browser.seen(&page, "/api/record_reading").await;
    let form = [("page", page.as_str()), ("seen", &seen), ("meter", meter), ("read_on", on), ("quality", "actual")];
    let answer = post(browser, CLEO, "record_reading", &[&form, figures].concat()).await;
    assert_eq!((answer.status.as_u16(), answer.location()), (303, page.as_str()), "{}", answer.body);
    browser.get(&page).await.body
}

fn own() -> String {
    id(Kind::Meter, 1, 1, 1, 1).to_string()
}

#[tokio::test]
async fn a_reading_is_entered_corrected_and_billed_and_no_two_are_of_one_day() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let enter = async |on: &str, figure: &str| enter(&browser, &own(), on, &[("figure", figure)]).await;
    let refused = enter("2026-11-01", "1100").await;
    assert!(refused.contains("This meter measures in intervals"), "{refused}");
    looker.must("DELETE FROM interval_days; UPDATE meters SET kind = 'register', interval_minutes = NULL").await;
    let state =
        "SELECT coalesce(string_agg(concat_ws(' ', read_on, figure, why, quality), ', ' ORDER BY read_on), 'none')
         FROM meter_readings WHERE superseded_by IS NULL AND source = 'typed'";

    for (on, figure, fault) in [
        ("2199-01-01", "1100", "Enter a day that is not in the future."),
        ("2023-11-01", "900", "The meter is in service from"),
        ("2026-11-01", "-1", "Enter what the register shows between 0"),
        ("2026-11-01", "1100.0001", "at most three decimals"),
        ("2026-11-01", "1100100", "The register shows 6 digits and 3 decimals"),
        ("2026-11-01", "", "The register has no figure"),
        ("2026-11-01", "1071", "lies below the last figure, 1072 kWh of 1 Oct 2026"),
        ("2026-09-15", "1073", "lies above the next figure, 1072 kWh of 1 Oct 2026"),
    ] {
        let said = enter(on, figure).await;
        assert!(said.contains(fault) && said.contains(&format!("value=\"{figure}\"")), "{fault}: {said}");
        assert_eq!(looker.value(state).await, "none", "{fault}");
    }
    let said = enter("2026-11-01", "1152.5").await;
    assert!(said.contains("Reading recorded: meter M-1 on 1 Nov 2026. 80.500 kWh were used from"), "{said}");
    assert!(said.contains("1,152.500 kWh on 1 Nov 2026."), "the form says where the register stands: {said}");
    let said = enter("2026-11-01", "1153").await;
    assert!(said.contains("Reading corrected: meter M-1 on 1 Nov 2026. 81.000 kWh were used from"), "{said}");
    assert_eq!(looker.value(state).await, "2026-11-01 1153.000 periodic actual");
    let kept = "SELECT string_agg(figure::text, ' ' ORDER BY created_at) FROM meter_readings WHERE source = 'typed'";
    assert_eq!(looker.value(kept).await, "1152.500 1153.000", "the old one is kept");
    let told = "SELECT string_agg(action, ' ' ORDER BY at) FROM audit_log WHERE entity = 'meter_reading'";
    assert_eq!(looker.value(told).await, "record update");
    // Ten days of November for the bill.
    enter("2026-11-11", "1393").await;
    let run = create(&browser, &looker).await;
    bill(&browser, &run).await;
    let billed = format!(
        "SELECT concat_ws(' ', kwh, status) FROM invoices WHERE billing_run_id = '{run}' AND customer_id = '{}'",
        customer(1, 1, 1)
    );
    assert_eq!(looker.value(&billed).await, "240.000 issued");
}

#[tokio::test]
async fn a_meter_with_registers_for_times_of_use_and_demand_is_made_and_read() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let first = customer(1, 1, 1).to_string();
    let page = format!("/clients/{}/customers/{first}/meters/new", client(1, 1));
    let make = async |registers: &str| {
        let form = [
            ("customer", first.as_str()),
            ("page", page.as_str()),
            ("serial", "R-1"),
            ("direction", "import"),
            ("measure", "register"),
            ("read_registers", registers),
            ("time_zone", "Europe/Berlin"),
            ("valid_from", "2026-10-01"),
        ];
        let answer = post(&browser, CLEO, "create_meter", &form).await;
        browser.get(answer.location()).await.body
    };
    for (registers, fault) in [
        ("day kVA 6 0 1", "is not a register"),
        ("kW 6 0 1", "At least one register counts kWh."),
        ("day kWh 6 0 1\nkWh 6 0 1", "Where several registers count kWh, each has a name"),
    ] {
        let said = make(registers).await;
        assert!(said.contains(fault), "{fault}: {said}");
    }
    make("day kWh 5 0 40\nnight kWh 5 0 40\nkW 3 2 40").await;
    let meter = looker.value("SELECT id FROM meters WHERE serial = 'R-1'").await;
    let enter = async |on: &str, day: &str, night: &str, kw: &str| {
        enter(&browser, &meter, on, &[("figure-day", day), ("figure-night", night), ("demand", kw)]).await
    };
    let said = enter("2026-10-01", "99987", "500", "0").await;
    assert!(
        said.contains("Reading recorded: meter R-1 on 1 Oct 2026.") && said.contains("A unit stands for 40 kWh."),
        "{said}"
    );
    let said = enter("2026-11-01", "12", "510", "1.25").await;
    assert!(said.contains("1,400.000 kWh were used from"), "{said}");
    assert!(said.contains("day 1,000.000, night 400.000") && said.contains("99,987"), "{said}");
    // Its form shows the registers as they are, and keeps them once they were read.
    let edit = format!("/clients/{}/customers/{first}/meters/{meter}/edit", client(1, 1));
    let shown = browser.get(&edit).await.body;
    assert!(shown.contains("day kWh 5 0 40\nnight kWh 5 0 40\nkW 3 2 40"), "{shown}");
    let seen = browser.seen(&edit, "/api/update_meter").await;
    let form = [
        ("customer", first.as_str()),
        ("meter", &meter),
        ("page", &edit),
        ("seen", &seen),
        ("serial", "R-1"),
        ("direction", "import"),
        ("measure", "register"),
        ("read_registers", "kWh 6 0 1"),
        ("time_zone", "Europe/Berlin"),
        ("valid_from", "2026-10-01"),
    ];
    let answer = post(&browser, CLEO, "update_meter", &form).await;
    let said = browser.get(answer.location()).await.body;
    assert!(said.contains("The registers stay as they are: the meter was read."), "{said}");
}
