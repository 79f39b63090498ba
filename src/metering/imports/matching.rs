//! Which meter each series of a file belongs to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::ImportError;
use super::refused::Refused;
use super::survey::{SeriesSurvey, Survey};
use crate::db::Tenant;
use crate::metering::meters::{self, Meter, same_register};
use crate::usage::{Format, SeriesKey};
use crate::values::identifiers;

/// Series with their meters, and those without.
#[derive(Debug, Default)]
pub(super) struct Matched {
    pub targets: Vec<Target>,
    pub refused: Vec<Refused>,
}

/// One serial and direction, wherever it was over time, with the series of the file that are its registers.
#[derive(Debug)]
pub(super) struct Target {
    pub meters: Vec<Meter>,
    pub series: Vec<SeriesSurvey>,
    /// Names of the file's registers, to be kept with meters that do not know theirs yet.
    pub learnt: Vec<String>,
}

/// Finds the meters of a file's series by serial: the one the person gave, or the ones in the file.
pub(super) async fn find(tx: &Tenant, survey: &Survey, serial: Option<&str>) -> Result<Matched, ImportError> {
    if survey.series.is_empty() {
        return Err(ImportError::File("There is no value in this file that can be read.".into()));
    }
    let named: BTreeSet<String> = survey.series.iter().filter_map(|series| series.key.meter.clone()).collect();
    // No meter's serial has a NUL, and the database takes none in a question.
    let mut serials: Vec<String> = named.iter().filter(|name| !name.contains('\0')).cloned().collect();
    serials.extend(serial.map(str::to_owned));
    let known = meters::with_serials(tx, &serials).await?;
    let mut matched = Matched::default();
    let taken = match serial {
        Some(serial) => chosen(serial, &named, &known, &survey.series, &mut matched)?,
        None => by_their_names(&survey.series, &mut matched)?,
    };
    place_all(taken, &known, survey.format, &mut matched);
    Ok(matched)
}

/// A series with the serial of its meter.
type Wanted<'s> = (String, &'s SeriesSurvey);

/// Series by the names in the file; those without one are refused, and the file where none has one.
fn by_their_names<'s>(series: &'s [SeriesSurvey], matched: &mut Matched) -> Result<Vec<Wanted<'s>>, ImportError> {
    if series.iter().all(|one| one.key.meter.is_none()) {
        return Err(ImportError::Meter(
            "This file does not say which meter it is from. Type the meter's serial.".into(),
        ));
    }
    let mut wanted = vec![];
    for one in series {
        match &one.key.meter {
            Some(meter) => wanted.push((meter.clone(), one)),
            None => matched.refuse(one, "These rows name no meter, others of the file do. Fill in their meter.".into()),
        }
    }
    Ok(wanted)
}

/// Series of the meter chosen; those of other meters in the file are refused.
fn chosen<'s>(
    serial: &str,
    named: &BTreeSet<String>,
    known: &[Meter],
    series: &'s [SeriesSurvey],
    matched: &mut Matched,
) -> Result<Vec<Wanted<'s>>, ImportError> {
    let own = check_choice(serial, named, known)?;
    let mut wanted = vec![];
    for one in series {
        match &one.key.meter {
            Some(meter) if own && !same_serial(meter, serial) => {
                matched
                    .refuse(one, format!("These rows name the meter {meter}, and the import was for meter {serial}."));
            }
            _ => wanted.push((serial.to_owned(), one)),
        }
    }
    Ok(wanted)
}

/// Whether the file names the meter chosen; where it does not, the one it names must be no other meter of the client's.
fn check_choice(serial: &str, named: &BTreeSet<String>, known: &[Meter]) -> Result<bool, ImportError> {
    let is_known = |wanted: &str| known.iter().any(|meter| same_serial(&meter.serial, wanted));
    if !is_known(serial) {
        let text =
            format!("No meter has the serial {serial}. Check it, or add the meter on its customer's page first.");
        return Err(ImportError::Meter(text));
    }
    if named.iter().any(|name| same_serial(name, serial)) {
        return Ok(true);
    }
    if named.len() > 1 {
        let count = named.len();
        let text = format!("This file holds {count} meters. Leave the serial empty: each is matched by its own.");
        return Err(ImportError::Meter(text));
    }
    match named.iter().find(|name| is_known(name)) {
        Some(other) => Err(ImportError::Meter(format!(
            "The file says it is from meter {other}, which is another meter of yours. Leave the serial empty to import it there."
        ))),
        None => Ok(false),
    }
}

/// Whether two spellings are one serial.
fn same_serial(one: &str, other: &str) -> bool {
    identifiers::same(one, other)
}

