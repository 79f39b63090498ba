//! Why one bill differs from another: every share by hand, and that shares sum to the difference whatever changed.

use chrono::NaiveDate;
use chrono_tz::UTC;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::super::explain::{Case, Explanation, Factor, explain};
use super::super::{CompiledTariff, History, UsageInput, rate_versions};
use super::fixtures::*;
use crate::tariff_document::TariffDocument;
use crate::usage::{Profile, Quality, RegisterRead};
use crate::values::money::Money;
use crate::values::period::Period;

/// One bill with everything it is made of.
#[derive(Debug)]
struct Billed {
    period: Period,
    tariff: &'static str,
    versions: Vec<(NaiveDate, CompiledTariff)>,
    profile: Profile,
    history: History,
    /// Added to what the bill comes to.
    off: Money,
}

fn billed(days: &str, tariff: &'static str, document: &TariffDocument, wh: impl Fn(NaiveDate, usize) -> i32) -> Billed {
    let period = period(days);
    let versions = vec![(date("2000-01-01"), compile(document))];
    let profile = profile_of(document.zone, 60, period, wh);
    Billed { period, tariff, versions, profile, history: History::default(), off: Money::ZERO }
}

fn explained(before: &Billed, now: &Billed) -> Explanation {
    let usages = [before, now].map(|billed| UsageInput::profile(&billed.profile));
    let versions =
        [before, now].map(|billed| billed.versions.iter().map(|(from, tariff)| (*from, tariff)).collect::<Vec<_>>());
    let case = |at: usize, billed: &'_ Billed| {
        let bill = rate_versions(&versions[at], &usages[at], billed.period, &billed.history).unwrap();
        bill.payable + billed.off
    };
    let payable = [case(0, before), case(1, now)];
    let [before, now] = [(0, before), (1, now)].map(|(at, billed)| Case {
        period: billed.period,
        versions: &versions[at],
        tariff: billed.tariff,
        usage: &usages[at],
        history: &billed.history,
        payable: payable[at],
    });
    let explanation = explain(&before, &now).unwrap();
    assert_eq!(explanation.difference, now.payable - before.payable);
    assert_eq!(explanation.shares.iter().map(|share| share.amount).sum::<Money>(), explanation.difference);
    explanation
}

/// The shares that are not nothing.
fn told(explanation: &Explanation) -> Vec<(Factor, String)> {
    let some = explanation.shares.iter().filter(|share| !share.amount.is_zero());
    some.map(|share| (share.factor, share.amount.to_string())).collect()
}

fn flat(price: &str) -> TariffDocument {
    TariffDocument::flat("T", "EUR", UTC, decimal(price))
}

const JANUARY: &str = "2026-01-01/2026-02-01";
const FEBRUARY: &str = "2026-02-01/2026-03-01";

#[test]
fn usage_alone() {
    let (before, now) =
        (billed(JANUARY, "A", &flat("0.1"), |_, _| 1_000), billed(JANUARY, "A", &flat("0.1"), |_, _| 1_500));
    assert_eq!(told(&explained(&before, &now)), [(Factor::Usage, "37.20".to_owned())]);
}

#[test]
fn the_price_alone_and_another_tariff_alone() {
    let before = billed(JANUARY, "A", &flat("0.1"), |_, _| 1_000);
    let now = billed(JANUARY, "A", &flat("0.12"), |_, _| 1_000);
    assert_eq!(told(&explained(&before, &now)), [(Factor::Price, "14.88".to_owned())]);
    let other = Billed { tariff: "B", ..now };
    assert_eq!(told(&explained(&before, &other)), [(Factor::Tariff, "14.88".to_owned())]);
}

#[test]
fn the_days_alone() {
    let tariff = flat("0.1").and_daily("Base", decimal("0.5"));
    let (before, now) = (billed(JANUARY, "A", &tariff, |_, _| 1_000), billed(FEBRUARY, "A", &tariff, |_, _| 1_000));
    assert_eq!(told(&explained(&before, &now)), [(Factor::Days, "-8.70".to_owned())], "3 x 24 x 0.1 and 3 x 0.5");
}

