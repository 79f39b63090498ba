//! Attack 89: a customer's rows are those of their own contracts' days. Who lived there before and who comes after is
//! somebody else, and days that nobody has are the client's alone. Days are moved by the client's admin, with raw SQL in the
//! own client, and read by each customer under their own context.

use eis::metering::usage_data::control;
use uuid::Uuid;

use crate::DENIED;
use crate::support::database::{Case, apart};
use crate::support::sql::Sql;
use crate::support::world::{Kind, Who, account_of, client, contract_of, customer, id, organization};

/// Who moves days.
const CLEO: Who = Who::Client(1, 1);
/// Lives at the first service point, from 2024 on.
const KIM: Who = Who::Customer(1, 1, 1);
/// Lives at the second one, and comes to others.
const LEE: Who = Who::Customer(1, 1, 2);
/// Of a sibling client, and of another organization.
const STRANGERS: [Who; 2] = [Who::Customer(1, 2, 1), Who::Customer(2, 1, 1)];

/// The meter of the first service point, and one that takes its place.
fn first() -> Uuid {
    id(Kind::Meter, 1, 1, 1, 1)
}

fn second() -> Uuid {
    id(Kind::Meter, 1, 1, 1, 2)
}

fn kims() -> Uuid {
    contract_of(customer(1, 1, 1))
}

/// A contract that Lee gets.
fn lees(n: u8) -> Uuid {
    id(Kind::Contract, 1, 1, 2, n)
}

fn place(k: u8, n: u8) -> Uuid {
    id(Kind::Place, 1, 1, k, n)
}

/// What the client's admin does, for good.
async fn done(app: &Sql, sql: &str) {
    app.enter(CLEO).await;
    app.must(&format!("{sql}; COMMIT")).await;
}

fn moves_out(on: &str) -> String {
    format!("UPDATE contracts SET to_on = '{on}' WHERE id = '{}'", kims())
}

/// Lee gets a contract at a service point.
fn moves_in(n: u8, at: Uuid, from: &str, to: &str) -> String {
    let lee = customer(1, 1, 2);
    format!(
        "INSERT INTO contracts (organization_id, client_id, customer_id, id, account_id, service_point_id, from_on, to_on, billing_anchor)
         VALUES ('{}', '{}', '{lee}', '{}', '{}', '{at}', '{from}', {to}, '{from}')",
        organization(1),
        client(1, 1),
        lees(n),
        account_of(lee)
    )
}

fn meter(meter: Uuid, at: Uuid, serial: &str, from: &str) -> String {
    format!(
        "INSERT INTO meters (organization_id, client_id, id, service_point_id, serial, kind, interval_minutes, time_zone, valid_from)
         VALUES ('{0}', '{1}', '{meter}', '{at}', '{serial}', 'interval', 60, 'Europe/Berlin', '{from}');
         INSERT INTO registers (organization_id, client_id, id, meter_id) VALUES ('{0}', '{1}', gen_random_uuid(), '{meter}')",
        organization(1),
        client(1, 1)
    )
}

/// Days of a meter's profile that are nobody's yet.
fn profile(meter: Uuid, days: &[&str]) -> String {
    let days: Vec<String> = days.iter().map(|day| format!("'{day}'")).collect();
    format!(
        "INSERT INTO interval_days (organization_id, client_id, meter_id, day, interval_minutes, wh, total_wh)
         SELECT '{}', '{}', '{meter}', d::date, 60, array_fill(100, ARRAY[24]), 2400 FROM unnest(ARRAY[{}]) d",
        organization(1),
        client(1, 1),
        days.join(", ")
    )
}

fn read(meter: Uuid, from: &str, to: &str) -> String {
    format!(
        "INSERT INTO meter_readings (organization_id, client_id, id, meter_id, register_id, read_on, figure, quality)
         SELECT '{}', '{}', gen_random_uuid(), '{meter}', r.id, v.read_on::date, v.figure, 'actual'
         FROM registers r, (VALUES ('{from}', 1096), ('{to}', 1120)) v (read_on, figure) WHERE r.meter_id = '{meter}'
             AND NOT EXISTS (SELECT FROM meter_readings b WHERE b.register_id = r.id AND b.read_on = v.read_on::date)",
        organization(1),
        client(1, 1)
    )
}

