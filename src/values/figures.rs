//! Figures as people and their programs write them: with marks between thousands, a decimal comma, a typographer's
//! minus. The decimal mark is known, a locale's or a file's; what it does not settle is refused with both readings.
//! Documents, whose figures have one spelling only, go through [`crate::values::plain`] instead.

use std::borrow::Cow;

use rust_decimal::Decimal;

/// The decimal mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// `1,234.50`
    Point,
    /// `1.234,50`
    Comma,
}

impl Mark {
    /// The character that it is.
    #[must_use]
    pub const fn sign(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }

    /// The mark that is not the decimal mark here, but one between thousands.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Point => Self::Comma,
            Self::Comma => Self::Point,
        }
    }
}

/// Why a text is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// It is no number, or one that a decimal cannot hold to its last digit.
    NotANumber,
    /// It may be either of two: its only mark is the one between thousands, and does not stand between thousands.
    TwoNumbers {
        /// With the mark as the decimal mark of others.
        one: Decimal,
        /// With the mark left out.
        other: Decimal,
    },
}

/// What else than spaces stands between groups of three digits.
const GROUPS: [char; 6] = [' ', '\u{a0}', '\u{202f}', '\u{2009}', '\'', '\u{2019}'];
/// A minus: the hyphen of keyboards, and the sign that the pages write.
const MINUS: [char; 2] = ['-', '\u{2212}'];
/// Digits that always fit an `i64`.
const QUICK: usize = 18;

/// The number that a text is, written with this decimal mark.
///
/// Space around it and a sign before it are taken. Groups of three digits may stand apart by one mark, the same
/// throughout: the mark that is not the decimal one, a space or an apostrophe; a first group has one to three digits
/// and does not begin with a zero. The decimal mark stands once at most, and no groups after it.
///
/// # Errors
/// [`Unread::TwoNumbers`] where the other mark stands alone and not before three digits, as in `1.5`, `12.34` or
/// `0.285` of decimal commas; [`Unread::NotANumber`] for anything else that is not such a number: exponents,
/// underscores, letters, digits of other scripts, more digits than a decimal holds.
pub fn read(text: &str, mark: Mark) -> Result<Decimal, Unread> {
    if let Some(number) = quick(text, mark) {
        return Ok(number);
    }
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix(MINUS) {
        Some(digits) => (true, digits.trim_start()),
        None => (false, text.strip_prefix('+').map_or(text, str::trim_start)),
    };
    let signed = |mut number: Decimal| {
        number.set_sign_negative(negative && !number.is_zero());
        number
    };
    match unsigned(digits, mark) {
        Ok(number) => Ok(signed(number)),
        Err(Unread::NotANumber) => Err(Unread::NotANumber),
        Err(Unread::TwoNumbers { one, other }) => Err(Unread::TwoNumbers { one: signed(one), other: signed(other) }),
    }
}

/// ASCII digits with at most one decimal mark and a hyphen, as almost every value of a file is written: read in one
/// pass. `None` says nothing about the text but that it is longer or written otherwise.
fn quick(text: &str, mark: Mark) -> Option<Decimal> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits.len() > QUICK {
        return None;
    }
    let point = if mark == Mark::Point { b'.' } else { b',' };
    let (mut number, mut scale, mut seen, mut any) = (0_i64, 0_u32, false, false);
    for byte in digits.bytes() {
        if byte.is_ascii_digit() {
            number = number * 10 + i64::from(byte - b'0');
            scale += u32::from(seen);
            any = true;
        } else if byte == point && !seen {
            seen = true;
        } else {
            return None;
        }
    }
    any.then(|| Decimal::new(if negative { -number } else { number }, scale))
}

fn unsigned(text: &str, mark: Mark) -> Result<Decimal, Unread> {
    let (whole, part) = text.split_once(mark.sign()).unwrap_or((text, ""));
    if let Some(whole) = without_groups(whole, mark)
        && is_digits(part)
    {
        return exact(&whole, part).ok_or(Unread::NotANumber);
    }
    match text.split_once(mark.other().sign()) {
        Some((before, after)) if is_digits(before) && is_digits(after) => two(before, after),
        _ => Err(Unread::NotANumber),
    }
}

/// Both readings of a text with one mark; the number where they are the same, as in `0.00`.
fn two(before: &str, after: &str) -> Result<Decimal, Unread> {
    let one = exact(before, after).ok_or(Unread::NotANumber)?;
    let other = exact(&format!("{before}{after}"), "").ok_or(Unread::NotANumber)?;
    if one == other { Ok(one) } else { Err(Unread::TwoNumbers { one, other }) }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The number of digits before and after the decimal mark, to the last of them.
fn exact(whole: &str, part: &str) -> Option<Decimal> {
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let text = if part.is_empty() { whole.to_owned() } else { format!("0{whole}.{part}") };
    Decimal::from_str_exact(&text).ok()
}

/// Whole digits without the marks between their groups; `None` where these do not part thousands.
fn without_groups(whole: &str, mark: Mark) -> Option<Cow<'_, str>> {
    let Some(group) = whole.chars().find(|c| !c.is_ascii_digit()) else { return Some(Cow::Borrowed(whole)) };
    if group != mark.other().sign() && !GROUPS.contains(&group) {
        return None;
    }
    let mut parts = whole.split(group);
    let first = parts.next()?;
    let leads = (1..=3).contains(&first.len()) && is_digits(first) && !first.starts_with('0');
    let fine = leads && parts.all(|part| part.len() == 3 && is_digits(part));
    fine.then(|| Cow::Owned(whole.replace(group, "")))
}

