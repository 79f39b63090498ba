-- How the audit log's chain stands, for the page that shows the log: the latest links are held against their records
-- with every look. The whole of a chain is walked by my_audit_chain() and `portal check`, which take as long as it is.

-- For who sees the organization: how many records, the chain's end, and the first fault among the latest links.
-- For who sees one client: the same of that client's records, without the number and the end, which tell of siblings.
CREATE FUNCTION public.my_audit_links(links bigint)
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
CALL private.give_to_gate('{my_audit_links}', 'eis_app');
