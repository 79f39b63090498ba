-- Invitations: links by which a person joins an organization.

CREATE TABLE public.invitations (
    organization_id uuid NOT NULL REFERENCES public.organizations (id),
    id              uuid NOT NULL,
    token_hash      bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    email           text NOT NULL CHECK (email LIKE '%_@_%' AND length(email) <= 254),
    name            text NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 200),
    role            text NOT NULL CHECK (role IN ('energy_admin', 'client_admin', 'customer_user')),
    client_id       uuid,
    customer_id     uuid,
    narrowed        text,
    invited_by      uuid NOT NULL REFERENCES public.users (id),
    reason          text,
    expires_at      timestamptz NOT NULL,
    accepted_at     timestamptz,
    revoked_at      timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id),
    CONSTRAINT invitations_customer FOREIGN KEY (organization_id, client_id, customer_id) REFERENCES public.customers (organization_id, client_id, id),
    CHECK ((client_id IS NULL) = (role = 'energy_admin') AND (customer_id IS NULL) = (role <> 'customer_user')),
    CHECK ((reason IS NULL) = (role <> 'energy_admin')),
    CONSTRAINT invitations_narrowed CHECK (narrowed IS NULL OR (role <> 'customer_user'
        AND narrowed IN ('read_only', 'service_desk', 'billing', 'finance')) OR narrowed = 'read_only')
);
COMMENT ON COLUMN public.invitations.narrowed IS 'What the role will be narrowed to, as in role_assignments.';
COMMENT ON COLUMN public.invitations.reason IS 'Why EIS staff had stepped up who made it: they alone make energy admins, and not without one.';
COMMENT ON TABLE public.invitations IS 'One-time links by which a person joins an organization; the link''s token is kept as a hash only.';
CALL private.protect('public.invitations', 'client', '{}');
REVOKE SELECT ON public.invitations FROM eis_app, eis_worker;
GRANT SELECT (organization_id, id, email, name, role, client_id, customer_id, narrowed, invited_by, expires_at, accepted_at, revoked_at, created_at)
    ON public.invitations TO eis_app;
GRANT SELECT, INSERT, UPDATE ON public.invitations TO eis_gate;
CREATE POLICY gate_all ON public.invitations FOR ALL TO eis_gate USING (true) WITH CHECK (true);
CALL private.track_updates('public.invitations');
