-- The gate: how the audit log's chain stands. For the page that shows the log the latest links are held against their records
-- with every look. The whole of a chain is walked by my_audit_chain() and `portal check`, which take as long as it is.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

SET LOCAL ROLE eis_gate;

-- The link of a record: the same for the same record whatever the session's settings are.
CREATE OR REPLACE FUNCTION private.audit_link(previous bytea, seq bigint, r public.audit_log) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT pg_catalog.sha256(previous || pg_catalog.convert_to(pg_catalog.jsonb_build_array(
        seq, r.organization_id, r.id, r.client_id, r.customer_id, r.user_id, r.user_name, r.role, r.action, r.entity,
        r.entity_id, r.summary, r.details, r.address, (extract(epoch FROM r.at) * 1000000)::bigint)::text, 'UTF8'))
$$;

-- Walks the chains. Each fault names the organization and the first place where it shows.
CREATE OR REPLACE FUNCTION private.audit_chain_faults(narrow uuid) RETURNS TABLE (organization_id uuid, seq bigint, fault text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT s.organization_id, s.seq,
        CASE WHEN s.seq <> s.expected THEN 'links are missing before this one'
             WHEN (s.r).id IS NULL THEN 'its record is gone'
             ELSE 'its record was changed' END
    FROM (SELECT x.organization_id, x.seq, x.hash, l AS r,
            pg_catalog.row_number() OVER w AS expected, pg_catalog.lag(x.hash, 1, ''::bytea) OVER w AS previous
          FROM public.audit_seals x LEFT JOIN public.audit_log l ON l.organization_id = x.organization_id AND l.id = x.record_id
          WHERE narrow IS NULL OR x.organization_id = narrow
          WINDOW w AS (PARTITION BY x.organization_id ORDER BY x.seq)) s
    WHERE s.seq <> s.expected OR (s.r).id IS NULL OR s.hash <> private.audit_link(s.previous, s.seq, s.r);
    RETURN QUERY
    SELECT l.organization_id, NULL::bigint, pg_catalog.format('the record %s was slipped in', l.id)
    FROM public.audit_log l WHERE (narrow IS NULL OR l.organization_id = narrow)
      AND NOT EXISTS (SELECT 1 FROM public.audit_seals x WHERE x.organization_id = l.organization_id AND x.record_id = l.id);
    RETURN QUERY
    SELECT c.organization_id, c.seq, 'the chain ends elsewhere than it should'
    FROM public.audit_chains c WHERE (narrow IS NULL OR c.organization_id = narrow)
      AND NOT EXISTS (SELECT 1 FROM public.audit_seals x WHERE x.organization_id = c.organization_id AND x.seq = c.seq AND x.hash = c.hash
        AND NOT EXISTS (SELECT 1 FROM public.audit_seals y WHERE y.organization_id = c.organization_id AND y.seq > c.seq));
END $$;

CREATE OR REPLACE FUNCTION public.audit_chain_faults() RETURNS TABLE (organization_id uuid, seq bigint, fault text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN QUERY SELECT * FROM private.audit_chain_faults(NULL); END $$;
COMMENT ON FUNCTION public.audit_chain_faults IS 'For the monitor and `portal check`: where the audit logs'' chains are broken; no row when they hold.';

CREATE OR REPLACE FUNCTION public.my_audit_chain() RETURNS TABLE (records bigint, hash bytea, fault text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE org uuid := public.organization_scope();
BEGIN
    IF org IS NULL THEN RETURN; END IF;
    RETURN QUERY SELECT coalesce(c.seq, 0), coalesce(c.hash, ''),
        (SELECT f.fault FROM private.audit_chain_faults(org) f ORDER BY f.seq NULLS LAST LIMIT 1)
    FROM (VALUES (1)) one LEFT JOIN public.audit_chains c ON c.organization_id = org;
END $$;
COMMENT ON FUNCTION public.my_audit_chain IS
    'The chain of the organization that the context sees all of: its length, its end, and the first fault, NULL when it holds.';

-- For who sees the organization: how many records, the chain's end, and the first fault among the latest links.
-- For who sees one client: the same of that client's records, without the number and the end, which tell of siblings.
CREATE OR REPLACE FUNCTION public.my_audit_links(links bigint)
RETURNS TABLE (records bigint, checked bigint, sealed_at timestamptz, hash bytea, fault text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    org uuid := public.organization_scope();
    part record;
    chain public.audit_chains;
    since bigint;
BEGIN
    links := least(greatest(links, 1), 10000);
    IF org IS NULL THEN
        SELECT s.organization_id, s.client_id INTO part FROM public.client_scope() s;
        IF part.client_id IS NULL THEN RETURN; END IF;
        RETURN QUERY
        SELECT NULL::bigint, count(*), max(x.created_at), NULL::bytea,
            min(CASE WHEN x.seq IS NULL THEN 'A record was slipped in behind the portal''s back.'
                WHEN x.hash <> private.audit_link(coalesce(y.hash, ''), x.seq, l) THEN 'A record was changed after it was written.' END)
        FROM (SELECT a.* FROM public.audit_log a WHERE a.organization_id = part.organization_id AND a.client_id = part.client_id
              ORDER BY a.at DESC, a.id DESC LIMIT links) l
        LEFT JOIN public.audit_seals x ON x.organization_id = l.organization_id AND x.record_id = l.id
        LEFT JOIN public.audit_seals y ON y.organization_id = x.organization_id AND y.seq = x.seq - 1;
        RETURN;
    END IF;
    SELECT c.* INTO chain FROM public.audit_chains c WHERE c.organization_id = org;
    since := greatest(coalesce(chain.seq, 0) - links, 0);
    RETURN QUERY
    WITH tail AS (
        SELECT x.seq, x.hash, x.record_id, x.created_at FROM public.audit_seals x WHERE x.organization_id = org AND x.seq >= since),
    faults AS (
        SELECT t.seq AS place, CASE WHEN p.seq IS NULL AND t.seq > 1 THEN 'Records are missing before this one.'
            WHEN l.id IS NULL THEN 'A record is gone.'
            WHEN t.hash <> private.audit_link(coalesce(p.hash, ''), t.seq, l) THEN 'A record was changed after it was written.' END AS fault
        FROM tail t LEFT JOIN tail p ON p.seq = t.seq - 1
        LEFT JOIN public.audit_log l ON l.organization_id = org AND l.id = t.record_id
        WHERE t.seq > since
        UNION ALL
        SELECT coalesce(chain.seq, 0) + 1, 'The chain ends elsewhere than it should.'
        WHERE (SELECT max(t.seq) FROM tail t) IS DISTINCT FROM chain.seq
            OR (SELECT t.hash FROM tail t ORDER BY t.seq DESC LIMIT 1) IS DISTINCT FROM chain.hash
        UNION ALL
        SELECT coalesce(chain.seq, 0) + 2, 'A record was slipped in behind the portal''s back.'
        FROM (SELECT a.id FROM public.audit_log a WHERE a.organization_id = org ORDER BY a.at DESC, a.id DESC LIMIT links) a
        WHERE NOT EXISTS (SELECT 1 FROM public.audit_seals x WHERE x.organization_id = org AND x.record_id = a.id))
    SELECT coalesce(chain.seq, 0), (SELECT count(*) FROM tail t WHERE t.seq > since),
        (SELECT max(t.created_at) FROM tail t), coalesce(chain.hash, ''),
        (SELECT f.fault FROM faults f WHERE f.fault IS NOT NULL ORDER BY f.place LIMIT 1);
END $$;
COMMENT ON FUNCTION public.my_audit_links IS
    'The latest links of the chain held against their records, as far as the context sees: number of records, how many were held, when the last was sealed, the chain''s end, the first fault (NULL: none).';

REVOKE ALL ON FUNCTION private.audit_link, private.audit_chain_faults, public.audit_chain_faults, public.my_audit_chain,
    public.my_audit_links FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.audit_chain_faults TO eis_monitor;
GRANT EXECUTE ON FUNCTION public.my_audit_chain, public.my_audit_links TO eis_app;
SET LOCAL ROLE eis_owner;
