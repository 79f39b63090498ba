//! Bulk writes of a rating: drafts, lines and exceptions, many rows a statement, every policy in force.

use diesel::QueryResult;
use diesel::sql_query;
use diesel::sql_types::{Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::Desk;
use super::account::Finding;
use super::draft::{Draft, DraftLine};
use crate::ids::BillingPeriodId;

/// Takes away drafts and exceptions of a period.
pub(super) async fn drop_drafts(conn: &mut AsyncPgConnection, desk: &Desk, period: BillingPeriodId) -> QueryResult<()> {
    let statements = [
        "DELETE FROM public.invoice_lines WHERE organization_id = $1 AND client_id = $2 AND invoice_id IN ( \
         SELECT i.id FROM public.invoices i WHERE i.organization_id = $1 AND i.client_id = $2 \
         AND i.billing_period_id = $3 AND i.status = 'draft')",
        "DELETE FROM public.invoices WHERE organization_id = $1 AND client_id = $2 AND billing_period_id = $3 AND status = 'draft'",
        "DELETE FROM public.billing_exceptions WHERE organization_id = $1 AND client_id = $2 AND billing_period_id = $3",
    ];
    for statement in statements {
        sql_query(statement)
            .bind::<SqlUuid, _>(desk.organization)
            .bind::<SqlUuid, _>(desk.client)
            .bind::<SqlUuid, _>(period)
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
    desk: &Desk,
    period: BillingPeriodId,
    drafts: &[Draft],
) -> QueryResult<()> {
    sql_query(
        "INSERT INTO public.invoices (organization_id, client_id, billing_period_id, created_by, id, customer_id, account_id, contract_id, customer_name, \
             account_number, billing_address, period_from, period_to, currency, tariff_rate_id, tariff_name, kwh, exported_kwh, peak_kw, \
             peak_names, peak_kws, estimated, net, tax, payable_rounding, total, carried_credit, carried_year_to_date, \
             banked_periods, banked_kwh, tariff_rate_ids, usage_source, inputs, explained) \
         SELECT $1, $2, $3, $4, r.* FROM jsonb_to_recordset($5::jsonb) AS r (id uuid, customer_id uuid, account_id uuid, contract_id uuid, customer_name text, \
             account_number text, billing_address text, period_from date, period_to date, currency text, tariff_rate_id uuid, \
             tariff_name text, kwh numeric, exported_kwh numeric, peak_kw numeric, peak_names text[], peak_kws numeric[], estimated boolean, \
             net numeric, tax numeric, payable_rounding numeric, total numeric, carried_credit numeric, carried_year_to_date numeric, \
             banked_periods text[], banked_kwh numeric[], tariff_rate_ids uuid[], usage_source jsonb, inputs jsonb, explained jsonb)",
    )
    .bind::<SqlUuid, _>(desk.organization)
    .bind::<SqlUuid, _>(desk.client)
    .bind::<SqlUuid, _>(period)
    .bind::<Nullable<SqlUuid>, _>(desk.by)
    .bind::<Text, _>(rows(drafts)?)
    .execute(conn)
    .await?;
    let lines: Vec<&DraftLine> = drafts.iter().flat_map(|draft| &draft.lines).collect();
    sql_query(
        "INSERT INTO public.invoice_lines (organization_id, client_id, created_by, invoice_id, position, customer_id, kind, \
             description, tou_period, block, quantity, unit, price, amount, tax_rate, estimated, trace) \
         SELECT $1, $2, $3, r.* FROM jsonb_to_recordset($4::jsonb) AS r (invoice_id uuid, position smallint, customer_id uuid, \
             kind text, description text, tou_period text, block smallint, quantity numeric, unit text, price numeric, \
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

/// Writes what was found.
pub(super) async fn findings(
    conn: &mut AsyncPgConnection,
    desk: &Desk,
    period: BillingPeriodId,
    found: &[Finding],
) -> QueryResult<()> {
    sql_query(
        "INSERT INTO public.billing_exceptions (organization_id, client_id, billing_period_id, created_by, customer_id, contract_id, kind, severity, message) \
         SELECT $1, $2, $3, $4, r.* FROM jsonb_to_recordset($5::jsonb) AS r (customer_id uuid, contract_id uuid, kind text, severity text, message text)",
    )
    .bind::<SqlUuid, _>(desk.organization)
    .bind::<SqlUuid, _>(desk.client)
    .bind::<SqlUuid, _>(period)
    .bind::<Nullable<SqlUuid>, _>(desk.by)
    .bind::<Text, _>(rows(found)?)
    .execute(conn)
    .await?;
    Ok(())
}
