//! Files that commands read without a database: how they are opened, and how their faults are told.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::process::ExitCode;

use crate::out;

/// The exit code of bad input.
const BAD_INPUT: u8 = 2;
/// A tariff is far smaller than this.
const LARGEST_TARIFF: u64 = 16 * 1024 * 1024;
/// Characters of a fault that are told.
const LONGEST_FAULT: usize = 400;

/// Tells every fault on a line of its own.
pub fn refuse(faults: &[String]) -> ExitCode {
    faults.iter().for_each(|fault| out::tell(one_line(fault)));
    ExitCode::from(BAD_INPUT)
}

/// Tells what to know though nothing is wrong.
pub fn note(text: &str) {
    out::tell(format!("note: {}", one_line(text)));
}

/// What a file says is told as text: without the line breaks and the terminal's control characters in it.
fn one_line(fault: &str) -> String {
    let mut line = String::new();
    for (at, sign) in fault.chars().enumerate() {
        if at == LONGEST_FAULT {
            line.push('…');
            break;
        }
        if sign.is_control() { line.extend(sign.escape_default()) } else { line.push(sign) }
    }
    line
}

/// A file to read as a stream.
///
/// # Errors
/// The fault as a line.
pub fn open(path: &Path) -> Result<BufReader<File>, Vec<String>> {
    let fault = |fault| vec![unreadable(path, &fault)];
    let file = File::open(path).map_err(fault)?;
    let kind = file.metadata().map_err(fault)?;
    if kind.is_dir() {
        Err(vec![format!("{}:1:1: this is a folder, not a file", path.display())])
    } else {
        Ok(BufReader::new(file))
    }
}

/// A tariff file's text.
///
/// # Errors
/// The fault as a line: it cannot be read, is too large, or no UTF-8.
pub fn tariff(path: &Path) -> Result<String, Vec<String>> {
    let mut bytes = vec![];
    open(path)?.take(LARGEST_TARIFF + 1).read_to_end(&mut bytes).map_err(|fault| vec![unreadable(path, &fault)])?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST_TARIFF) {
        return Err(vec![format!("{}:1:1: this is larger than any tariff (16 MB)", path.display())]);
    }
    String::from_utf8(bytes).map_err(|fault| {
        let before = fault.as_bytes().get(..fault.utf8_error().valid_up_to()).unwrap_or_default();
        let text = String::from_utf8_lossy(before);
        let last = text.rsplit('\n').next().unwrap_or_default();
        let (line, column) = (text.matches('\n').count() + 1, last.chars().count() + 1);
        vec![format!("{}:{line}:{column}: this byte is not UTF-8 text", path.display())]
    })
}

fn unreadable(path: &Path, fault: &std::io::Error) -> String {
    let fault = fault.to_string();
    let reason = fault.split(" (os error").next().unwrap_or(&fault);
    format!("{}:1:1: the file cannot be read: {reason}", path.display())
}
