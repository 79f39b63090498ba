//! Attacks 58 and 59, and what else may go wrong between signing in and out.

use eis::values::clock::Clock;
use portal::server::state::Options;

use crate::DENIED;
use crate::support::database::Case;
use crate::support::http::{Answer, Browser, Portal};
use crate::support::world::{DIGEST, PASSWORD, SALT, Who, client, organization};
use crate::targets::fill;
use crate::writes::fingerprint;

async fn signed_in(browser: &Browser) -> bool {
    browser.get("/profile").await.status == 200
}

fn with_cookie(portal: &Portal, cookie: &str) -> Browser {
    let browser = portal.browser();
    browser.set_cookie(cookie);
    browser
}

/// The hidden context of the first form on a page.
fn context(answer: &Answer) -> String {
    let after =
        answer.body.split("name=\"context\" value=\"").nth(1).unwrap_or_else(|| panic!("no form: {}", answer.body));
    after.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn attack_58_session_fixation_at_sign_in_again_and_at_a_switch() {
    let case = Case::world().await;
    let (portal, app) = (case.portal().await, case.app().await);
    // Nobody's session is had to plant; a real one of the attacker's own is not taken over.
    let attacker = portal.browser();
    attacker.post("/api/sign_in", &[("page", "/login"), ("email", "x@eis.example"), ("password", "wrong")]).await;
    assert!(!attacker.cookie().contains("session="), "{}", attacker.cookie());
    attacker.sign_in("client12@eis.example").await;
    let planted = attacker.cookie();
    assert!(planted.starts_with("session="), "{planted}");
    let browser = with_cookie(&portal, &planted);
    assert_eq!(browser.sign_in("client11@eis.example").await.location(), "/");
    let first = browser.cookie();
    assert_ne!(first, planted);
    assert!(signed_in(&browser).await, "the positive control");
    assert!(!signed_in(&with_cookie(&portal, &planted)).await, "the planted one has ended");
    // One that was made up is not taken.
    let made_up = format!("session={}", tower_sessions::session::Id(42));
    let browser = with_cookie(&portal, &made_up);
    browser.sign_in("client11@eis.example").await;
    assert_ne!(browser.cookie(), made_up);
    assert!(signed_in(&browser).await);
    assert!(!signed_in(&with_cookie(&portal, &made_up)).await);
    // Signing in again, as oneself and as another.
    for email in ["client11@eis.example", "consultant@eis.example"] {
        let before = browser.cookie();
        browser.sign_in(email).await;
        assert_ne!(browser.cookie(), before, "{email}");
        assert!(signed_in(&browser).await);
        assert!(!signed_in(&with_cookie(&portal, &before)).await, "{email}: the old one ended");
    }
    // Choosing and switching.
    for o in [1, 2] {
        let before = browser.cookie();
        let token = context(&browser.get("/switch").await);
        let answer = browser
            .post("/api/switch", &[("context", &token), ("assignment", &Who::Consultant(o).assignment().to_string())])
            .await;
        assert_eq!(answer.location(), "/", "{}", answer.body);
        assert_ne!(browser.cookie(), before);
        assert!(signed_in(&browser).await);
        assert!(!signed_in(&with_cookie(&portal, &before)).await, "the old one ended");
    }
    // The same at the gate: a session is bound as it begins and never again, a ticket works once.
    let ticket = || async {
        app.value(&format!("SELECT ticket FROM sign_in('admin2@eis.example', '\\x{}', 'x')", DIGEST.trim())).await
    };
    let create = |secret: &str, ticket: &str| {
        format!("SELECT made FROM session_create('\\x{secret}', '{ticket}', '{{}}', '', '', 1000, 1000)")
    };
    let secret = Who::Client(1, 1).secret().hex();
    let mine = ticket().await;
    assert_eq!(app.refused(&create(&secret, &mine)).await, "23505", "somebody's session; a secret is given once");
    assert_eq!(app.value(&create("aa", "\\x00")).await, "f", "a made-up ticket");
    assert_eq!(app.value(&create("aa", &mine)).await, "t", "the positive control");
    assert_eq!(app.value("SELECT email FROM session_load('\\xaa')").await, "admin2@eis.example");
    assert_eq!(app.value(&create("bb", &mine)).await, "f", "a spent ticket");
    let late = ticket().await;
    case.superuser().await.must("UPDATE session_tickets SET expires_at = now() - interval '1 second'").await;
    assert_eq!(app.value(&create("bb", &late)).await, "f", "a late ticket");
    assert_eq!(app.rows("SELECT * FROM session_load('\\xbb')").await.unwrap().len(), 0);
}

#[tokio::test]
async fn attack_59_a_session_does_not_come_back_after_signing_out() {
    let case = Case::world().await;
    let (portal, app, truth) = (case.portal().await, case.app().await, case.superuser().await);
    let browser = portal.browser();
    browser.sign_in("client11@eis.example").await;
    let cookie = browser.cookie();
    let other_tab = with_cookie(&portal, &cookie);
    assert!(signed_in(&other_tab).await, "the positive control");
    let token = context(&browser.get("/profile").await);
    let answer = browser.post("/api/sign_out", &[("context", &token)]).await;
    assert!(answer.location().starts_with("/login"), "{}", answer.body);
    assert_eq!(browser.cookie(), "", "the cookie is taken away");
    assert!(!signed_in(&other_tab).await);
    // Neither does what a request in flight still saves, a form sent late, or a second sign-out.
    let late = with_cookie(&portal, &cookie);
    late.post("/api/sign_in", &[("page", "/login"), ("email", "x@eis.example"), ("password", "wrong")]).await;
    late.post("/api/end_session", &[("context", &token), ("session", "others"), ("password", PASSWORD)]).await;
    assert!(!signed_in(&with_cookie(&portal, &cookie)).await);
    let secret = Who::Client(1, 1).secret().hex();
    app.must(&format!("SELECT session_delete('\\x{secret}')")).await;
    assert_eq!(app.value(&format!("SELECT session_save('\\x{secret}', '{{}}')")).await, "f");
    app.must(&format!("SELECT session_touch('\\x{secret}')")).await;
    assert!(app.rows(&format!("SELECT * FROM session_load('\\x{secret}')")).await.unwrap().is_empty());
    // One that idled away or ran out does not come back by being touched or saved.
    for end in ["seen_at = now() - interval '3 hours', idle_seconds = 7200", "expires_at = now() - interval '1 second'"]
    {
        let secret = Who::Admin(1).secret().hex();
        truth.must(&format!("UPDATE sessions SET {end} WHERE secret_hash = sha256('\\x{secret}')")).await;
        app.must(&format!("SELECT session_touch('\\x{secret}')")).await;
        assert_eq!(app.value(&format!("SELECT session_save('\\x{secret}', '{{}}')")).await, "f", "{end}");
        assert!(app.rows(&format!("SELECT * FROM session_load('\\x{secret}')")).await.unwrap().is_empty(), "{end}");
        assert!(!signed_in(&portal.browser_of(Who::Admin(1))).await, "{end}");
        truth.must(&format!("UPDATE sessions SET seen_at = now(), expires_at = now() + interval '1 hour' WHERE secret_hash = sha256('\\x{secret}')")).await;
        assert!(signed_in(&portal.browser_of(Who::Admin(1))).await, "the positive control");
    }
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let (browser, other) = (portal.browser(), portal.browser_of(Who::Admin(1)));
    browser.sign_in("admin1@eis.example").await;
    assert!(signed_in(&other).await);
    let change_to = async |old: &str, new: &str| {
        let token = context(&browser.get("/profile").await);
        browser
            .post(
                "/api/change_password",
                &[
                    ("context", &token),
                    ("page", "/profile"),
                    ("old_password", old),
                    ("new_password", new),
                    ("again_password", new),
                ],
            )
            .await
    };
    let change = async |old: &str| change_to(old, "a quiet heron by the weir").await;
    change("not my password").await;
    change_to(PASSWORD, PASSWORD).await;
    assert!(browser.get("/profile").await.body.contains("Choose another password"));
    assert!(signed_in(&other).await, "a wrong password ends nothing");
    let before = browser.cookie();
    assert_eq!(change(PASSWORD).await.location(), "/profile");
    assert!(!signed_in(&other).await);
    assert_ne!(browser.cookie(), before, "a new id");
    assert!(signed_in(&browser).await, "the positive control");
    assert!(!signed_in(&with_cookie(&portal, &before)).await);
    assert_eq!(
        portal.browser().sign_in("admin1@eis.example").await.location(),
        "/login",
        "the old password is wrong now"
    );
}

#[tokio::test]
async fn a_page_asked_for_before_signing_in_is_opened_afterwards() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let browser = portal.browser();
    let asked = format!("/clients/{}/customers?q=Customer+111", client(1, 1));
    let to_sign_in = browser.get(&asked).await;
    let next = serde_urlencoded::to_string([("next", asked.as_str())]).unwrap();
    assert_eq!(to_sign_in.location(), format!("/login?{next}"));
    let page = browser.get(to_sign_in.location()).await.body;
    assert!(page.contains("Sign in to go on.") && !page.contains("What you had typed"), "{page}");
    let form =
        [("page", "/login"), ("next", asked.as_str()), ("email", "client11@eis.example"), ("password", PASSWORD)];
    assert_eq!(browser.post("/api/sign_in", &form).await.location(), asked);
    assert_eq!(portal.browser().get("/").await.location(), "/login", "one's start page comes anyway");
}

