-- Organizations: the tenants.

CREATE TABLE public.organizations (
    id            uuid PRIMARY KEY,
    slug          text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{1,62}$'),
    name          text NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 200),
    status        text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    currency      text NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z]{3}$'),
    time_zone     text NOT NULL DEFAULT 'UTC',
    locale        text NOT NULL DEFAULT 'en-US',
    metadata      jsonb NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL DEFAULT now(),
    created_by    uuid,
    updated_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE public.organizations IS 'The tenants. A login sees the one its context names, nothing of the others.';
ALTER TABLE public.organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.organizations FORCE ROW LEVEL SECURITY;
REVOKE ALL ON public.organizations FROM PUBLIC;
GRANT SELECT ON public.organizations TO eis_app, eis_worker, eis_gate;
CREATE POLICY member_select ON public.organizations FOR SELECT TO eis_app, eis_worker
    USING (id = (SELECT public.get_current_organization_id()));
CREATE POLICY gate_select ON public.organizations FOR SELECT TO eis_gate USING (true);
CREATE POLICY owner_all ON public.organizations FOR ALL TO eis_owner USING (true) WITH CHECK (true);
CALL private.track_updates('public.organizations');
