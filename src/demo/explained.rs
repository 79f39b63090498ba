//! Why the demo's latest bills differ from the ones before, as the portal's own rating keeps it with a bill.

use chrono::Months;
use serde_json::{Value, json};

use super::accounts::Account;
use super::bills::rate;
use super::tariffs::Tariff;
use super::usage::Usage;
use crate::invoices::Explained;
use crate::money::Money;
use crate::period::Period;
use crate::rating::explain::{Case, explain};
use crate::rating::{Bill, History};

/// How many of the last months are explained: the one billed last and the one that customers see last.
const MONTHS: usize = 2;

/// What all of a client's bills are made from.
pub struct Made<'a> {
    pub tariffs: &'a [Tariff],
    pub usage: &'a Usage,
    pub months: &'a [Period],
}

impl Made<'_> {
    /// The differences of a customer's bill to the one before and to last year's; none for earlier months than the last few.
    pub fn explained(&self, account: &Account, place: usize, month: Period, bill: &Bill) -> Value {
        let at = self.months.iter().position(|known| *known == month);
        let Some(at) = at.filter(|at| at + MONTHS >= self.months.len()) else { return json!([]) };
        let year_ago = month.from().checked_sub_months(Months::new(12));
        let year_ago = self.months.iter().position(|known| Some(known.from()) == year_ago);
        let places = [at.checked_sub(1), year_ago];
        let all: Vec<Explained> =
            places.into_iter().flatten().filter_map(|then| self.against(account, place, at, then, bill)).collect();
        json!(all)
    }

    fn against(&self, account: &Account, place: usize, at: usize, then: usize, bill: &Bill) -> Option<Explained> {
        let days = account.supplied(*self.months.get(then)?)?;
        let (was, now) = (self.usage.get(then)?.get(place)?.as_ref()?, self.usage.get(at)?.get(place)?.as_ref()?);
        let (was_tariff, before) = rate(self.tariffs, account, Some(was), days).ok()?;
        let (tariff, _) = rate(self.tariffs, account, Some(now), bill.period).ok()?;
        let (was_input, now_input) = (was.input(), now.input());
        let history = History::default();
        let was_versions = [(days.from(), &was_tariff.compiled)];
        let versions = [(bill.period.from(), &tariff.compiled)];
        let case = |period, versions, tariff, usage, payable: Money| Case {
            period,
            versions,
            tariff,
            usage,
            history: &history,
            payable,
        };
        let earlier = case(days, &was_versions[..], was_tariff.code, &was_input, before.payable);
        let later = case(bill.period, &versions[..], tariff.code, &now_input, bill.payable);
        let explanation = explain(&earlier, &later).ok()?;
        Some(Explained { from: days.from(), to: days.to(), total: before.payable, explanation })
    }
}
