//! The peer of `portal bench rate`: NREL's utilityrate5 from PyPI, in a Python environment of its own under the data
//! directory. Where Python or PyPI is not there, the sentence says so and our figures stand alone.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

/// The release that the reference results were computed with.
const PACKAGE: &str = "NREL-PySAM==7.1.0";
const SCRIPT: &str = include_str!("utilityrate5.py");

/// What the peer took, in nanoseconds of processor time.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Took {
    /// A year of 8,760 hours, its load in place.
    pub year: u64,
    /// The same, with the load handed over first.
    pub year_with_load: u64,
    /// January's bill.
    pub january_cents: i64,
}

/// Times the peer with a rate and the hours of a year.
///
/// # Errors
/// Why there is no peer, as a sentence.
pub fn run(data_dir: &Path, rate: &str, kwh: &str) -> Result<Took, String> {
    let home = data_dir.join("bench-python");
    let python = home.join("bin/python");
    if !python.exists() {
        fs::create_dir_all(data_dir).map_err(|fault| format!("{} cannot be made: {fault}", data_dir.display()))?;
        done(Command::new("python3").args(["-m", "venv"]).arg(&home), "python3 -m venv")?;
    }
    if done(Command::new(&python).args(["-c", "import PySAM"]), "python").is_err() {
        portal::out::tell(format_args!("installing {PACKAGE} into {} …", home.display()));
        let mut pip = Command::new(&python);
        done(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]), "pip")?;
    }
    let file = |name: &str, text: &str| {
        let path = home.join(name);
        fs::write(&path, text).map_err(|fault| format!("{} cannot be written: {fault}", path.display())).map(|()| path)
    };
    let (script, rate, load) = (file("utilityrate5.py", SCRIPT)?, file("rate.json", rate)?, file("load.txt", kwh)?);
    let told = done(Command::new(&python).arg(script).arg(rate).arg(load), "utilityrate5")?;
    serde_json::from_str(&told).map_err(|fault| format!("utilityrate5 answered {:?}: {fault}", told.trim()))
}

/// Runs a command to its end; what it printed.
fn done(command: &mut Command, name: &str) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|fault| format!("{name} cannot be run: {fault}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(format!("{name} failed: {}", told.trim().lines().last().unwrap_or("it said nothing")))
}
