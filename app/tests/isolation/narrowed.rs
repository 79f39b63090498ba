//! Roles that are narrowed to some of their commands: each narrowing at each page and function, in the database where it
//! only reads, and who of them may grant what.

use eis::access::{Narrowed, Role};

use crate::DENIED;
use crate::coverage::{insert_copy, rows_at, untouched};
use crate::roles::{OWN, Tally, call, send_upload, targets};
use crate::step_up::step_up;
use crate::support::database::Case;
use crate::support::http::Portal;
use crate::support::sql::Sql;
use crate::support::world::{DIGEST, Kind, Who, client, customer, id};
use crate::tables::{Rule, Stand, TABLES};
use crate::targets::{FUNCTIONS, Function, PAGES, Page, Place, UPLOADS, WITHIN, fill};
use crate::writes::fingerprint;

const ADA: Who = Who::Admin(1);
const CARL: Who = Who::Client(1, 1);

/// Narrows somebody's role as if it had always been so: the session of the world goes on.
async fn narrow(truth: &Sql, who: Who, narrowed: Option<Narrowed>) {
    let narrowed = narrowed.map_or_else(|| "NULL".to_owned(), |narrowed| format!("'{}'", narrowed.code()));
    truth.must(&format!("UPDATE role_assignments SET narrowed = {narrowed} WHERE id = '{}'", who.assignment())).await;
    let bound = format!(
        "UPDATE sessions s SET auth_hash = private.auth_hash(u, a) FROM users u, role_assignments a
         WHERE u.id = s.user_id AND a.id = s.assignment_id AND a.id = '{}'",
        who.assignment()
    );
    assert!(truth.must(&bound).await > 0, "{who:?} has a session");
}

/// What may be opened or done of a path; `None`: what every role that reads may.
fn within(path: &str) -> Option<&'static [Narrowed]> {
    WITHIN.iter().find(|(known, _)| *known == path).map(|(_, may)| *may)
}

/// Whether a page is for reading alone: everybody who sees the place opens it.
fn reads(page: &Page) -> bool {
    page.opens.contains(&Role::EisStaff)
}

fn tenant(place: Place) -> bool {
    matches!(place, Place::Organization | Place::Client)
}

fn admins(roles: &[Role]) -> bool {
    roles.contains(&Role::EnergyAdmin)
}

#[test]
fn the_suite_knows_what_each_narrowing_may_of_every_page_and_function() {
    let pages =
        PAGES.iter().filter(|page| tenant(page.place) && admins(page.opens) && !reads(page)).map(|page| page.path);
    let functions = FUNCTIONS.iter().filter(|function| tenant(function.place) && admins(function.may)).map(|f| f.path);
    let uploads = UPLOADS.iter().map(|(path, _)| *path);
    let there: std::collections::BTreeSet<&str> = pages.chain(functions).chain(uploads).collect();
    let known: std::collections::BTreeSet<&str> = WITHIN.iter().map(|(path, _)| *path).collect();
    assert_eq!(there, known, "left: in the portal, right: in targets.rs");
}

/// Pages as a narrowed admin: what is within opens, anything else is refused.
async fn try_pages(portal: &Portal, tally: &mut Tally, who: Who, narrowed: Narrowed) {
    for page in PAGES.iter().filter(|page| tenant(page.place) && page.opens.contains(&who.role())) {
        let may = reads(page) || within(page.path).is_some_and(|may| may.contains(&narrowed));
        let answer = portal.browser_of(who).get(&fill(page.path, OWN, OWN)).await;
        tally.expect(&format!("{who:?} {narrowed:?} {}", page.path), &answer, if may { 200 } else { 403 });
    }
}

