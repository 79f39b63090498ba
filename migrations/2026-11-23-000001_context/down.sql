REVOKE SELECT ON public.__diesel_schema_migrations FROM eis_app, eis_worker, eis_monitor;
DROP POLICY login_select ON public.__diesel_schema_migrations;
DROP POLICY owner_all ON public.__diesel_schema_migrations;
ALTER TABLE public.__diesel_schema_migrations NO FORCE ROW LEVEL SECURITY;
ALTER TABLE public.__diesel_schema_migrations DISABLE ROW LEVEL SECURITY;
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
DROP FUNCTION public.touch_updated_at;
DROP FUNCTION public.is_organization_admin, public.get_current_role, public.get_current_user_id,
    public.get_current_customer_id, public.get_current_client_id, public.get_current_organization_id,
    public.customer_scope, public.client_scope, public.organization_scope;
DROP FUNCTION private.nobody_else, private.writing_context, private.context, private.put_context, private.fresh_snapshot, private.mac;
DROP PROCEDURE private.protect, private.track_updates, private.rotate_signing_key, private.make_key, private.give_to_gate;
DROP TABLE private.signing_keys;
DROP SCHEMA private;
DROP EXTENSION btree_gist, pgcrypto;
DROP SCHEMA extensions;
REVOKE USAGE, CREATE ON SCHEMA public FROM eis_gate;
REVOKE USAGE ON SCHEMA public FROM eis_app, eis_worker, eis_monitor;
