//! Tariffs of every kind, in two lands, with a price change inside the demo's time.

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use super::book::{Book, at};
use super::cast::{self, Land, Utility};
use super::rows::{BlockRow, TariffRow};
use crate::tariff_document::{Calendar, DayKind, DayPattern, MonthDay, PriceCell, Season, TariffDocument};

/// Codes of a client's tariffs: plain, stepped, time of use, business.
pub struct Codes {
    pub plain: &'static str,
    pub steps: &'static str,
    pub tou: &'static str,
    pub business: &'static str,
}

/// What a client calls its tariffs.
pub const fn codes(land: Land) -> Codes {
    match land {
        Land::States => Codes { plain: "RS-1", steps: "RS-2", tou: "TOU-3", business: "GS-1" },
        Land::Germany => Codes { plain: "BASIS", steps: "STUFEN", tou: "ZEIT", business: "GEWERBE" },
    }
}

/// When every tariff begins.
fn beginning() -> NaiveDate {
    NaiveDate::from_ymd_opt(2012, 1, 1).unwrap_or_default()
}

/// The New Year inside the demo's time on which the plain tariff changes its price.
pub fn price_change(book: &Book<'_>) -> NaiveDate {
    let end = book.end();
    let new_year = |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
    if end.month() > 4 { new_year(end.year()) } else { new_year(end.year() - 1) }
}

struct Version {
    code: &'static str,
    version: i64,
    kind: &'static str,
    status: &'static str,
    from: NaiveDate,
    to: Option<NaiveDate>,
    document: TariffDocument,
}

/// Writes the tariffs of a client.
pub fn fill(book: &mut Book<'_>) {
    for version in versions(book) {
        write(book, version);
    }
}

fn versions(book: &Book<'_>) -> Vec<Version> {
    let (utility, change, start) = (book.utility, price_change(book), beginning());
    let codes = codes(utility.land);
    let next_year = NaiveDate::from_ymd_opt(book.as_of.year() + 1, 1, 1).unwrap_or_default();
    let old = NaiveDate::from_ymd_opt(2008, 1, 1).unwrap_or_default();
    let version =
        |code, version, kind, from, to, document| Version { code, version, kind, status: "active", from, to, document };
    vec![
        Version { status: "retired", ..version("OLD-08", 1, "flat", old, Some(start), old_plain(utility)) },
        Version { status: "retired", ..version(codes.plain, 1, "flat", start, Some(change), plain(utility, 94)) },
        version(codes.plain, 2, "flat", change, None, plain(utility, 100)),
        version(codes.steps, 1, "tiered", start, None, steps(utility, 100)),
        version(codes.tou, 1, "time_of_use", start, None, time_of_use(book)),
        version(codes.business, 1, "flat", start, None, business(utility)),
        Version { status: "draft", ..version(codes.steps, 2, "tiered", next_year, None, steps(utility, 104)) },
    ]
}

fn write(book: &mut Book<'_>, version: Version) {
    let mut seed = book.seed(&format!("tariff/{}/{}", version.code, version.version));
    let created = at(version.from, 0).min(at(book.as_of, 0));
    let id = seed.id(created);
    // A version that a later one replaced is retired and still rates its own days.
    let billing = version.status != "draft" && version.from >= beginning();
    let codes = codes(book.utility.land);
    blocks(book, id, created, &version.document);
    book.rows.tariff_rates.push(TariffRow {
        key: book.key,
        id,
        code: version.code,
        version: version.version,
        name: version.document.name.clone(),
        kind: version.kind,
        currency: book.group.currency,
        document: json!(version.document),
        effective_from: version.from,
        effective_to: version.to,
        status: version.status,
        rated: billing,
        // Households may choose among these; shops have one of their own.
        offered: cast::COMPARING.contains(&book.utility.slug)
            && [codes.plain, codes.steps, codes.tou].contains(&version.code),
        metadata: json!({}),
        created_at: created,
        updated_at: created,
    });
}

fn blocks(book: &mut Book<'_>, tariff: Uuid, created: chrono::DateTime<chrono::Utc>, document: &TariffDocument) {
    let cells = document.energy.iter().flat_map(|charge| &charge.prices);
    let steps = cells.flat_map(|cell| cell.blocks.iter().map(move |block| (cell, block)));
    for (at, (cell, block)) in steps.enumerate() {
        let words = [cell.season.clone(), cell.period.clone()];
        book.rows.tariff_blocks.push(BlockRow {
            key: book.key,
            tariff_rate_id: tariff,
            position: at + 1,
            tou_period: words.into_iter().flatten().collect::<Vec<_>>().join(" · "),
            from_kwh: block.from,
            to_kwh: block.to,
            price: block.price,
            created_at: created,
            updated_at: created,
        });
    }
}

/// So many per cent of the client's plain price.
fn price(utility: &Utility, percent: i64) -> Decimal {
    Decimal::new(utility.price * percent / 100, 4)
}

fn words(land: Land, states: &'static str, germany: &'static str) -> &'static str {
    match land {
        Land::States => states,
        Land::Germany => germany,
    }
}

const fn currency(land: Land) -> &'static str {
    match land {
        Land::States => "USD",
        Land::Germany => "EUR",
    }
}

/// The land's words for energy, and its tax.
fn finished(mut tariff: TariffDocument, utility: &Utility) -> TariffDocument {
    for charge in &mut tariff.energy {
        words(utility.land, "Energy", "Arbeitspreis").clone_into(&mut charge.name);
    }
    tariff.and_tax(utility.tax_name, Decimal::new(utility.tax, 2).normalize())
}

fn monthly(tariff: TariffDocument, utility: &Utility, cents: i64) -> TariffDocument {
    tariff.and_monthly(words(utility.land, "Customer charge", "Grundpreis"), Decimal::new(cents, 2))
}