#[tokio::test]
async fn each_narrowing_opens_and_does_nothing_beyond_it() {
    let mut tally = Tally::new();
    for narrowed in Narrowed::ALL {
        let case = Case::world().await;
        let (portal, truth) = (case.portal().await, case.superuser().await);
        for who in [ADA, CARL] {
            narrow(&truth, who, Some(narrowed)).await;
        }
        let before = fingerprint(&truth).await;
        for who in [ADA, CARL] {
            try_pages(&portal, &mut tally, who, narrowed).await;
            let beyond = |function: &&Function| {
                tenant(function.place)
                    && function.may.contains(&who.role())
                    && within(function.path).is_some_and(|may| !may.contains(&narrowed))
            };
            for function in targets().filter(beyond) {
                let answer = call(&portal, who, function, OWN, OWN).await;
                tally.expect(&format!("{who:?} {narrowed:?} {}", function.path), &answer, 403);
            }
            let (upload, _) = UPLOADS[0];
            if within(upload).is_some_and(|may| !may.contains(&narrowed)) {
                let answer = send_upload(&portal, who, &fill(upload, OWN, OWN), &who.context_token()).await;
                tally.expect(&format!("{who:?} {narrowed:?} {upload}"), &answer, 403);
            }
        }
        assert_eq!(fingerprint(&truth).await, before, "{narrowed:?}: a refused call wrote something");
    }
    tally.done(400);
}

#[tokio::test]
async fn each_narrowing_does_what_lies_within_it() {
    let mut tally = Tally::new();
    for narrowed in Narrowed::ALL {
        for function in targets().filter(|function| tenant(function.place) && admins(function.may)) {
            if !within(function.path).is_some_and(|may| may.contains(&narrowed)) {
                continue;
            }
            let who = if function.may.contains(&Role::ClientAdmin) { CARL } else { ADA };
            let case = Case::world().await;
            let (portal, truth) = (case.portal().await, case.superuser().await);
            narrow(&truth, who, Some(narrowed)).await;
            if !function.ready.is_empty() {
                truth.must(&fill(function.ready, OWN, OWN)).await;
            }
            let done = call(&portal, who, function, OWN, OWN).await;
            tally.expect(&format!("{who:?} {narrowed:?} {}", function.path), &done, 303);
            if !done.location().starts_with(&fill(function.done, OWN, OWN)) {
                tally.faults.push(format!("{who:?} {narrowed:?} {}: sent to {}", function.path, done.location()));
            }
        }
    }
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    narrow(&truth, CARL, Some(Narrowed::Billing)).await;
    let upload = send_upload(&portal, CARL, &fill(UPLOADS[0].0, OWN, OWN), &CARL.context_token()).await;
    tally.expect("billing imports", &upload, 303);
    tally.done(30);
}

/// Own rows that somebody could write, one line each.
async fn written(app: &Sql, truth: &Sql, who: Who) -> Vec<String> {
    let mut written = Vec::new();
    for (table, rule) in TABLES {
        let Rule::Tenant { client: column, open, .. } = rule else { continue };
        let mine = rows_at(table, column, (1, 1, 1));
        let insert = insert_copy(app, truth, who, table, &mine).await;
        // Everybody leaves records of what they did, also of reading.
        if !matches!(&insert, Err(refusal) if refusal.code == DENIED) && *table != "public.audit_log" {
            written.push(format!("{who:?} INSERT {table}: {insert:?}"));
        }
        for sql in [
            format!("UPDATE {table} SET organization_id = organization_id WHERE {mine} AND {open}"),
            format!("DELETE FROM {table} WHERE {mine} AND {open}"),
        ] {
            let result = app.as_who(who, &sql).await;
            if !untouched(&result) {
                written.push(format!("{who:?} {sql}: {result:?}"));
            }
        }
    }
    written
}

