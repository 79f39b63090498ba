//! The scale data set: organizations of one client, 500 customers and 6,000 invoices each, made by the
//! database itself; kept between runs.

use std::fmt::Write as _;
use std::time::Instant;

use diesel_async::SimpleAsyncConnection;
use eis::access::SessionSecret;
use eis::db::Db;
use eis::db::owner::Owner;
use eis::operate::admin;
use eis::operate::connect::{Connected, Login, Settings};
use eis::values::ids::OrganizationId;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use portal::out;

/// Customers of each organization.
pub const CUSTOMERS: usize = 500;
/// Invoices of each customer, one a month.
pub const MONTHS: usize = 12;
/// Signed-in sessions, spread over the organizations.
pub const SESSIONS: usize = 200;

/// One signed-in session and the addresses it may open.
#[derive(Debug, Clone)]
pub struct Seat {
    /// The session's secret.
    pub secret: SessionSecret,
    /// The client's id.
    pub client: Uuid,
    /// An invoice of its customer.
    pub invoice: Uuid,
}

/// A loaded database: how to reach it, its admins' and its customers' sessions.
#[derive(Debug)]
pub struct Scale {
    /// The database.
    pub connected: Connected,
    /// Client admins.
    pub admins: Vec<Seat>,
    /// Customers.
    pub customers: Vec<Seat>,
}

/// Ids that name what they are: a kind, an organization, a number within it.
pub(super) fn id(kind: u8, organization: usize, number: usize) -> Uuid {
    let mut bytes = [0_u8; 16];
    let organization = u32::try_from(organization).unwrap_or_default().to_be_bytes();
    let number = u64::try_from(number).unwrap_or_default().to_be_bytes();
    bytes[0] = 1;
    bytes[1] = kind;
    bytes[2..6].copy_from_slice(&organization);
    bytes[8..16].copy_from_slice(&number);
    bytes[6] = 0x70;
    Uuid::from_bytes(bytes)
}

/// The secret of a seat's session.
pub(super) fn secret(kind: u8, seat: usize) -> SessionSecret {
    let digest = Sha256::digest(format!("bench session {kind} {seat}"));
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    SessionSecret(i128::from_be_bytes(bytes))
}

/// The data set in the database `name`, loaded the first time.
///
/// # Errors
/// A sentence when the database cannot be made or filled.
pub async fn open(settings: &Settings, name: &str, organizations: usize) -> Result<Scale, String> {
    let connected = settings.connect_to(name, true).map_err(|e| e.to_string())?;
    connected.migrate_up().await.map_err(|e| e.to_string())?;
    let db = Db::new(&connected.url(Login::App), 1).map_err(|e| e.to_string())?;
    let seats = |kind: u8| -> Vec<Seat> {
        (0..SESSIONS)
            .map(|seat| {
                let organization = seat % organizations;
                let customer = (seat / organizations * 7) % CUSTOMERS;
                Seat {
                    secret: secret(kind, seat),
                    client: id(2, organization, 0),
                    invoice: id(4, organization, customer * MONTHS + MONTHS - 1),
                }
            })
            .collect()
    };
    let scale = Scale { admins: seats(1), customers: seats(2), connected };
    let last = scale.customers.last().ok_or("no seats")?;
    if db.session_load(last.secret).await.map_err(|e| e.to_string())?.is_none() {
        out::tell(format_args!("loading {organizations} organisations into {name} (kept for the next run) …"));
        let start = Instant::now();
        fill(&scale.connected, organizations).await.map_err(|e| e.to_string())?;
        out::tell(format_args!("loaded in {} s", start.elapsed().as_secs()));
    }
    Ok(scale)
}