#[tokio::test]
async fn ending_other_sessions_ends_nobody_else_s() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let browser = portal.browser();
    browser.sign_in("admin1@eis.example").await;
    let token = context(&browser.get("/profile").await);
    let form = [("context", token.as_str()), ("session", "others"), ("password", PASSWORD)];
    browser.post("/api/end_session", &form).await;
    assert!(!signed_in(&portal.browser_of(Who::Admin(1))).await);
    assert!(signed_in(&browser).await && signed_in(&portal.browser_of(Who::Admin(2))).await);
}

#[tokio::test]
async fn what_a_session_keeps_until_it_is_shown_is_sealed_under_its_secret() {
    let case = Case::world().await;
    let (portal, truth, me) = (case.portal().await, case.superuser().await, Who::Client(1, 1));
    let browser = portal.browser_of(me);
    let row = |who: Who| format!("secret_hash = sha256('\\x{}')", who.secret().hex());
    let kept = async || truth.value(&format!("SELECT data FROM sessions WHERE {}", row(me))).await;
    let (context, place) = (me.context_token(), client(1, 1).to_string());
    let (list, edit) = (fill("/clients/{client}/users", (1, 1, 1), (1, 1, 1)), Who::Customer(1, 1, 1).assignment());
    let (edit, assignment) = (format!("{list}/{edit}/edit"), edit.to_string());
    let invite = format!("{list}/invite");
    let whom = [("name", "New"), ("email", "fresh@eis.example"), ("role", "customer_user"), ("account_number", "A-1")];
    let typed = [("name", "Typed By Me"), ("email", "no address")];
    // What is sent, from which page; where it is shown, and what of it.
    type Sent<'s> = (&'s str, &'s str, &'s [(&'s str, &'s str)], &'s str, &'s str);
    let sent: [Sent<'_>; 3] = [
        ("/api/make_reset_link", &edit, &[("assignment", assignment.as_str())], &edit, "/reset/"),
        ("/api/invite_user", &invite, &whom, &list, "/invitation/"),
        ("/api/invite_user", &invite, &typed, &invite, "Typed By Me"),
    ];
    for (function, page, fields, shown_on, shown) in sent {
        let form: Vec<_> = [("context", context.as_str()), ("page", page), ("client", &place)]
            .into_iter()
            .chain(fields.iter().copied())
            .collect();
        assert_eq!(browser.post(function, &form).await.location(), shown_on, "{function}");
        let data = kept().await;
        assert!(data.len() > 60 && data.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)), "{data}");
        let page = browser.get(shown_on).await.body;
        assert!(page.contains(shown), "the positive control: {page}");
    }
    // Nor does it open as another's: that one signs in again.
    let theirs = Who::Client(1, 2);
    assert!(signed_in(&portal.browser_of(theirs)).await, "the positive control");
    truth
        .must(&format!(
            "UPDATE sessions SET data = (SELECT data FROM sessions WHERE {}) WHERE {}",
            row(me),
            row(theirs)
        ))
        .await;
    assert!(!signed_in(&portal.browser_of(theirs)).await);
    assert!(signed_in(&browser).await);
}

