//! What a session knows of the client that its user belongs to.

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::values::clock;
use crate::values::ids::ClientId;

/// What every page of a client's knows of it. For those who belong to one client it comes with their session.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ClientSummary {
    /// Its id.
    pub id: ClientId,
    /// Its short name in addresses and files.
    pub slug: String,
    /// Its brand, as customers know it.
    pub name: String,
    /// ISO 4217.
    pub currency: String,
    /// IANA.
    pub time_zone: String,
    /// BCP 47.
    pub locale: String,
    /// The zone of `time_zone`.
    pub zone: Tz,
}

impl ClientSummary {
    /// The zone whose days and midnights count here.
    #[must_use]
    pub const fn zone(&self) -> Tz {
        self.zone
    }

    /// Today where the client is.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        clock::today(self.zone)
    }
}
