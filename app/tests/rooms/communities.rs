//! Energy communities and their members.

use chrono::NaiveDate;
use eis::parties::communities::members::{self, NewMember, Role};
use eis::parties::communities::{self, Fields, Sharing, Violation};
use eis::values::ids::{CommunityId, CommunityMemberId, CustomerId};
use eis::values::texts::TextFault;

use crate::support::database::Case;
use crate::support::world::{Kind, Who, customer, id};
use crate::{CLEO, at, at_once, because, done, here, kim, records, tx};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn fields(name: &str, from: &str, to: Option<&str>) -> Fields {
    Fields { name: name.to_owned(), sharing: Sharing::Fixed, starts_on: day(from), ends_on: to.map(day) }
}

fn member(k: u8, share: &str, from: &str, to: Option<&str>) -> NewMember {
    let customer = CustomerId(customer(1, 1, k));
    NewMember {
        customer,
        role: Role::Consumer,
        share: share.parse().unwrap(),
        valid_from: day(from),
        valid_to: to.map(day),
    }
}

/// The world's: it begins with 2026, and its two customers share four tenths each.
fn mill_lane() -> CommunityId {
    CommunityId(id(Kind::Community, 1, 1, 0, 1))
}

fn of_kim() -> CommunityMemberId {
    CommunityMemberId(id(Kind::Membership, 1, 1, 1, 1))
}

#[tokio::test]
async fn a_community_is_made_and_its_members_come_and_go_on_record() {
    let case = Case::world().await;
    let (db, truth, cleo) = (case.db(2), case.superuser().await, CLEO.actor());
    let made =
        done!(db, cleo, |tx| communities::create(&mut tx, &cleo, &fields(" Roofs ", "2026-01-01", None))).unwrap();
    let one =
        done!(db, cleo, |tx| members::add(&mut tx, &cleo, made, &member(1, "0.7", "2026-01-01", Some("2026-07-01"))))
            .unwrap();
    done!(db, cleo, |tx| members::add(&mut tx, &cleo, made, &member(2, "0.3", "2026-01-01", None))).unwrap();
    // The same customer from the day on which the first ends, with another key.
    done!(db, cleo, |tx| members::add(&mut tx, &cleo, made, &member(1, "0.5", "2026-07-01", None))).unwrap();
    done!(db, cleo, |tx| members::end(&mut tx, &cleo, (made, one), Some(day("2026-06-01")))).unwrap();
    let reading = tx(&db, &cleo).await;
    let rows = members::list(&reading, &here(&cleo), made).await.unwrap();
    let ends: Vec<_> = rows.iter().filter(|row| row.customer_id == kim()).map(|row| row.valid_to).collect();
    assert_eq!(ends, [Some(day("2026-06-01")), None]);
    assert_eq!(communities::find(&reading, &here(&cleo), made).await.unwrap().unwrap().name, "Roofs");
    assert_eq!(communities::list(&reading, &here(&cleo)).await.unwrap().len(), 2);
    drop(reading);
    assert_eq!(because(done!(db, cleo, |tx| communities::delete(&mut tx, &cleo, made))), [Violation::HasMembers(3)]);
    for row in rows {
        done!(db, cleo, |tx| members::remove(&mut tx, &cleo, (made, row.id))).unwrap();
    }
    done!(db, cleo, |tx| communities::update(&mut tx, &cleo, made, &fields("Roofs", "2026-01-01", Some("2027-01-01"))))
        .unwrap();
    done!(db, cleo, |tx| communities::delete(&mut tx, &cleo, made)).unwrap();
    let all =
        "create add_member add_member add_member end_member remove_member remove_member remove_member update delete";
    assert_eq!(records(&truth, "community").await, all);
}

