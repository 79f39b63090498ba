//! Meters are installed and changed on a service point's own page, whoever has a contract there, or nobody.

use super::CLEO;
use super::support::database::Case;
use super::support::http::{Browser, hidden};
use super::support::sql::Sql;
use super::support::world::{Kind, Who, client, customer, id};

fn base() -> String {
    format!("/clients/{}", client(1, 1))
}

/// Sends the form of a page with what is typed; where it leads.
async fn send(browser: &Browser, page: &str, action: &str, typed: &[(&str, &str)]) -> String {
    let form = hidden(&browser.get(page).await.body, action);
    assert!(!form.is_empty(), "{page} has no form for {action}");
    let pairs: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post(action, &[&pairs, typed].concat()).await.location().to_owned()
}

const METER: [(&str, &str); 4] =
    [("direction", "import"), ("measure", "60"), ("time_zone", "Europe/Berlin"), ("valid_from", "2026-01-01")];

/// Where a meter is, by address; and who is told of it.
async fn at(looker: &Sql, serial: &str) -> String {
    let sql = format!(
        "SELECT concat_ws('; ', s.address, m.interval_minutes, (SELECT count(*) FROM contract_meters k WHERE k.meter_id = m.id))
         FROM meters m JOIN service_points s ON s.id = m.service_point_id WHERE m.serial = '{serial}'"
    );
    looker.value(&sql).await
}

#[tokio::test]
async fn a_meter_is_installed_and_changed_where_nobody_ever_had_a_contract() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let typed = [("address", "9 New Lane"), ("direction", "import"), ("time_zone", "Europe/Berlin")];
    let new = format!("{}/service-points/new", base());
    let place = send(&browser, &new, "/api/create_service_point", &typed).await;
    assert!(browser.get(&place).await.body.contains(&format!("{place}/meters/new")));

    let typed = [&METER[..], &[("serial", "N-1")]].concat();
    let to = send(&browser, &format!("{place}/meters/new"), "/api/create_meter", &typed).await;
    assert_eq!((to.as_str(), at(&looker, "N-1").await.as_str()), (place.as_str(), "9 New Lane; 60; 0"));
    let page = browser.get(&place).await.body;
    assert!(page.contains("Meter N-1 added.") && page.contains("Nobody has been supplied here yet"), "{page}");

    let meter = looker.value("SELECT id FROM meters WHERE serial = 'N-1'").await;
    let edit = format!("{place}/meters/{meter}/edit");
    assert!(page.contains(&edit), "{page}");
    let changed = [&METER[..], &[("serial", "N-2")]].concat();
    let to = send(&browser, &edit, "/api/update_meter", &changed).await;
    assert_eq!((to.as_str(), at(&looker, "N-2").await.as_str()), (place.as_str(), "9 New Lane; 60; 0"));

    // What is wrong is told on the page from which it was sent.
    let taken = [&METER[..], &[("serial", "M-1")]].concat();
    let new = format!("{place}/meters/new");
    assert!(send(&browser, &new, "/api/create_meter", &taken).await.starts_with(&new));
    assert!(browser.get(&new).await.body.contains("There is a meter with this serial"), "{new}");
}

#[tokio::test]
async fn a_meter_that_is_installed_at_a_service_point_is_told_to_the_contract_there() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let place = format!("{}/service-points/{}", base(), id(Kind::Place, 1, 1, 2, 1));
    let typed = [&METER[..], &[("serial", "N-1")]].concat();
    let to = send(&browser, &format!("{place}/meters/new"), "/api/create_meter", &typed).await;
    assert_eq!((to.as_str(), at(&looker, "N-1").await.as_str()), (place.as_str(), "2 Mill Lane; 60; 1"));
    // A form that says neither where nor whose makes nothing; one that a customer's page sends leads back there.
    let context = CLEO.context_token();
    let own = client(1, 1).to_string();
    let bare = [&METER[..], &[("serial", "N-3"), ("client", &own), ("context", &context)]].concat();
    assert_eq!(browser.post("/api/create_meter", &bare).await.status, 404);
    let page = format!("{}/customers/{}", base(), customer(1, 1, 1));
    let theirs = [&METER[..], &[("serial", "N-4")]].concat();
    assert_eq!(send(&browser, &format!("{page}/meters/new"), "/api/create_meter", &theirs).await, page);
}

#[tokio::test]
async fn a_meter_is_not_reached_by_the_page_of_another_service_point() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let place = |o, c, k| id(Kind::Place, o, c, k, 1);
    let edit = |at, k| format!("{}/service-points/{at}/meters/{}/edit", base(), id(Kind::Meter, 1, 1, k, 1));
    assert_eq!(browser.get(&edit(place(1, 1, 1), 1)).await.status, 200, "the positive control");
    assert_eq!(browser.get(&edit(place(1, 1, 1), 2)).await.status, 404, "it is elsewhere");
    let context = CLEO.context_token();
    let own = client(1, 1).to_string();
    for (o, c) in [(1, 2), (2, 1)] {
        assert_eq!(browser.get(&edit(place(o, c, 1), 1)).await.status, 404);
        assert_eq!(browser.get(&format!("{}/service-points/{}/meters/new", base(), place(o, c, 1))).await.status, 404);
        let foreign = place(o, c, 1).to_string();
        let named = [("serial", "N-1"), ("client", &own), ("context", &context), ("service_point", &foreign)];
        assert_eq!(browser.post("/api/create_meter", &[&METER[..], &named].concat()).await.status, 404);
    }
    assert_eq!(looker.count("SELECT count(*) FROM meters WHERE serial = 'N-1'").await, 0);
    // Staff who look have no form, and a customer no page.
    let page = format!("{}/service-points/{}", base(), place(1, 1, 1));
    let staff = portal.browser_of(Who::Staff(1)).get(&page).await;
    assert!(staff.status == 200 && !staff.body.contains("/meters/"), "{}", staff.body);
}
