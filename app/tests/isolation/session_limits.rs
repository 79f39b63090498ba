//! How many sessions a person has, and who ends which.

use crate::DENIED;
use crate::support::database::Case;
use crate::support::sql::Sql;
use crate::support::world::{DIGEST, PASSWORD, Who, organization};

/// Begins a session for somebody, whose secret is this byte; the answer of the gate.
async fn begin(app: &Sql, who: Who, byte: u8) -> Vec<Option<String>> {
    let sign_in = format!("SELECT ticket FROM sign_in('{}', '\\x{}', 'x')", who.email(), DIGEST.trim());
    let ticket = app.value(&sign_in).await;
    let create =
        format!("SELECT * FROM session_create('\\x{byte:02x}', '{ticket}', '{{}}', '10.1.1.{byte}', '', 3600, 3600)");
    app.rows(&create).await.unwrap().remove(0)
}

async fn live(app: &Sql, byte: u8) -> bool {
    !app.rows(&format!("SELECT * FROM session_load('\\x{byte:02x}')")).await.unwrap().is_empty()
}

#[tokio::test]
async fn the_eleventh_session_of_a_person_ends_the_oldest_on_record_and_says_so() {
    let case = Case::world().await;
    let (app, truth, portal) = (case.app().await, case.superuser().await, case.portal().await);
    let me = Who::Client(1, 1);
    let mine = format!("SELECT count(*) FROM sessions WHERE user_id = '{}'", me.user());
    truth
        .must(&format!("UPDATE sessions SET created_at = now() - interval '1 hour' WHERE user_id = '{}'", me.user()))
        .await;
    for byte in 1..=9 {
        assert_eq!(begin(&app, me, byte).await, [Some("t".to_owned()), None, None], "{byte}");
    }
    assert_eq!(truth.count(&mine).await, 10);
    let others = truth.count("SELECT count(*) FROM sessions").await;
    let told = begin(&app, me, 10).await;
    assert_eq!(told[2].as_deref(), Some("127.0.0.1"), "the one of the world: {told:?}");
    assert_eq!((truth.count(&mine).await, truth.count("SELECT count(*) FROM sessions").await), (10, others));
    assert_eq!(portal.browser_of(me).get("/profile").await.status, 303, "it has ended");
    let record = format!("SELECT count(*) FROM audit_log WHERE action = 'end_sessions' AND user_id = '{}'", me.user());
    assert_eq!(truth.count(&record).await, 1);
    // The portal says it at once, and keeps it among the sign-ins.
    let browser = portal.browser();
    let first = browser.sign_in(&me.email()).await;
    assert!(
        browser
            .get(&format!("/clients/{}", me.actor().client.unwrap()))
            .await
            .body
            .contains("your oldest session, begun "),
        "{first:?}"
    );
    let profile = browser.get("/profile").await.body;
    assert_eq!(profile.matches("Oldest session ended").count(), 2, "{profile}");
    assert!(profile.contains("10.1.1.1") && !live(&app, 1).await && live(&app, 2).await);
    // Two at once count each other.
    let (left, right) = (case.app().await, case.app().await);
    tokio::join!(begin(&left, me, 21), begin(&right, me, 22));
    assert_eq!(truth.count(&mine).await, 10);
}

#[tokio::test]
async fn a_person_ends_one_session_of_their_own_and_nobody_else_s() {
    let case = Case::world().await;
    let (app, truth, portal) = (case.app().await, case.superuser().await, case.portal().await);
    let me = Who::Client(1, 1);
    begin(&app, me, 1).await;
    begin(&app, me, 2).await;
    let id = async |hash: &str| {
        truth.value(&format!("SELECT id FROM sessions WHERE secret_hash = sha256('\\x{hash}')")).await
    };
    let (one, here, theirs) = (id("01").await, id(&me.secret().hex()).await, id(&Who::Admin(1).secret().hex()).await);
    let end = |session: &str| {
        format!(
            "SELECT ended FROM end_my_sessions('\\x{}', '{session}', '\\x{}', 'here')",
            me.secret().hex(),
            DIGEST.trim()
        )
    };
    assert_eq!(app.value(&end(&theirs)).await, "0", "another's");
    assert_eq!(app.value(&end(&here)).await, "0", "this one ends by signing out");
    let browser = portal.browser_of(me);
    let page = browser.get("/profile").await.body;
    let offered = page.split("name=\"session\"").nth(1).unwrap().split("</select>").next().unwrap().to_owned();
    assert!(offered.matches("<option").count() == 3 && offered.contains(&one) && !offered.contains(&here), "{offered}");
    let token = me.context_token();
    let form_id = uuid::Uuid::now_v7().to_string();
    let mut form = vec![("context", token.as_str()), ("page", "/profile"), ("form_id", &form_id), ("session", &one)];
    form.push(("password", PASSWORD));
    for _ in 0..2 {
        assert_eq!(browser.post("/api/end_session", &form).await.location(), "/profile");
        assert!(browser.get("/profile").await.body.contains("That session is signed out."), "the same answer twice");
    }
    assert!(!live(&app, 1).await && live(&app, 2).await, "that one alone");
    let record = "SELECT count(*) FROM audit_log WHERE summary = 'Signed out another session'";
    assert_eq!(truth.count(record).await, 1, "on record, once");
}

