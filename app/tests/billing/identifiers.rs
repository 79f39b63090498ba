//! What people and things are called by: two that nobody can tell apart are one.

use super::support::database::Case;
use super::support::http::{Answer, Browser};
use super::support::world::{Kind, Who, client, customer, id};
use super::{CLEO, post};

/// Sends the form of a new customer; what its page says then.
async fn create(browser: &Browser, account: &str, email: &str) -> String {
    let page = format!("/clients/{}/customers/new", client(1, 1));
    let form = [
        ("page", page.as_str()),
        ("account_number", account),
        ("kind", "person"),
        ("name", "New"),
        ("email", email),
        ("service_address", "1 Street"),
        ("moved_in_on", "2026-01-01"),
    ];
    let answer = post(browser, CLEO, "create_customer", &form).await;
    browser.get(answer.location()).await.body
}

#[tokio::test]
async fn an_account_number_is_one_whatever_its_case_and_holds_nothing_unseen() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    for account in ["a-1", " A-1 ", "\u{200b}a-1"] {
        let said = create(&browser, account, "").await;
        assert!(said.contains("Another customer has this account number"), "{account:?}: {said}");
    }
    let said = create(&browser, "A\u{200b}-9", "").await;
    assert!(said.contains("cannot be seen (U+200B)"), "{said}");
    let said = create(&browser, " Ab-9\u{feff}", "").await;
    assert!(said.contains("Customer created"), "{said}");
    let of_client = format!("FROM accounts WHERE client_id = '{}'", client(1, 1));
    assert_eq!(looker.count(&format!("SELECT count(*) {of_client} AND account_number = 'Ab-9'")).await, 1);
    // The database holds it too, and lookups do not mind the case.
    let twin = format!("UPDATE accounts SET account_number = 'AB-9' WHERE customer_id = '{}'", customer(1, 1, 1));
    assert_eq!(looker.refused(&twin).await, "23505");
    let log = browser.get(&format!("/clients/{}/audit?account=AB-9", client(1, 1))).await.body;
    assert!(log.contains("Created customer New (Ab-9)"), "{log}");
}

#[tokio::test]
async fn an_address_that_is_none_or_looks_like_another_is_refused_wherever_it_is_typed() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    for (address, why) in [
        ("a@b@example.com", "Enter an e-mail address like"),
        ("a@example.com, b@example.com", "Enter an e-mail address like"),
        ("a@example.com.", "Enter an e-mail address like"),
        ("\u{430}nna@example.com", "letters that look like others"),
        ("an\u{200b}na@example.com", "cannot be seen (U+200B)"),
    ] {
        let said = create(&browser, "N-1", address).await;
        assert!(said.contains(why), "{address}: {said}");
        let answer = invite(&browser, address).await;
        let said = browser.get(answer.location()).await.body;
        assert!(said.contains(why), "{address}: {said}");
    }
    assert!(create(&browser, "N-1", "Anna.Berg@Example.com").await.contains("Anna.Berg@Example.com"));
    invite(&browser, " Anna.Berg@Example.com ").await;
    // Who signs in is written in small letters.
    assert_eq!(looker.value("SELECT email FROM invitations WHERE name = 'Anna'").await, "anna.berg@example.com");
}

async fn invite(browser: &Browser, email: &str) -> Answer {
    let page = format!("/clients/{}/users/invite", client(1, 1));
    let form = [
        ("page", page.as_str()),
        ("name", "Anna"),
        ("email", email),
        ("role", "customer_user"),
        ("account_number", "a-1"),
    ];
    post(browser, CLEO, "invite_user", &form).await
}

