-- What decides who may see and do what, one line each: owners, row-level security, policies, rights, definer functions,
-- triggers. Rights of owners are left out, and so is whatever differs between server versions.
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
        p.proowner::regrole, CASE WHEN p.prosecdef THEN ' security definer' ELSE '' END, coalesce(' ' || array_to_string(p.proconfig, ' '), ''),
        left(md5(p.prosrc), 12))
    FROM functions p
    UNION ALL
    SELECT format('grant EXECUTE on %s.%s(%s) to %s', p.pronamespace::regnamespace, p.proname, pg_get_function_identity_arguments(p.oid),
        coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'))
    FROM functions p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee <> p.proowner
    UNION ALL
    SELECT format('trigger %s on %s.%s runs %s%s', t.tgname, c.relnamespace::regnamespace, c.relname, t.tgfoid::regproc,
        CASE t.tgenabled WHEN 'O' THEN '' ELSE ' enabled ' || t.tgenabled::text END)
    FROM pg_trigger t JOIN tables c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal
) AS every (line) ORDER BY line COLLATE "C"
