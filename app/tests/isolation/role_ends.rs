//! Roles end with a day that somebody set, in one zone; a right is held once and taken back whole.

use chrono::NaiveDate;
use chrono_tz::Tz;
use eis::usage::days::day_end;

use crate::DENIED;
use crate::step_up::step_up;
use crate::support::database::Case;
use crate::support::http::Browser;
use crate::support::sql::Sql;
use crate::support::world::{DIGEST, SALT, Who, client, customer, organization};

const KIM: Who = Who::Customer(1, 1, 1);
const ADA: Who = Who::Admin(1);
/// Why staff stepped up.
const WHY: &str = "Ticket 4711: an admin leaves";

/// A link by which Ada invites somebody as client admin of her first client.
async fn link(app: &Sql, email: &str) -> String {
    let place = client(1, 1);
    app.enter(ADA).await;
    let token = app
        .value(&format!("SELECT invite(gen_random_uuid(), '{email}', 'Kim', 'client_admin', '{place}', NULL, 14)"))
        .await;
    app.must("COMMIT").await;
    token
}

/// The statement that accepts a link; a person without a login gets one with `salt`.
fn accept(token: &str, salt: &str) -> String {
    let digest = DIGEST.trim();
    format!(
        "SELECT accept_invitation('{token}', gen_random_uuid(), gen_random_uuid(), 'Kim', '{salt}', '\\x{digest}', 'here', true)"
    )
}

/// What a person's assignments at a client are, and how many of them hold.
fn held(email: &str) -> String {
    format!(
        "SELECT count(*) FILTER (WHERE a.valid_to IS NULL OR a.valid_to > now()) FROM role_assignments a JOIN users u ON u.id = a.user_id
         WHERE u.email = '{email}' AND a.role = 'client_admin'"
    )
}

async fn post(browser: &Browser, who: Who, function: &str, form: &[(&str, &str)]) -> String {
    let context = who.context_token();
    let mut pairs = vec![("context", context.as_str())];
    if !form.iter().any(|(name, _)| *name == "page") {
        pairs.push(("page", "/organization/users"));
    }
    pairs.extend_from_slice(form);
    let seen = seen(browser, function, form).await;
    if !seen.is_empty() {
        pairs.push(("seen", &seen));
    }
    let answer = browser.post(&format!("/api/{function}"), &pairs).await;
    assert_eq!(answer.status, 303, "{function}: {}", answer.body);
    browser.get(answer.location()).await.body
}

/// What the page of a form saw, where the form has one of its own.
async fn seen(browser: &Browser, function: &str, form: &[(&str, &str)]) -> String {
    match form.iter().find(|(name, _)| *name == "page") {
        Some((_, page)) => browser.seen(page, &format!("/api/{function}")).await,
        None => String::new(),
    }
}

/// The value of a field on a page.
fn field<'a>(page: &'a str, name: &str) -> &'a str {
    let start = page.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no field {name}: {page}"));
    let tag = page[..start].rfind('<').unwrap();
    let tag = &page[tag..start + page[start..].find('>').unwrap()];
    tag.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

#[tokio::test]
async fn two_links_for_one_role_give_it_once_and_taking_it_back_takes_all_of_it() {
    let case = Case::world().await;
    let (portal, app, truth) = (case.portal().await, case.app().await, case.superuser().await);
    let email = KIM.email();
    let (first, second, third) = (link(&app, &email).await, link(&app, &email).await, link(&app, &email).await);
    assert_eq!(app.value(&accept(&first, "")).await, "accepted");
    assert_eq!(app.value(&accept(&second, "")).await, "accepted");
    assert_eq!(truth.count(&held(&email)).await, 1);
    let assignment = truth
        .value(&format!("SELECT id FROM role_assignments WHERE user_id = '{}' AND role = 'client_admin'", KIM.user()))
        .await;
    let edit = portal.browser_of(ADA).get(&format!("/organization/users/{assignment}/edit")).await.body;
    assert!(edit.contains("Access stays by: Customer (Customer 111, Client 11)."), "{edit}");
    let said = post(&portal.browser_of(ADA), ADA, "revoke_role", &[("assignment", &assignment)]).await;
    assert!(said.contains("is no longer Client admin. Access stays by: Customer (Customer 111, Client 11)."), "{said}");
    assert_eq!(truth.count(&held(&email)).await, 0);
    // The link that was open still would have given the right again.
    assert_eq!(app.value(&accept(&third, "")).await, "refused");
    let said =
        post(&portal.browser_of(ADA), ADA, "revoke_role", &[("assignment", &KIM.assignment().to_string())]).await;
    assert!(
        said.contains("is no longer Customer. No other role in the organisation gives this person access."),
        "{said}"
    );
}

