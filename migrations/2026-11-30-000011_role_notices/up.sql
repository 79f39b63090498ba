-- Role notices: what EIS staff changed in who runs an organization.

CREATE TABLE public.role_notices (
    organization_id uuid NOT NULL REFERENCES public.organizations (id),
    id              uuid NOT NULL DEFAULT gen_random_uuid(),
    user_id         uuid NOT NULL REFERENCES public.users (id),
    summary         text NOT NULL,
    reason          text NOT NULL,
    seen_at         timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX role_notices_unseen ON public.role_notices (organization_id, user_id, created_at) WHERE seen_at IS NULL;
COMMENT ON TABLE public.role_notices IS
    'What EIS staff changed in who runs an organization, or the operator in how one of them signs in: a row for each of its energy admins, shown until they say that they have seen it. The gate alone writes it.';
COMMENT ON COLUMN public.role_notices.user_id IS 'Who is told.';
COMMENT ON COLUMN public.role_notices.reason IS 'Why the staff had stepped up, or what the operator says.';
CALL private.protect('public.role_notices', 'organization', '{}');
REVOKE SELECT ON public.role_notices FROM eis_worker;
GRANT SELECT, INSERT, UPDATE ON public.role_notices TO eis_gate;
CREATE POLICY gate_all ON public.role_notices FOR ALL TO eis_gate USING (true) WITH CHECK (true);
CALL private.track_updates('public.role_notices');
