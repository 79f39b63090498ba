//! Pages of a customer: what is owed and why, bills, usage.

pub mod home;
pub mod invoices;
pub mod price;
pub mod statement;
pub mod usage;

use chrono::NaiveDate;
use eis::access::ClientSummary;
use eis::access::{Actor, Permission};
use eis::db::Tenant;
use eis::parties::customers::{self, Customer};
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
    /// The client.
    pub client: ClientSummary,
    /// The customer.
    pub customer: Customer,
}

impl AtAccount {
    /// Guards a page of one's own account and opens its READ ONLY transaction.
    ///
    /// # Errors
    /// `Forbidden` for every role but the customer's.
    pub async fn open(ctx: &Ctx) -> Result<(Self, Tenant), AppError> {
        let actor = ctx.require(Permission::ViewAccount)?;
        let tx = ctx.read(&actor).await?;
        Ok((Self::load(actor, &tx).await?, tx))
    }

    /// The account of an actor.
    ///
    /// # Errors
    /// `Forbidden` for an actor without one.
    pub async fn load(actor: Actor, tx: &Tenant) -> Result<Self, AppError> {
        let id = actor.customer.ok_or(AppError::Forbidden)?;
        let client = actor.client_summary.clone().ok_or(AppError::Forbidden)?;
        let customer = customers::find(tx, id).await?.ok_or(AppError::Forbidden)?;
        Ok(Self { actor, client, customer })
    }

    /// How this client writes numbers and dates.
    #[must_use]
    pub fn locale(&self) -> Locale {
        Locale::from(self.client.locale.as_str())
    }

    /// Today where the client is.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.client.today()
    }

    /// An amount with the client's currency.
    #[must_use]
    pub fn amount(&self, value: Decimal) -> String {
        format::amount(value, &self.client.currency, self.locale())
    }

    /// The place for the frame; crumbs as (label, address), and this page.
    #[must_use]
    pub fn place(&self, crumbs: &[(&str, &str)], this: &str) -> Place {
        let mut trail: Vec<Crumb> = crumbs.iter().map(|(label, href)| Crumb::new(*label, *href)).collect();
        if !crumbs.is_empty() {
            trail.push(Crumb::new(this, ""));
        }
        Place { client: None, client_name: self.client.name.clone(), locale: self.locale(), crumbs: trail }
    }
}
