//! Attack 65 and its like: codes that were seen, guessed or skipped.

use crate::DENIED;
use crate::support::database::Case;
use crate::support::sql::Sql;
use crate::support::world::{DIGEST, PASSWORD, Who};

const ME: Who = Who::Client(1, 1);

/// The code of somebody's app, so many steps from now; read as nobody but a superuser can.
pub async fn code(truth: &Sql, who: Who, steps: i32) -> String {
    truth
        .value(&format!(
            "SELECT private.totp(secret, floor(extract(epoch FROM clock_timestamp()) / 30)::bigint + {steps}) FROM second_factors WHERE user_id = '{}'",
            who.user()
        ))
        .await
}

/// The ticket that a right password earns, and what is said.
pub async fn password(app: &Sql, who: Who) -> (String, String) {
    let rows = app
        .rows(&format!("SELECT outcome, ticket FROM sign_in('{}', '\\x{}', 'here')", who.email(), DIGEST.trim()))
        .await
        .unwrap();
    (rows[0][0].clone().unwrap(), rows[0][1].clone().unwrap_or_default())
}

/// What the gate says to a code.
pub async fn answer(app: &Sql, half: &str, code: &str) -> String {
    app.value(&format!("SELECT outcome FROM second_factor('{half}', '{code}', 'here')")).await
}

/// Turns it on, and sets its last step back so that the code of now is still good; the codes for paper.
pub async fn enrol(app: &Sql, truth: &Sql, who: Who) -> Vec<String> {
    let (secret, digest) = (who.secret().hex(), DIGEST.trim());
    app.must(&format!("SELECT begin_second_factor('\\x{secret}', '\\x{digest}', 'here')")).await;
    let first = code(truth, who, 0).await;
    let confirm = format!("SELECT codes FROM confirm_second_factor('\\x{secret}', '\\x{digest}', '{first}', 'here')");
    let codes = app.value(&confirm).await;
    truth.must("UPDATE second_factors SET last_step = last_step - 1").await;
    codes.trim_matches(['{', '}']).split(',').map(str::to_owned).collect()
}

