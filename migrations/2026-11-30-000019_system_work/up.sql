-- System work: what EIS administrators do across organizations.
--
-- "Execute as system": EIS administrators alone, for a reason, for a quarter of an hour at most, in one session. It is
-- written into the log of each organization first, in a transaction that has ended, and opens after that.

CREATE TABLE public.system_work (
    organization_id uuid NOT NULL REFERENCES public.organizations (id),
    id              uuid NOT NULL,
    user_id         uuid NOT NULL REFERENCES public.users (id),
    session_id      uuid NOT NULL,
    reason          text NOT NULL CHECK (length(trim(reason)) BETWEEN 10 AND 500),
    writes          boolean NOT NULL,
    expires_at      timestamptz NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    CHECK (expires_at <= created_at + interval '15 minutes')
);
CREATE INDEX system_work_session ON public.system_work (session_id, organization_id, expires_at);
COMMENT ON TABLE public.system_work IS 'When an EIS administrator worked as the system in an organization, who, and why.';
CALL private.protect('public.system_work', 'organization', '{}');
GRANT SELECT, INSERT, UPDATE ON public.system_work TO eis_gate;
REVOKE SELECT ON public.system_work FROM eis_app, eis_worker;
GRANT SELECT (organization_id, id, user_id, reason, writes, expires_at, created_at) ON public.system_work TO eis_app;
CREATE POLICY gate_all ON public.system_work FOR ALL TO eis_gate USING (true) WITH CHECK (true);
CALL private.track_updates('public.system_work');
