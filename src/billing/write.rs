//! Bulk writes of a rating: drafts, lines, what was found of each period, and exceptions; many rows a statement, every
//! policy in force.

use diesel::QueryResult;
use diesel::sql_query;
use diesel::sql_types::{Array, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::Desk;
use super::account::Finding;
use super::draft::{Draft, DraftInvoice, DraftLine, Found};
use crate::ids::{BillingRunId, InvoiceId};

/// Takes away the drafts and exceptions of a run: its periods are due again, and know nothing of a rating.
pub(super) async fn drop_drafts(conn: &mut AsyncPgConnection, desk: &Desk, run: BillingRunId) -> QueryResult<()> {
    let statements = [
        "DELETE FROM public.billing_exceptions x USING public.billing_periods p WHERE x.organization_id = $1 AND x.client_id = $2 \
         AND p.organization_id = $1 AND p.client_id = $2 AND p.customer_id = x.customer_id AND p.id = x.billing_period_id \
         AND p.billing_run_id = $3 AND p.status NOT IN ('issued', 'credited')",
        "DELETE FROM public.invoice_lines WHERE organization_id = $1 AND client_id = $2 AND invoice_id IN ( \
         SELECT i.id FROM public.invoices i WHERE i.organization_id = $1 AND i.client_id = $2 \
         AND i.billing_run_id = $3 AND i.status = 'draft')",
        "UPDATE public.billing_periods SET status = 'due', invoice_id = NULL, inputs = NULL, usage_source = NULL, explained = '[]' \
         WHERE organization_id = $1 AND client_id = $2 AND billing_run_id = $3 AND status IN ('rated', 'held', 'approved')",
        "DELETE FROM public.invoices WHERE organization_id = $1 AND client_id = $2 AND billing_run_id = $3 AND status = 'draft'",
    ];
    for statement in statements {
        sql_query(statement)
            .bind::<SqlUuid, _>(desk.organization)
            .bind::<SqlUuid, _>(desk.client)
            .bind::<SqlUuid, _>(run)
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
pub(super) async fn invoices(
    conn: &mut AsyncPgConnection,
    desk: &Desk,
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
    .bind::<SqlUuid, _>(desk.organization)
    .bind::<SqlUuid, _>(desk.client)
    .bind::<SqlUuid, _>(run)
    .bind::<Nullable<SqlUuid>, _>(desk.by)
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
    .bind::<SqlUuid, _>(desk.organization)
    .bind::<SqlUuid, _>(desk.client)
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
    .bind::<SqlUuid, _>(desk.organization)
    .bind::<SqlUuid, _>(desk.client)
    .bind::<Nullable<SqlUuid>, _>(desk.by)
    .bind::<Text, _>(rows(&lines)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what was found; a period that it blocks is held.
pub(super) async fn findings(conn: &mut AsyncPgConnection, desk: &Desk, found: &[Finding]) -> QueryResult<()> {
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
    .bind::<SqlUuid, _>(desk.organization)
    .bind::<SqlUuid, _>(desk.client)
    .bind::<Nullable<SqlUuid>, _>(desk.by)
    .bind::<Text, _>(rows(found)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes some drafts away, without those who stand in the same run; their periods are due again.
pub(super) async fn take_back(conn: &mut AsyncPgConnection, desk: &Desk, drafts: &[InvoiceId]) -> QueryResult<()> {
    let statements = [
        "DELETE FROM public.billing_exceptions x USING public.billing_periods p WHERE x.organization_id = $1 AND x.client_id = $2 \
         AND p.organization_id = $1 AND p.client_id = $2 AND p.customer_id = x.customer_id AND p.id = x.billing_period_id \
         AND p.invoice_id = ANY ($3) AND p.status = 'approved'",
        "DELETE FROM public.invoice_lines WHERE organization_id = $1 AND client_id = $2 AND invoice_id = ANY ($3) AND NOT issued",
        "UPDATE public.billing_periods SET status = 'due', invoice_id = NULL, inputs = NULL, usage_source = NULL, explained = '[]' \
         WHERE organization_id = $1 AND client_id = $2 AND invoice_id = ANY ($3) AND status = 'approved'",
        "DELETE FROM public.invoices WHERE organization_id = $1 AND client_id = $2 AND id = ANY ($3) AND status = 'draft'",
    ];
    for statement in statements {
        sql_query(statement)
            .bind::<SqlUuid, _>(desk.organization)
            .bind::<SqlUuid, _>(desk.client)
            .bind::<Array<SqlUuid>, _>(drafts)
            .execute(conn)
            .await?;
    }
    Ok(())
}