#[tokio::test]
async fn the_codes_are_those_of_the_rfc() {
    let case = Case::migrated().await;
    let truth = case.superuser().await;
    // RFC 4226, appendix D.
    for (step, code) in
        ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
            .into_iter()
            .enumerate()
    {
        let sql = format!("SELECT private.totp(convert_to('12345678901234567890', 'UTF8'), {step})");
        assert_eq!(truth.value(&sql).await, code, "{step}");
    }
    // RFC 6238, appendix B, the last six of its eight digits.
    for (seconds, code) in
        [(59_i64, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
    {
        let sql = format!("SELECT private.totp(convert_to('12345678901234567890', 'UTF8'), {})", seconds / 30);
        assert_eq!(truth.value(&sql).await, code, "{seconds}");
    }
}

#[tokio::test]
async fn attack_65_a_code_is_taken_once_and_no_older_one_after_it() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    assert_eq!(password(&app, ME).await.0, "signed_in", "the positive control: without it, the password is enough");
    enrol(&app, &truth, ME).await;
    let (said, half) = password(&app, ME).await;
    assert_eq!(said, "code_needed");
    let now = code(&truth, ME, 0).await;
    assert_eq!(answer(&app, &half, &now).await, "signed_in", "the positive control");
    assert_eq!(answer(&app, &half, &now).await, "stale", "the half ticket is spent");
    // Seen over the shoulder, with the password too.
    let (_, half) = password(&app, ME).await;
    assert_eq!(answer(&app, &half, &now).await, "wrong", "replayed");
    for steps in [-1, 0, -2, 2, 40] {
        let other = code(&truth, ME, steps).await;
        assert_eq!(answer(&app, &half, &other).await, "wrong", "{steps} steps from now");
    }
    assert_eq!(
        answer(&app, &half, &code(&truth, ME, 1).await).await,
        "signed_in",
        "the next one, from a clock that is ahead"
    );
}

#[tokio::test]
async fn attack_65_half_a_sign_in_opens_nothing() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    enrol(&app, &truth, ME).await;
    let (_, half) = password(&app, ME).await;
    let create =
        |ticket: &str| format!("SELECT made FROM session_create('\\x01', '{ticket}', '{{}}', '', '', 3600, 3600)");
    assert_eq!(app.value(&create(&half)).await, "f", "the password alone begins no session");
    let (_, half) = password(&app, ME).await;
    let rows = app
        .rows(&format!("SELECT outcome, ticket FROM second_factor('{half}', '{}', 'here')", code(&truth, ME, 0).await))
        .await
        .unwrap();
    let ticket = rows[0][1].clone().unwrap();
    assert_eq!(app.value(&create(&ticket)).await, "t", "the positive control");
    // Another's code, nobody's ticket, a ticket that is over.
    enrol(&app, &truth, Who::Admin(1)).await;
    let (_, half) = password(&app, ME).await;
    assert_eq!(answer(&app, &half, &code(&truth, Who::Admin(1), 0).await).await, "wrong");
    assert_eq!(answer(&app, "\\x00", "000000").await, "stale");
    truth.must("UPDATE session_tickets SET expires_at = now()").await;
    assert_eq!(answer(&app, &half, &code(&truth, ME, 1).await).await, "stale");
    // What lies behind is for no login.
    for sql in [
        "SELECT * FROM second_factors",
        "SELECT * FROM recovery_codes",
        "UPDATE second_factors SET last_step = 0",
        "SELECT private.take_code(NULL, '')",
        "SELECT private.totp('', 1)",
        "SELECT private.make_recovery_codes(NULL)",
        "SELECT extensions.hmac('', '', 'sha1')",
        "SELECT extensions.gen_random_bytes(4)",
    ] {
        assert_eq!(app.as_who(ME, sql).await.unwrap_err().code, DENIED, "{sql}");
    }
    let shown = app.maybe(&format!("SELECT shown FROM my_second_factor('\\x{}')", ME.secret().hex())).await;
    assert_eq!(shown, None, "once confirmed, the secret is not shown again");
    let begin = format!("SELECT begin_second_factor('\\x{}', '\\x{}', 'here')", ME.secret().hex(), DIGEST.trim());
    assert_eq!(app.value(&begin).await, "on");
    assert_eq!(password(&app, ME).await.0, "code_needed", "beginning again does not turn it off");
}

#[tokio::test]
async fn codes_are_tried_under_the_limit_of_passwords_which_a_right_password_does_not_set_back() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    enrol(&app, &truth, ME).await;
    let mut said = Vec::new();
    for guess in 0..12 {
        let (outcome, half) = password(&app, ME).await;
        said.push(if half.is_empty() { outcome } else { answer(&app, &half, &format!("{guess:06}")).await });
    }
    assert_eq!(said.iter().filter(|said| *said == "wrong").count(), 10, "{said:?}");
    assert_eq!(said[10..], ["limited", "limited"]);
    assert_eq!(password(&app, Who::Admin(1)).await.0, "signed_in", "others go on");
}

#[tokio::test]
async fn a_code_on_paper_works_once_and_turning_it_off_takes_password_and_code() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let codes = enrol(&app, &truth, ME).await;
    assert_eq!(codes.len(), 10);
    let (_, half) = password(&app, ME).await;
    let typed = format!("{}-{} {}", &codes[0][..4].to_lowercase(), &codes[0][4..8], &codes[0][8..]).replace('0', "o");
    assert_eq!(answer(&app, &half, &typed).await, "signed_in", "as people type it");
    let (_, half) = password(&app, ME).await;
    assert_eq!(answer(&app, &half, &codes[0]).await, "wrong", "once");
    let end = |digest: &str, code: &str| {
        format!("SELECT end_second_factor('\\x{}', '\\x{digest}', '{code}', 'here')", ME.secret().hex())
    };
    assert_eq!(app.value(&end("00", &codes[1])).await, "wrong password");
    assert_eq!(app.value(&end(DIGEST.trim(), &codes[0])).await, "wrong code");
    assert_eq!(app.value(&end(DIGEST.trim(), &codes[1])).await, "done");
    assert_eq!(password(&app, ME).await.0, "signed_in");
    let told = format!("SELECT count(*) FROM audit_log WHERE action = 'second_factor' AND user_id = '{}'", ME.user());
    assert_eq!(truth.count(&told).await, 2, "on and off are on record");
}

