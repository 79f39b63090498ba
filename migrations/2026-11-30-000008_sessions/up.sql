-- Sessions of people who are signed in, and the tickets that begin one.

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

-- However it ends before its time (stopped, signed out, switched, the password changed elsewhere), it is put on record.
CREATE FUNCTION public.session_ends_viewing() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.audit_log (organization_id, id, client_id, customer_id, user_id, user_name, role, action, entity, entity_id, summary)
    SELECT k.organization_id, gen_random_uuid(), k.client_id, k.id, u.id, u.name, a.role, 'stop_viewing', 'customer', k.id,
        format('No longer sees the portal as %s (%s)', k.name, n.account_number)
    FROM public.role_assignments a
    JOIN public.users u ON u.id = a.user_id
    JOIN public.customers k ON k.organization_id = CASE WHEN a.role = 'eis_staff' THEN OLD.organization_id ELSE a.organization_id END
        AND k.client_id = OLD.viewed_client_id AND k.id = OLD.viewed_customer_id
    LEFT JOIN public.accounts n ON n.organization_id = k.organization_id AND n.client_id = k.client_id AND n.customer_id = k.id AND n.is_main
    WHERE a.id = OLD.assignment_id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION public.session_ends_viewing IS 'Puts on record that a session no longer sees as a customer.';

CREATE TRIGGER ends_viewing_updated AFTER UPDATE OF viewed_until ON public.sessions FOR EACH ROW
    WHEN (OLD.viewed_until > now() AND NEW.viewed_until IS NULL) EXECUTE FUNCTION public.session_ends_viewing();
CREATE TRIGGER ends_viewing_deleted AFTER DELETE ON public.sessions FOR EACH ROW
    WHEN (OLD.viewed_until > now()) EXECUTE FUNCTION public.session_ends_viewing();
CALL private.give_to_gate('{session_ends_viewing}', '');
