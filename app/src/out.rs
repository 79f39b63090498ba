//! What commands print. A reader that went away (`portal … | head`) ends the printing, never the command: what was
//! begun is done, and the exit code is the command's own. Any other trouble with the output is a fault.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

/// Prints a line on standard output.
///
/// # Errors
/// A sentence when the output cannot be written, such as on a full disk; not when nobody reads it any more.
pub fn print(line: impl Display) -> Result<(), String> {
    let text = format!("{line}\n");
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(fault) if fault.kind() != ErrorKind::BrokenPipe => Err(format!("the output cannot be written: {fault}")),
        _ => Ok(()),
    }
}

/// Tells a line on standard error. Where that cannot be written there is nobody left to tell.
pub fn tell(line: impl Display) {
    let text = format!("{line}\n");
    drop(std::io::stderr().lock().write_all(text.as_bytes()));
}
