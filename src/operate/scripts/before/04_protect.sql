-- What makes a table's policies, rights and triggers.
-- A script: it is applied again whenever it changes, before the migrations (docs/migrations.md).

-- The one place that knows the form of a policy. `level` is the deepest tenant column of the table:
-- 'organization', 'client' or 'customer'. For each level above and at it: a read policy, and for
-- organization and client a write policy per command in `writes`. `customer_sees` narrows what the
-- customer level reads. Names: level<depth>_<level>_<command>; the deepest is asked first (PostgreSQL asks permissive
-- policies in the reverse of their names' order and stops at the first that holds), and its readers are the most.
CREATE OR REPLACE PROCEDURE private.protect(target regclass, level text, writes text[] DEFAULT '{INSERT,UPDATE}',
    customer_sees text DEFAULT NULL, client_column text DEFAULT 'client_id') LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    logins CONSTANT text := 'eis_app, eis_worker, eis_owner';
    scope record;
    command text;
    predicate text;
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC', target);
    EXECUTE format('GRANT SELECT ON TABLE %s TO eis_app, eis_worker', target);
    FOR scope IN SELECT * FROM (VALUES
        ('organization', 1, 'organization_id = (SELECT public.organization_scope(%s))'),
        ('client', 2, '(organization_id, ' || client_column || ') = (SELECT s.organization_id, s.client_id FROM public.client_scope(%s) s)')
    ) AS v (name, depth, form) WHERE depth <= CASE protect.level WHEN 'organization' THEN 1 ELSE 2 END
    LOOP
        EXECUTE format('CREATE POLICY %I ON %s FOR SELECT TO %s USING (%s)',
            'level' || scope.depth || '_' || scope.name || '_select', target, logins, format(scope.form, ''));
        predicate := format(scope.form, 'true');
        FOREACH command IN ARRAY writes LOOP
            EXECUTE format('CREATE POLICY %I ON %s FOR %s TO %s %s %s', 'level' || scope.depth || '_' || scope.name || '_' || lower(command), target,
                command, logins,
                CASE WHEN command = 'INSERT' THEN '' ELSE 'USING (' || predicate || ')' END,
                CASE WHEN command = 'DELETE' THEN '' ELSE 'WITH CHECK (' || predicate || ')' END);
        END LOOP;
    END LOOP;
    FOREACH command IN ARRAY writes LOOP
        EXECUTE format('GRANT %s ON TABLE %s TO eis_app, eis_worker', command, target);
    END LOOP;
    IF protect.level = 'customer' THEN
        EXECUTE format('CREATE POLICY level3_customer_select ON %s FOR SELECT TO %s USING '
            '((organization_id, client_id, customer_id) = (SELECT s.organization_id, s.client_id, s.customer_id FROM public.customer_scope() s)%s)',
            target, logins, coalesce(' AND (' || customer_sees || ')', ''));
    END IF;
END $$;
COMMENT ON PROCEDURE private.protect IS 'Enables and forces RLS on a table and makes its policies and grants; the form is in isolation.md''s sense exact.';

CREATE OR REPLACE FUNCTION public.touch_updated_at() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
COMMENT ON FUNCTION public.touch_updated_at IS 'Keeps updated_at true whoever writes.';

CREATE OR REPLACE PROCEDURE private.track_updates(target regclass) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER touch_updated_at BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at()', target);
END $$;

-- ── Policies ───────────────────────────────────────────────────────────────────────────────────────

-- The one place that knows the form of policies of what lies in a workspace. `at_least`: the member's role that writes;
-- `customer_sees`: what customers read of a published one, NULL: nothing.
CREATE OR REPLACE PROCEDURE private.protect_in_workspace(target regclass, at_least text, writes text[], customer_sees text DEFAULT NULL,
    workspace_column text DEFAULT 'workspace_id') LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    logins CONSTANT text := 'eis_app, eis_worker, eis_owner';
    tenant CONSTANT text := '(organization_id, client_id) = (SELECT s.organization_id, s.client_id FROM public.%I(%s) s)';
    scope text;
    command text;
    predicate text;
BEGIN
    CALL private.protect(target, 'organization', writes);
    FOREACH scope IN ARRAY '{client,member}'::text[] LOOP
        FOREACH command IN ARRAY 'SELECT'::text || writes LOOP
            predicate := CASE scope
                WHEN 'client' THEN format(tenant, 'overseer_scope', CASE command WHEN 'SELECT' THEN '' ELSE 'true' END)
                ELSE format(tenant, 'client_scope', CASE command WHEN 'SELECT' THEN '' ELSE 'true' END)
                    || format(' AND %I = ANY ((SELECT public.member_scope(%s))::uuid[])', workspace_column,
                        CASE command WHEN 'SELECT' THEN '' ELSE format('%L, true', at_least) END)
                END;
            EXECUTE format('CREATE POLICY %I ON %s FOR %s TO %s %s %s', 'level2_' || scope || '_' || lower(command), target, command, logins,
                CASE WHEN command = 'INSERT' THEN '' ELSE 'USING (' || predicate || ')' END,
                CASE WHEN command IN ('SELECT', 'DELETE') THEN '' ELSE 'WITH CHECK (' || predicate || ')' END);
        END LOOP;
    END LOOP;
    IF customer_sees IS NOT NULL THEN
        EXECUTE format('CREATE POLICY level3_customer_select ON %s FOR SELECT TO %s USING '
            '((organization_id, client_id) = (SELECT s.organization_id, s.client_id FROM public.customer_scope() s) AND %s)', target, logins, customer_sees);
    END IF;
END $$;
COMMENT ON PROCEDURE private.protect_in_workspace IS
    'As private.protect, for what lies in a workspace: overseers see all of a client, its admins what they are members of.';

-- Policies of what is one person's own, at the organization and at a client. The owner of the tables, as whom nobody
-- logs in, stands for the whole organization.
CREATE OR REPLACE PROCEDURE private.protect_own(target regclass, writes text[]) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    scope record;
    command text;
    predicate text;
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC', target);
    FOREACH command IN ARRAY 'SELECT'::text || writes LOOP
        EXECUTE format('GRANT %s ON TABLE %s TO eis_app, eis_worker', command, target);
        FOR scope IN SELECT * FROM (VALUES
            ('level1_own_', 'organization_id = (SELECT public.organization_scope(%s))'),
            ('level2_own_', '(organization_id, client_id) = (SELECT s.organization_id, s.client_id FROM public.client_scope(%s) s)')) AS v (name, form)
        LOOP
            predicate := format(scope.form, CASE command WHEN 'SELECT' THEN '' ELSE 'true' END) || ' AND user_id = (SELECT public.get_current_user_id())';
            EXECUTE format('CREATE POLICY %I ON %s FOR %s TO eis_app, eis_worker %s %s', scope.name || lower(command), target, command,
                CASE WHEN command = 'INSERT' THEN '' ELSE 'USING (' || predicate || ')' END,
                CASE WHEN command IN ('SELECT', 'DELETE') THEN '' ELSE 'WITH CHECK (' || predicate || ')' END);
        END LOOP;
    END LOOP;
    EXECUTE format('CREATE POLICY owner_all ON %s FOR ALL TO eis_owner USING (organization_id = (SELECT public.organization_scope())) '
        'WITH CHECK (organization_id = (SELECT public.organization_scope(true)))', target);
END $$;
COMMENT ON PROCEDURE private.protect_own IS 'As private.protect, for rows of a client that only their own person sees (user_id).';

REVOKE ALL ON FUNCTION public.touch_updated_at FROM PUBLIC, eis_app, eis_worker, eis_monitor, eis_gate;
REVOKE ALL ON PROCEDURE private.protect, private.track_updates, private.protect_in_workspace, private.protect_own FROM PUBLIC, eis_app, eis_worker, eis_monitor, eis_gate;
