-- Users: who may sign in.

CREATE TABLE public.users (
    id                  uuid PRIMARY KEY,
    email               text NOT NULL CHECK (email LIKE '%_@_%' AND length(email) <= 254),
    name                text NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 200),
    password_salt       text,
    password_proof      bytea,
    password_changed_at timestamptz,
    status              text NOT NULL DEFAULT 'active' CHECK (status IN ('invited', 'active', 'disabled', 'service')),
    created_at          timestamptz NOT NULL DEFAULT now(),
    created_by          uuid,
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CHECK (status <> 'active' OR (password_salt IS NOT NULL AND password_proof IS NOT NULL)),
    CHECK (password_salt ~ '^\$argon2id\$v=19\$m=[1-9][0-9]{3,6},t=[1-9][0-9]?,p=[1-9]\$[0-9a-f]{32}$'),
    CHECK (status <> 'service' OR (password_salt IS NULL AND password_proof IS NULL))
);
CREATE UNIQUE INDEX users_email ON public.users (lower(email));
CREATE INDEX users_salt ON public.users (split_part(password_salt, '$', 5));
COMMENT ON TABLE public.users IS 'Login identities; never tenant data. Only the gate''s functions read or write them.';
COMMENT ON COLUMN public.users.password_salt IS
    'Argon2id''s parameters and the salt, as PHC strings write them: passwords that were digested under weaker parameters are so until their person signs in.';
COMMENT ON COLUMN public.users.status IS
    'service: a service identity, which no password, session or job stands for; every door of a person asks for active.';
COMMENT ON COLUMN public.users.password_proof IS
    'SHA-256 of the Argon2id output that the portal computes with password_salt: what lies here cannot itself be used to sign in.';
ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.users FORCE ROW LEVEL SECURITY;
REVOKE ALL ON public.users FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE ON public.users TO eis_gate;
CREATE POLICY gate_all ON public.users FOR ALL TO eis_gate USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON public.users FOR ALL TO eis_owner USING (true) WITH CHECK (true);
CALL private.track_updates('public.users');
