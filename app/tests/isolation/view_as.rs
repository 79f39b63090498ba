//! "See as this customer": the customer's rows and pages and nothing else, reading only, for a time, on record.

use crate::DENIED;
use crate::coverage::faults;
use crate::support::database::Case;
use crate::support::http::{Answer, Browser};
use crate::support::sql::{Sql, open};
use crate::support::world::{Who, client, customer, organization};
use crate::tables::{Rule, Stand, TABLES};

const KIM: Who = Who::Customer(1, 1, 1);
/// Whoever may look through a customer's eyes.
const VIEWERS: [Who; 3] = [Who::Staff(1), Who::Admin(1), Who::Client(1, 1)];

fn view(who: Who, (o, c, k): (u8, u8, u8)) -> String {
    format!("SELECT view_as('\\x{}', '{}', '{}', 'here')", who.secret().hex(), client(o, c), customer(o, c, k))
}

fn stop(who: Who) -> String {
    format!("SELECT stop_viewing('\\x{}')", who.secret().hex())
}

/// What the context of somebody's session is: level, role, customer.
async fn stands(app: &Sql, who: Who) -> Vec<String> {
    app.enter(who).await;
    let rows = app
        .rows("SELECT split_part(current_setting('eis.context'), '|', 1), get_current_role(), coalesce(get_current_customer_id()::text, '')")
        .await
        .unwrap();
    app.leave().await;
    rows.into_iter().flatten().flatten().collect()
}

/// What each table of tenants shows somebody, row for row.
async fn sight(app: &Sql, who: Who) -> Vec<String> {
    app.enter(who).await;
    let mut all = Vec::new();
    for (table, rule) in TABLES.iter().filter(|(_, rule)| matches!(rule, Rule::Tenant { .. } | Rule::Organization)) {
        // Of some tables not every column may be read; the number of rows says enough there.
        let what = if matches!(rule, Rule::Tenant { writes: [], .. }) && *table != "public.audit_log" {
            "count(*)::text"
        } else {
            "md5(coalesce(string_agg(t::text, '' ORDER BY t::text), ''))"
        };
        all.push(format!("{table} {}", app.value(&format!("SELECT {what} FROM {table} t")).await));
    }
    app.leave().await;
    all
}

#[tokio::test]
async fn seeing_as_a_customer_is_that_customer_s_sight_in_every_table() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let kim = sight(&app, KIM).await;
    for who in VIEWERS {
        let own = (stands(&app, who).await, sight(&app, who).await);
        assert_ne!(own.1, kim, "{who:?}: the positive control sees more than the customer");
        app.must(&view(who, (1, 1, 1))).await;
        assert_eq!(stands(&app, who).await, ["customer", "customer_user", &customer(1, 1, 1).to_string()], "{who:?}");
        assert_eq!(sight(&app, who).await, kim, "{who:?} sees what the customer sees");
        app.must(&stop(who)).await;
        let mut again = (stands(&app, who).await, sight(&app, who).await);
        // But for the log, which has two records more now.
        for (before, now) in
            own.1.iter().zip(&mut again.1).filter(|(before, _)| before.starts_with("public.audit_log "))
        {
            before.clone_into(now);
        }
        assert_eq!(again, own, "{who:?}: one's own rights are back");
        assert!(faults(&app, &truth, Stand { who, at: None }, "").await.is_empty());
    }
}

#[tokio::test]
async fn another_s_customer_is_refused_like_one_that_does_not_exist() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let sibling_client = (1, 2, 1);
    for (who, place) in [
        (Who::Client(1, 1), sibling_client),
        (Who::Client(1, 1), (2, 1, 1)),
        (Who::Admin(1), (2, 1, 1)),
        (Who::Staff(1), (2, 1, 1)),
        (Who::Staff(0), (1, 1, 1)),
        (Who::Consultant(0), (1, 1, 1)),
        (KIM, (1, 1, 1)),
        (KIM, (1, 1, 2)),
        (Who::Admin(1), (1, 1, 9)),
        (Who::Staff(1), (9, 9, 9)),
    ] {
        let refusal = app.rows(&view(who, place)).await.unwrap_err();
        assert_eq!(
            (refusal.code.as_str(), refusal.message.as_str()),
            (DENIED, "this customer is not yours"),
            "{who:?} {place:?}"
        );
    }
    let mixed = format!(
        "SELECT view_as('\\x{}', '{}', '{}', 'here')",
        Who::Client(1, 1).secret().hex(),
        client(1, 1),
        customer(1, 2, 1)
    );
    assert_eq!(app.refused(&mixed).await, DENIED, "the customer of a sibling client at one's own client");
    assert_eq!(truth.count("SELECT count(*) FROM sessions WHERE viewed_until IS NOT NULL").await, 0);
    assert_eq!(app.rows(&view(Who::Admin(1), sibling_client)).await.unwrap().len(), 1, "the positive control");
    // Nor by hand: the session's row is for no login, and a row that names a foreign customer gives nothing of it.
    assert_eq!(app.as_who(Who::Admin(1), "UPDATE sessions SET viewed_until = now()").await.unwrap_err().code, DENIED);
    for (who, place) in [(Who::Client(1, 1), sibling_client), (Who::Admin(1), (2, 1, 1)), (Who::Staff(1), (2, 1, 1))] {
        let own = stands(&app, who).await;
        truth
            .must(&format!(
                "UPDATE sessions SET viewed_client_id = '{}', viewed_customer_id = '{}', viewed_until = now() + interval '9 minutes' WHERE secret_hash = sha256('\\x{}')",
                client(place.0, place.1),
                customer(place.0, place.1, place.2),
                who.secret().hex()
            ))
            .await;
        let now = stands(&app, who).await;
        assert_ne!(now[2], customer(place.0, place.1, place.2).to_string(), "{who:?}");
        assert!(now[0] == own[0] || who == Who::Admin(1), "{who:?} {now:?}");
    }
}

