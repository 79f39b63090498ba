//! What a file is, told by its first bytes; what is not read is named.

use std::io::{BufRead, Read};

use encoding_rs_io::DecodeReaderBytesBuilder;

use super::{Format, UsageError};

/// First bytes of what people send by mistake, what it is, and what to do.
const OTHERS: [(&[u8], &str); 7] = [
    (b"PK\x03\x04", "a ZIP archive, as an Excel workbook (.xlsx) is one: save the sheet as CSV, or unpack the archive"),
    (b"\xD0\xCF\x11\xE0", "an old Excel workbook (.xls): save the sheet as CSV"),
    (b"%PDF", "a PDF document: ask for the values as CSV, Green Button or NEM12"),
    (b"\x1F\x8B", "compressed (gzip): unpack it first"),
    (b"{", "JSON: usage is read as CSV, Green Button XML or NEM12"),
    (b"[", "JSON: usage is read as CSV, Green Button XML or NEM12"),
    (b"UN", "an EDIFACT message (such as MSCONS), which is not read: ask for the values as CSV"),
];

/// Whether a file begins with a byte order mark of UTF-16.
///
/// # Errors
/// When it cannot be read.
pub fn is_utf16(input: &mut impl BufRead) -> std::io::Result<bool> {
    let head = input.fill_buf()?;
    Ok(head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF"))
}

/// The same text in UTF-8. What is no UTF-16 becomes U+FFFD, which no field that is read takes.
pub fn from_utf16(input: impl BufRead) -> impl Read {
    DecodeReaderBytesBuilder::new().build(input)
}

/// Tells the format by the first characters, taking none of them but a byte order mark.
///
/// # Errors
/// [`UsageError::Empty`] for an empty file, [`UsageError::Io`] when it cannot be read, [`UsageError::Invalid`] for one that
/// is something else.
pub fn detect(input: &mut impl BufRead) -> Result<Format, UsageError> {
    if input.fill_buf()?.starts_with(b"\xEF\xBB\xBF") {
        input.consume(3);
    }
    let head = input.fill_buf()?;
    let head = head.trim_ascii_start();
    if head.is_empty() {
        return Err(UsageError::Empty);
    }
    if let Some(other) = other(head) {
        return Err(UsageError::at(1, 1, format!("this file is {other}")));
    }
    let record = |code: &[u8]| head.starts_with(code);
    Ok(match head {
        [b'<', ..] => Format::GreenButton,
        _ if record(b"100,") || record(b"200,") || record(b"300,") => Format::Nem12,
        _ => Format::Csv,
    })
}

/// What else a file is.
fn other(head: &[u8]) -> Option<&'static str> {
    let told = OTHERS.iter().find(|(bytes, _)| match *bytes {
        // Only with its service string or header: a column may be called "UNIT".
        b"UN" => head.starts_with(b"UNA:") || head.starts_with(b"UNB+"),
        bytes => head.starts_with(bytes),
    });
    if let Some((_, what)) = told {
        return Some(what);
    }
    let begins = |with: &[u8]| head.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    if begins(b"<!doctype html") || begins(b"<html") {
        return Some("a web page (HTML): download the file itself");
    }
    let zeros = head.iter().take(64).filter(|byte| **byte == 0).count();
    match (head.get(1), zeros) {
        (_, 0) => None,
        // Every second one, and no more.
        (Some(0), 28..34) => Some("UTF-16 without its byte order mark: save it as UTF-8"),
        (_, 1..4) => None,
        _ => Some("not a text: it holds bytes of zero"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::{Hints, Item, read};

    #[test]
    fn a_format_is_told_by_its_content() {
        let of = |text: &str| detect(&mut text.as_bytes());
        assert_eq!(of("\u{feff}interval_start,kwh\n").unwrap(), Format::Csv);
        assert_eq!(of("  \n<?xml version=\"1.0\"?>").unwrap(), Format::GreenButton);
        assert_eq!(of("100,NEM12,2005").unwrap(), Format::Nem12);
        assert!(matches!(of(" \n"), Err(UsageError::Empty)));
    }

    #[test]
    fn what_is_not_read_is_told_as_what_it_is() {
        for (bytes, word) in [
            (b"PK\x03\x04\x14\0\x06\0".as_slice(), "Excel workbook (.xlsx)"),
            (b"\xD0\xCF\x11\xE0\xA1\xB1", "old Excel workbook"),
            (b"%PDF-1.7", "PDF"),
            (b"\x1F\x8B\x08", "gzip"),
            (b"  {\"usage\": []}", "JSON"),
            (b"UNA:+.? 'UNB+UNOC:3", "MSCONS"),
            (b"<!DOCTYPE html><html>", "web page"),
            (&[b'i', 0].repeat(40), "UTF-16 without"),
            (&[1, 0, 0, 0, 7].repeat(40), "not a text"),
        ] {
            let told = detect(&mut &*bytes).unwrap_err().to_string();
            assert!(told.contains(word), "{told}");
        }
        assert_eq!(detect(&mut b"UNIT,interval_start,kwh\n".as_slice()).unwrap(), Format::Csv);
    }

    #[test]
    fn utf_16_of_both_orders_is_read_as_the_same_text() {
        let text = "\u{feff}interval_start\tkwh\tOrt\r\n2026-01-01T00:00Z\t0.25\tKöln\r\n2026-01-01T01:00Z\tx\t\r\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [little, big] {
            let mut items = vec![];
            assert_eq!(read(bytes.as_slice(), &Hints::default(), &mut |item| items.push(item)).unwrap(), Format::Csv);
            let [Item::Reading(reading), Item::Rejected(refused), Item::Zone(_)] = items.as_slice() else {
                panic!("{items:?}")
            };
            assert_eq!((reading.energy.wh(), reading.line), (250.into(), 2));
            assert_eq!(refused.to_string(), "3:19: \"x\" is not a number of kWh");
        }
    }
}
