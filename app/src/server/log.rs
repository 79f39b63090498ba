//! What the log quotes of others makes no lines of its own, and nothing that a terminal obeys.

use std::io::{Result, Write};

/// Writes lines, each given at once, with the control characters inside them spelled out.
pub struct Lines<W>(pub W);

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let end = if line.len() < text.len() { "\n" } else { "" };
        self.0.write_all(format!("{}{end}", spelled(line)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        self.0.flush()
    }
}

/// A line without controls and characters that turn its direction. The colours are the log's own: it spells out those of
/// others itself.
fn spelled(line: &str) -> String {
    let mut spelled = String::with_capacity(line.len());
    for character in line.chars() {
        let turns = matches!(character, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if (character.is_control() && character != '\u{1b}') || turns {
            spelled.extend(character.escape_default());
        } else {
            spelled.push(character);
        }
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_in_what_is_quoted_begins_no_line() {
        let mut log = Lines(vec![]);
        log.write_all("a\nINFO forged\r\u{85}\u{202e}b\n".as_bytes()).unwrap();
        assert_eq!(String::from_utf8(log.0).unwrap(), "a\\nINFO forged\\r\\u{85}\\u{202e}b\n");
    }
}