fn place_all(wanted: Vec<Wanted<'_>>, known: &[Meter], format: Format, matched: &mut Matched) {
    // By the meters that series go to.
    let mut groups: BTreeMap<Vec<crate::values::ids::MeterId>, Target> = BTreeMap::new();
    let mut by_serial: HashMap<String, Vec<&Meter>> = HashMap::new();
    for meter in known {
        by_serial.entry(identifiers::canonical(&meter.serial)).or_default().push(meter);
    }
    for (serial, series) in wanted {
        let own = by_serial.get(&identifiers::canonical(&serial)).map(Vec::as_slice).unwrap_or_default();
        match meters_of(&series.key, &serial, own) {
            Ok(meters) => {
                let ids = meters.iter().map(|meter| meter.id).collect();
                let target = groups.entry(ids).or_insert_with(|| Target { meters, series: vec![], learnt: vec![] });
                target.series.push(series.clone());
            }
            Err(reason) => matched.refuse(series, reason),
        }
    }
    for mut target in groups.into_values() {
        match target.lacking_registers() {
            Some(reason) => target.series.iter().for_each(|series| matched.refuse(series, reason.clone())),
            None => {
                target.learn(format);
                matched.targets.push(target);
            }
        }
    }
}

/// The meters of a series among those of its serial, or why it has none and what to do.
fn meters_of(key: &SeriesKey, serial: &str, own: &[&Meter]) -> Result<Vec<Meter>, String> {
    let direction = key.direction;
    let way: Vec<&Meter> = own.iter().copied().filter(|meter| meter.way() == direction).collect();
    let fit: Vec<&Meter> = way.iter().copied().filter(|meter| meter.kind == "interval").collect();
    if own.is_empty() {
        return Err(format!(
            "No meter has the serial {serial}. Add the meter to its customer, or give its serial with the file, and import again."
        ));
    }
    if way.is_empty() {
        return Err(format!(
            "Meter {serial} has no {direction} register. Add one with the same serial and import again."
        ));
    }
    if fit.is_empty() {
        return Err(format!(
            "Meter {serial} is read by register and takes no interval values. Make it an interval meter first."
        ));
    }
    let Some(register) = &key.register else { return Ok(fit.into_iter().cloned().collect()) };
    let names = |meter: &&Meter| meter.registers.iter().any(|name| same_register(name, register));
    let named: Vec<Meter> = fit.iter().copied().filter(names).cloned().collect();
    if !named.is_empty() {
        return Ok(named);
    }
    let open: Vec<Meter> = fit.iter().copied().filter(|meter| meter.registers.is_empty()).cloned().collect();
    if open.is_empty() {
        let registers: Vec<&str> = fit.iter().flat_map(|meter| meter.registers.iter().map(String::as_str)).collect();
        return Err(format!(
            "Meter {serial} measures the registers {}, and these values are of register {register}. Add it to the meter's registers, or add a meter with the same serial for it, and import again.",
            registers.join(", ")
        ));
    }
    Ok(open)
}

impl Target {
    /// Why the file has not all registers of these meters.
    fn lacking_registers(&self) -> Option<String> {
        let has = |name: &&String| {
            self.series.iter().any(|one| one.key.register.as_ref().is_some_and(|own| same_register(own, name)))
        };
        let without = |one: &SeriesSurvey| one.key.register.is_none();
        let wanted: BTreeSet<&String> = self.meters.iter().flat_map(|meter| &meter.registers).collect();
        let lacking: Vec<&str> = wanted.iter().filter(|name| !has(name)).map(|name| name.as_str()).collect();
        // A file that names no register has the meter as a whole.
        if lacking.is_empty() || self.series.iter().all(without) {
            return None;
        }
        let serial = self.meters.first().map_or("", |meter| meter.serial.as_str());
        Some(format!(
            "Meter {serial} adds up several registers, and the file has no values of {}: a part is no total. Import a file with all of them, or change the meter's registers.",
            lacking.join(", ")
        ))
    }

    /// Notes the registers of the file, where the meters do not name theirs. Green Button numbers its channels: these are
    /// no names unless there are several.
    fn learn(&mut self, format: Format) {
        if self.meters.iter().any(|meter| !meter.registers.is_empty())
            || (format == Format::GreenButton && self.series.len() < 2)
        {
            return;
        }
        self.learnt = self.series.iter().filter_map(|one| one.key.register.clone()).collect();
    }
}

impl Matched {
    fn refuse(&mut self, series: &SeriesSurvey, reason: String) {
        let content = format!("{} values of {}", series.values, series.key);
        let (line, values) = (series.line, series.values);
        self.refused.push(Refused { line, column: 1, content, reason, values });
    }
}

#[cfg(test)]
mod tests;
