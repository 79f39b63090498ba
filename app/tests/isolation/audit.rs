//! The audit log is append-only, says who it really was, and shows whoever tampers with it.

use crate::DENIED;
use crate::support::database::Case;
use crate::support::sql::Sql;
use crate::support::world::{Kind, Who, client, customer, id, organization};

const ME: Who = Who::Client(1, 1);

fn record(o: u8, action: &str) -> String {
    format!(
        "INSERT INTO audit_log (organization_id, id, client_id, user_name, role, action, entity, summary, at)
         VALUES ('{}', gen_random_uuid(), '{}', 'Somebody Else', 'eis_staff', '{action}', 'thing', 'x', '2001-01-01')",
        organization(o),
        client(o, 1)
    )
}

/// Writes a record as somebody, and commits.
async fn write(app: &Sql, who: Who, sql: &str) {
    app.enter(who).await;
    assert_eq!(app.must(sql).await, 1);
    app.must("COMMIT").await;
}

/// The faults of all chains as `fault` texts.
async fn faults(truth: &Sql) -> Vec<String> {
    let rows = truth.rows("SELECT fault FROM audit_chain_faults() ORDER BY organization_id, seq").await.unwrap();
    rows.into_iter().flatten().flatten().collect()
}

#[tokio::test]
async fn a_record_says_who_and_when_it_really_was() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    write(&app, ME, &record(1, "forged")).await;
    let told = truth.rows("SELECT user_id::text, user_name, role, (at > now() - interval '1 minute')::text FROM audit_log WHERE action = 'forged'").await.unwrap();
    let name = truth.value(&format!("SELECT name FROM users WHERE id = '{}'", ME.user())).await;
    let expected = [ME.user().to_string(), name, "client_admin".to_owned(), "true".to_owned()].map(Some).to_vec();
    assert_eq!(told, [expected]);
    assert_eq!(app.as_who(ME, &record(2, "forged")).await.unwrap_err().code, DENIED);
}

#[tokio::test]
async fn nobody_changes_a_record_or_its_seal() {
    let case = Case::world().await;
    let (app, owner) = (case.app().await, case.owner().await);
    write(&app, ME, &record(1, "kept")).await;
    for sql in [
        "UPDATE audit_log SET summary = 'y'",
        "DELETE FROM audit_log",
        "SELECT * FROM audit_seals",
        "SELECT * FROM audit_chains",
    ] {
        assert_eq!(app.as_who(ME, sql).await.unwrap_err().code, DENIED, "{sql}");
    }
    owner.must(&format!("BEGIN; SELECT open_system_context('{}')", organization(1))).await;
    assert!(owner.count("SELECT count(*) FROM audit_log").await > 0, "the positive control: the owner sees the log");
    // Nothing to be changed: the owner's policies give it no record to write.
    assert_eq!(owner.run("UPDATE audit_log SET summary = 'y'").await, Ok(0));
    owner.leave().await;
    for function in ["audit_log_is_sealed", "audit_log_tells_the_truth"] {
        assert_eq!(app.refused(&format!("SELECT {function}()")).await, DENIED);
    }
    assert_eq!(app.refused("SELECT * FROM audit_chain_faults()").await, DENIED, "it names every organization");
}