/// What somebody sees of a meter: the days of its profile, its figures that count, and the days on which they know it.
async fn sight(app: &Sql, who: Who, meter: Uuid) -> String {
    let sql = format!(
        "SELECT concat_ws('; ',
            (SELECT coalesce(string_agg(to_char(d.day, 'MM-DD'), ' ' ORDER BY d.day), 'no day') FROM interval_days d WHERE d.meter_id = '{meter}'),
            (SELECT coalesce(string_agg(to_char(r.read_on, 'MM-DD') || CASE r.why WHEN 'periodic' THEN '' ELSE ' ' || r.why END, ', '
                 ORDER BY r.read_on, r.why), 'no read')
             FROM meter_readings r WHERE r.meter_id = '{meter}' AND r.superseded_by IS NULL),
            (SELECT coalesce(string_agg(k.serial || ' ' || k.from_on || coalesce(' to ' || k.to_on, ''), ', ' ORDER BY k.from_on), 'no meter')
             FROM contract_meters k WHERE k.meter_id = '{meter}'))"
    );
    app.enter(who).await;
    let seen = app.value(&sql).await;
    app.leave().await;
    seen
}

const NOTHING: &str = "no day; no read; no meter";
const ALL: &str = "09-01 09-11 09-21 10-01 10-11 10-21 10-31; 09-01, 10-01; M-1 2024-01-01";

/// What a customer of the client asks for in every way that could tell of somebody else's days; each finds nothing.
async fn finds_nothing_else(app: &Sql, who: Who) {
    let (_, _, k) = who.place();
    let me = customer(1, 1, k);
    for sql in [
        format!("SELECT count(*) FROM interval_days WHERE customer_id IS DISTINCT FROM '{me}'"),
        format!("SELECT count(*) FROM meter_readings WHERE customer_id IS DISTINCT FROM '{me}'"),
        format!("SELECT count(*) FROM contracts WHERE customer_id <> '{me}'"),
        format!("SELECT count(*) FROM contract_meters WHERE customer_id <> '{me}'"),
        "SELECT count(*) FROM meters".to_owned(),
        "SELECT count(*) FROM service_points".to_owned(),
        "SELECT count(*) FROM superseded_interval_days".to_owned(),
        // A day of theirs that no contract of theirs has.
        "SELECT count(*) FROM interval_days d WHERE NOT EXISTS (SELECT FROM contract_meters k JOIN contracts c ON c.id = k.contract_id
            WHERE k.meter_id = d.meter_id AND c.from_on <= d.day AND (c.to_on IS NULL OR c.to_on > d.day))"
            .to_owned(),
        // A figure of theirs that neither ends nor begins a day of theirs.
        "SELECT count(*) FROM meter_readings r WHERE NOT EXISTS (SELECT FROM contract_meters k WHERE k.meter_id = r.meter_id
            AND CASE WHEN r.why IN ('opening', 'installed') THEN k.from_on <= r.read_on AND coalesce(k.to_on > r.read_on, true)
                ELSE k.from_on < r.read_on AND coalesce(k.to_on >= r.read_on, true) END)"
            .to_owned(),
        "SELECT count(*) FROM registers".to_owned(),
        // A meter known on a day that is not the contract's.
        "SELECT count(*) FROM contract_meters k JOIN contracts c ON c.id = k.contract_id
            WHERE k.from_on < c.from_on OR coalesce(k.to_on, 'infinity') > coalesce(c.to_on, 'infinity')"
            .to_owned(),
    ] {
        assert_eq!(app.count_as(who, &sql).await, 0, "{who:?} {sql}");
    }
}

