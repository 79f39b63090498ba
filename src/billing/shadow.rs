//! Shadow bills: what customers' own past usage comes to under other tariffs, beside the agreed one. Loaded and rated as
//! billing does, and nothing is written.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use diesel::QueryResult;
use diesel_async::AsyncPgConnection;
use rust_decimal::Decimal;

use super::account::Account;
use super::gather::accounts as sorted;
use super::load::{self, ContractRow};
use super::tariffs::{Tariffs, compile};
use crate::db::AtClient;
use crate::parties::clients::Client;
use crate::rating::{self, Bill, CompiledTariff, History, UsageInput};
use crate::tariff_document::TariffDocument;
use crate::values::ids::{ContractId, CustomerId};
use crate::values::money::Money;
use crate::values::period::Period;

/// A tariff to try, with the client's tax where it names none.
#[derive(Debug)]
pub struct Candidate {
    /// What agreements call it.
    pub code: String,
    /// What people call it.
    pub name: String,
    tariff: CompiledTariff,
}

impl Candidate {
    /// Makes a tariff ready, as billing would.
    ///
    /// # Errors
    /// A sentence that names its faults.
    pub fn new(code: &str, document: &TariffDocument, client: &Client) -> Result<Self, String> {
        let tariff = compile(document.clone(), client)?;
        Ok(Self { code: code.to_owned(), name: document.name.clone(), tariff })
    }

    /// The bill of some usage.
    ///
    /// # Errors
    /// A sentence that says why there is none.
    pub fn bill(&self, usage: &UsageInput<'_>, days: Period, history: &History) -> Result<Bill, String> {
        rating::rate(&self.tariff, usage, days, history).map_err(|error| error.to_string())
    }
}

/// What a customer would have paid under one contract.
#[derive(Debug, Clone)]
pub struct ShadowAccount {
    /// The customer.
    pub customer: CustomerId,
    /// The contract.
    pub contract: ContractId,
    /// Its account.
    pub account_number: String,
    /// Its name.
    pub name: String,
    /// The months in which it was supplied, in order.
    pub months: Vec<ShadowMonth>,
}

/// A month of a customer, or the part of it in which there was supply.
#[derive(Debug, Clone)]
pub struct ShadowMonth {
    /// The days rated.
    pub period: Period,
    /// Energy bought, in kWh.
    pub kwh: Decimal,
    /// Whether some of it was estimated.
    pub estimated: bool,
    /// What is to be paid as agreed then, or why that is not known.
    pub now: Result<Money, String>,
    /// What would be to be paid under each candidate, in their order.
    pub candidates: Vec<Result<Money, String>>,
}

/// Rates some customers' months, which follow each other, as agreed and under each candidate. Each chain of bills begins
/// with nothing carried over; peaks for ratchets, energy and credit kept then go from month to month within it.
///
/// # Errors
/// When the database fails.
pub async fn accounts(
    conn: &AsyncPgConnection,
    here: &AtClient,
    client: &Client,
    customers: &[CustomerId],
    months: &[Period],
    candidates: &[Candidate],
) -> QueryResult<Vec<ShadowAccount>> {
    let Some(whole) = whole(months) else { return Ok(vec![]) };
    let (mut contracts, versions, batch) = tokio::try_join!(
        load::of_customers(conn, here, customers),
        load::versions(conn, here, whole),
        load::supply(conn, here, customers, whole),
    )?;
    in_question(&mut contracts, whole);
    let tariffs = Tariffs::new(versions, client)?;
    let mut found = vec![];
    for account in sorted(&contracts, &batch) {
        found.push(shadow(&account, &tariffs, months, candidates));
        // Rating is computing: let other requests of this thread go on in between.
        tokio::task::yield_now().await;
    }
    Ok(found)
}

