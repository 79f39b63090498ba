//! Work as the system: EIS administrators alone, for a reason, on record in each organization before it opens.

use eis::db::{Access, DbError};
use eis::operate::platform;
use eis::values::ids::OrganizationId;

use crate::DENIED;
use crate::support::database::Case;
use crate::support::sources::{rust_files, web};
use crate::support::world::{Who, organization};

const STAFF: Who = Who::Staff(0);
const REASON: &str = "Figures for the board meeting";
const PROMOTE: &str = "UPDATE role_assignments SET administrator = true WHERE role = 'eis_staff'";

fn begin(who: Who) -> String {
    format!("SELECT count(*) FROM begin_system_work('\\x{}', NULL, '{REASON}', true, '192.0.2.7')", who.secret().hex())
}

fn open(who: Who, o: u8) -> String {
    format!("SELECT open_system_work('\\x{}', '{}')", who.secret().hex(), organization(o))
}

#[tokio::test]
async fn nobody_but_an_eis_administrator_works_as_the_system() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    for who in Who::all() {
        assert_eq!(app.refused(&begin(who)).await, DENIED, "{who:?}");
        assert_eq!(app.refused(&open(who, 1)).await, DENIED, "{who:?}");
    }
    assert_eq!(truth.count("SELECT count(*) FROM system_work WHERE reason = 'Figures for the board meeting'").await, 0);
    let staff = "administrator) VALUES (gen_random_uuid(), gen_random_uuid(), 'energy_admin', true)";
    let none_else = format!("INSERT INTO role_assignments (id, user_id, role, {staff}");
    assert_eq!(truth.refused(&none_else).await, "23514", "only EIS staff can be administrators");
    for sql in ["UPDATE role_assignments SET administrator = true", "INSERT INTO system_work DEFAULT VALUES"] {
        assert_eq!(app.as_who(Who::Staff(1), sql).await.unwrap_err().code, DENIED, "{sql}");
    }
    truth.must(PROMOTE).await;
    assert_eq!(app.count(&begin(STAFF)).await, 2, "the positive control");
    app.must(&format!("BEGIN; {}", open(STAFF, 1))).await;
    assert_eq!(app.count("SELECT count(*) FROM customers").await, 4);
    assert_eq!(app.value("SELECT get_current_role()").await, "system");
    app.leave().await;
}

#[tokio::test]
async fn it_opens_only_what_a_standing_record_names_and_for_as_long() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    truth.must(PROMOTE).await;
    assert_eq!(app.refused(&open(STAFF, 1)).await, DENIED, "nothing was begun");
    // A record that this very transaction wrote could be taken back with it.
    assert_eq!(app.refused(&format!("BEGIN; {}; {}", begin(STAFF), open(STAFF, 1))).await, DENIED);
    app.leave().await;
    assert_eq!(truth.count(&format!("SELECT count(*) FROM system_work WHERE reason = '{REASON}'")).await, 0);
    let one = format!(
        "SELECT slug FROM begin_system_work('\\x{}', ARRAY['{}']::uuid[], '{REASON}', false, '')",
        STAFF.secret().hex(),
        organization(1)
    );
    assert_eq!(app.value(&one).await, "org-1");
    assert_eq!(app.refused(&open(STAFF, 2)).await, DENIED, "another organization");
    assert_eq!(app.refused(&open(Who::Staff(2), 1)).await, DENIED, "another session of the same person");
    app.must(&format!("BEGIN; {}", open(STAFF, 1))).await;
    assert_eq!(app.must("UPDATE customers SET phone = 'x'").await, 0, "it said that it only reads");
    assert_eq!(
        app.count("SELECT count(*) FROM customers WHERE organization_id <> get_current_organization_id()").await,
        0
    );
    app.leave().await;
    app.must(&begin(STAFF)).await;
    app.must(&format!("BEGIN; {}", open(STAFF, 1))).await;
    assert_eq!(app.must("UPDATE customers SET phone = 'x'").await, 4, "it said that it writes");
    app.leave().await;
    for (what, end) in [
        (
            "the time is over",
            "UPDATE system_work SET expires_at = now() - interval '1 second', created_at = now() - interval '1 minute'",
        ),
        (
            "no administrator any more",
            "UPDATE system_work SET expires_at = now() + interval '1 minute'; UPDATE role_assignments SET administrator = false",
        ),
    ] {
        truth.must(end).await;
        assert_eq!(app.refused(&open(STAFF, 1)).await, DENIED, "{what}");
    }
    truth.must(PROMOTE).await;
    app.must(&open(STAFF, 1)).await;
    let short = format!("SELECT begin_system_work('\\x{}', NULL, 'because', true, '')", STAFF.secret().hex());
    assert_eq!(app.refused(&short).await, "23514", "a reason is asked for");
}

