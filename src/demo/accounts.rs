//! Customers, their meters, and the tariff each is on.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use serde_json::json;
use uuid::Uuid;

use super::book::{Book, at};
use super::cast::{self, Land, Utility};
use super::household::Shape;
use super::names::{Party, party};
use super::rows::{AccountRow, AgreementRow, ContractRow, CustomerRow, MeterRow, PlaceRow, RegisterRow};
use super::seed::Seed;
use super::tariffs::codes;
use crate::values::period::Period;

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

/// A contract as usage and billing need it, with its customer, account and place.
pub struct Account {
    pub id: Uuid,
    pub account: Uuid,
    pub place: Uuid,
    pub contract: Uuid,
    pub meter: Uuid,
    /// The meter that took its place, and from which day on.
    pub exchanged: Option<(Uuid, NaiveDate)>,
    /// Months that one bill covers, and a day on which one begins.
    pub cycle: (i16, NaiveDate),
    /// Of a landlord: one bill for all.
    pub collective: bool,
    /// Its customer and account have another contract that came before.
    pub further: bool,
    /// Its place and meter were somebody's before.
    pub takes_over: bool,
    /// From which day somebody else has the place: the meter stays.
    pub followed: Option<NaiveDate>,
    pub serial: String,
    pub number: String,
    pub name: String,
    pub service_address: String,
    /// Empty: the service address.
    pub billing_address: String,
    pub moved_in: NaiveDate,
    pub moved_out: Option<NaiveDate>,
    pub kind: Kind,
    pub code: &'static str,
    pub shape: Shape,
    pub business: bool,
    /// The customer of the walk-through, who has no usage.
    pub walk: bool,
}

impl Account {
    /// The days of a period that each of its meters measured.
    pub fn measured(&self, period: Period) -> Vec<(Period, Uuid)> {
        let Some(days) = self.supplied(period) else { return vec![] };
        let Some((next, on)) = self.exchanged else { return vec![(days, self.meter)] };
        let before = Period::new(days.from(), on.min(days.to())).map(|days| (days, self.meter));
        let after = Period::new(on.max(days.from()), days.to()).map(|days| (days, next));
        before.into_iter().chain(after).collect()
    }

    /// Whether the meter stays where it is when the customer goes.
    pub const fn stays(&self) -> bool {
        self.followed.is_some() || self.collective
    }

    /// The days of a period in which the customer was supplied.
    fn supplied(&self, period: Period) -> Option<Period> {
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
        let mut account = account(book, &mut seed, at, stay, &party);
        account.followed = follower(book, &account);
        write(book, &mut seed, &account, party);
        accounts.push(account);
    }
    let followers: Vec<(usize, NaiveDate)> =
        accounts.iter().enumerate().filter_map(|(at, account)| Some((at, follower(book, account)?))).collect();
    for (at, from) in followers {
        let mut seed = book.seed(&format!("follower/{at}"));
        let mut party = unlike(&mut seed, book, &mut known);
        party.address.clone_from(&accounts[at].service_address);
        let place = accounts.len();
        let made = account(book, &mut seed, place, (from, None), &party);
        let there = &accounts[at];
        let made = Account {
            place: there.place,
            meter: there.meter,
            serial: there.serial.clone(),
            kind: there.kind,
            code: there.code,
            service_address: there.service_address.clone(),
            takes_over: true,
            ..made
        };
        write(book, &mut seed, &made, party);
        accounts.push(made);
    }
    landlord(book, &mut accounts, &mut known);
    accounts
}

/// The day from which somebody else lives where this one moved out, some days later.
fn follower(book: &Book<'_>, account: &Account) -> Option<NaiveDate> {
    let out = account.moved_out?;
    let from = out + days(book.seed(&format!("vacant/{}", account.number)).between(0, 9));
    (from + Days::new(40) < book.end()).then_some(from)
}

/// A landlord with four flats on one account and one bill; the last flat has been vacant for two months.
fn landlord(book: &mut Book<'_>, accounts: &mut Vec<Account>, known: &mut BTreeSet<String>) {
    const FLATS: usize = 4;
    let mut seed = book.seed("landlord");
    let mut party = unlike(&mut seed, book, known);
    party.business = true;
    let begin = book.begin();
    let vacant = Period::month_of(book.end() - Days::new(45)).from();
    let first = account(book, &mut seed, accounts.len(), (begin, None), &party);
    let (id, owner, number, name) = (first.id, first.account, first.number.clone(), first.name.clone());
    for flat in 0..FLATS {
        let moved_out = (flat + 1 == FLATS).then_some(vacant);
        let made = account(book, &mut seed, accounts.len(), (begin, moved_out), &party);
        let flat_id = Seed::named(&format!("flat/{id}/{flat}")).id(at(begin, 180));
        let made = Account {
            id,
            account: owner,
            number: number.clone(),
            name: name.clone(),
            place: Seed::named(&format!("place/{flat_id}")).id(at(begin, 180)),
            contract: Seed::named(&format!("contract/{flat_id}")).id(at(begin, 180)),
            service_address: format!("{}, {} {}", party.address, flat_word(book.utility.land), flat + 1),
            billing_address: party.address.clone(),
            cycle: (1, Period::month_of(begin).from()),
            kind: Kind::Register,
            code: codes(book.utility.land).plain,
            collective: true,
            further: flat > 0,
            ..made
        };
        write(book, &mut seed, &made, party.clone());
        accounts.push(made);
    }
}

const fn flat_word(land: Land) -> &'static str {
    match land {
        Land::States => "Apt",
        Land::Germany => "Wohnung",
    }
}

