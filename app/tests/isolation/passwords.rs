//! Attacks 77 and 81: passwords guessed many at a time, others locked out, digests without end; and passwords that are
//! guessed first.

use axum::http::Method;
use futures_util::future::join_all;

use crate::DENIED;
use crate::once::{form_on_page, post};
use crate::support::database::Case;
use crate::support::http::{Answer, Portal};
use crate::support::sql::Sql;
use crate::support::world::{DIGEST, PASSWORD, Who};
use crate::targets::FUNCTIONS;

const ME: Who = Who::Client(1, 1);

/// Enters an attempt at somebody's account; whether it may be tried.
async fn enters(sql: &Sql, email: &str, address: &str) -> bool {
    sql.maybe(&format!("SELECT retry_after FROM sign_in_salt('{email}', '{address}')")).await.is_none()
}

async fn outcome(sql: &Sql, email: &str, digest: &str, address: &str) -> String {
    sql.value(&format!("SELECT outcome FROM sign_in('{email}', '\\x{digest}', '{address}')")).await
}

#[tokio::test]
async fn attack_77_attempts_in_parallel_against_the_limit() {
    let case = Case::world().await;
    let (app, truth, email) = (case.app().await, case.superuser().await, ME.email());
    // Fifty connections ask for the salt at once, as fifty requests do: what they are told decides what is digested.
    let connections = join_all((0..50).map(|_| case.app())).await;
    let told = join_all(connections.iter().map(|sql| enters(sql, &email, "198.51.100.7"))).await;
    assert_eq!(told.iter().filter(|may| **may).count(), 10, "so many are digested, and no more");
    // And what is tried without asking first is under the same limit.
    let tried = join_all(connections.iter().map(|sql| outcome(sql, &email, "00", "198.51.100.7"))).await;
    assert_eq!(tried.iter().filter(|said| *said == "wrong").count(), 10, "each that was entered, once: {tried:?}");
    assert_eq!(outcome(&app, &email, DIGEST.trim(), "198.51.100.7").await, "limited", "not even the right one");
    let left = truth.count("SELECT count(*) FROM sign_ins WHERE outcome = 'limited'").await;
    assert_eq!(left, 1, "refusals without end leave one line");
    // The positive control: a right one gives its own count back, so that a hundred people of one address sign in.
    for _ in 0..60 {
        assert!(enters(&app, &email, "198.51.100.8").await);
        assert_eq!(outcome(&app, &email, DIGEST.trim(), "198.51.100.8").await, "signed_in");
    }
}

#[tokio::test]
async fn attack_77_attempts_through_the_portal_at_once() {
    let case = Case::world().await;
    let (portal, truth, email) = (case.portal().await, case.superuser().await, ME.email());
    let form = [("page", "/login"), ("email", email.as_str()), ("password", "a wrong one")];
    let browsers: Vec<_> = (0..50).map(|_| portal.browser()).collect();
    join_all(browsers.iter().map(|browser| browser.post("/api/sign_in", &form))).await;
    let tried = truth.count("SELECT count(*) FROM sign_ins WHERE outcome IN ('wrong', 'entered')").await;
    assert!((1..=10).contains(&tried), "{tried} of 50 digested");
    assert_eq!(portal.browser().sign_in("client12@eis.example").await.location(), "/", "the positive control: others");
}

