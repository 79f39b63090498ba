-- What the isolation report tells beside the record of runs: how old the key is that signs contexts. The key itself is
-- for nobody to read.
CREATE FUNCTION public.signing_key_made_at() RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN (SELECT k.created_at FROM private.signing_keys k ORDER BY k.id DESC LIMIT 1); END $$;
COMMENT ON FUNCTION public.signing_key_made_at IS 'Since when contexts are signed with the key in use.';
CALL private.give_to_gate('{signing_key_made_at}', 'eis_app, eis_monitor');
