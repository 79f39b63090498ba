-- A password that is lost: a one-time link with which its person sets a new one. Whoever may grant the person's rights makes
-- it and hands it on, and so could use it: it works only while every right of the login is one that its maker may grant. That
-- is looked at when it is used, not when it is made: making one tells nothing of rights elsewhere.

CREATE TABLE public.password_resets (
    user_id         uuid PRIMARY KEY REFERENCES public.users (id),
    token_hash      bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    organization_id uuid NOT NULL REFERENCES public.organizations (id),
    client_id       uuid,
    made_as         text NOT NULL CHECK (made_as IN ('eis_staff', 'energy_admin', 'client_admin')),
    for_password    bytea NOT NULL CHECK (octet_length(for_password) = 32),
    expires_at      timestamptz NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid NOT NULL REFERENCES public.users (id),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id),
    CHECK ((client_id IS NOT NULL) = (made_as = 'client_admin'))
);
CREATE INDEX password_resets_place ON public.password_resets (organization_id, client_id);
CREATE INDEX password_resets_maker ON public.password_resets (created_by);
COMMENT ON TABLE public.password_resets IS 'One-time links by which a person sets a new password: one a login, for a day; the link''s token is kept as a hash only.';
COMMENT ON COLUMN public.password_resets.made_as IS 'The role in which it was made; client_id is the client of a client admin. It is worth no more than what that role may grant.';
COMMENT ON COLUMN public.password_resets.for_password IS 'SHA-256 of what was kept of the password: any change of it ends the link.';
ALTER TABLE public.password_resets ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.password_resets FORCE ROW LEVEL SECURITY;
REVOKE ALL ON public.password_resets FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.password_resets TO eis_gate;
CREATE POLICY gate_all ON public.password_resets FOR ALL TO eis_gate USING (true) WITH CHECK (true);
