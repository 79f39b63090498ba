//! The form read into a tariff document. Every fault is told at its field, those of the document as a whole too:
//! where each part of the document came from is kept while it is read.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use eis::parties::clients::Client;
use eis::tariff_document::{
    Adjustment, AdjustmentKind, Block, BlockBasis, Calendar, Clock, DayKind, DayPattern, DemandCharge, EnergyCharge,
    ExportCredit, FixedBasis, FixedCharge, LineKind, Minimum, MinimumBasis, MonthDay, NetMetering, Netting, PriceCell,
    Proration, Ratchet, Season, Settlement, TariffDocument, Tax, hours,
};
use eis::values::figures::Unit;
use rust_decimal::Decimal;

use super::fields::Fields;
use super::fill::DAYS;
use crate::format::{self, Locale};
use crate::forms::{self, FieldErrors, Figure, Reader};

/// What a draft is made of.
#[derive(Debug)]
pub struct Design {
    /// What agreements call it.
    pub code: String,
    /// The tariff.
    pub document: TariffDocument,
    /// First day it shall apply.
    pub effective_from: NaiveDate,
}

/// Fields about the version; the document is whole without them.
pub const HEAD: [&str; 3] = ["code", "name", "effective_from"];

/// Reads the whole form, and every fault of it with its field.
pub fn read(fields: &Fields, client: &Client) -> (Design, FieldErrors) {
    let locale = Locale::from(&client.locale);
    let currency = client.currency.as_str();
    let mut form =
        Form { fields, locale, currency, reader: Reader::default(), places: vec![], calendars: BTreeMap::new() };
    let code = form.code();
    let from = form.reader.date("effective_from", fields.get("effective_from"), "the first day it applies");
    let document = form.document(client);
    form.tell_faults(&document);
    (Design { code, document, effective_from: from.unwrap_or_default() }, form.reader.errors)
}

/// A calendar while prices are read, with the numbers that its seasons and periods have in the form.
struct Known {
    name: String,
    calendar: Calendar,
    seasons: Vec<usize>,
    periods: Vec<usize>,
}

/// A season or a period of a price: its number in the form and its name; `None`: every one.
type Part = Option<(usize, String)>;

impl Known {
    /// The seasons and periods that have prices; periods that no hour has are left out.
    fn cells(&self, by_season: bool, by_period: bool) -> Vec<(Part, Part)> {
        let seasons = &self.calendar.seasons;
        let season_parts: Vec<(Part, &[Season])> = if by_season {
            let one = |(number, season): (&usize, &'_ Season)| Some((*number, season.name.clone()));
            self.seasons.iter().zip(seasons).map(one).zip(seasons.chunks(1)).collect()
        } else {
            vec![(None, seasons)]
        };
        let mut found = vec![];
        for (part, of) in season_parts {
            if !by_period {
                found.push((part, None));
                continue;
            }
            for (place, (number, name)) in self.periods.iter().zip(&self.calendar.periods).enumerate() {
                if of.is_empty() || of.iter().any(|season| season.uses(place)) {
                    found.push((part.clone(), Some((*number, name.clone()))));
                }
            }
        }
        found
    }
}

struct Form<'f> {
    fields: &'f Fields,
    locale: Locale,
    /// ISO 4217.
    currency: &'f str,
    reader: Reader,
    /// Paths of the document and the fields that they came from.
    places: Vec<(String, String)>,
    calendars: BTreeMap<usize, Known>,
}

impl<'f> Form<'f> {
    fn get(&self, at: &str, field: &str) -> String {
        self.fields.get(&format!("{at}.{field}")).to_owned()
    }

    fn wrong(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.reader.errors.add(field, message);
    }

    fn code(&mut self) -> String {
        let code = self.reader.text("code", self.fields.get("code"), "a code", 40);
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let fine = code.starts_with(|c: char| c.is_ascii_alphanumeric()) && code.chars().all(plain);
        if !fine && !code.is_empty() {
            self.wrong("code", "Use letters, digits, hyphens and underscores, beginning with a letter or digit.");
        }
        code
    }

