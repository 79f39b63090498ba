-- Organizations, users, who may do what, sessions, and the audit log.

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

CREATE TABLE public.users (
    id                  uuid PRIMARY KEY,
    email               text NOT NULL CHECK (email LIKE '%_@_%' AND length(email) <= 254),
    name                text NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 200),
    password_salt       text,
    password_proof      bytea,
    password_changed_at timestamptz,
    status              text NOT NULL DEFAULT 'active' CHECK (status IN ('invited', 'active', 'disabled')),
    created_at          timestamptz NOT NULL DEFAULT now(),
    created_by          uuid,
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CHECK (status <> 'active' OR (password_salt IS NOT NULL AND password_proof IS NOT NULL)),
    CHECK (password_salt ~ '^\$argon2id\$v=19\$m=[1-9][0-9]{3,6},t=[1-9][0-9]?,p=[1-9]\$[0-9a-f]{32}$')
);
CREATE UNIQUE INDEX users_email ON public.users (lower(email));
CREATE INDEX users_salt ON public.users (split_part(password_salt, '$', 5));
COMMENT ON TABLE public.users IS 'Login identities; never tenant data. Only the gate''s functions read or write them.';
COMMENT ON COLUMN public.users.password_salt IS
    'Argon2id''s parameters and the salt, as PHC strings write them: passwords that were digested under weaker parameters are so until their person signs in.';
COMMENT ON COLUMN public.users.password_proof IS
    'SHA-256 of the Argon2id output that the portal computes with password_salt: what lies here cannot itself be used to sign in.';
ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.users FORCE ROW LEVEL SECURITY;
REVOKE ALL ON public.users FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE ON public.users TO eis_gate;
CREATE POLICY gate_all ON public.users FOR ALL TO eis_gate USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON public.users FOR ALL TO eis_owner USING (true) WITH CHECK (true);
CALL private.track_updates('public.users');

CREATE TABLE public.clients (
    organization_id     uuid NOT NULL REFERENCES public.organizations (id),
    id                  uuid NOT NULL,
    slug                text NOT NULL CHECK (slug ~ '^[a-z0-9][a-z0-9-]{1,62}$'),
    name                text NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 200),
    legal_name          text NOT NULL,
    address             text NOT NULL DEFAULT '',
    tax_number          text NOT NULL DEFAULT '',
    currency            text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    time_zone           text NOT NULL,
    locale              text NOT NULL,
    invoice_series      text NOT NULL CHECK (invoice_series ~ '^[A-Z0-9-]{1,12}$'),
    tax_name            text NOT NULL DEFAULT 'Tax',
    tax_rate            numeric(7,4) NOT NULL DEFAULT 0 CHECK (tax_rate >= 0 AND tax_rate < 1),
    payment_terms_days  smallint NOT NULL DEFAULT 14 CHECK (payment_terms_days BETWEEN 0 AND 365),
    status              text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'closed')),
    tariff_comparison   boolean NOT NULL DEFAULT false,
    metadata            jsonb NOT NULL DEFAULT '{}',
    created_at          timestamptz NOT NULL DEFAULT now(),
    created_by          uuid,
    updated_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, slug)
);
COMMENT ON TABLE public.clients IS 'Energy companies of an organization: brand, invoice series, zone, currency, tax, terms.';
COMMENT ON COLUMN public.clients.tax_rate IS 'A share: 0.19 is 19 %. Applies where a tariff names no tax of its own.';
COMMENT ON COLUMN public.clients.tariff_comparison IS 'Whether customers may compare what they paid with the tariffs on offer.';
CALL private.protect('public.clients', 'client', '{INSERT,UPDATE}', client_column => 'id');
CREATE POLICY level3_customer_select ON public.clients FOR SELECT TO eis_app, eis_worker, eis_owner
    USING ((organization_id, id) = (SELECT s.organization_id, s.client_id FROM public.customer_scope() s));
DROP POLICY level2_client_insert ON public.clients;
GRANT SELECT ON public.clients TO eis_gate;
CREATE POLICY gate_select ON public.clients FOR SELECT TO eis_gate USING (true);
CALL private.track_updates('public.clients');