#[tokio::test]
async fn ending_one_s_own_sessions_asks_for_the_password_every_time() {
    let case = Case::world().await;
    let (app, truth, portal) = (case.app().await, case.superuser().await, case.portal().await);
    let me = Who::Client(1, 1);
    begin(&app, me, 1).await;
    begin(&app, me, 2).await;
    let one = truth.value("SELECT id FROM sessions WHERE secret_hash = sha256('\\x01')").await;
    let browser = portal.browser_of(me);
    let token = me.context_token();
    for which in ["others", &one] {
        for (password, told) in [("", "This is not your password."), ("a wrong one", "This is not your password.")] {
            let form = [("context", token.as_str()), ("page", "/profile"), ("session", which), ("password", password)];
            assert_eq!(browser.post("/api/end_session", &form).await.location(), "/profile");
            let page = browser.get("/profile").await.body;
            assert!(page.contains(told) && !page.contains("a wrong one"), "{which}: {page}");
        }
        let which = if which == "others" { "NULL".to_owned() } else { format!("'{which}'") };
        let bare = format!("SELECT outcome FROM end_my_sessions('\\x{}', {which}, '\\x00', 'here')", me.secret().hex());
        assert_eq!(app.value(&bare).await, "wrong password");
    }
    assert!(live(&app, 1).await && live(&app, 2).await, "none has ended");
    // Under the limit of sign-ins.
    let tried = format!("SELECT count(*) FROM sign_ins WHERE user_id = '{}' AND outcome = 'wrong'", me.user());
    assert_eq!(truth.count(&tried).await, 6);
    for _ in 0..10 {
        app.must(&format!("SELECT end_my_sessions('\\x{}', NULL, '\\x00', 'limit')", me.secret().hex())).await;
    }
    let right = |address: &str| {
        format!(
            "SELECT outcome FROM end_my_sessions('\\x{}', NULL, '\\x{}', '{address}')",
            me.secret().hex(),
            DIGEST.trim()
        )
    };
    assert_eq!(app.value(&right("limit")).await, "limited", "not even the right one is tried");
    // The positive control; a ticket that was under way ends too.
    let ticket = app.value(&format!("SELECT ticket FROM sign_in('{}', '\\x{}', 'x')", me.email(), DIGEST.trim())).await;
    let form = [("context", token.as_str()), ("page", "/profile"), ("session", "others"), ("password", PASSWORD)];
    browser.post("/api/end_session", &form).await;
    assert!(browser.get("/profile").await.body.contains("2 other sessions signed out."));
    assert!(!live(&app, 1).await && !live(&app, 2).await);
    let late = format!("SELECT made FROM session_create('\\x03', '{ticket}', '{{}}', '', '', 3600, 3600)");
    assert_eq!(app.value(&late).await, "f");
}

#[tokio::test]
async fn an_admin_ends_a_user_s_sessions_in_the_organization_and_at_roles_that_are_theirs_to_give() {
    let case = Case::world().await;
    let (app, truth, portal) = (case.app().await, case.superuser().await, case.portal().await);
    let consultant = Who::Consultant(1);
    let end = |who: Who| format!("SELECT end_user_sessions('{}')", who.assignment());
    for (actor, whose) in [
        (Who::Admin(1), Who::Consultant(2)),
        (Who::Admin(1), Who::Admin(1)),
        (Who::Admin(1), Who::Staff(1)),
        (Who::Client(1, 1), consultant),
        (Who::Client(1, 1), Who::Customer(1, 2, 1)),
        (Who::Customer(1, 1, 1), Who::Customer(1, 1, 1)),
        (Who::Staff(1), Who::Admin(1)),
    ] {
        let refused = app.as_who(actor, &end(whose)).await.unwrap_err();
        assert_eq!(refused.code, DENIED, "{actor:?} of {whose:?}");
    }
    let all = truth.count("SELECT count(*) FROM sessions").await;
    let browser = portal.browser_of(Who::Admin(1));
    let edit = format!("/organization/users/{}/edit", consultant.assignment());
    assert!(browser.get(&edit).await.body.contains("action=\"/api/end_user_sessions\""));
    let (token, assignment) = (Who::Admin(1).context_token(), consultant.assignment().to_string());
    let form = [("context", token.as_str()), ("page", &edit), ("assignment", &assignment)];
    assert_eq!(browser.post("/api/end_user_sessions", &form).await.location(), "/organization/users");
    assert!(browser.get("/organization/users").await.body.contains("One session of "), "and it is said");
    assert_eq!(truth.count("SELECT count(*) FROM sessions").await, all - 1, "the one at a role here");
    assert_eq!(portal.browser_of(consultant).get("/profile").await.status, 303);
    for elsewhere in [Who::Consultant(0), Who::Consultant(2), Who::Client(1, 1)] {
        assert_eq!(portal.browser_of(elsewhere).get("/profile").await.status, 200, "{elsewhere:?} goes on");
    }
    let record = format!(
        "SELECT count(*) FROM audit_log WHERE action = 'end_sessions' AND entity_id = '{}' AND organization_id = '{}'",
        consultant.user(),
        organization(1)
    );
    assert_eq!(truth.count(&record).await, 1);
    let held =
        format!("SELECT count(*) FROM role_assignments WHERE id = '{}' AND valid_to IS NULL", consultant.assignment());
    assert_eq!(truth.count(&held).await, 1, "the role stays");
    // Staff are led to stepping up; stepped up they may.
    let staff = portal.browser_of(Who::Staff(1));
    let page = format!("/organization/users/{}/edit", Who::Admin(1).assignment());
    assert!(staff.get(&page).await.body.contains("Step up first"));
    let step = format!("SELECT step_up('\\x{}', 'Ticket 4711: a lost phone', 15, 'x')", Who::Staff(1).secret().hex());
    app.must(&step).await;
    assert!(staff.get(&page).await.body.contains("action=\"/api/end_user_sessions\""));
    assert_eq!(app.as_who(Who::Staff(1), &end(Who::Admin(1))).await.map_err(|refused| refused.code), Ok(1));
}