async fn fill(connected: &Connected, organizations: usize) -> Result<(), eis::db::DbError> {
    for number in 0..organizations {
        let mut owner = Owner::begin(connected.admin_url()).await?;
        let organization = id(1, number, 0);
        let client = id(2, number, 0);
        owner
            .batch_execute(&format!(
                "INSERT INTO organizations (id, slug, name) VALUES ('{organization}', 'scale-{number}', 'Scale {number}')
                 ON CONFLICT (id) DO NOTHING"
            ))
            .await?;
        owner.stand_at(OrganizationId(organization)).await?;
        owner.batch_execute(&tenant_sql(organization, client, number)).await?;
        owner.commit().await?;
    }
    let mut owner = Owner::begin(connected.admin_url()).await?;
    owner.batch_execute(&sessions_sql(organizations)).await?;
    owner.commit().await?;
    admin::vacuum_analyze(connected.admin_url()).await
}

/// One organization's rows. Ids are computed the same way as [`id`] does.
fn tenant_sql(organization: Uuid, client: Uuid, number: usize) -> String {
    let make = |kind: u8, expression: &str| {
        let prefix = id(kind, number, 0).simple().to_string();
        format!("('{}' || lpad(to_hex({expression}), 16, '0'))::uuid", &prefix[..16])
    };
    let customer = make(3, "c");
    let invoice = make(4, &format!("c * {MONTHS} + m"));
    let (run, period) = (make(5, "m"), make(6, &format!("c * {MONTHS} + m")));
    let month = format!("(date '2026-11-01' - make_interval(months => {MONTHS} - m))::date");
    let total = "(60 + (c * 37 + m * 11) % 180)::numeric(12,2)";
    let status =
        format!("CASE WHEN m = {} THEN 'issued' WHEN (c + m) % 29 = 0 THEN 'part_paid' ELSE 'paid' END", MONTHS - 1);
    format!(
        "INSERT INTO clients (organization_id, id, slug, name, legal_name, currency, time_zone, locale, invoice_series)
         VALUES ('{organization}', '{client}', 'client', 'Scale Power {number}', 'Scale Power {number} Ltd', 'USD', 'America/New_York', 'en-US', 'SC');
         INSERT INTO customers (organization_id, client_id, id, name)
         SELECT '{organization}', '{client}', {customer}, 'Customer ' || c
         FROM generate_series(0, {last_customer}) c;
         INSERT INTO accounts (organization_id, client_id, customer_id, id, account_number, is_main)
         SELECT '{organization}', '{client}', {customer}, {customer}, 'A-' || lpad(c::text, 5, '0'), true
         FROM generate_series(0, {last_customer}) c;
         INSERT INTO service_points (organization_id, client_id, id, address, time_zone)
         SELECT '{organization}', '{client}', {customer}, c || ' Main Street', 'America/New_York'
         FROM generate_series(0, {last_customer}) c;
         INSERT INTO contracts (organization_id, client_id, customer_id, id, account_id, service_point_id, address, from_on, billing_anchor)
         SELECT '{organization}', '{client}', {customer}, {customer}, {customer}, {customer}, c || ' Main Street', '2020-01-01', '2020-01-01'
         FROM generate_series(0, {last_customer}) c;
         INSERT INTO billing_runs (organization_id, client_id, id, due_on, status, contracts, invoices)
         SELECT '{organization}', '{client}', {run}, ({month} + interval '1 month')::date, 'issued', {CUSTOMERS}, {CUSTOMERS}
         FROM generate_series(0, {last_month}) m;
         INSERT INTO invoices (organization_id, client_id, id, customer_id, account_id, billing_run_id, status, series, number, label, customer_name, account_number,
             period_from, period_to, issued_on, due_on, currency, tariff_name, kwh, net, tax, total, paid)
         SELECT '{organization}', '{client}', {invoice}, {customer}, {customer}, {run}, s.status, 'SC', m * {CUSTOMERS} + c + 1,
             'SC-2026-' || lpad((m * {CUSTOMERS} + c + 1)::text, 6, '0'), 'Customer ' || c, 'A-' || lpad(c::text, 5, '0'),
             {month}, ({month} + interval '1 month')::date, ({month} + interval '1 month 2 days')::date, ({month} + interval '1 month 16 days')::date,
             'USD', 'Residential', {total} * 6, {total}, 0, {total}, CASE s.status WHEN 'paid' THEN {total} WHEN 'part_paid' THEN 20 ELSE 0 END
         FROM generate_series(0, {last_month}) m, generate_series(0, {last_customer}) c, LATERAL (SELECT {status} AS status) s;
         INSERT INTO billing_periods (organization_id, client_id, customer_id, id, contract_id, account_id, billing_run_id, invoice_id, from_on, to_on,
             status, address, tariff_name, kwh, net, total)
         SELECT '{organization}', '{client}', {customer}, {period}, {customer}, {customer}, {run}, {invoice}, {month}, ({month} + interval '1 month')::date,
             'issued', c || ' Main Street', 'Residential', {total} * 6, {total}, {total}
         FROM generate_series(0, {last_month}) m, generate_series(0, {last_customer}) c;
         INSERT INTO payments (organization_id, client_id, id, customer_id, account_id, received_on, amount, currency, method)
         SELECT organization_id, client_id, id, customer_id, account_id, due_on, paid, currency, 'bank_transfer' FROM invoices
         WHERE organization_id = '{organization}' AND paid > 0;
         INSERT INTO allocations (organization_id, client_id, payment_id, invoice_id, customer_id, account_id, amount)
         SELECT organization_id, client_id, id, id, customer_id, account_id, paid FROM invoices WHERE organization_id = '{organization}' AND paid > 0;
         INSERT INTO invoice_lines (organization_id, client_id, invoice_id, position, customer_id, billing_period_id, issued, kind, description, quantity, unit, price, amount, trace)
         SELECT '{organization}', '{client}', {invoice}, p, {customer}, {period}, true, CASE p WHEN 3 THEN 'fixed' ELSE 'energy' END,
             CASE p WHEN 1 THEN 'Energy, first 300 kWh' WHEN 2 THEN 'Energy, above 300 kWh' ELSE 'Service charge' END,
             100 * p, CASE p WHEN 3 THEN 'month' ELSE 'kWh' END, 0.21, 21 * p,
             CASE WHEN p = 3 THEN '[]' ELSE (SELECT jsonb_agg(jsonb_build_object('date', d::date, 'quantity', '3.333')) FROM generate_series({month}::timestamp, {month} + interval '29 days', interval '1 day') d) END
         FROM generate_series({last_month}, {last_month}) m, generate_series(0, {last_customer}) c, generate_series(1, 3) p;",
        last_customer = CUSTOMERS - 1,
        last_month = MONTHS - 1,
    )
}

