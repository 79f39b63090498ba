//! A bill of several billing periods, as a landlord has it: a part for each, then taxes and sums once.

use eis::receivables::invoices::{Billed, Invoice, Line};
use leptos::prelude::*;

use super::why::reasons;
use super::{charges, days, demand, sums, usage};
use crate::components::{Bill, BillSum, Section};
use crate::format::{self, Locale};

/// Each period with its heading, lines and net, and why it differs; then what is of the whole invoice, taxes and sums.
pub(super) fn account(invoice: &Invoice, lines: &[Line], billed: &[Billed], locale: Locale) -> AnyView {
    let parts = billed.iter().map(|period| part(period, lines, &invoice.currency, locale)).collect_view();
    let of_a_part = |line: &&Line| billed.iter().any(|period| line.billing_period_id == Some(period.id));
    let rest = charges(lines.iter().filter(|line| !of_a_part(line)), "", &invoice.currency, locale);
    let (sums, currency) = (sums(invoice, lines, locale), invoice.currency.clone());
    view! {
        {parts}
        <Section title="All together">
            <Bill currency=currency>{rest}{sums}</Bill>
        </Section>
    }
    .into_any()
}

fn part(period: &Billed, lines: &[Line], currency: &str, locale: Locale) -> AnyView {
    let span = format::date_range(period.from_on, period.last_day(), locale);
    let title = if period.address.is_empty() { span.clone() } else { period.address.clone() };
    let own = lines.iter().filter(|line| line.billing_period_id == Some(period.id));
    let own = charges(own, &title, currency, locale);
    let mut about = vec![format!("{span} ({})", days(period.days(), locale))];
    about.extend(Some(period.tariff_name.clone()).filter(|name| !name.is_empty()));
    about.push(usage(period.kwh, period.estimated, period.reasons.usage.as_ref(), locale));
    about.extend(period.peak_kw.map(|peak| format!("highest demand {}", demand(peak, locale))));
    let net = format::money(period.net, locale);
    let why = reasons(period, currency, locale).map(|views| {
        view! {
            <details class="bill-line">
                <summary><span class="bill-what">"Why it differs"</span></summary>
                <div class="bill-behind"><div class="stack">{views}</div></div>
            </details>
        }
    });
    let currency = currency.to_owned();
    view! {
        <Section title=title>
            <p class="hint">{about.join(", ")}</p>
            <Bill currency=currency>
                {own}
                <BillSum label="Before tax" amount=net/>
                {why}
            </Bill>
        </Section>
    }
    .into_any()
}
