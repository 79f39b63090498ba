//! Attacks 39, 40 and 49: what a database shares between its sessions besides tables.

use tokio_postgres::{AsyncMessage, NoTls};

use crate::DENIED;
use crate::support::database::Case;
use crate::support::world::{Who, client, organization};
use crate::targets::fill;

const ME: Who = Who::Client(1, 1);

#[tokio::test]
async fn attack_39_large_objects() {
    let case = Case::world().await;
    let (app, worker, truth) = (case.app().await, case.worker().await, case.superuser().await);
    let oid = truth.value("SELECT lo_from_bytea(0, 'one tenant''s file')").await;
    truth.must(&format!("GRANT SELECT, UPDATE ON LARGE OBJECT {oid} TO eis_app")).await;
    for sql in [
        "SELECT lo_create(0)".to_owned(),
        "SELECT lo_creat(-1)".to_owned(),
        "SELECT lo_from_bytea(0, 'left for another tenant')".to_owned(),
        "SELECT lo_import('/etc/passwd')".to_owned(),
        format!("SELECT lo_get({oid})"),
        format!("SELECT lo_put({oid}, 0, 'x')"),
        format!("SELECT lo_open({oid}, 262144)"),
        format!("SELECT lo_unlink({oid})"),
        format!("SELECT lo_export({oid}, '/tmp/x')"),
        "SELECT loread(0, 10)".to_owned(),
        "SELECT * FROM pg_largeobject".to_owned(),
    ] {
        for login in [&app, &worker] {
            assert_eq!(login.refused(&sql).await, DENIED, "{sql}");
        }
        app.enter(ME).await;
        assert_eq!(app.refused(&sql).await, DENIED, "with a context too: {sql}");
        app.leave().await;
    }
    assert_eq!(
        truth.value(&format!("SELECT convert_from(lo_get({oid}), 'UTF8')")).await,
        "one tenant's file",
        "the positive control"
    );
    truth.must(&format!("SELECT lo_unlink({oid})")).await;
    let kept = "SELECT count(*) FROM pg_largeobject_metadata";
    assert_eq!(truth.count(kept).await, 0, "the portal keeps nothing there");
}

#[tokio::test]
async fn attack_40_notifications() {
    let case = Case::world().await;
    let (portal, app, truth) = (case.portal().await, case.app().await, case.superuser().await);
    // Somebody with the portal's login listens on every name that is thinkable.
    let (listener, mut connection) =
        tokio_postgres::connect(&case.connected.url(eis::operate::connect::Login::App), NoTls).await.unwrap();
    let (heard, mut ears) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) =
            futures_util::StreamExt::next(&mut futures_util::stream::poll_fn(|cx| connection.poll_message(cx))).await
        {
            if let AsyncMessage::Notification(notification) = message {
                let _ = heard.send(notification.payload().to_owned());
            }
        }
    });
    let mut channels: Vec<String> =
        crate::tables::TABLES.iter().map(|(name, _)| name.rsplit('.').next().unwrap().to_owned()).collect();
    channels.extend(["jobs", "invoices", "audit", "usage"].map(str::to_owned));
    for channel in channels {
        listener.batch_execute(&format!("LISTEN \"{channel}\"")).await.unwrap();
    }
    // Meanwhile another tenant works.
    let (browser, token) = (portal.browser_of(Who::Client(2, 1)), Who::Client(2, 1).context_token());
    let at = (2, 1, 1);
    for (function, form) in [
        (
            "/api/create_customer",
            vec![
                ("account_number", "NEW"),
                ("kind", "person"),
                ("name", "Secret Person"),
                ("service_address", "9 New Lane"),
                ("moved_in_on", "2026-01-01"),
            ],
        ),
        ("/api/rate_billing_run", vec![("run", "{open_run}")]),
    ] {
        let filled: Vec<(&str, String)> = form.iter().map(|(name, value)| (*name, fill(value, at, at))).collect();
        let company = client(2, 1).to_string();
        let mut sent = vec![("context", token.as_str()), ("client", company.as_str())];
        sent.extend(filled.iter().map(|(name, value)| (*name, value.as_str())));
        assert_eq!(browser.post(function, &sent).await.status, 303, "{function}");
    }
    truth.must("NOTIFY jobs, 'the positive control'").await;
    let first = tokio::time::timeout(std::time::Duration::from_secs(5), ears.recv()).await.unwrap();
    assert_eq!(first.as_deref(), Some("the positive control"), "nothing of the other tenant's work came before it");
    // The command itself is every login's: what a holder of one sends is heard by a holder of another, and nothing else is.
    case.worker().await.must("NOTIFY jobs, 'sent by who holds a login'").await;
    let next = tokio::time::timeout(std::time::Duration::from_secs(5), ears.recv()).await.unwrap();
    assert_eq!(next.as_deref(), Some("sent by who holds a login"));
    // An injected SELECT cannot tell either, and no function of ours does.
    assert_eq!(
        app.as_who(ME, "SELECT pg_notify('jobs', (SELECT name FROM customers LIMIT 1))").await.unwrap_err().code,
        DENIED
    );
    let telling = truth
        .rows("SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('public', 'private') AND p.prosrc ~* 'notify'")
        .await
        .unwrap();
    assert!(telling.is_empty(), "{telling:?}");
}

