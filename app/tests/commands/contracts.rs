//! Contracts: made, changed, ended; and that the usage of their days goes with them.

use eis::parties::contracts::{self, At, ContractError, ContractFields, Violation};
use eis::parties::service_points;
use eis::values::days::Unlikely;
use eis::values::ids::{AccountId, ContractId, CustomerId, ServicePointId};
use eis::values::texts::TextFault;

use super::support::database::Case;
use super::support::sql::Sql;
use super::support::world::{Kind, account_of, client, contract_of, customer, id, organization};
use super::{day, on_record, today, too_late, violations, writing};

/// A customer of the first client: the first lives at the first service point, the second at the second.
fn who(k: u8) -> CustomerId {
    CustomerId(customer(1, 1, k))
}

fn contract(k: u8) -> ContractId {
    ContractId(contract_of(customer(1, 1, k)))
}

fn place(o: u8, c: u8, k: u8) -> ServicePointId {
    ServicePointId(id(Kind::Place, o, c, k, 1))
}

fn there(k: u8) -> At {
    At::Known(place(1, 1, k))
}

/// A contract billed to the main account of a customer.
fn fields(k: u8, from: &str, to: Option<&str>) -> ContractFields {
    ContractFields {
        account_id: AccountId(account_of(customer(1, 1, k))),
        from_on: day(from),
        to_on: to.map(day),
        status: "agreed".to_owned(),
        billing_cycle: 1,
        billing_anchor: day(from),
        billing_from: None,
    }
}

fn wrong(change: impl Fn(&mut ContractFields)) -> ContractFields {
    let mut fields = fields(1, "2026-01-01", None);
    change(&mut fields);
    fields
}

/// The first customer moves out of the first service point.
async fn moved_out(looker: &Sql, on: &str) {
    looker.must(&format!("UPDATE contracts SET to_on = '{on}' WHERE id = '{}'", contract(1))).await;
}

#[tokio::test]
async fn what_a_contract_may_not_be_is_told_all_at_once_and_nothing_is_written() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let late = too_late();
    let unlikely = Unlikely::After(today().checked_add_months(chrono::Months::new(24)).unwrap());
    let another_s = AccountId(account_of(customer(1, 1, 2)));
    let own = [
        (wrong(|f| f.from_on = late), vec![Violation::From(unlikely)]),
        (wrong(|f| f.to_on = Some(late)), vec![Violation::To(unlikely)]),
        (wrong(|f| f.to_on = Some(f.from_on)), vec![Violation::EndsBeforeItBegins]),
        (wrong(|f| f.billing_cycle = 5), vec![Violation::Cycle(5)]),
        (wrong(|f| f.billing_from = f.from_on.pred_opt()), vec![Violation::BilledFrom]),
        (
            wrong(|f| {
                f.to_on = Some(f.from_on + chrono::Days::new(9));
                f.billing_from = f.to_on;
            }),
            vec![Violation::BilledFrom],
        ),
        (wrong(|f| f.account_id = another_s), vec![Violation::Account]),
        (wrong(|f| f.account_id = AccountId::fresh()), vec![Violation::Account]),
        (
            wrong(|f| {
                f.from_on = late;
                f.to_on = Some(day("2026-01-01"));
                f.billing_cycle = 0;
                f.account_id = another_s;
            }),
            vec![Violation::From(unlikely), Violation::EndsBeforeItBegins, Violation::Cycle(0), Violation::Account],
        ),
    ];
    for (fields, expected) in own {
        let mut tx = writing(&db).await;
        let new = At::New("9 New Lane".to_owned());
        assert_eq!(violations(contracts::create(&mut tx, who(1), &new, &fields).await), expected);
        assert_eq!(violations(contracts::update(&mut tx, who(1), contract(1), &fields).await), expected);
        tx.commit().await.unwrap();
    }
    let nowhere = service_points::Violation::Address(TextFault::Missing);
    for (at, expected) in [
        (At::Known(place(1, 2, 1)), Violation::NoPlace),
        (At::Known(place(2, 1, 1)), Violation::NoPlace),
        (At::Known(ServicePointId::fresh()), Violation::NoPlace),
        (At::New("  ".to_owned()), Violation::Place(nowhere)),
        (there(2), Violation::Overlaps(day("2024-01-01"), None)),
        (there(1), Violation::Overlaps(day("2024-01-01"), None)),
    ] {
        let mut tx = writing(&db).await;
        let made = contracts::create(&mut tx, who(1), &at, &fields(1, "2026-01-01", None)).await;
        assert_eq!(violations(made), [expected], "{at:?}");
        tx.commit().await.unwrap();
    }
    for foreign in [customer(1, 2, 1), customer(2, 1, 1)] {
        let (theirs, at) = (ContractId(contract_of(foreign)), CustomerId(foreign));
        let mut tx = writing(&db).await;
        let new = At::New("9 New Lane".to_owned());
        let made = contracts::create(&mut tx, at, &new, &fields(1, "2026-01-01", None)).await;
        assert!(matches!(made, Err(ContractError::NotFound)), "{made:?}");
        for (of, contract) in [(at, theirs), (who(1), theirs), (at, contract(1)), (who(2), contract(1))] {
            let refused = contracts::update(&mut tx, of, contract, &fields(1, "2024-01-01", None)).await;
            assert!(matches!(refused, Err(ContractError::NotFound)), "{refused:?}");
        }
    }
    assert_eq!(looker.count("SELECT count(*) FROM contracts").await, 8);
    assert_eq!(looker.count("SELECT count(*) FROM service_points").await, 8);
    let records = "SELECT count(*) FROM audit_log WHERE entity IN ('contract', 'service_point')";
    assert_eq!(looker.count(records).await, 0);
}

