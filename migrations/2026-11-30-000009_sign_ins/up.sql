-- Sign-ins: the attempts, for the limit and for their user.

CREATE TABLE public.sign_ins (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id     uuid REFERENCES public.users (id),
    account     bytea NOT NULL,
    address     text NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('entered', 'signed_in', 'password', 'wrong', 'limited', 'ended')),
    at          timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sign_ins_account ON public.sign_ins (account, at);
CREATE INDEX sign_ins_address ON public.sign_ins (address, at);
CREATE INDEX sign_ins_user ON public.sign_ins (user_id, at);
CREATE INDEX sign_ins_known ON public.sign_ins (account, address, at) WHERE outcome = 'signed_in';
COMMENT ON COLUMN public.sign_ins.outcome IS
    'entered: under way or left off, and counted as wrong until it is known. password: it was right and the second factor is still asked for; this sets no count of wrong attempts back. limited: refused, told once a quarter of an hour. ended: signing in ended the oldest of too many sessions, which was of this address.';
COMMENT ON TABLE public.sign_ins IS 'Attempts to sign in: the limit counts them, their user reads their own. Unknown addresses are kept as a hash only.';
ALTER TABLE public.sign_ins ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.sign_ins FORCE ROW LEVEL SECURITY;
REVOKE ALL ON public.sign_ins FROM PUBLIC;
-- Not the number: between two of one's own it would count everybody's.
GRANT SELECT (user_id, address, outcome, at) ON public.sign_ins TO eis_app;
GRANT SELECT, INSERT, DELETE, UPDATE (outcome) ON public.sign_ins TO eis_gate;
CREATE POLICY own_select ON public.sign_ins FOR SELECT TO eis_app
    USING (user_id = (SELECT public.get_current_user_id()));
CREATE POLICY gate_all ON public.sign_ins FOR ALL TO eis_gate USING (true) WITH CHECK (true);
