-- Twice is once: every form carries an id made with it. The first sending writes that id in the transaction of its own
-- changes, with the answer that it got; the second finds it (or waits for the first to end) and is answered as the first.

CREATE TABLE public.sent_forms (
    user_id         uuid NOT NULL REFERENCES public.users (id),
    id              uuid NOT NULL,
    organization_id uuid REFERENCES public.organizations (id),
    digest          bytea NOT NULL CHECK (length(digest) = 32),
    location        text,
    said            text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    CHECK (location IS NOT NULL OR said IS NULL)
);
CREATE INDEX sent_forms_age ON public.sent_forms (user_id, created_at);
CREATE INDEX sent_forms_organization ON public.sent_forms (organization_id);
COMMENT ON TABLE public.sent_forms IS 'Forms that were sent and done, for a week: sent again, each is answered as it was and does nothing. Their sender''s own.';
COMMENT ON COLUMN public.sent_forms.id IS 'Made with the form, not with its sending.';
COMMENT ON COLUMN public.sent_forms.digest IS 'SHA-256 of what was sent and to which function: the same form with something else in it is another one.';
COMMENT ON COLUMN public.sent_forms.location IS 'Where its sender was led; NULL: nowhere.';
COMMENT ON COLUMN public.sent_forms.said IS 'What its sender was told there.';
ALTER TABLE public.sent_forms ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.sent_forms FORCE ROW LEVEL SECURITY;
REVOKE ALL ON public.sent_forms FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.sent_forms TO eis_gate;
CREATE POLICY gate_all ON public.sent_forms FOR ALL TO eis_gate USING (true) WITH CHECK (true);

CREATE FUNCTION public.send_form(form uuid, digest bytea, OUT fresh boolean, OUT alike boolean, OUT location text, OUT said text)
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

CREATE FUNCTION public.answer_form(form uuid, location text, said text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE fields text[] := private.context();
BEGIN
    UPDATE public.sent_forms f SET location = left(answer_form.location, 2000), said = left(answer_form.said, 4000)
    WHERE f.user_id = nullif(fields[5], '')::uuid AND f.id = form AND f.location IS NULL;
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION public.answer_form IS 'Keeps the answer that a form got, once.';

CALL private.give_to_gate('{send_form, answer_form}', 'eis_app');
