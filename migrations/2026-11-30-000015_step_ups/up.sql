-- EIS staff read. To write they step up: in the organization that is open, for a reason, for a time, in one session.
-- The database decides it with every context, so that nothing forgotten in the portal can write beyond it.

CREATE TABLE public.step_ups (
    organization_id uuid NOT NULL REFERENCES public.organizations (id),
    id              uuid NOT NULL,
    user_id         uuid NOT NULL REFERENCES public.users (id),
    session_id      uuid NOT NULL,
    reason          text NOT NULL CHECK (length(trim(reason)) BETWEEN 10 AND 500),
    expires_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    CHECK (expires_at <= created_at + interval '1 hour')
);
CREATE INDEX step_ups_session ON public.step_ups (session_id, expires_at);
COMMENT ON TABLE public.step_ups IS 'When EIS staff might write in an organization, who, and why. The session is not a foreign key: it goes, this stays.';
CALL private.protect('public.step_ups', 'organization', '{}');
GRANT SELECT, INSERT, UPDATE ON public.step_ups TO eis_gate;
REVOKE SELECT ON public.step_ups FROM eis_app, eis_worker;
GRANT SELECT (organization_id, id, user_id, reason, expires_at, ended_at, created_at) ON public.step_ups TO eis_app;
CREATE POLICY gate_all ON public.step_ups FOR ALL TO eis_gate USING (true) WITH CHECK (true);
CALL private.track_updates('public.step_ups');
