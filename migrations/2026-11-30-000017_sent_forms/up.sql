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
