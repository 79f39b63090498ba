//! A company of its own for a measurement: an organization with one client, contracts with quarter-hour meters, and its
//! admin, who works through the portal's own login and under every policy.

use std::time::{Duration, Instant};

use crate::text;
use diesel_async::SimpleAsyncConnection;
use eis::access::Actor;
use eis::db::owner::Owner;
use eis::db::{Access, Db, DbError, Tenant};
use eis::operate::connect::{Connected, Login, Settings};
use eis::values::ids::{ClientId, OrganizationId};
use tokio_postgres::NoTls;
use tower_sessions::session::Id;
use uuid::Uuid;

use crate::scale::{id, secret};
use portal::out;
use portal::server::auth::{Identity, User};

/// Which seat of [`secret`] is the admin's.
const SEAT: usize = 0;
/// Kind of its session, apart from those of the scale data set.
const KIND: u8 = 9;

/// The database of a measurement and who works in it.
pub struct Company {
    pub connected: Connected,
    db: Db,
    actor: Actor,
}

/// The client of a measurement.
pub fn client() -> Uuid {
    id(2, 0, 0)
}

/// Its organization.
pub fn organization() -> Uuid {
    id(1, 0, 0)
}

impl Company {
    /// A database of this name, made anew, with so many contracts from 1 September 2026 on.
    ///
    /// # Errors
    /// A sentence when the database cannot be made or filled.
    pub async fn found(settings: &Settings, name: &str, contracts: usize) -> Result<Self, String> {
        // What a run that was cut off left goes.
        discard(settings, name).await?;
        let connected = settings.connect_to(name, false).map_err(text)?;
        connected.migrate_up().await.map_err(text)?;
        let db = Db::new(&connected.url(Login::App), 2).map_err(text)?;
        out::tell(format_args!("founding a company of {contracts} contracts in {name} …"));
        fill(&connected, contracts).await.map_err(text)?;
        let row = db.session_load(secret(KIND, SEAT)).await.map_err(text)?.ok_or("the admin has no session")?;
        let identity = Identity::of(row).map_err(text)?.ok_or("the admin has no role")?;
        let actor = User::of(identity).actor(Id(secret(KIND, SEAT).0), String::new());
        Ok(Self { connected, db, actor: actor.at_client(ClientId(client())) })
    }

    /// A transaction of the admin's.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn write(&self) -> Result<Tenant, DbError> {
        self.db.as_tenant(&self.actor, Access::Write).await
    }

    /// Copies the rows of a query out of a table, and measures how long the database takes to copy them into a bare table of
    /// the same columns: no index, no policy, no trigger, not logged. How many rows, and the time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn copy(&self, table: &str, rows: &str) -> Result<(u64, Duration), String> {
        use futures_util::{SinkExt, TryStreamExt};
        let (sql, connection) = tokio_postgres::connect(self.connected.admin_url(), NoTls).await.map_err(text)?;
        tokio::spawn(connection);
        let bytes: Vec<axum::body::Bytes> = sql
            .copy_out(&format!("COPY (SELECT t.* FROM {table} t WHERE {rows}) TO STDOUT (FORMAT binary)"))
            .await
            .map_err(text)?
            .try_collect()
            .await
            .map_err(text)?;
        sql.batch_execute(&format!("CREATE TEMP TABLE bare AS SELECT * FROM {table} LIMIT 0")).await.map_err(text)?;
        let start = Instant::now();
        let sink = sql.copy_in("COPY bare FROM STDIN (FORMAT binary)").await.map_err(text)?;
        let mut sink = std::pin::pin!(sink);
        for part in bytes {
            sink.feed(part).await.map_err(text)?;
        }
        let copied = sink.finish().await.map_err(text)?;
        let took = start.elapsed();
        sql.batch_execute("DROP TABLE bare").await.map_err(text)?;
        Ok((copied, took))
    }
}

