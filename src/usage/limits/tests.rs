//! Files that would take many times their size in memory are refused with their place, and what is right is read.

use super::super::{Hints, Item, read};
use super::*;

/// What becomes of a file: how many readings and refused lines, and why it was refused as a whole.
fn outcome(text: &[u8]) -> (usize, usize, String) {
    let (mut readings, mut refused) = (0, 0);
    let hints = Hints::of_zone(chrono_tz::Europe::Berlin);
    let read = read(text, &hints, &mut |item| match item {
        Item::Reading(_) => readings += 1,
        Item::Rejected(_) => refused += 1,
        Item::Zone(_) => {}
    });
    (readings, refused, read.map_or_else(|fault| fault.to_string(), |_| String::new()))
}

/// The most bytes that reading a file takes at once, beside the file itself.
fn memory(text: &[u8]) -> u64 {
    allocation_counter::measure(|| drop(outcome(text))).bytes_max
}

const HEADER: &str = "meter,interval_start,kwh\n";
const ROW: &str = "M-1,2026-01-01T00:00:00Z,1\n";
const MB: usize = 1 << 20;

/// A feed of one value, with something before it.
fn feed(before: &str) -> String {
    let entry = |link: &str, content: &str| {
        format!(r#"<entry><link rel="self" href="{link}"/><content>{content}</content></entry>"#)
    };
    [
        "<feed>",
        before,
        &entry("/UsagePoint/A", "<UsagePoint/>"),
        &entry("/ReadingType/k", "<ReadingType><uom>72</uom></ReadingType>"),
        r#"<entry><link rel="self" href="/UsagePoint/A/MeterReading/1"/><link rel="related" href="/ReadingType/k"/><content><MeterReading/></content></entry>"#,
        &entry("/UsagePoint/A/MeterReading/1/IntervalBlock/1", &format!("<IntervalBlock>{}</IntervalBlock>", interval("1"))),
        "</feed>",
    ]
    .concat()
}

fn interval(value: &str) -> String {
    format!(
        "<IntervalReading><timePeriod><duration>3600</duration><start>0</start></timePeriod><value>{value}</value></IntervalReading>"
    )
}

#[test]
fn a_row_an_element_or_a_text_without_an_end_refuses_the_file_at_its_place() {
    let long = "x".repeat(2 * MB);
    let nem12 = |record: &str| format!("100,NEM12,2,a,b\n{record}\n900\n");
    for (text, place) in [
        (format!("{HEADER}{ROW}{long}"), "3:1: this row goes on for more than 64 kB"),
        (format!("{HEADER}{ROW}M-1,2026-01-01T01:00:00Z,\"{}", "1\n".repeat(MB)), "3:1: this row goes on"),
        (format!("{HEADER}{ROW}{}", ",".repeat(MB)), "3:1: this row goes on"),
        (format!("{HEADER}{ROW}\"{long}\"\n"), "3:1: this row goes on"),
        (long.clone(), "1:1: this row goes on"),
        (format!("\"{long}"), "1:1: this row goes on"),
        (format!("{}interval_start,kwh\n", ",".repeat(2_000)), "1:1: the header has 2002 columns; at most 1000"),
        (nem12(&format!("200,{long},E1,E1,E1,,M,KWH,30,")), "2:1: this record goes on"),
        (nem12(&format!("300,20260101{}", ",1".repeat(MB))), "2:1: this record goes on"),
        (nem12(&format!("200,1,E1,E1,{},,M,KWH,30,", "E".repeat(500))), "2:1: the register \"EEEEEEEE"),
        (feed(&format!("\n<entry><title>{long}</title></entry>")), "2:15: "),
        (feed(&format!("\n<{long}/>")), "2:1: what begins here goes on for more than 64 kB"),
        (feed(&format!("\n<!--{long}-->")), "2:1: what begins here"),
        (feed(&format!("\n<a><![CDATA[{long}]]></a>")), "2:1: what begins here"),
        (feed(&format!("\n<link rel=\"self\" href=\"{long}\"/>")), "2:1: what begins here"),
        (feed(&format!("<!DOCTYPE a [<!ENTITY b \"{long}\">]>")), "1:1: what begins here"),
        (feed(&"<a>".repeat(MB)), ": elements lie more than 64 deep"),
        (
            feed(&format!("<entry>{}</entry>", "<link rel=\"related\" href=\"a\"/>".repeat(100_000))),
            "this entry has more links",
        ),
        (feed("").replace(">72<", &format!(">{}72<", " ".repeat(300))), "uom goes on for more than 200 bytes"),
        (
            feed("").replace("<value>1<", &format!("<value>{}<", "1<!-- -->".repeat(300))),
            "value goes on for more than 200",
        ),
    ] {
        let (_, _, told) = outcome(text.as_bytes());
        assert!(told.contains(place.trim_start_matches("2:15: ")), "{place}: {told}");
        assert!(memory(text.as_bytes()) < 4 * MB as u64, "{place}: {} bytes", memory(text.as_bytes()));
    }
}

#[test]
fn entities_are_not_expanded() {
    let bomb = r#"<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>"#;
    let text = format!("{bomb}{}", feed("").replace("<value>1<", "<value>&c;<"));
    let (_, _, told) = outcome(text.as_bytes());
    assert!(told.contains("&c; is not one of XML's own entities"), "{told}");
}

#[test]
fn names_and_links_without_end_are_too_many_and_take_no_memory() {
    let rows: String = (0..200_000).map(|n| format!("M-{n},2026-01-01T00:00:00Z,1\n")).collect();
    let registers: String = (0..200_000).map(|n| format!("200,1,E1,E1,E{n},,M,KWH,30,\n")).collect();
    let entry = |link: String, content: &str| {
        format!(r#"<entry><link rel="self" href="{link}"/><content><{content}/></content></entry>"#)
    };
    let points: String = (0..200_000).map(|n| entry(format!("/UsagePoint/{n}"), "UsagePoint")).collect();
    let kinds: String = (0..200_000).map(|n| entry(format!("/ReadingType/{n}"), "ReadingType")).collect();
    let channels: String = (0..200_000).map(|n| entry(format!("/MeterReading/{n}"), "MeterReading")).collect();
    let block = |n: usize| {
        format!(
            r#"<entry><link rel="self" href="/b/{n}"/><content><IntervalBlock>{}</IntervalBlock></content></entry>"#,
            interval("1")
        )
    };
    let blocks: String = (0..200_000).map(block).collect();
    for text in [
        format!("{HEADER}{rows}"),
        format!("100,NEM12,2,a,b\n{registers}900\n"),
        feed(&points),
        feed(&kinds),
        feed(&channels),
        feed(&blocks),
    ] {
        let (_, _, told) = outcome(text.as_bytes());
        assert!(told.contains("more meters, registers and links than are read of one file"), "{told}");
        let bytes = memory(text.as_bytes());
        assert!(bytes < 40 * MB as u64, "{bytes} bytes: {}", &text[..200]);
    }
}

#[test]
fn rows_that_wait_are_few() {
    let row = "2026-10-25 02:30,1\n";
    let (_, _, told) = outcome(format!("interval_start,kwh\n{}", row.repeat(5_000)).as_bytes());
    assert!(told.starts_with("1002:1: too many rows stand in the hour that comes twice"), "{told}");
    let (_, _, told) =
        outcome(format!("interval_start;kwh\n{}", "2026-01-01 02:30;1.234\n".repeat(150_000)).as_bytes());
    assert!(told.contains("say which decimal mark"), "{told}");
}

#[test]
fn values_that_stand_before_their_reading_type_are_held_in_little_room() {
    let block = format!(
        r#"<entry><link rel="self" href="/UsagePoint/A/MeterReading/1/IntervalBlock/2"/><content><IntervalBlock>{}</IntervalBlock></content></entry>"#,
        interval("1").repeat(100_000)
    );
    let text = feed(&block);
    assert_eq!(outcome(text.as_bytes()), (100_001, 0, String::new()));
    let bytes = memory(text.as_bytes());
    assert!(bytes < 8 * MB as u64, "{bytes} bytes for {} of the file", text.len());
}

#[test]
fn a_name_of_a_hundred_characters_is_read_and_a_longer_one_costs_its_row() {
    let row = |meter: &str| format!("{meter},2026-01-01T00:00:00Z,1\n");
    let text = [HEADER, &row(&"é".repeat(NAME)), &row(&"é".repeat(NAME + 1)), &row("M-1")].concat();
    assert_eq!(outcome(text.as_bytes()), (2, 1, String::new()));
}

#[test]
fn blank_lines_before_the_header_and_carriage_returns_alone_are_read() {
    for end in ["\n", "\r\n", "\r"] {
        for before in ["", "\n", "\n\n"] {
            let text = ["interval_start;kwh", "2026-01-01T00:00Z;0,5", "2026-01-01T01:00Z;x", "2026-01-01T02:00Z;0,25"];
            let text = before.replace('\n', end) + &text.join(end) + end;
            let mut told = vec![];
            read(text.as_bytes(), &Hints::default(), &mut |item| match item {
                Item::Reading(reading) => told.push(reading.energy.wh().to_string()),
                Item::Rejected(refused) => told.push(refused.to_string()),
                Item::Zone(_) => {}
            })
            .unwrap();
            let line = before.len() + 3;
            assert_eq!(told, ["500", &format!("{line}:19: \"x\" is not a number of kWh"), "250"], "{text:?}");
        }
    }
}
