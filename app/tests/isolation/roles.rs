//! Attacks 52–57 over the real HTTP surface: every page and function × role × own and foreign.

use std::collections::BTreeSet;

use axum::http::Method;
use eis::access::Role;

use crate::DENIED;
use crate::support::database::Case;
use crate::support::http::{Answer, Portal, file_form};
use crate::support::sources::web;
use crate::support::world::{DIGEST, Kind, SALT, Who, client, customer, id, organization};
use crate::targets::{At, FUNCTIONS, Function, PAGES, Page, Place, UPLOADS, fill, has_inner};
use crate::writes::fingerprint;

pub const OWN: At = (1, 1, 1);
const SIBLING_CUSTOMER: At = (1, 1, 2);
const SIBLING_CLIENT: At = (1, 2, 1);
const OTHER_ORGANIZATION: At = (2, 1, 1);
const NOBODY: At = (9, 9, 9);

/// Every literal address that is routed anywhere in the portal.
fn routed() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in web() {
        let text = std::fs::read_to_string(&path).unwrap();
        for call in text.split(".route(").skip(1) {
            if let Some(literal) = call.trim_start().strip_prefix('"') {
                found.insert(literal.split('"').next().unwrap().to_owned());
            }
        }
    }
    found
}

#[test]
fn the_suite_knows_every_route() {
    let known: BTreeSet<String> =
        PAGES.iter().map(|p| p.path.to_owned()).chain(["/api/{function}".to_owned()]).collect();
    assert_eq!(routed(), known, "left: in the portal, right: in targets.rs");
}

#[test]
fn the_suite_knows_every_server_function() {
    // The router is what links the pages and so registers their functions.
    let _ = portal::routes::router;
    let there: BTreeSet<String> = leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path.to_owned()).collect();
    let known: BTreeSet<String> = FUNCTIONS.iter().map(|f| f.path.to_owned()).collect();
    assert_eq!(there, known, "left: in the portal, right: in targets.rs");
}

/// What `who` gets for a target that stands at one client: the status expected for `outer`.
fn covers(who: Who, (o, c, _): At) -> bool {
    let (own_o, own_c, _) = who.place();
    (1..=2).contains(&c) && o == own_o && (own_c == 0 || own_c == c)
}

/// What a walk found.
pub struct Tally {
    pub faults: Vec<String>,
    pub tried: usize,
    /// Pages that opened and should not have.
    pub opened: usize,
}

impl Tally {
    pub const fn new() -> Self {
        Self { faults: Vec::new(), tried: 0, opened: 0 }
    }

    /// Somebody is led elsewhere.
    pub fn leads(&mut self, what: &str, answer: &Answer, to: &str) {
        self.tried += 1;
        if answer.location() != to {
            self.faults.push(format!("{what}: {} {} instead of {to}", answer.status, answer.location()));
        }
    }

    pub fn expect(&mut self, what: &str, answer: &Answer, status: u16) {
        self.tried += 1;
        if answer.status != status {
            self.opened += usize::from(answer.status == 200);
            let start: String = answer.body.chars().take(300).collect();
            self.faults.push(format!("{what}: {} {} instead of {status}; {start}", answer.status, answer.location()));
        }
    }

    /// A role that is not meant: refused, one way or the other.
    pub fn refused(&mut self, what: &str, answer: &Answer) {
        let status = if [404, 422].contains(&answer.status.as_u16()) { answer.status.as_u16() } else { 403 };
        self.expect(what, answer, status);
    }

    fn same(&mut self, what: &str, answers: &[Answer]) {
        for pair in answers.windows(2) {
            if pair[0].bytes() != pair[1].bytes() {
                self.faults.push(format!(
                    "{what}: foreign and nonexistent differ:\n{}\n{}",
                    pair[0].bytes(),
                    pair[1].bytes()
                ));
            }
        }
    }

    pub fn done(self, least: usize) {
        assert!(self.faults.is_empty(), "{} of {} wrong:\n{}", self.faults.len(), self.tried, self.faults.join("\n"));
        assert!(self.tried >= least, "only {} tried", self.tried);
        println!("{} answers checked", self.tried);
    }
}

