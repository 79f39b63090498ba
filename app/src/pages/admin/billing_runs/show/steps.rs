//! The steps of a run as server functions.

use eis::access::{Actor, Permission};
use eis::billing::{self, AT_ONCE, BillingRun, Issued, log};
use eis::db::{Access, Tenant};
use eis::parties::clients::{self, Client};
use eis::values::ids::BillingRunId;
use leptos::prelude::*;

use super::run_name;
use crate::format::{Locale, many};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client};

fn id_of(run: &str) -> Result<BillingRunId, AppError> {
    run.parse().map_err(|_| AppError::NotFound)
}

/// The address of a run.
fn address(actor: &Actor, run: BillingRunId) -> Result<String, AppError> {
    let (client, _) = actor.tenant()?;
    Ok(format!("/clients/{client}/billing-runs/{run}"))
}

/// Commits, and goes back to the run.
async fn finish(
    ctx: &Ctx,
    tx: Tenant,
    actor: &Actor,
    run: BillingRunId,
    say: impl Into<String>,
) -> Result<Done, AppError> {
    Done::to(address(actor, run)?).saying(say).commit(ctx, tx).await
}

/// Rates a run.
#[server(prefix = "/api", endpoint = "rate_billing_run")]
pub(crate) async fn rate_billing_run(client: String, run: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::RunBilling, &client)?;
        let id = id_of(&run)?;
        let mut tx = ctx.write(&actor).await?;
        let rated = billing::rate(&mut tx, id).await?;
        let say = log::rated(&rated, &clients::current(&tx).await?);
        finish(&ctx, tx, &actor, id, say).await
    })
    .await
}

/// Approves a rated run.
#[server(prefix = "/api", endpoint = "approve_billing_run")]
pub(crate) async fn approve_billing_run(client: String, run: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::RunBilling, &client)?;
        let id = id_of(&run)?;
        let mut tx = ctx.write(&actor).await?;
        billing::approve(&mut tx, id).await?;
        finish(&ctx, tx, &actor, id, "Approved. Issue the invoices next.").await
    })
    .await
}

/// Takes a rated or approved run back to open.
#[server(prefix = "/api", endpoint = "reopen_billing_run")]
pub(crate) async fn reopen_billing_run(client: String, run: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::RunBilling, &client)?;
        let id = id_of(&run)?;
        let mut tx = ctx.write(&actor).await?;
        billing::reopen(&mut tx, id).await?;
        finish(&ctx, tx, &actor, id, "Reopened. Its drafts are gone; rate it again when ready.").await
    })
    .await
}

/// Deletes a run of which nothing was issued.
#[server(prefix = "/api", endpoint = "delete_billing_run")]
pub(crate) async fn delete_billing_run(client: String, run: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::RunBilling, &client)?;
        let id = id_of(&run)?;
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        let gone = billing::delete(&mut tx, id).await?;
        let locale = Locale::from(&clients::current(&tx).await?.locale);
        let due = many(i64::try_from(gone.periods).unwrap_or(i64::MAX), "contract is", "contracts are", locale);
        let say = format!("Billing run {} deleted; {due} due again.", run_name(&gone.run, locale));
        Done::to(format!("/clients/{at}/billing-runs")).saying(say).commit(&ctx, tx).await
    })
    .await
}

/// Issues the invoices of an approved run.
#[server(prefix = "/api", endpoint = "issue_billing_run")]
pub(crate) async fn issue_billing_run(client: String, run: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::IssueInvoices, &client)?;
        issue(&ctx, &actor, id_of(&run)?).await
    })
    .await
}

/// Issues batch by batch, each in a transaction of its own: whoever goes away in between leaves whole batches, and issuing
/// again goes on. The form itself is taken with the last of them.
async fn issue(ctx: &Ctx, actor: &Actor, id: BillingRunId) -> Result<Done, AppError> {
    let tx = ctx.read(actor).await?;
    let client = clients::current(&tx).await?;
    let run = billing::find(&tx, id).await?.ok_or(AppError::NotFound)?;
    let left = billing::progress(&tx, id).await?.left;
    drop(tx);
    let mut issued = Issued { left, ..Issued::default() };
    loop {
        match batch(ctx, actor, (&client, &run), issued.clone()).await {
            Ok((_, Some(done))) => return Ok(done),
            Ok((more, None)) => issued = more,
            Err(error) if issued.invoices > 0 => return Err(stopped(&issued, &client, error)),
            Err(error) => return Err(error),
        }
    }
}

/// Issues the next batch: all that is issued with it, and the answer if it was the last. `run`: as it was before the first.
async fn batch(
    ctx: &Ctx,
    actor: &Actor,
    (client, run): (&Client, &BillingRun),
    so_far: Issued,
) -> Result<(Issued, Option<Done>), AppError> {
    let last = so_far.left <= AT_ONCE;
    let mut tx = if last { ctx.write(actor).await? } else { ctx.db().as_tenant(actor, Access::Write).await? };
    let issued = so_far.and(billing::issue(&mut tx, run.id).await?);
    if issued.left > 0 {
        tx.commit().await.map_err(AppError::from)?;
        return Ok((issued, None));
    }
    let held = billing::find(&tx, run.id).await?.map_or(0, |now| now.exceptions - run.exceptions);
    let done = finish(ctx, tx, actor, run.id, said(&issued, held, client)).await?;
    Ok((issued, Some(done)))
}

/// What issuing came to; `held`: contracts of which something had changed in between.
fn said(issued: &Issued, held: i32, client: &Client) -> String {
    let locale = Locale::from(&client.locale);
    let held = (held > 0).then(|| {
        let held = many(held.into(), "contract is", "contracts are", locale);
        format!("{held} held for the next run: what its bill was made from has changed.")
    });
    match (log::issued(issued, client), held) {
        (Some(text), Some(held)) => format!("{text} {held}"),
        (Some(text), None) | (None, Some(text)) => text,
        (None, None) => "These invoices were issued before; nothing was done again.".to_owned(),
    }
}

/// A later batch was refused: what is issued stays issued, and is told with the reason.
fn stopped(issued: &Issued, client: &Client, error: AppError) -> AppError {
    let why = match error {
        AppError::Conflict(text) => text,
        AppError::Busy => "The portal is busy.".to_owned(),
        AppError::TooLong => "It took too long.".to_owned(),
        AppError::Unavailable => "The portal cannot reach its database just now.".to_owned(),
        // Who may not go on is told so; the run's page tells the rest.
        other => return other,
    };
    let done = log::issued(issued, client).unwrap_or_default();
    let left = many(issued.left, "draft is", "drafts are", Locale::from(&client.locale));
    AppError::Conflict(format!("{done} Then it stopped, and {left} left: {why} Issue again to go on."))
}
