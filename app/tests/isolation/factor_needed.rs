//! EIS staff and energy admins need a second factor: once their days of grace are over, a session without one opens no tenant,
//! by SQL as little as by a page.

use clap::Parser;
use eis::db::second_factor::MOST_GRACE_DAYS;
use portal::cli::Cli;

use crate::DENIED;
use crate::second_factor::enrol;
use crate::support::database::Case;
use crate::support::sql::Sql;
use crate::support::world::{PASSWORD, Who, client, customer, organization};

const OVER: &str = "UPDATE private.second_factor_rule SET grace_days = 0";
const NEED: [Who; 2] = [Who::Admin(1), Who::Staff(1)];

/// What a session's context sees: the organization, customers, and the role.
async fn seen(app: &Sql, who: Who) -> Vec<Option<String>> {
    app.enter(who).await;
    let sql = "SELECT get_current_organization_id(), (SELECT count(*) FROM customers), get_current_role(), get_current_user_id()";
    let row = app.rows(sql).await.unwrap().remove(0);
    app.leave().await;
    row
}

#[tokio::test]
async fn once_the_grace_is_over_a_session_without_a_second_factor_opens_nothing_by_sql() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    for who in NEED {
        assert_eq!(
            seen(&app, who).await[0],
            Some(organization(1).to_string()),
            "the positive control: {who:?} in the grace"
        );
    }
    truth.must("UPDATE role_assignments SET administrator = true WHERE role = 'eis_staff'").await;
    truth.must(OVER).await;
    for who in NEED {
        let found = seen(&app, who).await;
        assert_eq!(found[..3], [None, Some("0".to_owned()), Some("none".to_owned())], "{who:?}");
        assert_eq!(found[3], Some(who.user().to_string()), "for the own profile alone");
        let (secret, c, k) = (who.secret().hex(), client(1, 1), customer(1, 1, 1));
        for sql in [
            format!("SELECT open_context('\\x{secret}', '{c}')"),
            format!("SELECT step_up('\\x{secret}', 'Ticket 4711: at last', 15, 'x')"),
            format!("SELECT view_as('\\x{secret}', '{c}', '{k}', 'x')"),
            format!("SELECT queue_job('\\x{secret}', gen_random_uuid(), 'what_if', '{{}}')"),
            format!("SELECT begin_system_work('\\x{secret}', NULL, 'Ticket 4711: all of them', false, 'x')"),
            format!("SELECT open_system_work('\\x{secret}', '{}')", organization(1)),
            format!("SELECT switch_context('\\x{secret}', NULL, '{}')", organization(2)),
        ] {
            assert_eq!(app.refused(&sql).await, DENIED, "{who:?} {sql}");
        }
        app.must(&format!("BEGIN; SELECT * FROM session_load('\\x{secret}', true)")).await;
        assert_eq!(
            app.maybe("SELECT get_current_organization_id()").await,
            None,
            "{who:?}: nor with the session's look-up"
        );
        assert_eq!(app.refused("SELECT * FROM staff_organizations('', 0, 9)").await, DENIED);
        app.leave().await;
    }
    assert_eq!(seen(&app, Who::Client(1, 1)).await[0], Some(organization(1).to_string()), "others need none");
    // The days are nobody's to lower but the owner's.
    for login in [case.app().await, case.worker().await, case.monitor().await] {
        for sql in ["UPDATE private.second_factor_rule SET grace_days = 99", "SELECT * FROM private.second_factor_rule"]
        {
            assert_eq!(login.refused(sql).await, DENIED, "{sql}");
        }
    }
    // The rightful way: set up, and everything opens.
    for who in NEED {
        enrol(&app, &truth, who).await;
        assert_eq!(
            seen(&app, who).await[0],
            Some(organization(1).to_string()),
            "the positive control: {who:?} with it"
        );
    }
    truth.must("DELETE FROM recovery_codes; DELETE FROM second_factors; DELETE FROM private.second_factor_rule").await;
    assert_eq!(seen(&app, Who::Admin(1)).await[0], None, "without the rule there is no grace");
}

#[tokio::test]
async fn the_days_count_from_the_first_such_role_and_giving_it_anew_prolongs_nothing() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let days = |days: i32| format!("UPDATE private.second_factor_rule SET grace_days = {days}");
    let admin = Who::Admin(1).user();
    truth
        .must(&format!("UPDATE role_assignments SET valid_from = now() - interval '10 days' WHERE user_id = '{admin}'"))
        .await;
    for (grace, opens) in [(11, true), (9, false)] {
        truth.must(&days(grace)).await;
        assert_eq!(seen(&app, Who::Admin(1)).await[0].is_some(), opens, "{grace} days");
    }
    truth.must(&days(11)).await;
    let older = format!(
        "INSERT INTO role_assignments (organization_id, id, user_id, role, valid_from, valid_to)
         VALUES ('{}', gen_random_uuid(), '{admin}', 'energy_admin', now() - interval '30 days', now() - interval '20 days')",
        organization(2)
    );
    truth.must(&older).await;
    assert_eq!(seen(&app, Who::Admin(1)).await[0], None, "a role of before counts, ended or not");
}