async fn fill(connected: &Connected, contracts: usize) -> Result<(), DbError> {
    let (organization, client) = (organization(), client());
    let mut owner = Owner::begin(connected.admin_url()).await?;
    owner
        .batch_execute(&format!(
            "INSERT INTO organizations (id, slug, name) VALUES ('{organization}', 'measured', 'Measured')"
        ))
        .await?;
    owner.stand_at(OrganizationId(organization)).await?;
    owner.batch_execute(&rows_sql(contracts)).await?;
    let (user, assignment) = (id(11, 0, 0), id(21, 0, 0));
    owner
        .batch_execute(&format!(
            "INSERT INTO users (id, email, name, password_salt, password_proof)
             VALUES ('{user}', 'measured@example.com', 'Measured', '$argon2id$v=19$m=19456,t=2,p=1$' || repeat('0', 32), '\\x00');
             INSERT INTO role_assignments (organization_id, id, user_id, role, client_id)
             VALUES ('{organization}', '{assignment}', '{user}', 'client_admin', '{client}');
             INSERT INTO sessions (secret_hash, user_id, assignment_id, auth_hash, expires_at, idle_seconds)
             VALUES (sha256('\\x{}'::bytea), '{user}', '{assignment}', sha256('\\x00'::bytea || convert_to('{assignment}', 'UTF8')),
                 now() + interval '10 years', 300000000)",
            secret(KIND, SEAT).hex()
        ))
        .await?;
    owner.commit().await?;
    eis::operate::admin::vacuum_analyze(connected.admin_url()).await
}

/// Parties, places, contracts of a month's cycle, meters, one tariff.
fn rows_sql(contracts: usize) -> String {
    let (organization, client) = (organization(), client());
    let each = {
        let prefix = id(3, 0, 0).simple().to_string();
        format!("('{}' || lpad(to_hex(c), 16, '0'))::uuid", &prefix[..16])
    };
    let last = contracts.saturating_sub(1);
    format!(
        "INSERT INTO clients (organization_id, id, slug, name, legal_name, currency, time_zone, locale, invoice_series, tax_name, tax_rate)
         VALUES ('{organization}', '{client}', 'client', 'Measured', 'Measured Ltd', 'EUR', 'Europe/Berlin', 'en-GB', 'M', 'VAT', 0.19);
         INSERT INTO customers (organization_id, client_id, id, name)
         SELECT '{organization}', '{client}', {each}, 'Customer ' || c FROM generate_series(0, {last}) c;
         INSERT INTO accounts (organization_id, client_id, customer_id, id, account_number, is_main)
         SELECT '{organization}', '{client}', {each}, {each}, 'A-' || lpad(c::text, 6, '0'), true FROM generate_series(0, {last}) c;
         INSERT INTO service_points (organization_id, client_id, id, address, time_zone)
         SELECT '{organization}', '{client}', {each}, c || ' Main Street', 'Europe/Berlin' FROM generate_series(0, {last}) c;
         INSERT INTO contracts (organization_id, client_id, customer_id, id, account_id, service_point_id, address, from_on, billing_anchor)
         SELECT '{organization}', '{client}', {each}, {each}, {each}, {each}, c || ' Main Street', '2026-09-01', '2026-09-01'
         FROM generate_series(0, {last}) c;
         INSERT INTO meters (organization_id, client_id, id, service_point_id, serial, kind, interval_minutes, time_zone, valid_from)
         SELECT '{organization}', '{client}', {each}, {each}, 'M' || lpad(c::text, 8, '0'), 'interval', 15, 'Europe/Berlin', '2026-09-01'
         FROM generate_series(0, {last}) c;
         INSERT INTO tariff_rates (organization_id, client_id, id, code, version, name, kind, currency, document, effective_from, status)
         VALUES ('{organization}', '{client}', '{tariff}', 'TOU', 1, 'Time of use', 'time_of_use', 'EUR', '{document}', '2020-01-01', 'active');
         INSERT INTO tariff_agreements (organization_id, client_id, id, customer_id, contract_id, tariff_code, valid_from)
         SELECT '{organization}', '{client}', {each}, {each}, {each}, 'TOU', '2026-09-01' FROM generate_series(0, {last}) c;",
        tariff = id(7, 0, 0),
        document = document(),
    )
}

/// Two periods of time-of-use and a charge per month.
fn document() -> serde_json::Value {
    use eis::tariff_document::TariffDocument;
    use rust_decimal::Decimal;
    let mut hours = [0_u8; 24];
    hours[7..20].fill(1);
    let prices = [("Night", Decimal::new(2150, 4)), ("Day", Decimal::new(3410, 4))];
    let document =
        TariffDocument::time_of_use("Time of use", "EUR", chrono_tz::Europe::Berlin, &prices, hours, [0; 24]);
    serde_json::json!(document)
}

/// Drops the database of a measurement.
///
/// # Errors
/// When the database refuses.
pub async fn discard(settings: &Settings, name: &str) -> Result<(), String> {
    let admin = settings.connect_to("postgres", false).map_err(text)?;
    let (sql, connection) = tokio_postgres::connect(admin.admin_url(), NoTls).await.map_err(text)?;
    tokio::spawn(connection);
    sql.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.map_err(text)
}

/// The most resident memory that this process had so far, in MB; 0 where the system does not say.
pub fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() / 1024
}
