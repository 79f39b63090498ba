//! A second factor that was lost with its codes on paper: the operator takes it away at the terminal, on record and told, and
//! no days of grace begin.

use std::process::Command;

use crate::DENIED;
use crate::second_factor::{answer, code, enrol, password};
use crate::support::database::{Case, home};
use crate::support::http::{Browser, hidden};
use crate::support::world::{PASSWORD, Who, organization};

const WHY: &str = "Ticket 4711: called back at the number on file";
const THERE: &str = "/profile/second-factor";

/// `portal user second-factor-off`: whether it was done, and what was said.
fn taken(case: &Case, email: &str, reason: &str) -> (bool, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_portal"))
        .args(["user", "second-factor-off", "--email", email, "--reason", reason])
        .env("DATABASE_URL", case.connected.admin_url())
        .env("PORTAL_DATA_DIR", home())
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    let told = [done.stdout, done.stderr].concat();
    (done.status.success(), String::from_utf8(told).unwrap())
}

/// Sends a form of the page of the second factor.
async fn send(browser: &Browser, function: &str, typed: &[(&str, &str)]) {
    let page = browser.get(THERE).await.body;
    let form = hidden(&page, function);
    assert!(!form.is_empty(), "no form for {function}: {page}");
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(browser.post(function, &[&form[..], typed].concat()).await.location(), THERE, "{function}");
}

#[tokio::test]
async fn a_lost_factor_is_taken_away_at_the_terminal_and_a_new_one_is_set_up_before_anything_opens() {
    for (who, opens) in [(Who::Admin(1), "/organization"), (Who::Staff(1), "/staff/organizations")] {
        let case = Case::world().await;
        let (app, truth, portal) = (case.app().await, case.superuser().await, case.portal().await);
        // The world gives a century of grace: none of it is left afterwards.
        let codes = enrol(&app, &truth, who).await;
        let before = portal.browser_of(who);
        assert_eq!(before.get("/profile").await.status, 200, "the positive control");
        let (said, half) = password(&app, who).await;
        assert_eq!(said, "code_needed");
        let (done, told) = taken(&case, &who.email().to_uppercase(), WHY);
        assert!(done && told.contains("has no second factor any more"), "{told}");
        assert!(before.get("/profile").await.location().starts_with("/login"), "{who:?}: the sessions have ended");
        assert_eq!(answer(&app, &half, &codes[0]).await, "stale", "and half a sign-in");
        // The password alone signs in, to the page of the second factor and nowhere else.
        let browser = portal.browser();
        assert_eq!(browser.sign_in(&who.email()).await.location(), "/");
        for path in ["/", opens, "/organization", "/organization/users", "/profile"] {
            assert_eq!(browser.get(path).await.location(), THERE, "{who:?} {path}");
        }
        assert!(browser.get(THERE).await.body.contains("Nothing else opens until it is on."));
        let role = truth.value(&format!("SELECT role FROM role_assignments WHERE user_id = '{}'", who.user())).await;
        let due = format!("SELECT private.second_factor_due('{}', '{role}') <= now()", who.user());
        assert_eq!(truth.value(&due).await, "t", "by SQL too");
        send(&browser, "/api/begin_second_factor", &[("password", PASSWORD)]).await;
        let now = code(&truth, who, 0).await;
        send(&browser, "/api/confirm_second_factor", &[("password", PASSWORD), ("one_time_password", &now)]).await;
        assert_eq!(browser.get(opens).await.status, 200, "{who:?}: with a new one everything opens");
        assert_eq!(password(&app, who).await.0, "code_needed");
        assert_eq!(truth.count("SELECT count(*) FROM second_factors WHERE taken_at IS NOT NULL").await, 0);
    }
}