#[tokio::test]
async fn of_two_links_accepted_at_once_one_role_comes() {
    let case = Case::world().await;
    let truth = case.superuser().await;
    let (one, other) = (case.app().await, case.app().await);
    for round in 0..4 {
        // Somebody known, and somebody new: of two links the second asks for the password that the first set.
        for (email, answers) in
            [(KIM.email(), vec!["accepted"]), (format!("new{round}@eis.example"), vec!["accepted", "wrong"])]
        {
            let (first, second) = (link(&one, &email).await, link(&one, &email).await);
            let (first, second) = (accept(&first, SALT), accept(&second, SALT));
            let (first, second) = tokio::join!(one.value(&first), other.value(&second));
            assert!(first == "accepted" || second == "accepted", "{first} {second}");
            assert!(
                answers.contains(&first.as_str()) && answers.contains(&second.as_str()),
                "{email}: {first} {second}"
            );
            assert_eq!(truth.count(&held(&email)).await, 1, "{email}");
        }
    }
}

#[tokio::test]
async fn the_database_holds_no_right_twice_at_a_time() {
    let case = Case::world().await;
    let owner = case.superuser().await;
    let again = |from: &str, to: &str| {
        format!(
            "INSERT INTO role_assignments (organization_id, id, user_id, role, client_id, customer_id, valid_from, valid_to)
             SELECT organization_id, gen_random_uuid(), user_id, role, client_id, customer_id, {from}, {to} FROM role_assignments WHERE id = '{}'",
            KIM.assignment()
        )
    };
    for (from, to) in [("now()", "NULL"), ("'2019-01-01'", "'2020-01-02'"), ("'2100-01-01'", "NULL")] {
        assert_eq!(owner.refused(&again(from, to)).await, "23P01", "{from} {to}");
    }
    owner.must(&again("'2019-01-01'", "'2020-01-01'")).await;
    // The staff's role, which has no place.
    let staff = "INSERT INTO role_assignments (id, user_id, role) SELECT gen_random_uuid(), user_id, role FROM role_assignments WHERE role = 'eis_staff'";
    assert_eq!(owner.refused(staff).await, "23P01");
}

#[tokio::test]
async fn a_link_made_after_the_end_was_set_takes_the_end_away_and_one_made_before_does_not() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let email = Who::Client(1, 1).email();
    let before = link(&app, &email).await;
    let end = format!("SELECT end_assignment('{}', '2031-05-31')", Who::Client(1, 1).assignment());
    app.enter(ADA).await;
    assert_eq!(app.value(&end).await, "t");
    app.must("COMMIT").await;
    let last = format!(
        "SELECT coalesce(last_day::text, 'none') FROM role_assignments WHERE id = '{}'",
        Who::Client(1, 1).assignment()
    );
    assert_eq!(app.value(&accept(&before, "")).await, "refused");
    assert_eq!(truth.value(&last).await, "2031-05-31");
    let after = link(&app, &email).await;
    assert_eq!(app.value(&accept(&after, "")).await, "accepted");
    assert_eq!(truth.value(&last).await, "none");
    assert_eq!(truth.count(&held(&email)).await, 1);
}

