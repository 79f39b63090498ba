//! The tariff designer: what its form does, is refused, and never does by itself.

use super::support::database::Case;
use super::support::http::{Answer, Browser};
use super::support::world::{Kind, Who, client, id};
use super::{CLEO, post};

/// The whole form of a flat tariff as a browser sends it.
const FLAT: [(&str, &str); 7] = [
    ("name", "Flat"),
    ("zone", "Europe/Berlin"),
    ("effective_from", "2027-01-01"),
    ("energy.0.name", "Energy"),
    ("energy.0.steps", "1"),
    ("energy.0.prices.sx.px.blocks.0.price", "0.31"),
    ("do", "save"),
];

fn pages() -> String {
    format!("/clients/{}/tariffs", client(1, 1))
}

async fn send(browser: &Browser, page: &str, changes: &[(&str, &str)]) -> Answer {
    let mut form: Vec<(&str, &str)> = vec![("page", page)];
    form.extend(FLAT.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name)));
    form.extend(changes);
    post(browser, CLEO, "save_tariff", &form).await
}

/// The value that a field of a page has.
fn field(page: &str, name: &str) -> String {
    let tag = page.split('<').find(|tag| tag.contains(&format!("name=\"{name}\""))).unwrap_or_default();
    tag.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_draft_is_made_changed_and_kept_from_being_changed_by_two_at_once() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let new = format!("{}/new?kind=flat", pages());
    let made = send(&browser, &new, &[("code", "FLAT")]).await;
    let design = made.location().to_owned();
    assert!(design.ends_with("/design"), "{design}");
    let draft = design.rsplit('/').nth(1).unwrap_or_default().to_owned();
    let price =
        format!("SELECT document #>> '{{energy,0,prices,0,blocks,0,price}}' FROM tariff_rates WHERE id = '{draft}'");
    assert_eq!(looker.value(&price).await, "0.31");

    let page = browser.get(&design).await.body;
    let seen = field(&page, "seen");
    assert_eq!(field(&page, "energy.0.prices.sx.px.blocks.0.price"), "0.31");
    let change = |price: &'static str| [("energy.0.prices.sx.px.blocks.0.price", price)];
    let form = |price| {
        [change(price).to_vec(), vec![("code", "FLAT"), ("tariff", draft.as_str()), ("seen", seen.as_str())]].concat()
    };
    send(&browser, &design, &form("0.33")).await;
    assert_eq!(looker.value(&price).await, "0.33");
    let blocks = format!("SELECT string_agg(price::text, ' ') FROM tariff_blocks WHERE tariff_rate_id = '{draft}'");
    assert_eq!(looker.value(&blocks).await, "0.330000");

    // Somebody who still looks at 0.31 does not write over it, and finds what was typed.
    let refused = send(&browser, &design, &form("0.39")).await;
    assert_eq!(looker.value(&price).await, "0.33");
    let page = browser.get(refused.location()).await.body;
    assert!(page.contains("Someone changed this after you opened it"), "{page}");
    assert_eq!(field(&page, "energy.0.prices.sx.px.blocks.0.price"), "0.39");
    let records = format!("SELECT string_agg(action, ' ' ORDER BY at) FROM audit_log WHERE entity_id = '{draft}'");
    assert_eq!(looker.value(&records).await, "create update");
}

#[tokio::test]
async fn only_a_draft_is_written_over() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let active = id(Kind::Tariff, 1, 1, 0, 1).to_string();
    let before = looker.value(&format!("SELECT document FROM tariff_rates WHERE id = '{active}'")).await;
    let page = format!("{}/{active}/design", pages());
    let answer = send(&browser, &page, &[("code", "HOME"), ("tariff", &active), ("seen", "")]).await;
    assert!(browser.get(answer.location()).await.body.contains("is not a draft any more"));
    assert_eq!(looker.value(&format!("SELECT document FROM tariff_rates WHERE id = '{active}'")).await, before);

    // Its page begins the next version instead.
    let form = browser.get(&page).await.body;
    assert_eq!((field(&form, "tariff"), field(&form, "code")), (String::new(), "HOME".to_owned()));
}