#[test]
fn a_season_that_begins_is_of_the_days() {
    let mut tariff = tou(UTC, "0.4", "0.2");
    let calendar = tariff.calendars.get_mut("time of use").unwrap();
    let mut summer = calendar.seasons[0].clone();
    (summer.name, summer.from, summer.to) = ("Summer".to_owned(), "02-01".parse().unwrap(), "09-30".parse().unwrap());
    (calendar.seasons[0].from, calendar.seasons[0].to) = ("10-01".parse().unwrap(), "01-31".parse().unwrap());
    calendar.seasons.push(summer);
    use crate::tariff_document::PriceCell;
    tariff.energy[0].prices = vec![
        PriceCell::flat(decimal("0.1")).in_season("All year"),
        PriceCell::flat(decimal("0.2")).in_season("Summer"),
    ];
    let (before, now) = (billed(JANUARY, "A", &tariff, |_, _| 1_000), billed(FEBRUARY, "A", &tariff, |_, _| 1_000));
    assert_eq!(told(&explained(&before, &now)), [(Factor::Days, "60.00".to_owned())]);
}

#[test]
fn estimates_alone() {
    let before = billed(JANUARY, "A", &flat("0.1"), |_, _| 1_000);
    let mut now = billed(JANUARY, "A", &flat("0.1"), |_, _| 1_000);
    // Ten days are estimated at half as much again.
    for day in now.profile.days.iter_mut().take(10) {
        day.values.fill(1_500);
        day.flags = Some(vec![Quality::Estimated.code(); 24]);
    }
    let shares = told(&explained(&before, &now));
    assert_eq!(shares, [(Factor::Usage, "-24.00".to_owned()), (Factor::Estimates, "36.00".to_owned())]);
}

#[test]
fn three_changes_at_once_have_the_shares_worked_out_by_hand() {
    // 31 days x 10 kWh x 0.10 = 31.00; 28 days x 12 kWh x 0.12 = 40.32.
    let at_noon = |wh: i32| move |_: NaiveDate, at: usize| if at == 12 { wh } else { 0 };
    let (before, now) =
        (billed(JANUARY, "A", &flat("0.1"), at_noon(10_000)), billed(FEBRUARY, "A", &flat("0.12"), at_noon(12_000)));
    let wanted = [(Factor::Usage, "6.48"), (Factor::Days, "-3.64"), (Factor::Price, "6.48")];
    assert_eq!(told(&explained(&before, &now)), wanted.map(|(factor, amount)| (factor, amount.to_owned())));
}

#[test]
fn credit_of_earlier_bills_and_what_was_put_right_since_are_earlier() {
    use crate::tariff_document::{ExportCredit, Netting, PriceCell};
    let mut tariff = flat("0.1");
    tariff.export = Some(ExportCredit::NetBilling {
        calendar: None,
        netting: Netting::Interval,
        prices: vec![PriceCell::flat(decimal("0.05"))],
        roll_over: true,
    });
    let (mut before, mut now) =
        (billed(JANUARY, "A", &tariff, |_, _| 1_000), billed(JANUARY, "A", &tariff, |_, _| 1_000));
    now.history.carried.credit = Money::from_cents(1_200);
    assert_eq!(told(&explained(&before, &now)), [(Factor::Earlier, "-12.00".to_owned())]);
    before.off = Money::from_cents(-300);
    assert_eq!(told(&explained(&before, &now)), [(Factor::Earlier, "-9.00".to_owned())]);
}

