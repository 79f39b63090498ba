//! Pages of a customer: what is owed and why, bills, usage.

pub mod home;
pub mod invoices;
pub mod usage;

use chrono::{NaiveDate, Utc};
use chrono_tz::Tz;
use eis::access::{Actor, Permission};
use eis::account::Key;
use eis::clients::{self, Client};
use eis::db::Tenant;
use rust_decimal::Decimal;

use super::frame::Place;
use crate::components::Crumb;
use crate::format::{self, Locale};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;

/// One's own account: who asks, which account, and the client that bills it.
#[derive(Debug)]
pub struct AtAccount {
    /// Who asks.
    pub actor: Actor,
    /// The account.
    pub key: Key,
    /// The client.
    pub client: Client,
}

impl AtAccount {
    /// Guards a page of one's own account and opens its READ ONLY transaction.
    ///
    /// # Errors
    /// `Forbidden` for every role but the customer's.
    pub async fn open(ctx: &Ctx) -> Result<(Self, Tenant), AppError> {
        let actor = ctx.require(Permission::ViewAccount)?;
        let (client, organization) = actor.tenant()?;
        let customer = actor.customer.ok_or(AppError::Forbidden)?;
        let mut tx = ctx.read(&actor).await?;
        let row = clients::find(&mut tx, client).await?.ok_or(AppError::Forbidden)?;
        Ok((Self { actor, key: Key { organization, client, customer }, client: row }, tx))
    }

    /// How this client writes numbers and dates.
    #[must_use]
    pub fn locale(&self) -> Locale {
        Locale::from(self.client.locale.as_str())
    }

    /// Today on the client's clock.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        let zone: Tz = self.client.time_zone.parse().unwrap_or(Tz::UTC);
        Utc::now().with_timezone(&zone).date_naive()
    }

    /// An amount with the client's currency.
    #[must_use]
    pub fn amount(&self, value: Decimal) -> String {
        format::amount(value, &self.client.currency, self.locale())
    }

    /// The place for the frame.
    #[must_use]
    pub fn place(&self, crumbs: Vec<Crumb>) -> Place {
        Place { client: None, client_name: self.client.name.clone(), crumbs }
    }
}
