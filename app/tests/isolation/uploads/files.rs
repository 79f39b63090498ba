//! Files of every kind that takes much memory for its size, and of every kind that people send.

use std::fmt::Write;

use super::METERS;

/// What a file or its form is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Right: CSV of many meters, one after another.
    Rows,
    /// Right: CSV of many meters, mixed by time.
    RowsByTime,
    /// Right: Green Button of one meter.
    Feed,
    /// Right: values before their reading type.
    FeedBackwards,
    /// Right: NEM12 of many meters.
    Nem12,
    /// Right: NEM12 with parts of a watt-hour.
    Nem12Parts,
    LineWithoutEnd,
    ColumnsWithoutEnd,
    QuoteWithoutEnd,
    MetersWithoutEnd,
    LongMeters,
    BadRows,
    SameRow,
    OneRowADay,
    HourThatComesTwice,
    EitherMark,
    BlankLines,
    DeepElements,
    LongText,
    LongTag,
    PointsWithoutEnd,
    LinksWithoutEnd,
    ValuesWithoutEnd,
    BlocksOfNothing,
    RegistersWithoutEnd,
    /// The form: a field's header without an end.
    LongHeader,
    /// The form: the file's name.
    LongName,
    /// The form: fields without end.
    Fields,
}

impl Kind {
    pub const ALL: [Self; 28] = [
        Self::Rows,
        Self::RowsByTime,
        Self::Feed,
        Self::FeedBackwards,
        Self::Nem12,
        Self::Nem12Parts,
        Self::LineWithoutEnd,
        Self::ColumnsWithoutEnd,
        Self::QuoteWithoutEnd,
        Self::MetersWithoutEnd,
        Self::LongMeters,
        Self::BadRows,
        Self::SameRow,
        Self::OneRowADay,
        Self::HourThatComesTwice,
        Self::EitherMark,
        Self::BlankLines,
        Self::DeepElements,
        Self::LongText,
        Self::LongTag,
        Self::PointsWithoutEnd,
        Self::LinksWithoutEnd,
        Self::ValuesWithoutEnd,
        Self::BlocksOfNothing,
        Self::RegistersWithoutEnd,
        Self::LongHeader,
        Self::LongName,
        Self::Fields,
    ];

    /// As many megabytes as are sent and read quickly: what the form itself is refused for is cut off early; what is
    /// refused as a file is a large one, which is read alone; what is right is read whole, and by a debug build.
    pub const fn quick(self) -> usize {
        match self {
            Self::LongHeader | Self::LongName | Self::Fields => 64,
            kind if kind.is_right() => 2,
            _ => 9,
        }
    }

    /// Whether the file is taken.
    pub const fn is_right(self) -> bool {
        matches!(
            self,
            Self::Rows
                | Self::RowsByTime
                | Self::Feed
                | Self::FeedBackwards
                | Self::Nem12
                | Self::Nem12Parts
                | Self::BadRows
                | Self::SameRow
        )
    }
}