#[tokio::test]
async fn the_pages_ask_for_the_code_before_anything_opens() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let me = portal.browser_of(ME);
    let send = async |path: &str, fields: &[(&str, &str)]| {
        let token = ME.context_token();
        let mut all = vec![("context", token.as_str()), ("page", "/profile/second-factor")];
        all.extend(fields);
        me.post(path, &all).await
    };
    assert!(me.get("/profile").await.body.contains("your password alone signs you in"));
    send("/api/begin_second_factor", &[("password", "not mine")]).await;
    assert!(me.get("/profile/second-factor").await.body.contains("This is not your password."));
    send("/api/begin_second_factor", &[("password", PASSWORD)]).await;
    let page = me.get("/profile/second-factor").await.body;
    assert!(
        page.contains("otpauth://totp/EIS%20Power:client11%40eis.example?secret=") && page.contains("class=\"qr\""),
        "{page}"
    );
    send("/api/confirm_second_factor", &[("password", PASSWORD), ("one_time_password", "000")]).await;
    assert!(me.get("/profile/second-factor").await.body.contains("This code is wrong"));
    let now = code(&truth, ME, 0).await;
    send("/api/confirm_second_factor", &[("password", PASSWORD), ("one_time_password", &now)]).await;
    let page = me.get("/profile/second-factor").await.body;
    assert_eq!(page.matches("<li><code>").count(), 10, "{page}");
    assert_eq!(me.get("/profile/second-factor").await.body.matches("<li><code>").count(), 0, "shown once");
    truth.must("UPDATE second_factors SET last_step = last_step - 1").await;
    let renew = [("codes_password", PASSWORD), ("codes_one_time_password", &now)];
    send("/api/new_recovery_codes", &renew).await;
    assert_eq!(me.get("/profile/second-factor").await.body.matches("<li><code>").count(), 10, "new ones, once");
    truth.must("UPDATE second_factors SET last_step = last_step - 1").await;
    // Signing in: the password leads to the code and opens nothing by itself.
    let browser = portal.browser();
    assert_eq!(browser.get("/login/code").await.location(), "/login");
    assert_eq!(browser.sign_in(&ME.email()).await.location(), "/login/code");
    let half = browser.cookie();
    assert!(browser.get("/profile").await.location().starts_with("/login"), "not signed in yet");
    assert_eq!(browser.get("/login/code").await.status, 200);
    let form = [("page", "/login/code"), ("one_time_password", "123")];
    assert_eq!(browser.post("/api/second_factor", &form).await.location(), "/login/code");
    let again = browser.get("/login/code").await.body;
    assert!(again.contains("wrong or was used already") && !again.contains("value=\"123\""), "{again}");
    let right = code(&truth, ME, 0).await;
    let form = [("page", "/login/code"), ("one_time_password", right.as_str())];
    assert_eq!(browser.post("/api/second_factor", &form).await.location(), "/");
    assert_eq!(browser.get("/profile").await.status, 200);
    assert_ne!(browser.cookie(), half, "a new session id with the new right");
    let old = portal.browser();
    old.set_cookie(&half);
    assert!(old.get("/profile").await.location().starts_with("/login"), "half a sign-in opens nothing");
}

