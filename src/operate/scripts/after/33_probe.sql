-- The proof: what runs with exactly the portal's rights.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

GRANT CREATE ON SCHEMA private TO eis_probe;
SET LOCAL ROLE eis_probe;

-- Runs one statement as the portal's login would and takes it back: how many rows, and the SQLSTATE when it was refused.
CREATE OR REPLACE FUNCTION private.probe(statement text, OUT touched bigint, OUT state text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE statement;
    GET DIAGNOSTICS touched = ROW_COUNT;
    RAISE EXCEPTION 'taken back' USING ERRCODE = 'EIS00';
EXCEPTION
    WHEN SQLSTATE 'EIS00' THEN NULL;
    WHEN OTHERS THEN touched := 0; state := SQLSTATE;
END $$;
COMMENT ON FUNCTION private.probe IS 'For test_rls_isolation() alone: runs a statement with exactly the portal''s rights and takes it back.';

CREATE OR REPLACE FUNCTION private.probe_context(secret bytea, narrow_client uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN PERFORM public.open_context(secret, narrow_client); END $$;

-- A condition that reads no column, so that only the policies of the command itself keep a blind UPDATE or DELETE from
-- others' rows. Where they do not, it stops at the twentieth: all is taken back, but nothing should be locked for long.
CREATE OR REPLACE FUNCTION private.at_most_twenty() RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE n integer := coalesce(nullif(current_setting('eis.touched', true), '')::integer, 0) + 1;
BEGIN
    IF n > 20 THEN RAISE EXCEPTION 'more than twenty rows' USING ERRCODE = 'EIS99'; END IF;
    EXECUTE format('SET LOCAL eis.touched = %s', n);
    RETURN true;
END $$;

REVOKE ALL ON FUNCTION private.probe, private.probe_context, private.at_most_twenty FROM PUBLIC;
GRANT EXECUTE ON FUNCTION private.probe, private.probe_context TO eis_owner;
SET LOCAL ROLE eis_owner;
REVOKE CREATE ON SCHEMA private FROM eis_probe;