fn plain(utility: &Utility, percent: i64) -> TariffDocument {
    let name = words(utility.land, "Residential Standard", "Strom Basis");
    let tariff = TariffDocument::flat(name, currency(utility.land), utility.zone, price(utility, percent));
    finished(monthly(tariff, utility, 950), utility)
}

/// What was billed before the demo's tariffs; nobody is on it any more.
fn old_plain(utility: &Utility) -> TariffDocument {
    let mut tariff = plain(utility, 71);
    words(utility.land, "Residential 2008", "Haushaltsstrom 2008").clone_into(&mut tariff.name);
    tariff
}

fn steps(utility: &Utility, percent: i64) -> TariffDocument {
    let name = words(utility.land, "Residential Steps", "Strom in Stufen");
    let (first, second) = if utility.land == Land::Germany { (150, 300) } else { (400, 900) };
    let steps = [
        (Some(Decimal::from(first)), price(utility, 86 * percent / 100)),
        (Some(Decimal::from(second)), price(utility, 104 * percent / 100)),
        (None, price(utility, 127 * percent / 100)),
    ];
    let tariff = TariffDocument::tiered(name, currency(utility.land), utility.zone, &steps);
    finished(monthly(tariff, utility, 725), utility)
}

fn business(utility: &Utility) -> TariffDocument {
    let name = words(utility.land, "General Service", "Gewerbestrom");
    let tariff = TariffDocument::flat(name, currency(utility.land), utility.zone, price(utility, 91));
    let tariff = tariff.and_daily(words(utility.land, "Service charge", "Grundpreis je Tag"), Decimal::new(62, 2));
    finished(tariff, utility)
}

fn time_of_use(book: &Book<'_>) -> TariffDocument {
    let utility = book.utility;
    let tariff = if utility.land == Land::Germany { day_and_night(utility) } else { on_mid_off(book) };
    finished(monthly(tariff, utility, 1150), utility)
}

/// Hochtarif on working days from 6 to 22, Niedertarif otherwise.
fn day_and_night(utility: &Utility) -> TariffDocument {
    let mut weekday = [1; 24];
    weekday[6..22].fill(0);
    let periods = [("HT", price(utility, 108)), ("NT", price(utility, 82))];
    TariffDocument::time_of_use("Strom nach Zeit (HT/NT)", "EUR", utility.zone, &periods, weekday, [1; 24])
}

/// Summer afternoons on-peak, the rest of the day mid-peak, nights, weekends and holidays off-peak.
fn on_mid_off(book: &Book<'_>) -> TariffDocument {
    let utility = book.utility;
    let mut summer = vec![2; 24];
    summer[7..22].fill(1);
    summer[14..19].fill(0);
    let mut winter = vec![2; 24];
    winter[7..22].fill(1);
    winter[17..20].fill(0);
    let free: Vec<DayKind> = DayKind::WEEKEND.into_iter().chain([DayKind::Holiday]).collect();
    let days = |hours: Vec<u8>| {
        vec![DayPattern { on: DayKind::WEEKDAYS.to_vec(), hours }, DayPattern { on: free.clone(), hours: vec![2; 24] }]
    };
    let seasons = [("Summer", (6, 1), (9, 30), summer), ("Winter", (10, 1), (5, 31), winter)];
    let seasons = seasons.into_iter().filter_map(|(name, from, to, hours)| {
        Some(Season {
            name: name.to_owned(),
            from: MonthDay::new(from.0, from.1)?,
            to: MonthDay::new(to.0, to.1)?,
            days: days(hours),
        })
    });
    let periods = ["On-peak", "Mid-peak", "Off-peak"];
    let calendar = Calendar {
        periods: periods.map(str::to_owned).to_vec(),
        seasons: seasons.collect(),
        holidays: holidays(book.begin().year(), book.as_of.year() + 1),
        no_holidays_in: vec![],
    };
    let mut tariff = TariffDocument::time_of_use(
        "Home Time-of-Use",
        currency(utility.land),
        utility.zone,
        &periods.map(|period| (period, Decimal::ONE)),
        [0; 24],
        [0; 24],
    );
    tariff.calendars.values_mut().for_each(|known| known.clone_from(&calendar));
    let cell = |season: &str, percents: [i64; 3]| -> Vec<PriceCell> {
        let cells = periods.iter().zip(percents);
        cells
            .map(|(period, percent)| PriceCell::flat(price(utility, percent)).in_period(period).in_season(season))
            .collect()
    };
    for charge in &mut tariff.energy {
        charge.prices = [cell("Summer", [185, 112, 66]), cell("Winter", [142, 98, 66])].concat();
    }
    tariff
}

/// New Year's Day, Memorial Day, Independence Day, Labor Day, Thanksgiving, Christmas Day.
fn holidays(first: i32, last: i32) -> Vec<NaiveDate> {
    use chrono::Weekday::{Mon, Thu};
    let of_year = |year| {
        let fixed = [(1, 1), (7, 4), (12, 25)].map(|(month, day)| NaiveDate::from_ymd_opt(year, month, day));
        let memorial = NaiveDate::from_weekday_of_month_opt(year, 5, Mon, 5)
            .or(NaiveDate::from_weekday_of_month_opt(year, 5, Mon, 4));
        let others = [
            memorial,
            NaiveDate::from_weekday_of_month_opt(year, 9, Mon, 1),
            NaiveDate::from_weekday_of_month_opt(year, 11, Thu, 4),
        ];
        fixed.into_iter().chain(others).flatten().collect::<Vec<_>>()
    };
    let mut all: Vec<NaiveDate> = (first..=last).flat_map(of_year).collect();
    all.sort_unstable();
    all
}