CREATE TABLE public.role_assignments (
    organization_id uuid REFERENCES public.organizations (id),
    id              uuid PRIMARY KEY,
    user_id         uuid NOT NULL REFERENCES public.users (id),
    role            text NOT NULL CHECK (role IN ('eis_staff', 'energy_admin', 'client_admin', 'customer_user')),
    client_id       uuid,
    customer_id     uuid,
    administrator   boolean NOT NULL DEFAULT false CHECK (NOT administrator OR role = 'eis_staff'),
    valid_from      timestamptz NOT NULL DEFAULT now(),
    valid_to        timestamptz,
    last_day        date CHECK (isfinite(last_day)),
    granted_by      uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id),
    CHECK (last_day IS NULL OR valid_to IS NOT NULL),
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
        ELSE organization_id IS NOT NULL AND client_id IS NOT NULL AND customer_id IS NOT NULL END)
);
CREATE INDEX role_assignments_user ON public.role_assignments (user_id);
CREATE INDEX role_assignments_tenant ON public.role_assignments (organization_id, client_id, customer_id);
COMMENT ON TABLE public.role_assignments IS
    'Who may act as what, for whom, from when to when. EIS staff belong to no organization; every other role does.';
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

CREATE TABLE public.sessions (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    secret_hash     bytea NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
    data            text NOT NULL DEFAULT '{}' CHECK (octet_length(data) <= 160 * 1024),
    user_id         uuid NOT NULL REFERENCES public.users (id),
    assignment_id   uuid REFERENCES public.role_assignments (id),
    organization_id uuid REFERENCES public.organizations (id),
    auth_hash       bytea,
    address         text NOT NULL DEFAULT '',
    agent           text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    seen_at         timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    idle_seconds    integer NOT NULL CHECK (idle_seconds > 0),
    viewed_client_id   uuid,
    viewed_customer_id uuid,
    viewed_until       timestamptz,
    bound_at           timestamptz NOT NULL DEFAULT now(),
    CHECK ((viewed_customer_id IS NULL) = (viewed_until IS NULL) AND (viewed_client_id IS NULL) = (viewed_until IS NULL))
);
CREATE INDEX sessions_user ON public.sessions (user_id);
CREATE INDEX sessions_expiry ON public.sessions (expires_at);
COMMENT ON TABLE public.sessions IS
    'Web sessions by the SHA-256 of their secret. Each is somebody''s from the start, by a ticket that a right password or a switch earned: nobody keeps anything here without.';
COMMENT ON COLUMN public.sessions.data IS 'What the web keeps with the session: one form that was typed at most, a link or codes until they were shown once, and little else. Sealed under the session''s secret, which lies in its browser alone.';
COMMENT ON COLUMN public.sessions.organization_id IS 'The organization that EIS staff opened; NULL for every other role.';
COMMENT ON COLUMN public.sessions.viewed_until IS
    'Until then this session of staff or an admin sees the portal as a customer does (viewed_client_id, viewed_customer_id): the customer''s rows, reading only.';
COMMENT ON COLUMN public.sessions.bound_at IS
    'When the session last became another''s: bound, seeing as a customer or no longer. It opens contexts in later transactions only, so that none is had of a record that is taken back.';
COMMENT ON COLUMN public.sessions.auth_hash IS 'Password and assignment as they were when the session was bound; it ends when they change.';
ALTER TABLE public.sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.sessions FORCE ROW LEVEL SECURITY;
REVOKE ALL ON public.sessions FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.sessions TO eis_gate;
CREATE POLICY gate_all ON public.sessions FOR ALL TO eis_gate USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON public.sessions FOR ALL TO eis_owner USING (true) WITH CHECK (true);

CREATE TABLE public.session_tickets (
    ticket_hash     bytea PRIMARY KEY CHECK (octet_length(ticket_hash) = 32),
    user_id         uuid NOT NULL REFERENCES public.users (id),
    assignment_id   uuid REFERENCES public.role_assignments (id),
    organization_id uuid REFERENCES public.organizations (id),
    session_ends    timestamptz,
    expires_at      timestamptz NOT NULL,
    needs_code      boolean NOT NULL DEFAULT false,
    auth_hash       bytea NOT NULL CHECK (octet_length(auth_hash) = 32)
);
COMMENT ON COLUMN public.session_tickets.auth_hash IS 'Password and assignment as they were when it was earned, as in a session: it is worth nothing once they change, whoever changes them.';
COMMENT ON COLUMN public.session_tickets.needs_code IS 'The password was right and the second factor is still asked for: this ticket binds no session.';
COMMENT ON COLUMN public.session_tickets.session_ends IS 'The end of the session that is continued under a new id: switching never prolongs it. NULL after signing in.';
COMMENT ON TABLE public.session_tickets IS
    'One-minute, one-use proofs that a session may be bound to a user and assignment: every change of privilege gets a new session id.';