#[test]
fn register_reads_are_explained_by_days() {
    let tariff = compile(&flat("0.1").and_daily("Base", decimal("1")));
    let (january, february) = (period(JANUARY), period(FEBRUARY));
    let reads = [
        [RegisterRead::total(january.from(), january.to(), decimal("310"))],
        [RegisterRead::total(february.from(), february.to(), decimal("336"))],
    ];
    let usages = [UsageInput::reads(&reads[0]), UsageInput::reads(&reads[1])];
    let (versions, history) = ([(date("2000-01-01"), &tariff)], History::default());
    let case =
        |period, usage, payable| Case { period, versions: &versions, tariff: "A", usage, history: &history, payable };
    let (before, now) =
        (case(january, &usages[0], Money::from_cents(6_200)), case(february, &usages[1], Money::from_cents(6_160)));
    let explanation = explain(&before, &now).unwrap();
    // 10 and 12 kWh a day: 5.90 for usage on 29.5 days; 3 days at 1.10 kWh and the base.
    assert_eq!(told(&explanation), [(Factor::Usage, "5.90".to_owned()), (Factor::Days, "-6.30".to_owned())]);
}

fn usage(seed: i64, estimated_from: usize) -> impl Fn(&mut Billed) {
    move |billed| {
        for (at, day) in billed.profile.days.iter_mut().enumerate() {
            for (hour, wh) in day.values.iter_mut().enumerate() {
                *wh = i32::try_from((seed * 7919 + i64::try_from(at * 31 + hour * 17).unwrap() * 97) % 3_000).unwrap();
            }
            if at >= estimated_from {
                day.flags = Some(vec![Quality::Estimated.code(); day.values.len()]);
            }
        }
    }
}

prop_compose! {
    fn any_bill()(
        from in 0_i64..300, days in 1_i64..45, seed in 1_i64..1_000, estimated_from in 0_usize..60,
        low in 0_i64..400_000, high in 0_i64..400_000, other in any::<bool>(), credit in 0_i64..5_000, off in -500_i64..500,
    ) -> Billed {
        let from = date("2026-01-01") + chrono::Duration::days(from);
        let period = Period::new(from, from + chrono::Duration::days(days)).unwrap();
        let mut tariff = tou(UTC, &Decimal::new(high, 6).to_string(), &Decimal::new(low, 6).to_string());
        for cell in &mut tariff.energy[0].prices {
            let price = cell.blocks[0].price;
            cell.blocks = crate::tariff_document::PriceCell::tiered(&[(Some(decimal("120.5")), price), (None, price + Decimal::new(5, 2))]).blocks;
        }
        let tariff = tariff.and_monthly("Base", decimal("9.9")).and_tax("VAT", decimal("19"));
        let mut billed = billed("2026-01-01/2026-01-02", if other { "A" } else { "B" }, &tariff, |_, _| 0);
        billed.period = period;
        billed.profile = profile_of(UTC, 60, period, |_, _| 0);
        usage(seed, estimated_from)(&mut billed);
        billed.history.carried.credit = Money::from_cents(credit);
        billed.off = Money::from_cents(off);
        billed
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shares_sum_to_the_difference_whatever_changed(before in any_bill(), now in any_bill()) {
        // `explained` holds the sum against the difference.
        explained(&before, &now);
    }

    #[test]
    fn the_other_way_round_every_share_has_the_other_sign(before in any_bill(), now in any_bill()) {
        let (there, back) = (explained(&before, &now), explained(&now, &before));
        for (there, back) in there.shares.iter().zip(&back.shares) {
            // What is left of rounding may fall to another factor.
            prop_assert!((there.amount + back.amount).abs() <= Money::from_cents(1), "{there:?} {back:?}");
        }
    }

    #[test]
    fn what_did_not_change_has_no_share(before in any_bill()) {
        let mut now = Billed { versions: before.versions.clone(), profile: before.profile.clone(), history: before.history.clone(), ..before };
        prop_assert_eq!(told(&explained(&before, &now)), []);
        now.history.carried.credit += Money::from_cents(100);
        let factors: Vec<Factor> = told(&explained(&before, &now)).into_iter().map(|(factor, _)| factor).collect();
        prop_assert!(factors.iter().all(|factor| *factor == Factor::Earlier));
    }
}
