use super::*;
use crate::ids::{CustomerId, MeterId};
use crate::usage::Direction;

fn meter(serial: &str, direction: &str, minutes: i16) -> Meter {
    Meter {
        organization_id: OrganizationId::fresh(),
        client_id: ClientId::fresh(),
        id: MeterId::fresh(),
        customer_id: CustomerId::fresh(),
        serial: serial.into(),
        direction: direction.into(),
        kind: "interval".into(),
        interval_minutes: Some(minutes),
        registers: vec![],
        time_zone: "UTC".into(),
        valid_from: "2026-01-01".parse().unwrap(),
        valid_to: None,
    }
}

fn series(name: &str, direction: Direction) -> SeriesSurvey {
    SeriesSurvey {
        key: SeriesKey { meter: Some(name.into()), direction, register: None },
        values: 24,
        minutes: 60,
        first: "2026-01-05T00:00:00Z".parse().unwrap(),
        last: "2026-01-06T00:00:00Z".parse().unwrap(),
        line: 2,
    }
}

#[test]
fn an_unknown_meter_is_refused_with_what_to_do() {
    let mut matched = Matched::default();
    place(&series("M-9", Direction::Import), "M-9", &[meter("M-1", "import", 60)], &mut matched).unwrap();
    assert!(matched.series.is_empty());
    assert_eq!(matched.refused[0].values, 24);
    assert!(matched.refused[0].reason.contains("Add the meter to its customer"));
}

#[test]
fn each_direction_goes_to_its_own_register() {
    let known = [meter("M-1", "import", 60), meter("M-1", "export", 60)];
    let mut matched = Matched::default();
    place(&series("M-1", Direction::Export), "M-1", &known, &mut matched).unwrap();
    assert_eq!(matched.series.values().next().unwrap()[0].id, known[1].id);
}

#[test]
fn another_interval_length_refuses_the_whole_file() {
    let fault = place(&series("M-1", Direction::Import), "M-1", &[meter("M-1", "import", 15)], &mut Matched::default());
    assert!(fault.unwrap_err().to_string().contains("60 minutes long, but the meter is set to 15-minute"));
}

#[test]
fn a_file_of_another_known_meter_is_not_taken_for_the_chosen_one() {
    let known = [meter("M-1", "import", 60), meter("M-2", "import", 60)];
    let named = BTreeSet::from(["M-2".to_owned()]);
    assert!(check_choice("M-1", &named, &known).is_err());
    assert!(check_choice("M-1", &BTreeSet::from(["Front meter".to_owned()]), &known).is_ok());
    assert!(check_choice("M-3", &named, &known).is_err());
}