#[tokio::test]
async fn tampering_shows_whoever_did_it_and_however() {
    let tampers: [(&str, &str); 6] = [
        ("UPDATE audit_log SET summary = 'harmless' WHERE action = 'two'", "its record was changed"),
        ("UPDATE audit_log SET at = at - interval '1 microsecond' WHERE action = 'two'", "its record was changed"),
        (
            "DELETE FROM audit_seals WHERE record_id = (SELECT id FROM audit_log WHERE action = 'two');
          DELETE FROM audit_log WHERE action = 'two'",
            "links are missing before this one",
        ),
        (
            "DELETE FROM audit_seals WHERE record_id = (SELECT id FROM audit_log WHERE action = 'three');
          DELETE FROM audit_log WHERE action = 'three'",
            "the chain ends elsewhere than it should",
        ),
        (
            "DELETE FROM audit_seals WHERE record_id = (SELECT id FROM audit_log WHERE action = 'three')",
            "was slipped in",
        ),
        (
            "INSERT INTO audit_log SELECT organization_id, gen_random_uuid(), client_id, customer_id, user_id, user_name, role, 'four', entity, entity_id, summary, details, address, at FROM audit_log WHERE action = 'two'",
            "was slipped in",
        ),
    ];
    for (tamper, fault) in tampers {
        let case = Case::world().await;
        let (app, truth) = (case.app().await, case.superuser().await);
        for action in ["one", "two", "three"] {
            write(&app, ME, &record(1, action)).await;
            write(&app, Who::Client(2, 1), &record(2, action)).await;
        }
        assert_eq!(faults(&truth).await, Vec::<String>::new(), "the positive control: untouched, it holds");
        // As a superuser would, with every trigger and key asleep.
        let only = tamper.replace("WHERE action", &format!("WHERE organization_id = '{}' AND action", organization(1)));
        truth.must(&format!("SET session_replication_role = replica; {only}; RESET session_replication_role")).await;
        let told = faults(&truth).await;
        assert!(told.iter().any(|told| told.contains(fault)), "{tamper}: {told:?}");
        let elsewhere =
            format!("SELECT count(*) FROM audit_chain_faults() WHERE organization_id <> '{}'", organization(1));
        assert_eq!(truth.count(&elsewhere).await, 0, "the other organization's chain holds");
    }
}

#[tokio::test]
async fn an_organization_s_admin_sees_its_own_chain() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    write(&app, ME, &record(1, "one")).await;
    let chain = "SELECT count(*) FROM my_audit_chain() WHERE fault IS NULL AND octet_length(hash) = 32 AND records = (SELECT count(*) FROM audit_log)";
    assert_eq!(app.count_as(Who::Admin(1), chain).await, 1);
    assert_eq!(app.count_as(Who::Staff(1), chain).await, 1);
    for who in [ME, Who::Customer(1, 1, 1), Who::Staff(0)] {
        assert_eq!(app.count_as(who, "SELECT count(*) FROM my_audit_chain()").await, 0, "{who:?}");
    }
    truth.must("SET session_replication_role = replica; UPDATE audit_log SET summary = 'y' WHERE action = 'one'; RESET session_replication_role").await;
    assert_eq!(app.count_as(Who::Admin(1), "SELECT count(*) FROM my_audit_chain() WHERE fault IS NOT NULL").await, 1);
    assert_eq!(app.count_as(Who::Admin(2), "SELECT count(*) FROM my_audit_chain() WHERE fault IS NOT NULL").await, 0);
}

/// What the log's page is told: records, checked, fault.
async fn links(app: &Sql, who: Who, links: i64) -> Vec<(Option<String>, String, Option<String>)> {
    app.enter(who).await;
    let rows = app.rows(&format!("SELECT records, checked, fault FROM my_audit_links({links})")).await.unwrap();
    app.leave().await;
    rows.into_iter().map(|row| (row[0].clone(), row[1].clone().unwrap(), row[2].clone())).collect()
}

#[tokio::test]
async fn the_page_s_look_at_the_latest_links_finds_what_the_whole_walk_finds() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let before =
        truth.count(&format!("SELECT seq FROM audit_chains WHERE organization_id = '{}'", organization(1))).await;
    for action in ["one", "two", "three"] {
        write(&app, ME, &record(1, action)).await;
    }
    let all = (before + 3).to_string();
    assert_eq!(
        links(&app, Who::Admin(1), 2).await,
        [(Some(all.clone()), "2".to_owned(), None)],
        "the positive control"
    );
    assert_eq!(links(&app, Who::Admin(1), 5000).await, [(Some(all.clone()), all, None)]);
    // A client's admin is told of the client's own records alone: how many there are elsewhere is not theirs to know.
    let own = truth.count(&format!("SELECT count(*) FROM audit_log WHERE client_id = '{}'", client(1, 1))).await;
    assert_eq!(links(&app, ME, 5000).await, [(None, own.to_string(), None)]);
    for who in [Who::Customer(1, 1, 1), Who::Staff(0)] {
        assert!(links(&app, who, 10).await.is_empty(), "{who:?}");
    }
    for who in [Who::Admin(1), ME] {
        assert_eq!(
            app.as_who(who, "SELECT * FROM my_audit_links(NULL)").await,
            Ok(1),
            "{who:?}: no number is one link"
        );
    }
}