pub async fn try_page(portal: &Portal, tally: &mut Tally, who: Who, page: Page) {
    let browser = portal.browser_of(who);
    let may = page.opens.contains(&who.role());
    let get = async |outer: At, inner: At| {
        let outer = if page.place == Place::Client { outer } else { inner };
        browser.get(&fill(page.path, outer, inner)).await
    };
    let what = |at: &str| format!("{who:?} {} {at}", page.path);
    let own = get(OWN, OWN).await;
    match page.place {
        Place::Public => {
            let status = match page.path {
                "/login" | "/login/code" => 303,
                "/favicon.ico" => 307,
                "/invitation/{token}" | "/reset/{token}" => 404,
                _ => 200,
            };
            return tally.expect(&what("own"), &own, status);
        }
        Place::SignedIn => return tally.expect(&what("own"), &own, if page.path == "/" { 303 } else { 200 }),
        _ if may => tally.expect(&what("own"), &own, 200),
        _ => tally.refused(&what("own"), &own),
    }
    if page.place == Place::Client {
        let sibling = get(SIBLING_CLIENT, SIBLING_CLIENT).await;
        match (covers(who, SIBLING_CLIENT), may) {
            (true, true) => tally.expect(&what("sibling client"), &sibling, 200),
            (true, false) => tally.refused(&what("sibling client"), &sibling),
            _ => tally.expect(&what("sibling client"), &sibling, 403),
        }
        let mut refused = vec![get(OTHER_ORGANIZATION, OTHER_ORGANIZATION).await, get(NOBODY, NOBODY).await];
        if !covers(who, SIBLING_CLIENT) {
            refused.push(sibling);
        }
        for answer in &refused {
            tally.expect(&what("foreign client"), answer, 403);
        }
        tally.same(&what("foreign client"), &refused);
    }
    if has_inner(page.place, page.path) {
        let mut hidden = Vec::new();
        for inner in [SIBLING_CUSTOMER, SIBLING_CLIENT, OTHER_ORGANIZATION, NOBODY] {
            // Another customer of one's own client is no secret to those who run it.
            let mine = match page.place {
                Place::Client => inner == SIBLING_CUSTOMER,
                Place::Organization => inner.0 == 1,
                _ => false,
            };
            if mine {
                continue;
            }
            let answer = get(OWN, inner).await;
            let what = what(&format!("within: {inner:?}"));
            if may {
                tally.expect(&what, &answer, 404)
            } else {
                tally.refused(&what, &answer)
            }
            hidden.push(answer);
        }
        let outer = if page.place == Place::Client { OWN } else { NOBODY };
        let odd = browser.get(&fill(page.path, outer, NOBODY).replace("-0009-", "-x-")).await;
        if may {
            tally.expect(&what("no id at all"), &odd, 404)
        } else {
            tally.refused(&what("no id at all"), &odd)
        }
        hidden.push(odd);
        tally.same(&what("within"), &hidden);
    }
}

/// Staff with no organization open are led to the list of them from pages of theirs and refused at others, and it
/// is the same for a target that exists and for one that does not.
pub async fn staff_nowhere(portal: &Portal, tally: &mut Tally, page: Page) {
    let mut answers = Vec::new();
    for at in [OWN, OTHER_ORGANIZATION, NOBODY] {
        let path = fill(page.path, at, at);
        let answer = portal.browser_of(Who::Staff(0)).get(&path).await;
        let led = answer.location() == "/staff/organizations";
        let may = page.opens.contains(&Role::EisStaff);
        tally.expect(&format!("staff nowhere {path}"), &answer, if led || may { 303 } else { 403 });
        if may && !led {
            tally.faults.push(format!("staff nowhere {path}: led to {:?}", answer.location()));
        }
        answers.push(answer);
    }
    tally.same(&format!("staff nowhere {}", page.path), &answers);
}