#[tokio::test]
async fn attack_77_nobody_is_locked_out_from_elsewhere_and_guessing_from_everywhere_is_bounded() {
    let case = Case::world().await;
    let (app, truth, email) = (case.app().await, case.superuser().await, ME.email());
    assert_eq!(outcome(&app, &email, DIGEST.trim(), "203.0.113.1").await, "signed_in", "where the person comes from");
    for n in 0..10 {
        assert_eq!(outcome(&app, &email, "00", "198.51.100.1").await, "wrong", "{n}");
    }
    assert_eq!(outcome(&app, &email, "00", "198.51.100.1").await, "limited", "the one who guesses");
    assert_eq!(outcome(&app, &email, DIGEST.trim(), "203.0.113.9").await, "signed_in", "anybody else is not held up");
    // From many addresses, a few at each: fifty in an hour in all.
    for n in 0..40 {
        let address = format!("192.0.2.{}", n / 4);
        assert_eq!(outcome(&app, &email, "00", &address).await, "wrong", "{n}");
    }
    assert_eq!(outcome(&app, &email, "00", "192.0.2.200").await, "limited", "from an address that was never seen");
    assert_eq!(outcome(&app, &email, "00", "203.0.113.1").await, "wrong", "the person at the usual place mistypes");
    assert_eq!(outcome(&app, &email, DIGEST.trim(), "203.0.113.1").await, "signed_in", "and signs in");
    assert_eq!(
        outcome(&app, "client12@eis.example", DIGEST.trim(), "192.0.2.200").await,
        "signed_in",
        "other accounts"
    );
    // Half a sign-in makes no address known: the password alone is not the person.
    truth.must("UPDATE sign_ins SET outcome = 'password' WHERE outcome = 'signed_in'").await;
    assert_eq!(outcome(&app, &email, DIGEST.trim(), "203.0.113.1").await, "limited");
    // One address that tries many accounts.
    for n in 0..50 {
        assert_eq!(outcome(&app, &format!("nobody{n}@eis.example"), "00", "198.51.100.77").await, "wrong");
    }
    assert_eq!(outcome(&app, "client21@eis.example", DIGEST.trim(), "198.51.100.77").await, "limited");
    // What lies behind is for no login.
    for sql in [
        "SELECT private.enter_attempt('', NULL, '')",
        "SELECT private.end_attempt(1, 'signed_in')",
        "SELECT private.attempt_to_try('', NULL, '')",
        "UPDATE sign_ins SET outcome = 'signed_in'",
        "DELETE FROM sign_ins",
    ] {
        assert_eq!(app.as_who(ME, sql).await.unwrap_err().code, DENIED, "{sql}");
    }
}

/// A wrong attempt at the account `n`, from an address of its own; every other one by a form that names no page to go back to.
async fn flood(portal: &Portal, n: usize) -> (Answer, String) {
    let email = format!("nobody{n}@eis.example");
    let page = if n.is_multiple_of(2) { "/login" } else { "" };
    let fields = [("page", page), ("email", email.as_str()), ("password", "a wrong one")];
    let from = format!("10.0.{}.{}", n / 250, n % 250);
    let headers = [
        ("sec-fetch-site", "same-origin"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-forwarded-for", from.as_str()),
    ];
    let browser = portal.browser();
    let body = serde_urlencoded::to_string(fields).unwrap();
    let answer = browser.send(Method::POST, "/api/sign_in", &headers, body).await;
    (answer, browser.get("/login").await.body)
}

#[tokio::test]
pub async fn attack_77_digests_without_end() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal_behind(true).await, case.superuser().await);
    let cores = std::thread::available_parallelism().unwrap().get();
    let many = (cores / 2).max(1) * 33 * 3;
    let answers = join_all((0..many).map(|n| flood(&portal, n))).await;
    let (at_form, without): (Vec<_>, Vec<_>) = answers
        .iter()
        .filter(|(answer, page)| answer.status == 503 || page.contains("The portal is busy."))
        .partition(|(answer, _)| answer.status == 303);
    assert!(!at_form.is_empty() && !without.is_empty(), "nobody of {many} was sent away");
    for (answer, page) in &at_form {
        assert_eq!(answer.location(), "/login");
        assert!(page.contains("value=\"nobody") && !page.contains("a wrong one"), "what was typed is kept: {page}");
    }
    for (answer, _) in &without {
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "5"), "{}", answer.body);
    }
    let busy = at_form.len() + without.len();
    let entered = truth.count("SELECT count(*) FROM sign_ins WHERE address LIKE '10.%'").await;
    assert_eq!(usize::try_from(entered).unwrap(), many - busy, "who is sent away has not tried");
    assert!(answers.iter().any(|(_, page)| page.contains("password is wrong")), "the others were tried");
    assert_eq!(portal.browser().sign_in(&ME.email()).await.location(), "/", "the positive control: afterwards");
}

