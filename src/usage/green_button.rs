//! Green Button: ESPI Atom XML, read as a stream; several usage points and blocks in one file.
//!
//! An `IntervalBlock` belongs to a `MeterReading`, which names a `ReadingType` (unit, power of ten,
//! direction) and lies below a `UsagePoint` (the meter); the Atom links say which, whole or relative. Titles are for people
//! and tell nothing apart. `LocalTimeParameters` say the zone. Entries may come in any
//! order: blocks whose reading type is still to come are held back. Costs in the file are ignored. A figure that
//! cannot be read is a fault with its place, never a default.

mod entry;
mod links;
mod local_time;
mod place;

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::limits::{self, Paced};
use super::{Item, UsageError};
use entry::Entry;
use links::{Feed, HELD};
use place::Lines;

/// How deep elements may lie: a feed has ten or so.
const DEEPEST: usize = 64;

/// What stands before the text of a CDATA section.
const CDATA: &str = "<![CDATA[";

/// Reads Green Button XML as a stream. See [`super::read`].
///
/// # Errors
/// [`UsageError`] when the XML is broken, a reading type cannot be read, or no interval data is in it.
pub fn read(input: impl BufRead, each: &mut dyn FnMut(Item)) -> Result<(), UsageError> {
    let (input, pace) = Paced::new(input);
    let (lines, places) = Lines::new(input);
    let mut reader = Reader::from_reader(lines);
    let mut document = Document { path: vec![], entry: Entry::default(), feed: Feed::new(HELD), each };
    let mut buffer = vec![];
    loop {
        let offset = reader.buffer_position();
        pace.taken();
        // Starts of lines are kept no longer than they are asked for.
        let (begins, _) = places.borrow_mut().locate(offset);
        let place = |within: usize| {
            let within = u64::try_from(within).unwrap_or_default();
            places.borrow_mut().locate(offset + within)
        };
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) => break,
            Ok(event) => document.take(&event, place)?,
            Err(quick_xml::Error::Io(fault)) if limits::is_too_long(&fault) => {
                let reason = format!("what begins here {}: no element or text of a feed is so long", limits::TOO_LONG);
                return Err(UsageError::at(begins, 1, reason));
            }
            Err(fault) => {
                let (line, column) = places.borrow_mut().locate(reader.error_position());
                return Err(UsageError::at(line, column, format!("this is not well-formed XML: {fault}")));
            }
        }
        buffer.clear();
    }
    if let Some(open) = document.path.last() {
        let (line, column) = places.borrow_mut().locate(reader.buffer_position());
        return Err(UsageError::at(line, column, format!("the file ends inside <{open}>")));
    }
    document.feed.finish(each)
}

/// A document while it is read.
struct Document<'e> {
    /// Names of the open elements.
    path: Vec<String>,
    entry: Entry,
    feed: Feed,
    each: &'e mut dyn FnMut(Item),
}

impl Document<'_> {
    /// Takes an event; `place` tells where one of its bytes stands.
    fn take(&mut self, event: &Event<'_>, place: impl Fn(usize) -> (u64, u64)) -> Result<(), UsageError> {
        match event {
            Event::Start(tag) => self.open(tag, place(0)),
            Event::Empty(tag) => {
                self.open(tag, place(0))?;
                self.close()
            }
            Event::Text(text) => self.text(text, &place),
            Event::CData(text) => self.text(text, |at| place(CDATA.len() + at)),
            Event::GeneralRef(name) => {
                let character = reference(name).map_err(|reason| fault(place(0), reason))?;
                self.entry.text(&self.path, character.encode_utf8(&mut [0; 4]))
            }
            Event::End(_) => self.close(),
            _ => Ok(()),
        }
    }

    fn open(&mut self, tag: &BytesStart<'_>, place: (u64, u64)) -> Result<(), UsageError> {
        let name = String::from_utf8_lossy(tag.local_name().as_ref()).into_owned();
        if name == "link" {
            let value = |key: &str| attribute(tag, key).map_err(|reason| fault(place, reason));
            self.entry.link(&value("rel")?, &value("href")?).map_err(|reason| fault(place, reason))?;
        }
        if self.path.len() == DEEPEST {
            return Err(fault(place, format!("elements lie more than {DEEPEST} deep: this is no feed")));
        }
        self.path.push(name);
        self.entry.open(&self.path, place);
        Ok(())
    }

    fn text(&mut self, bytes: &[u8], place: impl Fn(usize) -> (u64, u64)) -> Result<(), UsageError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|broken| fault(place(broken.valid_up_to()), "this byte is not UTF-8 text"))?;
        self.entry.text(&self.path, text)
    }

    fn close(&mut self) -> Result<(), UsageError> {
        if self.path.last().is_some_and(|name| name == "entry") {
            self.feed.take(std::mem::take(&mut self.entry), self.each)?;
        } else {
            self.entry.close(&self.path)?;
            if self.entry.is_full() {
                self.feed.drain(&mut self.entry, self.each)?;
            }
        }
        self.path.pop();
        Ok(())
    }
}

