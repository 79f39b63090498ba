//! Usage from figures, with numbers made by hand.

use super::*;
use crate::metering::registers::DEMAND;
use crate::values::ids::ContractId;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A register of five digits.
#[derive(Clone, Copy)]
struct Counter {
    meter: MeterId,
    id: RegisterId,
    name: &'static str,
    multiplier: i64,
}

impl Counter {
    fn of(meter: MeterId, name: &'static str) -> Self {
        Self { meter, id: RegisterId::fresh(), name, multiplier: 1 }
    }

    fn at(self, on: &str, figure: &str, why: &str) -> Figure {
        Figure {
            meter_id: self.meter,
            register_id: self.id,
            name: self.name.to_owned(),
            measures: ENERGY.to_owned(),
            digits: 5,
            multiplier: Decimal::from(self.multiplier),
            read_on: day(on),
            figure: decimal(figure),
            why: why.to_owned(),
            quality: "actual".to_owned(),
        }
    }

    fn read(self, on: &str, figure: &str) -> Figure {
        self.at(on, figure, "periodic")
    }
}

/// Days and kWh of each: `05-01/06-01 25.000`.
fn told(figures: &[Figure]) -> Vec<String> {
    let line = |used: Used| format!("{}/{} {}", used.from_on.format("%m-%d"), used.to_on.format("%m-%d"), used.kwh);
    used(figures).into_iter().map(line).collect()
}

#[test]
fn usage_is_the_difference_times_the_multiplier_and_goes_across_a_roll_over() {
    let meter = MeterId::fresh();
    let main = Counter::of(meter, "");
    let plain = [main.read("2026-05-01", "41230.5"), main.read("2026-06-01", "41561.25")];
    assert_eq!(told(&plain), ["05-01/06-01 330.750"]);
    let rolled = [main.read("2026-05-01", "99987"), main.read("2026-06-01", "12")];
    assert_eq!(told(&rolled), ["05-01/06-01 25.000"]);
    let behind_transformers = Counter { multiplier: 40, ..main };
    let rolled = [behind_transformers.read("2026-05-01", "99987"), behind_transformers.read("2026-06-01", "12")];
    assert_eq!(told(&rolled), ["05-01/06-01 1000.000"]);
    let with_parts = Counter { multiplier: 1, ..main };
    let mut parts = [with_parts.read("2026-05-01", "10"), with_parts.read("2026-06-01", "13")];
    parts.iter_mut().for_each(|figure| figure.multiplier = decimal("0.333333"));
    assert_eq!(told(&parts), ["05-01/06-01 0.999999"], "nothing is rounded before there is a line");
    assert_eq!(told(&plain[..1]), Vec::<String>::new());
    // In whatever order they come.
    let three = [main.read("2026-07-01", "130"), main.read("2026-05-01", "100"), main.read("2026-06-01", "110")];
    assert_eq!(told(&three), ["05-01/06-01 10.000", "06-01/07-01 20.000"]);
}

#[test]
fn a_figure_below_the_last_is_a_roll_over_up_to_half_of_what_the_register_shows() {
    let plausible = |before: &str, after: &str| is_plausible(decimal(before), decimal(after), 5);
    assert!(plausible("99987", "12") && plausible("12", "99987") && plausible("500", "500"));
    assert!(plausible("60000", "9999.999"));
    assert!(!plausible("60000", "10000"), "half of 100,000");
    assert!(!plausible("41230", "41229"));
    assert_eq!(advance(decimal("99987"), decimal("12"), 5), Decimal::from(25));
    assert_eq!(advance(decimal("99987"), decimal("12"), 6), decimal("900025"));
}

#[test]
fn an_exchanged_meter_ends_where_the_new_one_begins() {
    let (old, new) = (Counter::of(MeterId::fresh(), ""), Counter::of(MeterId::fresh(), ""));
    let figures = [
        old.read("2026-05-01", "81200"),
        old.at("2026-05-12", "81244", "removed"),
        new.at("2026-05-12", "3", "installed"),
        new.read("2026-06-01", "91"),
    ];
    assert_eq!(told(&figures), ["05-01/05-12 44.000", "05-12/06-01 88.000"]);
    let meters: Vec<MeterId> = used(&figures).iter().map(|used| used.meter_id).collect();
    assert_eq!(meters, [old.meter, new.meter]);
}

#[test]
fn registers_with_names_are_told_apart_and_added_up() {
    let meter = MeterId::fresh();
    let (high, low) = (Counter::of(meter, "HT"), Counter::of(meter, "NT"));
    let peak = |on: &str, figure: &str, name: &str| Figure {
        measures: DEMAND.to_owned(),
        multiplier: Decimal::from(40),
        name: name.to_owned(),
        ..Counter::of(meter, "").read(on, figure)
    };
    let figures = [
        high.read("2026-05-01", "2000"),
        low.read("2026-05-01", "99990"),
        peak("2026-05-01", "0.98", ""),
        high.read("2026-06-01", "2100.5"),
        low.read("2026-06-01", "50"),
        peak("2026-06-01", "0.75", "HT"),
        peak("2026-06-01", "0.61", "NT"),
    ];
    let all = used(&figures);
    let [month] = &all[..] else { panic!("{all:?}") };
    assert_eq!(month.kwh, decimal("160.5"));
    let periods: Vec<String> = month.kwh_by_period.iter().map(|(name, kwh)| format!("{name} {kwh}")).collect();
    assert_eq!(periods, ["HT 100.5", "NT 60"]);
    assert_eq!(month.peak_kw, Some(Decimal::from(30)), "the highest since the reading before, times 40");
    // Of a reading without one of its registers nothing is told; the days are those to the next whole one.
    let figures = [
        high.read("2026-05-01", "2000"),
        low.read("2026-05-01", "10"),
        high.read("2026-05-15", "2040"),
        high.read("2026-06-01", "2100"),
        low.read("2026-06-01", "30"),
    ];
    assert_eq!(told(&figures), ["05-01/06-01 120.000"]);
    assert_eq!(used(&figures)[0].peak_kw, None);
}

