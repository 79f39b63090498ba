//! One Atom entry as it is read: its links, its title and whatever resource it holds.
//!
//! The text of an element is gathered from all its pieces and looked at when the element closes.

use std::str::FromStr;

use super::super::UsageError;

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
    /// The clocks of the place.
    LocalTime,
}

/// Unit and direction; `None` where the file does not say.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Kind {
    pub uom: Option<i64>,
    pub power: Option<i32>,
    pub flow: Option<i64>,
    pub length: Option<u32>,
    pub accumulation: Option<i64>,
    pub commodity: Option<i64>,
}

/// The clocks of the place, as the file writes them: seconds east of UTC, and the coded days of the changes.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct LocalTime {
    pub offset: Option<i64>,
    pub saving: Option<i64>,
    pub start: String,
    pub end: String,
}

/// A value as the file writes it.
#[derive(Debug, Default, Clone)]
pub struct Raw {
    pub line: u64,
    pub start: String,
    pub duration: String,
    pub value: String,
    /// The last one's code, or why one of them cannot be read.
    pub quality: Option<Result<i64, String>>,
}

/// An element that is read, while it is open.
#[derive(Debug)]
struct Element {
    /// How deep it lies.
    depth: usize,
    text: String,
    place: (u64, u64),
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
    pub local: LocalTime,
    /// What a usage point is of: 0 electricity, 1 gas.
    pub service: Option<i64>,
    pub readings: Vec<Raw>,
    pub line: u64,
    open: Option<Raw>,
    element: Option<Element>,
}

impl Entry {
    pub fn link(&mut self, rel: &str, href: &str) {
        let href = path(href).to_owned();
        match rel {
            "self" => self.self_link = href,
            "up" => self.up_link = href,
            "related" => self.related.push(href),
            _ => {}
        }
    }

    pub fn open(&mut self, path: &[String], place: (u64, u64)) {
        let (line, _) = place;
        if self.reads(path) {
            self.element = Some(Element { depth: path.len(), text: String::new(), place });
        }
        let resource = match path.last().map(String::as_str) {
            Some("UsagePoint") => Resource::UsagePoint,
            Some("MeterReading") => Resource::MeterReading,
            Some("ReadingType") => Resource::ReadingType,
            Some("IntervalBlock") => Resource::IntervalBlock,
            Some("LocalTimeParameters") => Resource::LocalTime,
            Some("IntervalReading") => {
                self.open = Some(Raw { line, ..Raw::default() });
                return;
            }
            _ => return,
        };
        self.resource = resource;
        self.line = line;
    }

    /// Whether the text of an element matters.
    fn reads(&self, path: &[String]) -> bool {
        match (ends(path), &self.open) {
            (("title", "entry"), _) | (("value", "IntervalReading") | ("quality", _), Some(_)) => true,
            (("start" | "duration", "timePeriod"), Some(_)) => true,
            ((name, "ReadingType"), _) => Kind::NAMES.contains(&name),
            (("kind", "ServiceCategory"), _) => true,
            ((name, "LocalTimeParameters"), _) => LocalTime::NAMES.contains(&name),
            _ => false,
        }
    }

    /// Takes a piece of the text of the element at `path`.
    pub fn text(&mut self, path: &[String], piece: &str) {
        if let Some(element) = self.element.as_mut().filter(|element| element.depth == path.len()) {
            element.text.push_str(piece);
        }
    }

    /// Takes what the element at `path` came to.
    ///
    /// # Errors
    /// A figure of a reading type that cannot be read, with its place: it would hold for every value.
    pub fn close(&mut self, path: &[String]) -> Result<(), UsageError> {
        if path.last().is_some_and(|name| name == "IntervalReading") {
            self.readings.extend(self.open.take());
        }
        let Some(Element { text, place, .. }) = self.element.take_if(|element| element.depth == path.len()) else {
            return Ok(());
        };
        let (name, parent) = ends(path);
        match (name, &mut self.open) {
            ("title", _) => self.title.push_str(&text),
            (_, Some(raw)) => raw.set(name, text),
            _ if parent == "ReadingType" => {
                self.kind.set(name, &text).map_err(|reason| UsageError::at(place.0, place.1, reason))?;
            }
            _ if parent == "ServiceCategory" => {
                once(&mut self.service, name, &text).map_err(|reason| UsageError::at(place.0, place.1, reason))?;
            }
            _ if parent == "LocalTimeParameters" => {
                self.local.set(name, text).map_err(|reason| UsageError::at(place.0, place.1, reason))?;
            }
            _ => {}
        }
        Ok(())
    }

    pub fn is_full(&self) -> bool {
        self.readings.len() >= FULL
    }
}

impl Kind {
    /// The elements of a reading type that matter.
    const NAMES: [&str; 6] =
        ["uom", "powerOfTenMultiplier", "flowDirection", "intervalLength", "commodity", "accumulationBehaviour"];

    fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
        match name {
            "uom" => once(&mut self.uom, name, text),
            "powerOfTenMultiplier" => once(&mut self.power, name, text),
            "flowDirection" => once(&mut self.flow, name, text),
            "intervalLength" => once(&mut self.length, name, text),
            "commodity" => once(&mut self.commodity, name, text),
            _ => once(&mut self.accumulation, name, text),
        }
    }
}

impl LocalTime {
    const NAMES: [&str; 4] = ["tzOffset", "dstOffset", "dstStartRule", "dstEndRule"];

    fn set(&mut self, name: &str, text: String) -> Result<(), String> {
        match name {
            "tzOffset" => once(&mut self.offset, name, &text)?,
            "dstOffset" => once(&mut self.saving, name, &text)?,
            "dstStartRule" => self.start = text,
            _ => self.end = text,
        }
        Ok(())
    }
}

impl Raw {
    fn set(&mut self, name: &str, text: String) {
        let field = match name {
            "value" => &mut self.value,
            "start" => &mut self.start,
            "duration" => &mut self.duration,
            _ => {
                if !matches!(self.quality, Some(Err(_))) {
                    self.quality = Some(whole(name, &text));
                }
                return;
            }
        };
        // Two of them are no number: which would hold is anybody's guess.
        *field = if field.is_empty() { text } else { format!("{field} {text}") };
    }
}

/// A figure that may be there once.
fn once<T: FromStr>(figure: &mut Option<T>, name: &str, text: &str) -> Result<(), String> {
    let before = figure.replace(whole(name, text)?);
    before.map_or(Ok(()), |_| Err(format!("{name} is there twice")))
}

/// A whole number; nothing else stands for one.
pub fn whole<T: FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.trim().parse().map_err(|_| format!("{name} {text:?} is not a whole number"))
}

/// A link without its host and without slashes around it.
fn path(href: &str) -> &str {
    let local = href.split_once("://").map_or(href, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    local.trim().trim_matches('/')
}

/// The names of an element and of the one around it.
fn ends(path: &[String]) -> (&str, &str) {
    let mut names = path.iter().rev().map(String::as_str);
    (names.next().unwrap_or_default(), names.next().unwrap_or_default())
}
