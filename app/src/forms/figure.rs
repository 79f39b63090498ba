//! Figures in forms: amounts, prices, energy and per cent, read as the pages of the same locale write them.

use eis::values::figures::{self, Mark, OtherUnit, Unit, Unread};
use rust_decimal::Decimal;

use super::Reader;
use crate::format::Locale;

/// The figure that a field asks for.
#[derive(Debug, Clone, Copy)]
pub struct Figure<'a> {
    /// What it is, in a sentence: `the amount`.
    pub what: &'a str,
    /// What it is in; the same may stand beside it.
    pub unit: Unit<'a>,
    /// The least that is taken.
    pub least: Decimal,
    /// The most that is taken.
    pub most: Decimal,
    /// Decimals that are kept: more are refused, never rounded.
    pub places: u32,
}

impl Reader {
    /// A figure as the locale of the form's page writes it.
    pub fn figure(&mut self, field: &str, typed: &str, locale: Locale, asked: Figure<'_>) -> Option<Decimal> {
        read(typed, locale, asked).map_err(|fault| self.errors.add(field, fault)).ok()
    }
}

/// A figure, or the sentence that says what is wrong with it and what to write instead.
///
/// # Errors
/// The sentence.
pub fn read(typed: &str, locale: Locale, asked: Figure<'_>) -> Result<Decimal, String> {
    let (what, mark) = (asked.what, locale.mark());
    let spelled = |number: Decimal| figures::spelled(number.normalize(), mark);
    let bare = figures::without_unit(typed, asked.unit).map_err(|OtherUnit(other)| {
        let unit = asked.unit.name();
        format!("Enter {what} in {unit}: “{other}” is another unit.")
    })?;
    let number = figures::read(&bare, mark).map_err(|unread| match unread {
        Unread::TwoNumbers { one, other } => {
            let (typed, one, other) = (typed.trim(), spelled(one), spelled(other));
            format!("“{typed}” could be {one} or {other}. Enter {what} as the one that is meant.")
        }
        Unread::NotANumber => not_a_number(&bare, what, mark),
    })?;
    if number < asked.least || number > asked.most {
        return Err(format!("Enter {what} between {} and {}.", spelled(asked.least), spelled(asked.most)));
    }
    if number.normalize().scale() > asked.places {
        return Err(format!("Enter {what} with at most {} decimals.", in_words(asked.places)));
    }
    Ok(number)
}

/// A number of the other decimal mark is told as one, with its spelling here.
fn not_a_number(typed: &str, what: &str, mark: Mark) -> String {
    match figures::read(typed, mark.other()) {
        Ok(number) => {
            let names = if mark == Mark::Comma { ["point", "comma"] } else { ["comma", "point"] };
            let [there, here] = names;
            let meant = figures::spelled(number, mark);
            format!("“{typed}” has a {there} before its decimals; here it is a {here}. Enter {what} like {meant}.")
        }
        Err(_) => format!("Enter {what} as a number, like {}.", figures::spelled(Decimal::new(125, 1), mark)),
    }
}

fn in_words(places: u32) -> String {
    const WORDS: [&str; 7] = ["no", "one", "two", "three", "four", "five", "six"];
    let word = usize::try_from(places).ok().and_then(|places| WORDS.get(places));
    word.map_or_else(|| places.to_string(), |word| (*word).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format;

    const AMOUNT: Figure<'_> = Figure {
        what: "the amount",
        unit: Unit::Currency("EUR"),
        least: Decimal::from_parts(1_000_000_000, 0, 0, true, 2),
        most: Decimal::from_parts(1_000_000_000, 0, 0, false, 2),
        places: 6,
    };

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn a_german_figure_is_read_as_germans_write_it() {
        for (typed, number) in [
            ("1.500", "1500"),
            ("1.234,56", "1234.56"),
            ("1.234,56 €", "1234.56"),
            ("\u{2212}12,50\u{a0}€", "-12.5"),
            ("0,285", "0.285"),
            ("EUR 7", "7"),
        ] {
            assert_eq!(read(typed, Locale::DeDe, AMOUNT), Ok(dec(number)), "{typed}");
        }
    }

    #[test]
    fn a_figure_of_two_readings_is_refused_with_both_in_the_spelling_of_the_page() {
        let said = |typed, locale| read(typed, locale, AMOUNT).unwrap_err();
        assert!(said("1.5", Locale::DeDe).starts_with("“1.5” could be 1,5 or 15."));
        assert!(said("12.34 €", Locale::NlNl).starts_with("“12.34 €” could be 12,34 or 1234."));
        assert!(said("1,5", Locale::EnUs).starts_with("“1,5” could be 1.5 or 15."));
        assert!(said("0,285", Locale::EnGb).starts_with("“0,285” could be 0.285 or 285."));
        assert!(said("1.5", Locale::SvSe).starts_with("“1.5” could be 1,5 or 15."));
    }

    #[test]
    fn a_figure_of_another_world_or_unit_is_told_as_one() {
        let said = |typed, locale| read(typed, locale, AMOUNT).unwrap_err();
        assert_eq!(
            said("1,234.56", Locale::DeDe),
            "“1,234.56” has a point before its decimals; here it is a comma. Enter the amount like 1234,56."
        );
        assert!(said("1.234,56", Locale::EnUs).ends_with("Enter the amount like 1234.56."));
        assert_eq!(said("$12", Locale::EnUs), "Enter the amount in EUR: “$” is another unit.");
        assert_eq!(said("", Locale::FrFr), "Enter the amount as a number, like 12,5.");
        assert_eq!(said("much", Locale::EnUs), "Enter the amount as a number, like 12.5.");
        assert!(said("10000001", Locale::DeDe).contains("between -10000000 and 10000000"));
        assert!(said("0,0000001", Locale::DeDe).contains("at most six decimals"));
    }

    /// Mantissas and scales of all sizes that fields hold.
    fn figures_of_all_sizes() -> impl Iterator<Item = Decimal> {
        let sizes = (0..10_u32).flat_map(|power| {
            let ten = 10_i64.pow(power);
            [ten - 1, ten, ten + 1, 3 * ten + 7, 12_345 % ten + ten]
        });
        sizes.flat_map(|size| [size, -size]).flat_map(|size| (0..=6).map(move |scale| Decimal::new(size, scale)))
    }

    #[test]
    fn what_display_writes_is_read_back_in_every_locale() {
        let wide = Figure { least: Decimal::MIN, most: Decimal::MAX, ..AMOUNT };
        for locale in Locale::ALL {
            for value in figures_of_all_sizes() {
                let back = |text: &str, unit, value: Decimal| {
                    assert_eq!(read(text, locale, Figure { unit, ..wide }), Ok(value), "{text} {locale:?}");
                };
                let cents = value.round_dp(2);
                for currency in ["EUR", "USD", "GBP", "SEK", "CHF", "NOK"] {
                    back(&format::amount(cents, currency, locale), Unit::Currency(currency), cents);
                    back(&format::price_exact(value, currency, locale), Unit::Currency(currency), value);
                }
                back(&format::money(cents, locale), Unit::Currency("EUR"), cents);
                back(&format::field(value, locale), Unit::Currency("EUR"), value);
                let energy = value.round_dp(3);
                back(&format!("{} kWh", format::kwh(energy, locale)), Unit::Named("kWh"), energy);
                let share = value.round_dp(4) / Decimal::ONE_HUNDRED;
                back(&format::percent_exact(share, locale), Unit::Percent, share * Decimal::ONE_HUNDRED);
            }
        }
    }
}