/// A number written with this decimal mark and without groups, as a sentence names a reading and a field is filled.
#[must_use]
pub fn spelled(number: Decimal, mark: Mark) -> String {
    let plain = number.normalize().to_string();
    if mark == Mark::Comma { plain.replace('.', ",") } else { plain }
}

/// What the figures of a field are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit<'a> {
    /// Money, by the code of its currency.
    Currency(&'a str),
    /// Per cent.
    Percent,
    /// A unit with one spelling: `kWh`.
    Named(&'a str),
}

impl Unit<'_> {
    /// How a sentence names it.
    #[must_use]
    pub const fn name(&self) -> &str {
        match self {
            Self::Currency(name) | Self::Named(name) => name,
            Self::Percent => "per cent",
        }
    }

    /// Whether a text beside a figure names this unit.
    fn is(self, text: &str) -> bool {
        match self {
            Self::Currency(code) => text.eq_ignore_ascii_case(code) || sign_of(code) == Some(text),
            Self::Percent => text == "%",
            Self::Named(name) => text.eq_ignore_ascii_case(name),
        }
    }
}

/// The sign that is written for a currency.
#[must_use]
pub fn sign_of(currency: &str) -> Option<&'static str> {
    match currency {
        "USD" => Some("$"),
        "EUR" => Some("€"),
        "GBP" => Some("£"),
        "SEK" => Some("kr"),
        _ => None,
    }
}

/// A figure stands in another unit than its field; holds what is written beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherUnit(pub String);

/// A figure without the unit that display writes before or after it: `$1,234.50`, `−142,10 kr`, `€ −12,00`, `12,5 %`.
/// A text without any, or that is no figure at all, comes back as it is.
///
/// # Errors
/// Where another unit stands beside the figure, so that it is never taken for this one.
pub fn without_unit<'t>(text: &'t str, unit: Unit<'_>) -> Result<Cow<'t, str>, OtherUnit> {
    let text = text.trim();
    let (sign, rest) = match text.chars().next().filter(|c| *c == '+' || MINUS.contains(c)) {
        Some(sign) => text.split_at(sign.len_utf8()),
        None => ("", text),
    };
    let begins = |c: char| c.is_ascii_digit() || ".,+".contains(c) || MINUS.contains(&c);
    let ends = |c: char| c.is_ascii_digit() || ".,".contains(c);
    let Some((from, to)) = rest.find(begins).zip(rest.rfind(ends).map(|at| at + 1)).filter(|(from, to)| from < to)
    else {
        return Ok(Cow::Borrowed(text));
    };
    let beside = [rest.get(..from), rest.get(to..)].map(|side| side.unwrap_or_default().trim());
    let named = match beside {
        ["", ""] => return Ok(Cow::Borrowed(text)),
        ["", named] | [named, ""] if names_a_unit(named) => named,
        _ => return Ok(Cow::Borrowed(text)),
    };
    if !unit.is(named) {
        return Err(OtherUnit(named.to_owned()));
    }
    Ok(Cow::Owned(format!("{sign}{}", rest.get(from..to).unwrap_or_default())))
}