#[tokio::test]
async fn a_form_of_one_organization_never_writes_into_another_opened_in_a_second_tab() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let browser = portal.browser();
    browser.sign_in("consultant@eis.example").await;
    let switch = async |o: u8| {
        let token = context(&browser.get("/switch").await);
        browser
            .post("/api/switch", &[("context", &token), ("assignment", &Who::Consultant(o).assignment().to_string())])
            .await;
    };
    switch(1).await;
    let page = fill("/clients/{client}/customers/new", (1, 1, 1), (1, 1, 1));
    let first_tab = browser.get(&page).await;
    assert_eq!(first_tab.status, 200);
    switch(2).await;
    let before = fingerprint(&truth).await;
    // Sent as it was rendered, and with the other organization's client put in.
    let token = context(&first_tab);
    for target in [client(1, 1), client(2, 1)] {
        let form = [
            ("context", token.as_str()),
            ("page", &page),
            ("client", &target.to_string()),
            ("account_number", "TAB-A"),
            ("kind", "person"),
            ("name", "Typed In Tab A"),
            ("service_address", "4 Kept Lane"),
            ("moved_in_on", "2026-01-01"),
        ]
        .map(|(name, value)| (name, value.to_owned()));
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = browser.post("/api/create_customer", &form).await;
        assert_eq!(answer.status, 409, "{}", answer.body);
        assert!(
            answer.body.contains("Typed In Tab A") && answer.body.contains("4 Kept Lane"),
            "what was typed is shown"
        );
        assert!(answer.body.contains("Organisation 2"), "and what is open");
        assert_eq!(fingerprint(&truth).await, before, "nothing is written");
    }
    switch(1).await;
    let again = browser.get(&page).await;
    assert!(
        again.body.contains("Typed In Tab A") && again.body.contains("4 Kept Lane"),
        "and it is there when one is back"
    );
    for token in ["", "x", &Who::Admin(2).context_token()] {
        let answer =
            browser.post("/api/create_customer", &[("context", token), ("client", &client(2, 1).to_string())]).await;
        assert_eq!(answer.status, 409, "{token}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_look_alike_also_when_limited() {
    let case = Case::world().await;
    let (portal, app) = (case.portal().await, case.app().await);
    let mut pages = Vec::new();
    for email in ["admin1@eis.example", "nobody@eis.example"] {
        let mut told = Vec::new();
        let browser = portal.browser();
        for attempt in 1..=11 {
            let password = if attempt == 11 { PASSWORD } else { "a wrong one" };
            let answer =
                browser.post("/api/sign_in", &[("page", "/login"), ("email", email), ("password", password)]).await;
            if attempt == 1 || attempt >= 10 {
                let page = browser.get(answer.location()).await;
                told.push(format!("{} {}\n{}", answer.status, answer.location(), page.bytes().replace(email, "…")));
            }
        }
        assert!(told[0].contains("E-mail address or password is wrong"), "{}", told[0]);
        assert!(told[2].contains("Too many attempts"), "the right password too: {}", told[2]);
        pages.push(told);
        assert!(!signed_in(&browser).await);
    }
    assert_eq!(pages[0], pages[1]);
    assert_eq!(
        portal.browser().sign_in("admin2@eis.example").await.location(),
        "/",
        "the positive control: another account"
    );
    // Salts: steady, alike, and no hint whether there is such an account.
    for email in ["admin1@eis.example", "nobody@eis.example"] {
        let ask = || async { app.value(&format!("SELECT salt FROM sign_in_salt('{email}', 'elsewhere')")).await };
        assert_eq!(ask().await, ask().await);
        let told = ask().await;
        let (cost, salt) = told.rsplit_once('$').unwrap();
        assert_eq!(cost, "$argon2id$v=19$m=19456,t=2,p=1", "{email}");
        assert!(salt.len() == 32 && salt.bytes().all(|b| b.is_ascii_hexdigit()), "{email}");
    }
}

#[tokio::test]
async fn every_door_to_a_password_counts_the_same_attempts() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let (who, right) = (Who::Client(1, 1), DIGEST.trim());
    let change = |digest: &str| {
        let secret = who.secret().hex();
        format!("SELECT change_password('\\x{secret}', '\\x{digest}', '{SALT}', '\\x{right}', 'here')")
    };
    let retry = format!("SELECT retry_after FROM sign_in_salt('{}', 'here')", who.email());
    for _ in 0..10 {
        assert_eq!(app.maybe(&retry).await, None, "not limited yet: this enters one");
        assert_eq!(app.maybe(&change("00")).await, None, "a wrong password uses it up");
    }
    assert!(app.maybe(&retry).await.is_some(), "nothing is digested any more");
    assert_eq!(app.refused(&change(right)).await, DENIED, "not even the right one is tried");
    let sign_in = format!("SELECT outcome FROM sign_in('{}', '\\x{right}', 'here')", who.email());
    assert_eq!(app.value(&sign_in).await, "limited", "nor at the front door");
    truth.must("UPDATE sign_ins SET at = at - interval '16 minutes'").await;
    assert_eq!(app.value(&sign_in).await, "signed_in", "the positive control: later it is");
    let told = "SELECT count(*) FROM audit_log WHERE action = 'change_password' AND user_name = 'Cleo Client 11'";
    assert_eq!(truth.count(told).await, 0);
    assert!(app.maybe(&change(right)).await.is_some());
    assert_eq!(truth.count(told).await, 1, "on record where the person works");
}