#[tokio::test]
async fn attack_89_a_tenant_sees_no_day_of_who_lived_there_before_or_after() {
    let case = Case::world().await;
    let (app, portal) = (case.app().await, case.portal().await);
    assert_eq!(sight(&app, KIM, first()).await, ALL, "the positive control: while it is all Kim's");
    assert_eq!(sight(&app, LEE, first()).await, NOTHING);
    done(&app, &format!("{}; {}", moves_out("2026-10-01"), moves_in(3, place(1, 1), "2026-10-15", "NULL"))).await;
    let kim = "09-01 09-11 09-21; 09-01, 10-01 final; M-1 2024-01-01 to 2026-10-01";
    assert_eq!(sight(&app, KIM, first()).await, kim);
    assert_eq!(sight(&app, LEE, first()).await, "10-21 10-31; no read; M-1 2026-10-15");
    for who in STRANGERS {
        assert_eq!(sight(&app, who, first()).await, NOTHING, "{who:?}");
    }
    for who in [KIM, LEE] {
        finds_nothing_else(&app, who).await;
    }
    // The client's admin sees all of it, with both contracts.
    let both = "09-01 09-11 09-21 10-01 10-11 10-21 10-31; 09-01, 10-01 final, 10-01 opening; M-1 2024-01-01 to 2026-10-01, M-1 2026-10-15";
    assert_eq!(sight(&app, CLEO, first()).await, both);
    // At the portal: the file of a day is who has the day's.
    for (day, kim, lee) in [("2026-09-21", true, false), ("2026-10-11", false, false), ("2026-10-21", false, true)] {
        for (who, theirs) in [(KIM, kim), (LEE, lee)] {
            let file = portal.browser_of(who).get(&format!("/account/usage.csv?by=hour&from={day}")).await;
            assert_eq!(file.status, 200, "{who:?}");
            assert_eq!(file.body.contains("M-1"), theirs, "{who:?} {day}: {}", file.body);
        }
    }
}

#[tokio::test]
async fn attack_89_a_contract_whose_days_are_moved_takes_its_rows_along_and_no_others() {
    let case = Case::world().await;
    let app = case.app().await;
    let lee = |from: &str| format!("UPDATE contracts SET from_on = '{from}' WHERE id = '{}'", lees(3));
    done(&app, &format!("{}; {}", moves_out("2026-10-01"), moves_in(3, place(1, 1), "2026-10-01", "NULL"))).await;
    let there = "10-01 10-11 10-21 10-31; 10-01 opening; M-1 2026-10-01";
    assert_eq!(sight(&app, LEE, first()).await, there);
    // The day of the move was another one: a figure within the days of who came is theirs alone.
    done(&app, &format!("{}; {}", moves_out("2026-09-15"), lee("2026-09-15"))).await;
    assert_eq!(sight(&app, KIM, first()).await, "09-01 09-11; 09-01; M-1 2024-01-01 to 2026-09-15");
    assert_eq!(sight(&app, LEE, first()).await, "09-21 10-01 10-11 10-21 10-31; 10-01; M-1 2026-09-15");
    for who in [KIM, LEE] {
        finds_nothing_else(&app, who).await;
    }
    // And back: what was handed over comes back whole.
    done(&app, &format!("{}; {}", lee("2026-10-01"), moves_out("2026-10-01"))).await;
    let kim = "09-01 09-11 09-21; 09-01, 10-01 final; M-1 2024-01-01 to 2026-10-01";
    assert_eq!((sight(&app, KIM, first()).await.as_str(), sight(&app, LEE, first()).await.as_str()), (kim, there));
    // One that never came about gives its days back.
    let says = |status: &str| format!("UPDATE contracts SET status = '{status}' WHERE id = '{}'", lees(3));
    done(&app, &says("withdrawn")).await;
    assert_eq!(sight(&app, LEE, first()).await, NOTHING);
    done(&app, &says("agreed")).await;
    assert_eq!(sight(&app, LEE, first()).await, there, "the positive control");
    // Taken back, nothing has moved.
    app.enter(CLEO).await;
    app.must(&lee("2027-01-01")).await;
    app.leave().await;
    assert_eq!(sight(&app, LEE, first()).await, there);
}

