//! A walk over the organizations, one after the other: what follows from what, recomputed by one statement in each.

use diesel::sql_types::{BigInt, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use super::Finding;
use crate::db::DbError;
use crate::db::owner::Owner;
use crate::values::ids::OrganizationId;

/// What is looked for in each organization, and how it is told.
#[derive(Debug)]
pub(crate) struct Walk {
    /// What was checked.
    pub check: &'static str,
    /// The faults in the organization $1: the short name of their `client`, and the `fault` in words.
    pub faults: &'static str,
    /// How many `rows` were looked at in the organization of the context.
    pub count: &'static str,
    /// A sentence: what to do about a fault.
    pub mend: &'static str,
    /// What is so of the rows where there is no fault, after their number.
    pub fine: &'static str,
}

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = SqlUuid)]
    id: OrganizationId,
    #[diesel(sql_type = Text)]
    slug: String,
}

#[derive(QueryableByName)]
struct Fault {
    #[diesel(sql_type = Text)]
    client: String,
    #[diesel(sql_type = Text)]
    fault: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

impl Walk {
    /// Goes to every organization, as the owner under the system's context there.
    ///
    /// # Errors
    /// When the database cannot be reached or read.
    pub(crate) async fn run(&self, admin_url: &str) -> Result<Vec<Finding>, DbError> {
        let mut tx = Owner::begin(admin_url).await?;
        let places: Vec<Place> =
            sql_query("SELECT id, slug FROM public.organizations ORDER BY slug").load(&mut *tx).await?;
        let (mut findings, mut rows) = (vec![], 0);
        for Place { id, slug } in places {
            tx.stand_at(id).await?;
            let faults: Vec<Fault> = sql_query(self.faults).bind::<SqlUuid, _>(id).load(&mut *tx).await?;
            findings.extend(faults.into_iter().map(|fault| self.told(&slug, &fault)));
            rows += sql_query(self.count).get_result::<Count>(&mut *tx).await?.rows;
        }
        if findings.is_empty() {
            findings.push(Finding::fine(self.check, format!("{rows} {}", self.fine)));
        }
        Ok(findings)
    }

    fn told(&self, slug: &str, Fault { client, fault }: &Fault) -> Finding {
        Finding::fault(self.check, format!("Client {client} of {slug}: {fault}. {}", self.mend))
    }
}
