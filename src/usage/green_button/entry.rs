//! One Atom entry as it is read: its links, its title and whatever resource it holds.
//!
//! The text of an element is gathered from all its pieces and looked at when the element closes.

use std::str::FromStr;

use super::super::UsageError;

/// Readings kept in an entry before they are handed on: a block may be as long as the file.
const FULL: usize = 4096;

/// The most bytes of the text of an element that is read: all of them are figures and codes.
const TEXT: usize = 200;

/// The most bytes of the links of one entry.
const LINKS: usize = 1 << 20;

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
    pub self_link: String,
    pub up_link: String,
    pub related: Vec<String>,
    /// Bytes of its links.
    linked: usize,
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
    /// Takes a link.
    ///
    /// # Errors
    /// A sentence, when the entry has more of them than any.
    pub fn link(&mut self, rel: &str, href: &str) -> Result<(), &'static str> {
        self.linked += href.len() + size_of::<String>();
        if self.linked > LINKS {
            return Err("this entry has more links than any entry of a feed");
        }
        let href = path(href).to_owned();
        match rel {
            "self" => self.self_link = href,
            "up" => self.up_link = href,
            "related" => self.related.push(href),
            _ => {}
        }
        Ok(())
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
            (("value", "IntervalReading") | ("quality", _), Some(_)) => true,
            (("start" | "duration", "timePeriod"), Some(_)) => true,
            ((name, "ReadingType"), _) => Kind::NAMES.contains(&name),
            (("kind", "ServiceCategory"), _) => true,
            ((name, "LocalTimeParameters"), _) => LocalTime::NAMES.contains(&name),
            _ => false,
        }
    }

    /// Takes a piece of the text of the element at `path`.
    ///
    /// # Errors
    /// When the text is longer than any figure.
    pub fn text(&mut self, path: &[String], piece: &str) -> Result<(), UsageError> {
        let Some(element) = self.element.as_mut().filter(|element| element.depth == path.len()) else { return Ok(()) };
        if element.text.len() + piece.len() > TEXT {
            let (line, column) = element.place;
            let reason = format!("{} goes on for more than {TEXT} bytes, and no figure does", ends(path).0);
            return Err(UsageError::at(line, column, reason));
        }
        element.text.push_str(piece);
        Ok(())
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
        *field = if field.is_empty() { text } else { format!("{field} {text}").chars().take(TEXT).collect() };
    }
}

/// A value whose figures are read; what they mean, its reading type says.
#[derive(Debug, Clone, Copy)]
pub struct Value {
    /// Seconds since 1970.
    pub start: i64,
    pub value: i64,
    /// Seconds; 0 where the interval does not say.
    pub duration: u32,
    /// A file of more lines than this holds is told with the last of them.
    pub line: u32,
    /// ESPI's code; 0 where there is none.
    pub quality: u8,
}

impl Value {
    /// Reads the figures.
    ///
    /// # Errors
    /// A sentence, for one that cannot be read.
    pub fn of(raw: &Raw) -> Result<Self, String> {
        let value = whole("value", &raw.value)?;
        let said = !raw.duration.trim().is_empty();
        let duration: i64 = if said { whole("duration", &raw.duration)? } else { 0 };
        let usable = |duration: &u32| !said || USABLE.contains(duration);
        let duration = u32::try_from(duration).ok().filter(usable).ok_or(NO_DURATION)?;
        let start = whole("start", &raw.start)?;
        // Codes that are no quality of ESPI's tell nothing.
        let quality = raw.quality.clone().transpose()?.and_then(|code| u8::try_from(code).ok()).unwrap_or_default();
        let line = u32::try_from(raw.line).unwrap_or(u32::MAX);
        Ok(Self { start, value, duration, line, quality })
    }
}

/// The seconds that an interval may last.
pub const USABLE: std::ops::RangeInclusive<u32> = 60..=86_400;

/// What is told of other ones.
pub const NO_DURATION: &str = "the interval has no usable duration";

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
