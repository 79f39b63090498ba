//! Figures are read as the client's pages write them.

use super::support::database::Case;
use super::support::http::Browser;
use super::support::world::{Kind, client, customer, id};
use super::{CLEO, pay, post};

/// Records a reading of the first customer's meter; what its page says then.
async fn read(browser: &Browser, figure: &str) -> String {
    let meter = id(Kind::Meter, 1, 1, 1, 1).to_string();
    let page = format!("/clients/{}/customers/{}/meters/{meter}/readings", client(1, 1), customer(1, 1, 1));
    let form = [
        ("page", page.as_str()),
        ("meter", &meter),
        ("read_on", "2026-11-01"),
        ("figure", figure),
        ("quality", "actual"),
    ];
    post(browser, CLEO, "record_reading", &form).await;
    browser.get(&page).await.body
}

#[tokio::test]
async fn a_german_reading_of_1_500_is_fifteen_hundred_and_1_5_is_asked_about() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    looker.must("UPDATE clients SET locale = 'de-DE'").await;
    looker.must("DELETE FROM interval_days; UPDATE meters SET kind = 'register', interval_minutes = NULL").await;
    let kept = "SELECT coalesce(string_agg(figure::text, ' '), 'none') FROM meter_readings WHERE superseded_by IS NULL AND source = 'typed'";
    for (typed, said) in [
        ("1.5", "could be 1,5 or 15"),
        ("12.34", "could be 12,34 or 1234"),
        ("1,234.56", "here it is a comma"),
        ("1,5 MWh", "in kWh"),
        ("1,2345", "at most three decimals"),
    ] {
        let page = read(&browser, typed).await;
        assert!(page.contains(said) && page.contains(&format!("value=\"{typed}\"")), "{typed}: {page}");
        assert_eq!(looker.value(kept).await, "none", "{typed}");
    }
    for (typed, stored) in [("1.500", "1500.000"), ("1.234,56", "1234.560"), ("1.298,640\u{a0}kWh", "1298.640")] {
        let page = read(&browser, typed).await;
        assert_eq!(looker.value(kept).await, stored, "{typed}: {page}");
    }
}

#[tokio::test]
async fn the_amount_that_a_page_shows_is_the_amount_that_its_form_takes() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    looker.must("UPDATE clients SET locale = 'sv-SE'").await;
    let key = || uuid::Uuid::now_v7().to_string();
    let page = pay(&browser, &looker, "1.5", &key()).await;
    assert!(browser.get(&page).await.body.contains("could be 1,5 or 15"));
    let page = pay(&browser, &looker, "5 kr", &key()).await;
    assert!(browser.get(&page).await.body.contains("Enter the amount in EUR"));
    // What is open stands in the form, and is paid as it stands there; so is the amount with its sign.
    let shown = browser.get(&page).await.body;
    assert!(shown.contains("name=\"amount\"") && shown.contains("13,99\u{a0}€"), "{shown}");
    pay(&browser, &looker, "10,00\u{a0}€", &key()).await;
    pay(&browser, &looker, "3,99", &key()).await;
    let state = format!(
        "SELECT concat_ws(' ', status, paid) FROM invoices WHERE number = 1 AND client_id = '{}'",
        client(1, 1)
    );
    assert_eq!(looker.value(&state).await, "paid 23.99");
}