    fn document(&mut self, client: &Client) -> TariffDocument {
        let name = self.reader.text("name", self.fields.get("name"), "what people call the tariff", 200);
        let zone = self.fields.get("zone");
        let known = zone.parse::<Tz>();
        if known.is_err() {
            self.wrong("zone", "Enter an IANA time zone, like Europe/Berlin.");
        }
        let mut document = TariffDocument::empty(&name, &client.currency, known.unwrap_or(Tz::UTC));
        document.description = self.reader.optional("description", self.fields.get("description"), 1000);
        if self.fields.get("clock") == "standard" {
            document.clock = Clock::Standard;
        }
        for at in self.fields.items("calendars") {
            self.calendar(at);
        }
        document.calendars = self.calendars.values().map(|one| (one.name.clone(), one.calendar.clone())).collect();
        document.energy = self.each("energy", Self::energy);
        document.demand = self.each("demand", Self::demand);
        document.fixed = self.each("fixed", Self::fixed);
        document.adjustments = self.each("adjustments", Self::adjustment);
        document.minimums = self.each("minimums", Self::minimum);
        document.taxes = self.each("taxes", Self::tax);
        document.export = self.export();
        self.rounding(&mut document);
        document
    }

    /// The items of a list that hold anything.
    fn each<T>(&mut self, list: &str, one: impl Fn(&mut Self, &str, &str) -> Option<T>) -> Vec<T> {
        let mut found = vec![];
        for at in self.fields.items(list) {
            let (field, path) = (format!("{list}.{at}"), format!("{list}[{}]", found.len()));
            if let Some(item) = one(self, &field, &path) {
                self.places.push((path, field));
                found.push(item);
            }
        }
        found
    }

    fn calendar(&mut self, number: usize) {
        let at = format!("calendars.{number}");
        let typed = self.get(&at, "name");
        let name = match (typed.is_empty(), self.calendars.len()) {
            (false, _) => typed,
            (true, 0) => "hours".to_owned(),
            (true, others) => format!("hours {}", others + 1),
        };
        if self.calendars.values().any(|other| other.name == name) {
            self.wrong(format!("{at}.name"), format!("There is another calendar called {name}."));
        }
        let list = format!("{at}.periods");
        let periods: Vec<usize> = self
            .fields
            .items(&list)
            .into_iter()
            .filter(|index| !self.fields.get(&format!("{list}.{index}")).is_empty())
            .collect();
        let names: Vec<String> =
            periods.iter().map(|index| self.fields.get(&format!("{list}.{index}")).to_owned()).collect();
        if names.is_empty() {
            self.wrong(format!("{list}.0"), "Enter at least one period.");
        }
        let path = format!("calendars.{name}");
        let mut seasons = vec![];
        let mut numbers = vec![];
        let holidays = self.holidays(&format!("{at}.holidays"));
        let no_holidays_in = self.years(&format!("{at}.no_holidays_in"));
        for index in self.fields.items(&format!("{at}.seasons")) {
            let field = format!("{at}.seasons.{index}");
            let told = !self.get(&field, &format!("days.{}", DayKind::Holiday.index())).is_empty();
            let of_holidays = told || !holidays.is_empty() || !no_holidays_in.is_empty();
            if let Some(season) = self.season(&field, &names, of_holidays) {
                self.places.push((format!("{path}.seasons[{}]", seasons.len()), field));
                seasons.push(season);
                numbers.push(index);
            }
        }
        if seasons.is_empty() {
            self.wrong(format!("{at}.seasons"), "Add at least one season; one from 01-01 to 12-31 holds all year.");
        }
        self.places.push((path, at));
        let calendar = Calendar { periods: names, seasons, holidays, no_holidays_in };
        self.calendars.insert(number, Known { name, calendar, seasons: numbers, periods });
    }