#[tokio::test]
async fn a_suspended_organization_is_closed_to_all_but_staff() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let pages =
        [(Who::Admin(1), "/organization"), (Who::Customer(1, 1, 1), "/account"), (Who::Staff(1), "/organization")];
    for (who, path) in pages {
        assert_eq!(portal.browser_of(who).get(path).await.status, 200, "the positive control: {who:?}");
    }
    truth.must(&format!("UPDATE organizations SET status = 'suspended' WHERE id = '{}'", organization(1))).await;
    let db = case.db(1);
    for (who, path) in pages {
        let answer = portal.browser_of(who).get(path).await;
        if who == Who::Staff(1) {
            assert_eq!(answer.status, 200, "staff may look");
        } else {
            assert_eq!(answer.status, 403, "{who:?}");
            assert!(answer.body.contains("suspended"), "{who:?}: {}", answer.body);
            let mut tx = db.as_tenant(&who.actor(), eis::db::Access::Write).await.unwrap();
            let changed = diesel::sql_query("UPDATE customers SET phone = 'x'");
            assert_eq!(diesel_async::RunQueryDsl::execute(changed, &mut *tx).await, Ok(0), "{who:?}");
        }
    }
    assert_eq!(portal.browser_of(Who::Admin(2)).get("/organization").await.status, 200, "the other one works");
}

