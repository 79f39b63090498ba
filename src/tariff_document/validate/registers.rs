//! Where one price names a register, all do; hours of net billing are whole.

use super::super::{Calendar, ExportCredit, Netting, TariffDocument};
use super::Faults;

pub fn check(faults: &mut Faults, tariff: &TariffDocument) {
    let energy = tariff.energy.iter().map(|charge| &charge.register).enumerate();
    let demand = tariff.demand.iter().map(|charge| &charge.register).enumerate();
    let named = energy.clone().map(|(at, name)| (format!("energy[{at}].register"), name));
    for (path, name) in named.chain(demand.map(|(at, name)| (format!("demand[{at}].register"), name))) {
        let Some(name) = name else { continue };
        let fine = !name.trim().is_empty() && name.chars().count() <= 20 && !name.contains(char::is_control);
        faults.check(fine, &path, "a register has a name of 1 to 20 characters");
    }
    if tariff.names_registers() {
        for (at, _) in energy.filter(|(_, name)| name.is_none()) {
            let message = "another energy charge names its register: this one must name one too";
            faults.add(format!("energy[{at}].register"), message);
        }
        let netted = matches!(&tariff.export, Some(ExportCredit::NetMetering(_) | ExportCredit::NetBilling { .. }));
        faults.check(
            !netted,
            "export.form",
            "what is netted over all registers has no price of one: use buy_all_sell_all",
        );
    }
    hours(faults, tariff);
}

/// What is netted by the hour has one price within the hour.
fn hours(faults: &mut Faults, tariff: &TariffDocument) {
    let Some(ExportCredit::NetBilling { calendar, netting: Netting::Hour, .. }) = &tariff.export else {
        return;
    };
    let used = tariff.energy.iter().filter_map(|charge| charge.calendar.as_ref()).chain(calendar);
    let mut wrong: Vec<&String> =
        used.filter(|name| tariff.calendars.get(*name).is_some_and(changes_within_an_hour)).collect();
    wrong.sort_unstable();
    wrong.dedup();
    for name in wrong {
        faults.add(
            "export.netting",
            format!("the calendar {name:?} changes its period within an hour, which is netted as a whole"),
        );
    }
}

fn changes_within_an_hour(calendar: &Calendar) -> bool {
    let patterns = calendar.seasons.iter().flat_map(|season| &season.days);
    let mut hours = patterns.flat_map(|pattern| pattern.hours.chunks((pattern.hours.len() / 24).max(1)));
    hours.any(|hour| hour.iter().any(|part| Some(part) != hour.first()))
}
