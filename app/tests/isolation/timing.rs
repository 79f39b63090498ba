//! Attacks 50 and 64: what the time of an answer tells.
//!
//! Answers of two kinds are asked for in turn and ranked by their time. The share of pairs in which the first kind was
//! slower (the area under the curve) is a half when they cannot be told apart, and near 0 or 1 when they can. The bounds
//! stand four standard deviations from a half, and a run that misses them is tried again: noise passes, a leak does not.

use std::time::{Duration, Instant};

use crate::support::database::Case;
use crate::support::http::Browser;
use crate::support::world::{Kind, PASSWORD, Who, client, customer, id};

const ME: Who = Who::Client(1, 1);

/// In how many of a thousand pairs `first` was slower, ties counting half.
fn share(first: &[Duration], second: &[Duration]) -> usize {
    let halves: usize = first
        .iter()
        .flat_map(|a| second.iter().map(move |b| a.cmp(b)))
        .map(|order| match order {
            std::cmp::Ordering::Greater => 2,
            std::cmp::Ordering::Equal => 1,
            std::cmp::Ordering::Less => 0,
        })
        .sum();
    halves * 500 / (first.len() * second.len())
}

async fn took(asked: impl Future) -> Duration {
    let start = Instant::now();
    asked.await;
    start.elapsed()
}

/// Asks for both in turn, `rounds` times.
async fn times(browser: &Browser, paths: [&str; 2], rounds: usize) -> [Vec<Duration>; 2] {
    let mut all = [Vec::new(), Vec::new()];
    for round in 0..rounds + 3 {
        // The one that is asked first changes, and the first rounds warm up.
        for which in [round % 2, 1 - round % 2] {
            let time = took(browser.get(paths[which])).await;
            if round >= 3 {
                all[which].push(time);
            }
        }
    }
    all
}

/// Whether the times of two addresses cannot be told apart, within five tries.
async fn alike(browser: &Browser, paths: [&str; 2]) -> Result<(), usize> {
    let mut last = 0;
    for _ in 0..5 {
        let [first, second] = times(browser, paths, 60).await;
        last = share(&first, &second);
        if (290..=710).contains(&last) {
            return Ok(());
        }
    }
    Err(last)
}

#[tokio::test]
async fn attack_50_the_time_of_what_exists_elsewhere_and_of_what_does_not() {
    let case = Case::world().await;
    let portal = case.portal().await;
    // The other tenant's rows are many, so that a look at them would show.
    case.superuser()
        .await
        .must(&format!(
            "INSERT INTO customers (organization_id, client_id, id, name)
             SELECT organization_id, client_id, gen_random_uuid(), 'Big' FROM customers, generate_series(1, 3000) n
             WHERE id = '{}';
             INSERT INTO accounts (organization_id, client_id, customer_id, id, account_number, is_main)
             SELECT organization_id, client_id, id, id, id, true FROM customers WHERE name = 'Big'; ANALYZE customers, accounts",
            customer(2, 1, 1)
        ))
        .await;
    let browser = portal.browser_of(ME);
    let absent = id(Kind::Customer, 9, 9, 9, 9);
    let own = client(1, 1);
    for (what, exists, not) in [
        (
            "another organization's client",
            format!("/clients/{}/customers", client(2, 1)),
            format!("/clients/{}/customers", id(Kind::Client, 9, 9, 9, 9)),
        ),
        (
            "a sibling client",
            format!("/clients/{}/customers", client(1, 2)),
            format!("/clients/{}/customers", id(Kind::Client, 9, 9, 9, 9)),
        ),
        (
            "another organization's customer",
            format!("/clients/{own}/customers/{}", customer(2, 1, 1)),
            format!("/clients/{own}/customers/{absent}"),
        ),
        (
            "a sibling client's invoice",
            format!("/clients/{own}/invoices/{}", id(Kind::Invoice, 1, 2, 1, 1)),
            format!("/clients/{own}/invoices/{absent}"),
        ),
        (
            "another's search",
            format!("/clients/{own}/customers?search=Big"),
            format!("/clients/{own}/customers?search=Bog"),
        ),
    ] {
        if let Err(share) = alike(&browser, [&exists, &not]).await {
            panic!("{what}: existing is slower in {share} of 1000 pairs");
        }
    }
    // For those who may stand at several clients the gate looks each up.
    let theirs = format!("/clients/{}/customers", client(2, 1));
    let nobodys = format!("/clients/{}/customers", id(Kind::Client, 9, 9, 9, 9));
    let foreign_client = [theirs.as_str(), nobodys.as_str()];
    if let Err(share) = alike(&portal.browser_of(Who::Admin(1)), foreign_client).await {
        panic!("an admin, another organization's client: existing is slower in {share} of 1000 pairs");
    }
    // The positive control: a gate that looks a little longer at what exists elsewhere is told at once.
    case.superuser()
        .await
        .must(
            "ALTER FUNCTION open_context RENAME TO open_context_inner;
             CREATE FUNCTION open_context(secret bytea, narrow_client uuid DEFAULT NULL) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
             BEGIN
                IF EXISTS (SELECT 1 FROM public.clients c WHERE c.id = narrow_client) THEN PERFORM pg_sleep(0.02); END IF;
                PERFORM public.open_context_inner(secret, narrow_client);
             END $$;
             ALTER FUNCTION open_context OWNER TO eis_gate; GRANT EXECUTE ON FUNCTION open_context TO eis_app;
             GRANT EXECUTE ON FUNCTION pg_sleep TO eis_gate",
        )
        .await;
    let portal = case.portal().await;
    let admin = portal.browser_of(Who::Admin(1));
    let mut told = 0;
    for _ in 0..5 {
        let [first, second] = times(&admin, foreign_client, 40).await;
        told = told.max(share(&first, &second));
    }
    assert!(told > 800, "{told} of 1000 pairs");
}