#[tokio::test]
async fn nothing_is_written_while_seeing_as_a_customer() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let tried = truth.count("SELECT count(*) FROM sign_ins").await;
    for who in VIEWERS {
        let step_up = format!("SELECT step_up('\\x{}', 'Ticket 4711: before', 15, 'here')", who.secret().hex());
        if who == Who::Staff(1) {
            app.must(&step_up).await;
        }
        assert!(app.as_who(who, "UPDATE customers SET phone = 'x'").await.unwrap() > 0, "the positive control {who:?}");
        app.must(&view(who, (1, 1, 1))).await;
        for (table, rule) in TABLES {
            let Rule::Tenant { writes, .. } = rule else { continue };
            for (command, sql) in [
                ("UPDATE", format!("UPDATE {table} SET organization_id = organization_id")),
                ("DELETE", format!("DELETE FROM {table}")),
            ] {
                let done = app.as_who(who, &sql).await;
                let nothing = matches!(&done, Ok(0)) || matches!(&done, Err(refusal) if refusal.code == DENIED);
                assert!(nothing, "{who:?} {command} {table} {writes:?}: {done:?}");
            }
        }
        let record = format!(
            "INSERT INTO audit_log (organization_id, id, client_id, user_id, user_name, role, action, entity, summary) VALUES ('{}', gen_random_uuid(), '{}', '{}', 'x', 'x', 'x', 'x', 'x')",
            organization(1),
            client(1, 1),
            who.user()
        );
        assert_eq!(app.as_who(who, &record).await.unwrap_err().code, DENIED);
        let invite = format!(
            "SELECT invite(gen_random_uuid(), 'me@eis.example', 'Me', 'customer_user', '{}', '{}', 7)",
            client(1, 1),
            customer(1, 1, 1)
        );
        assert_eq!(app.as_who(who, &invite).await.unwrap_err().code, DENIED);
        let secret = who.secret().hex();
        for sql in [
            step_up.clone(),
            format!("SELECT end_my_sessions('\\x{secret}', NULL, '\\x00', 'here')"),
            format!("SELECT change_password('\\x{secret}', '\\x00', 'x', '\\x00', 'here')"),
            view(who, (1, 1, 2)),
        ] {
            assert_eq!(app.refused(&sql).await, DENIED, "{who:?} {sql}");
        }
        app.must(&stop(who)).await;
    }
    assert_eq!(truth.count("SELECT count(*) FROM sign_ins").await, tried, "no password was even tried");
}

