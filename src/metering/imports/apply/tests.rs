use super::*;
use crate::values::ids::{ClientId, CustomerId, OrganizationId};

fn row(values: &[Option<i32>]) -> IntervalDay {
    IntervalDay {
        organization_id: OrganizationId::fresh(),
        client_id: ClientId::fresh(),
        customer_id: Some(CustomerId::fresh()),
        meter_id: MeterId::fresh(),
        day: "2026-01-01".parse().unwrap(),
        interval_minutes: 60,
        wh: values.to_vec(),
        flags: None,
        total_wh: 0,
        import_id: None,
    }
}

fn file(values: &[i32], flags: Option<&[u8]>) -> DayUsage {
    DayUsage { date: "2026-01-01".parse().unwrap(), values: values.to_vec(), flags: flags.map(<[u8]>::to_vec) }
}

const fn counts(accepted: u64, unchanged: u64, superseded: u64) -> Counts {
    Counts { accepted, unchanged, superseded }
}

#[test]
fn a_new_day_is_accepted_value_by_value() {
    let (merged, found) = merge(&row(&[]), &file(&[1, 2, 0], Some(&[0, 1, 255])), false).unwrap();
    assert_eq!(found, counts(2, 0, 0));
    assert_eq!(merged.flags, Some(vec![0, 1, 255]));
}

#[test]
fn the_same_value_again_changes_nothing() {
    assert_eq!(merge(&row(&[Some(1), Some(2)]), &file(&[1, 2], None), false).unwrap().1, counts(0, 2, 0));
}

#[test]
fn a_changed_value_supersedes_and_a_gap_in_the_file_keeps_what_is_there() {
    let (merged, found) = merge(&row(&[Some(1), Some(2), None]), &file(&[9, 0, 3], Some(&[0, 255, 0])), false).unwrap();
    assert_eq!(found, counts(1, 0, 1));
    assert_eq!((merged.values, merged.flags), (vec![9, 2, 3], None));
}

#[test]
fn an_actual_value_replaces_an_estimated_one_of_the_same_size() {
    let mut kept = row(&[Some(5)]);
    kept.flags = Some(vec![Some(1)]);
    assert_eq!(merge(&kept, &file(&[5], None), false).unwrap().1, counts(0, 0, 1));
}

#[test]
fn a_file_sent_again_only_fills_in_what_is_missing() {
    let (merged, found) = merge(&row(&[Some(7), None]), &file(&[1, 2], None), true).unwrap();
    assert_eq!(found, counts(1, 1, 0));
    assert_eq!(merged.values, [7, 2]);
}