#[tokio::test]
async fn attack_89_a_customer_moves_no_days_and_takes_no_rows() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    done(&app, &moves_out("2026-10-01")).await;
    let before = crate::writes::fingerprint(&truth).await;
    for who in
        [KIM, LEE, STRANGERS[0], STRANGERS[1], Who::Client(1, 2), Who::Client(2, 1), Who::Admin(2), Who::Staff(1)]
    {
        let mine = format!("'{}'", customer(1, 1, 1));
        for sql in [
            "UPDATE contracts SET to_on = NULL WHERE client_id = '{client}'".to_owned(),
            "UPDATE contracts SET from_on = '2020-01-01' WHERE client_id = '{client}'".to_owned(),
            format!("UPDATE interval_days SET customer_id = {mine} WHERE client_id = '{{client}}'"),
            format!("UPDATE meter_readings SET customer_id = {mine} WHERE client_id = '{{client}}'"),
            "UPDATE service_points SET address = 'Mine' WHERE client_id = '{client}'".to_owned(),
        ] {
            let sql = sql.replace("{client}", &client(1, 1).to_string());
            assert_eq!(app.as_who(who, &sql).await, Ok(0), "{who:?} {sql}");
        }
        for sql in [moves_in(3, place(1, 1), "2026-10-01", "NULL"), "DELETE FROM contracts".to_owned()] {
            assert_eq!(app.as_who(who, &sql).await.unwrap_err().code, DENIED, "{who:?} {sql}");
        }
        let known = "UPDATE contract_meters SET to_on = NULL";
        assert_eq!(app.as_who(who, known).await.unwrap_err().code, DENIED, "{who:?}");
    }
    assert_eq!(crate::writes::fingerprint(&truth).await, before);
    // The positive control: the client's admin and the organization's.
    for who in [CLEO, Who::Admin(1)] {
        let sql = format!("UPDATE contracts SET to_on = NULL WHERE id = '{}'", kims());
        assert_eq!(app.as_who(who, &sql).await, Ok(1), "{who:?}");
    }
}

#[tokio::test]
async fn attack_89_a_landlord_sees_each_service_point_on_its_own_days_alone() {
    let case = Case::world().await;
    let app = case.app().await;
    let days = ["2026-09-05", "2026-09-25", "2026-10-05", "2026-10-25"];
    // Places of a house, each with a meter and usage before anybody has a contract there.
    let meters: Vec<Uuid> = (11..=14).map(|n| id(Kind::Meter, 1, 1, 2, n)).collect();
    for (n, meter_id) in (11..=14).zip(&meters) {
        let at = place(2, n);
        let made = format!(
            "INSERT INTO service_points (organization_id, client_id, id, address, time_zone)
             VALUES ('{}', '{}', '{at}', '{n} House Lane', 'Europe/Berlin')",
            organization(1),
            client(1, 1)
        );
        let serial = format!("H-{n}");
        done(&app, &format!("{made}; {}; {}", meter(*meter_id, at, &serial, "2026-01-01"), profile(*meter_id, &days)))
            .await;
        assert_eq!(sight(&app, LEE, *meter_id).await, NOTHING, "nobody's yet");
    }
    // Before a tenant, after one, between two, and one that is not the landlord's at all.
    for sql in [
        moves_in(11, place(2, 11), "2026-09-01", "'2026-09-20'"),
        moves_in(12, place(2, 12), "2026-10-20", "NULL"),
        moves_in(13, place(2, 13), "2026-09-20", "'2026-10-20'"),
        moves_out("2026-09-20"),
        moves_in(3, place(1, 1), "2026-09-20", "'2026-10-10'"),
    ] {
        done(&app, &sql).await;
    }
    for (meter_id, seen) in meters.iter().zip([
        "09-05; no read; H-11 2026-09-01 to 2026-09-20",
        "10-25; no read; H-12 2026-10-20",
        "09-25 10-05; no read; H-13 2026-09-20 to 2026-10-20",
        NOTHING,
    ]) {
        assert_eq!(sight(&app, LEE, *meter_id).await, seen);
        assert_eq!(sight(&app, KIM, *meter_id).await, NOTHING);
        let all = sight(&app, CLEO, *meter_id).await;
        assert!(all.starts_with("09-05 09-25 10-05 10-25; "), "the positive control: {all}");
    }
    // Vacant between two tenants, the first service point is the landlord's for these days.
    assert_eq!(sight(&app, LEE, first()).await, "09-21 10-01; 10-01; M-1 2026-09-20 to 2026-10-10");
    assert_eq!(sight(&app, KIM, first()).await, "09-01 09-11; 09-01; M-1 2024-01-01 to 2026-09-20");
    // The own home is there as before.
    let home = sight(&app, LEE, id(Kind::Meter, 1, 1, 2, 1)).await;
    assert_eq!(home, ALL.replace("M-1", "M-2"));
    for who in [KIM, LEE] {
        finds_nothing_else(&app, who).await;
    }
}

