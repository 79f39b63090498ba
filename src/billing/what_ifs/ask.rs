//! Asking for a what-if, and deleting one. Both are on record.

use diesel::sql_query;
use diesel::sql_types::Uuid as SqlUuid;
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::{
    ACCOUNTS, CANDIDATES, Chosen, KIND, MONTHS, NewWhatIf, WhatIf, candidate, customers, find, insert, lock, may_ask,
    unknown_accounts,
};
use crate::audit::{self, Entry};
use crate::db::AtClient;
use crate::db::refused::Refused;
use crate::db::{DbError, Tenant};
use crate::jobs;
use crate::parties::clients;
use crate::tariffs::{self, Tariff};
use crate::values::ids::{TariffRateId, WhatIfId};
use crate::values::period::Period;

/// What is wrong with a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhatIfViolation {
    /// [`WAITING`](super::WAITING) wait or run already.
    TooManyWaiting,
    /// No version to try.
    NoCandidate,
    /// More than [`CANDIDATES`] versions.
    TooManyCandidates,
    /// The version at this place is chosen before already.
    Twice(usize),
    /// The version at this place cannot be rated; the sentence names its faults.
    Candidate(usize, String),
    /// More than [`MONTHS`] months.
    TooManyMonths,
    /// No account numbers.
    NoAccounts,
    /// More than [`ACCOUNTS`] account numbers.
    TooManyAccounts,
    /// The client has no customer for these account numbers.
    UnknownAccounts(Vec<String>),
    /// Nobody of those chosen was supplied in the months.
    NoCustomers,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The versions to try, one to [`CANDIDATES`].
    pub candidates: Vec<TariffRateId>,
    /// Over which customers.
    pub chosen: Chosen,
    /// Over which whole months, at most [`MONTHS`].
    pub months: Period,
}

impl Asking {
    /// What is wrong with it by itself.
    fn violations(&self) -> Vec<WhatIfViolation> {
        use WhatIfViolation as V;
        let mut found = vec![];
        if self.candidates.is_empty() {
            found.push(V::NoCandidate);
        }
        if self.candidates.len() > CANDIDATES {
            found.push(V::TooManyCandidates);
        }
        let twice = |at: &usize| self.candidates.iter().take(*at).any(|other| *other == self.candidates[*at]);
        found.extend((0..self.candidates.len()).filter(twice).map(V::Twice));
        if self.months.months().count() > MONTHS {
            found.push(V::TooManyMonths);
        }
        if let Chosen::Accounts(accounts) = &self.chosen {
            if accounts.is_empty() {
                found.push(V::NoAccounts);
            } else if accounts.len() > ACCOUNTS {
                found.push(V::TooManyAccounts);
            }
        }
        found
    }

    /// The versions, each such that rating takes it; those that it does not take are told.
    async fn versions(
        &self,
        tx: &mut Tenant,
        found: &mut Vec<WhatIfViolation>,
    ) -> Result<Vec<Tariff>, Refused<WhatIfViolation>> {
        let owner = clients::current(tx).await?;
        let mut versions = vec![];
        for (at, id) in self.candidates.iter().enumerate() {
            let version = tariffs::find(tx, *id).await?.ok_or(Refused::NotFound)?;
            if let Err(fault) = candidate(&version.code, &version.document, &owner) {
                found.push(WhatIfViolation::Candidate(at, fault));
            }
            versions.push(version);
        }
        Ok(versions)
    }
}

/// Asks for a what-if: it is queued to be worked through as whoever asks.
///
/// # Errors
/// All that is wrong with the question; `NotFound` for a version that the context does not see; when the context does not
/// write or the database fails.
pub async fn create(tx: &mut Tenant, asking: Asking) -> Result<WhatIfId, Refused<WhatIfViolation>> {
    Refused::unless(asking.violations(), ())?;
    let here = AtClient::at(tx)?;
    let mut found = vec![];
    if !may_ask(tx, &here).await? {
        found.push(WhatIfViolation::TooManyWaiting);
    }
    let candidates = asking.versions(tx, &mut found).await?;
    if let Chosen::Accounts(accounts) = &asking.chosen {
        let unknown = unknown_accounts(tx, &here, accounts).await?;
        if !unknown.is_empty() {
            found.push(WhatIfViolation::UnknownAccounts(unknown));
        }
    }
    let customers = customers(tx, &here, &asking.chosen, asking.months).await?.len();
    if customers == 0 && found.is_empty() {
        found.push(WhatIfViolation::NoCustomers);
    }
    Refused::unless(found, ())?;
    let new = NewWhatIf { chosen: asking.chosen, months: asking.months, candidates };
    let author = tx.author()?.clone();
    let id = WhatIfId::fresh();
    let job = jobs::queue_by(tx, author.secret.ok_or(DbError::Refused)?, KIND, &json!({ "what_if": id })).await?;
    insert(tx, &here, id, Some(job), &author.name, &new).await?;
    let tried = new.faces().iter().map(super::CandidateSummary::label).collect::<Vec<_>>().join(", ");
    let details = audit::created(json!({
        "tariffs": tried, "customers": customers, "from": new.months.from(), "last_day": new.months.last(),
    }));
    let summary = format!("Asked what {customers} customers would have paid under {tried}");
    audit::note(tx, entry("create", id, summary, details)).await?;
    Ok(id)
}

/// Deletes a what-if with its results; gives it as it was. One that runs stops.
///
/// # Errors
/// `NotFound`, or when the database fails.
pub async fn delete(tx: &mut Tenant, id: WhatIfId) -> Result<WhatIf, DbError> {
    let here = AtClient::at(tx)?;
    let gone = || DbError::Query(diesel::result::Error::NotFound);
    let was = find(tx, id).await?.ok_or_else(gone)?;
    if !lock(tx, &here, id).await? {
        return Err(gone());
    }
    let mut deleted = 0;
    for (table, key) in [("what_if_results", "what_if_id"), ("what_ifs", "id")] {
        let rows = sql_query(format!(
            "DELETE FROM public.{table} WHERE organization_id = $1 AND client_id = $2 AND {key} = $3"
        ))
        .bind::<SqlUuid, _>(here.organization)
        .bind::<SqlUuid, _>(here.client)
        .bind::<SqlUuid, _>(id)
        .execute(&mut **tx)
        .await?;
        deleted += rows;
    }
    // The last of them is the what-if itself.
    let results = deleted.saturating_sub(1);
    let tried = was.tried();
    let details = audit::removed(json!({
        "tariffs": tried, "from": was.months.from(), "last_day": was.months.last(), "status": was.status, "results": results,
    }));
    let summary = format!("Deleted the what-if of {tried} with {results} results");
    audit::note(tx, entry("delete", id, summary, details)).await?;
    Ok(was)
}

fn entry(action: &'static str, id: WhatIfId, summary: String, details: serde_json::Value) -> Entry<'static> {
    Entry { action, entity: "what_if", entity_id: Some(id.0), customer: None, summary, details }
}
