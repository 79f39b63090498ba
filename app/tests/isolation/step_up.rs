//! EIS staff read; they write after stepping up, in one organization, for a time, in one session, on record.

use std::collections::BTreeMap;

use eis::access::Role;

use crate::DENIED;
use crate::support::database::Case;
use crate::support::sql::Sql;
use crate::support::world::{Who, client, organization};
use crate::tables::Stand;
use crate::targets::{FUNCTIONS, PAGES, fill};

const STAFF: Who = Who::Staff(1);
const WRITE: &str = "UPDATE customers SET phone = 'by staff'";

/// The statement by which staff step up.
pub fn step_up(who: Who, reason: &str) -> String {
    format!("SELECT step_up('\\x{}', '{reason}', 15, 'here')", who.secret().hex())
}

/// How many customers somebody's UPDATE reaches, at the organization and at one of its clients.
async fn reach(app: &Sql, who: Who) -> (u64, u64) {
    let whole = app.as_who(who, WRITE).await.unwrap();
    app.must(&format!("BEGIN; {}", Stand { who, at: Some((who.place().0, 1)) }.open())).await;
    let one = app.run(WRITE).await.unwrap();
    app.leave().await;
    (whole, one)
}

#[tokio::test]
async fn staff_write_after_stepping_up_there_and_nowhere_else() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    assert_eq!(reach(&app, STAFF).await, (0, 0), "reading only");
    app.must(&step_up(STAFF, "Ticket 4711: a reading was mistyped")).await;
    assert_eq!(reach(&app, STAFF).await, (4, 2), "in the organization that was open");
    assert_eq!(reach(&app, Who::Staff(2)).await, (0, 0), "not in another session, which has another one open");
    let foreign = format!("{WRITE} WHERE organization_id = '{}'", organization(2));
    assert_eq!(app.as_who(STAFF, &foreign).await, Ok(0));
    // The organization reads who, why and how long.
    let told = "SELECT count(*) FROM audit_log WHERE action = 'step_up' AND role = 'eis_staff' AND summary LIKE '%Ticket 4711%' AND details ->> 'until' IS NOT NULL";
    assert_eq!(app.count_as(Who::Admin(1), told).await, 1);
    assert_eq!(app.count_as(Who::Admin(2), told).await, 0);
    assert_eq!(app.count_as(Who::Client(1, 1), "SELECT count(*) FROM step_ups").await, 0);
    // And it ends: by hand, by time, with the session's move to another organization.
    app.must(&format!("SELECT step_down('\\x{}', 'here')", STAFF.secret().hex())).await;
    assert_eq!(reach(&app, STAFF).await, (0, 0), "stopped");
    app.must(&step_up(STAFF, "Ticket 4712: once more")).await;
    assert_eq!(reach(&app, STAFF).await, (4, 2));
    truth.must("UPDATE step_ups SET expires_at = now() WHERE reason LIKE '%4712%'").await;
    assert_eq!(reach(&app, STAFF).await, (0, 0), "its time is over");
    app.must(&step_up(STAFF, "Ticket 4713: and again")).await;
    truth
        .must(&format!(
            "UPDATE sessions SET organization_id = '{}' WHERE secret_hash = sha256('\\x{}')",
            organization(2),
            STAFF.secret().hex()
        ))
        .await;
    assert_eq!(app.as_who(STAFF, WRITE).await, Ok(0), "another organization is open now");
}

/// What the login could do with a session's secret and SQL of its own: have a record made, take what it allows, and
/// take the record back.
#[tokio::test]
async fn a_record_that_can_still_be_taken_back_opens_nothing() {
    let case = Case::world().await;
    let app = case.app().await;
    let secret = STAFF.secret().hex();
    app.must("BEGIN").await;
    app.must(&step_up(STAFF, "Ticket 4711: never on record")).await;
    app.must(&format!("SELECT open_context('\\x{secret}')")).await;
    assert_eq!(app.run(WRITE).await.unwrap(), 0, "no writing on a step up of this transaction");
    app.leave().await;
    // Another organization, by a session made and bound in the same transaction.
    let new = "00000000000000000000000000004711";
    let bind = format!(
        "SELECT session_create('\\x{new}', switch_context('\\x{secret}', NULL, '{}'), '{{}}', '', '', 3600, 3600)",
        organization(2)
    );
    app.must(&format!("BEGIN; {bind}")).await;
    assert_eq!(app.refused(&format!("SELECT open_context('\\x{new}')")).await, "28000", "bound in this transaction");
    app.leave().await;
    app.must(&format!("BEGIN; {bind}; COMMIT")).await;
    app.must(&format!("BEGIN; SELECT open_context('\\x{new}')")).await;
    assert_eq!(app.value("SELECT count(*) > 0 FROM customers").await, "t", "on record, it opens");
    app.leave().await;
    // A customer's pages, seen off the record.
    let client_admin = Who::Client(1, 1);
    let hex = client_admin.secret().hex();
    app.must("BEGIN").await;
    app.must(&format!(
        "SELECT view_as('\\x{hex}', '{}', '{}', '')",
        client(1, 1),
        crate::support::world::customer(1, 1, 1)
    ))
    .await;
    assert_eq!(
        app.refused(&format!("SELECT open_context('\\x{hex}')")).await,
        "28000",
        "seeing as a customer of this transaction"
    );
    app.leave().await;
}

