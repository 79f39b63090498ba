-- Role assignments: who may act as what, for whom, from when to when.

CREATE TABLE public.role_assignments (
    organization_id uuid REFERENCES public.organizations (id),
    id              uuid PRIMARY KEY,
    user_id         uuid NOT NULL REFERENCES public.users (id),
    role            text NOT NULL CHECK (role IN ('eis_staff', 'energy_admin', 'client_admin', 'customer_user', 'service')),
    client_id       uuid,
    customer_id     uuid,
    narrowed        text,
    administrator   boolean NOT NULL DEFAULT false CHECK (NOT administrator OR role = 'eis_staff'),
    valid_from      timestamptz NOT NULL DEFAULT now(),
    valid_to        timestamptz,
    last_day        date CHECK (isfinite(last_day)),
    granted_by      uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id),
    CONSTRAINT role_assignments_customer FOREIGN KEY (organization_id, client_id, customer_id) REFERENCES public.customers (organization_id, client_id, id),
    CHECK (last_day IS NULL OR valid_to IS NOT NULL),
    CONSTRAINT role_assignments_narrowed CHECK (narrowed IS NULL OR (role IN ('energy_admin', 'client_admin')
        AND narrowed IN ('read_only', 'service_desk', 'billing', 'finance')) OR (role = 'customer_user' AND narrowed = 'read_only')),
    -- One right is held once at a time, so that taking it back leaves none of it.
    CONSTRAINT role_assignments_held_once EXCLUDE USING gist (
        user_id WITH =, role WITH =,
        coalesce(organization_id, '00000000-0000-0000-0000-000000000000') WITH =,
        coalesce(client_id, '00000000-0000-0000-0000-000000000000') WITH =,
        coalesce(customer_id, '00000000-0000-0000-0000-000000000000') WITH =,
        tstzrange(valid_from, valid_to) WITH &&),
    CHECK (CASE role
        WHEN 'eis_staff' THEN organization_id IS NULL AND client_id IS NULL AND customer_id IS NULL
        WHEN 'energy_admin' THEN organization_id IS NOT NULL AND client_id IS NULL AND customer_id IS NULL
        WHEN 'client_admin' THEN organization_id IS NOT NULL AND client_id IS NOT NULL AND customer_id IS NULL
        WHEN 'service' THEN organization_id IS NOT NULL AND customer_id IS NULL
        ELSE organization_id IS NOT NULL AND client_id IS NOT NULL AND customer_id IS NOT NULL END)
);
CREATE INDEX role_assignments_user ON public.role_assignments (user_id);
CREATE INDEX role_assignments_tenant ON public.role_assignments (organization_id, client_id, customer_id);
COMMENT ON TABLE public.role_assignments IS
    'Who may act as what, for whom, from when to when. EIS staff belong to no organization; every other role does.';
COMMENT ON COLUMN public.role_assignments.role IS
    'service: the one assignment of a service identity, at its organization or at one client; no door of a person opens it.';
COMMENT ON COLUMN public.role_assignments.narrowed IS
    'What a role is narrowed to: by command, never by row. NULL: the whole role. read_only: its contexts never write.';
COMMENT ON COLUMN public.role_assignments.administrator IS
    'EIS staff who may work as the system across organizations. Given at the command line alone (portal user create --administrator).';
COMMENT ON COLUMN public.role_assignments.last_day IS
    'The last day on which the role holds where its client is, or its organization; valid_to is that day''s end. NULL: no end, or taken back at a moment.';
ALTER TABLE public.role_assignments ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.role_assignments FORCE ROW LEVEL SECURITY;
REVOKE ALL ON public.role_assignments FROM PUBLIC;
GRANT SELECT ON public.role_assignments TO eis_app;
GRANT SELECT, INSERT, UPDATE ON public.role_assignments TO eis_gate;
CREATE POLICY own_select ON public.role_assignments FOR SELECT TO eis_app
    USING (user_id = (SELECT public.get_current_user_id()));
CREATE POLICY level1_organization_select ON public.role_assignments FOR SELECT TO eis_app
    USING (organization_id = (SELECT public.organization_scope()));
CREATE POLICY level2_client_select ON public.role_assignments FOR SELECT TO eis_app
    USING ((organization_id, client_id) = (SELECT s.organization_id, s.client_id FROM public.client_scope() s));
CREATE POLICY gate_all ON public.role_assignments FOR ALL TO eis_gate USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON public.role_assignments FOR ALL TO eis_owner USING (true) WITH CHECK (true);
CALL private.track_updates('public.role_assignments');

-- A role ends with its day, also when its client or its organization moves to another zone.
CREATE FUNCTION public.roles_keep_their_day() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moved jsonb := to_jsonb(NEW);
    organization uuid := coalesce(moved ->> 'organization_id', moved ->> 'id')::uuid;
    client uuid := CASE WHEN moved ? 'organization_id' THEN (moved ->> 'id')::uuid END;
BEGIN
    UPDATE public.role_assignments a SET valid_to = greatest(private.end_of_day(a.last_day, NEW.time_zone), now())
    WHERE a.organization_id = organization AND a.client_id IS NOT DISTINCT FROM client AND a.last_day IS NOT NULL AND a.valid_to > now();
    RETURN NULL;
END $$;
COMMENT ON FUNCTION public.roles_keep_their_day IS 'Moves the moment at which roles end to the end of their day in the new zone.';
CREATE TRIGGER roles_keep_their_day AFTER UPDATE OF time_zone ON public.clients FOR EACH ROW
    WHEN (OLD.time_zone <> NEW.time_zone) EXECUTE FUNCTION public.roles_keep_their_day();
CREATE TRIGGER roles_keep_their_day AFTER UPDATE OF time_zone ON public.organizations FOR EACH ROW
    WHEN (OLD.time_zone <> NEW.time_zone) EXECUTE FUNCTION public.roles_keep_their_day();
CALL private.give_to_gate('{roles_keep_their_day}', '');