#[test]
fn usage_is_estimated_where_either_end_is() {
    let main = Counter::of(MeterId::fresh(), "");
    let of = |quality: &str, on: &str, figure: &str| Figure { quality: quality.to_owned(), ..main.read(on, figure) };
    let figures = [
        of("actual", "2026-05-01", "1"),
        of("estimated", "2026-06-01", "2"),
        of("customer", "2026-07-01", "3"),
        of("customer", "2026-08-01", "4"),
        of("actual", "2026-09-01", "5"),
        of("actual", "2026-10-01", "6"),
    ];
    let qualities: Vec<String> = used(&figures).into_iter().map(|used| used.quality).collect();
    assert_eq!(qualities, ["estimated", "estimated", "customer", "customer", "actual"]);
}

#[test]
fn nothing_is_told_of_days_between_a_final_and_an_opening_figure() {
    let main = Counter::of(MeterId::fresh(), "");
    // Somebody who went and came back sees nothing of who lived there meanwhile.
    let theirs = [
        main.read("2026-05-01", "100"),
        main.at("2026-05-20", "160", "final"),
        main.at("2026-07-01", "900", "opening"),
        main.read("2026-08-01", "950"),
    ];
    assert_eq!(told(&theirs), ["05-01/05-20 60.000", "07-01/08-01 50.000"]);
    // The client has the figures of both: no day is missing, and none is there twice.
    let all = [&theirs[..], &[main.at("2026-05-20", "160", "opening"), main.at("2026-07-01", "900", "final")]].concat();
    assert_eq!(told(&all), ["05-01/05-20 60.000", "05-20/07-01 740.000", "07-01/08-01 50.000"]);
}

#[test]
fn a_correction_takes_the_place_of_the_figure_of_its_day() {
    let main = Counter::of(MeterId::fresh(), "");
    let there = [main.read("2026-05-01", "100"), main.read("2026-06-01", "160"), main.read("2026-07-01", "200")];
    assert_eq!(told(&there), ["05-01/06-01 60.000", "06-01/07-01 40.000"]);
    // What is superseded is not among the figures that count: both months change.
    let corrected = [there[0].clone(), main.read("2026-06-01", "150"), there[2].clone()];
    assert_eq!(told(&corrected), ["05-01/06-01 50.000", "06-01/07-01 50.000"]);
}

fn contract(customer: CustomerId, from: &str, to: Option<&str>) -> Contract {
    Contract {
        id: ContractId::fresh(),
        customer_id: customer,
        account_id: crate::values::ids::AccountId::fresh(),
        service_point_id: crate::values::ids::ServicePointId::fresh(),
        address: String::new(),
        from_on: day(from),
        to_on: to.map(day),
        status: "agreed".to_owned(),
        billing_cycle: 1,
        billing_anchor: day(from),
        billing_from: None,
    }
}

#[test]
fn the_day_of_a_move_is_two_rows_and_any_other_is_one() {
    let (kim, lee) = (CustomerId::fresh(), CustomerId::fresh());
    let meter = Meter {
        organization_id: OrganizationId::fresh(),
        client_id: ClientId::fresh(),
        id: MeterId::fresh(),
        service_point_id: crate::values::ids::ServicePointId::fresh(),
        serial: "M1".to_owned(),
        direction: "import".to_owned(),
        kind: "register".to_owned(),
        interval_minutes: None,
        registers: vec![],
        time_zone: "Europe/Berlin".to_owned(),
        valid_from: day("2026-01-10"),
        valid_to: Some(day("2026-12-01")),
        zone: meters::MeterZone(chrono_tz::Tz::Europe__Berlin),
    };
    let contracts = [
        contract(kim, "2026-01-01", Some("2026-05-01")),
        contract(kim, "2026-05-01", Some("2026-06-01")),
        contract(lee, "2026-06-01", Some("2026-09-01")),
    ];
    let rows = |on: &str| {
        let figures = BTreeMap::from([(RegisterId::fresh(), Decimal::ONE)]);
        let reading = NewReading { read_on: day(on), quality: "actual".to_owned(), figures };
        let who = |customer: Option<CustomerId>| match customer {
            Some(one) if one == kim => "Kim",
            Some(_) => "Lee",
            None => "nobody",
        };
        let rows = made(&meter, &contracts, &reading);
        rows.iter().map(|made| format!("{} {}", made.why, who(made.customer))).collect::<Vec<_>>()
    };
    assert_eq!(rows("2026-01-10"), ["installed Kim"]);
    assert_eq!(rows("2026-03-01"), ["periodic Kim"]);
    assert_eq!(rows("2026-05-01"), ["periodic Kim"], "another contract of the same customer is no move");
    assert_eq!(rows("2026-06-01"), ["final Kim", "opening Lee"]);
    assert_eq!(rows("2026-06-02"), ["periodic Lee"]);
    assert_eq!(rows("2026-09-01"), ["final Lee", "opening nobody"]);
    assert_eq!(rows("2026-10-01"), ["periodic nobody"]);
    assert_eq!(rows("2026-12-01"), ["removed nobody"]);
}
