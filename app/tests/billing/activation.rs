//! A tariff with a gap or an overlap in its calendar or its blocks cannot become active, however it came to be a draft.

use super::support::database::Case;
use super::support::world::{Kind, client, id};
use super::{CLEO, post};

/// What is done to the draft's document behind the portal's back, and the fault that it is refused for.
const FAULTS: [(&str, &str); 5] = [
    ("jsonb_set(document, '{energy,0,prices,0,blocks}', '[{\"to\": \"100\", \"price\": \"0.1\"}, {\"from\": \"120\", \"price\": \"0.2\"}]')", "a gap"),
    ("jsonb_set(document, '{energy,0,prices,0,blocks}', '[{\"to\": \"100\", \"price\": \"0.1\"}, {\"from\": \"90\", \"price\": \"0.2\"}]')", "an overlap"),
    ("jsonb_set(document, '{energy,0,prices,0,blocks}', '[{\"to\": \"100\", \"price\": \"0.1\"}]')", "must have no end"),
    (
        "jsonb_set(document, '{calendars}', '{\"c\": {\"periods\": [\"all\"], \"seasons\": [{\"name\": \"Summer\", \"from\": \"04-01\", \"to\": \"12-30\",
         \"days\": [{\"on\": [\"monday\", \"tuesday\", \"wednesday\", \"thursday\", \"friday\", \"saturday\", \"sunday\"],
         \"hours\": [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}]}]}}')",
        "lie in no season",
    ),
    ("jsonb_set(document, '{energy,0,prices}', (document #> '{energy,0,prices}') || (document #> '{energy,0,prices}'))", "there is one price"),
];

#[tokio::test]
async fn a_draft_with_a_gap_or_an_overlap_is_refused_and_stays_a_draft() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let draft = id(Kind::Tariff, 1, 1, 0, 2).to_string();
    let (page, of) =
        (format!("/clients/{}/tariffs/{draft}", client(1, 1)), format!("FROM tariff_rates WHERE id = '{draft}'"));
    let whole = looker.value(&format!("SELECT document {of}")).await;
    assert_eq!(looker.value(&format!("SELECT status {of}")).await, "draft");
    for (change, fault) in FAULTS {
        looker.must(&format!("UPDATE tariff_rates SET document = {change} WHERE id = '{draft}'")).await;
        let seen = browser.seen(&page, "/api/activate_tariff").await;
        let form = [("tariff", draft.as_str()), ("page", &page), ("seen", &seen)];
        let answer = post(&browser, CLEO, "activate_tariff", &form).await;
        let told = browser.get(answer.location()).await.body;
        assert_eq!(looker.value(&format!("SELECT status {of}")).await, "draft", "{fault}");
        assert!(told.contains(fault), "{fault}: {told}");
        looker
            .must(&format!("UPDATE tariff_rates SET document = '{}' WHERE id = '{draft}'", whole.replace('\'', "''")))
            .await;
    }
    // As it was, it becomes active.
    let seen = browser.seen(&page, "/api/activate_tariff").await;
    post(&browser, CLEO, "activate_tariff", &[("tariff", &draft), ("page", &page), ("seen", &seen)]).await;
    assert_eq!(looker.value(&format!("SELECT status {of}")).await, "active");
}