#[tokio::test]
async fn each_organization_s_admin_reads_who_worked_as_the_system_and_why() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    truth.must(PROMOTE).await;
    app.must(&begin(STAFF)).await;
    let record = format!(
        "SELECT count(*) FROM audit_log WHERE action = 'system_work' AND user_name = 'Sam Staff' AND summary LIKE '%{REASON}%' AND details ->> 'writes' = 'true' AND address = '192.0.2.7'"
    );
    for o in 1..=2 {
        assert_eq!(app.count_as(Who::Admin(o), &record).await, 1, "{o}");
        assert_eq!(
            app.count_as(Who::Admin(o), &format!("SELECT count(*) FROM system_work WHERE reason = '{REASON}'")).await,
            1
        );
        assert_eq!(app.count_as(Who::Client(o, 1), &record).await, 0);
    }
    // What is written as the system says so, and who it was.
    app.must(&format!("BEGIN; {}", open(STAFF, 1))).await;
    app.must(&format!(
        "INSERT INTO audit_log (organization_id, id, user_id, user_name, role, action, entity, summary)
         VALUES ('{}', gen_random_uuid(), get_current_user_id(), 'Mallory', 'energy_admin', 'mend', 'customer', 'x'); COMMIT",
        organization(1)
    ))
    .await;
    assert_eq!(
        truth.value("SELECT user_name || ' ' || role FROM audit_log WHERE action = 'mend'").await,
        "Sam Staff system"
    );
    assert_eq!(truth.count("SELECT count(*) FROM audit_chain_faults()").await, 0);
    let page = case.portal().await.browser_of(Who::Admin(1)).get("/organization/audit").await;
    assert!(page.body.contains(REASON), "{}", page.body);
}

#[tokio::test]
async fn the_platform_s_statistics_go_through_this_door_alone() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    assert!(matches!(platform::statistics(&db, &STAFF.actor(), REASON).await, Err(DbError::Refused)));
    assert!(matches!(
        db.as_system(&STAFF.actor(), OrganizationId(organization(1)), Access::Read).await,
        Err(DbError::Refused)
    ));
    truth.must(PROMOTE).await;
    let all = platform::statistics(&db, &STAFF.actor(), REASON).await.unwrap();
    assert_eq!(all.len(), 2);
    for row in &all {
        let holds = &row.holds;
        assert_eq!((holds.clients, holds.customers, holds.meters, holds.invoices), (2, 4, 4, 4), "{row:?}");
        assert!(holds.users >= 7 && row.summary.billed_to == chrono::NaiveDate::from_ymd_opt(2026, 9, 30), "{row:?}");
    }
    let told = serde_json::to_value(&all[0]).unwrap();
    let told: Vec<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
    let counts = ["billed_to", "clients", "customers", "invoices", "meters", "name", "slug", "status", "users"];
    assert_eq!(told, counts, "sizes alone: no amount of anybody's");
    assert_eq!(truth.count("SELECT count(*) FROM audit_log WHERE action = 'system_work'").await, 2);
    let by_operator = platform::statistics_for_operator(case.connected.admin_url(), "olga", REASON).await.unwrap();
    assert_eq!(by_operator, all);
    let app = case.app().await;
    let told = "SELECT count(*) FROM audit_log WHERE action = 'system_work' AND user_name = 'Operator olga' AND role = 'system'";
    assert_eq!(app.count_as(Who::Admin(1), told).await, 1);
    assert_eq!(app.refused("SELECT open_operator_work(gen_random_uuid(), 'x', 'y')").await, DENIED);
    assert_eq!(case.monitor().await.refused("SELECT open_operator_work(gen_random_uuid(), 'x', 'y')").await, DENIED);
    assert_eq!(truth.count("SELECT count(*) FROM audit_chain_faults()").await, 0);
}

/// Where the owner's door that leaves no record is used: demo data, and making organizations and users (which
/// writes records of its own).
#[test]
fn the_owner_s_silent_door_is_used_for_demo_data_and_users_alone() {
    let mut found = Vec::new();
    let business = rust_files(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../src"));
    for path in business.into_iter().chain(web()) {
        let text = std::fs::read_to_string(&path).unwrap();
        if text.contains(".stand_at(") || text.contains("open_system_context(") {
            found.push(path.to_string_lossy().rsplit_once("src/").unwrap().1.to_owned());
        }
    }
    found.sort();
    // What changes something writes its own record; the checks of the ledger and of usage read.
    assert_eq!(
        found,
        [
            "db/owner.rs",
            "demo.rs",
            "demo/logins.rs",
            "operate/check/walk.rs",
            "parties/organizations/create.rs",
            "parties/users/create.rs",
            "parties/users/lost.rs",
        ]
    );
}
