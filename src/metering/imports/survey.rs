//! The first reading of a file: its format, its hash, and which series it holds.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::{block_in_place, spawn_blocking};

use super::{ImportError, ImportFile};
use crate::usage::{self, Format, Hints, Item, Reading, SeriesKey};

/// What a file holds.
#[derive(Debug, Clone)]
pub struct Survey {
    pub(super) file: ImportFile,
    pub(super) bytes: u64,
    pub(super) hash: [u8; 32],
    pub(super) hints: Hints,
    /// Told by its content.
    pub format: Format,
    /// Every meter, register and direction in it.
    pub series: Vec<SeriesSurvey>,
}

impl Survey {
    /// SHA-256 of the file.
    #[must_use]
    pub const fn hash(&self) -> [u8; 32] {
        self.hash
    }
}

/// One meter, register and direction of a file.
#[derive(Debug, Clone)]
pub struct SeriesSurvey {
    /// What the file calls the meter and its register, and the direction.
    pub key: Arc<SeriesKey>,
    /// How many values.
    pub values: u64,
    /// Line of its first value.
    pub line: u64,
}

/// Reads a file through; `hints` say what the file does not, such as the zone of local times.
///
/// # Errors
/// [`ImportError::File`] when it cannot be used as a whole.
pub async fn survey(file: ImportFile, hints: Hints) -> Result<Survey, ImportError> {
    blocking(move || look(file, hints)).await
}

/// Runs work that only reads a file, so that nothing else waits for it: on the thread that asks, where that may be, since
/// memory that another thread gives back is not at hand for what comes next.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ImportError> + Send + 'static,
) -> Result<T, ImportError> {
    let unreadable =
        || ImportError::File("This file cannot be read: its content is not what any format allows.".into());
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return spawn_blocking(work).await.unwrap_or_else(|_| Err(unreadable()));
    }
    block_in_place(|| catch_unwind(AssertUnwindSafe(work))).unwrap_or_else(|_| Err(unreadable()))
}

fn look(file: ImportFile, hints: Hints) -> Result<Survey, ImportError> {
    let (hash, bytes) = hash(&file)?;
    let mut found: BTreeMap<Arc<SeriesKey>, SeriesSurvey> = BTreeMap::new();
    let format = read(&file, &hints, &mut |item| {
        if let Item::Reading(reading) = item {
            note(&mut found, &reading);
        }
    })?;
    Ok(Survey { file, bytes, hash, hints, format, series: found.into_values().collect() })
}

fn note(found: &mut BTreeMap<Arc<SeriesKey>, SeriesSurvey>, reading: &Reading) {
    if let Some(series) = found.get_mut(&reading.series) {
        series.values += 1;
        return;
    }
    let key = Arc::clone(&reading.series);
    found.insert(Arc::clone(&reading.series), SeriesSurvey { key, values: 1, line: reading.line });
}

/// Reads a file's items in order.
pub(super) fn read(file: &ImportFile, hints: &Hints, each: &mut dyn FnMut(Item)) -> Result<Format, ImportError> {
    let input = BufReader::with_capacity(1 << 16, file.whole());
    usage::read(input, hints, each).map_err(|fault| {
        let text = fault.to_string();
        let place = text.split_once(": ").and_then(|(place, rest)| place.split_once(':').map(|place| (place, rest)));
        ImportError::File(match place {
            Some(((line, column), rest)) => format!("Line {line}, column {column}: {rest}. Nothing was imported."),
            None => format!("{text}. Nothing was imported."),
        })
    })
}

fn hash(file: &ImportFile) -> Result<([u8; 32], u64), ImportError> {
    let mut file = file.whole();
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