#[tokio::test]
async fn a_role_narrowed_to_reading_never_writes_whoever_asks_the_database() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    for who in [ADA, CARL] {
        assert!(written(&app, &truth, who).await.len() > 30, "the positive control: the whole role");
        let seen = app.count_as(who, "SELECT count(*) FROM invoices").await;
        narrow(&truth, who, Some(Narrowed::ReadOnly)).await;
        assert_eq!(written(&app, &truth, who).await, Vec::<String>::new());
        assert_eq!(app.count_as(who, "SELECT count(*) FROM invoices").await, seen, "it sees the same rows");
    }
    let at = |who, at| Stand { who, at };
    let stands = [at(ADA, None), at(ADA, Some((1, 1))), at(CARL, None)];
    assert_eq!(crate::writers::under(&app, &stands).await, Vec::<String>::new());
    // A job that was queued by the whole role reads only, too, once the role does.
    narrow(&truth, CARL, None).await;
    let queue = format!("SELECT queue_job('\\x{}', gen_random_uuid(), 'recalculate', '{{}}')", CARL.secret().hex());
    app.enter(CARL).await;
    app.must(&format!("{queue}; COMMIT")).await;
    let worker = case.worker().await;
    let secret = worker.value("SELECT secret FROM claim_job('{recalculate}', 60)").await;
    for (narrowed, reached) in [(None, 2), (Some(Narrowed::ReadOnly), 0)] {
        narrow(&truth, CARL, narrowed).await;
        worker.must(&format!("BEGIN; SELECT open_job_context('{secret}')")).await;
        assert_eq!(worker.run("UPDATE customers SET phone = 'by a job'").await, Ok(reached), "{narrowed:?}");
        worker.leave().await;
    }
}

fn invite(role: &str, narrowed: &str) -> String {
    let place = match role {
        "energy_admin" => "NULL, NULL".to_owned(),
        "client_admin" => format!("'{}', NULL", client(1, 1)),
        _ => format!("'{}', '{}'", client(1, 1), customer(1, 1, 1)),
    };
    format!("SELECT invite(gen_random_uuid(), 'fresh@eis.example', 'Fresh', '{role}', {place}, 7, {narrowed})")
}

#[tokio::test]
async fn nobody_who_is_narrowed_grants_beyond_own_rights() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let (login, admin) = (Who::Customer(1, 1, 1).assignment(), Who::Client(1, 2).assignment());
    let service = id(Kind::Service, 1, 1, 0, 1);
    let mut tried = 0;
    for who in [ADA, CARL] {
        for narrowed in std::iter::once(None).chain(Narrowed::ALL.map(Some)) {
            narrow(&truth, who, narrowed).await;
            let here = matches!(narrowed, None | Some(Narrowed::ServiceDesk));
            let whole = narrowed.is_none();
            let on = |assignment: uuid::Uuid| {
                [
                    format!("SELECT end_assignment('{assignment}', '2031-05-31')"),
                    format!("SELECT revoke_assignment('{assignment}')"),
                    format!("SELECT narrow_assignment('{assignment}', 'read_only')"),
                    format!("SELECT make_password_reset('{assignment}', '')"),
                    format!("SELECT end_user_sessions('{assignment}')"),
                ]
            };
            let mut calls = vec![
                (invite("customer_user", "NULL"), here),
                (invite("customer_user", "'read_only'"), here),
                (invite("client_admin", "NULL"), whole && who == ADA),
                (invite("client_admin", "'read_only'"), whole && who == ADA),
                (invite("client_admin", "'service_desk'"), whole && who == ADA),
                (invite("energy_admin", "'read_only'"), false),
                ("SELECT create_service_identity(gen_random_uuid(), 'Mine', '{import_usage}')".to_owned(), whole),
                (format!("SELECT replace_service_secret('{service}')"), whole),
                (format!("SELECT end_service_identity('{service}')"), whole),
            ];
            calls.extend(on(login).map(|sql| (sql, here)));
            calls.extend(on(admin).map(|sql| (sql, whole && who == ADA)));
            // Nobody changes their own.
            calls.extend(on(who.assignment()).map(|sql| (sql, false)));
            for (sql, may) in calls {
                app.enter(who).await;
                let done = app.rows(&sql).await;
                app.leave().await;
                let done = match done {
                    Ok(rows) => !matches!(rows[0][0].as_deref(), None | Some("f")),
                    Err(refusal) => {
                        assert_eq!(refusal.code, DENIED, "{who:?} {narrowed:?} {sql}: {}", refusal.message);
                        false
                    }
                };
                assert_eq!(done, may, "{who:?} {narrowed:?} {sql}");
                tried += 1;
            }
        }
    }
    assert!(tried >= 240, "{tried}");
    // What a narrowing is, the tables hold: none of staff, of a customer reading alone, and no other word.
    for (role, narrowed) in [("customer_user", "'billing'"), ("client_admin", "'everything'"), ("client_admin", "''")] {
        narrow(&truth, ADA, None).await;
        assert_eq!(app.as_who(ADA, &invite(role, narrowed)).await.unwrap_err().code, "23514", "{role} {narrowed}");
    }
    let staff =
        format!("UPDATE role_assignments SET narrowed = 'read_only' WHERE id = '{}'", Who::Staff(1).assignment());
    assert_eq!(truth.refused(&staff).await, "23514");
}

