-- The schema of what no login may read, and who may make functions where.
-- A script: it is applied again whenever it changes, before the migrations (docs/migrations.md).

CREATE SCHEMA IF NOT EXISTS private;
COMMENT ON SCHEMA private IS 'What no login may read: signing keys and the machinery of the tenant context.';
REVOKE ALL ON SCHEMA private FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA private TO eis_gate;
GRANT USAGE ON SCHEMA private TO eis_probe;
-- The first migration's way back takes these two away.
GRANT USAGE ON SCHEMA public TO eis_app, eis_worker, eis_monitor;
GRANT USAGE, CREATE ON SCHEMA public TO eis_gate;