#[tokio::test]
async fn attack_52_every_page_as_every_role_at_own_and_foreign_targets() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let mut tally = Tally::new();
    for who in Who::ROLES {
        for page in PAGES {
            try_page(&portal, &mut tally, who, *page).await;
        }
    }
    // Nobody, and staff with no organization open.
    for page in PAGES.iter().filter(|page| page.place != Place::Public) {
        let path = fill(page.path, OWN, OWN);
        let answer = portal.browser().get(&path).await;
        tally.expect(&format!("nobody {path}"), &answer, 303);
        assert!(answer.location().starts_with("/login"), "{path}: {}", answer.location());
        if !matches!(page.place, Place::SignedIn | Place::Staff) {
            staff_nowhere(&portal, &mut tally, *page).await;
        }
    }
    tally.done(60);
}

fn form<'a>(function: &Function, context: &'a str, filled: &'a [(String, String)]) -> Vec<(&'a str, &'a str)> {
    let _ = function;
    let mut form: Vec<(&str, &str)> = vec![("context", context)];
    form.extend(filled.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    form
}

/// The fields of a function's form, filled.
pub fn form_of(function: &Function, outer: At, inner: At) -> Vec<(String, String)> {
    let outer = if function.place == Place::Client { outer } else { inner };
    function.form.iter().map(|(name, value)| ((*name).to_owned(), fill(value, outer, inner))).collect()
}

pub async fn call(portal: &Portal, who: Who, function: &Function, outer: At, inner: At) -> Answer {
    let mut filled = form_of(function, outer, inner);
    if function.edits && (outer, inner) == (OWN, OWN) {
        let there = crate::once::form_on_page(portal, who, function).await;
        filled.extend(there.into_iter().filter(|(name, _)| name == "seen"));
    }
    let context = who.context_token();
    portal.browser_of(who).post(function.path, &form(function, &context, &filled)).await
}

/// Every call that must be refused: the wrong role, a foreign client, a foreign or made-up id.
pub async fn try_refusals(portal: &Portal, tally: &mut Tally, function: &Function) {
    let inner = function.form.iter().any(|(_, value)| has_inner(function.place, value));
    for who in Who::ROLES {
        let may = function.may.contains(&who.role());
        let what = |at: At| format!("{who:?} {} {at:?}", function.path);
        if !may {
            tally.refused(&what(OWN), &call(portal, who, function, OWN, OWN).await);
        }
        if function.place == Place::Client {
            let mut refused = Vec::new();
            for outer in [SIBLING_CLIENT, OTHER_ORGANIZATION, NOBODY] {
                if may && covers(who, outer) {
                    continue;
                }
                let answer = call(portal, who, function, outer, outer).await;
                if may {
                    tally.expect(&what(outer), &answer, 403)
                } else {
                    tally.refused(&what(outer), &answer)
                }
                if !covers(who, outer) {
                    refused.push(answer);
                }
            }
            tally.same(&what(NOBODY), &refused);
        }
        if inner && may {
            let mut hidden = Vec::new();
            for inner in [SIBLING_CLIENT, OTHER_ORGANIZATION, NOBODY] {
                if function.place == Place::Organization && covers(who, inner) {
                    continue;
                }
                let answer = call(portal, who, function, OWN, inner).await;
                tally.expect(&format!("{} within", what(inner)), &answer, 404);
                hidden.push(answer);
            }
            tally.same(&format!("{} within", what(NOBODY)), &hidden);
        }
    }
    let nobody = portal.browser().post(function.path, &[]).await;
    if function.place != Place::Public && nobody.status.is_success() {
        tally.faults.push(format!("nobody {}: {}", function.path, nobody.status));
    }
}

pub fn targets() -> impl Iterator<Item = &'static Function> {
    FUNCTIONS.iter().filter(|function| function.done != "-")
}

#[tokio::test]
async fn attack_52_every_server_function_as_every_role_at_foreign_targets() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let mut tally = Tally::new();
    let before = fingerprint(&truth).await;
    for function in targets().filter(|function| function.place != Place::SignedIn) {
        try_refusals(&portal, &mut tally, function).await;
        if fingerprint(&truth).await != before {
            tally.faults.push(format!("{}: a refused call wrote something", function.path));
            break;
        }
    }
    tally.done(250);
}