#[tokio::test]
async fn attack_89_a_meter_exchanged_on_the_day_of_the_move_shows_neither_the_other_s_figures() {
    let exchange = [
        format!("UPDATE meters SET valid_to = '2026-10-11' WHERE id = '{}'", first()),
        meter(second(), place(1, 1), "M-9", "2026-10-11"),
        profile(second(), &["2026-10-11", "2026-10-21"]),
        // The day of the move is two figures, the last of the one meter and the first of the other.
        read(first(), "2026-10-01", "2026-10-11"),
        read(second(), "2026-10-11", "2026-10-31"),
    ]
    .join("; ");
    let moved = format!("{}; {}", moves_out("2026-10-11"), moves_in(3, place(1, 1), "2026-10-11", "NULL"));
    let both = format!("{exchange}; {moved}");
    // Whichever is written first; and both at once.
    for steps in [vec![&exchange, &moved], vec![&moved, &exchange], vec![&both]] {
        let case = Case::world().await;
        let (app, truth) = (case.app().await, case.superuser().await);
        let gone = format!("DELETE FROM interval_days WHERE meter_id = '{}' AND day >= '2026-10-11'", first());
        truth.must(&gone).await;
        for step in &steps {
            done(&app, step).await;
        }
        // Usage that was brought in for nobody is handed over when the contracts are looked at again.
        done(&app, &format!("UPDATE contracts SET billing_cycle = billing_cycle WHERE client_id = '{}'", client(1, 1)))
            .await;
        let kim = "09-01 09-11 09-21 10-01; 09-01, 10-01, 10-11 removed; M-1 2024-01-01 to 2026-10-11";
        assert_eq!(sight(&app, KIM, first()).await, kim);
        assert_eq!(sight(&app, KIM, second()).await, NOTHING);
        assert_eq!(sight(&app, LEE, first()).await, NOTHING);
        assert_eq!(sight(&app, LEE, second()).await, "10-11 10-21; 10-11 installed, 10-31; M-9 2026-10-11");
        for who in [KIM, LEE] {
            finds_nothing_else(&app, who).await;
        }
        let serials = "SELECT string_agg(serial, ' ' ORDER BY serial) FROM contract_meters";
        for (who, known) in [(KIM, "M-1"), (LEE, "M-2 M-9"), (CLEO, "M-1 M-2 M-9")] {
            app.enter(who).await;
            assert_eq!(app.value(serials).await, known, "{who:?}");
            app.leave().await;
        }
    }
}

