//! One Atom entry as it is read: its links, its title and whatever resource it holds.

/// Readings kept in an entry before they are handed on: a block may be as long as the file.
const FULL: usize = 4096;

/// What an entry holds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Nothing that matters here.
    #[default]
    Other,
    /// A meter.
    UsagePoint,
    /// A channel of a meter.
    MeterReading,
    /// Unit and direction of a channel.
    ReadingType,
    /// Values.
    IntervalBlock,
}

/// Unit and direction, as the file writes them.
#[derive(Debug, Default, Clone)]
pub struct Kind {
    pub uom: Option<i64>,
    pub power: i32,
    pub flow: Option<i64>,
    pub length: Option<u32>,
    pub accumulation: Option<i64>,
}

/// A value as the file writes it.
#[derive(Debug, Default, Clone)]
pub struct Raw {
    pub line: u64,
    pub start: String,
    pub duration: String,
    pub value: String,
    pub quality: Option<i64>,
}

/// One entry.
#[derive(Debug, Default)]
pub struct Entry {
    pub resource: Resource,
    pub title: String,
    pub self_link: String,
    pub up_link: String,
    pub related: Vec<String>,
    pub kind: Kind,
    pub readings: Vec<Raw>,
    pub line: u64,
    open: Option<Raw>,
}

impl Entry {
    pub fn link(&mut self, rel: &str, href: &str) {
        let href = href.trim_end_matches('/').to_owned();
        match rel {
            "self" => self.self_link = href,
            "up" => self.up_link = href,
            "related" => self.related.push(href),
            _ => {}
        }
    }

    pub fn open(&mut self, path: &[String], line: u64) {
        let resource = match path.last().map(String::as_str) {
            Some("UsagePoint") => Resource::UsagePoint,
            Some("MeterReading") => Resource::MeterReading,
            Some("ReadingType") => Resource::ReadingType,
            Some("IntervalBlock") => Resource::IntervalBlock,
            Some("IntervalReading") => {
                self.open = Some(Raw { line, ..Raw::default() });
                return;
            }
            _ => return,
        };
        self.resource = resource;
        self.line = line;
    }

    pub fn text(&mut self, path: &[String], text: &str) {
        let mut names = path.iter().rev().map(String::as_str);
        let (last, parent) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
        if last == "title" && parent == "entry" {
            self.title.push_str(text);
        } else if let Some(raw) = &mut self.open {
            match (last, parent) {
                ("value", "IntervalReading") => raw.value.push_str(text),
                ("start", "timePeriod") => raw.start.push_str(text),
                ("duration", "timePeriod") => raw.duration.push_str(text),
                ("quality", _) => raw.quality = text.trim().parse().ok(),
                _ => {}
            }
        } else if parent == "ReadingType" {
            self.kind(last, text);
        }
    }

    fn kind(&mut self, name: &str, text: &str) {
        match name {
            "uom" => self.kind.uom = text.trim().parse().ok(),
            "powerOfTenMultiplier" => self.kind.power = text.trim().parse().unwrap_or(0),
            "flowDirection" => self.kind.flow = text.trim().parse().ok(),
            "intervalLength" => self.kind.length = text.trim().parse().ok(),
            "accumulationBehaviour" => self.kind.accumulation = text.trim().parse().ok(),
            _ => {}
        }
    }

    pub fn close(&mut self, path: &[String]) {
        if path.last().is_some_and(|name| name == "IntervalReading") {
            self.readings.extend(self.open.take());
        }
    }

    pub fn is_full(&self) -> bool {
        self.readings.len() >= FULL
    }
}
