//! The form, the progress, the result and its file, as a browser gets them.

use axum::http::Method;

use crate::support::database::Case;
use crate::support::world::{Kind, Who, client, id};
use crate::{CLEO, ask, dearer_draft, post, usage, work, worker};

#[tokio::test]
async fn a_what_if_is_asked_for_watched_read_and_carried_off_as_a_file() {
    let case = Case::world().await;
    let (portal, owner) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let draft = dearer_draft(&owner).await;
    let agreed = id(Kind::Tariff, 1, 1, 0, 1).to_string();
    usage(&owner, "2026-09-01", "2026-11-01").await;
    owner.must("DELETE FROM interval_days WHERE day = '2026-10-07' AND meter_id = (SELECT id FROM meters WHERE serial = 'M-2' AND client_id = '00000002-0001-7001-8000-000000000000')").await;
    let new = format!("/clients/{}/what-ifs/new?tariff={draft}", client(1, 1));
    let form = browser.get(&new).await.body;
    assert!(
        form.contains(&format!("<option value=\"{draft}\" selected>HOME version 2, draft: Home 2</option>")),
        "{form}"
    );
    assert!(form.contains("<option value=\"2026-10\" selected>October 2026</option>"), "the last whole month: {form}");

    let page = ask(&browser, &[&draft, &agreed], "2026-09", "2026-10").await;
    let waiting = browser.get(&page).await;
    assert_eq!(waiting.header("refresh"), "3");
    assert!(waiting.body.contains("Waits for its turn.") && waiting.body.contains("<progress"), "{}", waiting.body);
    assert_eq!(browser.get(&format!("{page}?still=yes")).await.header("refresh"), "");
    work(&worker(&case)).await.expect("a job");

    let done = browser.get(&page).await;
    assert_eq!(done.header("refresh"), "");
    // 61 days of 24 kWh and an hour more in October for A-1; September alone for A-2, of whom a day is missing.
    let (first, second) = ("1,465.000", "720.000");
    for text in [
        first,
        second,
        "1 of 2",
        "Usage is missing: 7 Oct 2026.",
        "1 lacks some of the months",
        "+7.1%",
        "Pay more",
        "Effect on revenue",
    ] {
        assert!(done.body.contains(text), "{text} in {}", done.body);
    }
    let same = browser.get(&format!("{page}?tariff=2")).await.body;
    assert!(same.contains("0 would pay more, 0 less, 2 the same."), "{same}");
    let none = browser.get(&format!("{page}?tariff=2&show=more&sort=&q=&rows=")).await.body;
    assert!(none.contains("No customer matches"), "{none}");
    let found = browser.get(&format!("{page}?q=a-2&sort=decrease_percent&rows=50")).await.body;
    assert!(found.contains("1 customer<") && found.contains(second) && !found.contains(first), "{found}");
    let file = browser.get(&format!("{page}/customers.csv")).await;
    assert_eq!(
        file.body.lines().next(),
        Some(
            "account_number,name,months_supplied,estimated,HOME_v2_months,HOME_v2_kwh,HOME_v2_now,HOME_v2_cost,HOME_v2_change,HOME_v2_percent,HOME_v2_problem,HOME_v1_months,HOME_v1_kwh,HOME_v1_now,HOME_v1_cost,HOME_v1_change,HOME_v1_percent,HOME_v1_problem"
        )
    );
    assert_eq!(
        file.body.lines().nth(1),
        Some("A-1,Customer 111,2,no,2,1465.000,488.13,523.01,34.88,7.15,,2,1465.000,488.13,488.13,0.00,0.00,")
    );
    assert_eq!(file.body.lines().count(), 3);
    let list = browser.get(&format!("/clients/{}/what-ifs", client(1, 1))).await.body;
    assert!(list.contains("HOME version 2, HOME version 1"), "{list}");
    let again = browser
        .get(&format!("/clients/{}/what-ifs/new?again={}", client(1, 1), page.rsplit('/').next().unwrap_or_default()))
        .await
        .body;
    assert!(again.contains("<option value=\"2026-09\" selected>"), "{again}");
    // Staff read it and change nothing.
    let staff = portal.browser_of(Who::Staff(1)).get(&page).await;
    assert_eq!(staff.status, 200);
    assert!(!staff.body.contains("/api/delete_what_if") && !staff.body.contains("Run again"));
}

