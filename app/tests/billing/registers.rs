//! A tariff that prices registers, and a list of holidays that ends before the days billed: who cannot be billed is held
//! with the meter, the register or the calendar named.

use serde_json::{Value, json};

use super::support::database::Case;
use super::support::http::Browser;
use super::support::sql::Sql;
use super::support::world::{client, customer};
use super::{CLEO, beneath, bill, create, found_in, post, step, the_missing_day, usage};

/// Puts another version of the client's tariff in force from November on.
async fn in_force(owner: &Sql, more: &Value) {
    let before = format!(
        "UPDATE tariff_rates SET status = 'retired', effective_to = '2026-11-01' WHERE client_id = '{}' AND code = 'HOME' AND version = 1",
        client(1, 1)
    );
    owner.must(&before).await;
    // A version in force is fixed for everybody but who reaches beneath the triggers.
    let now = format!(
        "UPDATE tariff_rates SET status = 'active', effective_from = '2026-11-01', document = document || '{more}'
         WHERE client_id = '{}' AND code = 'HOME' AND version = 2",
        client(1, 1)
    );
    owner.must(&beneath(&now)).await;
}

fn priced(registers: [(&str, &str); 2]) -> Value {
    let charge = |(register, price): (&str, &str)| json!({"name": register, "register": register, "prices": [{"blocks": [{"price": price}]}]});
    json!({"energy": registers.map(charge)})
}

/// What the form of a meter sends.
async fn meter(browser: &Browser, function: &str, of: (&str, &str), serial: &str, registers: &str) {
    let of_customer = format!("/clients/{}/customers/{}", client(1, 1), customer(1, 1, 1));
    let page = match of {
        ("meter", id) => format!("{of_customer}/meters/{id}/edit"),
        _ => format!("{of_customer}/meters/new"),
    };
    let form = [
        of,
        ("page", page.as_str()),
        ("serial", serial),
        ("direction", "import"),
        ("measure", "60"),
        ("registers", registers),
        ("time_zone", "Europe/Berlin"),
        ("valid_from", "2024-01-01"),
    ];
    post(browser, CLEO, function, &form).await;
}

/// The first customer's meter counts E1, and one beside it half as much on E2.
async fn two_registers(browser: &Browser, owner: &Sql) {
    let id =
        owner.value(&format!("SELECT id FROM meters WHERE serial = 'M-1' AND client_id = '{}'", client(1, 1))).await;
    meter(browser, "update_meter", ("meter", &id), "M-1", "E1").await;
    let first = customer(1, 1, 1).to_string();
    meter(browser, "create_meter", ("customer", &first), "M-1", " e1").await;
    meter(browser, "create_meter", ("customer", &first), "M-1", "E2").await;
    let there = format!(
        "SELECT string_agg(registers::text, ' ' ORDER BY registers) FROM meters WHERE serial = 'M-1' AND client_id = '{}'",
        client(1, 1)
    );
    assert_eq!(owner.value(&there).await, "{E1} {E2}", "the same register is not there twice");
    owner
        .must(&format!(
            "INSERT INTO interval_days (organization_id, client_id, customer_id, meter_id, day, interval_minutes, wh, total_wh)
             SELECT m.organization_id, m.client_id, m.customer_id, m.meter_id, d::date, 60, array_fill(500, ARRAY[24]), 12000
             FROM contract_meters m, generate_series('2026-11-01'::timestamp, '2026-11-10', '1 day') d
             WHERE m.client_id = '{}' AND m.registers = '{{E2}}'",
            client(1, 1)
        ))
        .await;
}

fn held(run: &str) -> String {
    format!(
        "SELECT string_agg(kind || ': ' || message, '; ') FROM billing_exceptions WHERE {} AND severity = 'blocks'",
        found_in(run)
    )
}

#[tokio::test]
async fn each_register_is_billed_at_its_price_and_a_meter_that_names_none_holds_its_customer() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    in_force(&looker, &priced([("E1", "0.30"), ("E2", "0.10")])).await;
    usage(&looker).await;
    the_missing_day(&looker).await;
    two_registers(&browser, &looker).await;
    let run = create(&browser, &looker).await;
    step(&browser, &run, "rate_billing_run").await;
    // 240 kWh at 0.30 and 120 kWh at 0.10.
    let bills =
        format!("SELECT string_agg(account_number || ' ' || net, ', ') FROM invoices WHERE billing_run_id = '{run}'");
    assert_eq!(looker.value(&bills).await, "A-1 84.00");
    assert_eq!(
        looker.value(&held(&run)).await,
        "registers: Rating failed: usage.registers: the tariff prices the register E1, and the usage does not have it: the \
         register without a name of meter M-2."
    );
    let page = browser.get(&format!("/clients/{}/billing-runs/{run}", client(1, 1))).await.body;
    assert!(page.contains("Registers do not fit the tariff"), "{page}");
}

#[tokio::test]
async fn registers_that_no_price_names_are_added_up_and_the_invoice_says_so() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    usage(&looker).await;
    the_missing_day(&looker).await;
    two_registers(&browser, &looker).await;
    let run = create(&browser, &looker).await;
    bill(&browser, &run).await;
    let of = format!("FROM invoices WHERE billing_run_id = '{run}' AND customer_id = '{}'", customer(1, 1, 1));
    // 360 kWh at 0.28.
    assert_eq!(looker.value(&format!("SELECT net {of}")).await, "100.80");
    let id = looker.value(&format!("SELECT id {of}")).await;
    let page = browser.get(&format!("/clients/{}/invoices/{id}", client(1, 1))).await.body;
    assert!(page.contains("E1 and E2, added up and billed as one"), "{page}");
}

#[tokio::test]
async fn a_list_of_holidays_that_ends_before_the_days_billed_holds_every_customer() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let mut week = [0; 24];
    week[8..20].fill(1);
    let days = json!([{"on": ["monday", "tuesday", "wednesday", "thursday", "friday"], "hours": week.to_vec()},
        {"on": ["saturday", "sunday", "holiday"], "hours": vec![0; 24]}]);
    let season = json!({"name": "All year", "from": "01-01", "to": "12-31", "days": days});
    let mut calendar = json!({"periods": ["low", "high"], "seasons": [season], "holidays": ["2025-12-25"]});
    let tariff = |calendar: &Value| {
        let price = |period: &str, price: &str| json!({"period": period, "blocks": [{"price": price}]});
        let energy =
            json!({"name": "Energy", "calendar": "week", "prices": [price("low", "0.1"), price("high", "0.2")]});
        json!({"calendars": {"week": calendar}, "energy": [energy]})
    };
    in_force(&looker, &tariff(&calendar)).await;
    usage(&looker).await;
    the_missing_day(&looker).await;
    let run = create(&browser, &looker).await;
    step(&browser, &run, "rate_billing_run").await;
    let fault = "rating_failed: Rating failed: tariff.calendars.week.holidays: holidays of 2025 are listed and none of 2026: \
                 list them, or name 2026 in no_holidays_in if it has none.";
    assert_eq!(looker.value(&held(&run)).await, format!("{fault}; {fault}"));
    calendar["no_holidays_in"] = json!([2026]);
    in_force(&looker, &tariff(&calendar)).await;
    step(&browser, &run, "rate_billing_run").await;
    let bills = format!("SELECT count(*) FROM invoices WHERE billing_run_id = '{run}'");
    assert_eq!(looker.count(&bills).await, 2);
}
