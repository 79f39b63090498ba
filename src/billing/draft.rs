//! Drafts as they are written: what rating found of a billing period, and the invoices that bill one or more of them.

use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;

use super::inputs::Inputs;
use crate::rating::BillLine;
use crate::receivables::invoices::{Explained, Kept, UsageSource};
use crate::tariff_document::LineKind;
use crate::values::ids::{AccountId, BillingPeriodId, ContractId, CustomerId, InvoiceId, TariffRateId};
use crate::values::money::{Money, Rounding};

/// Whom a bill is for.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Party {
    pub customer_id: CustomerId,
    pub account_id: AccountId,
    pub customer_name: String,
    pub account_number: String,
    pub billing_address: String,
    pub currency: String,
}

/// What rating found of a billing period: the columns that it fills.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    pub id: BillingPeriodId,
    pub customer_id: CustomerId,
    pub invoice_id: Option<InvoiceId>,
    pub from_on: NaiveDate,
    pub to_on: NaiveDate,
    pub tariff_name: String,
    pub tariff_rate_ids: Vec<TariffRateId>,
    pub kwh: Decimal,
    pub exported_kwh: Decimal,
    pub peak_kw: Option<Decimal>,
    pub peak_names: Vec<Arc<str>>,
    pub peak_kws: Vec<Decimal>,
    pub estimated: bool,
    pub net: Decimal,
    pub tax: Decimal,
    pub total: Decimal,
    pub carried_before: Money,
    pub carried_credit: Money,
    pub carried_year_to_date: Money,
    pub banked_periods: Vec<String>,
    pub banked_kwh: Vec<Decimal>,
    pub usage_source: UsageSource,
    pub inputs: Inputs,
    pub explained: Vec<Explained>,
}

/// A billing period that was rated.
#[derive(Debug)]
pub(super) struct Draft {
    pub party: Party,
    pub contract_id: ContractId,
    /// Whether its account wants one bill for all.
    pub collective: bool,
    pub payable_rounding: Money,
    pub found: Found,
    pub lines: Vec<BillLine>,
}

/// A draft invoice.
#[derive(Debug, Serialize)]
pub(super) struct DraftInvoice {
    pub id: InvoiceId,
    #[serde(flatten)]
    pub party: Party,
    pub period_from: NaiveDate,
    pub period_to: NaiveDate,
    pub tariff_name: String,
    pub kwh: Decimal,
    pub estimated: bool,
    pub net: Decimal,
    pub tax: Decimal,
    pub payable_rounding: Money,
    pub total: Decimal,
    pub carried_before: Money,
    pub carried_credit: Money,
    #[serde(skip)]
    pub lines: Vec<DraftLine>,
}

/// A line of a draft.
#[derive(Debug, Serialize)]
pub(super) struct DraftLine {
    pub invoice_id: InvoiceId,
    pub position: i16,
    pub customer_id: CustomerId,
    pub billing_period_id: Option<BillingPeriodId>,
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
    fn new(invoice_id: InvoiceId, customer_id: CustomerId, period: Option<BillingPeriodId>, line: BillLine) -> Self {
        Self {
            invoice_id,
            position: 0,
            customer_id,
            billing_period_id: period,
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

/// The invoices of some drafts: one each, but for accounts that want one bill for all their contracts. Each draft is told
/// its invoice.
///
/// A payable amount that a tariff rounds is of that bill alone: such a draft has an invoice of its own in any case.
pub(super) fn invoices(drafts: &mut [Draft]) -> Vec<DraftInvoice> {
    let mut made: Vec<(Option<AccountId>, String, DraftInvoice)> = vec![];
    for draft in drafts {
        let shared = (draft.collective && draft.payable_rounding.is_zero()).then_some(draft.party.account_id);
        let same = |wanted: AccountId| {
            made.iter().position(|(account, currency, _)| *account == Some(wanted) && *currency == draft.party.currency)
        };
        let place = shared.and_then(same);
        let at = place.unwrap_or_else(|| {
            made.push((shared, draft.party.currency.clone(), DraftInvoice::begin(draft)));
            made.len() - 1
        });
        if let Some((_, _, invoice)) = made.get_mut(at) {
            invoice.add(draft);
        }
    }
    made.into_iter().map(|(_, _, invoice)| invoice.finished()).collect()
}

impl DraftInvoice {
    fn begin(first: &Draft) -> Self {
        Self {
            id: InvoiceId::fresh(),
            party: first.party.clone(),
            period_from: first.found.from_on,
            period_to: first.found.to_on,
            tariff_name: String::new(),
            kwh: Decimal::ZERO,
            estimated: false,
            net: Decimal::ZERO,
            tax: Decimal::ZERO,
            payable_rounding: Money::ZERO,
            total: Decimal::ZERO,
            carried_before: Money::ZERO,
            carried_credit: Money::ZERO,
            lines: vec![],
        }
    }

    fn add(&mut self, draft: &mut Draft) {
        let found = &mut draft.found;
        found.invoice_id = Some(self.id);
        self.period_from = self.period_from.min(found.from_on);
        self.period_to = self.period_to.max(found.to_on);
        if self.tariff_name.is_empty() {
            self.tariff_name.clone_from(&found.tariff_name);
        } else if !self.tariff_name.split("; ").any(|known| known == found.tariff_name) {
            self.tariff_name = format!("{}; {}", self.tariff_name, found.tariff_name);
        }
        self.kwh += found.kwh;
        self.estimated |= found.estimated;
        self.net += found.net;
        self.payable_rounding += draft.payable_rounding;
        self.carried_before += found.carried_before;
        self.carried_credit += found.carried_credit;
        for line in draft.lines.drain(..) {
            self.take(found.id, line);
        }
    }

    /// A line goes to its period; tax is taken once over all of them (EN 16931 BR-CO-17).
    fn take(&mut self, period: BillingPeriodId, line: BillLine) {
        if line.item.kind == LineKind::Tax {
            let (name, rate, base) = (line.item.name.clone(), line.item.price, line.quantity);
            let same = |known: &&mut DraftLine| known.kind == "tax" && known.price == rate && known.tou_period == name;
            if let Some(known) = self.lines.iter_mut().find(same) {
                known.quantity += base;
                known.amount = Rounding::HalfAwayFromZero.apply(known.quantity * rate, 2);
                known.description = tax_text(&name, rate, known.quantity);
                known.billing_period_id = None;
                return;
            }
            let mut tax = DraftLine::new(self.id, self.party.customer_id, Some(period), line);
            // Told apart by name until all are in.
            tax.tou_period = name;
            self.lines.push(tax);
            return;
        }
        self.lines.push(DraftLine::new(self.id, self.party.customer_id, Some(period), line));
    }

    /// Taxes last, and the sums.
    fn finished(mut self) -> Self {
        self.lines.sort_by_key(|line| line.kind == "tax");
        for (at, line) in self.lines.iter_mut().enumerate() {
            line.position = i16::try_from(at + 1).unwrap_or(i16::MAX);
            if line.kind == "tax" {
                line.tou_period.clear();
                self.tax += line.amount;
            }
        }
        self.total = self.net + self.tax + self.payable_rounding.amount();
        self
    }
}

/// A tax over all, as rating says it of one period.
fn tax_text(name: &str, rate: Decimal, base: Decimal) -> String {
    format!("{name}, {} % of {base}", (rate * Decimal::ONE_HUNDRED).normalize())
}