#[tokio::test]
async fn attack_52_s_positive_control_every_server_function_works_for_its_roles() {
    const RECORDS: &str = "SELECT count(*) FROM audit_log";
    // The seed's own, and what tells all in its sentence, have none.
    const BARE: &str = "SELECT count(*) FROM audit_log WHERE details IN ('{}', '{\"after\": {}}', '{\"before\": {}}') \
        AND id::text NOT LIKE '00000017-%' AND action NOT IN ('open', 'end_sessions', 'make_reset_link', 'step_down', 'stop_viewing')";
    // A text read into a form that is still to be sent.
    const WRITES_NOTHING: [&str; 1] = ["/api/read_tariff"];
    let mut tally = Tally::new();
    for function in targets() {
        for who in Who::ROLES.into_iter().filter(|who| function.may.contains(&who.role())) {
            let case = Case::world().await;
            let (portal, truth) = (case.portal().await, case.superuser().await);
            if !function.ready.is_empty() {
                truth.must(&fill(function.ready, OWN, OWN)).await;
            }
            let before = truth.count(RECORDS).await;
            let done = call(&portal, who, function, OWN, OWN).await;
            tally.expect(&format!("{who:?} {} own", function.path), &done, 303);
            if !done.location().starts_with(&fill(function.done, OWN, OWN)) {
                tally.faults.push(format!("{who:?} {}: sent to {}", function.path, done.location()));
            }
            if function.place != Place::SignedIn
                && !WRITES_NOTHING.contains(&function.path)
                && truth.count(RECORDS).await == before
            {
                tally.faults.push(format!("{who:?} {}: no audit record", function.path));
            }
            if truth.count(BARE).await > 0 {
                tally.faults.push(format!("{who:?} {}: a record without what changed", function.path));
            }
        }
    }
    tally.done(40);
}

async fn send(portal: &Portal, who: Who, path: &str, context: &str, site: &str) -> Answer {
    let file = "interval_start,kwh\r\n2026-11-02T00:00:00+01:00,0.5\r\n2026-11-02T01:00:00+01:00,0.5";
    portal.browser_of(who).upload_from(site, path, file_form(context, "M-1", file)).await
}

/// A small file, sent as the portal's own page sends it.
pub async fn send_upload(portal: &Portal, who: Who, path: &str, context: &str) -> Answer {
    send(portal, who, path, context, "same-origin").await
}

/// Every upload that must be refused.
pub async fn try_uploads(portal: &Portal, tally: &mut Tally) {
    for (path, may) in UPLOADS {
        for who in Who::ROLES {
            let mut refused = Vec::new();
            for outer in [OWN, SIBLING_CLIENT, OTHER_ORGANIZATION, NOBODY] {
                if may.contains(&who.role()) && covers(who, outer) {
                    continue;
                }
                let answer = send_upload(portal, who, &fill(path, outer, outer), &who.context_token()).await;
                tally.expect(&format!("{who:?} {path} {outer:?}"), &answer, 403);
                refused.push(answer);
            }
            tally.same(path, &refused);
        }
        let (me, own) = (Who::Client(1, 1), fill(path, OWN, OWN));
        let other_tab = send(portal, me, &own, &Who::Consultant(2).context_token(), "same-origin").await;
        tally.expect("another tab's", &other_tab, 409);
        let elsewhere =
            send(portal, Who::Consultant(2), &own, &Who::Consultant(1).context_token(), "same-origin").await;
        tally.expect("another organization's, opened meanwhile", &elsewhere, 409);
        let forged = send(portal, me, &own, &me.context_token(), "cross-site").await;
        tally.expect("another site's", &forged, 403);
    }
}

#[tokio::test]
async fn attack_52_every_upload_as_every_role_at_own_and_foreign_targets() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let mut tally = Tally::new();
    let before = fingerprint(&truth).await;
    try_uploads(&portal, &mut tally).await;
    for (path, _) in UPLOADS {
        assert_eq!(fingerprint(&truth).await, before, "{path}: a refused file wrote something");
        for who in [Who::Admin(1), Who::Client(1, 1)] {
            let answer = send_upload(&portal, who, &fill(path, OWN, OWN), &who.context_token()).await;
            tally.expect(&format!("{who:?} {path} own"), &answer, 303);
            assert_ne!(fingerprint(&truth).await, before, "the positive control: {}", answer.location());
        }
        let theirs = format!("SELECT count(*) FROM imports WHERE client_id <> '{}'", client(1, 1));
        assert_eq!(truth.count(&theirs).await, 3, "and nobody else's, though each has a meter M-1");
    }
    tally.done(8);
}