#[tokio::test]
async fn what_was_taken_away_is_on_record_and_told_where_the_person_has_a_say() {
    let one = organization(1);
    for (who, records, told) in [
        (Who::Admin(1), 1, 1),
        (Who::Client(1, 1), 1, 1),
        (Who::Customer(1, 1, 1), 1, 0),
        // Staff may open any organization, and run none.
        (Who::Staff(1), 2, 0),
    ] {
        let case = Case::world().await;
        let (app, truth) = (case.app().await, case.superuser().await);
        // A role with a last day counts, one that has ended does not.
        let ends = "UPDATE role_assignments SET last_day = current_date + 9, valid_to = now() + interval '9 days' WHERE id = '{}'";
        truth.must(&ends.replace("{}", &who.assignment().to_string())).await;
        let ended = "INSERT INTO role_assignments (organization_id, id, user_id, role, valid_from, valid_to) SELECT '{2}', gen_random_uuid(), '{u}', 'energy_admin', now() - interval '9 days', now()";
        truth.must(&ended.replace("{2}", &organization(2).to_string()).replace("{u}", &who.user().to_string())).await;
        let session = "UPDATE sessions s SET auth_hash = private.auth_hash(u, a) FROM users u, role_assignments a WHERE u.id = s.user_id AND a.id = s.assignment_id";
        truth.must(session).await;
        enrol(&app, &truth, who).await;
        let (done, said) = taken(&case, &who.email(), WHY);
        assert!(done, "{said}");
        let log = format!(
            "SELECT count(*) FROM audit_log WHERE role = 'system' AND action = 'second_factor' AND entity_id = '{}' AND details ->> 'reason' = '{WHY}'",
            who.user()
        );
        assert_eq!(truth.count(&log).await, records, "{who:?}");
        assert_eq!(truth.count(&format!("{log} AND organization_id = '{one}'")).await, 1, "{who:?}");
        let notices = format!(
            "SELECT count(*) FROM role_notices WHERE reason = '{WHY}' AND organization_id = '{one}' AND user_id = '{}'",
            Who::Admin(1).user()
        );
        assert_eq!(truth.count(&notices).await, told, "{who:?}");
        assert_eq!(truth.count("SELECT count(*) FROM audit_chain_faults()").await, 0);
        if who == Who::Client(1, 1) {
            let portal = case.portal().await;
            let page = portal.browser_of(Who::Admin(1)).get("/organization").await.body;
            let notice = format!("The operator took away the lost second factor of Cleo Client 11 ({})", who.email());
            assert!(page.contains(&notice) && page.contains(WHY), "{page}");
            // A role that needs none opens: its person chose a second factor, and chooses again.
            let browser = portal.browser();
            browser.sign_in(&who.email()).await;
            assert_eq!(browser.get("/profile").await.status, 200);
        }
    }
}

#[tokio::test]
async fn who_has_none_is_told_so_and_nothing_is_changed() {
    let case = Case::world().await;
    let (app, truth, portal) = (case.app().await, case.superuser().await, case.portal().await);
    let me = Who::Admin(1);
    let begun = format!(
        "SELECT begin_second_factor('\\x{}', '\\x{}', 'x')",
        me.secret().hex(),
        crate::support::world::DIGEST.trim()
    );
    app.must(&begun).await;
    let records = truth.count("SELECT count(*) FROM audit_log").await;
    for (email, reason, fault) in [
        (me.email(), WHY, "has no second factor; nothing was changed"),
        ("nobody@x.example".to_owned(), WHY, "nobody signs in with"),
        (me.email(), "lost", "say why in 10 characters or more"),
    ] {
        let (done, told) = taken(&case, &email, reason);
        assert!(!done && told.contains(fault), "{told}");
        assert_eq!(portal.browser_of(me).get("/organization").await.status, 200, "{fault}");
    }
    enrol(&app, &truth, me).await;
    let (done, told) = taken(&case, &me.email(), WHY);
    assert!(done, "the positive control: {told}");
    let (done, told) = taken(&case, &me.email(), WHY);
    assert!(!done && told.contains("has no second factor"), "once: {told}");
    // On, and taken away once: two records.
    assert_eq!(truth.count("SELECT count(*) FROM audit_log").await, records + 2);
    for login in [case.app().await, case.worker().await, case.monitor().await] {
        let call = format!("SELECT take_second_factor('{}', '{WHY}')", me.user());
        assert_eq!(login.refused(&call).await, DENIED, "nobody's but the owner's");
    }
}