    fn season(&mut self, at: &str, periods: &[String], holidays: bool) -> Option<Season> {
        if !self.fields.filled(at, &["name", "from", "to"]) {
            return None;
        }
        let name = self.reader.text(&format!("{at}.name"), &self.get(at, "name"), "what the season is called", 40);
        let (from, to) = (self.month_day(&format!("{at}.from"), "first"), self.month_day(&format!("{at}.to"), "last"));
        let mut days: Vec<DayPattern> = vec![];
        for day in DAYS.into_iter().filter(|day| holidays || *day != DayKind::Holiday) {
            let field = format!("{at}.days.{}", day.index());
            let pattern = hours::read(self.fields.get(&field), periods).unwrap_or_else(|fault| {
                self.wrong(field, fault);
                vec![0; 24]
            });
            match days.iter_mut().find(|known| known.hours == pattern) {
                Some(known) => known.on.push(day),
                None => days.push(DayPattern { on: vec![day], hours: pattern }),
            }
        }
        Some(Season { name, from: from?, to: to?, days })
    }

    fn month_day(&mut self, field: &str, which: &str) -> Option<MonthDay> {
        let day = self.fields.get(field).parse::<MonthDay>().ok();
        if day.is_none() {
            self.wrong(field, format!("Enter the season's {which} day as month-day, like 06-01."));
        }
        day
    }

    fn holidays(&mut self, field: &str) -> Vec<NaiveDate> {
        let typed = self.fields.get(field).to_owned();
        let mut days = vec![];
        for word in typed.split([' ', ',', ';', '\n', '\r']).filter(|word| !word.is_empty()) {
            match forms::day(word) {
                Some(day) => days.push(day),
                None => {
                    self.wrong(field, format!("“{word}” is not a day. Enter one a line, like 2026-12-25."));
                    return vec![];
                }
            }
        }
        days.sort_unstable();
        days.dedup();
        days
    }

    fn years(&mut self, field: &str) -> Vec<i32> {
        let typed = self.fields.get(field);
        let words = typed.split([' ', ',', ';', '\n', '\r']).filter(|word| !word.is_empty());
        let years: Option<Vec<i32>> = words.map(|word| word.parse().ok()).collect();
        if years.is_none() {
            self.wrong(field, "Enter years with commas between, like 2026, 2027.");
        }
        years.unwrap_or_default()
    }

    /// The register that a charge is a price of, where one is typed.
    fn register(&self, at: &str) -> Option<String> {
        Some(self.get(at, "register")).filter(|name| !name.is_empty())
    }

    /// A price of up to six decimals in the client's currency.
    fn price(&mut self, field: &str, what: &str) -> Decimal {
        self.rate(field, what, Unit::Currency(self.currency))
    }

    /// A rate in per cent of up to six decimals.
    fn percent(&mut self, field: &str, what: &str) -> Decimal {
        self.rate(field, what, Unit::Percent)
    }

    fn rate(&mut self, field: &str, what: &str, unit: Unit<'f>) -> Decimal {
        let most = Decimal::from(999_999);
        let asked = Figure { what, unit, least: -most, most, places: 6 };
        // A fault stands at the field, and the form is not taken with any.
        self.reader.figure(field, self.fields.get(field), self.locale, asked).unwrap_or_default().normalize()
    }

    /// A whole number, where something is typed.
    fn whole<T: std::str::FromStr>(&mut self, field: &str, what: &str) -> Option<T> {
        let typed = self.fields.get(field);
        let number = typed.parse().ok();
        if number.is_none() && !typed.is_empty() {
            self.wrong(field, format!("Enter {what} as a whole number."));
        }
        number
    }

