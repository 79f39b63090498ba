-- The audit log is tamper-evident: every record is sealed into a chain of hashes, one chain an organization. Whoever
-- changes, removes or slips in a record later, even as the tables' owner, breaks the chain from there on; to mend it
-- they would have to rewrite all of it, and its end is printed with every isolation report.
--
-- Sealing is deferred to the end of the writing transaction: the chain's end is locked for a moment only, after
-- everything else, so that writers of one organization never wait for each other's work.

CREATE TABLE public.audit_seals (
    organization_id uuid NOT NULL REFERENCES public.organizations (id),
    seq             bigint NOT NULL CHECK (seq > 0),
    record_id       uuid NOT NULL,
    hash            bytea NOT NULL CHECK (octet_length(hash) = 32),
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, seq),
    UNIQUE (organization_id, record_id),
    FOREIGN KEY (organization_id, record_id) REFERENCES public.audit_log (organization_id, id)
);
COMMENT ON TABLE public.audit_seals IS 'One link of an organization''s chain for each audit record: SHA-256 over the link before and the record.';
ALTER TABLE public.audit_seals ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.audit_seals FORCE ROW LEVEL SECURITY;
REVOKE ALL ON public.audit_seals FROM PUBLIC;
GRANT SELECT, INSERT ON public.audit_seals TO eis_gate;
CREATE POLICY gate_select ON public.audit_seals FOR SELECT TO eis_gate USING (true);
CREATE POLICY gate_insert ON public.audit_seals FOR INSERT TO eis_gate WITH CHECK (true);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON public.audit_seals
    FOR EACH ROW EXECUTE FUNCTION public.audit_log_is_append_only();

-- The end of each chain; its row is what writers queue for.
CREATE TABLE public.audit_chains (
    organization_id uuid PRIMARY KEY REFERENCES public.organizations (id),
    seq             bigint NOT NULL,
    hash            bytea NOT NULL
);
COMMENT ON TABLE public.audit_chains IS 'The last link of each organization''s chain.';
ALTER TABLE public.audit_chains ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.audit_chains FORCE ROW LEVEL SECURITY;
REVOKE ALL ON public.audit_chains FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE ON public.audit_chains TO eis_gate;
CREATE POLICY gate_all ON public.audit_chains FOR ALL TO eis_gate USING (true) WITH CHECK (true);

GRANT SELECT ON public.audit_log TO eis_gate;
CREATE POLICY gate_select ON public.audit_log FOR SELECT TO eis_gate USING (true);

-- The link of a record: the same for the same record whatever the session's settings are.
CREATE FUNCTION private.audit_link(previous bytea, seq bigint, r public.audit_log) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT pg_catalog.sha256(previous || pg_catalog.convert_to(pg_catalog.jsonb_build_array(
        seq, r.organization_id, r.id, r.client_id, r.customer_id, r.user_id, r.user_name, r.role, r.action, r.entity,
        r.entity_id, r.summary, r.details, r.address, (extract(epoch FROM r.at) * 1000000)::bigint)::text, 'UTF8'))
$$;
REVOKE ALL ON FUNCTION private.audit_link FROM PUBLIC;
ALTER FUNCTION private.audit_link OWNER TO eis_gate;

CREATE FUNCTION public.audit_log_is_sealed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    chain public.audit_chains;
    link bytea;
BEGIN
    INSERT INTO public.audit_chains VALUES (NEW.organization_id, 0, '') ON CONFLICT DO NOTHING;
    SELECT c.* INTO chain FROM public.audit_chains c WHERE c.organization_id = NEW.organization_id FOR UPDATE;
    link := private.audit_link(chain.hash, chain.seq + 1, NEW);
    INSERT INTO public.audit_seals (organization_id, seq, record_id, hash) VALUES (NEW.organization_id, chain.seq + 1, NEW.id, link);
    UPDATE public.audit_chains c SET seq = chain.seq + 1, hash = link WHERE c.organization_id = NEW.organization_id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION public.audit_log_is_sealed IS 'Adds a record to its organization''s chain as its transaction ends.';

-- What a record says of who and when is the context's word, not the writer's.
CREATE FUNCTION public.audit_log_tells_the_truth() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE fields text[];
BEGIN
    -- Without a context only the gate's own functions and the owner come this far.
    IF nullif(current_setting('eis.context', true), '') IS NULL THEN RETURN NEW; END IF;
    fields := private.context();
    IF fields IS NULL OR fields[5] = '' THEN RETURN NEW; END IF;
    NEW.user_id := fields[5]::uuid;
    NEW.user_name := (SELECT u.name FROM public.users u WHERE u.id = NEW.user_id);
    NEW.role := fields[6];
    NEW.at := now();
    -- What EIS staff change carries the reason for which they had stepped up.
    IF fields[6] = 'eis_staff' AND fields[7] = 'w' THEN
        NEW.details := NEW.details || jsonb_strip_nulls(jsonb_build_object('reason', private.step_up_reason(fields)));
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION public.audit_log_tells_the_truth IS 'Takes user, role and time of a record from the verified context, and the reason of EIS staff who change something.';

CREATE TRIGGER tells_the_truth BEFORE INSERT ON public.audit_log
    FOR EACH ROW EXECUTE FUNCTION public.audit_log_tells_the_truth();
CREATE CONSTRAINT TRIGGER is_sealed AFTER INSERT ON public.audit_log DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION public.audit_log_is_sealed();

-- Walks the chains. Each fault names the organization and the first place where it shows.
CREATE FUNCTION private.audit_chain_faults(narrow uuid) RETURNS TABLE (organization_id uuid, seq bigint, fault text)
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
REVOKE ALL ON FUNCTION private.audit_chain_faults FROM PUBLIC;
ALTER FUNCTION private.audit_chain_faults OWNER TO eis_gate;

CREATE FUNCTION public.audit_chain_faults() RETURNS TABLE (organization_id uuid, seq bigint, fault text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN QUERY SELECT * FROM private.audit_chain_faults(NULL); END $$;
COMMENT ON FUNCTION public.audit_chain_faults IS 'For the monitor and `portal check`: where the audit logs'' chains are broken; no row when they hold.';

CREATE FUNCTION public.my_audit_chain() RETURNS TABLE (records bigint, hash bytea, fault text)
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

CALL private.give_to_gate('{
    audit_log_is_sealed, audit_log_tells_the_truth, audit_chain_faults, my_audit_chain}', '');
SET LOCAL ROLE eis_gate;
GRANT EXECUTE ON FUNCTION public.audit_chain_faults TO eis_monitor;
GRANT EXECUTE ON FUNCTION public.my_audit_chain TO eis_app;
SET LOCAL ROLE eis_owner;

-- Records that were written before there was a chain, in the order of their time.
DO $$
DECLARE r public.audit_log;
BEGIN
    SET LOCAL ROLE eis_gate;
    FOR r IN SELECT l.* FROM public.audit_log l ORDER BY l.organization_id, l.at, l.id LOOP
        INSERT INTO public.audit_chains VALUES (r.organization_id, 0, '') ON CONFLICT DO NOTHING;
        WITH link AS (
            UPDATE public.audit_chains c SET seq = c.seq + 1, hash = private.audit_link(c.hash, c.seq + 1, r)
            WHERE c.organization_id = r.organization_id RETURNING c.seq, c.hash)
        INSERT INTO public.audit_seals (organization_id, seq, record_id, hash) SELECT r.organization_id, link.seq, r.id, link.hash FROM link;
    END LOOP;
    SET LOCAL ROLE eis_owner;
END $$;
