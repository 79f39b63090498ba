//! Links to set a new password: who may make one, for whom, and what it is worth when it is used.

use crate::DENIED;
use crate::support::database::Case;
use crate::support::http::{Browser, Portal};
use crate::support::sql::{Sql, open};
use crate::support::world::{DIGEST, SALT, Who, client, organization};

const ADMIN: Who = Who::Admin(1);
const THEM: Who = Who::Customer(1, 1, 1);
const NEW: &str = "a quiet heron by the weir";

fn make(whose: Who) -> String {
    format!("SELECT make_password_reset('{}', 'here')", whose.assignment())
}

/// A link for somebody, made by somebody, as the database's token.
async fn link(app: &Sql, by: Who, whose: Who) -> String {
    app.must(&format!("BEGIN; {}", open(by))).await;
    let token = app.value(&make(whose)).await;
    app.must("COMMIT").await;
    token
}

/// What comes of using it with a code.
async fn used(app: &Sql, token: &str, code: &str) -> String {
    app.value(&format!("SELECT reset_password('{token}', '{SALT}', '\\x{}', '{code}', 'here')", "22".repeat(32))).await
}

async fn open_links(app: &Sql, token: &str) -> usize {
    app.rows(&format!("SELECT * FROM password_reset_by_token('{token}')")).await.unwrap().len()
}

#[tokio::test]
async fn only_who_may_grant_a_right_makes_a_link_for_its_login() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let staff = Who::Staff(1);
    let everybody = [staff, ADMIN, Who::Client(1, 1), Who::Client(1, 2), Who::Admin(2), THEM, Who::Customer(1, 1, 2)];
    truth
        .must(&format!(
            "INSERT INTO step_ups (organization_id, id, user_id, session_id, reason, expires_at)
             SELECT organization_id, gen_random_uuid(), user_id, id, 'Ticket 4711', now() + interval '9 minutes' FROM sessions WHERE organization_id = '{}'",
            organization(1)
        ))
        .await;
    for (whose, may) in [
        (THEM, vec![ADMIN, Who::Client(1, 1)]),
        (Who::Client(1, 1), vec![ADMIN]),
        (ADMIN, vec![staff]),
        (staff, vec![]),
        (Who::Client(2, 1), vec![Who::Admin(2)]),
    ] {
        for who in everybody {
            let done = app.as_who(who, &make(whose)).await;
            assert_eq!(done.is_ok(), may.contains(&who), "{who:?} for {whose:?}: {done:?}");
            assert!(done.is_ok() || done.unwrap_err().code == DENIED);
        }
        assert_eq!(app.refused(&make(whose)).await, DENIED, "nobody");
    }
    // Staff who only read make none.
    truth.must("DELETE FROM step_ups").await;
    assert_eq!(app.as_who(staff, &make(ADMIN)).await.unwrap_err().code, DENIED);
    for sql in ["SELECT * FROM password_resets", "SELECT private.live_reset('')"] {
        assert_eq!(app.as_who(ADMIN, sql).await.unwrap_err().code, DENIED, "{sql}");
    }
}

#[tokio::test]
async fn a_link_works_once_and_ends_every_session_of_its_person_and_nobody_else_s() {
    let case = Case::world().await;
    let (app, truth, portal) = (case.app().await, case.superuser().await, case.portal().await);
    let (theirs, other) = (portal.browser_of(THEM), portal.browser_of(Who::Customer(1, 1, 2)));
    let token = link(&app, ADMIN, THEM).await;
    assert_eq!(theirs.get("/profile").await.status, 200, "making one changes nothing");
    // Under another's context, whose name would stand in the log.
    app.enter(ADMIN).await;
    let reset = format!("SELECT reset_password('{token}', '{SALT}', '\\x{}', '', 'here')", "22".repeat(32));
    assert_eq!(app.refused(&reset).await, DENIED);
    app.leave().await;
    assert_eq!(used(&app, &token, "").await, "done", "the positive control");
    assert_eq!(theirs.get("/profile").await.status, 303);
    assert_eq!(other.get("/profile").await.status, 200);
    assert_eq!((used(&app, &token, "").await.as_str(), open_links(&app, &token).await), ("refused", 0), "once");
    let told = "SELECT string_agg(action || ' by ' || user_name, ', ' ORDER BY action) FROM audit_log WHERE summary LIKE '%new password%'";
    assert_eq!(
        truth.value(told).await,
        format!(
            "change_password by {}, make_reset_link by {}",
            truth.value(&format!("SELECT name FROM users WHERE id = '{}'", THEM.user())).await,
            truth.value(&format!("SELECT name FROM users WHERE id = '{}'", ADMIN.user())).await
        )
    );
    assert_eq!(truth.count("SELECT count(*) FROM audit_chain_faults()").await, 0);
}