    /// The calendar of a charge and its prices.
    fn prices(&mut self, at: &str, path: &str, unit: &str) -> (Option<String>, Vec<PriceCell>) {
        let number: Option<usize> = self.get(at, "calendar").parse().ok();
        let known = number.and_then(|number| self.calendars.get(&number));
        let (name, parts) = match known {
            None => (None, vec![(None, None)]),
            Some(known) => {
                let by = |part: &str| self.fields.has(&format!("{at}.{part}"));
                (Some(known.name.clone()), known.cells(by("by_season"), by("by_period")))
            }
        };
        let key = |part: &Part, letter: char| {
            part.as_ref().map_or(format!("{letter}x"), |(number, _)| format!("{letter}{number}"))
        };
        let mut cells = vec![];
        for (season, period) in parts {
            let field = format!("{at}.prices.{}.{}", key(&season, 's'), key(&period, 'p'));
            self.places.push((format!("{path}.prices[{}]", cells.len()), field.clone()));
            let blocks = self.blocks(&field, unit);
            cells.push(PriceCell {
                season: season.map(|(_, name)| name),
                period: period.map(|(_, name)| name),
                blocks,
            });
        }
        (name, cells)
    }

    /// The steps typed, up to the last one that has anything.
    fn blocks(&mut self, at: &str, unit: &str) -> Vec<Block> {
        let rows = self.fields.items(&format!("{at}.blocks"));
        let row = |index: &usize| format!("{at}.blocks.{index}");
        let last = rows.iter().rev().find(|index| self.fields.filled(&row(index), &["to", "price"])).copied();
        let last = last.unwrap_or_default();
        let mut from = Decimal::ZERO;
        let mut blocks = vec![];
        for index in 0..=last {
            let row = row(&index);
            let what =
                if last == 0 { format!("the price per {unit}") } else { format!("the price of step {}", index + 1) };
            let price = self.price(&format!("{row}.price"), &what);
            let field = format!("{row}.to");
            let typed = self.fields.get(&field).to_owned();
            let to = if index == last {
                if !typed.is_empty() {
                    self.wrong(&field, "The last step has no limit: leave it empty, or add a price after it.");
                }
                None
            } else {
                let what = format!("the limit of step {} in {unit}", index + 1);
                let most = Decimal::from(999_999_999);
                let asked = Figure { what: &what, unit: Unit::Named(unit), least: Decimal::ZERO, most, places: 6 };
                let limit = self.reader.figure(&field, &typed, self.locale, asked);
                if limit.is_some_and(|limit| limit <= from) {
                    let begin = format::field(from, self.locale);
                    self.wrong(&field, format!("The limit must lie above {begin} {unit}, where this step begins."));
                }
                Some(limit.unwrap_or(from).normalize())
            };
            blocks.push(Block { from, to, price });
            from = to.unwrap_or(from);
        }
        blocks
    }

    fn energy(&mut self, at: &str, path: &str) -> Option<EnergyCharge> {
        let name = self.name(at, "the charge");
        let (calendar, prices) = self.prices(at, path, "kWh");
        let blocks_per = match self.get(at, "blocks_per").as_str() {
            "day" => BlockBasis::Day,
            "normal_days" => BlockBasis::NormalDays(self.normal_days(at)),
            _ => BlockBasis::Period,
        };
        Some(EnergyCharge { name, register: self.register(at), calendar, blocks_per, prices })
    }

    fn name(&mut self, at: &str, what: &str) -> String {
        self.reader.text(
            &format!("{at}.name"),
            &self.get(at, "name"),
            &format!("what {what} is called on the bill"),
            80,
        )
    }

    fn normal_days(&mut self, at: &str) -> u16 {
        let field = format!("{at}.normal_days");
        let days = self.whole(&field, "the normal days").filter(|days| (1..=366).contains(days));
        if days.is_none() {
            self.wrong(field, "Enter the normal days, 1 to 366, like 30.");
        }
        days.unwrap_or(30)
    }

    fn demand(&mut self, at: &str, path: &str) -> Option<DemandCharge> {
        let name = self.name(at, "the charge");
        let (calendar, prices) = self.prices(at, path, "kW");
        let percent = format!("{at}.ratchet.percent");
        let ratchet = self.fields.filled(&format!("{at}.ratchet"), &["percent", "months"]).then(|| Ratchet {
            percent: self.percent(&percent, "the per cent of the earlier peak"),
            months: self.whole(&format!("{at}.ratchet.months"), "how many months back").unwrap_or_default(),
            only: self.months(&format!("{at}.ratchet.only")),
        });
        let window_minutes = self.whole(&format!("{at}.window"), "the minutes");
        let per_period = calendar.is_some() && self.fields.has(&format!("{at}.by_period"));
        let register = self.register(at);
        Some(DemandCharge { name, register, calendar, per_period, window_minutes, prices, ratchet })
    }

