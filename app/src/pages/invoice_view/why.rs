//! Why a billing period's bill differs from an earlier one, as it was worked out when it was rated.

use eis::rating::explain::Factor;
use eis::receivables::invoices::{Billed, Explained};
use eis::values::money::Money;
use leptos::prelude::*;
use rust_decimal::Decimal;

use super::days_name;
use crate::components::{Section, ShareBar, ShareBars};
use crate::format::{self, Locale};

/// Why the bill differs from the one before and from last year's, each reason with its share; nothing where that is not
/// known. On a bill of several periods each says so beneath its lines.
pub fn explained(billed: &[Billed], currency: &str, locale: Locale) -> Option<AnyView> {
    let [only] = billed else { return None };
    let views = reasons(only, currency, locale)?;
    Some(view! { <Section title="Why it differs"><div class="stack">{views}</div></Section> }.into_any())
}

/// The reasons of one billing period, a picture for each earlier bill.
pub(super) fn reasons(period: &Billed, currency: &str, locale: Locale) -> Option<Vec<AnyView>> {
    let all = &period.reasons.explained;
    (!all.is_empty()).then(|| all.iter().map(|one| against(period, one, currency, locale)).collect())
}

fn against(period: &Billed, explained: &Explained, currency: &str, locale: Locale) -> AnyView {
    let amount = |value: Money| format::amount(value.amount(), currency, locale);
    let signed = |value: Money| {
        let sign = if value > Money::ZERO { "+" } else { "" };
        format!("{sign}{}", amount(value))
    };
    let than = days_name(explained.from, explained.to, locale);
    let difference = explained.explanation.difference;
    let description = match difference.cmp(&Money::ZERO) {
        std::cmp::Ordering::Greater => {
            format!("{} more than the {} of then.", amount(difference), amount(explained.total))
        }
        std::cmp::Ordering::Less => {
            format!("{} less than the {} of then.", amount(-difference), amount(explained.total))
        }
        std::cmp::Ordering::Equal => format!("The same {} as then.", amount(explained.total)),
    };
    let days = period.days() - (explained.to - explained.from).num_days();
    let shares = explained.explanation.shares.iter().filter(|share| !share.amount.is_zero());
    let mut rows: Vec<ShareBar> = shares
        .map(|share| ShareBar {
            label: reason(share.factor).to_owned(),
            value: share.amount.amount(),
            text: signed(share.amount),
            note: if share.factor == Factor::Days { days_note(days) } else { meaning(share.factor).to_owned() },
            sum: false,
        })
        .collect();
    if rows.len() > 1 {
        rows.push(ShareBar {
            label: "Together".to_owned(),
            value: difference.amount(),
            text: signed(difference),
            sum: true,
            ..ShareBar::default()
        });
    }
    view! { <ShareBars title=format!("Against {than}") description=description rows=rows/> }.into_any()
}

/// The shares of a difference in a few words: `usage makes −$11.93, days −$1.78`; empty where there are none.
#[must_use]
pub fn shares_in_words(explained: &Explained, amount: impl Fn(Decimal) -> String) -> String {
    let shares = explained.explanation.shares.iter().filter(|share| !share.amount.is_zero());
    let told = shares.enumerate().map(|(at, share)| {
        let verb = match (at, share.factor) {
            (0, Factor::Days | Factor::Estimates | Factor::Earlier) => " make",
            (0, _) => " makes",
            _ => "",
        };
        let sign = if share.amount > Money::ZERO { "+" } else { "" };
        let figure = amount(share.amount.amount());
        format!("{}{verb} {sign}{figure}", reason(share.factor).to_lowercase())
    });
    told.collect::<Vec<_>>().join(", ")
}

const fn reason(factor: Factor) -> &'static str {
    match factor {
        Factor::Usage => "Usage",
        Factor::Estimates => "Estimates",
        Factor::Days => "Days",
        Factor::Price => "Price",
        Factor::Tariff => "Tariff",
        Factor::Earlier => "Earlier bills",
    }
}

const fn meaning(factor: Factor) -> &'static str {
    match factor {
        Factor::Usage => "energy and demand, on days alike",
        Factor::Estimates => "estimated energy, until it is measured",
        Factor::Days => "",
        Factor::Price => "new prices of the same tariff",
        Factor::Tariff => "another tariff",
        Factor::Earlier => "credit and peaks, and what was put right",
    }
}

fn days_note(more: i64) -> String {
    match more {
        0 => "other days of the year".to_owned(),
        1 => "one day more".to_owned(),
        -1 => "one day fewer".to_owned(),
        more if more > 0 => format!("{more} days more"),
        fewer => format!("{} days fewer", -fewer),
    }
}