#[tokio::test]
async fn a_last_day_is_the_day_that_was_set_and_saved_unchanged_it_does_not_move() {
    let case = Case::world().await;
    let (portal, owner) = (case.portal().await, case.superuser().await);
    let (place, assignment) = (client(1, 1).to_string(), KIM.assignment().to_string());
    let row = format!("SELECT xmin || to_jsonb(a)::text FROM role_assignments a WHERE id = '{assignment}'");
    let (ada, cleo) = (portal.browser_of(ADA), portal.browser_of(Who::Client(1, 1)));
    for (zone, day) in [
        ("Europe/Berlin", "2031-03-31"),
        ("Europe/Berlin", "2031-10-25"),
        ("America/Denver", "2031-10-31"),
        ("Pacific/Auckland", "2031-12-31"),
        ("Pacific/Apia", "2031-02-28"),
    ] {
        owner.must(&format!("UPDATE clients SET time_zone = '{zone}' WHERE id = '{place}'")).await;
        let (at_client, of_all) =
            (format!("/clients/{place}/users/{assignment}/edit"), format!("/organization/users/{assignment}/edit"));
        let set = [("client", place.as_str()), ("assignment", &assignment), ("last_day", day), ("page", &at_client)];
        post(&cleo, Who::Client(1, 1), "change_role", &set).await;
        let ends = owner
            .value(&format!(
                "SELECT extract(epoch FROM valid_to)::bigint FROM role_assignments WHERE id = '{assignment}'"
            ))
            .await;
        let (tz, date): (Tz, NaiveDate) = (zone.parse().unwrap(), day.parse().unwrap());
        assert_eq!(ends, day_end(tz, date).timestamp().to_string(), "{zone} {day}");
        let before = owner.value(&row).await;
        let page = cleo.get(&at_client).await.body;
        assert!(page.contains(&format!("The role ends with this day in {zone}.")), "{page}");
        assert_eq!(field(&page, "last_day"), day, "{zone}");
        post(
            &cleo,
            Who::Client(1, 1),
            "change_role",
            &[
                ("client", &place),
                ("assignment", &assignment),
                ("last_day", field(&page, "last_day")),
                ("page", &at_client),
            ],
        )
        .await;
        let page = ada.get(&of_all).await.body;
        assert_eq!(field(&page, "last_day"), day, "{zone}, seen by the organisation");
        post(
            &ada,
            ADA,
            "change_role",
            &[("client", ""), ("assignment", &assignment), ("last_day", field(&page, "last_day")), ("page", &of_all)],
        )
        .await;
        assert_eq!(owner.value(&row).await, before, "{zone} {day}");
    }
}

#[tokio::test]
async fn a_role_keeps_its_last_day_when_its_client_or_its_organisation_moves() {
    let case = Case::world().await;
    let (app, owner) = (case.app().await, case.superuser().await);
    app.enter(ADA).await;
    app.must(&format!("SELECT end_assignment('{}', '2031-05-31')", KIM.assignment())).await;
    app.must("COMMIT").await;
    let admins = "INSERT INTO role_assignments (organization_id, id, user_id, role, valid_from)
        SELECT organization_id, gen_random_uuid(), '{staff}', role, '2020-01-01' FROM role_assignments WHERE id = '{ada}'";
    let admins = admins
        .replace("{staff}", &Who::Consultant(1).user().to_string())
        .replace("{ada}", &ADA.assignment().to_string());
    owner.must(&admins).await;
    app.must(&step_up(Who::Staff(1), WHY)).await;
    app.enter(Who::Staff(1)).await;
    assert_eq!(app.value(&format!("SELECT end_assignment('{}', '2031-05-31')", ADA.assignment())).await, "t");
    app.must("COMMIT").await;
    let ends = async |who: Who| {
        let sql = format!(
            "SELECT last_day || ' ' || (valid_to AT TIME ZONE 'UTC') FROM role_assignments WHERE id = '{}'",
            who.assignment()
        );
        owner.value(&sql).await
    };
    assert_eq!(ends(KIM).await, "2031-05-31 2031-05-31 22:00:00");
    assert_eq!(app.refused("SELECT roles_keep_their_day()").await, DENIED);
    owner.must(&format!("UPDATE clients SET time_zone = 'America/Denver' WHERE id = '{}'", client(1, 1))).await;
    owner
        .must(&format!("UPDATE organizations SET time_zone = 'Pacific/Auckland' WHERE id = '{}'", organization(1)))
        .await;
    assert_eq!(ends(KIM).await, "2031-05-31 2031-06-01 06:00:00");
    assert_eq!(ends(ADA).await, "2031-05-31 2031-05-31 12:00:00");
}