    fn months(&mut self, field: &str) -> Vec<u8> {
        let typed = self.fields.get(field);
        let months: Option<Vec<u8>> =
            typed.split([' ', ',']).filter(|word| !word.is_empty()).map(|word| word.parse().ok()).collect();
        if months.is_none() {
            self.wrong(field, "Enter months as numbers, like 6, 7, 8.");
        }
        months.unwrap_or_default()
    }

    fn fixed(&mut self, at: &str, _path: &str) -> Option<FixedCharge> {
        if !self.fields.filled(at, &["name", "price"]) {
            return None;
        }
        let proration = match self.get(at, "proration").as_str() {
            "calendar_days" => Proration::CalendarDays,
            "normal_days" => Proration::NormalDays(self.normal_days(at)),
            _ => Proration::None,
        };
        let per = match self.get(at, "per").as_str() {
            "day" => FixedBasis::Day,
            "average_month_day" => FixedBasis::AverageMonthDay,
            _ => FixedBasis::Month,
        };
        Some(FixedCharge {
            name: self.name(at, "the charge"),
            price: self.price(&format!("{at}.price"), "the charge"),
            per,
            proration,
        })
    }

    /// The kinds of lines that are ticked.
    fn kinds(&self, at: &str) -> Vec<LineKind> {
        KINDS.into_iter().filter(|kind| self.fields.has(&format!("{at}.{}", kind.as_str()))).collect()
    }

    fn adjustment(&mut self, at: &str, path: &str) -> Option<Adjustment> {
        if !self.fields.filled(at, &["name", "amount"]) {
            return None;
        }
        let field = format!("{at}.amount");
        for part in ["price", "percent"] {
            self.places.push((format!("{path}.{part}"), field.clone()));
        }
        let name = self.name(at, "the rider");
        let per = self.get(at, "per");
        let unit = if per == "percent" { Unit::Percent } else { Unit::Currency(self.currency) };
        let amount = self.rate(&field, "the amount or the per cent", unit);
        let kind = match per.as_str() {
            "period" => AdjustmentKind::Period { price: amount },
            "percent" => AdjustmentKind::Percent { percent: amount, of: self.kinds(&format!("{at}.of")) },
            _ => AdjustmentKind::Kwh { price: amount },
        };
        Some(Adjustment { name, kind })
    }

    fn minimum(&mut self, at: &str, _path: &str) -> Option<Minimum> {
        if !self.fields.filled(at, &["name", "amount"]) {
            return None;
        }
        let per = match self.get(at, "per").as_str() {
            "day" => MinimumBasis::Day,
            "year" => MinimumBasis::Year,
            _ => MinimumBasis::Period,
        };
        Some(Minimum {
            name: self.name(at, "the minimum"),
            amount: self.price(&format!("{at}.amount"), "the least amount"),
            per,
            counts: self.kinds(&format!("{at}.counts")),
        })
    }

    fn tax(&mut self, at: &str, _path: &str) -> Option<Tax> {
        if !self.fields.filled(at, &["name", "percent"]) {
            return None;
        }
        let names = self.get(at, "names");
        Some(Tax {
            name: self.name(at, "the tax"),
            percent: self.percent(&format!("{at}.percent"), "the tax in per cent"),
            on: self.kinds(&format!("{at}.on")),
            names: names.lines().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        })
    }

