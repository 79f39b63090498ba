//! `cargo bench -p eis-power`: the parts of rating, one by one. `portal bench rate` has the whole with its goals.

use std::hint::black_box;
use std::time::Duration;

use chrono_tz::Tz;
use criterion::{Criterion, Throughput};
use eis::rating::{CompiledTariff, History, UsageInput, interval_costs, rate, sample};
use eis::tariff_document::{self, TariffDocument};
use eis::values::period::Period;

/// The reference rate: tiers within time-of-use, flat and time-of-use demand.
const RATE: &str = include_str!("../../../end2end/reference/urdb/tiered_tou_with_demand.json");

fn month() -> Period {
    Period::month(2018, 7).unwrap_or_else(|_| Period::day(chrono::NaiveDate::MIN))
}

fn tariff() -> TariffDocument {
    tariff_document::read(RATE, Tz::UTC).unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn compiled(document: &TariffDocument) -> CompiledTariff {
    CompiledTariff::new(document).unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn bills(criterion: &mut Criterion) {
    let full = tariff();
    let flat = TariffDocument { demand: vec![], ..TariffDocument::flat("Flat", "USD", Tz::UTC, 1.into()) };
    let energy = TariffDocument { demand: vec![], ..full.clone() };
    let mut group = criterion.benchmark_group("bill");
    group.throughput(Throughput::Elements(1));
    for (name, document) in
        [("tiered time-of-use with demand", &full), ("tiered time-of-use", &energy), ("flat", &flat)]
    {
        let tariff = compiled(document);
        for minutes in [15, 60] {
            let profile = sample::profile(Tz::UTC, minutes, month(), 1);
            let (usage, history) = (UsageInput::profile(&profile), History::default());
            group.bench_function(format!("{name}, {minutes} min"), |bencher| {
                bencher.iter(|| rate(black_box(&tariff), black_box(&usage), month(), &history));
            });
        }
    }
    group.finish();
}

fn parts(criterion: &mut Criterion) {
    let document = tariff();
    let tariff = compiled(&document);
    let profile = sample::profile(Tz::UTC, 15, month(), 1);
    let (usage, history) = (UsageInput::profile(&profile), History::default());
    criterion
        .bench_function("tariff: read", |bencher| bencher.iter(|| tariff_document::read(black_box(RATE), Tz::UTC)));
    criterion
        .bench_function("tariff: make ready", |bencher| bencher.iter(|| CompiledTariff::new(black_box(&document))));
    criterion.bench_function("interval costs", |bencher| {
        let versions = [(month().from(), &tariff)];
        bencher.iter(|| interval_costs(black_box(&versions), &usage, month(), &history));
    });
    if let Ok(bill) = rate(&tariff, &usage, month(), &history) {
        let bills = [bill];
        criterion.bench_function("bill: print as JSON", |bencher| {
            bencher.iter(|| eis::rating::report::json(black_box(&bills)));
        });
    }
}

fn main() {
    // Half a minute for all of them; `-- --measurement-time 10` for steadier figures.
    let quick = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    let mut criterion = quick.configure_from_args();
    bills(&mut criterion);
    parts(&mut criterion);
    criterion.final_summary();
}
