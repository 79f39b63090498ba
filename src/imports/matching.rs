//! Which meter each series of a file belongs to.

use std::collections::{BTreeMap, BTreeSet};

use diesel_async::AsyncPgConnection;

use super::survey::{SeriesSurvey, Survey};
use super::{ImportError, take::Refused};
use crate::ids::{ClientId, OrganizationId};
use crate::meters::{self, Meter};
use crate::usage::SeriesKey;
use crate::usage::days::local_day;

/// Series with their meters (one serial and direction, wherever it was over time), and those without.
#[derive(Debug, Default)]
pub(super) struct Matched {
    pub series: BTreeMap<SeriesKey, Vec<Meter>>,
    pub refused: Vec<Refused>,
}

/// Finds the meters of a file's series by serial: the one the person gave, or the ones in the file.
pub(super) async fn find(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    survey: &Survey,
    serial: Option<&str>,
) -> Result<Matched, ImportError> {
    if survey.series.is_empty() {
        return Err(ImportError::File("There is no value in this file that can be read.".into()));
    }
    let named: BTreeSet<String> = survey.series.iter().filter_map(|series| series.key.meter.clone()).collect();
    // No meter's serial has a NUL, and the database takes none in a question.
    let mut serials: Vec<String> = named.iter().filter(|name| !name.contains('\0')).cloned().collect();
    serials.extend(serial.map(str::to_owned));
    let known = meters::with_serials(conn, organization, client, &serials).await?;
    if let Some(serial) = serial {
        check_choice(serial, &named, &known)?;
    } else if survey.series.iter().any(|series| series.key.meter.is_none()) {
        return Err(ImportError::Meter(
            "This file does not say which meter it is from. Type the meter's serial.".into(),
        ));
    }
    let mut matched = Matched::default();
    for series in &survey.series {
        let wanted = serial.or(series.key.meter.as_deref()).unwrap_or_default();
        place(series, wanted, &known, &mut matched)?;
    }
    Ok(matched)
}

/// Whether the meter chosen can be the file's.
fn check_choice(serial: &str, named: &BTreeSet<String>, known: &[Meter]) -> Result<(), ImportError> {
    let is_known = |wanted: &str| known.iter().any(|meter| meter.serial == wanted);
    if !is_known(serial) {
        let text =
            format!("No meter has the serial {serial}. Check it, or add the meter on its customer's page first.");
        return Err(ImportError::Meter(text));
    }
    if named.len() > 1 {
        let count = named.len();
        let text = format!("This file holds {count} meters. Leave the serial empty: each is matched by its own.");
        return Err(ImportError::Meter(text));
    }
    match named.iter().find(|name| *name != serial && is_known(name)) {
        Some(other) => Err(ImportError::Meter(format!(
            "The file says it is from meter {other}, which is another meter of yours. Leave the serial empty to import it there."
        ))),
        None => Ok(()),
    }
}

fn place(series: &SeriesSurvey, serial: &str, known: &[Meter], matched: &mut Matched) -> Result<(), ImportError> {
    let direction = series.key.direction;
    let own: Vec<&Meter> = known.iter().filter(|meter| meter.serial == serial).collect();
    let way: Vec<&Meter> = own.iter().copied().filter(|meter| meter.way() == direction).collect();
    let fit: Vec<Meter> = way.iter().copied().filter(|meter| meter.kind == "interval").cloned().collect();
    let reason = if own.is_empty() {
        format!(
            "No meter has the serial {serial}. Add the meter to its customer, or give its serial with the file, and import again."
        )
    } else if way.is_empty() {
        format!("Meter {serial} has no {direction} register. Add one with the same serial and import again.")
    } else if fit.is_empty() {
        format!("Meter {serial} is read by register and takes no interval values. Make it an interval meter first.")
    } else {
        check_length(series, serial, &fit)?;
        matched.series.insert(series.key.clone(), fit);
        return Ok(());
    };
    let (values, line) = (series.values, series.line);
    let content = format!("{values} values of meter {serial}, {direction}");
    matched.refused.push(Refused { line, column: 1, content, reason, values });
    Ok(())
}

/// The file's interval length must be the meter's: otherwise it is the wrong file or the wrong meter.
fn check_length(series: &SeriesSurvey, serial: &str, meters: &[Meter]) -> Result<(), ImportError> {
    let touched = |meter: &&Meter| {
        let (first, last) = (local_day(meter.zone(), series.first), local_day(meter.zone(), series.last));
        meter.valid_from <= last && meter.valid_to.is_none_or(|to| first < to)
    };
    let minutes = |meter: &Meter| u32::try_from(meter.interval_minutes.unwrap_or_default()).unwrap_or_default();
    match meters.iter().filter(touched).find(|meter| minutes(meter) != series.minutes) {
        Some(meter) => Err(ImportError::File(format!(
            "The values of meter {serial} are {} minutes long, but the meter is set to {}-minute intervals. Nothing was imported: correct the meter, or choose the right file.",
            series.minutes,
            minutes(meter)
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
