//! A draft invoice with its lines as they are written.

use std::sync::Arc;

use super::inputs::Inputs;
use crate::ids::{AccountId, ContractId, CustomerId, InvoiceId, TariffRateId};
use crate::invoices::{Explained, Kept, UsageSource};
use crate::money::Money;
use crate::rating::BillLine;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;

/// A draft invoice.
#[derive(Debug, Serialize)]
pub(super) struct Draft {
    pub id: InvoiceId,
    pub customer_id: CustomerId,
    pub account_id: AccountId,
    pub contract_id: ContractId,
    pub customer_name: String,
    pub account_number: String,
    pub billing_address: String,
    pub period_from: NaiveDate,
    pub period_to: NaiveDate,
    pub currency: String,
    pub tariff_rate_id: Option<TariffRateId>,
    pub tariff_name: String,
    pub kwh: Decimal,
    pub exported_kwh: Decimal,
    pub peak_kw: Option<Decimal>,
    pub peak_names: Vec<Arc<str>>,
    pub peak_kws: Vec<Decimal>,
    pub estimated: bool,
    pub net: Decimal,
    pub tax: Decimal,
    pub payable_rounding: Money,
    pub total: Decimal,
    pub carried_credit: Money,
    pub carried_year_to_date: Money,
    pub banked_periods: Vec<String>,
    pub banked_kwh: Vec<Decimal>,
    pub tariff_rate_ids: Vec<TariffRateId>,
    pub usage_source: UsageSource,
    pub inputs: Inputs,
    pub explained: Vec<Explained>,
    #[serde(skip)]
    pub lines: Vec<DraftLine>,
}

/// A line of a draft.
#[derive(Debug, Serialize)]
pub(super) struct DraftLine {
    pub invoice_id: InvoiceId,
    pub position: i16,
    pub customer_id: CustomerId,
    pub kind: &'static str,
    pub description: String,
    pub tou_period: String,
    pub block: Option<u16>,
    pub quantity: Decimal,
    pub unit: &'static str,
    pub price: Decimal,
    pub amount: Decimal,
    pub tax_rate: Option<Decimal>,
    pub estimated: bool,
    pub trace: Vec<Kept>,
}

impl DraftLine {
    pub fn new(invoice_id: InvoiceId, customer_id: CustomerId, position: usize, line: BillLine) -> Self {
        Self {
            invoice_id,
            position: i16::try_from(position).unwrap_or(i16::MAX),
            customer_id,
            kind: line.item.kind.as_str(),
            trace: line.trace.iter().map(Kept::from).collect(),
            description: line.item.description.clone(),
            tou_period: line.item.tou_period.clone().unwrap_or_default(),
            block: line.item.block,
            quantity: line.quantity,
            unit: line.item.unit.as_str(),
            price: line.item.price,
            amount: line.amount.amount(),
            // Kept as a share, as the client's tax rate is: 0.19 for 19 %.
            tax_rate: line.item.tax_rate.map(|percent| percent / Decimal::ONE_HUNDRED),
            estimated: line.estimated,
        }
    }
}