#[tokio::test]
async fn attack_53_switching_organization_without_being_staff() {
    let case = Case::world().await;
    let (portal, app, truth) = (case.portal().await, case.app().await, case.superuser().await);
    let before = fingerprint(&truth).await;
    for who in [Who::Admin(1), Who::Client(1, 1), Who::Customer(1, 1, 1), Who::Consultant(1)] {
        let browser = portal.browser_of(who);
        let token = who.context_token();
        let mut answers = Vec::new();
        for (field, value) in [
            ("organization", organization(2)),
            ("organization", organization(1)),
            ("organization", organization(9)),
            ("assignment", Who::Admin(2).assignment()),
            ("assignment", Who::Staff(1).assignment()),
            ("assignment", id(Kind::Assignment, 8, 8, 8, 8)),
        ] {
            let answer = browser.post("/api/switch", &[("context", &token), (field, &value.to_string())]).await;
            assert_eq!(answer.status, 403, "{who:?} {field} {value}: {}", answer.location());
            answers.push(answer.bytes());
            let (assignment, target) = if field == "organization" {
                ("NULL".to_owned(), format!("'{value}'"))
            } else {
                (format!("'{value}'"), "NULL".to_owned())
            };
            assert_eq!(
                app.refused(&format!("SELECT switch_context('\\x{}', {assignment}, {target})", who.secret().hex()))
                    .await,
                DENIED
            );
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{who:?}: all alike");
        assert_eq!(browser.get("/profile").await.status, 200, "and the session goes on");
    }
    assert_eq!(fingerprint(&truth).await, before);
    let staff = portal.browser_of(Who::Staff(1));
    let token = Who::Staff(1).context_token();
    let answer =
        staff.post("/api/switch", &[("context", &token), ("organization", &organization(2).to_string())]).await;
    assert_eq!((answer.status.as_u16(), answer.location()), (303, "/"), "the positive control");
    assert_eq!(truth.count("SELECT count(*) FROM audit_log WHERE action = 'open' AND user_name = 'Sam Staff' AND at > now() - interval '5 seconds'").await, 1, "on record");
    let list = fill("/clients/{client}/customers", (2, 1, 1), (2, 1, 1));
    assert_eq!(staff.get(&list).await.status, 200);
    assert_eq!(
        staff.get(&fill("/clients/{client}/customers", OWN, OWN)).await.status,
        403,
        "one organization at a time"
    );
}

#[tokio::test]
async fn attack_54_self_promotion() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let invite = |role: &str, place: At| {
        let part = |n: u8, id: uuid::Uuid| if n == 0 { "NULL".to_owned() } else { format!("'{id}'") };
        format!(
            "SELECT invite(gen_random_uuid(), 'me@eis.example', 'Me', '{role}', {}, {}, 7)",
            part(place.1, client(place.0, place.1)),
            part(place.2, customer(place.0, place.1, place.2))
        )
    };
    let (s, e, c, k) = (Who::Staff(1), Who::Admin(1), Who::Client(1, 1), Who::Customer(1, 1, 1));
    app.must(&crate::step_up::step_up(s, "Ticket 4711: a new admin")).await;
    for (role, place, may) in [
        ("eis_staff", (1, 0, 0), vec![]),
        ("energy_admin", (1, 0, 0), vec![s]),
        ("client_admin", (1, 1, 0), vec![e]),
        ("client_admin", (1, 2, 0), vec![e]),
        ("client_admin", (2, 1, 0), vec![]),
        ("customer_user", (1, 1, 1), vec![e, c]),
        ("customer_user", (1, 2, 1), vec![e]),
        ("customer_user", (2, 1, 1), vec![]),
        // Roles without their place, or with too much of one.
        ("energy_admin", (1, 1, 0), vec![]),
        ("client_admin", (1, 0, 0), vec![]),
        ("client_admin", (1, 1, 1), vec![]),
        ("customer_user", (1, 0, 0), vec![]),
        ("customer_user", (1, 1, 0), vec![]),
        ("superuser", (1, 0, 0), vec![]),
    ] {
        for who in [s, e, c, k, Who::Staff(0), Who::Consultant(0)] {
            let done = app.as_who(who, &invite(role, place)).await;
            assert_eq!(done.is_ok(), may.contains(&who), "{who:?} {role} {place:?}: {done:?}");
        }
        assert_eq!(app.refused(&invite(role, place)).await, DENIED, "nobody");
    }
    // The tables behind.
    for who in [e, c, k, s] {
        for sql in [
            format!("UPDATE role_assignments SET role = 'eis_staff' WHERE user_id = '{}'", who.user()),
            format!("UPDATE role_assignments SET client_id = NULL WHERE user_id = '{}'", who.user()),
            format!(
                "INSERT INTO role_assignments (id, user_id, role) VALUES (gen_random_uuid(), '{}', 'eis_staff')",
                who.user()
            ),
            "UPDATE invitations SET role = 'energy_admin'".to_owned(),
            "UPDATE users SET status = 'active'".to_owned(),
            "UPDATE sessions SET assignment_id = NULL".to_owned(),
            format!("SELECT private.issue_ticket('{}', NULL, NULL)", who.user()),
            "SELECT private.may_grant(NULL, 'energy_admin', NULL)".to_owned(),
            format!(
                "INSERT INTO session_tickets VALUES (sha256('x'), '{}', '{}', NULL, now() + interval '1 hour')",
                who.user(),
                Who::Staff(1).assignment()
            ),
        ] {
            assert_eq!(app.as_who(who, &sql).await.unwrap_err().code, DENIED, "{who:?} {sql}");
        }
    }
    // Revoking: only below oneself, never oneself, never elsewhere. (An organisation keeps one energy admin.)
    truth
        .must(&format!(
            "INSERT INTO role_assignments (organization_id, id, user_id, role) VALUES ('{}', gen_random_uuid(), '{}', 'energy_admin')",
            organization(1),
            Who::Consultant(1).user()
        ))
        .await;
    for (who, target, may) in [
        (e, Who::Client(1, 1), true),
        (e, Who::Customer(1, 2, 1), true),
        (e, e, false),
        (e, Who::Admin(2), false),
        (e, Who::Client(2, 1), false),
        (c, Who::Customer(1, 1, 1), true),
        (c, Who::Customer(1, 2, 1), false),
        (c, c, false),
        (c, e, false),
        (c, s, false),
        (s, e, true),
        (s, c, false),
        (s, Who::Admin(2), false),
        (k, k, false),
        (k, c, false),
    ] {
        // Who only reads hears so; anybody else that it is not theirs.
        let done = async |sql: String| {
            app.enter(who).await;
            let done = app.rows(&sql).await;
            app.leave().await;
            match done {
                Ok(rows) => rows[0][0].as_deref() == Some("t"),
                Err(refusal) => {
                    assert_eq!((refusal.code.as_str(), who), (DENIED, k), "{sql}: {}", refusal.message);
                    false
                }
            }
        };
        let revoke = format!("SELECT revoke_assignment('{}')", target.assignment());
        assert_eq!(done(revoke).await, may, "{who:?} revokes {target:?}");
        for ends in ["NULL", "'2031-05-31'", "'2001-05-31'"] {
            let end = format!("SELECT end_assignment('{}', {ends})", target.assignment());
            assert_eq!(done(end).await, may, "{who:?} ends {target:?} at {ends}");
        }
    }
    // Links: a spent, revoked, expired or made-up one opens nothing; a known person proves the password.
    app.enter(e).await;
    let token =
        app.value(&invite("client_admin", (1, 1, 0)).replace("me@eis.example", "customer111@eis.example")).await;
    app.must("COMMIT").await;
    let accept = |token: &str, digest: &str| {
        format!(
            "SELECT accept_invitation('{token}', gen_random_uuid(), gen_random_uuid(), 'X', '{SALT}', '\\x{digest}', 'here', true)"
        )
    };
    assert_eq!(app.value(&accept(&token, "00")).await, "wrong", "another's password");
    assert_eq!(app.value(&accept("\\x00", DIGEST.trim())).await, "refused", "a made-up link");
    assert_eq!(app.value(&accept(&token, DIGEST.trim())).await, "accepted", "the positive control");
    assert_eq!(app.value(&accept(&token, DIGEST.trim())).await, "refused", "once only");
    assert!(app.rows(&format!("SELECT * FROM invitation_by_token('{token}')")).await.unwrap().is_empty());
    assert_eq!(
        truth
            .value(&format!(
                "SELECT string_agg(role, ' ' ORDER BY role) FROM role_assignments WHERE user_id = '{}'",
                k.user()
            ))
            .await,
        "client_admin customer_user"
    );
    for spoil in ["revoked_at = now()", "expires_at = now()"] {
        app.enter(e).await;
        let token = app.value(&invite("client_admin", (1, 1, 0))).await;
        app.must("COMMIT").await;
        truth.must(&format!("UPDATE invitations SET {spoil} WHERE token_hash = sha256('{token}')")).await;
        assert_eq!(app.value(&accept(&token, "11")).await, "refused", "{spoil}");
    }
}