/// Sends the form to change one's password as its page makes it.
async fn change(portal: &Portal, old: &str, new: &str) -> (Answer, String) {
    let function = FUNCTIONS.iter().find(|function| function.path == "/api/change_password").unwrap();
    let browser = portal.browser_of(ME);
    let page = browser.get("/profile").await.body;
    let mut form = crate::support::http::hidden(&page, function.path);
    for (name, value) in [("old_password", old), ("new_password", new), ("again_password", new)] {
        form.push((name.to_owned(), value.to_owned()));
    }
    let answer = post(&browser, function.path, &form).await;
    let told = browser.get("/profile").await.body;
    (answer, told)
}

#[tokio::test]
async fn attack_81_common_and_telling_passwords() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let kept = format!("SELECT encode(password_proof, 'hex') FROM users WHERE id = '{}'", ME.user());
    let before = truth.value(&kept).await;
    for (weak, reason) in [
        ("password12345", ""),
        ("P@ssw0rd2024!", ""),
        ("qwertyuiop[]asdf", ""),
        ("aaaaaaaaaaaaaaaa", "too easy to guess"),
        ("cleo-client-11", "names that others know"),
        ("organisation1!", "names that others know"),
        ("EisPowerPortal1", "names that others know"),
    ] {
        let (_, told) = change(&portal, PASSWORD, weak).await;
        assert!(told.contains(reason) && told.contains("Use a few words"), "{weak}: {told}");
        assert!(!told.contains(weak), "a password is not shown again");
    }
    assert_eq!(truth.value(&kept).await, before, "none was set");
    let (answer, _) = change(&portal, PASSWORD, "a quiet heron by the weir").await;
    assert_eq!(answer.location(), "/profile");
    assert_ne!(truth.value(&kept).await, before, "the positive control");
}

#[tokio::test]
async fn a_password_that_nobody_has_gets_a_sentence_wherever_it_is_typed() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let (long, emoji, nul) = ("x".repeat(300), "😀".repeat(2000), "green kettle\0 on the hill".to_owned());
    let token = "11".repeat(32);
    truth
        .must(&format!(
            "INSERT INTO password_resets (user_id, token_hash, organization_id, made_as, for_password, expires_at, created_by)
             SELECT id, sha256('\\x{token}'), '{}', 'energy_admin', sha256(password_proof), now() + interval '1 hour', '{}' FROM users WHERE id = '{}'",
            crate::support::world::organization(1),
            Who::Admin(1).user(),
            ME.user()
        ))
        .await;
    let reset = format!("/reset/{token}");
    for typed in [&long, &emoji] {
        let sign_in = portal.browser();
        sign_in.post("/api/sign_in", &[("page", "/login"), ("email", &ME.email()), ("password", typed)]).await;
        assert!(sign_in.get("/login").await.body.contains("password is wrong"));
        let (answer, told) = change(&portal, typed, "a quiet heron by the weir").await;
        assert_eq!(answer.status, 303);
        assert!(told.contains("This is not your current password"), "{told}");
        let (_, told) = change(&portal, PASSWORD, typed).await;
        assert!(told.contains("Use at most 256 characters"), "{told}");
        let other = portal.browser();
        let form = [("page", reset.as_str()), ("token", &token), ("new_password", typed), ("again_password", typed)];
        assert_eq!(other.post("/api/reset_password", &form).await.status, 303);
        assert!(other.get(&reset).await.body.contains("Use at most 256 characters"));
    }
    // NUL is no character of a form: what is left is what was typed.
    let (_, told) = change(&portal, PASSWORD, &nul).await;
    assert!(told.contains("Choose another password than the one you have"), "{told}");
    let ten = "x".repeat(1 << 20);
    let headers = [("sec-fetch-site", "same-origin"), ("content-type", "application/x-www-form-urlencoded")];
    let answer = portal.browser().send(Method::POST, "/api/sign_in", &headers, format!("email=a&password={ten}")).await;
    assert!([400, 413].contains(&answer.status.as_u16()), "{}", answer.status);
    for password in [&long, &emoji, &nul] {
        let told = eis::parties::users::lost::reset_password(case.connected.admin_url(), &ME.email(), password).await;
        let told = told.unwrap_err().to_string();
        assert!(told.contains("at most 256") || told.contains("no key types"), "{told}");
    }
    assert_eq!(portal.browser().sign_in(&ME.email()).await.location(), "/", "the positive control");
}

