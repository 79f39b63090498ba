//! The plain tariffs that most clients start with.

use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::{
    BlockBasis, Calendar, Clock, DayKind, DayPattern, EnergyCharge, FixedBasis, FixedCharge, Format, PriceCell,
    Proration, RoundingPolicy, Season, TariffDocument, Tax,
};

impl TariffDocument {
    /// A tariff without any charge yet.
    #[must_use]
    pub fn empty(name: &str, currency: &str, zone: Tz) -> Self {
        Self {
            format: Format::V1,
            name: name.to_owned(),
            description: String::new(),
            currency: currency.to_owned(),
            zone,
            clock: Clock::default(),
            calendars: std::collections::BTreeMap::new(),
            energy: vec![],
            demand: vec![],
            fixed: vec![],
            adjustments: vec![],
            minimums: vec![],
            taxes: vec![],
            export: None,
            rounding: RoundingPolicy::default(),
        }
    }

    /// One price per kWh at all times.
    #[must_use]
    pub fn flat(name: &str, currency: &str, zone: Tz, price: Decimal) -> Self {
        Self::with_energy(name, currency, zone, None, vec![PriceCell::flat(price)])
    }

    /// Steps given as (end in kWh, price per kWh), the last without an end; limits hold per billing period.
    #[must_use]
    pub fn tiered(name: &str, currency: &str, zone: Tz, steps: &[(Option<Decimal>, Decimal)]) -> Self {
        Self::with_energy(name, currency, zone, None, vec![PriceCell::tiered(steps)])
    }

    /// Prices by time-of-use period, the same all year: `periods` as (name, price per kWh), and for each of
    /// 24 hours the place of its period, on weekdays and at weekends.
    #[must_use]
    pub fn time_of_use(
        name: &str,
        currency: &str,
        zone: Tz,
        periods: &[(&str, Decimal)],
        weekday: [u8; 24],
        weekend: [u8; 24],
    ) -> Self {
        let days = vec![
            DayPattern { on: DayKind::WEEKDAYS.to_vec(), hours: weekday.to_vec() },
            DayPattern { on: DayKind::WEEKEND.to_vec(), hours: weekend.to_vec() },
        ];
        let names = periods.iter().map(|(name, _)| (*name).to_owned()).collect();
        let calendar = Calendar {
            periods: names,
            seasons: vec![Season::all_year(days)],
            holidays: vec![],
            no_holidays_in: vec![],
        };
        let prices = periods.iter().map(|(name, price)| PriceCell::flat(*price).in_period(name)).collect();
        let mut tariff = Self::with_energy(name, currency, zone, Some("time of use".to_owned()), prices);
        tariff.calendars.insert("time of use".to_owned(), calendar);
        tariff
    }

    /// The same with a fixed charge per month.
    #[must_use]
    pub fn and_monthly(mut self, name: &str, price: Decimal) -> Self {
        self.fixed.push(FixedCharge {
            name: name.to_owned(),
            price,
            per: FixedBasis::Month,
            proration: Proration::None,
        });
        self
    }

    /// The same with a fixed charge per day.
    #[must_use]
    pub fn and_daily(mut self, name: &str, price: Decimal) -> Self {
        self.fixed.push(FixedCharge { name: name.to_owned(), price, per: FixedBasis::Day, proration: Proration::None });
        self
    }

    /// The same with a tax, in per cent, on all lines.
    #[must_use]
    pub fn and_tax(mut self, name: &str, percent: Decimal) -> Self {
        self.taxes.push(Tax { name: name.to_owned(), percent, on: vec![], names: vec![] });
        self
    }

    fn with_energy(name: &str, currency: &str, zone: Tz, calendar: Option<String>, prices: Vec<PriceCell>) -> Self {
        let charge = EnergyCharge {
            name: "Energy".to_owned(),
            register: None,
            calendar,
            blocks_per: BlockBasis::Period,
            prices,
        };
        Self { energy: vec![charge], ..Self::empty(name, currency, zone) }
    }
}