#[tokio::test]
async fn the_end_of_a_day_is_the_next_one_s_first_moment_in_every_zone() {
    let case = Case::migrated().await;
    let owner = case.superuser().await;
    for (zone, day) in [
        ("America/Havana", "2026-10-31"),   // midnight comes twice
        ("America/Santiago", "2026-09-05"), // midnight is skipped
        ("Pacific/Apia", "2011-12-29"),     // the next day is skipped
        ("Asia/Kolkata", "2026-02-28"),
        ("Pacific/Auckland", "2026-09-26"),
        ("America/Denver", "2026-10-31"),
        ("Europe/Berlin", "2026-10-24"),
        ("UTC", "2026-12-31"),
    ] {
        let sql = format!("SELECT extract(epoch FROM private.end_of_day('{day}', '{zone}'))::bigint");
        let (tz, date): (Tz, NaiveDate) = (zone.parse().unwrap(), day.parse().unwrap());
        assert_eq!(owner.value(&sql).await, day_end(tz, date).timestamp().to_string(), "{zone} {day}");
        let back = format!("SELECT private.last_day_before(private.end_of_day('{day}', '{zone}'), '{zone}')");
        assert_eq!(owner.value(&back).await, day, "{zone}");
    }
}

#[tokio::test]
async fn a_last_day_gone_by_in_the_role_s_zone_is_refused() {
    let case = Case::world().await;
    let (place, assignment) = (client(1, 1).to_string(), KIM.assignment().to_string());
    let owner = case.superuser().await;
    for (zone, moment, today, before) in [
        ("Europe/Berlin", "2032-10-30T22:16:00Z", "2032-10-31", "2032-10-30"),
        ("America/Denver", "2032-11-01T00:30:00Z", "2032-10-31", "2032-10-30"),
    ] {
        owner.must(&format!("UPDATE clients SET time_zone = '{zone}' WHERE id = '{place}'")).await;
        let portal = case.portal_at(moment).await;
        let cleo = portal.browser_of(Who::Client(1, 1));
        let page = format!("/clients/{place}/users/{assignment}/edit");
        for (day, text) in [(before, "Enter today or a day to come"), (today, "Role of Kim Customer 111")] {
            let form = [("client", place.as_str()), ("assignment", &assignment), ("last_day", day), ("page", &page)];
            let context = Who::Client(1, 1).context_token();
            let seen = seen(&cleo, "change_role", &form).await;
            let form = [&form[..], &[("context", context.as_str()), ("seen", &seen)]].concat();
            let answer = cleo.post("/api/change_role", &form).await;
            let said = cleo.get(answer.location()).await.body;
            assert!(said.contains(text), "{zone} {day}: {said}");
        }
    }
}