#[tokio::test]
async fn pages_tell_the_last_day_and_then_lead_to_the_second_factor_alone() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let admin = portal.browser_of(Who::Admin(1));
    let note = "Your role needs a second factor. Set it up by ";
    assert!(!admin.get("/organization").await.body.contains(note), "not years before");
    let soon = format!(
        "UPDATE private.second_factor_rule SET grace_days = 14 +
         (SELECT now()::date - min(valid_from)::date FROM role_assignments WHERE user_id = '{}')",
        Who::Admin(1).user()
    );
    truth.must(&soon).await;
    for path in ["/organization", "/profile", "/organization/users"] {
        let page = admin.get(path).await;
        assert!(page.status == 200 && page.body.contains(note), "{path}");
    }
    assert!(!portal.browser_of(Who::Client(1, 1)).get("/profile").await.body.contains(note), "others need none");
    truth.must(OVER).await;
    let there = "/profile/second-factor";
    for path in ["/", "/organization", "/profile", "/organization/users", "/organization/clients.csv"] {
        assert_eq!(admin.get(path).await.location(), there, "{path}");
    }
    assert_eq!(admin.get(&format!("/clients/{}", client(1, 1))).await.location(), there);
    let token = Who::Admin(1).context_token();
    let send = async |path: &str, fields: &[(&str, &str)]| {
        let mut form = vec![("context", token.as_str()), ("page", there)];
        form.extend(fields);
        admin.post(path, &form).await
    };
    assert_eq!(send("/api/create_client", &[("name", "X")]).await.location(), there);
    let page = admin.get(there).await.body;
    assert!(page.contains("Nothing else opens until it is on.") && !page.contains("/organization/clients"), "{page}");
    assert_eq!(portal.browser_of(Who::Client(1, 1)).get("/profile").await.status, 200, "the positive control");
    // Set up from here, and the session goes on.
    send("/api/begin_second_factor", &[("password", PASSWORD)]).await;
    let sql =
        "SELECT private.totp(secret, floor(extract(epoch FROM clock_timestamp()) / 30)::bigint) FROM second_factors";
    let code = truth.value(sql).await;
    send("/api/confirm_second_factor", &[("password", PASSWORD), ("one_time_password", &code)]).await;
    assert_eq!(admin.get(there).await.body.matches("<li><code>").count(), 10);
    let page = admin.get("/organization").await;
    assert!(page.status == 200 && !page.body.contains(note));
}

#[tokio::test]
async fn the_days_of_grace_have_one_range_at_the_terminal_and_in_the_database() {
    let case = Case::world().await;
    let truth = case.superuser().await;
    let most = MOST_GRACE_DAYS;
    for (days, fits) in [(0, true), (i32::from(most), true), (i32::from(most) + 1, false)] {
        let set = format!("UPDATE private.second_factor_rule SET grace_days = {days}");
        assert_eq!(truth.run(&set).await.is_ok(), fits, "the database: {days}");
        let given = ["portal", "serve", "--second-factor-grace", &days.to_string()].map(str::to_owned);
        assert_eq!(Cli::try_parse_from(given).is_ok(), fits, "the terminal: {days}");
    }
    assert!(eis::demo::GRACE_DAYS <= most, "and the demo keeps to it");
}

#[tokio::test]
async fn a_job_of_a_role_that_lacks_it_stops_instead_of_looking_done() {
    let case = Case::world().await;
    let (app, worker, truth) = (case.app().await, case.worker().await, case.superuser().await);
    let who = Who::Admin(1);
    app.enter(who).await;
    app.must(&format!("SELECT queue_job('\\x{}', gen_random_uuid(), 'test', '{{}}')", who.secret().hex())).await;
    app.must("COMMIT").await;
    let secret = worker.value("SELECT secret FROM claim_job('{test}', 60)").await;
    let open = format!("SELECT open_job_context('{secret}')");
    worker.must(&open).await;
    truth.must(OVER).await;
    assert_eq!(worker.refused(&open).await, DENIED);
    enrol(&app, &truth, who).await;
    worker.must(&open).await;
}
