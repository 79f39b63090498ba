//! The tables under row-level security and their unprotected twin: the same columns, checks, indexes, foreign keys,
//! triggers and rows in a schema of a bench-only role, without policies. Made by the database itself, in a
//! database of its own.

use eis::operate::connect::{Connected, Login, Settings};
use portal::out;
use tokio_postgres::Client;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, accepts, to_sql_checked};
use uuid::Uuid;

use crate::scale::{id, secret};

/// Organizations, each with one client.
pub const ORGANIZATIONS: usize = 200;
/// Customers of each client.
pub const CUSTOMERS: usize = 500;
/// Invoices of each customer, one a month.
pub const MONTHS: usize = 20;
/// The bench's database.
const DATABASE: &str = "portal_bench_rls";

/// An id as the driver sends it.
#[derive(Debug, Clone, Copy)]
pub struct Id(pub Uuid);

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl ToSql for Id {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    accepts!(UUID);
    to_sql_checked!();
}

/// One organization's ids and the secret of its client admin's session.
#[derive(Debug)]
pub struct Tenant {
    /// What the context is opened with.
    pub secret: Vec<u8>,
    /// The organization.
    pub organization: Id,
    /// Its client.
    pub client: Id,
    /// Its number.
    pub number: usize,
}

impl Tenant {
    /// The tenant of a number.
    pub fn of(number: usize) -> Self {
        let secret = secret(9, number).bytes().to_vec();
        Self { secret, organization: Id(id(1, number, 0)), client: Id(id(2, number, 0)), number }
    }

    /// One of its customers.
    pub fn customer(&self, n: usize) -> Id {
        Id(id(3, self.number, n % CUSTOMERS))
    }

    /// One of its invoices.
    pub fn invoice(&self, n: usize) -> Id {
        Id(id(4, self.number, n % (CUSTOMERS * MONTHS)))
    }
}

/// A connection as a login, with plain SQL: the driver's share is the same on both sides.
pub async fn open(url: &str) -> Result<Client, String> {
    eis::db::link::client(url).await.map_err(|error| error.to_string())
}

/// What the database said, in full.
pub fn told(error: tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |db| format!("{}: {}", db.code().code(), db.message()))
}

/// The loaded database, made the first time; a connection as the portal's login.
pub async fn prepare(settings: &Settings) -> Result<(Connected, Client), String> {
    if settings.database_url.is_some() {
        return Err("this bench makes a database of its own in the private PostgreSQL: unset DATABASE_URL".to_owned());
    }
    let connected = settings.connect_to(DATABASE, true).map_err(|e| e.to_string())?;
    connected.migrate_up().await.map_err(|e| e.to_string())?;
    let admin = open(connected.admin_url()).await?;
    let there = admin.query_one("SELECT to_regclass('twin.loaded') IS NOT NULL", &[]).await.map_err(told)?;
    if !there.get::<_, bool>(0) {
        out::tell(format_args!("loading {} invoices twice into {DATABASE} …", ORGANIZATIONS * CUSTOMERS * MONTHS));
        for sql in [load(), twin(), "CREATE TABLE twin.loaded ()".to_owned()] {
            admin.batch_execute(&sql).await.map_err(told)?;
        }
    }
    admin.batch_execute("VACUUM (FREEZE, ANALYZE)").await.map_err(told)?;
    admin.batch_execute("CHECKPOINT").await.map_err(told)?;
    let app = open(&connected.url(Login::App)).await?;
    Ok((connected, app))
}

/// Drops the bench's database and role.
pub async fn discard(settings: &Settings) -> Result<(), String> {
    let admin = settings.connect_to("postgres", true).map_err(|e| e.to_string())?;
    let admin = open(admin.admin_url()).await?;
    admin.batch_execute(&format!("DROP DATABASE {DATABASE} WITH (FORCE)")).await.map_err(told)?;
    admin.batch_execute("DROP ROLE IF EXISTS eis_bench").await.map_err(told)
}