/// What stands before and behind a file in its form.
pub fn form_around(kind: Kind, context: &str) -> (String, String) {
    let field = |name: &str, value: &str| {
        format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let file = "--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"usage";
    let after = "\r\n--edge--\r\n".to_owned();
    let serial = if matches!(kind, Kind::Feed | Kind::FeedBackwards) { "L-000" } else { "" };
    let before = field("context", context) + &field("serial", serial);
    match kind {
        Kind::LongHeader => (before + "--edge\r\nx-long: ", after),
        Kind::LongName => (before + file, "\"\r\n\r\nx\r\n--edge--\r\n".to_owned()),
        Kind::Fields => (before, after),
        _ => (before + file + "\"\r\n\r\n", after),
    }
}

const HEADER: &str = "meter,interval_start,kwh\n";

/// About so many bytes of a kind.
pub fn file(kind: Kind, size: usize) -> Vec<u8> {
    let mut text = String::with_capacity(size + 4096);
    match kind {
        Kind::Rows => rows(&mut text, size, false),
        Kind::RowsByTime => rows(&mut text, size, true),
        Kind::Feed => feed(&mut text, size, false),
        Kind::FeedBackwards => feed(&mut text, size, true),
        Kind::Nem12 => nem12(&mut text, size, "1"),
        Kind::Nem12Parts => nem12(&mut text, size, "0.0001"),
        Kind::LineWithoutEnd | Kind::LongHeader | Kind::LongName => {
            fill(&mut text, size, |text, _| text.push_str("xxxxxxxx"))
        }
        Kind::ColumnsWithoutEnd => fill(&mut text, size, |text, _| text.push_str(",,,,,,,,")),
        Kind::QuoteWithoutEnd => {
            text.push_str(HEADER);
            text.push('"');
            fill(&mut text, size, |text, _| text.push_str("L-000,1\n"));
        }
        Kind::MetersWithoutEnd => under(&mut text, size, |text, n| writeln!(text, "{n},20260101T0000,1").unwrap()),
        Kind::LongMeters => under(&mut text, size, |text, n| writeln!(text, "{n:0>95},20260101T0000,1").unwrap()),
        Kind::BadRows => {
            text.push_str(HEADER);
            text.push_str("L-000,20260101T0000,1\nL-000,20260101T0015,1\n");
            fill(&mut text, size, |text, _| text.push_str("L-000,20260101T0000,😀😀😀\n"));
        }
        Kind::SameRow => under(&mut text, size, |text, _| text.push_str("L-000,20260101T0000,1\n")),
        Kind::OneRowADay => under(&mut text, size, |text, n| {
            let day = chrono::NaiveDate::from_ymd_opt(1971, 1, 1).unwrap() + chrono::Days::new((n / 2 / METERS) as u64);
            let time = if n % 2 == 0 { "0000" } else { "0005" };
            writeln!(text, "L-{:03},{}T{time},1", n / 2 % METERS, day.format("%Y%m%d")).unwrap();
        }),
        Kind::HourThatComesTwice => under(&mut text, size, |text, _| text.push_str("L-000,20261025T0230,1\n")),
        Kind::EitherMark => {
            text.push_str("meter;interval_start;kwh\n");
            fill(&mut text, size, |text, _| text.push_str("L-000;20260101T0000;1.234\n"));
        }
        Kind::BlankLines => under(&mut text, size, |text, _| text.push_str("\n\n\n\n\n\n\n\n")),
        Kind::DeepElements => fill(&mut text, size, |text, _| text.push_str("<aaaaaa>")),
        Kind::LongText => {
            text.push_str("<feed><entry><title>");
            fill(&mut text, size, |text, _| text.push_str("xxxxxxxx"));
        }
        Kind::LongTag => {
            text.push_str("<feed><entry><link href=\"");
            fill(&mut text, size, |text, _| text.push_str("xxxxxxxx"));
        }
        Kind::PointsWithoutEnd => {
            text.push_str("<feed>");
            fill(&mut text, size, |text, n| {
                write!(text, "<entry><link rel=\"self\" href=\"{n}\"/><UsagePoint/></entry>").unwrap();
            });
        }
        Kind::LinksWithoutEnd => {
            text.push_str("<feed><entry>");
            fill(&mut text, size, |text, n| write!(text, "<link rel=\"related\" href=\"{n}\"/>").unwrap());
        }
        Kind::ValuesWithoutEnd => {
            text.push_str("<feed><entry><IntervalReading>");
            fill(&mut text, size, |text, _| text.push_str("<value>11111111111111111111</value>"));
        }
        Kind::BlocksOfNothing => {
            text.push_str("<feed>");
            fill(&mut text, size, |text, n| {
                write!(text, "<entry><link rel=\"up\" href=\"{n}/IntervalBlock\"/><IntervalBlock><IntervalReading/></IntervalBlock></entry>").unwrap();
            });
        }
        Kind::RegistersWithoutEnd => {
            text.push_str("100,NEM12,1,a,b\n");
            fill(&mut text, size, |text, n| writeln!(text, "200,1,E1,E1,E{n},,M,KWH,30,").unwrap());
        }
        Kind::Fields => fill(&mut text, size, |text, _| {
            text.push_str("--edge\r\ncontent-disposition: form-data; name=\"serial\"\r\n\r\nx\r\n");
        }),
    }
    text.into_bytes()
}

fn fill(text: &mut String, size: usize, mut add: impl FnMut(&mut String, usize)) {
    let mut n = 0;
    while text.len() < size - 4096 {
        add(text, n);
        n += 1;
    }
}

fn under(text: &mut String, size: usize, add: impl FnMut(&mut String, usize)) {
    text.push_str(HEADER);
    fill(text, size, add);
}

/// The quarter-hours from the beginning of 2020 on.
fn quarter(n: usize) -> chrono::NaiveDateTime {
    let start = chrono::NaiveDate::from_ymd_opt(2020, 1, 1).unwrap().and_time(chrono::NaiveTime::MIN);
    start + chrono::Duration::minutes(15 * n as i64)
}

fn rows(text: &mut String, size: usize, by_time: bool) {
    // As many quarter-hours as each meter has room for, in whole days.
    let each = (size / 32 / METERS / 96).max(1) * 96;
    text.push_str(HEADER);
    for n in 0..each * METERS {
        let (meter, slot) = if by_time { (n % METERS, n / METERS) } else { (n / each, n % each) };
        writeln!(text, "L-{meter:03},{}Z,0.{:03}", quarter(slot).format("%Y-%m-%dT%H:%M"), n % 1000).unwrap();
    }
}

fn feed(text: &mut String, size: usize, backwards: bool) {
    let point = "<entry><link rel=\"self\" href=\"/UsagePoint/1\"/><content><UsagePoint/></content></entry>";
    let channel = "<entry><link rel=\"self\" href=\"/UsagePoint/1/MeterReading/1\"/><link rel=\"related\" href=\"/ReadingType/1\"/><content><MeterReading/></content></entry>";
    let kind = "<entry><link rel=\"self\" href=\"/ReadingType/1\"/><content><ReadingType><intervalLength>900</intervalLength><uom>72</uom></ReadingType></content></entry>";
    let what = [point, channel, kind].concat();
    text.push_str("<feed>");
    if !backwards {
        text.push_str(&what);
    }
    let from = quarter(0).and_utc().timestamp();
    text.push_str(
        "<entry><link rel=\"up\" href=\"/UsagePoint/1/MeterReading/1/IntervalBlock\"/><content><IntervalBlock>",
    );
    // As many as fit and as 20 years have: the rest is space, as programs indent.
    let most = (size / 130).min(700_000);
    let room = size / most - 120;
    for n in 0..most {
        let start = from + 900 * n as i64;
        write!(text, "<IntervalReading><timePeriod><start>{start}</start></timePeriod>{:room$}<value>{}</value></IntervalReading>", "", n % 997).unwrap();
    }
    text.push_str("</IntervalBlock></content></entry>");
    if backwards {
        text.push_str(&what);
    }
    text.push_str("</feed>");
}

fn nem12(text: &mut String, size: usize, value: &str) {
    let day = format!(",{value}").repeat(96);
    let each = size / METERS / (day.len() + 24);
    text.push_str("100,NEM12,202601010000,a,b\n");
    for meter in 0..METERS {
        writeln!(text, "200,L-{meter:03},E1,E1,E1,,L-{meter:03},KWH,15,").unwrap();
        for n in 0..each {
            writeln!(text, "300,{}{day},A,,,,", quarter(96 * n).format("%Y%m%d")).unwrap();
        }
    }
    text.push_str("900\n");
}
