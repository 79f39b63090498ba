-- A second factor: codes by time (RFC 6238) from an authenticator app, and ten codes on paper for when it is lost.
--
-- The secret lies where no login reads it, and the check is here: the portal hands over six digits and is told yes or no.
-- The time step of the last code taken is kept, so that a code works once, whoever saw it typed. SHA-1 is what every
-- authenticator app speaks (several ignore that another is asked for); as a key in HMAC it is not weakened by collisions.

CREATE TABLE public.second_factors (
    user_id       uuid PRIMARY KEY REFERENCES public.users (id),
    secret        bytea NOT NULL CHECK (octet_length(secret) = 20),
    session_id    uuid,
    begun_at      timestamptz NOT NULL DEFAULT now(),
    confirmed_at  timestamptz,
    taken_at      timestamptz,
    last_step     bigint NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL DEFAULT now(),
    created_by    uuid,
    updated_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE public.second_factors IS 'Secrets of authenticator apps; in use once confirmed with a code.';
COMMENT ON COLUMN public.second_factors.session_id IS
    'The session that began it and alone is shown the secret, until it is confirmed or ten minutes are over. No foreign key: it goes, this stays.';
COMMENT ON COLUMN public.second_factors.taken_at IS
    'When the operator took it away, since it was lost; until another is confirmed. No days of grace begin with that.';
COMMENT ON COLUMN public.second_factors.last_step IS 'The 30-second step of the last code that was taken: none up to it is taken again.';

CREATE TABLE public.recovery_codes (
    user_id       uuid NOT NULL REFERENCES public.users (id),
    salt          bytea NOT NULL CHECK (octet_length(salt) = 16),
    code_hash     bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    used_at       timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    created_by    uuid,
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, code_hash)
);
COMMENT ON TABLE public.recovery_codes IS
    'SHA-256 of salt and code, of codes that stand in for the authenticator app, once each. 140 random bits need no slow digest.';

CREATE TABLE private.second_factor_rule (
    one           boolean PRIMARY KEY DEFAULT true CHECK (one),
    grace_days    integer NOT NULL CHECK (grace_days BETWEEN 0 AND 36500),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE private.second_factor_rule IS
    'One row: how many days EIS staff and energy admins may do without a second factor. Written by the owner (portal serve --second-factor-grace); no login reads or writes it.';
COMMENT ON COLUMN private.second_factor_rule.grace_days IS 'Days of 24 hours from when a person was first given such a role.';

ALTER TABLE public.second_factors ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.second_factors FORCE ROW LEVEL SECURITY;
ALTER TABLE public.recovery_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.recovery_codes FORCE ROW LEVEL SECURITY;
ALTER TABLE private.second_factor_rule ENABLE ROW LEVEL SECURITY;
ALTER TABLE private.second_factor_rule FORCE ROW LEVEL SECURITY;
REVOKE ALL ON public.second_factors, public.recovery_codes, private.second_factor_rule FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.second_factors, public.recovery_codes TO eis_gate;
GRANT SELECT ON private.second_factor_rule TO eis_gate;
CREATE POLICY gate_all ON public.second_factors FOR ALL TO eis_gate USING (true) WITH CHECK (true);
CREATE POLICY gate_all ON public.recovery_codes FOR ALL TO eis_gate USING (true) WITH CHECK (true);
CREATE POLICY gate_read ON private.second_factor_rule FOR SELECT TO eis_gate USING (true);
CREATE POLICY owner_set ON private.second_factor_rule FOR ALL TO eis_owner USING (true) WITH CHECK (true);
CALL private.track_updates('public.second_factors');
CALL private.track_updates('public.recovery_codes');
CALL private.track_updates('private.second_factor_rule');
INSERT INTO private.second_factor_rule (grace_days) VALUES (14);