ALTER TABLE public.session_tickets ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.session_tickets FORCE ROW LEVEL SECURITY;
REVOKE ALL ON public.session_tickets FROM PUBLIC;
GRANT SELECT, INSERT, DELETE ON public.session_tickets TO eis_gate;
CREATE POLICY gate_all ON public.session_tickets FOR ALL TO eis_gate USING (true) WITH CHECK (true);

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

CREATE TABLE public.invitations (
    organization_id uuid NOT NULL REFERENCES public.organizations (id),
    id              uuid NOT NULL,
    token_hash      bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    email           text NOT NULL CHECK (email LIKE '%_@_%' AND length(email) <= 254),
    name            text NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 200),
    role            text NOT NULL CHECK (role IN ('energy_admin', 'client_admin', 'customer_user')),
    client_id       uuid,
    customer_id     uuid,
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
    CHECK ((client_id IS NULL) = (role = 'energy_admin') AND (customer_id IS NULL) = (role <> 'customer_user')),
    CHECK ((reason IS NULL) = (role <> 'energy_admin'))
);
COMMENT ON COLUMN public.invitations.reason IS 'Why EIS staff had stepped up who made it: they alone make energy admins, and not without one.';
COMMENT ON TABLE public.invitations IS 'One-time links by which a person joins an organization; the link''s token is kept as a hash only.';
CALL private.protect('public.invitations', 'client', '{}');
REVOKE SELECT ON public.invitations FROM eis_app, eis_worker;
GRANT SELECT (organization_id, id, email, name, role, client_id, customer_id, invited_by, expires_at, accepted_at, revoked_at, created_at)
    ON public.invitations TO eis_app;
GRANT SELECT, INSERT, UPDATE ON public.invitations TO eis_gate;
CREATE POLICY gate_all ON public.invitations FOR ALL TO eis_gate USING (true) WITH CHECK (true);
CALL private.track_updates('public.invitations');

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

CREATE TABLE public.audit_log (
    organization_id uuid NOT NULL REFERENCES public.organizations (id),
    id              uuid NOT NULL,
    client_id       uuid,
    customer_id     uuid,
    user_id         uuid,
    user_name       text NOT NULL,
    role            text NOT NULL,
    action          text NOT NULL CHECK (action ~ '^[a-z_]+$'),
    entity          text NOT NULL CHECK (entity ~ '^[a-z_]+$'),
    entity_id       uuid,
    summary         text NOT NULL,
    details         jsonb NOT NULL DEFAULT '{}',
    address         text NOT NULL DEFAULT '',
    at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id)
);
CREATE INDEX audit_log_organization ON public.audit_log (organization_id, at DESC, id DESC);
CREATE INDEX audit_log_client ON public.audit_log (organization_id, client_id, at DESC, id DESC);
COMMENT ON TABLE public.audit_log IS 'Who did what to which row, when, in which organization, from where. Append-only: no login may change or delete a record.';
CALL private.protect('public.audit_log', 'client', '{}');
GRANT INSERT ON public.audit_log TO eis_app, eis_worker, eis_gate;
CREATE POLICY gate_insert ON public.audit_log FOR INSERT TO eis_gate WITH CHECK (true);
-- As `protect` would make them, and in nobody else's name. Who only reads leaves no record by itself: what is to be on record
-- of reading, a function of the gate writes (opening an organization, the test of isolation).
CREATE POLICY level1_organization_insert ON public.audit_log FOR INSERT TO eis_app, eis_worker, eis_owner
    WITH CHECK (organization_id = (SELECT public.organization_scope(true))
        AND user_id IS NOT DISTINCT FROM (SELECT public.get_current_user_id()));
CREATE POLICY level2_client_insert ON public.audit_log FOR INSERT TO eis_app, eis_worker, eis_owner
    WITH CHECK ((organization_id, client_id) = (SELECT s.organization_id, s.client_id FROM public.client_scope(true) s)
        AND user_id IS NOT DISTINCT FROM (SELECT public.get_current_user_id()));
CREATE FUNCTION public.audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege'; END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON public.audit_log
    FOR EACH ROW EXECUTE FUNCTION public.audit_log_is_append_only();
REVOKE ALL ON FUNCTION public.audit_log_is_append_only FROM PUBLIC;
