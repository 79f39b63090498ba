//! Rows as the tables take them: field names are column names, and what is left out has a default.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::values::money::Money;

/// The tenant columns.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Key {
    pub organization_id: Uuid,
    pub client_id: Uuid,
}

#[derive(Debug, Serialize)]
pub struct OrganizationRow {
    pub id: Uuid,
    pub slug: &'static str,
    pub name: &'static str,
    pub currency: &'static str,
    pub time_zone: &'static str,
    pub locale: &'static str,
    pub metadata: Value,
    pub status: &'static str,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct UserRow {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub password_salt: String,
    pub password_proof: String,
    pub password_changed_at: DateTime<Utc>,
    pub status: &'static str,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct AssignmentRow {
    pub id: Uuid,
    pub organization_id: Option<Uuid>,
    pub user_id: Uuid,
    pub role: &'static str,
    pub client_id: Option<Uuid>,
    pub customer_id: Option<Uuid>,
    pub valid_from: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct ClientRow {
    pub organization_id: Uuid,
    pub id: Uuid,
    pub slug: &'static str,
    pub name: &'static str,
    pub legal_name: &'static str,
    pub address: &'static str,
    pub tax_number: &'static str,
    pub currency: &'static str,
    pub time_zone: &'static str,
    pub locale: &'static str,
    pub invoice_series: &'static str,
    pub tax_name: &'static str,
    pub tax_rate: Decimal,
    pub payment_terms_days: i64,
    pub status: &'static str,
    pub tariff_comparison: bool,
    pub metadata: Value,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct CustomerRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: Uuid,
    pub kind: &'static str,
    pub name: String,
    pub email: String,
    pub phone: String,
    pub metadata: Value,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct AccountRow {
    #[serde(flatten)]
    pub key: Key,
    pub customer_id: Uuid,
    pub id: Uuid,
    pub account_number: String,
    pub is_main: bool,
    pub billing_address: String,
    pub collective: bool,
    pub delivery: &'static str,
    pub language: &'static str,
    pub status: &'static str,
    pub metadata: Value,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct PlaceRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: Uuid,
    pub address: String,
    pub time_zone: &'static str,
    pub metadata: Value,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct ContractRow {
    #[serde(flatten)]
    pub key: Key,
    pub customer_id: Uuid,
    pub id: Uuid,
    pub account_id: Uuid,
    pub service_point_id: Uuid,
    pub address: String,
    pub from_on: NaiveDate,
    pub to_on: Option<NaiveDate>,
    pub status: &'static str,
    pub billing_cycle: i16,
    pub billing_anchor: NaiveDate,
    pub billing_from: Option<NaiveDate>,
    pub metadata: Value,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct MeterRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: Uuid,
    pub service_point_id: Uuid,
    pub serial: String,
    pub direction: &'static str,
    pub kind: &'static str,
    pub interval_minutes: Option<u16>,
    pub time_zone: &'static str,
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
    pub metadata: Value,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct RegisterRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: Uuid,
    pub meter_id: Uuid,
    pub name: &'static str,
    pub measures: &'static str,
    pub digits: u8,
    pub decimals: u8,
    pub multiplier: u8,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct TariffRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: Uuid,
    pub code: &'static str,
    pub version: i64,
    pub name: String,
    pub kind: &'static str,
    pub currency: &'static str,
    pub document: Value,
    pub effective_from: NaiveDate,
    pub effective_to: Option<NaiveDate>,
    pub status: &'static str,
    pub rated: bool,
    pub offered: bool,
    pub metadata: Value,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct BlockRow {
    #[serde(flatten)]
    pub key: Key,
    pub tariff_rate_id: Uuid,
    pub position: usize,
    pub tou_period: String,
    pub from_kwh: Decimal,
    pub to_kwh: Option<Decimal>,
    pub price: Decimal,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct AgreementRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: Uuid,
    pub customer_id: Uuid,
    pub contract_id: Uuid,
    pub part: &'static str,
    pub tariff_code: &'static str,
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct ImportRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: Uuid,
    pub file_name: String,
    pub file_hash: String,
    pub file_bytes: i64,
    pub format: &'static str,
    pub status: &'static str,
    pub accepted: i64,
    pub unchanged: i64,
    pub superseded: i64,
    pub rejected: i64,
    pub first_at: Option<DateTime<Utc>>,
    pub last_at: Option<DateTime<Utc>>,
    pub kwh: Decimal,
    pub problem: &'static str,
    pub applied_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub created_by: Uuid,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct RejectionRow {
    #[serde(flatten)]
    pub key: Key,
    pub import_id: Uuid,
    pub position: i64,
    pub line: i64,
    pub column: i64,
    pub content: String,
    pub reason: String,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct ReadingRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: Uuid,
    pub customer_id: Option<Uuid>,
    pub meter_id: Uuid,
    pub register_id: Uuid,
    pub read_on: NaiveDate,
    pub figure: i64,
    pub why: &'static str,
    pub quality: &'static str,
    pub source: &'static str,
    pub import_id: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct IntervalRow {
    #[serde(flatten)]
    pub key: Key,
    pub customer_id: Uuid,
    pub meter_id: Uuid,
    pub day: NaiveDate,
    pub interval_minutes: u16,
    /// As PostgreSQL writes an array.
    pub wh: String,
    pub total_wh: i64,
    pub import_id: Uuid,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct PaymentRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: Uuid,
    pub customer_id: Uuid,
    pub account_id: Uuid,
    pub received_on: NaiveDate,
    pub amount: Money,
    pub currency: &'static str,
    pub method: &'static str,
    pub reference: String,
    pub created_at: DateTime<Utc>,
    pub created_by: Uuid,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
pub struct AllocationRow {
    #[serde(flatten)]
    pub key: Key,
    pub payment_id: Uuid,
    pub invoice_id: Uuid,
    pub customer_id: Uuid,
    pub account_id: Uuid,
    pub amount: Money,
    pub created_at: DateTime<Utc>,
    pub created_by: Uuid,
}

#[derive(Debug, Serialize)]
pub struct AuditRow {
    #[serde(flatten)]
    pub key: Key,
    pub id: Uuid,
    pub customer_id: Option<Uuid>,
    pub user_name: &'static str,
    pub role: &'static str,
    pub action: &'static str,
    pub entity: &'static str,
    pub entity_id: Option<Uuid>,
    pub summary: String,
    pub details: Value,
    pub address: &'static str,
    pub at: DateTime<Utc>,
}

/// Every row of a client.
#[derive(Debug, Default, Serialize)]
pub struct Rows {
    pub customers: Vec<CustomerRow>,
    pub accounts: Vec<AccountRow>,
    pub service_points: Vec<PlaceRow>,
    pub contracts: Vec<ContractRow>,
    pub meters: Vec<MeterRow>,
    pub registers: Vec<RegisterRow>,
    pub tariff_rates: Vec<TariffRow>,
    pub tariff_blocks: Vec<BlockRow>,
    pub tariff_agreements: Vec<AgreementRow>,
    pub imports: Vec<ImportRow>,
    pub import_rejections: Vec<RejectionRow>,
    pub meter_readings: Vec<ReadingRow>,
    pub interval_days: Vec<IntervalRow>,
    pub payments: Vec<PaymentRow>,
    pub allocations: Vec<AllocationRow>,
    pub audit_log: Vec<AuditRow>,
}
