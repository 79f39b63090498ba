//! Every fault names its field.

use rust_decimal::Decimal;

use super::super::{Block, DayKind, DayPattern, PriceCell, TariffDocument};

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn tou() -> TariffDocument {
    let mut weekday = [0; 24];
    weekday[16..21].fill(1);
    TariffDocument::time_of_use(
        "T",
        "EUR",
        chrono_tz::UTC,
        &[("off-peak", decimal("0.2")), ("on-peak", decimal("0.4"))],
        weekday,
        [0; 24],
    )
}

fn faults(tariff: &TariffDocument) -> Vec<String> {
    tariff.validate().iter().map(ToString::to_string).collect()
}

#[test]
fn the_simple_tariffs_have_no_fault() {
    let tiered = TariffDocument::tiered(
        "T",
        "EUR",
        chrono_tz::UTC,
        &[(Some(decimal("100")), decimal("0.1")), (None, decimal("0.2"))],
    );
    let flat = TariffDocument::flat("T", "EUR", chrono_tz::UTC, decimal("0.3"))
        .and_monthly("Base", decimal("9.9"))
        .and_tax("VAT", decimal("19"));
    for tariff in [tiered, flat, tou()] {
        assert_eq!(faults(&tariff), Vec::<String>::new());
    }
}

#[test]
fn blocks_with_gaps_or_overlaps_name_the_block() {
    let mut tariff = TariffDocument::flat("T", "EUR", chrono_tz::UTC, decimal("0.3"));
    let block =
        |from: &str, to: Option<&str>| Block { from: decimal(from), to: to.map(decimal), price: decimal("0.1") };
    tariff.energy[0].prices[0].blocks =
        vec![block("0", Some("100")), block("120", Some("200")), block("150", Some("140")), block("140", Some("300"))];
    assert_eq!(
        faults(&tariff),
        [
            "energy[0].prices[0].blocks[1].from: nothing holds from 100 to 120: a gap",
            "energy[0].prices[0].blocks[2].from: two blocks hold from 150 to 200: an overlap",
            "energy[0].prices[0].blocks[2].to: the block ends at 140, not after it begins",
            "energy[0].prices[0].blocks[3].to: nothing holds from 300 on: the last block must have no end",
        ]
    );
    tariff.energy[0].prices[0].blocks = vec![block("-5", None)];
    assert!(faults(&tariff).contains(&"energy[0].prices[0].blocks[0].from: a block limit is not negative".to_owned()));
}

#[test]
fn a_calendar_with_gaps_or_overlaps_names_the_season_or_the_day() {
    let mut tariff = tou();
    let calendar = tariff.calendars.get_mut("time of use").unwrap();
    calendar.seasons[0].to = "02-28".parse().unwrap();
    calendar.seasons[0].days[0].on.pop();
    calendar.seasons[0].days[1].on.push(DayKind::Monday);
    calendar.seasons[0].days[1].hours[3] = 2;
    let mut late = calendar.seasons[0].clone();
    late.name = "Late".to_owned();
    (late.from, late.to) = ("03-01".parse().unwrap(), "01-05".parse().unwrap());
    late.days = vec![DayPattern { on: DayKind::WEEK.to_vec(), hours: vec![0; 23] }];
    calendar.seasons.push(late);
    assert_eq!(
        faults(&tariff),
        [
            "calendars.time of use.seasons: the days 01-01 to 01-05 lie in more than one season: an overlap",
            "calendars.time of use.seasons: the days 02-29 to 02-29 lie in no season: a gap",
            "calendars.time of use.seasons[0].days[1].hours[3]: there is no period 2; the first is 0",
            "calendars.time of use.seasons[0].days: Monday has more than one pattern: an overlap",
            "calendars.time of use.seasons[0].days: Friday has no pattern: a gap",
            "calendars.time of use.seasons[1].days[0].hours: a day has 24 hours, 48 half-hours or 96 quarter-hours",
        ]
    );
}

#[test]
fn a_price_must_name_a_known_period_and_every_period_needs_one() {
    let mut tariff = tou();
    tariff.energy[0].prices[1].period = Some("on peak".to_owned());
    assert_eq!(
        faults(&tariff),
        [
            "energy[0].prices[1].period: the calendar has no period \"on peak\"",
            "energy[0].prices: on-peak in All year has no price: a gap"
        ]
    );
    tariff.energy[0].prices[1] = PriceCell::flat(decimal("0.1"));
    assert_eq!(faults(&tariff), ["energy[0].prices: off-peak in All year has 2 prices: an overlap"]);
}

#[test]
fn holidays_need_a_pattern() {
    let mut tariff = tou();
    let calendar = tariff.calendars.get_mut("time of use").unwrap();
    calendar.holidays.push("2026-12-25".parse().unwrap());
    assert_eq!(faults(&tariff), ["calendars.time of use.seasons[0].days: there are holidays and no pattern for them"]);
}

#[test]
fn a_tax_on_an_unknown_charge_names_it() {
    let mut tariff = tou().and_tax("VAT", decimal("19"));
    tariff.taxes[0].names = vec!["Enrgy".to_owned()];
    tariff.currency = "eur".to_owned();
    assert_eq!(
        faults(&tariff),
        [
            "currency: a currency is three capital letters, such as EUR",
            "taxes[0].names[0]: there is no charge \"Enrgy\""
        ]
    );
}

#[test]
fn the_amount_to_pay_is_rounded_to_whole_hundredths() {
    let mut tariff = tou();
    for (step, fine) in [("0.01", true), ("0.05", true), ("0.050", true), ("5", true), ("0", false), ("0.005", false)] {
        tariff.rounding.payable_step = Some(decimal(step));
        assert_eq!(faults(&tariff).is_empty(), fine, "{step}");
    }
    tariff.rounding.payable_step = Some(Decimal::new(1, 28));
    assert_eq!(faults(&tariff), ["rounding.payable_step: the step is at least 0.01, and a multiple of it"]);
}

#[test]
fn names_that_bills_keep_demand_under_have_no_control_characters() {
    let mut tariff = tou();
    tariff.calendars.get_mut("time of use").unwrap().periods.push("on\u{1f}peak".to_owned());
    assert_eq!(faults(&tariff), ["calendars.time of use.periods[2]: a name has no control characters"]);
}
