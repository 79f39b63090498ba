//! A what-if that somebody asked for: the next version of the stepped tariff, and time of use, over the last twelve months.

use chrono::{Months, NaiveDate};

use super::book::at;
use super::cast::Utility;
use super::seed::Seed;
use super::tariffs::codes;
use crate::billing::what_ifs::{self, Chosen, NewWhatIf};
use crate::db::AtClient;
use crate::db::DbError;
use crate::db::owner::Owner;
use crate::parties::clients::Client;
use crate::tariffs;
use crate::values::ids::WhatIfId;
use crate::values::period::Period;

/// Writes the what-if of a client, rated from the usage that is there.
pub async fn write(
    tx: &mut Owner,
    here: &AtClient,
    client: &Client,
    utility: &Utility,
    as_of: NaiveDate,
) -> Result<(), DbError> {
    let Some(last) = what_ifs::latest_month(tx, here).await? else { return Ok(()) };
    let first = last.from().checked_sub_months(Months::new(11)).unwrap_or(last.from());
    let months = Period::new(first, last.to()).unwrap_or(last);
    let mut candidates = vec![];
    for code in [codes(utility.land).steps, codes(utility.land).tou] {
        if let Some(latest) = tariffs::versions(tx.tenant(), code).await?.first()
            && let Some(version) = tariffs::find(tx.tenant(), latest.id).await?
        {
            candidates.push(version);
        }
    }
    let id = WhatIfId(Seed::named(&format!("{}/what-if", utility.slug)).id(at(as_of, 0)));
    let new = NewWhatIf { chosen: Chosen::All, months, candidates };
    what_ifs::at_once(tx, here, client, id, utility.admin.0, &new).await
}