#[tokio::test]
async fn attack_74_a_session_alone_changes_nothing_about_the_second_factor() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let (secret, right) = (ME.secret().hex(), DIGEST.trim());
    let state = "SELECT md5(concat((SELECT string_agg(f::text, ',' ORDER BY f::text) FROM (SELECT user_id, secret, confirmed_at FROM second_factors) f), (SELECT string_agg(r::text, ',' ORDER BY r::text) FROM recovery_codes r)))";
    let begin = |digest: &str| format!("SELECT begin_second_factor('\\x{secret}', '\\x{digest}', 'here')");
    let call = |name: &str, digest: &str, code: &str| {
        let outcome = if name == "end_second_factor" { "end_second_factor" } else { "outcome" };
        format!("SELECT {outcome} FROM {name}('\\x{secret}', '\\x{digest}', '{code}', 'here')")
    };
    // On: neither begun nor confirmed without the password.
    let before = truth.value(state).await;
    assert_eq!(app.value(&begin("00")).await, "wrong password");
    assert_eq!(app.value(&call("confirm_second_factor", right, "000000")).await, "stale", "nothing was begun");
    assert_eq!(truth.value(state).await, before);
    assert_eq!(app.value(&begin(right)).await, "done", "the positive control");
    let begun = truth.value(state).await;
    let now = code(&truth, ME, 0).await;
    assert_eq!(app.value(&call("confirm_second_factor", "00", &now)).await, "wrong password");
    // Another session of the same person neither sees the secret nor confirms it.
    let other = app.value(&format!("SELECT ticket FROM sign_in('{}', '\\x{right}', 'x')", ME.email())).await;
    app.must(&format!("SELECT session_create('\\xcc', '{other}', '{{}}', '', '', 1000, 1000)")).await;
    assert_eq!(app.value("SELECT state FROM my_second_factor('\\xcc')").await, "off");
    let elsewhere = format!("SELECT outcome FROM confirm_second_factor('\\xcc', '\\x{right}', '{now}', 'here')");
    assert_eq!(app.value(&elsewhere).await, "stale");
    truth.must("UPDATE second_factors SET begun_at = now() - interval '11 minutes'").await;
    assert_eq!(app.value(&call("confirm_second_factor", right, &now)).await, "stale", "too late");
    assert_eq!(truth.value(state).await, begun);
    let codes = enrol(&app, &truth, ME).await;
    assert!(codes.iter().all(|code| code.len() == 28), "140 bits each: {codes:?}");
    let letters = codes.concat();
    assert!(letters.chars().all(|c| "0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(c)), "five bits a letter: {codes:?}");
    assert!(("GHJKMNPQRSTVWXYZ".chars().filter(|c| letters.contains(*c)).count()) > 12, "all of them: {codes:?}");
    assert_eq!(
        truth.count(&format!("SELECT count(*) FROM recovery_codes WHERE code_hash = sha256('{}')", codes[0])).await,
        0
    );
    let salted = format!("SELECT count(*) FROM recovery_codes WHERE code_hash = sha256(salt || '{}'::bytea)", codes[0]);
    assert_eq!(truth.count(&salted).await, 1);
    assert!(app.rows("SELECT * FROM session_load('\\xcc')").await.unwrap().is_empty(), "the other session has ended");
    // New codes and off: password and code, every time.
    let on = truth.value(state).await;
    let now = code(&truth, ME, 0).await;
    for name in ["new_recovery_codes", "end_second_factor"] {
        assert_eq!(app.value(&call(name, "00", &now)).await, "wrong password", "{name}");
        assert_eq!(app.value(&call(name, right, "")).await, "wrong code", "{name}");
    }
    assert_eq!(truth.value(state).await, on);
    assert_eq!(app.value(&call("new_recovery_codes", right, &now)).await, "done", "the positive control");
    assert_eq!(app.value(&call("end_second_factor", right, &codes[1])).await, "wrong code", "one of before");
    truth.must("UPDATE second_factors SET last_step = last_step - 1").await;
    assert_eq!(app.value(&call("end_second_factor", right, &now)).await, "done", "the positive control");
    // The kind: whatever a login may call and touches either table asks for the password.
    let unasked = truth
        .rows(
            "SELECT p.proname FROM pg_proc p WHERE p.prosecdef AND has_function_privilege('eis_app', p.oid, 'EXECUTE')
             AND p.prosrc ~ '(INSERT INTO|UPDATE|DELETE FROM) public.(second_factors|recovery_codes)|make_recovery_codes'
             AND NOT ('digest' = ANY (p.proargnames) AND p.prosrc ~ 'prove_anew|try_password')",
        )
        .await
        .unwrap();
    assert!(unasked.is_empty(), "{unasked:?}");
}