#[tokio::test]
async fn attack_55_a_session_after_demotion_or_disabling() {
    let list = fill("/clients/{client}/customers", OWN, OWN);
    let user = Who::Client(1, 1).user();
    let next = serde_urlencoded::to_string([("next", list.as_str())]).unwrap();
    let sign_in = format!("/login?{next}");
    for (change, status, location) in [
        (format!("UPDATE role_assignments SET valid_to = now() WHERE user_id = '{user}'"), 303, sign_in.as_str()),
        (format!("UPDATE users SET status = 'disabled' WHERE id = '{user}'"), 303, sign_in.as_str()),
        (format!("UPDATE users SET password_proof = sha256('new') WHERE id = '{user}'"), 303, sign_in.as_str()),
        (
            format!(
                "UPDATE role_assignments SET role = 'customer_user', customer_id = '{}' WHERE user_id = '{user}'",
                customer(1, 1, 1)
            ),
            403,
            "",
        ),
        (format!("UPDATE role_assignments SET client_id = '{}' WHERE user_id = '{user}'", client(1, 2)), 403, ""),
    ] {
        let case = Case::world().await;
        let portal = case.portal().await;
        let browser = portal.browser_of(Who::Client(1, 1));
        assert_eq!(browser.get(&list).await.status, 200, "the positive control");
        let truth = case.superuser().await;
        truth.must(&change).await;
        let answer = browser.get(&list).await;
        assert_eq!((answer.status.as_u16(), answer.location()), (status, location), "{change}");
        let browser = portal.browser_of(Who::Client(1, 1));
        let create = FUNCTIONS.iter().find(|f| f.path == "/api/create_customer").unwrap();
        let before = fingerprint(&truth).await;
        let filled: Vec<(String, String)> =
            create.form.iter().map(|(n, v)| ((*n).to_owned(), fill(v, OWN, OWN))).collect();
        let token = Who::Client(1, 1).context_token();
        let answer = browser.post(create.path, &form(create, &token, &filled)).await;
        assert!(
            answer.status == 403 || answer.location().starts_with("/login"),
            "{change}: {} {}",
            answer.status,
            answer.location()
        );
        assert_eq!(fingerprint(&truth).await, before, "{change}: nothing is written");
    }
}

