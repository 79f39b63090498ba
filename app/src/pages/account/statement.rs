//! The customer's account statement: every bill and payment with the balance after it.

use axum::response::{IntoResponse, Response};
use eis::receivables::ledger;
use eis::receivables::owed;
use leptos::prelude::*;

use super::AtAccount;
use crate::components::PageHeader;
use crate::pages::admin::ledger::{StatementQuery, place};
use crate::pages::frame::page as framed;
use crate::pages::ledger_view::{self, STATEMENT_ROWS, Statement};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::query::Query;

/// Its address.
pub const PATH: &str = "/account/statement";

/// `GET /account/statement`
pub async fn page(ctx: Ctx, Query(query): Query<StatementQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtAccount::open(&ctx).await?;
    let (owed, rows) = tokio::try_join!(
        owed::owed(&tx, at.customer.id, at.today()),
        ledger::statement(&tx, at.customer.id, place(&query.after), STATEMENT_ROWS + 1),
    )?;
    drop(tx);
    let (locale, currency) = (at.locale(), at.client.currency.clone());
    let balance = ledger_view::balance(owed.amount, &currency, locale);
    let shown = Statement {
        rows,
        path: PATH.to_owned(),
        invoices: "/account/invoices".to_owned(),
        turned: !query.after.is_empty(),
        currency,
        locale,
    };
    let actor = at.actor.clone();
    let html =
        framed(&ctx, &actor, at.place(&[("Home", "/account")], "Account statement"), "Account statement", move || {
            view! {
                <PageHeader title="Account statement" subtitle=balance/>
                {ledger_view::statement(shown)}
            }
        })
        .await;
    Ok(html.into_response())
}
