//! Which decimal mark a file has, learnt from its own figures.
//!
//! `0,5` and `1.234,5` have a decimal comma, `0.5` and `1,234.5` a decimal point; `1.234` may be either. Such a figure
//! waits until another one tells. In a file separated by commas a point is taken for the decimal mark, unless a figure
//! in quotes says otherwise.

use super::super::{Energy, UsageError};
use crate::values::figures::{self, Mark, Unread};

/// What is known of a file's figures so far.
#[derive(Debug)]
pub struct Marks {
    mark: Option<Mark>,
    /// Whether commas separate the fields.
    commas: bool,
    /// The line that told the mark; `None` where a person did.
    told: Option<u64>,
    /// The first figure that was taken for one with a decimal point though it may be another number.
    taken: Option<Place>,
    /// The first figure that waits.
    waits: Option<Place>,
}

/// A figure with its place.
#[derive(Debug, Clone)]
struct Place {
    line: u64,
    text: String,
}

/// What a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// So many kWh.
    Energy(Energy),
    /// So many kWh if this is the file's decimal mark, a thousand times as many if it is the other one.
    Either(Energy, Mark),
}

/// What a figure tells of the file's decimal mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clue {
    /// It has none.
    Nothing,
    /// This is it.
    Certain(Mark),
    /// Its only mark may be the decimal one or stand between thousands.
    Either(Mark),
}

impl Marks {
    /// Of a file whose fields are separated by commas, or by something else; `said` by a person.
    pub const fn new(commas: bool, said: Option<Mark>) -> Self {
        Self { mark: said, commas, told: None, taken: None, waits: None }
    }

    /// The decimal mark, as soon as it is known.
    pub const fn known(&self) -> Option<Mark> {
        self.mark
    }

    /// Reads kilowatt-hours.
    ///
    /// # Errors
    /// The outer one refuses the file, the inner one the figure; each a sentence.
    pub fn read(&mut self, text: &str, line: u64) -> Result<Result<Figure, String>, UsageError> {
        let mark = match (self.mark, clue(text)) {
            // Between commas a decimal comma stands in quotes only, and a bare point may be another program's.
            (Some(Mark::Comma), Clue::Either(Mark::Point)) if self.commas && self.told.is_some() => {
                let digits = text.replace('.', "");
                let told = self.told.unwrap_or(line);
                return Ok(Err(format!("{text:?} may be {text} or {digits} kWh: line {told} has a decimal comma")));
            }
            (Some(mark), _) => mark,
            (None, Clue::Nothing) => Mark::Point,
            (None, Clue::Certain(mark)) => {
                self.learn(mark, line)?;
                mark
            }
            (None, Clue::Either(Mark::Point)) if self.commas => {
                self.taken.get_or_insert_with(|| Place { line, text: text.to_owned() });
                Mark::Point
            }
            (None, Clue::Either(mark)) => {
                self.waits.get_or_insert_with(|| Place { line, text: text.to_owned() });
                return Ok(self.energy(text, mark).map(|energy| Figure::Either(energy, mark)));
            }
        };
        Ok(self.energy(text, mark).map(Figure::Energy))
    }

    fn learn(&mut self, mark: Mark, line: u64) -> Result<(), UsageError> {
        if let Some(place) = self.taken.as_ref().filter(|_| mark == Mark::Comma) {
            return Err(place.two_readings(&format!("line {line} has a decimal comma")));
        }
        (self.mark, self.told) = (Some(mark), Some(line));
        Ok(())
    }

    /// What is wrong at the end of the file: figures still wait.
    pub fn finish(&self) -> Result<(), UsageError> {
        match (&self.waits, self.mark) {
            (Some(place), None) => Err(place.two_readings("no figure of the file tells which")),
            _ => Ok(()),
        }
    }

    fn energy(&self, text: &str, mark: Mark) -> Result<Energy, String> {
        match figures::read(text, mark) {
            Ok(kwh) => {
                Energy::of_kwh(kwh).ok_or_else(|| format!("{text} kWh in one interval is more than any meter measures"))
            }
            Err(Unread::NotANumber) => Err(format!("{text:?} is not a number of kWh")),
            Err(Unread::TwoNumbers { one, other }) => {
                let name = if mark == Mark::Comma { "comma" } else { "point" };
                let told = self.told.map(|line| format!(" (line {line} has one)")).unwrap_or_default();
                Err(format!("{text:?} may be {one} or {other}: this file's decimal mark is the {name}{told}"))
            }
        }
    }
}

