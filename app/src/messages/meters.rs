//! Why a meter is not installed or changed.

use eis::metering::meters::{Fixed, MOST_REGISTERS, NamesFault, Violation};
use eis::metering::registers;
use eis::metering::registers::REGISTER_NAME;

use crate::forms::days;

/// The field at which a violation is told, and its words.
#[must_use]
pub fn words(violation: &Violation) -> (&'static str, String) {
    match violation {
        Violation::TimeZone(_) => ("time_zone", "Enter a time zone like America/New_York or Europe/Berlin.".to_owned()),
        Violation::Registers(fault) => ("registers", names(fault)),
        Violation::FirstDay(unlikely) => ("valid_from", days::words(*unlikely)),
        Violation::LastDay(unlikely) => ("valid_to", days::words(*unlikely)),
        Violation::EndsBeforeItBegins => ("valid_to", "The end must lie after the first day in service.".to_owned()),
        Violation::NoPlace => ("contract", "Choose where the meter is.".to_owned()),
        Violation::Overlaps(from, to) => {
            let until = to.map(|to| format!(" until {to}")).unwrap_or_default();
            let text = format!(
                "There is a meter with this serial and direction in service from {from}{until}. End that one first, or choose other days, or name other registers of it."
            );
            ("serial", text)
        }
        Violation::TakenMeanwhile => {
            let text = "A meter with this serial and direction was put in service on these days just now. Look at it first: end that one, or choose other days.";
            ("serial", text.to_owned())
        }
        Violation::Measured(what) => {
            let stays = "This stays as it is: the meter has usage. Remove the meter and add another one instead.";
            (fixed(*what), stays.to_owned())
        }
        Violation::UsageFrom(first) => ("valid_from", format!("The meter has usage from {first} on.")),
        Violation::Read(violation) => of_register(violation),
        Violation::UsageUntil(last) => ("valid_to", format!("The meter has usage until {last}: choose a later day.")),
    }
}

/// The same of the registers that are read.
#[must_use]
pub fn of_register(violation: &registers::Violation) -> (&'static str, String) {
    use registers::Violation;
    let text = match violation {
        Violation::OfIntervals => "A meter that measures in intervals has no registers that are read.".to_owned(),
        Violation::NoEnergy => "At least one register counts kWh.".to_owned(),
        Violation::TooMany => format!("A meter has at most {} registers.", registers::MOST),
        Violation::NoName(name) => {
            format!("The name of a register has at most {REGISTER_NAME} characters: {name:?} is none.")
        }
        Violation::Twice(name) if name.is_empty() => "Two registers of a kind have no name: give each one.".to_owned(),
        Violation::Twice(name) => format!("The register {name} is there twice."),
        Violation::Unnamed => "Where several registers count kWh, each has a name, as the tariff knows it.".to_owned(),
        Violation::Digits(..) => {
            let (digits, decimals) = (registers::MOST_DIGITS, registers::MOST_DECIMALS);
            format!("A register shows 1 to {digits} whole digits and at most {decimals} decimals.")
        }
        Violation::Multiplier(_) => {
            format!(
                "A multiplier lies above 0 and is at most {}, with at most six decimals.",
                registers::MOST_MULTIPLIER
            )
        }
        Violation::Read => {
            "The registers stay as they are: the meter was read. Remove the meter and add another one instead."
                .to_owned()
        }
    };
    ("read_registers", text)
}

fn names(fault: &NamesFault) -> String {
    match fault {
        NamesFault::TooMany => format!("A meter has at most {MOST_REGISTERS} registers."),
        NamesFault::NoName(name) => {
            format!("The name of a register has at most {REGISTER_NAME} characters: {name:?} is none.")
        }
        NamesFault::Twice(name) => format!("The register {name} is there twice."),
    }
}

const fn fixed(what: Fixed) -> &'static str {
    match what {
        Fixed::Direction => "direction",
        Fixed::Interval => "measure",
        Fixed::TimeZone => "time_zone",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_names_of_registers_is_told_with_the_name() {
        let told = |fault| words(&Violation::Registers(fault));
        let twice = told(NamesFault::Twice("e1".to_owned()));
        assert_eq!(twice, ("registers", "The register e1 is there twice.".to_owned()));
        assert!(told(NamesFault::NoName("x".repeat(21))).1.contains("at most 20 characters"));
        assert!(told(NamesFault::TooMany).1.contains("at most 20 registers"));
        let told = |violation| words(&Violation::Read(violation));
        assert!(told(registers::Violation::Twice(String::new())).1.starts_with("Two registers of a kind"));
        assert!(told(registers::Violation::Digits(0, 0)).1.starts_with("A register shows 1 to 9 whole digits"));
    }
}
