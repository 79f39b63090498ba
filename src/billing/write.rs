//! Bulk writes of a rating: drafts, lines, what was found of each period, and exceptions; many rows a statement, every
//! policy in force.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::account::Finding;
use super::draft::{Draft, DraftInvoice, DraftLine, Found};
use crate::db::AtClient;
use crate::db::schema::{billing_periods, invoices};
use crate::values::ids::{BillingPeriodId, BillingRunId, InvoiceId};

/// Takes away the drafts and exceptions of a run: its periods are due again, and know nothing of a rating.
pub(super) async fn drop_drafts(conn: &mut AsyncPgConnection, here: &AtClient, run: BillingRunId) -> QueryResult<()> {
    let drafts: Vec<InvoiceId> = invoices::table
        .filter(invoices::organization_id.eq(here.organization).and(invoices::client_id.eq(here.client)))
        .filter(invoices::billing_run_id.eq(run).and(invoices::status.eq("draft")))
        .select(invoices::id)
        .load(conn)
        .await?;
    let periods: Vec<BillingPeriodId> = billing_periods::table
        .filter(billing_periods::organization_id.eq(here.organization).and(billing_periods::client_id.eq(here.client)))
        .filter(billing_periods::billing_run_id.eq(run))
        .filter(billing_periods::status.eq_any(["rated", "held", "approved"]))
        .select(billing_periods::id)
        .load(conn)
        .await?;
    due_again(conn, here, &periods, &drafts).await
}

/// Takes some drafts away; their periods are due again.
pub(super) async fn take_back(conn: &mut AsyncPgConnection, here: &AtClient, drafts: &[InvoiceId]) -> QueryResult<()> {
    let periods: Vec<BillingPeriodId> = billing_periods::table
        .filter(billing_periods::organization_id.eq(here.organization).and(billing_periods::client_id.eq(here.client)))
        .filter(billing_periods::invoice_id.eq_any(drafts).and(billing_periods::status.eq("approved")))
        .select(billing_periods::id)
        .load(conn)
        .await?;
    due_again(conn, here, &periods, drafts).await
}

