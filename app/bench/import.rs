//! `portal bench import`: a file of quarter-hours of many meters, from the first byte to the last row, under every policy,
//! beside a raw COPY of the same rows.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::time::Instant;

use crate::{median, ms, text};
use eis::metering::imports::{self, ImportFile, ImportOptions};
use eis::operate::connect::Settings;
use eis::usage::Hints;

use crate::company::{self, Company, peak_megabytes};
use portal::out;

const NAME: &str = "portal_bench_import";
/// Meters of the file, each with a month of quarter-hours: 1.34 million values.
const METERS: usize = 465;
const ROUNDS: usize = 3;

/// What was measured; milliseconds, medians of the rounds.
#[derive(Debug, serde::Serialize)]
pub struct Report {
    values: u64,
    bytes: u64,
    import_ms: u64,
    copied_rows: u64,
    copy_ms: u64,
    /// Hundredths: importing against the COPY.
    import_to_copy_percent: u64,
    peak_megabytes: u64,
    optimised: bool,
}

/// Measures and prints.
///
/// # Errors
/// A sentence when something could not be measured.
pub async fn run(settings: &Settings, json: bool) -> Result<(), String> {
    let company = Company::found(settings, NAME, METERS).await?;
    let path = settings.data_dir.join("bench-import.csv");
    let bytes = write(&path).map_err(|fault| format!("{}: {fault}", path.display()))?;
    let (mut times, mut copies, mut values, mut copied) = (vec![], vec![], 0, 0);
    for round in 0..ROUNDS {
        let file = File::open(&path).map_err(text)?;
        let start = Instant::now();
        let hints = Hints::of_zone(chrono_tz::Europe::Berlin);
        let survey = imports::survey(ImportFile::new(file, "measured.csv"), hints).await.map_err(text)?;
        let mut tx = company.write().await.map_err(text)?;
        let result = imports::import_usage(&mut tx, survey, &ImportOptions::default()).await.map_err(text)?;
        times.push(start.elapsed());
        values = result.accepted;
        // All but the last are taken back, so that each finds nothing there.
        if round + 1 == ROUNDS {
            tx.commit().await.map_err(text)?;
        }
    }
    for _ in 0..ROUNDS {
        let (rows, time) =
            company.copy("public.interval_days", &format!("t.client_id = '{}'", company::client())).await?;
        copied = rows;
        copies.push(time);
    }
    let (import, copy) = (median(times), median(copies));
    let report = Report {
        values,
        bytes,
        import_ms: ms(import),
        copied_rows: copied,
        copy_ms: ms(copy),
        import_to_copy_percent: ms(import) * 100 / ms(copy).max(1),
        peak_megabytes: peak_megabytes(),
        optimised: !cfg!(debug_assertions),
    };
    let told = if json { out::print(serde_json::to_string_pretty(&report).map_err(text)?) } else { print(&report) };
    drop(company);
    company::discard(settings, NAME).await?;
    std::fs::remove_file(&path).map_err(text)?;
    told
}

/// The file; its bytes.
fn write(path: &std::path::Path) -> std::io::Result<u64> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "meter,interval_start,kwh")?;
    for meter in 0..METERS {
        for day in 1..=30 {
            for quarter in 0..96 {
                let wh = 40 + (quarter * (meter + 7)) % 90;
                let (hour, minute) = (quarter / 4, quarter % 4 * 15);
                writeln!(file, "M{meter:08},2026-09-{day:02}T{hour:02}:{minute:02}:00,0.{wh:03}")?;
            }
        }
    }
    let file = file.into_inner()?;
    Ok(file.metadata()?.len())
}

fn print(report: &Report) -> Result<(), String> {
    if !report.optimised {
        out::print("This is a development build: build with --release (make release) to measure.")?;
    }
    out::print(format_args!(
        "A CSV file of {} values ({} MB) takes {} ms from the first byte to the last row; a COPY of its {} rows {} ms: {}.{:02} times as long. At most {} MB resident.",
        report.values,
        report.bytes / 1_000_000,
        report.import_ms,
        report.copied_rows,
        report.copy_ms,
        report.import_to_copy_percent / 100,
        report.import_to_copy_percent % 100,
        report.peak_megabytes
    ))
}