/// Ids as [`id`] makes them, in SQL.
const ID: &str = "CREATE FUNCTION pg_temp.id(kind integer, o integer, n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT ('01' || lpad(to_hex(kind), 2, '0') || lpad(to_hex(o), 8, '0') || '7000' || lpad(to_hex(n), 16, '0'))::uuid $$;";

/// The rows. Keys hold by the way they are made, so that loading need not look each one up.
fn load() -> String {
    let sessions: Vec<String> =
        (0..ORGANIZATIONS).map(|number| format!("({number}, '\\x{}'::bytea)", secret(9, number).hex())).collect();
    format!(
        "SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '256MB'; {ID}
         INSERT INTO organizations (id, slug, name) SELECT pg_temp.id(1, o, 0), 'scale-' || o, 'Scale ' || o FROM generate_series(0, {last}) o;
         INSERT INTO clients (organization_id, id, slug, name, legal_name, currency, time_zone, locale, invoice_series)
         SELECT pg_temp.id(1, o, 0), pg_temp.id(2, o, 0), 'client', 'Scale ' || o, 'Scale ' || o, 'USD', 'America/New_York', 'en-US', 'SC'
         FROM generate_series(0, {last}) o;
         INSERT INTO customers (organization_id, client_id, id, name)
         SELECT pg_temp.id(1, o, 0), pg_temp.id(2, o, 0), pg_temp.id(3, o, c), 'Customer ' || c
         FROM generate_series(0, {last}) o, generate_series(0, {CUSTOMERS} - 1) c;
         INSERT INTO accounts (organization_id, client_id, customer_id, id, account_number, is_main)
         SELECT pg_temp.id(1, o, 0), pg_temp.id(2, o, 0), pg_temp.id(3, o, c), pg_temp.id(3, o, c), 'A-' || lpad(c::text, 5, '0'), true
         FROM generate_series(0, {last}) o, generate_series(0, {CUSTOMERS} - 1) c;
         INSERT INTO service_points (organization_id, client_id, id, address, time_zone)
         SELECT pg_temp.id(1, o, 0), pg_temp.id(2, o, 0), pg_temp.id(3, o, c), c || ' Main Street', 'America/New_York'
         FROM generate_series(0, {last}) o, generate_series(0, {CUSTOMERS} - 1) c;
         INSERT INTO contracts (organization_id, client_id, customer_id, id, account_id, service_point_id, address, from_on, billing_anchor)
         SELECT pg_temp.id(1, o, 0), pg_temp.id(2, o, 0), pg_temp.id(3, o, c), pg_temp.id(3, o, c), pg_temp.id(3, o, c), pg_temp.id(3, o, c),
             c || ' Main Street', '2020-01-01', '2020-01-01'
         FROM generate_series(0, {last}) o, generate_series(0, {CUSTOMERS} - 1) c;
         INSERT INTO invoices (organization_id, client_id, id, customer_id, account_id, status, series, number, label, customer_name, account_number,
             period_from, period_to, issued_on, due_on, currency, tariff_name, kwh, net, tax, total, paid)
         SELECT pg_temp.id(1, o, 0), pg_temp.id(2, o, 0), pg_temp.id(4, o, c * {MONTHS} + m), pg_temp.id(3, o, c), pg_temp.id(3, o, c), s.status, 'SC', m * {CUSTOMERS} + c + 1,
             'SC-' || lpad((m * {CUSTOMERS} + c + 1)::text, 6, '0'), 'Customer ' || c, 'A-' || lpad(c::text, 5, '0'),
             p.day, (p.day + interval '1 month')::date, (p.day + interval '1 month 2 days')::date, (p.day + interval '1 month 16 days')::date,
             'USD', 'Residential', s.total * 6, s.total, 0, s.total, CASE s.status WHEN 'paid' THEN s.total WHEN 'part_paid' THEN 20 ELSE 0 END
         FROM generate_series(0, {last}) o, generate_series(0, {MONTHS} - 1) m, generate_series(0, {CUSTOMERS} - 1) c,
             LATERAL (SELECT (date '2026-11-01' - make_interval(months => {MONTHS} - m))::date AS day) p,
             LATERAL (SELECT (60 + (c * 37 + m * 11) % 180)::numeric(12,2) AS total,
                 CASE WHEN m = {MONTHS} - 1 THEN 'issued' WHEN (c + m) % 29 = 0 THEN 'part_paid' ELSE 'paid' END AS status) s;
         INSERT INTO invoice_counts (organization_id, client_id, status, invoices, open_amount)
         SELECT organization_id, client_id, status, count(*), sum(total - paid) FROM invoices GROUP BY 1, 2, 3;
         CREATE TEMPORARY TABLE seats (o integer, secret bytea);
         INSERT INTO seats VALUES {};
         INSERT INTO users (id, email, name, password_salt, password_proof)
         SELECT pg_temp.id(19, o, 0), 'seat-' || o || '@example.com', 'Seat ' || o, '$argon2id$v=19$m=19456,t=2,p=1$' || repeat('0', 32), '\\x00' FROM seats;
         INSERT INTO role_assignments (organization_id, id, user_id, role, client_id)
         SELECT pg_temp.id(1, o, 0), pg_temp.id(29, o, 0), pg_temp.id(19, o, 0), 'client_admin', pg_temp.id(2, o, 0) FROM seats;
         INSERT INTO sessions (secret_hash, user_id, assignment_id, auth_hash, expires_at, idle_seconds)
         SELECT sha256(secret), pg_temp.id(19, o, 0), pg_temp.id(29, o, 0),
             sha256('\\x00'::bytea || convert_to(pg_temp.id(29, o, 0)::text, 'UTF8')), now() + interval '10 years', 300000000 FROM seats;
         RESET session_replication_role;",
        sessions.join(", "),
        last = ORGANIZATIONS - 1,
    )
}