impl Place {
    fn two_readings(&self, why: &str) -> UsageError {
        let digits: String = self.text.chars().filter(|c| !matches!(c, '.' | ',')).collect();
        let point = self.text.replace(',', ".");
        let text =
            format!("{:?} may be {point} or {digits} kWh: {why}; say which decimal mark the file has", self.text);
        UsageError::at(self.line, 1, text)
    }
}

fn clue(text: &str) -> Clue {
    let text = text.trim();
    let text = text.strip_prefix(['-', '+', '\u{2212}']).unwrap_or(text);
    let Some(last) = text.rfind(['.', ',']) else { return Clue::Nothing };
    let (before, after) = text.split_at(last);
    let mark = if after.starts_with(',') { Mark::Comma } else { Mark::Point };
    // The mark is one byte.
    let after = after.get(1..).unwrap_or_default();
    if before.contains(mark.other().sign()) {
        return Clue::Certain(mark);
    }
    if before.contains(mark.sign()) {
        return Clue::Certain(mark.other());
    }
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let groups = after.len() == 3 && (1..=3).contains(&before.len()) && !before.starts_with('0');
    if groups && digits(before) && digits(after) { Clue::Either(mark) } else { Clue::Certain(mark) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kwh(text: &str) -> Energy {
        Energy::of_kwh(text.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_figure_tells_the_decimal_mark_or_waits_for_one_that_does() {
        for (text, told) in [
            ("12", Clue::Nothing),
            ("0.409", Clue::Certain(Mark::Point)),
            ("1.5", Clue::Certain(Mark::Point)),
            ("1234.567", Clue::Certain(Mark::Point)),
            ("1,234.5", Clue::Certain(Mark::Point)),
            ("1.234.567", Clue::Certain(Mark::Comma)),
            ("-1.234,5", Clue::Certain(Mark::Comma)),
            ("1 234,567", Clue::Certain(Mark::Comma)),
            ("987,25", Clue::Certain(Mark::Comma)),
            ("1.234", Clue::Either(Mark::Point)),
            ("12,345", Clue::Either(Mark::Comma)),
        ] {
            assert_eq!(clue(text), told, "{text}");
        }
    }

    #[test]
    fn in_a_file_of_decimal_commas_a_point_parts_thousands_and_nothing_else() {
        let mut marks = Marks::new(false, None);
        let mut read = |text: &str| marks.read(text, 2).unwrap();
        assert_eq!(read("1.234"), Ok(Figure::Either(kwh("1.234"), Mark::Point)));
        assert_eq!(read("987,25"), Ok(Figure::Energy(kwh("987.25"))));
        assert_eq!(read("1.234"), Ok(Figure::Energy(kwh("1234"))));
        assert_eq!(read("1.234,5"), Ok(Figure::Energy(kwh("1234.5"))));
        assert_eq!(
            read("12.5"),
            Err("\"12.5\" may be 12.5 or 125: this file's decimal mark is the comma (line 2 has one)".into())
        );
        assert!(marks.finish().is_ok());
    }

    #[test]
    fn without_a_figure_that_tells_the_file_is_refused_with_both_readings_unless_a_person_says() {
        let mut marks = Marks::new(false, None);
        assert!(matches!(marks.read("12,345", 3).unwrap(), Ok(Figure::Either(..))));
        let told = marks.finish().unwrap_err().to_string();
        assert!(told.starts_with("3:1: \"12,345\" may be 12.345 or 12345 kWh"), "{told}");
        let mut said = Marks::new(false, Some(Mark::Comma));
        assert_eq!(said.read("12,345", 3).unwrap(), Ok(Figure::Energy(kwh("12.345"))));
    }

    #[test]
    fn between_commas_a_point_is_decimal_until_a_quoted_comma_says_otherwise() {
        let mut marks = Marks::new(true, None);
        assert_eq!(marks.read("4.000", 2).unwrap(), Ok(Figure::Energy(kwh("4"))));
        assert_eq!(marks.read("1,234.5", 3).unwrap(), Ok(Figure::Energy(kwh("1234.5"))));
        assert_eq!(marks.read("1,234", 4).unwrap(), Ok(Figure::Energy(kwh("1234"))));
        let mut marks = Marks::new(true, None);
        assert!(marks.read("4.000", 2).unwrap().is_ok());
        let told = marks.read("0,5", 3).unwrap_err().to_string();
        assert!(told.contains("\"4.000\" may be 4.000 or 4000 kWh: line 3 has a decimal comma"), "{told}");
    }
}