/// A customer's days of a month under one candidate, line by line; `None`: not supplied then, or not to be seen.
///
/// # Errors
/// When the database fails.
pub async fn bill(
    conn: &AsyncPgConnection,
    here: &AtClient,
    customer: CustomerId,
    month: Period,
    candidate: &Candidate,
) -> QueryResult<Option<Result<Bill, String>>> {
    let ids = [customer];
    let (contracts, batch) =
        tokio::try_join!(load::of_customers(conn, here, &ids), load::supply(conn, here, &ids, month))?;
    let accounts = sorted(&contracts, &batch);
    let Some((account, span)) = accounts.iter().find_map(|account| Some((account, account.span(month)?))) else {
        return Ok(None);
    };
    let usage = match account.usage(span) {
        Ok(usage) => usage,
        Err(lacking) => return Ok(Some(Err(lacking.1))),
    };
    let registers = usage.registers();
    Ok(Some(candidate.bill(&usage.input(&registers), span, &History::default())))
}

/// Leaves the contracts with days in the months; of a customer without any, the last one.
fn in_question(contracts: &mut Vec<ContractRow>, months: Period) {
    let within = |one: &ContractRow| one.from_on < months.to() && one.to_on.is_none_or(|to| to > months.from());
    let supplied: HashSet<CustomerId> = contracts.iter().filter(|one| within(one)).map(|one| one.customer_id).collect();
    let mut last: HashMap<CustomerId, (NaiveDate, ContractId)> = HashMap::new();
    for one in contracts.iter() {
        let this = (one.from_on, one.id);
        last.entry(one.customer_id).and_modify(|known| *known = this.max(*known)).or_insert(this);
    }
    contracts.retain(|one| {
        let only =
            !supplied.contains(&one.customer_id) && last.get(&one.customer_id).is_some_and(|(_, id)| *id == one.id);
        within(one) || only
    });
}

/// From the first day to the last.
fn whole(months: &[Period]) -> Option<Period> {
    Period::new(months.first()?.from(), months.last()?.to()).ok()
}

fn shadow(account: &Account<'_>, tariffs: &Tariffs, months: &[Period], candidates: &[Candidate]) -> ShadowAccount {
    let mut as_agreed = History::default();
    let mut histories = vec![History::default(); candidates.len()];
    let mut found = vec![];
    for span in months.iter().filter_map(|month| account.span(*month)) {
        let usage = match account.usage(span) {
            Ok(usage) => usage,
            Err(lacking) => {
                found.push(ShadowMonth::without_usage(span, &lacking.1, candidates.len()));
                continue;
            }
        };
        let registers = usage.registers();
        let now = agreed(account, tariffs, &usage.input(&registers), span, &as_agreed);
        let under = candidates
            .iter()
            .zip(&histories)
            .map(|(candidate, history)| candidate.bill(&usage.input(&registers), span, history))
            .collect::<Vec<_>>();
        let any = [&now].into_iter().chain(&under).find_map(|bill| bill.as_ref().ok());
        found.push(ShadowMonth {
            period: span,
            kwh: any.map(|bill| bill.kwh).unwrap_or_default(),
            estimated: any.is_some_and(|bill| bill.estimated),
            now: payable(&now),
            candidates: under.iter().map(payable).collect(),
        });
        for (history, bill) in [&mut as_agreed].into_iter().chain(&mut histories).zip([&now].into_iter().chain(&under))
        {
            if let Ok(bill) = bill {
                *history = history.after(bill);
            }
        }
    }
    ShadowAccount {
        customer: account.contract.customer_id,
        contract: account.contract.id,
        account_number: account.contract.account_number.clone(),
        name: account.contract.name.clone(),
        months: found,
    }
}

impl ShadowMonth {
    fn without_usage(period: Period, why: &str, candidates: usize) -> Self {
        let no = || Err(why.to_owned());
        let candidates = (0..candidates).map(|_| no()).collect();
        Self { period, kwh: Decimal::ZERO, estimated: false, now: no(), candidates }
    }
}

fn agreed(
    account: &Account<'_>,
    tariffs: &Tariffs,
    usage: &UsageInput<'_>,
    span: Period,
    history: &History,
) -> Result<Bill, String> {
    let versions = super::tariffs::compiled(&tariffs.during(&account.agreements, span)?)?;
    rating::rate_versions(&versions, usage, span, history).map_err(|error| error.to_string())
}

fn payable(bill: &Result<Bill, String>) -> Result<Money, String> {
    bill.as_ref().map(|bill| bill.payable).map_err(Clone::clone)
}