#[tokio::test]
async fn attack_56_a_tenant_smuggled_into_a_form() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let (org, theirs, mine) = (organization(2).to_string(), client(2, 1).to_string(), client(1, 1).to_string());
    let (token, theirs_customer) = (Who::Client(1, 1).context_token(), customer(2, 1, 1).to_string());
    let base = [
        ("context", token.as_str()),
        ("client", &mine),
        ("account_number", "SMUGGLED"),
        ("kind", "person"),
        ("name", "New"),
        ("service_address", "Here"),
        ("moved_in_on", "2026-01-01"),
    ];
    let mut form = base.to_vec();
    form.extend([
        ("organization_id", org.as_str()),
        ("organization", &org),
        ("form[organization_id]", &org),
        ("client_id", &theirs),
        ("form[client_id]", &theirs),
        ("id", &theirs_customer),
        ("user_id", &org),
        ("role", "eis_staff"),
    ]);
    let browser = portal.browser_of(Who::Client(1, 1));
    let answer = browser.post("/api/create_customer", &form).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let place = "SELECT string_agg(client_id::text, ' ') FROM accounts WHERE account_number = 'SMUGGLED'";
    assert_eq!(truth.value(place).await, mine, "it is one's own");
    // The same field twice.
    let others = "SELECT count(*) FROM customers WHERE organization_id <> '00000001-0001-7000-8000-000000000000'";
    let before = truth.count(others).await;
    for doubled in [("client", theirs.as_str()), ("context", "x")] {
        let mut form = base.to_vec();
        form[2].1 = "TWICE";
        form.push(doubled);
        let _ = browser.post("/api/create_customer", &form).await;
        form.rotate_right(1);
        let _ = browser.post("/api/create_customer", &form).await;
        assert_eq!(truth.count(others).await, before, "{doubled:?}");
    }
    // Nor by a header or the address.
    let path =
        fill("/clients/{client}/customers?organization_id={organization}&client={customer}", OWN, OTHER_ORGANIZATION);
    let answer = browser
        .send(
            Method::GET,
            &path,
            &[("x-organization-id", &org), ("x-forwarded-for", "1.2.3.4"), ("x-original-url", "/clients")],
            String::new(),
        )
        .await;
    assert!(answer.body.contains("Customer 111") && !answer.body.contains("Customer 2"), "one's own list");
}