fn accept(token: &str) -> String {
    format!(
        "SELECT accept_invitation('{token}', gen_random_uuid(), gen_random_uuid(), 'New', '$argon2id$v=19$m=19456,t=2,p=1$00112233445566778899aabbccddeeff', '\\x{}', 'here', true)",
        DIGEST.trim()
    )
}

async fn link(app: &Sql, email: &str, narrowed: &str) -> String {
    app.enter(ADA).await;
    let token = app.value(&invite("client_admin", narrowed).replace("fresh@eis.example", email)).await;
    app.must("COMMIT").await;
    token
}

#[tokio::test]
async fn a_link_gives_the_narrowed_role_and_takes_none() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let held = async |email: &str| {
        let sql = format!(
            "SELECT string_agg(coalesce(a.narrowed, 'all'), ' ') FROM role_assignments a JOIN users u ON u.id = a.user_id
             WHERE u.email = '{email}' AND a.role = 'client_admin'"
        );
        truth.value(&sql).await
    };
    for (narrowed, now) in [("'billing'", "billing"), ("'finance'", "finance"), ("NULL", "all"), ("'read_only'", "all")]
    {
        let token = link(&app, "fresh@eis.example", narrowed).await;
        assert_eq!(app.value(&accept(&token)).await, "accepted", "{narrowed}");
        assert_eq!(held("fresh@eis.example").await, now, "after a link for {narrowed}");
    }
    // A link is worth what its maker may give when it is accepted.
    let token = link(&app, "late@eis.example", "'read_only'").await;
    narrow(&truth, ADA, Some(Narrowed::ServiceDesk)).await;
    assert_eq!(app.value(&accept(&token)).await, "refused");
    narrow(&truth, ADA, None).await;
    assert_eq!(app.value(&accept(&token)).await, "accepted", "the positive control");
    // So is a link for a lost password.
    app.enter(ADA).await;
    let token = app.value(&format!("SELECT make_password_reset('{}', '')", CARL.assignment())).await;
    app.must("COMMIT").await;
    let reset = format!(
        "SELECT reset_password('{token}', '$argon2id$v=19$m=19456,t=2,p=1$00112233445566778899aabbccddeeff', '\\x{}', '', '')",
        DIGEST.trim()
    );
    for (narrowed, outcome) in [(Some(Narrowed::ServiceDesk), "refused"), (None, "done")] {
        narrow(&truth, ADA, narrowed).await;
        app.must("BEGIN").await;
        assert_eq!(app.value(&reset).await, outcome, "{narrowed:?}");
        app.leave().await;
    }
}