fn fault((line, column): (u64, u64), message: impl Into<String>) -> UsageError {
    UsageError::at(line, column, message)
}

/// An attribute's value; empty where it is not there.
fn attribute(tag: &BytesStart<'_>, key: &str) -> Result<String, String> {
    let unreadable = |reason: &dyn std::fmt::Display| format!("{key} of this link cannot be read: {reason}");
    match tag.try_get_attribute(key) {
        Ok(Some(found)) => found.unescape_value().map(Into::into).map_err(|reason| unreadable(&reason)),
        Ok(None) => Ok(String::new()),
        Err(reason) => Err(unreadable(&reason)),
    }
}

/// The character that `&name;` stands for: one of XML's own five, or one by its number.
fn reference(name: &BytesRef<'_>) -> Result<char, String> {
    let text = String::from_utf8_lossy(name);
    if name.is_char_ref() {
        let found = name.resolve_char_ref().ok().flatten();
        let legal = |character: &char| !character.is_control() || ['\t', '\n', '\r'].contains(character);
        return found.filter(legal).ok_or_else(|| format!("&{text}; is no character"));
    }
    match &*text {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(format!("&{text}; is not one of XML's own entities (&amp; &lt; &gt; &quot; &apos;)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::{Direction, Energy, Quality, Reading};

    const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/end2end/reference/greenbutton/test_usage_data.xml");

    fn parse(text: &str) -> (Vec<Reading>, Vec<String>) {
        let (mut readings, mut refused) = (vec![], vec![]);
        read(text.as_bytes(), &mut |item| match item {
            Item::Reading(reading) => readings.push(reading),
            Item::Rejected(rejected) => refused.push(rejected.to_string()),
            Item::Zone(_) => {}
        })
        .unwrap();
        (readings, refused)
    }

    #[test]
    fn the_reference_file_has_1340_quarter_hours_of_one_meter() {
        let (readings, refused) = parse(&std::fs::read_to_string(REFERENCE).unwrap());
        assert_eq!((readings.len(), refused.len()), (1340, 0));
        assert!(readings.iter().all(|reading| reading.seconds == 900 && reading.series == readings[0].series));
        assert_eq!(readings[0].series.meter.as_deref(), Some("5446AF3F"), "by its link, not by its title");
        assert_eq!(readings[0].series.direction, Direction::Import);
        assert_eq!((readings[0].energy, readings[0].quality), (Energy::whole(282), Quality::Estimated));
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
            .map(|reading| (reading.series.meter.as_deref().unwrap(), reading.series.direction, reading.energy.wh()))
            .collect();
        found.sort();
        assert_eq!(
            found,
            [
                ("A", Direction::Import, 1000.into()),
                ("A", Direction::Import, 2000.into()),
                ("A", Direction::Export, 3000.into()),
                ("B", Direction::Import, 4000.into()),
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

    /// A feed of one value, with the reading type's fields and the usage point's title as given.
    fn feed(fields: &str, title: &str, value: &str) -> String {
        let kind = format!(
            r#"<entry><link rel="self" href="/ReadingType/k"/><content><ReadingType>{fields}</ReadingType></content></entry>"#
        );
        [
            "<feed>\n",
            &point("A", title),
            &meter("A", "1", "k"),
            "\n",
            &kind,
            "\n",
            &block("A", "1", &[(0, value)]),
            "</feed>",
        ]
        .concat()
    }

    fn fault(text: &[u8]) -> String {
        read(text, &mut |_| ()).unwrap_err().to_string()
    }

    #[test]
    fn the_text_of_an_element_is_all_its_pieces() {
        let power = "<powerOfTenMultiplier>&#x30;<!-- no --><![CDATA[3]]></powerOfTenMultiplier>";
        let uom = "<uom> <!-- Wh -->7<![CDATA[2]]></uom><flowDirection>1<!-- -->9</flowDirection>";
        let text = feed(&format!("{power}{uom}"), "O&#39;Brien &amp; <![CDATA[<Co>]]>&#xe9;", "1&#48;0");
        let (readings, refused) = parse(&text);
        assert_eq!(refused, Vec::<String>::new());
        assert_eq!((readings[0].energy, readings[0].series.direction), (Energy::whole(100_000), Direction::Export));
        assert_eq!(readings[0].series.meter.as_deref(), Some("A"));
        let text = feed("<uom>72</uom><powerOfTenMultiplier>3<!-- -->0</powerOfTenMultiplier>", "M", "1");
        assert_eq!(parse(&text).1, ["4:1: 1 x 10^30 Wh in one interval is more than any meter measures"]);
    }

    #[test]
    fn a_figure_of_a_reading_type_that_is_no_whole_number_refuses_the_file_with_its_place() {
        for (name, text) in [
            ("powerOfTenMultiplier", "3.0"),
            ("powerOfTenMultiplier", "kilo"),
            ("powerOfTenMultiplier", "1_0"),
            ("powerOfTenMultiplier", "99999999999"),
            ("powerOfTenMultiplier", ""),
            ("uom", "W"),
            ("flowDirection", "x"),
            ("intervalLength", "-1"),
            ("accumulationBehaviour", "4e0"),
        ] {
            let told = fault(feed(&format!("<{name}>{text}</{name}>"), "M", "1").as_bytes());
            assert_eq!(told, format!("3:70: {name} {text:?} is not a whole number"));
        }
        let told = fault(feed("<uom>72</uom><uom>72</uom>", "M", "1").as_bytes());
        assert_eq!(told, "3:83: uom is there twice");
        assert_eq!(fault(feed("<uom/>", "M", "1").as_bytes()), "3:70: uom \"\" is not a whole number");
    }

    #[test]
    fn a_quality_or_a_second_value_that_cannot_be_read_refuses_the_reading() {
        let quality =
            |text: &str| feed("<uom>72</uom>", "M", "5").replace("<timePeriod>", &format!("{text}<timePeriod>"));
        let of = |code: &str| format!("<ReadingQuality><quality>{code}</quality></ReadingQuality>");
        assert_eq!(parse(&quality(&of("<!-- -->1<!-- -->2"))).0[0].quality, Quality::Estimated);
        assert_eq!(parse(&quality(&[of("0"), of("8")].concat())).0[0].quality, Quality::Estimated);
        assert_eq!(parse(&quality(&of("good"))).1, ["4:1: quality \"good\" is not a whole number"]);
        let (readings, refused) = parse(&quality("<value>1</value>"));
        assert_eq!((readings.len(), refused.len()), (0, 1), "{refused:?}");
    }

    #[test]
    fn an_entity_that_is_not_predefined_is_refused_with_its_place() {
        let told = fault(feed("<uom>72</uom>", "M", "1&z;0").as_bytes());
        assert!(told.starts_with("4:"), "{told}");
        assert!(told.ends_with("&z; is not one of XML's own entities (&amp; &lt; &gt; &quot; &apos;)"), "{told}");
        let declared = "<?xml version=\"1.0\"?><!DOCTYPE feed [<!ENTITY z \"0\">]><feed>\n <title>&z;</title></feed>";
        assert!(fault(declared.as_bytes()).starts_with("2:9: &z; is not one"), "{}", fault(declared.as_bytes()));
        assert!(fault(b"<feed>\n&#0;</feed>").starts_with("2:1: &#0; is no character"));
        assert!(fault(b"<feed>\n&#x110000;</feed>").starts_with("2:1: &#x110000; is no character"));
        let link = "<feed>\n<entry><link rel=\"self\" href=\"/UsagePoint/&z;\"/></entry></feed>";
        assert!(fault(link.as_bytes()).starts_with("2:8: "), "{}", fault(link.as_bytes()));
    }

    #[test]
    fn text_that_is_not_utf_8_is_refused_with_its_place() {
        let text = feed("<uom>72</uom>", "M\u{1}ller", "1");
        let bytes: Vec<u8> = text.bytes().map(|byte| if byte == 1 { 0xfc } else { byte }).collect();
        assert_eq!(fault(&bytes), "2:55: this byte is not UTF-8 text");
    }

    /// A feed of two channels of one meter whose blocks are named by links without folders.
    fn linked(related: [&str; 2], block: &str) -> String {
        let kinds = [("k1", "0"), ("k2", "3")].map(|(id, power)| {
            format!(
                r#"<entry><link rel="self" href="/ReadingType/{id}"/><content><ReadingType><uom>72</uom><powerOfTenMultiplier>{power}</powerOfTenMultiplier></ReadingType></content></entry>"#
            )
        });
        let channels = [("1", "k1", related[0]), ("2", "k2", related[1])].map(|(id, kind, block)| {
            format!(
                r#"<entry><link rel="self" href="/UsagePoint/A/MeterReading/{id}"/><link rel="related" href="/ReadingType/{kind}"/><link rel="related" href="{block}"/><content><MeterReading/></content></entry>"#
            )
        });
        let values = format!(
            r#"<entry><link rel="self" href="{block}"/><content><IntervalBlock><IntervalReading><timePeriod><duration>3600</duration><start>0</start></timePeriod><value>5</value></IntervalReading></IntervalBlock></content></entry>"#
        );
        ["<feed>", &kinds.concat(), &channels.concat(), &values, "</feed>"].concat()
    }

    #[test]
    fn a_block_belongs_to_the_channel_that_links_it_and_to_no_other() {
        let (readings, refused) = parse(&linked(["/b/1", "/b/2"], "/b/1"));
        assert_eq!((readings[0].energy, refused.len()), (Energy::whole(5), 0));
        assert_eq!(parse(&linked(["/b/1", "/b/2"], "/b/2")).0[0].energy, Energy::whole(5000));
        for lost in [linked(["/b/1", "/b/2"], "/b/3"), linked(["/b/1", "/b/1"], "/b/1"), linked(["/b/1", "/b/2"], "")] {
            let (readings, refused) = parse(&lost);
            assert_eq!(readings.len(), 0);
            assert!(refused[0].contains("no link says which MeterReading"), "{refused:?}");
        }
    }

    #[test]
    fn entries_that_contradict_each_other_refuse_the_file_or_their_values() {
        let one = feed("<uom>72</uom>", "M", "1");
        let other = one.replace("</feed>", &kind("k", "1", "72")) + "</feed>";
        assert!(fault(other.as_bytes()).contains("are of different reading types"), "{}", fault(other.as_bytes()));
        let two = [&kind("in", "1", "72"), &kind("out", "19", "72")].map(String::as_str).concat();
        let both = [
            "<feed>",
            &two,
            &point("A", ""),
            &meter("A", "1", "in").replace("<content>", r#"<link rel="related" href="/ReadingType/out"/><content>"#),
            &block("A", "1", &[(0, "1")]),
            "</feed>",
        ]
        .concat();
        assert!(parse(&both).1[0].contains("names several ReadingTypes that differ"), "{:?}", parse(&both).1);
    }

    #[test]
    fn gas_is_no_electricity_and_net_values_stand_alone() {
        let gas = feed("<uom>72</uom>", "M", "1")
            .replace("<UsagePoint/>", "<UsagePoint><ServiceCategory><kind>1</kind></ServiceCategory></UsagePoint>");
        assert!(parse(&gas).1[0].contains("the service kind 1 is not electricity"), "{:?}", parse(&gas).1);
        let commodity = feed("<uom>72</uom><commodity>7</commodity>", "M", "1");
        assert!(parse(&commodity).1[0].contains("the commodity 7 is not electricity"), "{:?}", parse(&commodity).1);
        let beside = [
            "<feed>",
            &point("A", ""),
            &meter("A", "1", "net"),
            &meter("A", "2", "out"),
            &kind("net", "4", "72"),
            &kind("out", "19", "72"),
            &block("A", "1", &[(0, "1")]),
            &block("A", "2", &[(0, "1")]),
            "</feed>",
        ]
        .concat();
        assert!(parse(&beside).1[0].contains("net values (flow 4) beside"), "{:?}", parse(&beside).1);
    }
}