#[tokio::test]
async fn a_closed_account_is_billed_for_days_that_are_over_alone() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    looker.must(&format!("UPDATE accounts SET status = 'closed' WHERE id = '{}'", account_of(customer(1, 1, 1)))).await;
    moved_out(&looker, "2026-06-01").await;
    let mut tx = writing(&db).await;
    let made = contracts::create(&mut tx, who(1), &there(1), &fields(1, "2026-07-01", None)).await;
    assert_eq!(violations(made), [Violation::Account]);
    let over = fields(1, "2026-07-01", Some("2026-08-01"));
    contracts::create(&mut tx, who(1), &there(1), &over).await.unwrap();
}

#[tokio::test]
async fn a_contract_at_a_new_address_makes_its_place_and_each_step_is_on_record() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let mut tx = writing(&db).await;
    let new = At::New("9 New Lane".to_owned());
    let made = contracts::create(&mut tx, who(1), &new, &fields(1, "2026-10-01", None)).await.unwrap();
    let ends = fields(1, "2026-10-01", Some("2026-11-01"));
    contracts::update(&mut tx, who(1), made, &ends).await.unwrap();
    tx.commit().await.unwrap();
    let row = format!(
        "SELECT concat_ws(' ', c.address, s.address, s.time_zone, c.from_on, c.to_on, c.billing_anchor)
         FROM contracts c JOIN service_points s ON s.id = c.service_point_id WHERE c.id = '{made}'"
    );
    let expected = "9 New Lane 9 New Lane Europe/Berlin 2026-10-01 2026-11-01 2026-10-01";
    assert_eq!(looker.value(&row).await, expected);
    let told = [
        "create Made a contract of Customer 111 from 2026-10-01",
        "update Changed a contract of Customer 111 from 2026-10-01 until 2026-11-01",
    ];
    assert_eq!(on_record(&looker, "contract").await, told.map(|line| format!("Cleo Client 11 {line}")));
    let told = ["Cleo Client 11 create Made service point 9 New Lane"];
    assert_eq!(on_record(&looker, "service_point").await, told);
}

#[tokio::test]
async fn one_contract_has_a_day_and_one_that_was_withdrawn_has_none() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let mut tx = writing(&db).await;
    contracts::update(&mut tx, who(1), contract(1), &fields(1, "2024-01-01", Some("2026-06-01"))).await.unwrap();
    let next = contracts::create(&mut tx, who(2), &there(1), &fields(2, "2026-07-01", None)).await.unwrap();
    tx.commit().await.unwrap();
    for (to, expected) in [
        (None, Some(Violation::Overlaps(day("2026-07-01"), None))),
        (Some("2026-07-02"), Some(Violation::Overlaps(day("2026-07-01"), None))),
        (Some("2026-07-01"), None),
    ] {
        let mut tx = writing(&db).await;
        let done = contracts::update(&mut tx, who(1), contract(1), &fields(1, "2024-01-01", to)).await;
        match expected {
            Some(expected) => assert_eq!(violations(done), [expected], "{to:?}"),
            None => done.unwrap(),
        }
    }
    // Withdrawn, it stands in nobody's way; and comes back only where nobody else is.
    let withdrawn = ContractFields { status: "withdrawn".to_owned(), ..fields(2, "2026-07-01", None) };
    let mut tx = writing(&db).await;
    contracts::update(&mut tx, who(2), next, &withdrawn).await.unwrap();
    contracts::update(&mut tx, who(1), contract(1), &fields(1, "2024-01-01", None)).await.unwrap();
    let again = contracts::update(&mut tx, who(2), next, &fields(2, "2026-07-01", None)).await;
    assert_eq!(violations(again), [Violation::Overlaps(day("2024-01-01"), None)]);
    tx.commit().await.unwrap();
    let agreed = format!(
        "SELECT string_agg(from_on || ' ' || status, ', ' ORDER BY from_on) FROM contracts WHERE service_point_id = '{}'",
        place(1, 1, 1)
    );
    assert_eq!(looker.value(&agreed).await, "2024-01-01 agreed, 2026-07-01 withdrawn");
}