#[tokio::test]
async fn attack_89_vacant_days_belong_to_nobody_but_the_client() {
    let case = Case::world().await;
    let app = case.app().await;
    done(&app, &moves_out("2026-09-15")).await;
    let vacant = "SELECT count(*) FROM interval_days WHERE customer_id IS NULL";
    for who in Who::all().into_iter().filter(|who| matches!(who, Who::Customer(..))) {
        assert_eq!(app.count_as(who, vacant).await, 0, "{who:?}");
    }
    for who in [Who::Client(1, 2), Who::Client(2, 1), Who::Admin(2), Who::Staff(2), Who::Staff(0), Who::Consultant(2)] {
        assert_eq!(app.count_as(who, vacant).await, 0, "{who:?}");
    }
    // The positive control: the client, its organization, and staff who look there.
    for who in [CLEO, Who::Admin(1), Who::Staff(1), Who::Consultant(1)] {
        assert_eq!(app.count_as(who, vacant).await, 5, "{who:?}");
    }
    // The figure of October is nobody's as the days around it are, with the one that it took the place of; on the last day of
    // Kim's there is one of Kim's and one that begins nobody's days.
    let reads = "SELECT count(*) FROM meter_readings WHERE customer_id IS NULL";
    assert_eq!(app.count_as(CLEO, reads).await, 2);
    assert_eq!(sight(&app, KIM, first()).await, "09-01 09-11; 09-01; M-1 2024-01-01 to 2026-09-15");
    done(&app, &moves_out("2026-09-01")).await;
    assert_eq!(app.count_as(CLEO, reads).await, 3);
    assert_eq!(app.count_as(CLEO, vacant).await, 7);
    assert_eq!(sight(&app, KIM, first()).await, "no day; 09-01 final; M-1 2024-01-01 to 2026-09-01");
    assert_eq!(sight(&app, LEE, first()).await, NOTHING);
    // What was billed of these days stays the customer's to read.
    let bill = "SELECT count(*) FROM invoices WHERE status <> 'draft' AND period_from = '2026-09-01'";
    assert_eq!(app.count_as(KIM, bill).await, 1);
}

/// What `portal check` says of usage: how many rows it looked at, or what is wrong.
fn checked(case: &Case) -> Vec<String> {
    let url = case.connected.admin_url().to_owned();
    let found = apart(async { control::check(&url).await }).unwrap();
    found.into_iter().map(|finding| finding.message).collect()
}

#[tokio::test]
async fn attack_89_a_row_that_was_given_to_somebody_else_by_hand_is_named_by_the_check() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let fine = "80 days and figures; each carries the customer whose contract has it";
    assert_eq!(checked(&case), [fine]);
    done(&app, &format!("{}; {}", moves_out("2026-09-21"), moves_in(3, place(1, 1), "2026-10-15", "NULL"))).await;
    assert_eq!(checked(&case), [fine], "who moves takes their days along");
    let (kim, lee) = (customer(1, 1, 1), customer(1, 1, 2));
    let day = |day: &str, to: &str| {
        format!("UPDATE interval_days SET customer_id = {to} WHERE meter_id = '{}' AND day = '{day}'", first())
    };
    let reads =
        |to: &str| format!("UPDATE meter_readings SET {to} WHERE meter_id = '{}' AND read_on = '2026-09-01'", first());
    for (sql, told) in [
        (
            day("2026-09-11", &format!("'{lee}'")),
            format!(
                "the day 2026-09-11 of meter M-1 carries the customer {lee}, but by the contracts it is the customer {kim}'s."
            ),
        ),
        (
            day("2026-10-01", &format!("'{kim}'")),
            format!("the day 2026-10-01 of meter M-1 carries the customer {kim}, but by the contracts it is nobody's."),
        ),
        (
            day("2026-10-21", "NULL"),
            format!(
                "the day 2026-10-21 of meter M-1 carries no customer, but by the contracts it is the customer {lee}'s."
            ),
        ),
        (
            reads(&format!("customer_id = '{lee}'")),
            format!(
                "the reading of 2026-09-01 on meter M-1 carries the customer {lee}, but by the contracts it is the customer {kim}'s."
            ),
        ),
        (
            reads("why = 'removed'"),
            "the reading of 2026-09-01 on meter M-1 stands as removed, but by the contracts it is periodic.".to_owned(),
        ),
    ] {
        truth.must(&sql).await;
        let found = checked(&case);
        assert!(found.len() == 1 && found[0].starts_with(&format!("Client client-1 of org-1: {told}")), "{found:#?}");
        // What it says mends it: a contract there that is saved once more.
        done(&app, &format!("UPDATE contracts SET billing_cycle = billing_cycle WHERE id = '{}'", kims())).await;
        assert_eq!(checked(&case), [fine], "{sql}");
    }
    truth.must(&format!("UPDATE interval_days SET customer_id = '{lee}' WHERE meter_id = '{}'", first())).await;
    let found = checked(&case);
    assert!(
        found.len() == 1 && found[0].contains("the day 2026-09-01 ") && found[0].contains(", the first of 5."),
        "{found:#?}"
    );
}