async fn attempt(browser: &Browser, email: &str, password: &str) {
    browser.post("/api/sign_in", &[("page", "/login"), ("email", email), ("password", password)]).await;
}

#[tokio::test]
async fn attack_64_whether_an_account_exists_by_the_time_of_a_wrong_password() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    truth.must("UPDATE users SET status = 'disabled' WHERE email = 'customer222@eis.example'").await;
    let known: Vec<String> = Who::all().into_iter().map(Who::email).filter(|email| !email.contains("222")).collect();
    let kinds = [
        known.clone(),
        (0..known.len()).map(|n| format!("nobody{n}@eis.example")).collect(),
        vec!["customer222@eis.example".to_owned()],
    ];
    let browser = portal.browser();
    attempt(&browser, "warm@eis.example", "x").await;
    let mut last = [0, 0];
    for _ in 0..5 {
        let mut all = [Vec::new(), Vec::new(), Vec::new()];
        for round in 0..24 {
            for turn in 0..3 {
                let which = (round + turn) % 3;
                let email = &kinds[which][round % kinds[which].len()];
                all[which].push(took(attempt(&browser, email, "a wrong password")).await);
                truth.must("DELETE FROM sign_ins").await;
            }
        }
        last = [share(&all[0], &all[1]), share(&all[2], &all[1])];
        if last.iter().all(|share| (170..=830).contains(share)) {
            break;
        }
    }
    assert!(last.iter().all(|share| (170..=830).contains(share)), "known and disabled against unknown: {last:?}");
    // The positive control: an attempt that digests nothing (the limit holds) is told apart at once.
    let (mut digested, mut limited) = (Vec::new(), Vec::new());
    for round in 0..10 {
        digested.push(took(attempt(&browser, &format!("other{round}@eis.example"), "x")).await);
        truth.must("DELETE FROM sign_ins; INSERT INTO sign_ins (account, address, outcome) SELECT sha256('limited@eis.example'), '127.0.0.1', 'wrong' FROM generate_series(1, 10)").await;
        limited.push(took(attempt(&browser, "limited@eis.example", "x")).await);
        truth.must("DELETE FROM sign_ins").await;
    }
    assert!(share(&digested, &limited) > 950, "{}", share(&digested, &limited));
    // An overlong password costs a digest too, and the right one signs in.
    assert_eq!(
        browser
            .post("/api/sign_in", &[("page", "/login"), ("email", "admin1@eis.example"), ("password", PASSWORD)])
            .await
            .location(),
        "/"
    );
}