#[tokio::test]
async fn of_two_contracts_made_at_once_at_one_service_point_one_is() {
    let case = Case::world().await;
    let (db, looker) = (case.db(4), case.superuser().await);
    moved_out(&looker, "2026-06-01").await;
    let make = async |k: u8| {
        let mut tx = writing(&db).await;
        let made = contracts::create(&mut tx, who(k), &there(1), &fields(k, "2026-07-01", None)).await;
        if made.is_ok() {
            tx.commit().await.unwrap();
        }
        made
    };
    let (one, two) = tokio::join!(make(1), make(2));
    let lost = if one.is_ok() { two } else { one };
    assert_eq!(violations(lost), [Violation::Overlaps(day("2026-07-01"), None)]);
    let made = "SELECT count(*) FROM contracts WHERE from_on = '2026-07-01'";
    assert_eq!(looker.count(made).await, 1);
}

#[tokio::test]
async fn of_two_contracts_moved_towards_each_other_at_once_one_is() {
    let case = Case::world().await;
    let (db, looker) = (case.db(4), case.superuser().await);
    moved_out(&looker, "2026-06-01").await;
    let mut tx = writing(&db).await;
    let next = contracts::create(&mut tx, who(2), &there(1), &fields(2, "2026-08-01", None)).await.unwrap();
    tx.commit().await.unwrap();
    let change = async |k: u8, id: ContractId, fields: ContractFields| {
        let mut tx = writing(&db).await;
        let done = contracts::update(&mut tx, who(k), id, &fields).await;
        if done.is_ok() {
            tx.commit().await.unwrap();
        }
        done
    };
    let (one, two) = tokio::join!(
        change(1, contract(1), fields(1, "2024-01-01", Some("2026-07-15"))),
        change(2, next, fields(2, "2026-07-01", None))
    );
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    let lost = if one.is_ok() { two } else { one };
    assert!(matches!(violations(lost)[..], [Violation::Overlaps(..)]));
}

#[tokio::test]
async fn days_taken_meanwhile_beside_the_lock_are_told() {
    let case = Case::world().await;
    let (db, looker, other) = (case.db(2), case.superuser().await, case.superuser().await);
    moved_out(&looker, "2026-06-01").await;
    // By the constraint alone: without triggers nothing holds the service point.
    other.must("SET session_replication_role = replica").await;
    let taken = format!(
        "INSERT INTO contracts (organization_id, client_id, customer_id, id, account_id, service_point_id, from_on, billing_anchor)
         VALUES ('{}', '{}', '{}', gen_random_uuid(), '{}', '{}', '2026-07-01', '2026-07-01')",
        organization(1),
        client(1, 1),
        who(2),
        account_of(customer(1, 1, 2)),
        place(1, 1, 1)
    );
    other.must(&format!("BEGIN; {taken}")).await;
    let make = async {
        let mut tx = writing(&db).await;
        contracts::create(&mut tx, who(1), &there(1), &fields(1, "2026-08-01", None)).await
    };
    let commit = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        other.must("COMMIT").await;
    };
    let (made, ()) = tokio::join!(make, commit);
    assert_eq!(violations(made), [Violation::TakenMeanwhile]);
}

/// Whose each day of the first service point's profile is: the last digit of the customer's name, or nobody's.
async fn whose(looker: &Sql) -> String {
    let sql = format!(
        "SELECT string_agg(to_char(d.day, 'MM-DD') || ' ' || coalesce(right(c.name, 1), 'nobody'), ', ' ORDER BY d.day)
         FROM interval_days d LEFT JOIN customers c ON c.id = d.customer_id WHERE d.meter_id = '{}'",
        id(Kind::Meter, 1, 1, 1, 1)
    );
    looker.value(&sql).await
}

/// The same of its figures, those superseded too.
async fn whose_reads(looker: &Sql) -> String {
    let sql = format!(
        "SELECT string_agg(concat_ws(' ', to_char(r.read_on, 'MM-DD'), CASE WHEN r.superseded_by IS NOT NULL THEN 'before' END,
                nullif(r.why, 'periodic'), coalesce(right(c.name, 1), 'nobody')), ', '
             ORDER BY r.read_on, r.superseded_by IS NOT NULL, r.why)
         FROM meter_readings r LEFT JOIN customers c ON c.id = r.customer_id WHERE r.meter_id = '{}'",
        id(Kind::Meter, 1, 1, 1, 1)
    );
    looker.value(&sql).await
}

const ALL_THE_FIRST_S: &str = "09-01 1, 09-11 1, 09-21 1, 10-01 1, 10-11 1, 10-21 1, 10-31 1";

