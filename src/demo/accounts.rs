//! Customers, their meters, and the tariff each is on.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::json;
use uuid::Uuid;

use super::book::{Book, at};
use super::cast::{self, Land, Utility};
use super::household::Shape;
use super::names::{Party, party};
use super::rows::{AccountRow, AgreementRow, ContractRow, CustomerRow, MeterRow, PlaceRow, RegisterRow};
use super::seed::Seed;
use super::tariffs::codes;
use crate::period::Period;
use crate::usage::Quality;

/// What a meter keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One register.
    Register,
    /// A register for each time-of-use period.
    TwoRegisters,
    /// Interval data, so many minutes apart.
    Interval(u16),
}

/// A register that is read, and where it stands.
pub struct Counter {
    pub id: Uuid,
    pub name: &'static str,
    pub figure: i64,
}

/// The whole digits of a household's register.
pub const DIGITS: u8 = 6;

/// A customer as usage and billing need it.
pub struct Account {
    pub id: Uuid,
    pub account: Uuid,
    pub place: Uuid,
    pub contract: Uuid,
    pub meter: Uuid,
    pub serial: String,
    pub number: String,
    pub name: String,
    pub service_address: String,
    /// Empty: the service address.
    pub billing_address: String,
    pub moved_in: NaiveDate,
    pub moved_out: Option<NaiveDate>,
    pub kind: Kind,
    /// None where the meter tells its values itself.
    pub counters: Vec<Counter>,
    /// The day of the last reading, and how it was come by.
    pub last_read: Option<(NaiveDate, Quality)>,
    pub code: &'static str,
    pub shape: Shape,
    pub business: bool,
    /// The customer of the walk-through, who has no usage.
    pub walk: bool,
}

impl Account {
    /// Where bills go.
    pub fn bills_go_to(&self) -> &str {
        if self.billing_address.is_empty() { &self.service_address } else { &self.billing_address }
    }

    /// The days of a period in which the customer was supplied.
    pub fn supplied(&self, period: Period) -> Option<Period> {
        let end = self.moved_out.unwrap_or(NaiveDate::MAX);
        Period::new(self.moved_in, end).ok().and_then(|stay| stay.intersect(&period))
    }
}

/// Writes customers, meters and agreements.
pub fn fill(book: &mut Book<'_>) -> Vec<Account> {
    let count = book.utility.customers;
    let mut stays = stays(book, count);
    let walk = book.utility.slug == cast::WALK_CLIENT;
    if walk && let Some(first) = stays.first_mut() {
        *first = (NaiveDate::from_ymd_opt(2012, 1, 1).unwrap_or(first.0), None);
    }
    let mut known = BTreeSet::new();
    let mut accounts = Vec::with_capacity(count);
    for (at, stay) in stays.into_iter().enumerate() {
        let mut seed = book.seed(&format!("customer/{at}"));
        let party = if walk && at == 0 { grace(book) } else { unlike(&mut seed, book, &mut known) };
        let account = account(book, &mut seed, at, stay, &party);
        write(book, &mut seed, &account, party);
        accounts.push(account);
    }
    accounts
}

fn grace(book: &Book<'_>) -> Party {
    Party {
        name: cast::WALK_NAME.to_owned(),
        business: false,
        address: "88 Front Street, New Bedford, MA 02740".to_owned(),
        email: cast::WALK_EMAIL.to_owned(),
        phone: format!("{}42", book.utility.phone),
    }
}

/// Somebody whose name the client does not have yet.
fn unlike(seed: &mut Seed, book: &Book<'_>, known: &mut BTreeSet<String>) -> Party {
    loop {
        let party = party(seed, book.utility);
        if known.insert(party.name.clone()) {
            return party;
        }
    }
}