#[tokio::test]
async fn the_page_s_look_names_each_kind_of_tampering() {
    const TAMPERS: [(&str, &str, bool); 5] = [
        ("UPDATE audit_log SET details = '{\"forged\": 1}' WHERE action = 'two'", "was changed", true),
        ("DELETE FROM audit_log WHERE action = 'two'", "is gone", false),
        (
            "DELETE FROM audit_seals WHERE record_id = (SELECT id FROM audit_log WHERE action = 'three')",
            "ends elsewhere",
            true,
        ),
        (
            "DELETE FROM audit_seals WHERE record_id = (SELECT id FROM audit_log WHERE action = 'two')",
            "are missing",
            true,
        ),
        (
            "INSERT INTO audit_log SELECT organization_id, gen_random_uuid(), client_id, customer_id, user_id, user_name, role, 'four', entity, entity_id, summary, details, address, now() FROM audit_log WHERE action = 'two'",
            "slipped in",
            true,
        ),
    ];
    for (tamper, fault, client_sees) in TAMPERS {
        let case = Case::world().await;
        let (app, truth) = (case.app().await, case.superuser().await);
        for action in ["one", "two", "three"] {
            write(&app, ME, &record(1, action)).await;
        }
        assert_eq!(links(&app, ME, 50).await[0].2, None, "the positive control");
        truth.must(&format!("SET session_replication_role = replica; {tamper}; RESET session_replication_role")).await;
        let told = links(&app, Who::Admin(1), 50).await;
        assert!(told[0].2.as_ref().is_some_and(|told| told.contains(fault)), "{tamper}: {told:?}");
        assert_eq!(links(&app, ME, 50).await[0].2.is_some(), client_sees, "{tamper}: of the client's own records");
        assert_eq!(links(&app, Who::Admin(2), 50).await[0].2, None, "the other organization's chain holds");
        // And the page says so plainly.
        let portal = case.portal().await;
        let page = portal.browser_of(Who::Admin(1)).get("/organization/audit").await.body;
        assert!(page.contains("This log was tampered with") && page.contains(fault), "{page}");
        let other = portal.browser_of(Who::Admin(2)).get("/organization/audit").await.body;
        assert!(!other.contains("tampered with") && other.contains("The chain of"), "{other}");
    }
}

#[tokio::test]
async fn the_log_is_filtered_by_who_what_when_and_about_whom() {
    let case = Case::world().await;
    let (app, portal) = (case.app().await, case.portal().await);
    let details = r#"{"before": {"phone": "1"}, "after": {"phone": "2"}}"#;
    let about = format!(
        "INSERT INTO audit_log (organization_id, id, client_id, customer_id, user_name, role, action, entity, summary, details)
         VALUES ('{}', gen_random_uuid(), '{}', '{}', 'x', 'x', 'update', 'customer', '=HYPERLINK(1)', '{details}')",
        organization(1),
        client(1, 1),
        customer(1, 1, 2)
    );
    write(&app, ME, &about).await;
    let browser = portal.browser_of(Who::Admin(1));
    let count = async |query: &str| {
        let answer = browser.get(&format!("/organization/audit.csv?{query}")).await;
        assert_eq!(answer.status, 200, "{query}");
        answer.body.lines().count() - 1
    };
    let all = count("").await;
    assert!(all > 3);
    let (own, sibling) = (client(1, 1), client(1, 2));
    for (query, found) in [
        ("who=cleo", 1),
        ("who=nobody", 0),
        ("action=update&entity=customer", 1),
        ("account=A-2", 1),
        ("account=A-1", 0),
        (&format!("client={sibling}"), 1),
        (&format!("client={own}&action=update"), 1),
        (&format!("client={}", client(2, 1)), 0),
        ("q=HYPERLINK", 1),
        ("to=2001-01-01", 0),
        ("from=2001-01-01&to=2999-01-01", all),
    ] {
        assert_eq!(count(query).await, found, "{query}");
    }
    let csv = browser.get("/organization/audit.csv?account=A-2").await.body;
    assert!(csv.contains(",'=HYPERLINK(1),Phone: 1 → 2,"), "a formula is written as text: {csv}");
    let page = browser.get("/organization/audit?account=A-2").await.body;
    assert!(page.contains("<th scope=\"col\"><span>Before</span>") && page.contains("account A-2"), "{page}");
    // A client's log is that client's, whatever the address says.
    let at_client = portal.browser_of(ME).get(&format!("/clients/{own}/audit.csv?client={sibling}")).await.body;
    assert!(at_client.contains("HYPERLINK") && !at_client.contains("Client 12"), "{at_client}");
}