#[tokio::test]
async fn every_rule_of_a_community_is_told() {
    let case = Case::world().await;
    let (db, cleo, sam) = (case.db(2), CLEO.actor(), at(Who::Staff(1), 1));
    let bad = fields("", "2026-02-01", Some("2026-02-01"));
    let both = [Violation::Name(TextFault::Missing), Violation::EndsBeforeStart];
    assert_eq!(because(done!(db, cleo, |tx| communities::create(&mut tx, &cleo, &bad))), both);
    assert_eq!(because(done!(db, cleo, |tx| communities::update(&mut tx, &cleo, mill_lane(), &bad))), both);
    let taken = fields("MILL LANE", "2026-01-01", None);
    assert_eq!(because(done!(db, cleo, |tx| communities::create(&mut tx, &cleo, &taken))), [Violation::NameTaken]);
    let made = done!(db, cleo, |tx| communities::create(&mut tx, &cleo, &fields("Roofs", "2026-01-01", None))).unwrap();
    assert_eq!(
        because(done!(db, cleo, |tx| communities::update(&mut tx, &cleo, made, &taken))),
        [Violation::NameTaken]
    );
    let good = fields("x", "2026-01-01", None);
    assert_eq!(because(done!(db, sam, |tx| communities::create(&mut tx, &sam, &good))), [Violation::MayNotWrite]);
    for (from, to) in [("2026-01-02", None), ("2026-01-01", Some("2027-01-01"))] {
        let narrow = fields("Mill Lane", from, to);
        let update = done!(db, cleo, |tx| communities::update(&mut tx, &cleo, mill_lane(), &narrow));
        let outside =
            |k| Violation::MemberOutside { customer: CustomerId(customer(1, 1, k)), from: day("2026-01-01"), to: None };
        assert_eq!(because(update), [outside(1)], "{from}");
    }
    for there in [CommunityId(id(Kind::Community, 1, 2, 0, 1)), CommunityId::fresh()] {
        assert_eq!(
            because(done!(db, cleo, |tx| communities::update(&mut tx, &cleo, there, &good))),
            [Violation::NotThere]
        );
        assert_eq!(because(done!(db, cleo, |tx| communities::delete(&mut tx, &cleo, there))), [Violation::NotThere]);
    }
}