/// When each moved in and out, the oldest first: most before the demo's time, some within it.
fn stays(book: &Book<'_>, count: usize) -> Vec<(NaiveDate, Option<NaiveDate>)> {
    let mut seed = book.seed("stays");
    let first = NaiveDate::from_ymd_opt(2012, 7, 1).unwrap_or_default();
    let (before, within) = ((book.begin() - first).num_days(), (book.end() - book.begin()).num_days());
    let mut stays: Vec<_> = (0..count)
        .map(|_| {
            let from = if seed.chance(88) {
                first + days(seed.between(0, before - 1))
            } else {
                book.begin() + days(seed.between(0, within - 70))
            };
            let left = (book.end() - from.max(book.begin())).num_days();
            let to = seed.chance(5).then(|| from.max(book.begin()) + days(seed.between(60.min(left - 1), left - 1)));
            (from, to.filter(|to| *to > from))
        })
        .collect();
    stays.sort_unstable();
    stays
}

fn days(count: i64) -> Days {
    Days::new(u64::try_from(count).unwrap_or(0))
}

fn account(
    book: &Book<'_>,
    seed: &mut Seed,
    place: usize,
    (moved_in, moved_out): (NaiveDate, Option<NaiveDate>),
    party: &Party,
) -> Account {
    let utility = book.utility;
    let codes = codes(utility.land);
    let walk = party.name == cast::WALK_NAME;
    let germany = utility.land == Land::Germany;
    let interval = walk || place % 13 < 2;
    let kind = match (interval, walk) {
        (true, true) => Kind::Interval(15),
        (true, false) if place % 65 < 2 || seed.chance(12) => Kind::Interval(15),
        (true, false) => Kind::Interval(60),
        (false, _) if germany && seed.chance(12) => Kind::TwoRegisters,
        (false, _) => Kind::Register,
    };
    let code = match kind {
        _ if walk => codes.plain,
        _ if party.business => codes.business,
        Kind::TwoRegisters => codes.tou,
        Kind::Interval(_) if seed.chance(55) => codes.tou,
        _ if seed.chance(38) => codes.steps,
        _ => codes.plain,
    };
    let kind = if code == codes.tou || kind != Kind::TwoRegisters { kind } else { Kind::Register };
    let created = at(moved_in, 180);
    let id = seed.id(created);
    let counters = counters(id, kind, created);
    Account {
        id,
        account: Seed::named(&format!("account/{id}")).id(created),
        place: Seed::named(&format!("place/{id}")).id(created),
        contract: Seed::named(&format!("contract/{id}")).id(created),
        meter: seed.id(created),
        serial: if walk { cast::WALK_SERIAL.to_owned() } else { serial(seed, germany) },
        number: number(book, place),
        name: party.name.clone(),
        service_address: party.address.clone(),
        billing_address: billing_address(seed, utility, walk),
        moved_in,
        moved_out,
        kind,
        counters,
        last_read: None,
        code,
        shape: shape(seed, utility.land, party.business),
        business: party.business,
        walk,
    }
}

/// The registers of a meter, each somewhere in its life.
fn counters(customer: Uuid, kind: Kind, created: DateTime<Utc>) -> Vec<Counter> {
    let names: &[&'static str] = match kind {
        Kind::Register => &[""],
        Kind::TwoRegisters => &["HT", "NT"],
        Kind::Interval(_) => &[],
    };
    let counter = |name: &&'static str| {
        let mut seed = Seed::named(&format!("register/{customer}/{name}"));
        Counter { id: seed.id(created), name, figure: seed.between(200, 98_000) }
    };
    names.iter().map(counter).collect()
}

/// Some have their bills sent elsewhere.
fn billing_address(seed: &mut Seed, utility: &Utility, walk: bool) -> String {
    let town = seed.pick(utility.towns);
    match utility.land {
        _ if walk || !seed.chance(8) => String::new(),
        Land::States => format!("PO Box {}, {town}", seed.between(10, 990)),
        Land::Germany => format!("Postfach {} {:02}, {town}", seed.between(10, 49), seed.between(1, 99)),
    }
}

fn serial(seed: &mut Seed, germany: bool) -> String {
    if germany {
        format!("1EMH00{:08}", seed.between(1_000_000, 99_999_999))
    } else {
        format!("{:08X}", seed.between(0x1000_0000, 0x7fff_ffff))
    }
}

