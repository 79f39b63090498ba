-- The proof: what stands, as views of the catalogue.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

-- ── What stands ────────────────────────────────────────────────────────────────────────────────────
--
-- Views of the catalogue for eis_monitor. The first is also what `portal check` asks: it takes its text from between
-- the two marks here, so that a view that was tampered with does not fool it.

CREATE OR REPLACE VIEW public.isolation_state WITH (security_invoker = true, security_barrier = true) AS
-- state: begin
-- What decides who may see and do what, one line each: owners, row-level security, policies, rights, definer functions,
-- triggers, constraints, settings of logins. Rights of owners are left out, and so is whatever differs between server versions.
WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('public', 'private')),
tables AS (SELECT c.* FROM pg_class c JOIN ours o ON o.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')),
functions AS (SELECT p.* FROM pg_proc p JOIN ours o ON o.oid = p.pronamespace)
SELECT line FROM (
    SELECT format('schema %s owner %s', n.nspname, n.nspowner::regrole) FROM pg_namespace n JOIN ours USING (oid)
    UNION ALL
    SELECT format('grant %s on schema %s to %s', a.privilege_type, n.nspname, coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'))
    FROM pg_namespace n JOIN ours USING (oid), aclexplode(n.nspacl) a WHERE a.grantee <> n.nspowner
    UNION ALL
    SELECT format('%s %s.%s owner %s%s%s', CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialised view' WHEN 'S' THEN 'sequence'
            WHEN 'f' THEN 'foreign table' ELSE 'table' END, c.relnamespace::regnamespace, c.relname, c.relowner::regrole,
        CASE WHEN c.relrowsecurity THEN ' row security' ELSE '' END, CASE WHEN c.relforcerowsecurity THEN ' forced' ELSE '' END)
    FROM tables c
    UNION ALL
    SELECT format('grant %s on %s.%s to %s%s', a.privilege_type, c.relnamespace::regnamespace, c.relname,
        coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'), CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END)
    FROM tables c, aclexplode(c.relacl) a WHERE a.grantee <> c.relowner
    UNION ALL
    SELECT format('grant %s (%s) on %s.%s to %s', a.privilege_type, t.attname, c.relnamespace::regnamespace, c.relname,
        coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'))
    FROM tables c JOIN pg_attribute t ON t.attrelid = c.oid AND NOT t.attisdropped, aclexplode(t.attacl) a WHERE a.grantee <> c.relowner
    UNION ALL
    SELECT format('policy %s on %s.%s for %s%s to %s using %s check %s', p.polname, c.relnamespace::regnamespace, c.relname, p.polcmd,
        CASE WHEN p.polpermissive THEN '' ELSE ' restrictive' END,
        (SELECT string_agg(coalesce(nullif(r, 0)::regrole::text, 'PUBLIC'), ', ' ORDER BY nullif(r, 0)::regrole::text) FROM unnest(p.polroles) r),
        regexp_replace(coalesce(pg_get_expr(p.polqual, p.polrelid), '-'), '\s+', ' ', 'g'),
        regexp_replace(coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '-'), '\s+', ' ', 'g'))
    FROM pg_policy p JOIN tables c ON c.oid = p.polrelid
    UNION ALL
    SELECT format('function %s.%s(%s) owner %s%s%s body %s', p.pronamespace::regnamespace, p.proname, pg_get_function_identity_arguments(p.oid),
        p.proowner::regrole, CASE WHEN p.prosecdef THEN ' security definer' ELSE '' END || CASE WHEN p.proleakproof THEN ' leakproof' ELSE '' END,
        coalesce((SELECT ' ' || string_agg(c, ' ' ORDER BY c) FROM unnest(p.proconfig) c), ''),
        left(md5(p.prosrc), 12))
    FROM functions p
    UNION ALL
    SELECT format('grant EXECUTE on %s.%s(%s) to %s', p.pronamespace::regnamespace, p.proname, pg_get_function_identity_arguments(p.oid),
        coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'))
    FROM functions p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee <> p.proowner
    UNION ALL
    SELECT format('trigger %s.%s %s%s', c.relnamespace::regnamespace, c.relname, pg_get_triggerdef(t.oid),
        CASE t.tgenabled WHEN 'O' THEN '' ELSE ' enabled ' || t.tgenabled::text END)
    FROM pg_trigger t JOIN tables c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal
    UNION ALL
    SELECT format('trigger of the constraint %s on %s.%s enabled %s', k.conname, c.relnamespace::regnamespace, c.relname, t.tgenabled)
    FROM pg_trigger t JOIN tables c ON c.oid = t.tgrelid JOIN pg_constraint k ON k.oid = t.tgconstraint WHERE t.tgisinternal AND t.tgenabled <> 'O'
    UNION ALL
    SELECT format('event trigger %s runs %s', e.evtname, e.evtfoid::regproc) FROM pg_event_trigger e
    UNION ALL
    SELECT format('rule %s on %s.%s', r.rulename, c.relnamespace::regnamespace, c.relname)
    FROM pg_rewrite r JOIN tables c ON c.oid = r.ev_class WHERE r.rulename <> '_RETURN'
    UNION ALL
    SELECT format('constraint %s on %s.%s %s', k.conname, c.relnamespace::regnamespace, c.relname, regexp_replace(pg_get_constraintdef(k.oid), '\s+', ' ', 'g'))
    FROM pg_constraint k JOIN tables c ON c.oid = k.conrelid WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
    UNION ALL
    SELECT format('unique index %s', pg_get_indexdef(i.indexrelid)) FROM pg_index i JOIN tables c ON c.oid = i.indrelid
    WHERE i.indisunique AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = c.oid)
    UNION ALL
    SELECT format('default grant %s on %s of %s%s to %s', a.privilege_type, d.defaclobjtype, d.defaclrole::regrole,
        coalesce(' in ' || nullif(d.defaclnamespace, 0)::regnamespace::text, ''), coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'))
    FROM pg_default_acl d, aclexplode(d.defaclacl) a WHERE a.grantee <> d.defaclrole
    UNION ALL
    SELECT format('setting %s of %s', line, r.rolname)
    FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) line
    WHERE r.rolname LIKE 'eis\_%' AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
    UNION ALL
    SELECT format('grant %s on parameter %s to %s', a.privilege_type, p.parname, coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'))
    FROM pg_parameter_acl p, aclexplode(p.paracl) a WHERE a.grantee = 0 OR a.grantee::regrole::text LIKE 'eis\_%'
    UNION ALL
    SELECT format('grant EXECUTE on %s.%s(%s) to %s', p.pronamespace::regnamespace, p.proname, pg_get_function_identity_arguments(p.oid), r.rolname)
    FROM pg_proc p, aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee
    WHERE p.pronamespace = 'pg_catalog'::regnamespace AND r.rolname LIKE 'eis\_%'
    UNION ALL
    SELECT format('schema %s open to %s', n.nspname, r.rolname) FROM pg_namespace n, pg_roles r
    WHERE r.rolname IN ('eis_app', 'eis_worker', 'eis_monitor') AND has_schema_privilege(r.oid, n.oid, 'USAGE')
        AND n.nspname NOT IN ('public', 'private', 'information_schema') AND n.nspname !~ '^pg_'
) AS every (line) ORDER BY line COLLATE "C"
-- state: end
;
COMMENT ON VIEW public.isolation_state IS 'Everything that decides who may see and do what in this database, one line each.';

CREATE OR REPLACE VIEW public.isolation_drift WITH (security_invoker = true, security_barrier = true) AS
SELECT 'missing' AS fault, m.line FROM (SELECT e.line FROM public.expected_state e EXCEPT SELECT s.line FROM public.isolation_state s) m
UNION ALL
SELECT 'unexpected', u.line FROM (SELECT s.line FROM public.isolation_state s EXCEPT SELECT e.line FROM public.expected_state e) u;
COMMENT ON VIEW public.isolation_drift IS 'How isolation_state differs from expected_state; no row when nothing drifted.';

CREATE OR REPLACE VIEW public.isolation_tables WITH (security_invoker = true, security_barrier = true) AS
SELECT n.nspname || '.' || c.relname AS table_name, c.relowner::regrole::text AS owner, c.relrowsecurity AS row_security, c.relforcerowsecurity AS forced,
    EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped) AS names_tenants,
    c.relispartition AS is_partition,
    (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies,
    ARRAY(SELECT r FROM unnest('{eis_app,eis_worker,eis_monitor}'::text[]) r WHERE has_any_column_privilege(r, c.oid, 'SELECT')) AS readers,
    ARRAY(SELECT r FROM unnest('{eis_app,eis_worker,eis_monitor}'::text[]) r
        WHERE has_any_column_privilege(r, c.oid, 'INSERT, UPDATE') OR has_table_privilege(r, c.oid, 'DELETE, TRUNCATE')) AS writers
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('public', 'private') AND c.relkind IN ('r', 'p');
COMMENT ON VIEW public.isolation_tables IS 'Tables: owner, row-level security and whether it is forced, policies, which logins read and write.';

CREATE OR REPLACE VIEW public.isolation_policies WITH (security_invoker = true, security_barrier = true) AS
SELECT p.schemaname || '.' || p.tablename AS table_name, p.policyname::text AS policy, p.cmd AS command, p.permissive = 'PERMISSIVE' AS permissive,
    p.roles::text[] AS roles, p.qual AS using_expression, p.with_check AS check_expression
FROM pg_policies p WHERE p.schemaname IN ('public', 'private');
COMMENT ON VIEW public.isolation_policies IS 'Policies: table, command, roles, conditions.';

CREATE OR REPLACE VIEW public.isolation_grants WITH (security_invoker = true, security_barrier = true) AS
SELECT n.nspname || '.' || c.relname AS object, coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC') AS grantee, a.privilege_type AS privilege,
    NULL::text AS column_name, a.is_grantable AS grantable
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
WHERE n.nspname IN ('public', 'private') AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND a.grantee <> c.relowner
UNION ALL
SELECT n.nspname || '.' || c.relname, coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'), a.privilege_type, t.attname::text, a.is_grantable
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute t ON t.attrelid = c.oid AND NOT t.attisdropped, aclexplode(t.attacl) a
WHERE n.nspname IN ('public', 'private') AND a.grantee <> c.relowner
UNION ALL
SELECT p.oid::regprocedure::text, coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'), a.privilege_type, NULL, a.is_grantable
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
WHERE n.nspname IN ('public', 'private') AND a.grantee <> p.proowner;
COMMENT ON VIEW public.isolation_grants IS 'Rights on tables, columns and functions, but those of their owners.';

CREATE OR REPLACE VIEW public.isolation_functions WITH (security_invoker = true, security_barrier = true) AS
SELECT p.oid::regprocedure::text AS function, p.proowner::regrole::text AS owner,
    coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false) AS search_path_fixed, p.proleakproof AS leakproof,
    ARRAY(SELECT coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC') FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        WHERE a.grantee <> p.proowner ORDER BY 1) AS callers,
    obj_description(p.oid, 'pg_proc') AS purpose
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('public', 'private') AND p.prosecdef;
COMMENT ON VIEW public.isolation_functions IS 'Functions that run with their owner''s rights: owner, fixed search_path, who may call them.';

CREATE OR REPLACE VIEW public.isolation_roles WITH (security_invoker = true, security_barrier = true) AS
SELECT r.rolname::text AS role, r.rolcanlogin AS logs_in, r.rolsuper AS superuser, r.rolbypassrls AS bypasses_rls, r.rolinherit AS inherits,
    ARRAY(SELECT m.roleid::regrole::text FROM pg_auth_members m WHERE m.member = r.oid ORDER BY 1) AS member_of
FROM pg_roles r WHERE r.rolname LIKE 'eis\_%';
COMMENT ON VIEW public.isolation_roles IS 'The portal''s roles and what they could do beyond policies: nothing.';

GRANT SELECT ON public.isolation_state, public.isolation_drift, public.isolation_tables, public.isolation_policies, public.isolation_grants,
    public.isolation_functions, public.isolation_roles TO eis_monitor;
