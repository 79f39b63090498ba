//! What an operator makes at the terminal: an organization, its first admin, a new password.

use eis::access::Role;
use eis::organizations::create::{NewOrganization, create as create_organization};
use eis::users::create::{self, NewUser, Outcome};

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
        let told = create::reset_password(url, email, password).await.unwrap_err().to_string();
        assert!(told.contains(fault), "{told}");
        assert_eq!(old.get("/profile").await.status, 200, "nothing was changed");
    }
    create::reset_password(url, &who.email().to_uppercase(), "a quiet heron by the weir").await.unwrap();
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
