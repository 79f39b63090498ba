//! Green Button: ESPI Atom XML, read as a stream; several usage points and blocks in one file.
//!
//! An `IntervalBlock` belongs to a `MeterReading`, which names a `ReadingType` (unit, power of ten,
//! direction) and lies below a `UsagePoint` (the meter); the Atom links say which. Entries may come in any
//! order: blocks whose reading type is still to come are held back. Costs in the file are ignored.

mod entry;
mod links;
mod place;

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{Item, UsageError};
use entry::Entry;
use links::Feed;
use place::Lines;

/// Reads Green Button XML as a stream. See [`super::read`].
///
/// # Errors
/// [`UsageError`] when the XML is broken or no interval data is in it.
pub fn read(input: impl BufRead, each: &mut dyn FnMut(Item)) -> Result<(), UsageError> {
    let (lines, places) = Lines::new(input);
    let mut reader = Reader::from_reader(lines);
    let mut feed = Feed::default();
    let mut entry = Entry::default();
    let mut path: Vec<String> = vec![];
    let mut buffer = vec![];
    loop {
        let offset = reader.buffer_position();
        let place = |offset| places.borrow_mut().locate(offset);
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(tag)) => open(&tag, &mut path, &mut entry, place(offset).0),
            Ok(Event::Empty(tag)) => {
                open(&tag, &mut path, &mut entry, place(offset).0);
                close(&mut path, &mut entry, &mut feed, each);
            }
            Ok(Event::Text(text)) => entry.text(&path, &text.decode().unwrap_or_default()),
            Ok(Event::CData(text)) => entry.text(&path, &text.decode().unwrap_or_default()),
            Ok(Event::GeneralRef(name)) => entry.text(&path, reference(&name.decode().unwrap_or_default())),
            Ok(Event::End(_)) => close(&mut path, &mut entry, &mut feed, each),
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(fault) => {
                let (line, column) = place(reader.error_position());
                return Err(UsageError::at(line, column, format!("this is not well-formed XML: {fault}")));
            }
        }
        buffer.clear();
    }
    if let Some(open) = path.last() {
        let (line, column) = places.borrow_mut().locate(reader.buffer_position());
        return Err(UsageError::at(line, column, format!("the file ends inside <{open}>")));
    }
    feed.finish(each)
}

fn open(tag: &BytesStart<'_>, path: &mut Vec<String>, entry: &mut Entry, line: u64) {
    let name = String::from_utf8_lossy(tag.local_name().as_ref()).into_owned();
    if name == "link" {
        let value = |key: &str| {
            tag.try_get_attribute(key)
                .ok()
                .flatten()
                .and_then(|found| found.unescape_value().ok().map(|text| text.into_owned()))
        };
        entry.link(value("rel").as_deref().unwrap_or_default(), value("href").as_deref().unwrap_or_default());
    }
    path.push(name);
    entry.open(path, line);
}

fn close(path: &mut Vec<String>, entry: &mut Entry, feed: &mut Feed, each: &mut dyn FnMut(Item)) {
    if path.last().is_some_and(|name| name == "entry") {
        feed.take(std::mem::take(entry), each);
    } else {
        entry.close(path);
        if entry.is_full() {
            feed.drain(entry, each);
        }
    }
    path.pop();
}