#[tokio::test]
async fn attack_40_advisory_locks() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    // A lock of the session would outlive an injected statement's request and make others wait.
    for lock in [
        "pg_advisory_lock(1)",
        "pg_advisory_lock(1, 1)",
        "pg_advisory_lock_shared(1)",
        "pg_try_advisory_lock(1)",
        "pg_try_advisory_lock_shared(1, 1)",
        "pg_advisory_unlock_all()",
    ] {
        assert_eq!(app.as_who(ME, &format!("SELECT {lock}")).await.unwrap_err().code, DENIED, "{lock}");
    }
    app.must("BEGIN; SELECT pg_advisory_xact_lock(1); COMMIT").await;
    // One tenant's long work never makes another's wait: usage is held by the service points that it is of.
    let other = case.app().await;
    app.enter(ME).await;
    app.must(&format!(
        "SELECT 1 FROM service_points WHERE organization_id = '{}' AND client_id = '{}' ORDER BY id FOR NO KEY UPDATE",
        organization(1),
        client(1, 1)
    ))
    .await;
    let write = |o: u8, c: u8| {
        format!(
            "SET LOCAL lock_timeout = '300ms'; UPDATE meter_readings SET figure = figure + 1 WHERE organization_id = '{}' AND client_id = '{}'",
            organization(o),
            client(o, c)
        )
    };
    for (o, c) in [(1, 2), (2, 1)] {
        assert_eq!(other.as_who(Who::Client(o, c), &write(o, c)).await, Ok(6), "{o}{c} does not wait");
    }
    assert_eq!(
        other.as_who(Who::Admin(1), &write(1, 1)).await.unwrap_err().code,
        "55P03",
        "the positive control: the same client waits"
    );
    app.leave().await;
    // Requests leave none behind on the connections that others use next.
    let portal = case.portal().await;
    let browser = portal.browser_of(ME);
    let token = ME.context_token();
    let (company, run) = (client(1, 1).to_string(), fill("{open_run}", (1, 1, 1), (1, 1, 1)));
    browser.post("/api/rate_billing_run", &[("context", &token), ("client", &company), ("run", &run)]).await;
    browser.sign_in("admin1@eis.example").await;
    assert_eq!(truth.count("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())").await, 0);
}

#[tokio::test]
async fn attack_49_functions_that_are_shown_rows_before_their_policies() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    // A function that costs next to nothing and tells what it was shown, by failing on the first foreign row.
    truth
        .must(&format!(
            "CREATE FUNCTION leak(organization uuid) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
             BEGIN IF organization <> '{}' THEN RAISE EXCEPTION 'shown: %', organization; END IF; RETURN true; END $$;
             GRANT EXECUTE ON FUNCTION leak TO eis_app",
            organization(1)
        ))
        .await;
    let tables = ["customers", "invoices", "meters", "payments", "audit_log", "interval_days"];
    for table in tables {
        let sql = format!("SELECT count(*) FROM {table} WHERE leak(organization_id)");
        assert!(app.count_as(ME, &sql).await > 0, "{table}: it is shown one's own rows alone");
    }
    // Said to be leakproof it is asked first: what a careless administrator could do, and `portal check` tells.
    truth.must("ALTER FUNCTION leak LEAKPROOF").await;
    let mut shown = 0;
    for table in tables {
        shown += u32::from(
            app.as_who(ME, &format!("SELECT count(*) FROM {table} WHERE leak(organization_id)")).await.is_err(),
        );
    }
    assert!(shown > 0, "the positive control: a leakproof one is shown foreign rows");
    let url = case.connected.admin_url().to_owned();
    let findings = crate::support::database::apart(async move { eis::operate::check::run(&url).await }).unwrap();
    assert!(
        findings.iter().any(|f| !f.ok && f.message.contains("leak(uuid)") && f.message.contains("leakproof")),
        "{findings:?}"
    );
    truth.must("DROP FUNCTION leak").await;
    for sql in [
        "CREATE FUNCTION leak(x uuid) RETURNS boolean LANGUAGE sql LEAKPROOF AS 'SELECT true'",
        "ALTER FUNCTION organization_scope LEAKPROOF",
        "CREATE OPERATOR === (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = uuid_eq)",
    ] {
        assert_eq!(app.refused(sql).await, DENIED, "{sql}");
    }
    let leaky = truth.rows("SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proleakproof AND n.nspname <> 'pg_catalog'").await.unwrap();
    assert!(leaky.is_empty(), "{leaky:?}");
}