#[tokio::test]
async fn an_organisation_keeps_its_last_energy_admin() {
    let case = Case::world().await;
    let (portal, owner) = (case.portal().await, case.superuser().await);
    case.app().await.must(&step_up(Who::Staff(1), WHY)).await;
    let sam = portal.browser_of(Who::Staff(1));
    let ada = ADA.assignment().to_string();
    let state = format!("SELECT coalesce(valid_to::text, 'none') FROM role_assignments WHERE id = '{ada}'");
    let page = format!("/organization/users/{ada}/edit");
    for (function, form) in [("revoke_role", vec![]), ("change_role", vec![("last_day", "2031-05-31")])] {
        let context = Who::Staff(1).context_token();
        let form = [&form[..], &[("assignment", ada.as_str()), ("context", &context), ("page", &page)]].concat();
        let seen = seen(&sam, function, &form).await;
        let form = [&form[..], &[("seen", seen.as_str())]].concat();
        let answer = sam.post(&format!("/api/{function}"), &form).await;
        let said = sam.get(answer.location()).await.body;
        assert!(said.contains("Invite another energy admin first"), "{function}: {said}");
        assert_eq!(owner.value(&state).await, "none", "{function}");
    }
    // With another one who holds the role as long, it may end; with one whose role ends before, it may not.
    let other = Who::Consultant(1).user();
    owner
        .must(&format!(
            "INSERT INTO role_assignments (organization_id, id, user_id, role, valid_from, valid_to, last_day)
             VALUES ('{}', '{}', '{other}', 'energy_admin', '2020-01-01', '2031-01-01', '2030-12-31')",
            organization(1),
            customer(9, 9, 9)
        ))
        .await;
    let form = [("assignment", ada.as_str()), ("last_day", "2031-05-31"), ("page", page.as_str())];
    let said = post(&sam, Who::Staff(1), "change_role", &form).await;
    assert!(!said.contains("Role of Ada Admin 1 changed"), "{said}");
    post(&sam, Who::Staff(1), "revoke_role", &form[..1]).await;
    assert_ne!(owner.value(&state).await, "none");
}

#[tokio::test]
async fn two_energy_admins_ended_at_once_do_not_both_go() {
    let case = Case::world().await;
    let owner = case.superuser().await;
    owner
        .must(&format!(
            "INSERT INTO role_assignments (organization_id, id, user_id, role, valid_from) VALUES ('{}', '{}', '{}', 'energy_admin', '2020-01-01')",
            organization(1),
            customer(9, 9, 9),
            Who::Consultant(1).user()
        ))
        .await;
    let (one, two) = (case.app().await, case.app().await);
    one.must(&step_up(Who::Staff(1), WHY)).await;
    let end = async |app: &Sql, id: String| {
        app.enter(Who::Staff(1)).await;
        let done = app.run(&format!("SELECT revoke_assignment('{id}')")).await;
        app.must("COMMIT").await;
        done.is_ok()
    };
    let done = tokio::join!(end(&one, ADA.assignment().to_string()), end(&two, customer(9, 9, 9).to_string()));
    assert_eq!(u8::from(done.0) + u8::from(done.1), 1, "{done:?}");
    let left = "SELECT count(*) FROM role_assignments WHERE role = 'energy_admin' AND organization_id = '{}' AND valid_to IS NULL";
    assert_eq!(owner.count(&left.replace("{}", &organization(1).to_string())).await, 1);
}

#[tokio::test]
async fn a_link_works_to_the_end_of_its_last_day_where_the_client_is() {
    let case = Case::world().await;
    let (portal, app, owner) = (case.portal().await, case.app().await, case.superuser().await);
    for zone in ["Europe/Berlin", "America/Denver", "Pacific/Auckland", "Pacific/Apia"] {
        owner.must(&format!("UPDATE clients SET time_zone = '{zone}' WHERE id = '{}'", client(1, 1))).await;
        let token = link(&app, "later@eis.example").await;
        let local = format!(
            "SELECT (expires_at AT TIME ZONE '{zone}')::time || ' ' || ((expires_at AT TIME ZONE '{zone}')::date - (now() AT TIME ZONE '{zone}')::date)
             FROM invitations WHERE token_hash = sha256('{token}')"
        );
        assert_eq!(owner.value(&local).await, "00:00:00 15", "{zone}");
    }
    let day = owner.value("SELECT to_char((now() AT TIME ZONE 'Pacific/Apia')::date + 14, 'Mon FMDD, YYYY')").await;
    let page = portal.browser_of(ADA).get("/organization/users").await.body;
    assert!(page.contains("Last day of the link") && page.contains(&day), "{day}: {page}");
}