#[tokio::test]
async fn a_link_ends_with_its_day_a_newer_one_its_maker_s_right_and_any_change_of_the_password() {
    for (what, ends) in [
        ("its day", "UPDATE password_resets SET expires_at = now()".to_owned()),
        (
            "its maker's right",
            format!("UPDATE role_assignments SET valid_to = now() WHERE user_id = '{}'", ADMIN.user()),
        ),
        ("its maker's login", format!("UPDATE users SET status = 'disabled' WHERE id = '{}'", ADMIN.user())),
        ("its own login", format!("UPDATE users SET status = 'disabled' WHERE id = '{}'", THEM.user())),
        ("a change", format!("UPDATE users SET password_proof = sha256('x') WHERE id = '{}'", THEM.user())),
    ] {
        let case = Case::world().await;
        let (app, truth) = (case.app().await, case.superuser().await);
        let token = link(&app, ADMIN, THEM).await;
        assert_eq!(open_links(&app, &token).await, 1, "the positive control");
        truth.must(&ends).await;
        assert_eq!((used(&app, &token, "").await.as_str(), open_links(&app, &token).await), ("refused", 0), "{what}");
    }
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    // A transaction that was begun before keeps nothing of it.
    let token = link(&app, ADMIN, THEM).await;
    app.must("BEGIN; SELECT 1").await;
    truth.must("UPDATE password_resets SET expires_at = clock_timestamp()").await;
    assert_eq!((used(&app, &token, "").await.as_str(), open_links(&app, &token).await), ("refused", 0));
    app.leave().await;
    let (old, new) = (link(&app, ADMIN, THEM).await, link(&app, Who::Client(1, 1), THEM).await);
    assert_eq!(used(&app, &old, "").await, "refused", "a newer one");
    assert_eq!(used(&app, &new, "").await, "done");
}

#[tokio::test]
async fn a_link_does_not_reach_a_login_with_rights_that_its_maker_may_not_grant() {
    let right = |role: &str, o: u8, c: u8, from: &str| {
        let place = if c == 0 { "NULL".to_owned() } else { format!("'{}'", client(o, c)) };
        format!(
            "INSERT INTO role_assignments (organization_id, id, user_id, role, client_id, valid_from) VALUES ('{}', gen_random_uuid(), '{}', '{role}', {place}, {from})",
            organization(o),
            THEM.user()
        )
    };
    for (by, added, reached) in [
        (ADMIN, right("client_admin", 1, 2, "now()"), true),
        (ADMIN, right("client_admin", 2, 1, "now()"), false),
        (ADMIN, right("client_admin", 2, 1, "now() + interval '3 days'"), false),
        (ADMIN, right("energy_admin", 1, 0, "now()"), false),
        (Who::Client(1, 1), right("client_admin", 1, 1, "now()"), false),
        (Who::Client(1, 1), right("client_admin", 1, 2, "now()"), false),
    ] {
        // The right is there before the link is made, and after: it is looked at when the link is used.
        for before in [true, false] {
            let case = Case::world().await;
            let (app, truth) = (case.app().await, case.superuser().await);
            if before {
                truth.must(&added).await;
            }
            let token = link(&app, by, THEM).await;
            if !before {
                truth.must(&added).await;
            }
            let proof = format!("SELECT encode(password_proof, 'hex') FROM users WHERE id = '{}'", THEM.user());
            let was = truth.value(&proof).await;
            assert_eq!(open_links(&app, &token).await, 1, "that it does not reach is not told before it is tried");
            assert_eq!(used(&app, &token, "").await, if reached { "done" } else { "refused" }, "{by:?} {added}");
            assert_eq!(truth.value(&proof).await != was, reached, "{by:?} {added}");
            assert_eq!(used(&app, &token, "").await, "refused", "it has ended");
        }
    }
}

#[tokio::test]
async fn with_a_second_factor_the_link_alone_sets_nothing_and_tells_nothing() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    truth
        .must(&format!(
            "INSERT INTO second_factors (user_id, secret, confirmed_at) SELECT u.id, decode(repeat('0b', 20), 'hex'), now() FROM users u WHERE u.id IN ('{}', '{}')",
            THEM.user(),
            Who::Customer(1, 1, 2).user()
        ))
        .await;
    // One of them has a right elsewhere: without the code both are answered alike.
    truth
        .must(&format!(
            "INSERT INTO role_assignments (organization_id, id, user_id, role) VALUES ('{}', gen_random_uuid(), '{}', 'energy_admin')",
            organization(2),
            Who::Customer(1, 1, 2).user()
        ))
        .await;
    let code = "SELECT private.totp(decode(repeat('0b', 20), 'hex'), floor(extract(epoch FROM clock_timestamp()) / 30)::bigint)";
    let (token, elsewhere) = (link(&app, ADMIN, THEM).await, link(&app, ADMIN, Who::Customer(1, 1, 2)).await);
    for wrong in ["", "000", "abcdef"] {
        assert_eq!(used(&app, &token, wrong).await, "wrong");
        assert_eq!(used(&app, &elsewhere, wrong).await, "wrong");
    }
    assert_eq!(used(&app, &token, &truth.value(code).await).await, "done", "the positive control");
    assert_eq!(used(&app, &elsewhere, &truth.value(code).await).await, "refused");
    let again = format!("SELECT outcome FROM sign_in('{}', '\\x{}', 'here')", THEM.email(), "22".repeat(32));
    assert_eq!(app.value(&again).await, "code_needed", "the second factor stays");
}

