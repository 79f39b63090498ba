//! What an operator makes at the terminal: an organization, its first admin, a new password.

use eis::access::Role;
use eis::parties::organizations::create::{NewOrganization, create as create_organization};
use eis::parties::users::create::{self, NewUser, Outcome};
use eis::parties::users::lost;

use crate::second_factor::{answer, code, enrol, password};
use crate::support::database::Case;
use crate::support::world::Who;

#[tokio::test]
async fn an_installation_without_demo_data_begins_with_an_organization_and_its_admin() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let url = case.connected.admin_url();
    let new = NewOrganization {
        slug: "north".into(),
        name: "North Energy".into(),
        currency: "EUR".into(),
        time_zone: "Europe/Berlin".into(),
        locale: "de-DE".into(),
    };
    let id = create_organization(url, &new).await.unwrap();
    let again = create_organization(url, &new).await.unwrap_err().to_string();
    assert_eq!(again, "there is an organisation \"north\" already");
    let admin = NewUser {
        email: "first@north.example".into(),
        name: "First Admin".into(),
        password: "a quiet heron by the weir".into(),
        role: Role::EnergyAdmin,
        administrator: false,
        organization: Some("north".into()),
        client: None,
        customer: None,
    };
    assert_eq!(create::create(url, &admin).await.unwrap(), Outcome::Created);
    let browser = portal.browser();
    let form = [("page", "/login"), ("email", "first@north.example"), ("password", "a quiet heron by the weir")];
    assert_eq!(browser.post("/api/sign_in", &form).await.location(), "/");
    let clients = browser.get("/organization/clients").await;
    assert_eq!(clients.status, 200, "{}", clients.body);
    assert!(clients.body.contains("North Energy") && !clients.body.contains("Client 11"), "{}", clients.body);
    let told =
        format!("SELECT string_agg(summary, '; ' ORDER BY position) FROM audit_log WHERE organization_id = '{id}'");
    let told = truth.value(&told.replace("position", "at, summary DESC")).await;
    assert!(told.starts_with("Made the organisation North Energy at the terminal; Made First Admin"), "{told}");
    assert_eq!(truth.count("SELECT count(*) FROM audit_chain_faults()").await, 0);
}

#[tokio::test]
async fn a_lost_password_is_replaced_at_the_terminal_and_every_session_under_it_ends() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let url = case.connected.admin_url();
    let who = Who::Client(1, 1);
    let (old, other) = (portal.browser_of(who), portal.browser_of(Who::Client(1, 2)));
    let wrong =
        [("nobody@x.example", "a quiet heron by the weir", "nobody signs in with"), (&who.email(), "short", "")];
    for (email, password, fault) in wrong {
        let told = lost::reset_password(url, email, password).await.unwrap_err().to_string();
        assert!(told.contains(fault), "{told}");
        assert_eq!(old.get("/profile").await.status, 200, "nothing was changed");
    }
    lost::reset_password(url, &who.email().to_uppercase(), "a quiet heron by the weir").await.unwrap();
    assert_eq!(old.get("/profile").await.status, 303, "the session under the old password ended");
    assert_eq!(other.get("/profile").await.status, 200, "the positive control");
    assert_eq!(portal.browser().sign_in(&who.email()).await.location(), "/login", "the old password is wrong now");
    let (browser, email) = (portal.browser(), who.email());
    let form = [("page", "/login"), ("email", email.as_str()), ("password", "a quiet heron by the weir")];
    assert_eq!(browser.post("/api/sign_in", &form).await.location(), "/");
    let told =
        "SELECT concat_ws(' ', role, action, entity) FROM audit_log WHERE summary LIKE '%new password at the terminal'";
    assert_eq!(truth.value(told).await, "system change_password user");
}

