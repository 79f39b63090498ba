-- The gate: forms that were sent.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

SET LOCAL ROLE eis_gate;

CREATE OR REPLACE FUNCTION public.send_form(form uuid, digest bytea, OUT fresh boolean, OUT alike boolean, OUT location text, OUT said text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.context();
    me uuid := nullif(fields[5], '')::uuid;
    here uuid := nullif(fields[2], '')::uuid;
BEGIN
    IF me IS NULL THEN RAISE EXCEPTION 'nobody sends this' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours'; END IF;
    -- Skipping what another sending is removing: nobody waits for it.
    DELETE FROM public.sent_forms f WHERE f.user_id = me AND f.id IN (SELECT o.id FROM public.sent_forms o
        WHERE o.user_id = me AND o.created_at < now() - interval '7 days' FOR UPDATE SKIP LOCKED);
    INSERT INTO public.sent_forms (user_id, id, organization_id, digest) VALUES (me, form, here, send_form.digest) ON CONFLICT DO NOTHING;
    fresh := FOUND;
    alike := true;
    IF NOT fresh THEN
        SELECT f.digest = send_form.digest AND f.organization_id IS NOT DISTINCT FROM here INTO alike
        FROM public.sent_forms f WHERE f.user_id = me AND f.id = form;
    END IF;
    IF NOT fresh AND alike THEN
        SELECT f.location, f.said INTO location, said FROM public.sent_forms f WHERE f.user_id = me AND f.id = form;
    END IF;
END $$;
COMMENT ON FUNCTION public.send_form IS 'Takes a form''s id for this transaction; of two at once the second waits. One that was sent before tells the answer it got, to its sender alone.';

CREATE OR REPLACE FUNCTION public.answer_form(form uuid, location text, said text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE fields text[] := private.context();
BEGIN
    UPDATE public.sent_forms f SET location = left(answer_form.location, 2000), said = left(answer_form.said, 4000)
    WHERE f.user_id = nullif(fields[5], '')::uuid AND f.id = form AND f.location IS NULL;
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION public.answer_form IS 'Keeps the answer that a form got, once.';

REVOKE ALL ON FUNCTION public.send_form, public.answer_form FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.send_form, public.answer_form TO eis_app;
SET LOCAL ROLE eis_owner;