/// The twin: everything that an invoice hangs on, copied; foreign keys and triggers within the copy.
fn twin() -> String {
    let tables = ["clients", "customers", "accounts", "billing_runs", "invoices", "invoice_counts", "sessions"];
    let copies: String = tables
        .iter()
        .map(|table| {
            format!(
                "CREATE TABLE twin.{table} (LIKE public.{table} INCLUDING ALL);
                 ALTER TABLE twin.{table} OWNER TO eis_bench;
                 INSERT INTO twin.{table} SELECT * FROM public.{table} ORDER BY {};",
                if *table == "sessions" { "secret_hash" } else { "ctid" }
            )
        })
        .collect();
    format!(
        "DO $$ BEGIN
             IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'eis_bench') THEN CREATE ROLE eis_bench NOLOGIN; END IF;
         END $$;
         CREATE SCHEMA twin AUTHORIZATION eis_bench;
         SET session_replication_role = replica;
         {copies}
         RESET session_replication_role;
         ALTER TABLE twin.invoice_counts ALTER created_by DROP DEFAULT;
         DO $$
         DECLARE r record;
         BEGIN
             FOR r IN SELECT conrelid, pg_get_constraintdef(oid) AS definition FROM pg_constraint
                 WHERE contype = 'f' AND conrelid IN ('public.invoices'::regclass, 'public.invoice_counts'::regclass) AND conparentid = 0
             LOOP EXECUTE format('ALTER TABLE twin.%I ADD %s', (SELECT relname FROM pg_class WHERE oid = r.conrelid),
                 regexp_replace(r.definition, 'REFERENCES (public\\.)?', 'REFERENCES twin.')); END LOOP;
             EXECUTE replace(pg_get_functiondef('public.count_invoices'::regproc), 'public.', 'twin.');
             FOR r IN SELECT pg_get_triggerdef(oid) AS definition FROM pg_trigger
                 WHERE NOT tgisinternal AND tgrelid IN ('public.invoices'::regclass, 'public.invoice_counts'::regclass)
             LOOP EXECUTE replace(replace(replace(r.definition, ' ON invoices', ' ON twin.invoices'), ' ON public.', ' ON twin.'),
                 'FUNCTION count_invoices', 'FUNCTION twin.count_invoices'); END LOOP;
         END $$;
         GRANT USAGE ON SCHEMA twin TO eis_app;
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA twin TO eis_app;"
    )
}