#[tokio::test]
async fn attack_57_forged_requests() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(Who::Client(1, 1));
    let create = FUNCTIONS.iter().find(|f| f.path == "/api/create_customer").unwrap();
    let filled: Vec<(String, String)> = create.form.iter().map(|(n, v)| ((*n).to_owned(), fill(v, OWN, OWN))).collect();
    let token = Who::Client(1, 1).context_token();
    let fields = form(create, &token, &filled);
    let body = serde_urlencoded::to_string(&fields).unwrap();
    let json = serde_json::to_string(&fields.iter().copied().collect::<std::collections::BTreeMap<_, _>>()).unwrap();
    let before = fingerprint(&truth).await;
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let origin = format!("http://{}", portal.address);
    for (headers, body, status) in [
        (vec![kind], &body, 403),
        (vec![kind, ("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")], &body, 403),
        (vec![kind, ("sec-fetch-site", "same-site")], &body, 403),
        (vec![kind, ("sec-fetch-site", "none")], &body, 403),
        (vec![kind, ("sec-fetch-site", "cross-site"), ("origin", &origin)], &body, 403),
        (vec![kind, ("origin", "https://evil.example")], &body, 403),
        (vec![kind, ("origin", "null")], &body, 403),
        (vec![kind, ("referer", &origin)], &body, 403),
        (vec![("content-type", "text/plain"), ("sec-fetch-site", "cross-site")], &json, 403),
        (vec![("content-type", "text/plain"), ("sec-fetch-site", "same-origin")], &json, 415),
        (vec![("content-type", "application/json"), ("sec-fetch-site", "same-origin")], &json, 415),
        (vec![("sec-fetch-site", "same-origin")], &body, 415),
        (vec![("content-type", "multipart/form-data"), ("sec-fetch-site", "same-origin")], &body, 400),
    ] {
        let answer = browser.send(Method::POST, create.path, &headers, body.clone()).await;
        assert_eq!(answer.status, status, "{headers:?}");
        let page = fill("/clients/{client}/customers", OWN, OWN);
        assert!(
            [403, 405, 415].contains(&browser.send(Method::POST, &page, &headers, body.clone()).await.status.as_u16()),
            "{headers:?}"
        );
    }
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD] {
        let answer = browser
            .send(
                method.clone(),
                &format!("{}?{body}", create.path),
                &[kind, ("sec-fetch-site", "same-origin")],
                body.clone(),
            )
            .await;
        assert!(answer.status.is_client_error(), "{method}: {}", answer.status);
    }
    assert_eq!(fingerprint(&truth).await, before, "nothing is written");
    let answer = browser.send(Method::POST, create.path, &[kind, ("origin", &origin)], body.clone()).await;
    assert_eq!(answer.status, 303, "the positive control: an older browser that sends Origin alone");
}
