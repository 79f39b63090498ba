//! The rows of a batch, sorted to the contracts that they are of.

use std::collections::HashMap;
use std::hash::Hash;

use chrono::NaiveDate;

use super::account::Account;
use super::load::{Batch, ContractRow, DayRow, InRun, ReadRow};
use crate::values::ids::{ContractId, MeterId};
use crate::values::period::Period;

/// Contracts loaded, rated and written together.
pub(super) const BATCH: usize = 1_000;

/// What is billed for the same days, together: they share tariffs and reach of usage.
pub(super) fn by_days(all: Vec<InRun>) -> Vec<(Period, Vec<InRun>)> {
    let mut groups: Vec<(Period, Vec<InRun>)> = vec![];
    for one in all {
        match groups.last_mut() {
            Some((days, group)) if *days == one.days => group.push(one),
            _ => groups.push((one.days, vec![one])),
        }
    }
    groups
}

fn by<K: Eq + Hash, T>(rows: &[T], key: impl Fn(&T) -> Option<K>) -> HashMap<K, Vec<&T>> {
    let mut map: HashMap<K, Vec<&T>> = HashMap::new();
    for row in rows {
        if let Some(key) = key(row) {
            map.entry(key).or_default().push(row);
        }
    }
    map
}

/// The rows of a batch, sorted to their contracts. A meter may be in several contracts, one after the other: its days go to
/// the contract that has them, a read to each whose days it touches.
pub(super) fn accounts<'a>(contracts: &'a [ContractRow], batch: &'a Batch) -> Vec<Account<'a>> {
    let of_meter = by(&batch.meters, |row| Some(row.id));
    let within = |meter: MeterId, from: NaiveDate, to: NaiveDate| {
        let rows = of_meter.get(&meter).map(Vec::as_slice).unwrap_or_default();
        rows.iter().filter(move |row| row.valid_from < to && row.valid_to.is_none_or(|end| end > from))
    };
    let mut days: HashMap<ContractId, Vec<&DayRow>> = HashMap::new();
    for row in &batch.days {
        let next = row.day.succ_opt().unwrap_or(row.day);
        if let Some(meter) = within(row.meter_id, row.day, next).next() {
            days.entry(meter.contract_id).or_default().push(row);
        }
    }
    let mut reads: HashMap<ContractId, Vec<&ReadRow>> = HashMap::new();
    for row in &batch.reads {
        for meter in within(row.meter_id, row.from_on, row.to_on) {
            reads.entry(meter.contract_id).or_default().push(row);
        }
    }
    let mut meters = by(&batch.meters, |row| Some(row.contract_id));
    let mut agreements = by(&batch.agreements, |row| Some(row.contract_id));
    let mut past = by(&batch.past, |row| Some(row.contract_id));
    let mut later = by(&batch.later, |row| Some(row.contract_id));
    let account = |contract: &'a ContractRow| Account {
        contract,
        meters: meters.remove(&contract.id).unwrap_or_default(),
        agreements: agreements.remove(&contract.id).unwrap_or_default(),
        reads: reads.remove(&contract.id).unwrap_or_default(),
        days: days.remove(&contract.id).unwrap_or_default(),
        past: past.remove(&contract.id).unwrap_or_default(),
        later: later.remove(&contract.id).unwrap_or_default(),
    };
    contracts.iter().map(account).collect()
}