#[tokio::test]
async fn it_ends_with_its_time_the_session_and_the_assignment() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let who = Who::Admin(1);
    let until = app.value(&format!("{} <= now() + interval '30 minutes'", view(who, (1, 1, 1)))).await;
    assert_eq!(until, "t", "half an hour at most");
    truth.must("UPDATE sessions SET viewed_until = now() WHERE viewed_until IS NOT NULL").await;
    assert_eq!(stands(&app, who).await[0], "organization", "its time is over");
    app.must(&view(who, (1, 1, 1))).await;
    truth.must(&format!("UPDATE role_assignments SET valid_to = now() WHERE user_id = '{}'", who.user())).await;
    assert_eq!(app.refused(&open(who)).await, crate::SESSION_ENDED, "without the assignment");
    // In whatever way the session ends, the record of it is there.
    for (who, end) in [
        (Who::Client(1, 1), format!("SELECT session_delete('\\x{}')", Who::Client(1, 1).secret().hex())),
        (Who::Staff(1), stop(Who::Staff(1))),
    ] {
        app.must(&view(who, (1, 1, 2))).await;
        let told = format!(
            "SELECT count(*) FROM audit_log WHERE organization_id = '{}' AND user_id = '{}' AND entity_id = '{}' AND role = '{}' AND action = ",
            organization(1),
            who.user(),
            customer(1, 1, 2),
            who.role().code()
        );
        assert_eq!(truth.count(&format!("{told} 'view_as' AND details ->> 'until' IS NOT NULL")).await, 1, "{who:?}");
        assert_eq!(truth.count(&format!("{told} 'stop_viewing'")).await, 0, "{who:?}");
        app.must(&end).await;
        assert_eq!(truth.count(&format!("{told} 'stop_viewing'")).await, 1, "{who:?}");
    }
    assert_eq!(app.refused("SELECT session_ends_viewing()").await, DENIED);
    // And the client's own admin reads it.
    let read = "SELECT count(*) FROM audit_log WHERE action = 'view_as'";
    assert_eq!(app.count_as(Who::Admin(2), read).await, 0);
    truth.must(&format!("UPDATE role_assignments SET valid_to = NULL WHERE user_id = '{}'", who.user())).await;
    assert_eq!(app.count_as(Who::Consultant(1), read).await, 4);
}

/// What stands between `<main` and `</main>`, without what belongs to the session.
fn content(answer: &Answer) -> String {
    let main = answer.body.split("<main").nth(1).and_then(|rest| rest.split("</main>").next()).unwrap_or_default();
    main.to_owned()
}

async fn start(browser: &Browser, who: Who) -> Answer {
    let (at, of) = (client(1, 1).to_string(), customer(1, 1, 1).to_string());
    let token = who.context_token();
    browser.post("/api/view_as", &[("context", &token), ("client", &at), ("customer", &of)]).await
}

#[tokio::test]
async fn the_pages_are_the_customer_s_own_with_a_bar_that_cannot_be_missed() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let kim = portal.browser_of(KIM);
    let invoice = crate::support::world::id(crate::support::world::Kind::Invoice, 1, 1, 1, 1);
    let draft = crate::support::world::id(crate::support::world::Kind::Invoice, 1, 1, 1, 2);
    let pages = [
        "/account".to_owned(),
        "/account/invoices".to_owned(),
        format!("/account/invoices/{invoice}"),
        "/account/usage".to_owned(),
        "/account/price".to_owned(),
        "/account/price/compare".to_owned(),
    ];
    for who in VIEWERS {
        let browser = portal.browser_of(who);
        assert_eq!(browser.get("/account").await.status, 403, "{who:?}: not before");
        let list = format!("/clients/{}/customers", client(1, 1));
        assert_eq!(browser.get(&list).await.status, 200);
        let answer = start(&browser, who).await;
        assert_eq!((answer.status.as_u16(), answer.location()), (303, "/account"), "{who:?} {}", answer.body);
        for path in &pages {
            let (seen, theirs) = (browser.get(path).await, kim.get(path).await);
            assert_eq!((seen.status, theirs.status), (200.try_into().unwrap(), 200.try_into().unwrap()), "{path}");
            assert_eq!(content(&seen), content(&theirs), "{who:?} {path}");
            assert!(
                seen.body.contains("You see what <strong>Customer 111</strong> sees, reading only.")
                    && seen.body.contains("/api/stop_viewing"),
                "{}",
                seen.body
            );
            assert!(!theirs.body.contains("stop_viewing"));
        }
        // Nothing else opens, and no form of before is taken.
        assert_eq!(
            browser.get(&format!("/account/invoices/{draft}")).await.status,
            404,
            "a draft is not the customer's to see"
        );
        for path in [list.as_str(), "/organization", "/organization/audit"] {
            assert_eq!(browser.get(path).await.status, 403, "{who:?} {path}");
        }
        let form = [
            ("context", who.context_token()),
            ("reason", "Ticket 4711: again".to_owned()),
            ("minutes", "15".to_owned()),
        ];
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(browser.post("/api/step_up", &form).await.status, 409, "{who:?}: rendered before");
        assert_eq!(browser.get("/profile").await.status, 409);
        // A second tab's session is another one.
        let answer = browser.post("/api/stop_viewing", &[]).await;
        assert_eq!(answer.location(), format!("{list}/{}", customer(1, 1, 1)), "{}", answer.body);
        assert_eq!(browser.get(&list).await.status, 200, "{who:?}: oneself again");
        assert_eq!(browser.get("/account").await.status, 403);
    }
}
