//! A list of holidays that ends before the days billed is told, never taken as "no holidays".

use chrono_tz::UTC;

use super::super::{History, RatingError, UsageInput, rate, rate_versions};
use super::fixtures::*;
use crate::tariff_document::{DayKind, DayPattern, DemandCharge, PriceCell, TariffDocument};

/// On-peak on weekdays; holidays are off-peak. Holidays of 2025 are listed.
fn tariff() -> TariffDocument {
    let mut tariff = tou(UTC, "0.4", "0.2");
    let calendar = tariff.calendars.get_mut("time of use").unwrap();
    calendar.seasons[0].days.push(DayPattern { on: vec![DayKind::Holiday], hours: vec![0; 24] });
    calendar.holidays = vec![date("2025-01-01"), date("2025-12-25")];
    tariff
}

fn rated(tariff: &TariffDocument, days: &str) -> Result<String, RatingError> {
    let days = period(days);
    let profile = profile_of(UTC, 60, days, |_, _| 1_000);
    let bill = rate(&compile(tariff), &UsageInput::profile(&profile), days, &History::default());
    bill.map(|bill| bill.net.to_string())
}

#[test]
fn days_of_a_year_without_a_listed_holiday_are_not_rated() {
    let told = |days: &str| rated(&tariff(), days).unwrap_err().to_string();
    let fault = "tariff.calendars.time of use.holidays: holidays of 2025 are listed and none of";
    let help = "or name {} in no_holidays_in if it has none";
    for (days, year) in
        [("2026-01-01/2026-02-01", "2026"), ("2025-12-20/2026-01-02", "2026"), ("2024-05-01/2024-05-02", "2024")]
    {
        assert_eq!(told(days), format!("{fault} {year}: list them, {}", help.replace("{}", year)));
    }
    assert!(rated(&tariff(), "2025-12-01/2026-01-01").is_ok());
}

#[test]
fn a_calendar_whose_holidays_are_not_listed_at_all_is_not_rated() {
    let mut tariff = tariff();
    tariff.calendars.get_mut("time of use").unwrap().holidays.clear();
    let fault = rated(&tariff, "2026-03-01/2026-03-02").unwrap_err().to_string();
    assert!(fault.contains("no holiday is listed: list them"), "{fault}");
}

#[test]
fn a_year_that_is_said_to_have_none_is_rated_and_so_is_a_calendar_to_which_holidays_are_all_the_same() {
    let mut without = tariff();
    without.calendars.get_mut("time of use").unwrap().no_holidays_in = vec![2026];
    assert_eq!(rated(&without, "2026-01-01/2026-01-02"), Ok("5.80".to_owned()));
    let mut same = tariff();
    let calendar = same.calendars.get_mut("time of use").unwrap();
    let weekday = calendar.seasons[0].days[0].hours.clone();
    for pattern in &mut calendar.seasons[0].days {
        pattern.hours.clone_from(&weekday);
    }
    assert_eq!(rated(&same, "2026-01-01/2026-01-02"), Ok("5.80".to_owned()));
    let mut season_only = tariff();
    season_only.energy[0].prices = vec![PriceCell::flat(decimal("0.1"))];
    assert_eq!(rated(&season_only, "2026-01-01/2026-01-02"), Ok("2.40".to_owned()));
}

#[test]
fn demand_by_period_needs_the_holidays_of_the_whole_bill_and_energy_those_of_its_own_days() {
    let days = period("2025-12-30/2026-01-02");
    let profile = profile_of(UTC, 60, days, |_, _| 1_000);
    let mut later = tariff();
    later.calendars.get_mut("time of use").unwrap().holidays = vec![date("2026-01-01")];
    let of = |early: &TariffDocument| {
        let (early, later) = (compile(early), compile(&later));
        let versions = [(days.from(), &early), (date("2026-01-01"), &later)];
        rate_versions(&versions, &UsageInput::profile(&profile), days, &History::default()).map(|bill| bill.net)
    };
    assert!(of(&tariff()).is_ok());
    let mut demand = tariff();
    demand.demand.push(DemandCharge {
        name: "Demand".to_owned(),
        register: None,
        calendar: Some("time of use".to_owned()),
        per_period: true,
        window_minutes: None,
        prices: vec![PriceCell::flat(decimal("1"))],
        ratchet: None,
    });
    assert!(matches!(of(&demand), Err(RatingError::Holidays { .. })));
}

#[test]
fn a_list_that_ends_before_this_year_or_the_next_is_a_warning_and_no_fault() {
    let told = |today: &str| tariff().warnings(date(today)).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(tariff().validate(), []);
    let listed = "calendars.time of use.holidays: holidays of 2025 are listed and none of 2026";
    for today in ["2025-11-30", "2026-01-01"] {
        assert_eq!(told(today), [format!("{listed}: list them, or name 2026 in no_holidays_in if it has none")]);
    }
    let mut known = tariff();
    known.calendars.get_mut("time of use").unwrap().no_holidays_in = vec![2026];
    assert_eq!(known.warnings(date("2025-11-30")), []);
    known.calendars.get_mut("time of use").unwrap().no_holidays_in = vec![2025];
    assert_eq!(known.validate()[0].path, "calendars.time of use.no_holidays_in[0]");
}