#[tokio::test]
async fn what_is_wrong_is_said_beside_its_field_and_what_was_typed_comes_back() {
    let case = Case::world().await;
    let (portal, owner) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let draft = dearer_draft(&owner).await;
    let form = [
        ("candidate_1", draft.as_str()),
        ("customers", "accounts"),
        ("accounts", "A-1, B-7, B-8"),
        ("first_month", "2026-09"),
        ("last_month", "2026-10"),
    ];
    let answer = post(&browser, "create_what_if", &form).await;
    let page = browser.get(answer.location()).await.body;
    assert!(page.contains("There is no account B-7, B-8.") && page.contains("A-1, B-7, B-8</textarea>"), "{page}");
    // A draft with faults, and one that is in another currency.
    owner
        .must(&format!(
            "UPDATE tariff_rates SET document = document || '{{\"currency\":\"USD\"}}' WHERE id = '{draft}'"
        ))
        .await;
    let answer = post(
        &browser,
        "create_what_if",
        &[("candidate_1", &draft), ("customers", "all"), ("first_month", "2026-09"), ("last_month", "2026-10")],
    )
    .await;
    let page = browser.get(answer.location()).await.body;
    assert!(page.contains("The tariff is in USD, invoices are in EUR."), "{page}");
    assert_eq!(owner.count("SELECT count(*) FROM jobs WHERE kind = 'what_if'").await, 0);
    // Three that wait are enough.
    let agreed = id(Kind::Tariff, 1, 1, 0, 1).to_string();
    for _ in 0..3 {
        ask(&browser, &[&agreed], "2026-09", "2026-10").await;
    }
    let answer = post(
        &browser,
        "create_what_if",
        &[("candidate_1", &agreed), ("customers", "all"), ("first_month", "2026-09"), ("last_month", "2026-10")],
    )
    .await;
    assert!(browser.get(answer.location()).await.body.contains("3 what-ifs wait or run already."));
}

#[tokio::test]
async fn a_file_of_thousands_is_whole() {
    let case = Case::world().await;
    let (portal, owner) = (case.portal().await, case.superuser().await);
    owner
        .must(&format!(
            "INSERT INTO customers (organization_id, client_id, id, name)
             SELECT organization_id, id, gen_random_uuid(), 'Crowd ' || n
             FROM clients, generate_series(1, 2500) n WHERE id = '{0}';
             INSERT INTO accounts (organization_id, client_id, customer_id, id, account_number, is_main)
             SELECT organization_id, client_id, id, id, 'C-' || id, true FROM customers WHERE name LIKE 'Crowd %';
             INSERT INTO service_points (organization_id, client_id, id, address, time_zone)
             SELECT organization_id, client_id, id, name || ' Long Street', 'Europe/Berlin' FROM customers WHERE name LIKE 'Crowd %';
             INSERT INTO contracts (organization_id, client_id, customer_id, id, account_id, service_point_id, from_on, billing_anchor)
             SELECT organization_id, client_id, id, id, id, id, '2024-01-01', '2024-01-01' FROM customers WHERE name LIKE 'Crowd %';
             INSERT INTO what_if_results (organization_id, client_id, what_if_id, customer_id, contract_id, account_number, customer_name, supplied, estimated, months, kwh, now, costs, problems)
             SELECT c.organization_id, c.client_id, w.id, c.id, c.id, 'C-' || c.id, c.name, 2, false, '{{2}}', '{{1}}', '{{1}}', '{{1}}', ARRAY['']
             FROM customers c JOIN what_ifs w ON w.client_id = c.client_id WHERE c.client_id = '{0}' AND c.name LIKE 'Crowd %'",
            client(1, 1)
        ))
        .await;
    let path = format!("/clients/{}/what-ifs/{}/customers.csv", client(1, 1), id(Kind::WhatIf, 1, 1, 0, 1));
    let body = portal.browser_of(CLEO).get(&path).await.body;
    let mut accounts: Vec<&str> = body.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(accounts.len(), 2_502);
    accounts.dedup();
    assert_eq!(accounts.len(), 2_502, "none twice");
    // Compressed, as browsers ask for it: the whole body comes, and it is smaller.
    let packed = portal.browser_of(CLEO).send(Method::GET, &path, &[("accept-encoding", "gzip")], String::new()).await;
    assert_eq!((packed.status.as_u16(), packed.header("content-encoding")), (200, "gzip"));
}
