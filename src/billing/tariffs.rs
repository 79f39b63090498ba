//! Which version of which tariff holds on which day for a customer.

use chrono::NaiveDate;
use diesel::QueryResult;

use super::digest::hash;
use super::load::{AgreementRow, VersionRow};
use crate::parties::clients::Client;
use crate::rating::CompiledTariff;
use crate::tariff_document::TariffDocument;
use crate::tariffs::as_billed;
use crate::values::ids::TariffRateId;
use crate::values::period::Period;

/// A version made ready, or why it cannot be used.
pub(super) struct Version {
    pub id: TariffRateId,
    pub name: String,
    pub code: String,
    from: NaiveDate,
    to: Option<NaiveDate>,
    pub compiled: Result<CompiledTariff, String>,
    /// Of everything that prices come from: this version, and what the client adds to it.
    pub hash: String,
}

/// The versions of a client that hold on some day of a period.
pub(super) struct Tariffs(Vec<Version>);

impl Tariffs {
    /// Makes the versions ready. A tariff that names no tax bears the client's.
    ///
    /// # Errors
    /// When one has no fingerprint.
    pub fn new(rows: Vec<VersionRow>, client: &Client) -> QueryResult<Self> {
        let version = |row: VersionRow| {
            Ok(Version {
                hash: hash(&(&row, &client.currency, &client.tax_name, client.tax_rate))?,
                id: row.id,
                compiled: read(row.document).and_then(|document| compile(document, client)),
                name: row.name,
                code: row.code,
                from: row.effective_from,
                to: row.effective_to,
            })
        };
        Ok(Self(rows.into_iter().map(version).collect::<QueryResult<_>>()?))
    }

    /// The versions that hold during some days, each from its first day on.
    ///
    /// # Errors
    /// A sentence that names the first day without one.
    pub fn during(&self, agreements: &[&AgreementRow], days: Period) -> Result<Vec<(NaiveDate, &Version)>, String> {
        let mut found: Vec<(NaiveDate, &Version)> = vec![];
        for day in self.changes(agreements, days) {
            let agreement = agreements.iter().rev().find(|row| holds(row.valid_from, row.valid_to, day));
            let Some(agreement) = agreement else { return Err(format!("No tariff is agreed for {day}.")) };
            let code = &agreement.tariff_code;
            let Some(version) = self.on(code, day) else {
                return Err(format!("Tariff {code} has no active version on {day}."));
            };
            if found.last().is_none_or(|(_, last)| last.id != version.id) {
                found.push((day, version));
            }
        }
        Ok(found)
    }

    /// The version of a code on a day: of those that hold, the one that came into force last.
    fn on(&self, code: &str, day: NaiveDate) -> Option<&Version> {
        self.0.iter().rev().find(|version| version.code == code && holds(version.from, version.to, day))
    }

    /// The first day, and each on which an agreement or a version begins or ends.
    fn changes(&self, agreements: &[&AgreementRow], days: Period) -> Vec<NaiveDate> {
        let agreed = agreements.iter().flat_map(|row| [Some(row.valid_from), row.valid_to]);
        let versions = self.0.iter().flat_map(|version| [Some(version.from), version.to]);
        let inside = |day: &NaiveDate| days.contains(*day);
        let mut changes: Vec<NaiveDate> =
            agreed.chain(versions).flatten().filter(inside).chain([days.from()]).collect();
        changes.sort_unstable();
        changes.dedup();
        changes
    }
}

fn holds(from: NaiveDate, to: Option<NaiveDate>, day: NaiveDate) -> bool {
    from <= day && to.is_none_or(|to| day < to)
}

/// The versions made ready.
///
/// # Errors
/// A sentence that says why one cannot be used.
pub(super) fn compiled<'t>(
    versions: &[(NaiveDate, &'t Version)],
) -> Result<Vec<(NaiveDate, &'t CompiledTariff)>, String> {
    versions.iter().map(|(from, version)| Ok((*from, version.compiled.as_ref().map_err(Clone::clone)?))).collect()
}

fn read(document: serde_json::Value) -> Result<TariffDocument, String> {
    serde_json::from_value(document).map_err(|fault| format!("The tariff cannot be read: {fault}."))
}

/// Makes a document ready to rate a client's invoices; its tax is the client's where it names none.
pub(super) fn compile(document: TariffDocument, client: &Client) -> Result<CompiledTariff, String> {
    if document.currency != client.currency {
        return Err(format!("The tariff is in {}, invoices are in {}.", document.currency, client.currency));
    }
    CompiledTariff::new(&as_billed(document, client)).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        format!("The tariff has faults: {}.", faults.join("; "))
    })
}
