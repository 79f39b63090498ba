//! Why a service point is not made or changed.

use eis::parties::service_points::Violation;

use super::of_text;

/// The field at which a violation is told, and its words.
#[must_use]
pub fn words(violation: &Violation) -> (&'static str, String) {
    match violation {
        Violation::Address(fault) => ("address", of_text(*fault, "the service address")),
        Violation::SupplyPointId(fault) => ("supply_point_id", of_text(*fault, "the supply point id")),
        Violation::GridOperator(fault) => ("grid_operator", of_text(*fault, "the grid operator")),
        Violation::SupplyPointTaken => {
            ("supply_point_id", "Another service point has this supply point id. Look at it first.".to_owned())
        }
        Violation::Phases(_) => ("phases", "Choose one phase or three.".to_owned()),
        Violation::Fuse(_) => ("fuse_amps", "Enter whole amperes, above 0.".to_owned()),
        Violation::Direction(_) => ("direction", "Choose which way energy goes.".to_owned()),
        Violation::TimeZone(_) => ("time_zone", "Enter a time zone like America/New_York or Europe/Berlin.".to_owned()),
        Violation::ZoneInUse => {
            let text = "This stays as it is: contracts and meters here count their days in it.";
            ("time_zone", text.to_owned())
        }
    }
}