/// Whether a text beside a figure may be a unit: letters or a sign, and no digits of any script.
fn names_a_unit(text: &str) -> bool {
    !text.chars().any(char::is_numeric) && text.chars().any(|c| c.is_alphabetic() || "$€£¥¢₹%‰".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn is(text: &str, mark: Mark, number: &str) {
        assert_eq!(read(text, mark), Ok(dec(number)), "{text:?} {mark:?}");
    }

    fn may_be(text: &str, mark: Mark, one: &str, other: &str) {
        assert_eq!(read(text, mark), Err(Unread::TwoNumbers { one: dec(one), other: dec(other) }), "{text:?} {mark:?}");
    }

    #[test]
    fn groups_of_thousands_are_taken_by_the_marks_of_their_locale() {
        is("1.500", Mark::Comma, "1500");
        is("1.234,56", Mark::Comma, "1234.56");
        is("-12.345.678,9", Mark::Comma, "-12345678.9");
        is("1,500", Mark::Point, "1500");
        is("1,234,567.5", Mark::Point, "1234567.5");
        for group in GROUPS {
            is(&format!("1{group}234,50"), Mark::Comma, "1234.5");
            is(&format!("12{group}345{group}678.25"), Mark::Point, "12345678.25");
        }
        is("1500,250", Mark::Comma, "1500.25");
        is("0,285", Mark::Comma, "0.285");
        is("1,500", Mark::Comma, "1.5");
        is("1.500", Mark::Point, "1.5");
    }

    #[test]
    fn space_around_and_every_minus_are_taken() {
        is(" 12 ", Mark::Point, "12");
        is("\u{a0}12,5\u{202f}", Mark::Comma, "12.5");
        is("\u{2212}1.234,50", Mark::Comma, "-1234.5");
        is("- 5", Mark::Point, "-5");
        is("+5", Mark::Point, "5");
        is(",5", Mark::Comma, "0.5");
        is("7.", Mark::Point, "7");
        is("-0", Mark::Point, "0");
        is("007", Mark::Comma, "7");
    }

    #[test]
    fn what_could_be_two_numbers_is_refused_with_both() {
        may_be("1.5", Mark::Comma, "1.5", "15");
        may_be("12.34", Mark::Comma, "12.34", "1234");
        may_be("0.285", Mark::Comma, "0.285", "285");
        may_be("-1500.250", Mark::Comma, "-1500.25", "-1500250");
        may_be("1,50", Mark::Point, "1.5", "150");
        may_be("\u{2212}1,5", Mark::Point, "-1.5", "-15");
        may_be("1,2345", Mark::Point, "1.2345", "12345");
        may_be(",25", Mark::Point, "0.25", "25");
        // Nothing to choose between.
        is("0.00", Mark::Comma, "0");
        is("7,", Mark::Point, "7");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let strange = [
            "",
            " ",
            "-",
            ".",
            ",",
            "--1",
            "+-1",
            "1-",
            "1e3",
            "1E-2",
            "1_000",
            "_1",
            "0x1",
            "NaN",
            "\u{661}",
            "５",
            "1..2",
            "1,,2",
            "1.2.3",
            "1,2,3",
            "1,00,000",
            "12 34",
            "1 5",
            "1'5",
            "0 500",
            "0,123,456",
            "1234,567,890",
            "1 234'567",
            "1,234 567",
            "1  234",
            "1\u{200b}234",
            "(5)",
            "1,234.567,8",
            "1 234 56",
            "99999999999999999999999999999999",
            "0.12345678901234567890123456789012345",
        ];
        for text in strange {
            for mark in [Mark::Point, Mark::Comma] {
                assert_eq!(read(text, mark), Err(Unread::NotANumber), "{text:?} {mark:?}");
            }
        }
        assert_eq!(read("1.234,56", Mark::Point), Err(Unread::NotANumber));
        assert_eq!(read("1,234.56", Mark::Comma), Err(Unread::NotANumber));
    }

    #[test]
    fn a_long_number_keeps_its_last_digit() {
        is("1234567890123456789.123456789", Mark::Point, "1234567890123456789.123456789");
        is("79.228.162.514.264.337.593.543.950.335", Mark::Comma, "79228162514264337593543950335");
        is("0,1234567890123456789012345678", Mark::Comma, "0.1234567890123456789012345678");
        assert_eq!(read("1.50", Mark::Point).map(|number| number.scale()), Ok(2));
    }

    #[test]
    fn the_unit_that_display_writes_is_taken_with_its_figure() {
        let taken = |text, unit| without_unit(text, unit).map(Cow::into_owned);
        for (text, currency, figure) in [
            ("$1,234.50", "USD", "1,234.50"),
            ("\u{2212}$142.10", "USD", "\u{2212}142.10"),
            ("1.234,56\u{a0}€", "EUR", "1.234,56"),
            ("€\u{a0}\u{2212}142,10", "EUR", "\u{2212}142,10"),
            ("142,10 kr", "SEK", "142,10"),
            ("EUR 12,00", "EUR", "12,00"),
            ("\u{2212}CHF\u{a0}142.10", "CHF", "\u{2212}142.10"),
            (" 12,00 ", "EUR", "12,00"),
            ("much", "EUR", "much"),
            ("1e3", "EUR", "1e3"),
            ("12５", "EUR", "12５"),
        ] {
            assert_eq!(taken(text, Unit::Currency(currency)).as_deref(), Ok(figure), "{text}");
        }
        assert_eq!(taken("12,5\u{a0}%", Unit::Percent).as_deref(), Ok("12,5"));
        assert_eq!(taken("1,298.640 kWh", Unit::Named("kWh")).as_deref(), Ok("1,298.640"));
    }

    #[test]
    fn another_unit_is_refused_by_its_name() {
        let refused = |text, unit| without_unit(text, unit).unwrap_err().0;
        assert_eq!(refused("$12.00", Unit::Currency("EUR")), "$");
        assert_eq!(refused("12,00 kr", Unit::Currency("NOK")), "kr");
        assert_eq!(refused("12 USD", Unit::Currency("EUR")), "USD");
        assert_eq!(refused("12 %", Unit::Currency("EUR")), "%");
        assert_eq!(refused("5 MWh", Unit::Named("kWh")), "MWh");
        assert_eq!(refused("5 ‰", Unit::Percent), "‰");
    }
}