    fn export(&mut self) -> Option<ExportCredit> {
        let roll_over = self.fields.has("export.roll_over");
        let form = self.get("export", "form");
        self.places.push(("export".to_owned(), "export".to_owned()));
        match form.as_str() {
            "net_metering" => {
                let settled = self.fields.filled("export.settlement", &["month", "price"]);
                let settlement = settled.then(|| Settlement {
                    month: self.whole("export.settlement.month", "the month").unwrap_or_default(),
                    price: self.price("export.settlement.price", "the price per kWh"),
                });
                Some(ExportCredit::NetMetering(NetMetering { roll_over, settlement }))
            }
            "net_billing" => {
                let (calendar, prices) = self.prices("export", "export", "kWh");
                let by_the_hour = self.get("export", "netting") == "hour";
                let netting = if by_the_hour { Netting::Hour } else { Netting::Interval };
                Some(ExportCredit::NetBilling { calendar, netting, prices, roll_over })
            }
            "buy_all_sell_all" => {
                let (calendar, prices) = self.prices("export", "export", "kWh");
                Some(ExportCredit::BuyAllSellAll { calendar, prices, roll_over })
            }
            _ => None,
        }
    }

    fn rounding(&mut self, document: &mut TariffDocument) {
        let rule = serde_json::from_value(self.fields.get("rounding.money").into());
        document.rounding.money = rule.unwrap_or_default();
        document.rounding.kwh_decimals = self.whole("rounding.kwh_decimals", "the decimals");
        let step = self.fields.get("rounding.payable_step");
        if !step.is_empty() {
            document.rounding.payable_step = Some(self.price("rounding.payable_step", "the step"));
        }
    }

    /// The faults of the document as a whole, each at the field that it came from, unless that is wrong already.
    fn tell_faults(&mut self, document: &TariffDocument) {
        if !self.reader.errors.0.iter().all(|(field, _)| HEAD.contains(&field.as_str())) {
            return;
        }
        for fault in document.validate().into_iter().filter(|fault| fault.path != "name") {
            let place = self
                .places
                .iter()
                .filter(|(path, _)| fault.path.starts_with(path.as_str()))
                .max_by_key(|(path, _)| path.len());
            let field = place.map_or_else(
                || fault.path.clone(),
                |(path, field)| {
                    format!("{field}{}", fault.path.get(path.len()..).unwrap_or_default())
                        .replace('[', ".")
                        .replace(']', "")
                },
            );
            let mut message = fault.message;
            if let Some(first) = message.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            self.wrong(field, format!("{message}."));
        }
    }
}

/// Kinds of lines that charges can be of, before tax.
pub const KINDS: [LineKind; 6] =
    [LineKind::Energy, LineKind::Demand, LineKind::Fixed, LineKind::Adjustment, LineKind::Minimum, LineKind::Credit];

#[cfg(test)]
mod tests {
    use super::super::fill::fill;
    use super::*;
    use crate::pages::admin::tariffs::design::tests::{client, examples};
    use eis::tariff_document::difference;

    fn with_head(document: &TariffDocument) -> Fields {
        with_head_in(document, Locale::EnUs)
    }

    fn with_head_in(document: &TariffDocument, locale: Locale) -> Fields {
        let mut fields = fill(document, locale);
        fields.set("code", "T-1");
        fields.set("effective_from", "2026-01-01");
        fields
    }

    #[test]
    fn every_example_and_every_reference_rate_goes_through_the_form_unchanged() {
        for (name, document) in examples() {
            for locale in Locale::ALL {
                let (currency, locale_tag) = (document.currency.clone(), locale.tag().to_owned());
                let client = Client { currency, locale: locale_tag, ..client() };
                let (design, errors) = read(&with_head_in(&document, locale), &client);
                assert_eq!(errors, FieldErrors::default(), "{name}");
                assert_eq!(difference(&document, &design.document), [], "{name}");
                // What no hour has a use for is left out the first time; from then on nothing changes at all.
                let (again, _) = read(&with_head_in(&design.document, locale), &client);
                assert!(again.document == design.document, "{name}");
            }
        }
    }