/// Salts with parameters that were good enough once, and with some that will be.
const WEAK: &str = "$argon2id$v=19$m=8192,t=1,p=1$aaaabbbbccccddddaaaabbbbccccdddd";
const STRONG: &str = "$argon2id$v=19$m=24576,t=3,p=1$aaaabbbbccccddddaaaabbbbccccdddd";
const TODAY: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// Keeps everybody's password as if it had been digested with this salt; sessions go on.
async fn keep_with(truth: &Sql, salt: &str) {
    let digest = eis::values::hex::of(&eis::access::passwords::digest(PASSWORD, salt).unwrap());
    truth
        .must(&format!(
            "UPDATE users SET password_salt = '{salt}', password_proof = sha256('\\x{digest}') WHERE status <> 'service';
             UPDATE sessions s SET auth_hash = private.auth_hash(u, (SELECT a FROM role_assignments a WHERE a.id = s.assignment_id)) FROM users u WHERE u.id = s.user_id"
        ))
        .await;
}

#[tokio::test]
async fn a_password_kept_under_weaker_parameters_is_kept_under_those_of_today_once_its_person_signs_in() {
    let case = Case::world().await;
    let (portal, app, truth) = (case.portal().await, case.app().await, case.superuser().await);
    keep_with(&truth, WEAK).await;
    let (by, them) = (Who::Admin(1), Who::Customer(1, 1, 1));
    app.enter(by).await;
    let link = app.value(&format!("SELECT make_password_reset('{}', 'here')", them.assignment())).await;
    app.must("COMMIT").await;
    let kept = |who: Who| format!("SELECT password_salt FROM users WHERE id = '{}'", who.user());
    let wrong = [("page", "/login"), ("email", &them.email()), ("password", "a wrong one")];
    assert_eq!(portal.browser().post("/api/sign_in", &wrong).await.location(), "/login");
    assert_eq!(truth.value(&kept(them)).await, WEAK, "a wrong one changes nothing");
    // With a second factor too: the password is what it is.
    let (with_code, here) = (Who::Client(1, 1), "/");
    let digest = eis::values::hex::of(&eis::access::passwords::digest(PASSWORD, WEAK).unwrap());
    let factor = format!(
        "INSERT INTO second_factors (user_id, secret, confirmed_at) VALUES ('{}', decode(repeat('0b', 20), 'hex'), now())",
        with_code.user()
    );
    truth.must(&factor).await;
    for (who, to) in [(them, here), (with_code, "/login/code")] {
        assert_eq!(portal.browser().sign_in(&who.email()).await.location(), to);
        let salt = truth.value(&kept(who)).await;
        assert!(salt.starts_with(TODAY) && salt.len() == TODAY.len() + 32, "{salt}");
        assert_eq!(portal.browser_of(who).get("/profile").await.status, 200, "{who:?}: other sessions go on");
        assert_eq!(portal.browser().sign_in(&who.email()).await.location(), to, "it is the same password");
        assert_eq!(truth.value(&kept(who)).await, salt, "once");
        let old = format!("SELECT outcome FROM sign_in('{}', '\\x{digest}', 'elsewhere')", who.email());
        assert_eq!(app.value(&old).await, "wrong", "the digest of before is worth nothing");
    }
    let open = format!("SELECT count(*) FROM password_reset_by_token('{link}')");
    assert_eq!(app.count(&open).await, 1, "a link for the password goes on: it was not changed");
    let untouched = Who::Client(1, 2);
    assert_eq!(truth.value(&kept(untouched)).await, WEAK, "who did not sign in");
    // Stronger ones stay, and nobody makes them weaker: not with the right password.
    keep_with(&truth, STRONG).await;
    assert_eq!(portal.browser().sign_in(&untouched.email()).await.location(), "/");
    let strong = eis::values::hex::of(&eis::access::passwords::digest(PASSWORD, STRONG).unwrap());
    let weaken =
        format!("SELECT outcome FROM sign_in('{}', '\\x{strong}', 'x', '{WEAK}', '\\x{digest}')", untouched.email());
    assert_eq!(app.value(&weaken).await, "signed_in");
    assert_eq!(truth.value(&kept(untouched)).await, STRONG);
    for sql in ["SELECT password_salt FROM users", "SELECT private.made_up_salt('')", "SELECT private.salt_cost('')"] {
        assert_eq!(app.as_who(by, sql).await.unwrap_err().code, DENIED, "{sql}");
    }
}