#[tokio::test]
async fn writers_of_one_organization_do_not_wait_for_each_other() {
    let case = Case::world().await;
    let (first, second, truth) = (case.app().await, case.app().await, case.superuser().await);
    for sql in [&first, &second] {
        sql.enter(ME).await;
        sql.must(&record(1, "both")).await;
    }
    // Both are open and have written; neither holds the chain.
    second.must("COMMIT").await;
    first.must("COMMIT").await;
    assert_eq!(truth.count("SELECT count(*) FROM audit_log WHERE action = 'both'").await, 2);
    assert_eq!(faults(&truth).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_form_sent_unchanged_leaves_no_record_and_a_change_names_its_field_alone() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let (own, person, meter) = (client(1, 1), customer(1, 1, 1), id(Kind::Meter, 1, 1, 1, 1));
    let company = |tax_number: &'static str| {
        [
            ("client", own.to_string()),
            ("slug", "client-1".into()),
            ("name", "Client 11".into()),
            ("legal_name", "Client 11 Energy Ltd".into()),
            ("tax_number", tax_number.into()),
            ("currency", "EUR".into()),
            ("time_zone", "Europe/Berlin".into()),
            ("locale", "en-GB".into()),
            ("invoice_series", "INV".into()),
            ("tax_name", "VAT".into()),
            ("tax_percent", "19".into()),
            ("payment_terms_days", "14".into()),
        ]
    };
    let customer = [
        ("client", own.to_string()),
        ("customer", person.to_string()),
        ("kind", "person".into()),
        ("name", "Customer 111".into()),
    ];
    let meter = [
        ("client", own.to_string()),
        ("meter", meter.to_string()),
        ("serial", "M-1".into()),
        ("direction", "import".into()),
        ("measure", "60".into()),
        ("time_zone", "Europe/Berlin".into()),
        ("valid_from", "2024-01-01".into()),
    ];
    let post = async |who: Who, function: &str, form: &[(&str, String)]| {
        let token = who.context_token();
        let path = format!("/api/{function}");
        let target = crate::targets::FUNCTIONS.iter().find(|target| target.path == path).unwrap();
        let page = crate::targets::fill(target.page, crate::roles::OWN, crate::roles::OWN);
        let seen = portal.browser_of(who).seen(&page, &path).await;
        let mut pairs = vec![("context", token.as_str()), ("page", "/profile"), ("seen", &seen)];
        pairs.extend(form.iter().map(|(name, value)| (*name, value.as_str())));
        let browser = portal.browser_of(who);
        let answer = browser.post(&path, &pairs).await;
        assert_eq!(answer.status, 303, "{function}: {}", answer.body);
        assert_ne!(answer.location(), "/profile", "{function}: {}", browser.get("/profile").await.body);
    };
    truth.must("UPDATE clients SET address = '', tax_number = ''").await;
    let records = "SELECT count(*) FROM audit_log WHERE action = 'update'";
    post(Who::Admin(1), "update_client", &company("")).await;
    post(ME, "update_customer", &customer).await;
    post(ME, "update_meter", &meter).await;
    let told = truth.rows("SELECT summary, details::text FROM audit_log WHERE action = 'update'").await.unwrap();
    assert!(told.is_empty(), "{told:?}");
    // The positive control: a change is told, without the rate that another scale stands for.
    post(Who::Admin(1), "update_client", &company("DE 1")).await;
    assert_eq!(truth.count(records).await, 1);
    let details = truth.value("SELECT details FROM audit_log WHERE action = 'update'").await;
    assert_eq!(details, r#"{"after": {"tax_number": "DE 1"}, "before": {"tax_number": ""}}"#);
}