/// Makes a link on a person's page and reads it there.
async fn made_on_page(browser: &Browser, by: Who, page: &str) -> String {
    let (client, assignment) = (client(1, 1).to_string(), THEM.assignment().to_string());
    let token = by.context_token();
    let form = [("context", token.as_str()), ("client", &client), ("assignment", &assignment), ("page", page)];
    let answer = browser.post("/api/make_reset_link", &form).await;
    assert_eq!((answer.status.as_u16(), answer.location()), (303, page), "{}", answer.body);
    let shown = browser.get(page).await.body;
    let link = shown.split("/reset/").nth(1).expect("the link").split('<').next().unwrap();
    format!("/reset/{link}")
}

async fn set(portal: &Portal, link: &str, password: &str, again: &str) -> (String, String) {
    let browser = portal.browser();
    let token = link.rsplit('/').next().unwrap();
    let form = [("page", link), ("token", token), ("new_password", password), ("again_password", again)];
    let to = browser.post("/api/reset_password", &form).await.location().to_owned();
    let page = browser.get(&to).await.body;
    (to, page)
}

#[tokio::test]
async fn an_admin_makes_the_link_on_the_person_s_page_and_the_person_sets_a_password_with_it() {
    let case = Case::world().await;
    let (portal, by) = (case.portal().await, Who::Client(1, 1));
    let admin = portal.browser_of(by);
    let page = format!("/clients/{}/users/{}/edit", client(1, 1), THEM.assignment());
    assert!(
        admin.get(&page).await.body.contains("works only while every right of this login is one that you may grant")
    );
    let link = made_on_page(&admin, by, &page).await;
    assert!(!admin.get(&page).await.body.contains("/reset/"), "shown once");
    let open = portal.browser().get(&link).await;
    assert!(open.status == 200 && open.body.contains(&THEM.email()), "{}", open.body);
    // Faults are told at their fields, and the link stays.
    let (to, told) = set(&portal, &link, "customer111@eis", "something else").await;
    assert!(
        to == link && told.contains("names that others know") && told.contains("The two passwords differ"),
        "{told}"
    );
    assert!(!told.contains("value=\"something else\""), "no password is shown again");
    let (to, told) = set(&portal, &link, NEW, NEW).await;
    assert!(to == "/login" && told.contains("Your new password is set"), "{to} {told}");
    let (browser, email) = (portal.browser(), THEM.email());
    let form = [("page", "/login"), ("email", email.as_str()), ("password", NEW)];
    assert_eq!(browser.post("/api/sign_in", &form).await.location(), "/");
    assert_eq!(portal.browser().sign_in(&email).await.location(), "/login", "the old one is wrong now");
    // The same form once more leads where the first led; spent, unknown and malformed links have one page.
    assert_eq!(set(&portal, &link, NEW, NEW).await.0, "/login");
    let spent = portal.browser().get(&link).await;
    assert_eq!(spent.status, 404);
    for other in [format!("/reset/{}", "0f".repeat(32)), "/reset/x".to_owned()] {
        assert_eq!(portal.browser().get(&other).await.bytes(), spent.bytes(), "{other}");
    }
    assert!(portal.browser().get("/login").await.body.contains("forgot your password?"));
}

#[tokio::test]
async fn a_link_that_does_not_reach_its_login_ends_on_the_page_of_those_that_are_over() {
    let case = Case::world().await;
    let (app, truth, portal) = (case.app().await, case.superuser().await, case.portal().await);
    truth
        .must(&format!(
            "INSERT INTO role_assignments (organization_id, id, user_id, role) VALUES ('{}', gen_random_uuid(), '{}', 'energy_admin')",
            organization(2),
            THEM.user()
        ))
        .await;
    let link = format!("/reset/{}", link(&app, ADMIN, THEM).await.trim_start_matches("\\x"));
    let (to, told) = set(&portal, &link, NEW, NEW).await;
    assert!(to == link && told.contains("This link no longer works"), "{to} {told}");
    let theirs = "SELECT count(*) FROM audit_log WHERE organization_id = '{2}' AND summary LIKE '%new password%'";
    assert_eq!(truth.count(&theirs.replace("{2}", &organization(2).to_string())).await, 0, "nothing is told elsewhere");
    assert_eq!(
        app.value(&format!("SELECT outcome FROM sign_in('{}', '\\x{}', 'x')", THEM.email(), DIGEST.trim())).await,
        "signed_in"
    );
}
