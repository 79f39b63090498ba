//! The first reading of a file: its format, its hash, and which series it holds.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use sha2::{Digest, Sha256};

use super::{ImportError, ImportFile, clean_name};
use crate::usage::{self, Format, Item, Reading, SeriesKey};

/// What a file holds.
#[derive(Debug, Clone)]
pub struct Survey {
    pub(super) file: ImportFile,
    pub(super) bytes: u64,
    pub(super) hash: [u8; 32],
    /// Told by its content.
    pub format: Format,
    /// Every meter and direction in it.
    pub series: Vec<SeriesSurvey>,
}

/// One meter and direction of a file.
#[derive(Debug, Clone)]
pub struct SeriesSurvey {
    /// What the file calls the meter, and the direction.
    pub key: SeriesKey,
    /// How many values.
    pub values: u64,
    /// Length of its first interval in minutes.
    pub minutes: u32,
    /// Start of its first interval.
    pub first: DateTime<Utc>,
    /// End of its last interval.
    pub last: DateTime<Utc>,
    /// Line of its first value.
    pub line: u64,
}

/// Reads a file through; `zone` is for local times without an offset.
///
/// # Errors
/// [`ImportError::File`] when it cannot be used as a whole.
pub async fn survey(file: ImportFile, zone: Tz) -> Result<Survey, ImportError> {
    blocking(move || look(file, zone)).await
}

/// Runs work that only reads a file off the runtime.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ImportError> + Send + 'static,
) -> Result<T, ImportError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(ImportError::File("This file cannot be read: its content is not what any format allows.".into())),
    }
}

fn look(file: ImportFile, zone: Tz) -> Result<Survey, ImportError> {
    let (hash, bytes) = hash(&file.path)?;
    let mut found: BTreeMap<SeriesKey, SeriesSurvey> = BTreeMap::new();
    let format = read(&file.path, zone, &mut |item| {
        if let Item::Reading(reading) = item {
            note(&mut found, &reading);
        }
    })?;
    let file = ImportFile { name: clean_name(&file.name), ..file };
    Ok(Survey { file, bytes, hash, format, series: join_registers(found) })
}

/// The registers of one meter and direction (NEM12: E1, E2) are one series: they add up.
fn join_registers(found: BTreeMap<SeriesKey, SeriesSurvey>) -> Vec<SeriesSurvey> {
    let mut joined: BTreeMap<SeriesKey, SeriesSurvey> = BTreeMap::new();
    for (key, one) in found {
        let key = SeriesKey { register: None, ..key };
        match joined.get_mut(&key) {
            Some(sum) => {
                sum.values += one.values;
                (sum.first, sum.last) = (sum.first.min(one.first), sum.last.max(one.last));
                sum.line = sum.line.min(one.line);
            }
            None => drop(joined.insert(key.clone(), SeriesSurvey { key, ..one })),
        }
    }
    joined.into_values().collect()
}

fn note(found: &mut BTreeMap<SeriesKey, SeriesSurvey>, reading: &Reading) {
    let end = reading.start + Duration::seconds(i64::from(reading.seconds));
    match found.get_mut(&*reading.series) {
        Some(series) => {
            series.values += 1;
            series.first = series.first.min(reading.start);
            series.last = series.last.max(end);
        }
        None => {
            let key = SeriesKey::clone(&reading.series);
            let (minutes, line) = (reading.seconds / 60, reading.line);
            let series = SeriesSurvey { key: key.clone(), values: 1, minutes, first: reading.start, last: end, line };
            found.insert(key, series);
        }
    }
}

/// Reads a file's items in order.
pub(super) fn read(path: &Path, zone: Tz, each: &mut dyn FnMut(Item)) -> Result<Format, ImportError> {
    let input = BufReader::with_capacity(1 << 16, open(path)?);
    usage::read(input, zone, each).map_err(|fault| {
        let text = fault.to_string();
        let place = text.split_once(": ").and_then(|(place, rest)| place.split_once(':').map(|place| (place, rest)));
        ImportError::File(match place {
            Some(((line, column), rest)) => format!("Line {line}, column {column}: {rest}. Nothing was imported."),
            None => format!("{text}. Nothing was imported."),
        })
    })
}

fn open(path: &Path) -> Result<File, ImportError> {
    File::open(path).map_err(|fault| ImportError::File(format!("The file cannot be opened: {fault}.")))
}

fn hash(path: &Path) -> Result<([u8; 32], u64), ImportError> {
    let mut file = open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read =
            file.read(&mut buffer).map_err(|fault| ImportError::File(format!("The file cannot be read: {fault}.")))?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else { break };
        hasher.update(part);
        bytes += u64::try_from(read).unwrap_or_default();
    }
    Ok((hasher.finalize().into(), bytes))
}