#[tokio::test]
async fn every_rule_of_a_member_is_told() {
    use members::Violation::*;
    let case = Case::world().await;
    let (db, cleo) = (case.db(2), CLEO.actor());
    let ended = fields("Roofs", "2026-01-01", Some("2027-01-01"));
    let made = done!(db, cleo, |tx| communities::create(&mut tx, &cleo, &ended)).unwrap();
    let outside = OutsideCommunity { from: day("2026-01-01"), to: Some(day("2027-01-01")) };
    let year = Some("2027-01-01");
    let producer = NewMember { role: Role::Producer, ..member(1, "0.1", "2026-01-01", year) };
    for (new, violations) in [
        (member(1, "1.1", "2026-01-01", year), vec![ShareOutOfRange]),
        (member(1, "-0.1", "2026-01-01", year), vec![ShareOutOfRange]),
        (member(1, "0.1234567", "2026-01-01", year), vec![ShareDecimals(6)]),
        (producer, vec![ShareOfProducer]),
        (member(1, "0.1", "2026-03-01", Some("2026-03-01")), vec![EndsBeforeStart]),
        (member(1, "0.1", "2025-12-31", year), vec![outside.clone()]),
        (member(1, "0.1", "2026-01-01", None), vec![outside.clone()]),
        (
            NewMember { customer: CustomerId(customer(1, 2, 1)), ..member(1, "0.1", "2026-01-01", year) },
            vec![NoCustomer],
        ),
    ] {
        assert_eq!(because(done!(db, cleo, |tx| members::add(&mut tx, &cleo, made, &new))), violations, "{new:?}");
    }
    let early =
        done!(db, cleo, |tx| members::add(&mut tx, &cleo, made, &member(1, "0.6", "2026-01-01", Some("2026-03-01"))))
            .unwrap();
    let overlaps = member(1, "0.1", "2026-02-28", year);
    assert_eq!(because(done!(db, cleo, |tx| members::add(&mut tx, &cleo, made, &overlaps))), [Overlaps]);
    let exceed = SharesExceed { on: day("2026-02-01"), sum: "1.1".parse().unwrap() };
    let greedy = member(2, "0.5", "2026-02-01", year);
    assert_eq!(because(done!(db, cleo, |tx| members::add(&mut tx, &cleo, made, &greedy))), [exceed]);
    done!(db, cleo, |tx| members::add(&mut tx, &cleo, made, &member(2, "0.5", "2026-03-01", year))).unwrap();
    // Prolonged over the other's days.
    let exceed = SharesExceed { on: day("2026-03-01"), sum: "1.1".parse().unwrap() };
    let end = |to: &str| Some(day(to));
    assert_eq!(because(done!(db, cleo, |tx| members::end(&mut tx, &cleo, (made, early), end("2026-03-02")))), [exceed]);
    assert_eq!(
        because(done!(db, cleo, |tx| members::end(&mut tx, &cleo, (made, early), end("2026-01-01")))),
        [EndsBeforeStart]
    );
    assert_eq!(because(done!(db, cleo, |tx| members::end(&mut tx, &cleo, (made, early), None))), [outside]);
    let other = (made, of_kim());
    assert_eq!(
        because(done!(db, cleo, |tx| members::end(&mut tx, &cleo, other, None))),
        [NotThere],
        "of another community"
    );
    assert_eq!(because(done!(db, cleo, |tx| members::remove(&mut tx, &cleo, other))), [NotThere]);
    let foreign = CommunityId(id(Kind::Community, 2, 1, 0, 1));
    assert_eq!(because(done!(db, cleo, |tx| members::add(&mut tx, &cleo, foreign, &overlaps))), [NoCommunity]);
    assert_eq!(because(done!(db, cleo, |tx| members::end(&mut tx, &cleo, (foreign, early), None))), [NoCommunity]);
    assert_eq!(because(done!(db, cleo, |tx| members::remove(&mut tx, &cleo, (foreign, early)))), [NoCommunity]);
}

#[tokio::test]
async fn of_two_at_once_the_second_counts_the_first_s_key_and_days() {
    let case = Case::world().await;
    let (db, cleo) = (case.db(4), CLEO.actor());
    let made = done!(db, cleo, |tx| communities::create(&mut tx, &cleo, &fields("Roofs", "2026-01-01", None))).unwrap();
    let (a, b) = (member(1, "0.6", "2026-01-01", None), member(2, "0.6", "2026-01-01", None));
    let (one, two) =
        at_once!(db, cleo, |tx| members::add(&mut tx, &cleo, made, &a), members::add(&mut tx, &cleo, made, &b));
    assert_ne!(one.is_ok(), two.is_ok(), "{one:?} {two:?}");
    let refused = if one.is_ok() { because(two) } else { because(one) };
    let exceed = members::Violation::SharesExceed { on: day("2026-01-01"), sum: "1.2".parse().unwrap() };
    assert_eq!(refused, [exceed]);
    // The days of one customer, whoever writes.
    let app = case.app().await;
    let copy = "INSERT INTO community_members SELECT organization_id, client_id, gen_random_uuid(), community_id, customer_id, role, 0, valid_from + 1 FROM community_members";
    assert_eq!(app.as_who(CLEO, copy).await.unwrap_err().code, "23P01");
    let (a, b) = (fields("Twin", "2026-01-01", None), fields("TWIN", "2026-01-01", None));
    let (one, two) =
        at_once!(db, cleo, |tx| communities::create(&mut tx, &cleo, &a), communities::create(&mut tx, &cleo, &b));
    assert_ne!(one.is_ok(), two.is_ok(), "{one:?} {two:?}");
    assert_eq!(if one.is_ok() { because(two) } else { because(one) }, [Violation::NameTaken]);
}