/// Users, assignments and live sessions, two hundred of each role.
fn sessions_sql(organizations: usize) -> String {
    let mut sql = String::new();
    for (kind, role) in [(1_u8, "client_admin"), (2, "customer_user")] {
        for seat in 0..SESSIONS {
            let organization = seat % organizations;
            let customer = (seat / organizations * 7) % CUSTOMERS;
            let (user, assignment) = (id(10 + kind, 0, seat), id(20 + kind, 0, seat));
            let customer = if kind == 2 { format!("'{}'", id(3, organization, customer)) } else { "NULL".to_owned() };
            let _ = write!(
                sql,
                "INSERT INTO users (id, email, name, password_salt, password_proof) VALUES ('{user}', 'seat-{kind}-{seat}@example.com', 'Seat {seat}', '$argon2id$v=19$m=19456,t=2,p=1$' || repeat('0', 32), '\\x00');
                 INSERT INTO role_assignments (organization_id, id, user_id, role, client_id, customer_id)
                 VALUES ('{}', '{assignment}', '{user}', '{role}', '{}', {customer});
                 INSERT INTO sessions (secret_hash, user_id, assignment_id, auth_hash, expires_at, idle_seconds)
                 VALUES (sha256('\\x{}'::bytea), '{user}', '{assignment}', sha256('\\x00'::bytea || convert_to('{assignment}', 'UTF8')), now() + interval '10 years', 300000000);",
                id(1, organization, 0),
                id(2, organization, 0),
                secret(kind, seat).hex(),
            );
        }
    }
    sql
}
