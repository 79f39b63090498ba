//! A tariff as a form: every figure a field with a name like `energy.0.prices.s0.p1.blocks.0.price`.
//!
//! Items of a list have numbers that stay while the form is worked on: one that is taken out leaves a gap, and fields
//! that refer to a season (`s0`) or a period (`p1`) by its number still do. `sx` and `px` are every season and period.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Names and values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fields(BTreeMap<String, String>);

/// The most items of one list.
const MOST: usize = 99;

impl Fields {
    /// What was typed, without the space around it; empty where there is no such field.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value.trim())
    }

    /// Whether the field is there: a box that is ticked.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Puts a value; an empty one too.
    pub fn set(&mut self, name: impl Into<String>, value: impl ToString) {
        self.0.insert(name.into(), value.to_string());
    }

    /// Ticks a box, or leaves it out.
    pub fn tick(&mut self, name: impl Into<String>, ticked: bool) {
        if ticked {
            self.set(name, "true");
        }
    }

    /// The numbers of a list's items, in order.
    pub fn items(&self, list: &str) -> Vec<usize> {
        let mut found: Vec<usize> =
            self.below(list).filter_map(|name| name.split('.').next()?.parse().ok()).filter(|at| *at <= MOST).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// What follows `list.` in the names that begin so.
    fn below<'f>(&'f self, list: &str) -> impl Iterator<Item = &'f str> + use<'f> {
        let prefix = format!("{list}.");
        self.0
            .range(prefix.clone()..)
            .take_while({
                let prefix = prefix.clone();
                move |(name, _)| name.starts_with(&prefix)
            })
            .map(move |(name, _)| name.get(prefix.len()..).unwrap_or_default())
    }

    /// Whether anything was typed below a prefix, but for fields that always have a value.
    pub fn filled(&self, item: &str, fields: &[&str]) -> bool {
        fields.iter().any(|field| !self.get(&format!("{item}.{field}")).is_empty())
    }

    /// Takes an item out.
    fn remove(&mut self, item: &str) {
        let prefix = format!("{item}.");
        self.0.retain(|name, _| name != item && !name.starts_with(&prefix));
    }

    /// Adds an item to a list, with what it begins with.
    fn add(&mut self, list: &str) {
        if let Some(charge) = list.strip_suffix(".steps") {
            let steps = self.steps(charge) + 1;
            return self.set(format!("{charge}.steps"), steps.min(16));
        }
        let at = self.items(list).last().map_or(0, |last| last + 1).min(MOST);
        let item = format!("{list}.{at}");
        match list {
            "calendars" => {
                self.set(format!("{item}.periods.0"), "Off-peak");
                self.set(format!("{item}.periods.1"), "On-peak");
                self.season(&format!("{item}.seasons.0"), "All year", "01-01", "12-31");
            }
            "demand" => self.set(format!("{item}.name"), "Demand"),
            "energy" => self.set(format!("{item}.name"), "Energy"),
            list if list.ends_with(".seasons") => self.season(&item, "", "", ""),
            list if list.ends_with(".periods") => self.set(item, ""),
            _ => self.set(format!("{item}.name"), ""),
        }
    }

    fn season(&mut self, item: &str, name: &str, from: &str, to: &str) {
        self.set(format!("{item}.name"), name);
        self.set(format!("{item}.from"), from);
        self.set(format!("{item}.to"), to);
    }

    /// Does what a button of the form asks: `add:demand`, `remove:demand.1`. Anything else changes nothing.
    pub fn apply(&mut self, action: &str) {
        match action.split_once(':') {
            Some(("add", list)) if is_list(list) => self.add(list),
            Some(("remove", item)) if item.rsplit_once('.').is_some_and(|(list, _)| is_list(list)) => self.remove(item),
            _ => {}
        }
    }

    /// How many steps a charge's prices show.
    pub fn steps(&self, charge: &str) -> usize {
        let typed = self.get(&format!("{charge}.steps")).parse().unwrap_or(1);
        let filled = self.below(&format!("{charge}.prices")).filter_map(|name| {
            let (_, rest) = name.split_once(".blocks.")?;
            rest.split('.').next()?.parse::<usize>().ok().map(|at| at + 1)
        });
        filled.max().unwrap_or(1).max(typed).clamp(1, 16)
    }

    /// Prices of a new tariff are still to be typed: none is nothing by mistake.
    pub fn leave_out_zeros(&mut self) {
        self.0
            .iter_mut()
            .filter(|(name, value)| name.ends_with(".price") && *value == "0")
            .for_each(|(_, value)| value.clear());
    }

    /// The pairs, as they are kept until the form is shown again.
    pub fn pairs(&self) -> Vec<(String, String)> {
        self.0.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The form from pairs that were kept.
    pub fn from_pairs(pairs: &[(String, String)]) -> Self {
        Self(pairs.iter().cloned().collect())
    }
}

/// Whether buttons may add to it: the lists of a tariff.
fn is_list(name: &str) -> bool {
    let parts: Vec<&str> = name.split('.').collect();
    let number = |text: &str| text.parse::<usize>().is_ok();
    match parts.as_slice() {
        ["calendars" | "energy" | "demand" | "fixed" | "adjustments" | "minimums" | "taxes"] => true,
        ["calendars", at, "periods" | "seasons"] => number(at),
        ["energy" | "demand", at, "steps"] => number(at),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_keep_their_numbers_when_one_is_taken_out() {
        let mut fields = Fields::default();
        fields.apply("add:calendars");
        fields.apply("add:calendars.0.periods");
        fields.set("calendars.0.periods.2", "Shoulder");
        fields.apply("remove:calendars.0.periods.1");
        assert_eq!(fields.items("calendars.0.periods"), [0, 2]);
        fields.apply("add:calendars.0.periods");
        assert_eq!(fields.items("calendars.0.periods"), [0, 2, 3]);
        fields.apply("remove:calendars.0");
        assert_eq!(fields.items("calendars"), [0_usize; 0]);
    }

    #[test]
    fn only_lists_of_a_tariff_grow() {
        let mut fields = Fields::default();
        for action in ["add:code", "add:calendars.x.periods", "remove:code", "save", "add:energy.0.prices"] {
            fields.apply(action);
        }
        assert_eq!(fields, Fields::default());
        fields.apply("add:energy");
        fields.apply("add:energy.0.steps");
        assert_eq!(fields.steps("energy.0"), 2);
    }
}