#[tokio::test]
async fn narrowing_a_role_ends_its_sessions_and_links_and_leaves_a_whole_energy_admin() {
    let case = Case::world().await;
    let (portal, app, truth) = (case.portal().await, case.app().await, case.superuser().await);
    let token = link(&app, &CARL.email(), "NULL").await;
    let carl = portal.browser_of(CARL);
    assert_eq!(carl.get(&fill("/clients/{client}", OWN, OWN)).await.status, 200, "the positive control");
    app.enter(ADA).await;
    app.must(&format!("SELECT narrow_assignment('{}', 'finance'); COMMIT", CARL.assignment())).await;
    assert_eq!(carl.get(&fill("/clients/{client}", OWN, OWN)).await.status, 303, "the session ended");
    assert_eq!(app.value(&accept(&token)).await, "refused", "the link for the whole role ended");
    // The only energy admin is not narrowed; a second one who is narrowed does not count.
    app.must(&step_up(Who::Staff(1), "Ticket 4711: who runs it")).await;
    let second = format!(
        "INSERT INTO role_assignments (organization_id, id, user_id, role, narrowed) SELECT organization_id, gen_random_uuid(), '{}', 'energy_admin', {{}}
         FROM role_assignments WHERE id = '{}'",
        Who::Consultant(1).user(),
        ADA.assignment()
    );
    truth.must(&second.replace("{}", "'billing'")).await;
    let ada = ADA.assignment();
    for sql in [format!("SELECT narrow_assignment('{ada}', 'read_only')"), format!("SELECT revoke_assignment('{ada}')")]
    {
        let refusal = app.as_who(Who::Staff(1), &sql).await.unwrap_err();
        assert_eq!(refusal.message, "the organization would have no energy admin", "{sql}");
    }
    truth.must("UPDATE role_assignments SET narrowed = NULL WHERE role = 'energy_admin'").await;
    for sql in [format!("SELECT narrow_assignment('{ada}', 'read_only')"), format!("SELECT revoke_assignment('{ada}')")]
    {
        assert_eq!(app.as_who(Who::Staff(1), &sql).await, Ok(1), "the positive control: {sql}");
    }
}

#[tokio::test]
async fn a_narrowed_role_is_chosen_shown_and_changed_on_its_pages() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let (ada, base) = (portal.browser_of(ADA), "/organization/users");
    let (context, at) = (ADA.context_token(), client(1, 1).to_string());
    let form = [
        ("context", context.as_str()),
        ("page", "/organization/users/invite"),
        ("name", "Bea Biller"),
        ("email", "bea@eis.example"),
        ("role", "client_admin"),
        ("at_client", &at),
        ("narrowed", "billing"),
    ];
    assert!(ada.get("/organization/users/invite").await.body.contains("Service desk: customers"));
    assert_eq!(ada.post("/api/invite_user", &form).await.location(), base);
    let page = ada.get(base).await.body;
    assert!(page.contains("Client admin, billing"), "{page}");
    assert_eq!(truth.value("SELECT narrowed FROM invitations WHERE email = 'bea@eis.example'").await, "billing");
    // A customer's delegate reads, or has everything; nothing between.
    let mut wrong = form;
    wrong[4].1 = "customer_user";
    assert_eq!(ada.post("/api/invite_user", &wrong).await.location(), "/organization/users/invite");
    assert!(ada.get("/organization/users/invite").await.body.contains("everything or read only"));
    // On the page of a role: the delegate of a customer, on record in words.
    let login = Who::Customer(1, 1, 1);
    let edit = format!("/organization/users/{}/edit", login.assignment());
    let seen = ada.seen(&edit, "/api/narrow_role").await;
    let (assignment, delegate) = (login.assignment().to_string(), portal.browser_of(login));
    assert_eq!(delegate.get("/account").await.status, 200);
    let form = [
        ("context", context.as_str()),
        ("page", &edit),
        ("assignment", &assignment),
        ("narrowed", "read_only"),
        ("seen", &seen),
    ];
    assert_eq!(ada.post("/api/narrow_role", &form).await.location(), base);
    assert!(ada.get(base).await.body.contains("Customer, read only"));
    assert_eq!(delegate.get("/account").await.status, 303, "it signs in anew");
    let told =
        "SELECT summary || ': ' || (details -> 'before' ->> 'narrowed') || ' ' || (details -> 'after' ->> 'narrowed')
        FROM audit_log WHERE entity = 'role_assignment' AND action = 'update'";
    let told = truth.value(told).await;
    assert!(
        told.starts_with("Changed what Kim Customer 111") && told.ends_with("as customer user: all read_only"),
        "{told}"
    );
    assert_eq!(delegate.sign_in(&login.email()).await.location(), "/");
    let home = delegate.get("/account").await;
    assert!(home.status == 200 && home.body.contains("Customer, read only"), "{}", home.body);
}
