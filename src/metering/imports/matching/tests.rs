use std::sync::Arc;

use super::*;
use crate::usage::Direction;
use crate::values::ids::{ClientId, MeterId, OrganizationId, ServicePointId};

fn meter(serial: &str, direction: &str, minutes: i16) -> Meter {
    Meter {
        organization_id: OrganizationId::fresh(),
        client_id: ClientId::fresh(),
        id: MeterId::fresh(),
        service_point_id: ServicePointId::fresh(),
        serial: serial.into(),
        direction: direction.into(),
        kind: "interval".into(),
        interval_minutes: Some(minutes),
        registers: vec![],
        time_zone: "UTC".into(),
        valid_from: "2026-01-01".parse().unwrap(),
        valid_to: None,
        zone: meters::MeterZone(chrono_tz::Tz::UTC),
    }
}

fn series(name: &str, direction: Direction, register: Option<&str>) -> SeriesSurvey {
    let key = SeriesKey { meter: Some(name.into()), direction, register: register.map(str::to_owned) };
    SeriesSurvey { key: Arc::new(key), values: 24, line: 2 }
}

fn placed(series: &[SeriesSurvey], known: &[Meter]) -> Matched {
    let mut matched = Matched::default();
    let wanted = by_their_names(series, &mut matched).unwrap();
    place_all(wanted, known, Format::Nem12, &mut matched);
    matched
}

#[test]
fn an_unknown_meter_is_refused_with_what_to_do_and_the_others_go_in() {
    let series = [series("M-9", Direction::Import, None), series("M-1", Direction::Import, None)];
    let matched = placed(&series, &[meter("M-1", "import", 60)]);
    assert_eq!((matched.targets.len(), matched.refused.len(), matched.refused[0].values), (1, 1, 24));
    assert!(matched.refused[0].reason.contains("Add the meter to its customer"));
}

#[test]
fn rows_without_a_meter_are_refused_and_the_others_go_in() {
    let without = SeriesSurvey {
        key: Arc::new(SeriesKey { meter: None, direction: Direction::Import, register: None }),
        ..series("", Direction::Import, None)
    };
    let matched = placed(&[without.clone(), series("m-1 ", Direction::Import, None)], &[meter("M-1", "import", 60)]);
    assert_eq!((matched.targets.len(), matched.refused.len()), (1, 1));
    assert!(matches!(by_their_names(&[without], &mut Matched::default()), Err(ImportError::Meter(_))));
}

#[test]
fn each_direction_goes_to_its_own_register() {
    let known = [meter("M-1", "import", 60), meter("M-1", "export", 60)];
    let matched = placed(&[series("M-1", Direction::Export, None)], &known);
    assert_eq!(matched.targets[0].meters[0].id, known[1].id);
}

#[test]
fn registers_go_to_the_meters_that_name_them_and_a_part_of_them_is_no_total() {
    let named = |names: &[&str]| Meter {
        registers: names.iter().map(|name| (*name).to_owned()).collect(),
        ..meter("M-1", "import", 30)
    };
    let (e1, e2) = (series("M-1", Direction::Import, Some("E1")), series("M-1", Direction::Import, Some("e2")));
    let both = [e1.clone(), e2.clone()];
    let open = placed(&both, &[named(&[])]);
    assert_eq!((open.targets.len(), &open.targets[0].learnt), (1, &vec!["E1".to_owned(), "e2".to_owned()]));
    let apart = placed(&both, &[named(&["E1"]), named(&["E2"])]);
    assert_eq!((apart.targets.len(), apart.refused.len()), (2, 0));
    let whole = placed(&both, &[named(&["E2", "E1"])]);
    assert_eq!((whole.targets.len(), whole.targets[0].series.len()), (1, 2));
    let part = placed(std::slice::from_ref(&e1), &[named(&["E1", "E2"])]);
    assert!(part.targets.is_empty() && part.refused[0].reason.contains("no values of E2"), "{:?}", part.refused);
    let more = placed(&both, &[named(&["E1"])]);
    assert_eq!((more.targets.len(), more.refused.len()), (1, 1));
    assert!(more.refused[0].reason.contains("these values are of register e2"), "{:?}", more.refused);
}

#[test]
fn a_file_of_another_known_meter_is_not_taken_for_the_chosen_one() {
    let known = [meter("M-1", "import", 60), meter("M-2", "import", 60)];
    let named = BTreeSet::from(["M-2".to_owned()]);
    assert!(check_choice("M-1", &named, &known).is_err());
    assert!(matches!(check_choice("M-1", &BTreeSet::from(["Front meter".to_owned()]), &known), Ok(false)));
    assert!(check_choice("M-3", &named, &known).is_err());
    let mut matched = Matched::default();
    let (own, mistyped) = (series("M-1", Direction::Import, None), series("M-l", Direction::Import, None));
    let names = BTreeSet::from(["M-1".to_owned(), "M-l".to_owned()]);
    let (own, mistyped) = ([own], mistyped);
    let all = [own[0].clone(), mistyped];
    assert_eq!(chosen("M-1", &names, &known, &all, &mut matched).unwrap().len(), 1);
    assert!(matched.refused[0].reason.contains("name the meter M-l"));
}