    #[test]
    fn prices_limits_and_rates_are_read_as_the_client_writes_them() {
        let (_, document) = examples().into_iter().find(|(name, _)| name == "tiered.json").unwrap();
        let german = Client { currency: "EUR".into(), locale: "de-DE".into(), ..client() };
        let mut fields = with_head_in(&document, Locale::DeDe);
        fields.set("energy.0.prices.sx.px.blocks.0.to", "1.500 kWh");
        fields.set("energy.0.prices.sx.px.blocks.0.price", "0,285 €");
        fields.set("fixed.0.name", "Grundpreis");
        fields.set("fixed.0.price", "1.234,56");
        fields.set("minimums.0.name", "Mindestpreis");
        fields.set("minimums.0.amount", "1.5");
        fields.set("taxes.0.name", "MwSt");
        fields.set("taxes.0.percent", "19 €");
        let (design, errors) = read(&fields, &german);
        let block = &design.document.energy[0].prices[0].blocks[0];
        assert_eq!((block.to, block.price), (Some(Decimal::from(1500)), Decimal::new(285, 3)), "{errors:?}");
        assert_eq!(design.document.fixed[0].price, Decimal::new(123_456, 2));
        assert!(errors.of("minimums.0.amount").contains("could be 1,5 or 15"), "{errors:?}");
        assert!(errors.of("taxes.0.percent").contains("in per cent"), "{errors:?}");
    }

    #[test]
    fn a_fault_of_the_whole_is_told_at_the_field_that_it_came_from() {
        let (_, document) = examples().into_iter().find(|(name, _)| name == "demand.json").unwrap();
        let client = Client { currency: document.currency.clone(), ..client() };
        let mut fields = with_head(&document);
        fields.set("calendars.0.seasons.1.to", "05-01");
        fields.set("demand.0.ratchet.percent", "180");
        let (_, errors) = read(&fields, &client);
        assert!(errors.of("calendars.0.seasons").contains("lie in no season"), "{errors:?}");
        assert!(errors.of("demand.0.ratchet.percent").contains("at most 100"), "{errors:?}");
    }

    #[test]
    fn hours_prices_and_limits_are_told_at_their_fields() {
        let (_, document) = examples().into_iter().find(|(name, _)| name == "tiered-time-of-use.json").unwrap();
        let client = Client { currency: document.currency.clone(), ..client() };
        let mut fields = with_head(&document);
        fields.set("calendars.0.seasons.0.days.2", "Peak 16-21");
        fields.set("energy.0.prices.sx.p1.blocks.0.price", "much");
        fields.set("energy.0.prices.sx.p0.blocks.1.to", "5");
        let (_, errors) = read(&fields, &client);
        assert!(errors.of("calendars.0.seasons.0.days.2").contains("Peak 16-21"), "{errors:?}");
        assert!(errors.of("energy.0.prices.sx.p1.blocks.0.price").contains("as a number"), "{errors:?}");
        assert!(errors.of("energy.0.prices.sx.p0.blocks.1.to").contains("has no limit"), "{errors:?}");
    }

    #[test]
    fn a_period_that_is_taken_out_takes_its_prices_along() {
        let (_, document) = examples().into_iter().find(|(name, _)| name == "tiered-time-of-use.json").unwrap();
        let client = Client { currency: document.currency.clone(), ..client() };
        let mut fields = with_head(&document);
        let periods = fields.items("calendars.0.periods").len();
        fields.apply("remove:calendars.0.periods.0");
        for season in fields.items("calendars.0.seasons") {
            for day in 0..8 {
                fields.set(format!("calendars.0.seasons.{season}.days.{day}"), "");
            }
        }
        let (design, errors) = read(&fields, &client);
        assert_eq!(errors, FieldErrors::default());
        let calendar = design.document.calendars.values().next().unwrap();
        assert_eq!(calendar.periods.len(), periods - 1);
        let cells = &design.document.energy[0].prices;
        assert!(cells.iter().all(|cell| cell.period.as_deref() == Some(calendar.periods[0].as_str())), "{cells:?}");
    }
}