/// Most are billed monthly; some every quarter, some every second month, some once a year.
fn cycle(place: usize, walk: bool, book: &Book<'_>) -> (i16, NaiveDate) {
    let first = book.begin();
    let of = |year: i32, month: u32, day: u32| NaiveDate::from_ymd_opt(year, month, day).unwrap_or(first);
    match place {
        // Her first bill is of the days that her file has.
        _ if walk => (1, of(2012, 3, 14)),
        at if at % 17 == 9 => (12, of(2024, 10, 1)),
        at if at % 9 == 7 => (3, of(2024, 1, 1)),
        at if at % 23 == 11 => (2, of(2024, 2, 1)),
        _ => (1, Period::month_of(first).from()),
    }
}

/// Meters are exchanged in the middle of a month.
fn exchange(book: &Book<'_>, place: usize, kind: Kind, stay: (NaiveDate, Option<NaiveDate>)) -> Option<NaiveDate> {
    let on = book.end() - Days::new(75);
    let applies = place % 29 == 5 && kind == Kind::Register && stay.0 < book.begin() && stay.1.is_none();
    applies.then_some(on)
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
    Account {
        id,
        account: Seed::named(&format!("account/{id}")).id(created),
        place: Seed::named(&format!("place/{id}")).id(created),
        contract: Seed::named(&format!("contract/{id}")).id(created),
        meter: seed.id(created),
        exchanged: exchange(book, place, kind, (moved_in, moved_out))
            .map(|on| (Seed::named(&format!("exchanged/{id}")).id(at(on, 90)), on)),
        cycle: cycle(place, walk, book),
        collective: false,
        further: false,
        takes_over: false,
        followed: None,
        serial: if walk { cast::WALK_SERIAL.to_owned() } else { serial(seed, germany) },
        number: number(book, place),
        name: party.name.clone(),
        service_address: party.address.clone(),
        billing_address: billing_address(seed, utility, walk),
        moved_in,
        moved_out,
        kind,
        code,
        shape: shape(seed, utility.land, party.business),
        business: party.business,
        walk,
    }
}

/// The registers of a meter, each somewhere in its life; none where it tells its values itself.
pub fn counters(meter: Uuid, kind: Kind, book: &Book<'_>) -> Vec<Counter> {
    let names: &[&'static str] = match kind {
        Kind::Register => &[""],
        Kind::TwoRegisters => &["HT", "NT"],
        Kind::Interval(_) => &[],
    };
    let counter = |name: &&'static str| {
        let mut seed = Seed::named(&format!("register/{meter}/{name}"));
        Counter { id: seed.id(at(book.begin(), 180)), name, figure: seed.between(200, 98_000) }
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
    if !account.further {
        parties(book, account, party, closed);
    }
    if !account.takes_over {
        place(book, account);
    }
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
        billing_cycle: account.cycle.0,
        billing_anchor: account.cycle.1,
        billing_from: billing_from(book, account),
        metadata: json!({}),
        created_at: created,
        updated_at: created,
    });
    if !account.takes_over {
        meters(book, account);
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

/// Days before the demo's bills begin were billed elsewhere.
fn billing_from(book: &Book<'_>, account: &Account) -> Option<NaiveDate> {
    if account.walk {
        return NaiveDate::from_ymd_opt(2012, 3, 1);
    }
    let first = book.billed_from();
    (account.moved_in < first).then_some(first)
}

fn parties(book: &mut Book<'_>, account: &Account, party: Party, closed: bool) {
    let created = at(account.moved_in, 180);
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
        collective: account.collective,
        delivery: "post",
        language: "",
        status: if closed { "closed" } else { "open" },
        metadata: json!({}),
        created_at: created,
        updated_at: created,
    });
}

fn place(book: &mut Book<'_>, account: &Account) {
    let created = at(account.moved_in, 180);
    book.rows.service_points.push(PlaceRow {
        key: book.key,
        id: account.place,
        address: account.service_address.clone(),
        time_zone: book.utility.zone.name(),
        metadata: json!({}),
        created_at: created,
        updated_at: created,
    });
}

/// The meter at the place, and the one that took its place.
fn meters(book: &mut Book<'_>, account: &Account) {
    let created = at(account.moved_in, 180);
    let (first_to, second) = match account.exchanged {
        Some((next, on)) => (Some(on), Some((next, on))),
        None => (account.moved_out.filter(|_| !account.stays()), None),
    };
    let row = |id: Uuid, serial: String, from: NaiveDate, to: Option<NaiveDate>| MeterRow {
        key: book.key,
        id,
        service_point_id: account.place,
        serial,
        direction: "import",
        kind: if matches!(account.kind, Kind::Interval(_)) { "interval" } else { "register" },
        interval_minutes: if let Kind::Interval(minutes) = account.kind { Some(minutes) } else { None },
        time_zone: book.utility.zone.name(),
        valid_from: from,
        valid_to: to,
        metadata: json!({}),
        created_at: created,
        updated_at: created,
    };
    let first = row(account.meter, account.serial.clone(), account.moved_in, first_to);
    let second = second.map(|(id, on)| row(id, format!("{}X", account.serial), on, None));
    for meter in [first].into_iter().chain(second) {
        for counter in counters(meter.id, account.kind, book) {
            book.rows.registers.push(RegisterRow {
                key: book.key,
                id: counter.id,
                meter_id: meter.id,
                name: counter.name,
                measures: "energy",
                digits: DIGITS,
                decimals: 0,
                multiplier: 1,
                created_at: created,
                updated_at: created,
            });
        }
        book.rows.meters.push(meter);
    }
}
