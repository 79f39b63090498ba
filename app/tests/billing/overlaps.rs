//! What may not overlap is held by the database, also when two write at once: one wins, the other is told.

use std::time::Duration;

use super::support::database::Case;
use super::support::http::{Answer, Browser};
use super::support::sql::Sql;
use super::support::world::{Kind, client, customer, id, organization};
use super::{CLEO, due, new_page, post, run_of, without_october};

/// Waits until somebody waits for a lock of another transaction.
async fn until_one_waits(looker: &Sql) {
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    for _ in 0..600 {
        if looker.count(waiting).await > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody waits");
}

/// Writes `first` in a transaction that stays open, sends the form, and commits once the form's transaction waits.
async fn against(case: &Case, first: &str, form: impl Future<Output = Answer>) -> Answer {
    let (other, looker) = (case.superuser().await, case.superuser().await);
    other.must(&format!("BEGIN; {first}")).await;
    let commit = async {
        until_one_waits(&looker).await;
        other.must("COMMIT").await;
    };
    tokio::join!(form, commit).0
}

async fn told(browser: &Browser, answer: &Answer) -> String {
    browser.get(answer.location()).await.body
}

async fn add_meter(browser: &Browser, serial: &str) -> Answer {
    let customer = customer(1, 1, 1).to_string();
    let page = format!("/clients/{}/customers/{customer}/meters/new", client(1, 1));
    let form = [
        ("customer", customer.as_str()),
        ("page", page.as_str()),
        ("serial", serial),
        ("direction", "import"),
        ("measure", "60"),
        ("time_zone", "Europe/Berlin"),
        ("valid_from", "2026-03-01"),
        ("valid_to", ""),
    ];
    post(browser, CLEO, "create_meter", &form).await
}

#[tokio::test]
async fn a_meter_put_in_service_elsewhere_meanwhile_is_told_beside_its_serial() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    // The same serial, written otherwise, from another day on.
    let first = format!(
        "INSERT INTO meters (organization_id, client_id, id, service_point_id, serial, kind, time_zone, valid_from)
         VALUES ('{}', '{}', gen_random_uuid(), '{}', 'new-7', 'register', 'Europe/Berlin', '2026-05-01')",
        organization(1),
        client(1, 1),
        id(Kind::Place, 1, 1, 2, 1)
    );
    let answer = against(&case, &first, add_meter(&browser, "NEW-7")).await;
    let page = told(&browser, &answer).await;
    assert!(page.contains("was put in service on these days just now") && page.contains("NEW-7"), "{page}");
    let there = "SELECT count(*) FROM meters WHERE lower(serial) = 'new-7'";
    assert_eq!(looker.count(there).await, 1);
}

#[tokio::test]
async fn of_two_forms_for_one_meter_sent_at_once_one_wins() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let (one, two) = (portal.browser_of(CLEO), portal.browser_of(CLEO));
    tokio::join!(add_meter(&one, "TWIN-1"), add_meter(&two, "TWIN-1"));
    assert_eq!(looker.count("SELECT count(*) FROM meters WHERE serial = 'TWIN-1'").await, 1);
}

#[tokio::test]
async fn a_customer_put_on_a_tariff_meanwhile_is_on_one_tariff_only() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let customer = customer(1, 1, 1).to_string();
    looker.must(&format!("DELETE FROM tariff_agreements WHERE customer_id = '{customer}'")).await;
    let first = format!(
        "INSERT INTO tariff_agreements (organization_id, client_id, id, customer_id, contract_id, tariff_code, valid_from)
         VALUES ('{}', '{}', gen_random_uuid(), '{customer}', '{}', 'PLAIN', '2026-06-01')",
        organization(1),
        client(1, 1),
        id(Kind::Contract, 1, 1, 1, 1)
    );
    let page = format!("/clients/{}/customers/{customer}", client(1, 1));
    for from in ["2026-07-01", "2026-06-01"] {
        let form = [("customer", customer.as_str()), ("page", &page), ("tariff_code", "HOME"), ("tariff_from", from)];
        let answer = against(&case, &first, post(&browser, CLEO, "put_on_tariff", &form)).await;
        let page = told(&browser, &answer).await;
        assert!(page.contains("was put on a tariff on these days just now"), "{from}: {page}");
        let agreed =
            format!("SELECT string_agg(tariff_code, ' ') FROM tariff_agreements WHERE customer_id = '{customer}'");
        assert_eq!(looker.value(&agreed).await, "PLAIN", "{from}");
        looker.must(&format!("DELETE FROM tariff_agreements WHERE customer_id = '{customer}'")).await;
    }
}