#[tokio::test]
async fn buttons_of_the_form_and_faults_save_nothing_and_lose_nothing() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let count = looker.count("SELECT count(*) FROM tariff_rates").await;
    let new = format!("{}/new?kind=flat", pages());
    let answer = send(&browser, &new, &[("code", "X"), ("do", "add:energy.0.steps")]).await;
    let page = browser.get(answer.location()).await.body;
    assert_eq!((field(&page, "energy.0.steps"), field(&page, "name")), ("2".to_owned(), "Flat".to_owned()));

    let steps =
        [("code", "X"), ("energy.0.prices.sx.px.blocks.0.to", "much"), ("energy.0.prices.sx.px.blocks.1.price", "0.4")];
    let answer = send(&browser, &new, &steps).await;
    let page = browser.get(answer.location()).await.body;
    assert!(page.contains("id=\"energy.0.prices.sx.px.blocks.0.to-error\""), "{page}");
    assert_eq!(field(&page, "energy.0.prices.sx.px.blocks.0.to"), "much");
    assert_eq!(looker.count("SELECT count(*) FROM tariff_rates").await, count);
}

#[tokio::test]
async fn the_example_bill_is_of_a_sample_or_of_a_customer_of_the_client_alone() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    super::usage(&looker).await;
    let browser = portal.browser_of(CLEO);
    let new = format!("{}/new?kind=flat", pages());
    let shown = async |usage: &str, account: &str| {
        let form =
            [("do", "refresh"), ("example.usage", usage), ("example.account", account), ("example.month", "2026-11")];
        let answer = send(&browser, &new, &form).await;
        browser.get(answer.location()).await.body
    };
    let sample = shown("household", "").await;
    assert!(sample.contains("To pay") && sample.contains("0.31"), "{sample}");
    // November has ten days of usage.
    assert!(shown("customer", "A-1").await.contains("Usage is missing: 2026-11-11"));
    let foreign = shown("customer", "A-99").await;
    assert!(foreign.contains("There is no customer with account number A-99"), "{foreign}");
}

#[tokio::test]
async fn a_tariff_from_a_file_opens_in_the_designer_and_faults_name_their_place() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let browser = portal.browser_of(CLEO);
    let new = format!("{}/new", pages());
    let text = r#"{"format": "eis-tariff/1", "name": "Read", "currency": "EUR", "zone": "Europe/Berlin",
        "energy": [{"name": "Energy", "prices": [{"blocks": [{"to": "100", "price": "0.2"}, {"from": "100", "price": "0.3"}]}]}]}"#;
    let answer = post(&browser, CLEO, "read_tariff", &[("page", &new), ("json", text)]).await;
    let page = browser.get(answer.location()).await.body;
    assert_eq!(field(&page, "energy.0.prices.sx.px.blocks.0.to"), "100");
    let answer =
        post(&browser, CLEO, "read_tariff", &[("page", &new), ("json", &text.replace("prices", "prizes"))]).await;
    let page = browser.get(answer.location()).await.body;
    assert!(page.contains("2:") && page.contains("prizes"), "{page}");
    let answer = post(&browser, CLEO, "read_tariff", &[("page", &new), ("json", &text.replace("EUR", "USD"))]).await;
    assert!(browser.get(answer.location()).await.body.contains("invoices here are in EUR"));
}

#[tokio::test]
async fn staff_see_no_designer() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let staff = portal.browser_of(Who::Staff(1));
    let active = id(Kind::Tariff, 1, 1, 0, 1);
    assert_eq!(staff.get(&format!("{}/{active}/design", pages())).await.status, 403);
    assert!(!staff.get(&format!("{}/{active}", pages())).await.body.contains("/design"));
}