#[tokio::test]
async fn a_session_that_cannot_be_looked_up_answers_with_a_page_that_helps() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let browser = portal.browser_of(Who::Client(1, 1));
    assert_eq!(browser.get("/profile").await.status, 200, "the positive control");
    case.superuser().await.must("ALTER FUNCTION session_load RENAME TO session_gone").await;
    let answer = browser.get("/profile").await;
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("Something went wrong on our side"), "{}", answer.body);
    assert!(!answer.body.contains("session_load"), "nothing of the cause");
}

#[tokio::test]
async fn signing_out_removes_the_cookie_as_it_was_made() {
    let case = Case::world().await;
    for (url, name, secure) in [(None, "session", false), (Some("https://portal.example"), "__Host-session", true)] {
        let options = Options { public_url: url.map(str::to_owned), trust_proxy: false, clock: Clock::System };
        let portal = case.portal_told(options).await;
        let browser = portal.browser();
        let attributes = |answer: &Answer| -> Vec<String> {
            let cookie = answer.header("set-cookie").to_owned();
            assert!(cookie.starts_with(&format!("{name}=")), "{cookie}");
            let mut kept: Vec<String> = cookie.split("; ").skip(1).map(str::to_owned).collect();
            kept.retain(|word| !word.starts_with("Max-Age") && !word.starts_with("Expires"));
            kept.sort();
            kept
        };
        let made = attributes(&browser.sign_in("client11@eis.example").await);
        assert_eq!(made.contains(&"Secure".to_owned()), secure);
        let token = context(&browser.get("/profile").await);
        let answer = browser.post("/api/sign_out", &[("context", &token)]).await;
        assert!(answer.header("set-cookie").contains("Max-Age=0"), "{answer:?}");
        assert_eq!(answer.header("clear-site-data"), "\"cache\", \"storage\"", "what the browser kept goes too");
        assert!(browser.get(answer.location()).await.body.contains("You are signed out."), "and it is said");
        assert_eq!(attributes(&answer), made);
    }
}