#[tokio::test]
async fn usage_changes_hands_with_the_days_of_contracts_in_the_same_transaction() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let bill = format!("SELECT md5(i::text) FROM invoices i WHERE id = '{}'", id(Kind::Invoice, 1, 1, 1, 1));
    let issued = looker.value(&bill).await;
    let first = async |to: Option<&str>| {
        let mut tx = writing(&db).await;
        contracts::update(&mut tx, who(1), contract(1), &fields(1, "2024-01-01", to)).await.unwrap();
        tx
    };
    // Not committed, nothing changes hands.
    drop(first(Some("2026-10-01")).await);
    assert_eq!(whose(&looker).await, ALL_THE_FIRST_S);
    first(Some("2026-10-01")).await.commit().await.unwrap();
    let vacant = "09-01 1, 09-11 1, 09-21 1, 10-01 nobody, 10-11 nobody, 10-21 nobody, 10-31 nobody";
    assert_eq!(whose(&looker).await, vacant);
    let mut tx = writing(&db).await;
    let next = contracts::create(&mut tx, who(2), &there(1), &fields(2, "2026-10-15", None)).await.unwrap();
    tx.commit().await.unwrap();
    let moved_in = "09-01 1, 09-11 1, 09-21 1, 10-01 nobody, 10-11 nobody, 10-21 2, 10-31 2";
    assert_eq!(whose(&looker).await, moved_in);
    let second = async |from: &str| {
        let mut tx = writing(&db).await;
        contracts::update(&mut tx, who(2), next, &fields(2, from, None)).await.unwrap();
        tx.commit().await.unwrap();
    };
    second("2026-10-01").await;
    assert_eq!(whose(&looker).await, "09-01 1, 09-11 1, 09-21 1, 10-01 2, 10-11 2, 10-21 2, 10-31 2");
    let parted = "09-01 1, 10-01 final 1, 10-01 opening 2, 10-01 before 1";
    assert_eq!(whose_reads(&looker).await, parted, "the figure of the day of the move is both's");
    // Within the days of one it is theirs alone, and the second one is put aside.
    first(Some("2026-09-15")).await.commit().await.unwrap();
    second("2026-09-15").await;
    assert_eq!(whose(&looker).await, "09-01 1, 09-11 1, 09-21 2, 10-01 2, 10-11 2, 10-21 2, 10-31 2");
    assert_eq!(whose_reads(&looker).await, "09-01 1, 10-01 2, 10-01 before opening 2, 10-01 before 2");
    // The issued bill stays as it is, and its days that changed hands are told.
    assert_eq!(looker.value(&bill).await, issued);
    let told = format!(
        "SELECT string_agg(e.message, '; ') FROM billing_exceptions e JOIN billing_periods p ON p.id = e.billing_period_id
         WHERE e.kind = 'usage_changed' AND p.contract_id = '{}'",
        contract(1)
    );
    let told = looker.value(&told).await;
    assert_eq!(told, "Usage changed after invoice INV-2026-1: values of 2026-09-21 have changed hands.");
    // And back.
    second("2026-11-01").await;
    first(Some("2026-11-01")).await.commit().await.unwrap();
    assert_eq!(whose(&looker).await, ALL_THE_FIRST_S);
    assert_eq!(whose_reads(&looker).await, "09-01 1, 10-01 1, 10-01 before opening 1, 10-01 before 1");
}

#[tokio::test]
async fn a_contract_knows_the_meters_of_its_days() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let known = format!(
        "SELECT string_agg(concat_ws(' ', right(c.name, 1), k.serial, k.from_on, k.to_on, k.address), ', ' ORDER BY k.from_on, k.serial)
         FROM contract_meters k JOIN customers c ON c.id = k.customer_id WHERE k.meter_id = '{}'",
        id(Kind::Meter, 1, 1, 1, 1)
    );
    assert_eq!(looker.value(&known).await, "1 M-1 2024-01-01 1 Mill Lane");
    let mut tx = writing(&db).await;
    contracts::update(&mut tx, who(1), contract(1), &fields(1, "2024-01-01", Some("2026-10-01"))).await.unwrap();
    let next = contracts::create(&mut tx, who(2), &there(1), &fields(2, "2026-10-15", None)).await.unwrap();
    tx.commit().await.unwrap();
    let both = "1 M-1 2024-01-01 2026-10-01 1 Mill Lane, 2 M-1 2026-10-15 1 Mill Lane";
    assert_eq!(looker.value(&known).await, both);
    let mut tx = writing(&db).await;
    let withdrawn = ContractFields { status: "withdrawn".to_owned(), ..fields(2, "2026-10-15", None) };
    contracts::update(&mut tx, who(2), next, &withdrawn).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(looker.value(&known).await, "1 M-1 2024-01-01 2026-10-01 1 Mill Lane");
}