#[tokio::test]
async fn a_version_activated_meanwhile_stands_in_the_way_of_another() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let draft = id(Kind::Tariff, 1, 1, 0, 2).to_string();
    let first = format!(
        "INSERT INTO tariff_rates (organization_id, client_id, id, code, version, name, kind, currency, document, effective_from, status)
         SELECT organization_id, client_id, gen_random_uuid(), code, 3, name, kind, currency, document, '2026-04-01', 'active'
         FROM tariff_rates WHERE id = '{draft}'"
    );
    // What holds now has ended, so that the other version may begin.
    looker.must(&format!("UPDATE tariff_rates SET effective_to = '2026-01-01' WHERE client_id = '{}' AND code = 'HOME' AND version = 1", client(1, 1))).await;
    let page = format!("/clients/{}/tariffs/{draft}", client(1, 1));
    let form = [("tariff", draft.as_str()), ("page", page.as_str())];
    let answer = against(&case, &first, post(&browser, CLEO, "activate_tariff", &form)).await;
    let page = told(&browser, &answer).await;
    assert!(page.contains("Another version of this tariff holds on these days already"), "{page}");
    let active = "SELECT string_agg(version::text, ' ' ORDER BY version) FROM tariff_rates WHERE code = 'HOME' AND status = 'active' AND client_id =";
    assert_eq!(looker.value(&format!("{active} '{}'", client(1, 1))).await, "1 3");
}

/// A run made beside the portal, and a billing period in it for each contract of these accounts.
fn a_run_of(accounts: &str) -> String {
    let run = uuid::Uuid::now_v7();
    format!(
        "INSERT INTO billing_runs (organization_id, client_id, id, due_on) VALUES ('{}', '{}', '{run}', '2026-11-11');
         INSERT INTO billing_periods (organization_id, client_id, customer_id, id, contract_id, account_id, billing_run_id, from_on, to_on)
         SELECT c.organization_id, c.client_id, c.customer_id, gen_random_uuid(), c.id, c.account_id, '{run}', '2026-11-01', '2026-11-11'
         FROM contracts c JOIN accounts a ON a.id = c.account_id WHERE c.client_id = '{}' AND a.account_number IN ({accounts}) ORDER BY c.id",
        organization(1),
        client(1, 1),
        client(1, 1)
    )
}

#[tokio::test]
async fn a_contract_that_another_run_takes_on_meanwhile_stays_there() {
    for (accounts, taken) in [("'A-1'", "A-2 1"), ("'A-1', 'A-2'", "")] {
        let case = Case::world().await;
        let (portal, looker) = (case.portal().await, case.superuser().await);
        let browser = portal.browser_of(CLEO);
        without_october(&looker).await;
        due(&looker, "2026-11-01", "2026-11-10").await;
        let page = new_page();
        let form = [("page", page.as_str()), ("due_on", "2026-11-11")];
        let answer = against(&case, &a_run_of(accounts), post(&browser, CLEO, "create_billing_run", &form)).await;
        let run = answer.location().rsplit('/').next().unwrap_or_default().to_owned();
        if taken.is_empty() {
            let page = told(&browser, &answer).await;
            assert!(page.contains("Nothing is due by this day that is not in another run"), "{page}");
        } else {
            let has = format!(
                "SELECT string_agg(concat_ws(' ', a.account_number, r.contracts), ', ') FROM billing_periods p JOIN accounts a ON a.id = p.account_id
                 JOIN billing_runs r ON r.id = p.billing_run_id WHERE r.id = '{run}'"
            );
            assert_eq!(looker.value(&has).await, taken);
        }
        let under_way = format!(
            "SELECT count(*) FROM billing_periods WHERE client_id = '{}' AND status NOT IN ('issued', 'credited')",
            client(1, 1)
        );
        assert_eq!(looker.count(&under_way).await, 2, "each contract once");
    }
}

#[tokio::test]
async fn of_runs_made_at_once_each_contract_is_in_one() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    without_october(&looker).await;
    due(&looker, "2026-11-01", "2026-11-10").await;
    let browsers: Vec<Browser> = (0..4).map(|_| portal.browser_of(CLEO)).collect();
    let made = futures_util::future::join_all(browsers.iter().map(|browser| run_of(browser, "2026-11-11", ""))).await;
    assert_eq!(made.iter().filter(|run| *run != "new").count(), 1, "{made:?}");
    let periods = format!(
        "SELECT string_agg(concat_ws(' ', a.account_number, p.from_on, p.to_on), ', ' ORDER BY a.account_number) FROM billing_periods p
         JOIN accounts a ON a.id = p.account_id WHERE p.client_id = '{}' AND p.status = 'due'",
        client(1, 1)
    );
    assert_eq!(looker.value(&periods).await, "A-1 2026-11-01 2026-11-11, A-2 2026-11-01 2026-11-11");
}
