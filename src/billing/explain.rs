//! Why a bill differs from the one before and from last year's, kept with the draft: the page that shows it asks nothing
//! more, and the customer sees what was true when the bill was made. The shares are [`crate::rating::explain`]'s.

use std::collections::BTreeMap;

use chrono::Months;
use diesel::QueryResult;
use diesel_async::AsyncPgConnection;

use super::account::{Account, Basis};
use super::draft::Draft;
use super::gather::accounts;
use super::load::{self, ContractRow, PastRow};
use super::tariffs::Tariffs;
use crate::db::AtClient;
use crate::parties::clients::Client;
use crate::rating::explain::{self, Case};
use crate::receivables::invoices::Explained;
use crate::values::ids::{ContractId, CustomerId};
use crate::values::money::Money;
use crate::values::period::Period;

/// Different earlier periods that are loaded for a batch of customers. Those of most customers are the same one or two.
const PERIODS: usize = 6;

/// Which earlier bill a draft is compared with, for whom.
struct Wanted<'a> {
    account: &'a Account<'a>,
    past: &'a PastRow,
    draft: usize,
}

/// Adds to each draft how it differs from the customer's bill before and last year's, where these can be rated again.
pub(super) async fn add(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    client: &Client,
    accounts: &[Account<'_>],
    tariffs: &Tariffs,
    days: Period,
    drafts: &mut [Draft],
) -> QueryResult<()> {
    let mut found: Vec<Vec<Explained>> = drafts.iter().map(|_| vec![]).collect();
    for (period, wanted) in periods(accounts, drafts) {
        for (draft, explained) in of_period(conn, here, client, period, &wanted, tariffs, days, drafts).await? {
            if let Some(list) = found.get_mut(draft) {
                list.push(explained);
            }
        }
    }
    for (draft, mut explained) in drafts.iter_mut().zip(found) {
        explained.sort_by_key(|one| std::cmp::Reverse(one.from));
        draft.found.explained = explained;
    }
    Ok(())
}

/// The earlier bills to compare with, by their days; the days of most customers if there are many.
fn periods<'a>(accounts: &'a [Account<'a>], drafts: &[Draft]) -> Vec<(Period, Vec<Wanted<'a>>)> {
    let place: BTreeMap<ContractId, usize> =
        drafts.iter().enumerate().map(|(at, draft)| (draft.contract_id, at)).collect();
    let mut by_period: BTreeMap<Period, Vec<Wanted<'a>>> = BTreeMap::new();
    for account in accounts {
        let Some((at, draft)) = place.get(&account.contract.id).and_then(|at| Some((*at, drafts.get(*at)?))) else {
            continue;
        };
        for past in earlier(account, draft) {
            if let Ok(period) = Period::new(past.period_from, past.period_to) {
                by_period.entry(period).or_default().push(Wanted { account, past, draft: at });
            }
        }
    }
    let mut periods: Vec<_> = by_period.into_iter().collect();
    periods.sort_by_key(|(_, wanted)| std::cmp::Reverse(wanted.len()));
    periods.truncate(PERIODS);
    periods
}

/// The bill before, and the one that holds the same day a year ago.
fn earlier<'a>(account: &'a Account<'a>, draft: &Draft) -> Vec<&'a PastRow> {
    let before = account.past.iter().rev().find(|past| past.period_to <= draft.found.from_on).copied();
    let middle = draft.found.from_on + (draft.found.to_on - draft.found.from_on) / 2;
    let day = middle.checked_sub_months(Months::new(12));
    let last_year =
        account.past.iter().find(|past| day.is_some_and(|day| past.period_from <= day && day < past.period_to));
    let last_year =
        last_year.copied().filter(|past| before.is_none_or(|before| before.period_from != past.period_from));
    before.into_iter().chain(last_year).collect()
}

#[expect(clippy::too_many_arguments, reason = "one private step of `add`; a struct would only rename them")]
async fn of_period(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    client: &Client,
    period: Period,
    wanted: &[Wanted<'_>],
    tariffs: &Tariffs,
    days: Period,
    drafts: &[Draft],
) -> QueryResult<Vec<(usize, Explained)>> {
    let ids: Vec<CustomerId> = wanted.iter().map(|wanted| wanted.account.contract.customer_id).collect();
    let contracts: Vec<ContractRow> = wanted.iter().map(|wanted| wanted.account.contract.clone()).collect();
    let then = Tariffs::new(load::versions(conn, here, period).await?, client)?;
    let batch = load::batch(conn, here, &ids, period).await?;
    let mut found = vec![];
    for (wanted, before) in wanted.iter().zip(accounts(&contracts, &batch)) {
        let Some(draft) = drafts.get(wanted.draft) else { continue };
        let (Ok(Some(was)), Ok(Some(is))) = (before.basis(&then, period), wanted.account.basis(tariffs, days)) else {
            continue;
        };
        if let Some(explained) = compare(&was, &is, wanted.past, draft) {
            found.push((wanted.draft, explained));
        }
        tokio::task::yield_now().await;
    }
    Ok(found)
}

/// Nothing where a bill that might have been cannot be rated: then the page says only how much more or less it is.
fn compare(was: &Basis<'_>, is: &Basis<'_>, past: &PastRow, draft: &Draft) -> Option<Explained> {
    let [then, now] = [was.usage.registers(), is.usage.registers()];
    let usages = [was.usage.input(&then), is.usage.input(&now)];
    let versions = [was.compiled().ok()?, is.compiled().ok()?];
    let tariff = |basis: &Basis<'_>| basis.versions.last().map(|(_, version)| version.code.clone()).unwrap_or_default();
    let codes = [tariff(was), tariff(is)];
    let [before_usage, now_usage] = &usages;
    let [before_versions, now_versions] = &versions;
    let [before_code, now_code] = &codes;
    let before = Case {
        period: was.span,
        versions: before_versions,
        tariff: before_code,
        usage: before_usage,
        history: &was.history,
        payable: Money::new(past.total),
    };
    let now = Case {
        period: is.span,
        versions: now_versions,
        tariff: now_code,
        usage: now_usage,
        history: &is.history,
        payable: Money::new(draft.found.total),
    };
    let explanation = explain::explain(&before, &now).ok()?;
    Some(Explained { from: past.period_from, to: past.period_to, total: Money::new(past.total), explanation })
}