#[tokio::test]
async fn a_new_password_is_told_where_a_role_has_a_last_day_and_ends_what_was_under_way_with_the_old_one() {
    let case = Case::world().await;
    let (app, truth, portal) = (case.app().await, case.superuser().await, case.portal().await);
    let (url, me, other) = (case.connected.admin_url(), Who::Consultant(1), Who::Client(1, 1));
    enrol(&app, &truth, me).await;
    let ends = |valid_to: &str, who: Who| {
        format!("UPDATE role_assignments SET valid_to = {valid_to} WHERE id = '{}'", who.assignment())
    };
    truth.must(&ends("now() + interval '30 days'", me)).await;
    truth.must(&ends("now()", Who::Consultant(2))).await;
    let (said, half) = password(&app, me).await;
    assert_eq!(said, "code_needed");
    let (_, ticket) = password(&app, other).await;
    let create = |ticket: &str, byte: u8| {
        format!("SELECT made FROM session_create('\\x{byte:02x}', '{ticket}', '{{}}', '', '', 3600, 3600)")
    };
    assert_eq!(app.value(&create(&password(&app, other).await.1, 1)).await, "t", "the positive control");
    for who in [me, other, Who::Staff(1)] {
        lost::reset_password(url, &who.email(), "a quiet heron by the weir").await.unwrap();
    }
    let now = code(&truth, me, 0).await;
    assert_eq!(answer(&app, &half, &now).await, "stale", "half a sign-in with the old password");
    assert_eq!(app.value(&create(&ticket, 2)).await, "f", "a whole one");
    let browser = portal.browser();
    let email = me.email();
    let form = [("page", "/login"), ("email", email.as_str()), ("password", "a quiet heron by the weir")];
    assert_eq!(browser.post("/api/sign_in", &form).await.location(), "/login/code", "the second factor stays");
    let form = [("page", "/login/code"), ("one_time_password", now.as_str())];
    assert_eq!(browser.post("/api/second_factor", &form).await.location(), "/", "the positive control");
    let told = |who: Who| {
        format!(
            "SELECT string_agg(g.slug, ' ' ORDER BY g.slug) FROM audit_log l JOIN organizations g ON g.id = l.organization_id
             WHERE l.action = 'change_password' AND l.role = 'system' AND l.entity_id = '{}'",
            who.user()
        )
    };
    assert_eq!(truth.value(&told(me)).await, "org-1", "where a role has a last day, and not where one has ended");
    assert_eq!(truth.value(&told(other)).await, "org-1");
    assert_eq!(truth.value(&told(Who::Staff(1))).await, "org-1 org-2", "staff open any");
}

#[tokio::test]
async fn staff_with_a_last_day_are_made_administrator_too() {
    let case = Case::world().await;
    let truth = case.superuser().await;
    let who = Who::Staff(1);
    let row = format!("FROM role_assignments WHERE id = '{}'", who.assignment());
    truth
        .must(&format!(
            "UPDATE role_assignments SET valid_to = now() + interval '30 days' WHERE id = '{}'",
            who.assignment()
        ))
        .await;
    let administrator = NewUser {
        email: who.email(),
        name: "Sam Staff".into(),
        password: "a quiet heron by the weir".into(),
        role: Role::EisStaff,
        administrator: true,
        organization: None,
        client: None,
        customer: None,
    };
    assert_eq!(create::create(case.connected.admin_url(), &administrator).await.unwrap(), Outcome::RoleAdded);
    assert_eq!(truth.value(&format!("SELECT administrator {row}")).await, "t");
}

#[tokio::test]
async fn a_role_given_again_at_the_terminal_loses_its_end_and_is_held_once() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let who = Who::Client(1, 1);
    let again = NewUser {
        email: who.email(),
        name: "Cleo Client 11".into(),
        password: "a quiet heron by the weir".into(),
        role: Role::ClientAdmin,
        administrator: false,
        organization: Some("org-1".into()),
        client: Some("client-1".into()),
        customer: None,
    };
    app.enter(Who::Admin(1)).await;
    app.must(&format!("SELECT end_assignment('{}', '2031-05-31')", who.assignment())).await;
    app.must("COMMIT").await;
    let held = format!(
        "SELECT count(*) || ' ' || coalesce(max(last_day)::text, 'no end') FROM role_assignments WHERE user_id = '{}'",
        who.user()
    );
    assert_eq!(truth.value(&held).await, "1 2031-05-31");
    let url = case.connected.admin_url();
    assert_eq!(create::create(url, &again).await.unwrap(), Outcome::RoleAdded);
    assert_eq!(truth.value(&held).await, "1 no end");
    assert_eq!(create::create(url, &again).await.unwrap(), Outcome::AlreadyThere);
}