/// Numbers rise with time and leave gaps, as accounts come and go.
fn number(book: &Book<'_>, place: usize) -> String {
    let mut seed = book.seed(&format!("number/{place}"));
    let count = i64::try_from(place).unwrap_or(0) * 37 + seed.between(0, 36);
    match book.utility.land {
        Land::States => format!("{}-{:06}", book.utility.series, 100_200 + count),
        Land::Germany => format!("{}{count:05}-{}", Seed::named(book.utility.slug).between(31, 89), seed.between(0, 9)),
    }
}

/// Cooling in the States, heating pumps and light in Germany; a firm uses more and the same all year.
fn shape(seed: &mut Seed, land: Land, business: bool) -> Shape {
    let season = match land {
        Land::States => [1150, 1120, 1080, 950, 820, 780, 800, 820, 840, 900, 1080, 1180],
        Land::Germany => [740, 760, 740, 620, 450, 300, 245, 270, 350, 470, 760, 740],
    };
    let scale = if business { seed.between(1800, 5200) } else { seed.between(620, 1680) };
    let shift = usize::try_from(seed.between(0, 2)).unwrap_or(0);
    Shape { scale, season, shift, seed: Seed::named(&format!("load/{}", seed.next())) }
}

fn write(book: &mut Book<'_>, seed: &mut Seed, account: &Account, party: Party) {
    let created = at(account.moved_in, 180);
    let closed = account.moved_out.is_some_and(|out| out <= book.as_of);
    book.rows.customers.push(CustomerRow {
        key: book.key,
        id: account.id,
        kind: if account.business { "company" } else { "person" },
        name: party.name,
        email: party.email,
        phone: party.phone,
        metadata: json!({}),
        created_at: created,
        updated_at: created,
    });
    book.rows.accounts.push(AccountRow {
        key: book.key,
        customer_id: account.id,
        id: account.account,
        account_number: account.number.clone(),
        is_main: true,
        billing_address: account.billing_address.clone(),
        delivery: "post",
        language: "",
        status: if closed { "closed" } else { "open" },
        metadata: json!({}),
        created_at: created,
        updated_at: created,
    });
    book.rows.service_points.push(PlaceRow {
        key: book.key,
        id: account.place,
        address: account.service_address.clone(),
        time_zone: book.utility.zone.name(),
        metadata: json!({}),
        created_at: created,
        updated_at: created,
    });
    book.rows.contracts.push(ContractRow {
        key: book.key,
        customer_id: account.id,
        id: account.contract,
        account_id: account.account,
        service_point_id: account.place,
        address: account.service_address.clone(),
        from_on: account.moved_in,
        to_on: account.moved_out,
        status: "agreed",
        billing_cycle: 1,
        billing_anchor: account.moved_in,
        metadata: json!({}),
        created_at: created,
        updated_at: created,
    });
    book.rows.meters.push(MeterRow {
        key: book.key,
        id: account.meter,
        service_point_id: account.place,
        serial: account.serial.clone(),
        direction: "import",
        kind: if matches!(account.kind, Kind::Interval(_)) { "interval" } else { "register" },
        interval_minutes: if let Kind::Interval(minutes) = account.kind { Some(minutes) } else { None },
        time_zone: book.utility.zone.name(),
        valid_from: account.moved_in,
        valid_to: account.moved_out,
        metadata: json!({}),
        created_at: created,
        updated_at: created,
    });
    for counter in &account.counters {
        book.rows.registers.push(RegisterRow {
            key: book.key,
            id: counter.id,
            meter_id: account.meter,
            name: counter.name,
            measures: "energy",
            digits: DIGITS,
            decimals: 0,
            multiplier: 1,
            created_at: created,
            updated_at: created,
        });
    }
    book.rows.tariff_agreements.push(AgreementRow {
        key: book.key,
        id: seed.id(created),
        customer_id: account.id,
        contract_id: account.contract,
        part: "supply",
        tariff_code: account.code,
        valid_from: account.moved_in,
        valid_to: account.moved_out,
        created_at: created,
        updated_at: created,
    });
}