#[tokio::test]
async fn a_serial_is_one_whatever_its_case() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let browser = portal.browser_of(CLEO);
    let (owner, page) = (
        customer(1, 1, 2).to_string(),
        format!("/clients/{}/customers/{}/meters/new", client(1, 1), customer(1, 1, 2)),
    );
    let form = |serial| {
        [
            ("page", page.as_str()),
            ("customer", owner.as_str()),
            ("serial", serial),
            ("direction", "import"),
            ("measure", "60"),
            ("time_zone", "Europe/Berlin"),
            ("valid_from", "2026-01-01"),
        ]
    };
    for (serial, why) in [("m-1", "There is a meter with this serial"), ("M\u{200b}-7", "cannot be seen (U+200B)")] {
        let answer = post(&browser, CLEO, "create_meter", &form(serial)).await;
        assert_eq!(answer.location(), page, "{serial:?}");
        assert!(browser.get(&page).await.body.contains(why), "{serial:?}");
    }
}

#[tokio::test]
async fn a_tariff_code_in_another_case_is_the_next_version_of_the_tariff() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let page = format!("/clients/{}/tariffs/new?kind=flat", client(1, 1));
    let form = [
        ("page", page.as_str()),
        ("code", "home"),
        ("name", "Flat"),
        ("zone", "Europe/Berlin"),
        ("effective_from", "2027-01-01"),
        ("energy.0.name", "Energy"),
        ("energy.0.steps", "1"),
        ("energy.0.prices.sx.px.blocks.0.price", "0.31"),
        ("do", "save"),
    ];
    post(&browser, CLEO, "save_tariff", &form).await;
    let codes = format!(
        "SELECT string_agg(DISTINCT code, ' ') FROM tariff_rates WHERE client_id = '{}' AND lower(code) = 'home'",
        client(1, 1)
    );
    assert_eq!(looker.value(&codes).await, "HOME");
    let versions = format!(
        "SELECT count(*) FROM tariff_rates WHERE client_id = '{}' AND code = 'HOME' AND name = 'Flat'",
        client(1, 1)
    );
    assert_eq!(looker.count(&versions).await, 1);
    let other = id(Kind::Tariff, 1, 1, 0, 1);
    let twin = format!(
        "INSERT INTO tariff_rates SELECT (jsonb_populate_record(t, '{{\"id\": \"{}\", \"code\": \"home\"}}')).* FROM tariff_rates t WHERE id = '{other}'",
        uuid::Uuid::now_v7()
    );
    // The same code and version, and the same days.
    assert!(["23505", "23P01"].contains(&looker.refused(&twin).await.as_str()));
}

#[tokio::test]
async fn an_invoice_series_that_another_client_has_is_told() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let admin = Who::Admin(1);
    let browser = portal.browser_of(admin);
    let context = admin.context_token();
    let other = format!("SELECT invoice_series FROM clients WHERE id = '{}'", client(1, 1));
    let series = looker.value(&other).await.to_lowercase();
    let form = |slug, series| {
        [
            ("context", context.as_str()),
            ("page", "/organization/clients/new"),
            ("name", "Third"),
            ("legal_name", "Third Ltd"),
            ("slug", slug),
            ("invoice_series", series),
            ("currency", "EUR"),
            ("time_zone", "Europe/Berlin"),
            ("locale", "de-DE"),
            ("tax_name", "VAT"),
            ("tax_percent", "19"),
            ("payment_terms_days", "14"),
        ]
    };
    let made = browser.post("/api/create_client", &form("Third", series.as_str())).await;
    let said = browser.get(made.location()).await.body;
    assert!(said.contains("two invoices may have the same number"), "{said}");
    assert_eq!(looker.value("SELECT slug FROM clients WHERE name = 'Third'").await, "third");
    let made = browser.post("/api/create_client", &form("fourth", "FOURTH")).await;
    let said = browser.get(made.location()).await.body;
    assert!(said.contains("Client created") && !said.contains("the same number"), "{said}");
    let taken = browser.post("/api/create_client", &form("FOURTH", "FIFTH")).await;
    assert!(browser.get(taken.location()).await.body.contains("Another client has this short name"));
}