#[tokio::test]
async fn nobody_else_steps_up_and_nobody_without_a_reason() {
    let case = Case::world().await;
    let app = case.app().await;
    for who in [Who::Admin(1), Who::Client(1, 1), Who::Customer(1, 1, 1), Who::Staff(0)] {
        assert_eq!(app.refused(&step_up(who, "Ticket 4711: a reading")).await, DENIED, "{who:?}");
    }
    assert_eq!(app.refused(&step_up(STAFF, "because")).await, "23514", "a reason says more");
    let insert = format!(
        "INSERT INTO step_ups (organization_id, id, user_id, session_id, reason, expires_at) VALUES ('{}', gen_random_uuid(), '{}', gen_random_uuid(), 'Ticket 4711', now())",
        organization(1),
        STAFF.user()
    );
    assert_eq!(app.as_who(STAFF, &insert).await.unwrap_err().code, DENIED);
    assert_eq!(app.as_who(STAFF, "UPDATE step_ups SET expires_at = now()").await.unwrap_err().code, DENIED);
    let forever = format!(
        "SELECT step_up('\\x{}', 'Ticket 4711: for a year', 525600, 'here') <= now() + interval '1 hour'",
        STAFF.secret().hex()
    );
    assert_eq!(app.value(&forever).await, "t", "an hour at most");
}

#[tokio::test]
async fn the_pages_offer_changes_only_while_they_are_allowed() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(STAFF);
    let customers = format!("/clients/{}/customers/new", client(1, 1));
    assert_eq!(browser.get(&customers).await.status, 403);
    assert!(browser.get("/organization").await.body.contains("Reading only"));
    let send = async |path: &str, fields: &[(&str, &str)]| {
        let token = STAFF.context_token();
        let mut all = vec![("context", token.as_str()), ("page", "/staff/step-up")];
        all.extend(fields);
        browser.post(path, &all).await
    };
    let refused = send("/api/step_up", &[("reason", "short"), ("minutes", "15")]).await;
    assert_eq!(refused.location(), "/staff/step-up", "back to the form");
    let form = browser.get("/staff/step-up").await.body;
    assert!(form.contains("value=\"short\"") && form.contains("10 letters"), "{form}");
    send("/api/step_up", &[("reason", "Ticket 4711: a new customer"), ("minutes", "15")]).await;
    let page = browser.get("/organization").await.body;
    assert!(page.contains("Changes allowed") && page.contains("Stop…"), "{page}");
    assert_eq!(browser.get(&customers).await.status, 200);
    assert_eq!(portal.browser_of(Who::Staff(2)).get(&customers).await.status, 403, "another's session");
    send("/api/step_down", &[]).await;
    assert_eq!(browser.get(&customers).await.status, 403);
    assert_eq!(truth.count("SELECT count(*) FROM audit_log WHERE action IN ('step_up', 'step_down')").await, 2);
}

/// What follows each of these words on a page, up to the next quote.
fn after<'p>(page: &'p str, word: &'static str) -> impl Iterator<Item = &'p str> {
    page.split(word).skip(1).filter_map(|rest| rest.split('"').next())
}

/// The kind: a button or a link that only leads to stepping up is not shown as if it did what it says.
#[tokio::test]
async fn staff_who_only_read_are_shown_no_form_and_no_link_that_is_refused() {
    let case = Case::world().await;
    let sam = case.portal().await;
    let sam = sam.browser_of(STAFF);
    let own = (1, 1, 1);
    let (mut faults, mut links, mut forms) = (Vec::new(), BTreeMap::new(), 0);
    for page in PAGES.iter().filter(|page| page.opens.contains(&Role::EisStaff) && !page.path.contains("{token}")) {
        let path = fill(page.path, own, own);
        let answer = sam.get(&path).await;
        if answer.status != 200 || !answer.header("content-type").starts_with("text/html") {
            continue;
        }
        for action in after(&answer.body, " action=\"").filter(|action| action.starts_with("/api/")) {
            forms += 1;
            let function = FUNCTIONS.iter().find(|function| function.path == action).unwrap();
            if !function.may.contains(&Role::EisStaff) {
                faults.push(format!("{path} has a form for {action}"));
            }
        }
        for link in after(&answer.body, " href=\"").filter(|link| link.starts_with('/') && !link.starts_with("//")) {
            links.entry(link.replace("&amp;", "&")).or_insert_with(|| path.clone());
        }
    }
    for (link, page) in &links {
        let status = sam.get(link).await.status;
        if status.as_u16() >= 400 {
            faults.push(format!("{page} links to {link}: {status}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(forms > 20 && links.len() > 40, "the positive control: {forms} forms, {} links", links.len());
}