/// By ids, each statement one table: a plan that was made while the tables were small stays right.
async fn due_again(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    periods: &[BillingPeriodId],
    drafts: &[InvoiceId],
) -> QueryResult<()> {
    let periods: Vec<uuid::Uuid> = periods.iter().map(|id| id.0).collect();
    let drafts: Vec<uuid::Uuid> = drafts.iter().map(|id| id.0).collect();
    let of = "WHERE organization_id = $1 AND client_id = $2";
    for (statement, ids) in [
        (format!("DELETE FROM public.billing_exceptions {of} AND billing_period_id = ANY ($3)"), &periods),
        (format!("DELETE FROM public.invoice_lines {of} AND invoice_id = ANY ($3) AND NOT issued"), &drafts),
        (
            format!(
                "UPDATE public.billing_periods SET status = 'due', invoice_id = NULL, inputs = NULL, usage_source = NULL, explained = '[]' \
                 {of} AND id = ANY ($3)"
            ),
            &periods,
        ),
        (format!("DELETE FROM public.invoices {of} AND id = ANY ($3) AND status = 'draft'"), &drafts),
    ] {
        if ids.is_empty() {
            continue;
        }
        sql_query(statement)
            .bind::<SqlUuid, _>(here.organization)
            .bind::<SqlUuid, _>(here.client)
            .bind::<Array<SqlUuid>, _>(ids)
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// Rows as one JSON text, which the database takes apart again.
fn rows<T: serde::Serialize>(rows: &[T]) -> QueryResult<String> {
    serde_json::to_string(rows).map_err(|error| diesel::result::Error::SerializationError(Box::new(error)))
}

/// Writes drafts with their lines.
pub(super) async fn drafts(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    run: BillingRunId,
    invoices: &[DraftInvoice],
    drafts: &[Draft],
) -> QueryResult<()> {
    sql_query(
        "INSERT INTO public.invoices (organization_id, client_id, billing_run_id, created_by, id, customer_id, account_id, customer_name, \
             account_number, billing_address, period_from, period_to, currency, tariff_name, kwh, estimated, net, tax, payable_rounding, \
             total, carried_before, carried_credit) \
         SELECT $1, $2, $3, $4, r.* FROM jsonb_to_recordset($5::jsonb) AS r (id uuid, customer_id uuid, account_id uuid, customer_name text, \
             account_number text, billing_address text, period_from date, period_to date, currency text, tariff_name text, kwh numeric, \
             estimated boolean, net numeric, tax numeric, payable_rounding numeric, total numeric, carried_before numeric, carried_credit numeric)",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<SqlUuid, _>(run)
    .bind::<Nullable<SqlUuid>, _>(here.by)
    .bind::<Text, _>(rows(invoices)?)
    .execute(conn)
    .await?;
    let found: Vec<&Found> = drafts.iter().map(|draft| &draft.found).collect();
    sql_query(
        "UPDATE public.billing_periods p SET status = 'rated', invoice_id = r.invoice_id, from_on = r.from_on, to_on = r.to_on, \
             tariff_name = r.tariff_name, tariff_rate_ids = r.tariff_rate_ids, kwh = r.kwh, exported_kwh = r.exported_kwh, \
             peak_kw = r.peak_kw, peak_names = r.peak_names, peak_kws = r.peak_kws, estimated = r.estimated, net = r.net, tax = r.tax, \
             total = r.total, carried_before = r.carried_before, carried_credit = r.carried_credit, \
             carried_year_to_date = r.carried_year_to_date, banked_periods = r.banked_periods, banked_kwh = r.banked_kwh, \
             usage_source = r.usage_source, inputs = r.inputs, explained = r.explained \
         FROM jsonb_to_recordset($3::jsonb) AS r (id uuid, customer_id uuid, invoice_id uuid, from_on date, to_on date, tariff_name text, \
             tariff_rate_ids uuid[], kwh numeric, exported_kwh numeric, peak_kw numeric, peak_names text[], peak_kws numeric[], \
             estimated boolean, net numeric, tax numeric, total numeric, carried_before numeric, carried_credit numeric, \
             carried_year_to_date numeric, banked_periods text[], banked_kwh numeric[], usage_source jsonb, inputs jsonb, explained jsonb) \
         WHERE p.organization_id = $1 AND p.client_id = $2 AND p.customer_id = r.customer_id AND p.id = r.id",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<Text, _>(rows(&found)?)
    .execute(conn)
    .await?;
    let lines: Vec<&DraftLine> = invoices.iter().flat_map(|invoice| &invoice.lines).collect();
    sql_query(
        "INSERT INTO public.invoice_lines (organization_id, client_id, created_by, invoice_id, position, customer_id, billing_period_id, kind, \
             description, tou_period, block, quantity, unit, price, amount, tax_rate, estimated, trace) \
         SELECT $1, $2, $3, r.* FROM jsonb_to_recordset($4::jsonb) AS r (invoice_id uuid, position smallint, customer_id uuid, \
             billing_period_id uuid, kind text, description text, tou_period text, block smallint, quantity numeric, unit text, price numeric, \
             amount numeric, tax_rate numeric, estimated boolean, trace jsonb)",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<Nullable<SqlUuid>, _>(here.by)
    .bind::<Text, _>(rows(&lines)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what was found; a period that it blocks is held.
pub(super) async fn findings(conn: &mut AsyncPgConnection, here: &AtClient, found: &[Finding]) -> QueryResult<()> {
    if found.is_empty() {
        return Ok(());
    }
    sql_query(
        "WITH r AS (SELECT r.* FROM jsonb_to_recordset($4::jsonb) AS r (customer_id uuid, billing_period_id uuid, kind text, severity text, \
             message text)), \
         held AS (UPDATE public.billing_periods p SET status = 'held' FROM r WHERE p.organization_id = $1 AND p.client_id = $2 \
             AND p.customer_id = r.customer_id AND p.id = r.billing_period_id AND r.severity = 'blocks') \
         INSERT INTO public.billing_exceptions (organization_id, client_id, created_by, customer_id, billing_period_id, kind, severity, message) \
         SELECT $1, $2, $3, r.* FROM r",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<Nullable<SqlUuid>, _>(here.by)
    .bind::<Text, _>(rows(found)?)
    .execute(conn)
    .await?;
    Ok(())
}