#[tokio::test]
async fn accounts_that_there_are_not_have_weaker_parameters_as_often_as_those_that_there_are() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    // A hundred logins more, every other one kept as of old, in the order of their salts.
    truth
        .must(&format!(
            "INSERT INTO users (id, email, name, password_salt, password_proof)
             SELECT gen_random_uuid(), 'more' || n || '@eis.example', 'More', (CASE WHEN n % 2 = 0 THEN left('{WEAK}', -32) ELSE '{TODAY}' END) || md5(n::text), ''
             FROM generate_series(1, 100) n"
        ))
        .await;
    let told = async |email: String| app.value(&format!("SELECT salt FROM sign_in_salt('{email}', '{email}')")).await;
    let mut weak = 0;
    for n in 0..60 {
        let salt = told(format!("nobody{n}@x.example")).await;
        assert_eq!(salt, told(format!("NOBODY{n}@x.example ")).await, "steady");
        assert!(salt.starts_with(TODAY) || salt.starts_with(&WEAK[..WEAK.len() - 32]), "{salt}");
        weak += usize::from(!salt.starts_with(TODAY));
    }
    assert!((15..=45).contains(&weak), "{weak} of 60 as of old");
    // Where all are kept as of today, so are those that there are not.
    truth.must(&format!("UPDATE users SET password_salt = '{TODAY}' || right(password_salt, 32)")).await;
    for n in 0..20 {
        assert!(told(format!("nobody{n}@x.example")).await.starts_with(TODAY));
    }
    // And where nobody has a login yet.
    let empty = Case::migrated().await;
    assert!(empty.app().await.value("SELECT salt FROM sign_in_salt('a@b.example', 'x')").await.starts_with(TODAY));
}

#[tokio::test]
async fn a_change_of_password_and_a_code_sent_twice_are_done_once_and_answered_alike() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let function = FUNCTIONS.iter().find(|function| function.path == "/api/change_password").unwrap();
    let browser = portal.browser();
    browser.sign_in(&ME.email()).await;
    let mut form = form_on_page(&portal, ME, &crate::targets::Function { page: "/profile", ..*function }).await;
    for (name, value) in [
        ("old_password", PASSWORD),
        ("new_password", "a quiet heron by the weir"),
        ("again_password", "a quiet heron by the weir"),
    ] {
        form.push((name.to_owned(), value.to_owned()));
    }
    let first = post(&browser, function.path, &form).await;
    assert!(browser.get("/profile").await.body.contains("Password changed"));
    let records = "SELECT count(*) FROM audit_log WHERE action = 'change_password'";
    let second = post(&browser, function.path, &form).await;
    assert_eq!((second.status, second.location()), (first.status, first.location()));
    let told = browser.get("/profile").await.body;
    assert!(told.contains("Password changed") && !told.contains("not your current password"), "{told}");
    assert_eq!(truth.count(records).await, 1);
    // With another password in it, it is another form, and is told what is wrong.
    form.retain(|(name, _)| name != "old_password");
    form.push(("old_password".to_owned(), "something else".to_owned()));
    post(&browser, function.path, &form).await;
    assert!(browser.get("/profile").await.body.contains("not your current password"));
    // A code: whoever is signed in by then is led on.
    let code = [("page", "/login/code"), ("one_time_password", "123456"), ("next", "/profile")];
    assert_eq!(browser.post("/api/second_factor", &code).await.location(), "/profile");
    let nobody = portal.browser().post("/api/second_factor", &code).await;
    assert!(nobody.location().starts_with("/login"), "{}", nobody.location());
}