fn reference(name: &str) -> &'static str {
    match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::{Direction, Quality, Reading};

    const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/end2end/reference/greenbutton/test_usage_data.xml");

    fn parse(text: &str) -> (Vec<Reading>, Vec<String>) {
        let (mut readings, mut refused) = (vec![], vec![]);
        read(text.as_bytes(), &mut |item| match item {
            Item::Reading(reading) => readings.push(reading),
            Item::Rejected(rejected) => refused.push(rejected.to_string()),
        })
        .unwrap();
        (readings, refused)
    }

    #[test]
    fn the_reference_file_has_1340_quarter_hours_of_one_meter() {
        let (readings, refused) = parse(&std::fs::read_to_string(REFERENCE).unwrap());
        assert_eq!((readings.len(), refused.len()), (1340, 0));
        assert!(readings.iter().all(|reading| reading.seconds == 900 && reading.series == readings[0].series));
        assert_eq!(readings[0].series.meter.as_deref(), Some("Front Electric Meter"));
        assert_eq!(readings[0].series.direction, Direction::Import);
        assert_eq!((readings[0].wh, readings[0].quality), (282, Quality::Estimated));
        assert_eq!(readings[0].line, 145, "the line of <IntervalReading>");
    }

    const KIND: &str = r#"<entry><link rel="self" href="/ReadingType/KIND"/><content><ReadingType><flowDirection>FLOW</flowDirection><intervalLength>3600</intervalLength><powerOfTenMultiplier>3</powerOfTenMultiplier><uom>UOM</uom></ReadingType></content></entry>"#;

    fn kind(id: &str, flow: &str, uom: &str) -> String {
        KIND.replace("KIND", id).replace("FLOW", flow).replace("UOM", uom)
    }

    fn point(id: &str, title: &str) -> String {
        format!(
            r#"<entry><link rel="self" href="/UsagePoint/{id}"/><title>{title}</title><content><UsagePoint/></content></entry>"#
        )
    }

    fn meter(point: &str, id: &str, kind: &str) -> String {
        format!(
            r#"<entry><link rel="self" href="/UsagePoint/{point}/MeterReading/{id}"/><link rel="related" href="/ReadingType/{kind}"/><content><MeterReading/></content></entry>"#
        )
    }

    fn block(point: &str, id: &str, rows: &[(i64, &str)]) -> String {
        use std::fmt::Write;
        let mut text = format!(
            r#"<entry><link rel="up" href="/UsagePoint/{point}/MeterReading/{id}/IntervalBlock"/><content><IntervalBlock>"#
        );
        for (start, value) in rows {
            write!(text, "<IntervalReading><timePeriod><duration>3600</duration><start>{start}</start></timePeriod><value>{value}</value></IntervalReading>").unwrap();
        }
        text + "</IntervalBlock></content></entry>"
    }

    #[test]
    fn several_usage_points_and_directions_stay_apart_whatever_their_order() {
        let text = [
            "<feed>",
            &block("A", "1", &[(0, "1"), (3600, "2")]),
            &meter("A", "1", "in"),
            &meter("A", "2", "out"),
            &meter("B", "1", "in"),
            &block("A", "2", &[(0, "3")]),
            &block("B", "1", &[(0, "4")]),
            &kind("in", "1", "72"),
            &kind("out", "19", "72"),
            &point("A", "Front &amp; back"),
            &point("B", ""),
            "</feed>",
        ]
        .concat();
        let (readings, refused) = parse(&text);
        assert_eq!(refused, Vec::<String>::new());
        let mut found: Vec<_> = readings
            .iter()
            .map(|reading| (reading.series.meter.as_deref().unwrap(), reading.series.direction, reading.wh))
            .collect();
        found.sort();
        let front = "Front & back";
        assert_eq!(
            found,
            [
                ("B", Direction::Import, 4000),
                (front, Direction::Import, 1000),
                (front, Direction::Import, 2000),
                (front, Direction::Export, 3000)
            ]
        );
    }

    #[test]
    fn a_reading_that_is_not_a_number_is_refused_and_the_rest_goes_in() {
        let text = [
            "<feed>",
            &point("A", "M"),
            &meter("A", "1", "in"),
            &kind("in", "1", "72"),
            "\n",
            &block("A", "1", &[(0, "x"), (3600, "2")]),
            "</feed>",
        ]
        .concat();
        let (readings, refused) = parse(&text);
        assert_eq!(readings.len(), 1);
        assert_eq!(refused, ["2:1: value \"x\" is not a whole number"]);
    }

    #[test]
    fn units_other_than_watt_hours_are_left_out_and_said() {
        let text = [
            "<feed>",
            &point("A", "M"),
            &meter("A", "1", "in"),
            &kind("in", "1", "119"),
            &block("A", "1", &[(0, "1"), (3600, "2")]),
            "</feed>",
        ]
        .concat();
        let (readings, refused) = parse(&text);
        assert_eq!(readings.len(), 0);
        assert_eq!(refused, ["1:1: the unit 119 is not watt-hours (72): this block is left out"]);
    }

    #[test]
    fn broken_xml_is_refused_with_its_place() {
        let fault = |text: &str| read(text.as_bytes(), &mut |_| ()).unwrap_err().to_string();
        assert!(fault("<feed>\n  <entry>\n </feed>").starts_with("3:"), "{}", fault("<feed>\n  <entry>\n </feed>"));
        assert!(fault("<feed><entry>").contains("ends inside <entry>"));
        assert!(fault("<html></html>").contains("no interval data"));
    }
}
