REVOKE SELECT ON public.__diesel_schema_migrations FROM eis_app, eis_worker, eis_monitor;
DROP POLICY login_select ON public.__diesel_schema_migrations;
DROP POLICY owner_all ON public.__diesel_schema_migrations;
ALTER TABLE public.__diesel_schema_migrations NO FORCE ROW LEVEL SECURITY;
ALTER TABLE public.__diesel_schema_migrations DISABLE ROW LEVEL SECURITY;
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
DROP TABLE private.signing_keys;
DROP EXTENSION btree_gist, pgcrypto;
DROP SCHEMA extensions;
-- What the first script gave. It goes here; what scripts made goes after the last migration.
REVOKE USAGE, CREATE ON SCHEMA public FROM eis_gate;
REVOKE USAGE ON SCHEMA public FROM eis_app, eis_worker, eis_monitor;
