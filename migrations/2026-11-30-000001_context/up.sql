-- What signs the tenant context: the keys. The functions that sign, verify and read it are scripts
-- (src/operate/scripts/before), applied before this.
--
-- Runs as eis_owner. Roles (created by `portal migrate up` before the first migration):
--   eis_owner   NOLOGIN, owns tables; subject to RLS like everyone (FORCE)
--   eis_gate    NOLOGIN, owns the functions that check session secrets and sign contexts
--   eis_app     the portal's login        eis_worker  background work
--   eis_monitor reads catalogues and health, no tenant rows
--
-- A context is the setting eis.context: 'level|organization|client|customer|user|role|writable|limits|pid|transaction start|key|mac'.
-- Limits: what narrows the role ('read_only', 'billing', …), or the one command of a service identity; empty: all that the role may.
-- Anyone may write a setting; only eis_gate can compute the mac, and it binds the context to this
-- backend and this transaction, so that a copied one is worth nothing (docs/isolation.md, "How it is built").

-- btree_gist: operators that exclusion constraints compare ids and texts with. pgcrypto: HMAC-SHA-1 and random bytes for
-- the second factor. Trusted extensions, so that the owner may make them; their functions then belong to the server's
-- superuser and are PUBLIC's, which only the right to the schema takes away: it is the gate's alone.
CREATE SCHEMA extensions;
COMMENT ON SCHEMA extensions IS 'Extensions of PostgreSQL, nothing of ours.';
REVOKE ALL ON SCHEMA extensions FROM PUBLIC;
GRANT USAGE ON SCHEMA extensions TO eis_gate;
CREATE EXTENSION btree_gist WITH SCHEMA extensions;
CREATE EXTENSION pgcrypto WITH SCHEMA extensions;

CREATE TABLE private.signing_keys (
    id          bigint PRIMARY KEY CHECK (id >= 0),
    inner_key   bytea NOT NULL CHECK (octet_length(inner_key) = 64),
    outer_key   bytea NOT NULL CHECK (octet_length(outer_key) = 64),
    created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE private.signing_keys IS
    'HMAC-SHA-256 keys, kept as their two padded halves (RFC 2104). The highest id signs tenant contexts, the one before it is still believed; 0 makes the sign-in page''s salts for unknown accounts and never changes.';
ALTER TABLE private.signing_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE private.signing_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY gate_read ON private.signing_keys FOR SELECT TO eis_gate USING (true);
CREATE POLICY owner_rotate ON private.signing_keys FOR ALL TO eis_owner USING (true) WITH CHECK (true);
GRANT SELECT ON private.signing_keys TO eis_gate;
CALL private.make_key(0);
CALL private.make_key(1);

-- Nothing new is open to everyone by default.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- The migrations' own table: no tenant data; the portal reads it to know whether it is current.
ALTER TABLE public.__diesel_schema_migrations ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.__diesel_schema_migrations FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON public.__diesel_schema_migrations FOR ALL TO eis_owner USING (true) WITH CHECK (true);
CREATE POLICY login_select ON public.__diesel_schema_migrations FOR SELECT TO eis_app, eis_worker, eis_monitor USING (true);
GRANT SELECT ON public.__diesel_schema_migrations TO eis_app, eis_worker, eis_monitor;
