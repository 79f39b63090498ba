-- The gate: who holds which role, and how it ends.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

SET LOCAL ROLE eis_gate;

-- ── Users of an organization ───────────────────────────────────────────────────────────────────────

-- The zone in which the days of a role are meant: its client's, or its organization's.
CREATE OR REPLACE FUNCTION private.zone_of(organization uuid, client uuid) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce((SELECT c.time_zone FROM public.clients c WHERE c.organization_id = organization AND c.id = client),
        (SELECT g.time_zone FROM public.organizations g WHERE g.id = organization));
END $$;

-- The first moment after a day in a zone, also where a clock change moves its midnight, skips it or lets it come twice.
CREATE OR REPLACE FUNCTION private.end_of_day(day date, zone text) RETURNS timestamptz LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE midnight timestamptz := (day + 1)::timestamp AT TIME ZONE zone;
BEGIN
    IF ((midnight - interval '1 hour') AT TIME ZONE zone)::date > day THEN RETURN midnight - interval '1 hour'; END IF;
    RETURN midnight;
END $$;

-- The last day of what ends at a moment.
CREATE OR REPLACE FUNCTION private.last_day_before(ends timestamptz, zone text) RETURNS date LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN ((ends - interval '1 microsecond') AT TIME ZONE zone)::date; END $$;

-- Users with an assignment that this context may see: the whole organization, or the customers' logins of one client.
CREATE OR REPLACE FUNCTION public.organization_users() RETURNS TABLE (
    assignment_id uuid, user_id uuid, name text, email text, status text, role text, client_id uuid, client_name text,
    customer_id uuid, customer_name text, valid_from timestamptz, valid_to timestamptz, since date, last_day date, time_zone text,
    narrowed text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE fields text[] := private.context();
BEGIN
    IF fields IS NULL OR fields[1] NOT IN ('organization', 'client') THEN RETURN; END IF;
    RETURN QUERY SELECT a.id, u.id, u.name, u.email, u.status, a.role, a.client_id, c.name, a.customer_id, k.name, a.valid_from, a.valid_to,
        (a.valid_from AT TIME ZONE z.zone)::date, coalesce(a.last_day, private.last_day_before(a.valid_to, z.zone)), z.zone, a.narrowed
    FROM public.role_assignments a
    JOIN public.users u ON u.id = a.user_id
    JOIN public.organizations g ON g.id = a.organization_id
    LEFT JOIN public.clients c ON c.organization_id = a.organization_id AND c.id = a.client_id
    LEFT JOIN public.customers k ON k.organization_id = a.organization_id AND k.client_id = a.client_id AND k.id = a.customer_id
    CROSS JOIN LATERAL (SELECT coalesce(c.time_zone, g.time_zone) AS zone) z
    WHERE a.organization_id = fields[2]::uuid AND (fields[1] = 'organization' OR a.client_id = fields[3]::uuid) AND a.role <> 'service'
    ORDER BY u.name, a.id;
END $$;

-- Whether an assignment gives this person this role at this place.
CREATE OR REPLACE FUNCTION private.same_right(a public.role_assignments, person uuid, role text, organization uuid, client uuid, customer uuid)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT a.user_id = person AND a.role = same_right.role AND a.organization_id IS NOT DISTINCT FROM organization
        AND a.client_id IS NOT DISTINCT FROM client AND a.customer_id IS NOT DISTINCT FROM customer
$$;

-- Whether somebody in a role, of the whole organization or at one client (`own_client`), may grant another at this place
-- (domain.md, "Who may do what"; `Role::grants` says the same). Never one's own level, nor one above. Of the narrowed, the
-- service desk gives customers their logins, and nobody else anything: nothing beyond what they may themselves.
CREATE OR REPLACE FUNCTION private.may_grant(role text, limits text, own_client uuid, granted text, client uuid) RETURNS boolean LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(CASE
        WHEN nullif(limits, '') IS NOT NULL AND (limits <> 'service_desk' OR granted <> 'customer_user') THEN false
        WHEN own_client IS NOT NULL THEN role IN ('energy_admin', 'client_admin') AND granted = 'customer_user' AND client = own_client
        WHEN role = 'eis_staff' THEN granted = 'energy_admin'
        WHEN role = 'energy_admin' THEN granted IN ('client_admin', 'customer_user')
        END, false)
$$;

-- Tells an organization's energy admins, those who are not narrowed, but one, what EIS staff changed in who runs it.
CREATE OR REPLACE FUNCTION private.tell_energy_admins(organization uuid, changed text, why text, but uuid) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.role_notices (organization_id, user_id, summary, reason)
    SELECT DISTINCT organization, a.user_id, changed, why
    FROM public.role_assignments a JOIN public.users u ON u.id = a.user_id AND u.status = 'active'
    WHERE a.organization_id = organization AND a.role = 'energy_admin' AND a.narrowed IS NULL AND private.in_force(a) AND a.user_id IS DISTINCT FROM but;
END $$;

-- What the context changes in somebody's right, told where EIS staff do it; anybody else's changes stand in the log alone.
-- Told before the change: who loses a right is told too. It is an error when the time for changes has ended since the context
-- was opened. (private.step_up_reason comes with the migration of stepping up.)
CREATE OR REPLACE FUNCTION private.tell_of_staff(fields text[], changed text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF fields[6] <> 'eis_staff' THEN RETURN; END IF;
    IF private.step_up_reason(fields) IS NULL THEN
        RAISE EXCEPTION 'the time for changes is over' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'reading_only';
    END IF;
    PERFORM private.tell_energy_admins(fields[2]::uuid,
        format('%s (EIS staff) %s', (SELECT u.name FROM public.users u WHERE u.id = fields[5]::uuid), changed), private.step_up_reason(fields), NULL);
END $$;

CREATE OR REPLACE FUNCTION public.see_notices(notices uuid[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.writing_context();
    seen integer;
BEGIN
    UPDATE public.role_notices n SET seen_at = now()
    WHERE n.organization_id = nullif(fields[2], '')::uuid AND n.user_id = nullif(fields[5], '')::uuid AND n.id = ANY (notices) AND n.seen_at IS NULL;
    GET DIAGNOSTICS seen = ROW_COUNT;
    RETURN seen;
END $$;
COMMENT ON FUNCTION public.see_notices IS 'One''s own notices that one has seen; how many of these were still open.';

-- Ends a right at a moment, with its last day if a person set one; NULL: it has no end. Every assignment of it ends, and
-- links that would give it again stop working. Sessions under it end with their next transaction, since what they were
-- bound under has changed.
CREATE OR REPLACE FUNCTION private.end_right(a public.role_assignments, ends timestamptz, day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Links first: accepting one locks in this order too.
    UPDATE public.invitations i SET revoked_at = now()
    FROM public.users u
    WHERE u.id = a.user_id AND lower(i.email) = lower(u.email) AND i.organization_id = a.organization_id AND i.role = a.role
      AND i.client_id IS NOT DISTINCT FROM a.client_id AND i.customer_id IS NOT DISTINCT FROM a.customer_id
      AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND ends IS NOT NULL;
    PERFORM private.keep_an_energy_admin(a, ends);
    UPDATE public.role_assignments x SET valid_to = greatest(x.valid_from, now()), last_day = NULL
    WHERE private.same_right(x, a.user_id, a.role, a.organization_id, a.client_id, a.customer_id)
      AND x.id <> a.id AND (x.valid_to IS NULL OR x.valid_to > now());
    UPDATE public.role_assignments x SET valid_to = CASE WHEN ends IS NOT NULL THEN greatest(ends, x.valid_from) END, last_day = day
    WHERE x.id = a.id;
END $$;

-- An organization keeps one energy admin who may sign in, whose role is not narrowed and holds as long as the one that is
-- ended, or narrowed.
CREATE OR REPLACE FUNCTION private.keep_an_energy_admin(a public.role_assignments, ends timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF a.role <> 'energy_admin' OR a.narrowed IS NOT NULL OR ends IS NULL THEN RETURN; END IF;
    -- Locked, so that two who are ended at once do not each count on the other. What ended while this waited may have ended
    -- after this transaction began: the clock is asked, not now().
    PERFORM 1 FROM public.role_assignments x WHERE x.organization_id = a.organization_id AND x.role = 'energy_admin' ORDER BY x.id FOR UPDATE;
    PERFORM 1 FROM public.role_assignments x JOIN public.users u ON u.id = x.user_id AND u.status = 'active'
    WHERE x.organization_id = a.organization_id AND x.role = 'energy_admin' AND x.narrowed IS NULL AND x.user_id <> a.user_id
      AND x.valid_from <= now() AND (x.valid_to IS NULL OR x.valid_to > clock_timestamp() AND x.valid_to >= ends);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the organization would have no energy admin' USING ERRCODE = 'raise_exception', CONSTRAINT = 'last_energy_admin';
    END IF;
END $$;

-- An assignment that has not ended and that the context may change; nobody changes their own.
CREATE OR REPLACE FUNCTION private.assignment_to_end(fields text[], assignment uuid) RETURNS public.role_assignments
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE found public.role_assignments;
BEGIN
    SELECT a.* INTO found FROM public.role_assignments a
    WHERE a.id = assignment AND a.organization_id = nullif(fields[2], '')::uuid AND (a.valid_to IS NULL OR a.valid_to > now())
      AND a.user_id <> nullif(fields[5], '')::uuid AND private.may_grant(fields[6], fields[8], nullif(fields[3], '')::uuid, a.role, a.client_id);
    RETURN found;
END $$;

-- A right of somebody in words, for the notices: 'Ada Admin (ada@example.com) as energy admin'.
CREATE OR REPLACE FUNCTION private.right_in_words(a public.role_assignments) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN RETURN (SELECT format('%s (%s) as %s', u.name, u.email, replace(a.role, '_', ' ')) FROM public.users u WHERE u.id = a.user_id); END $$;

CREATE OR REPLACE FUNCTION public.end_assignment(assignment uuid, day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.writing_context();
    a public.role_assignments := private.assignment_to_end(fields, assignment);
BEGIN
    IF a.id IS NULL THEN RETURN false; END IF;
    PERFORM private.tell_of_staff(fields, CASE WHEN day IS NULL THEN 'took the last day away of ' || private.right_in_words(a)
        ELSE format('made %s the last day of %s', day, private.right_in_words(a)) END);
    PERFORM private.end_right(a, greatest(private.end_of_day(day, private.zone_of(a.organization_id, a.client_id)),
        CASE WHEN day IS NOT NULL THEN now() END), day);
    RETURN true;
END $$;
COMMENT ON FUNCTION public.end_assignment IS
    'Sets the last day of a right where its client is, or its organization; NULL: no end. A day gone by ends it now.';

CREATE OR REPLACE FUNCTION public.revoke_assignment(assignment uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.writing_context();
    a public.role_assignments := private.assignment_to_end(fields, assignment);
BEGIN
    IF a.id IS NULL THEN RETURN false; END IF;
    PERFORM private.tell_of_staff(fields, 'ended the role of ' || private.right_in_words(a));
    PERFORM private.end_right(a, now(), NULL);
    RETURN true;
END $$;
COMMENT ON FUNCTION public.revoke_assignment IS 'Takes a right back, from now on.';

-- Narrows a right, or gives all of it (NULL). Links that would give it otherwise stop working, and its sessions end, since
-- what they were bound under has changed. False: it is not in force, one's own, or not the context's to give.
CREATE OR REPLACE FUNCTION public.narrow_assignment(assignment uuid, narrowed text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.writing_context();
    a public.role_assignments := private.assignment_to_end(fields, assignment);
BEGIN
    IF a.id IS NULL THEN RETURN false; END IF;
    PERFORM private.tell_of_staff(fields, format('changed what %s may do to: %s', private.right_in_words(a), coalesce(replace(narrowed, '_', ' '), 'all of it')));
    UPDATE public.invitations i SET revoked_at = now()
    FROM public.users u
    WHERE u.id = a.user_id AND lower(i.email) = lower(u.email) AND i.organization_id = a.organization_id AND i.role = a.role
      AND i.client_id IS NOT DISTINCT FROM a.client_id AND i.customer_id IS NOT DISTINCT FROM a.customer_id
      AND i.accepted_at IS NULL AND i.revoked_at IS NULL;
    IF narrowed IS NOT NULL THEN PERFORM private.keep_an_energy_admin(a, coalesce(a.valid_to, 'infinity')); END IF;
    UPDATE public.role_assignments x SET narrowed = narrow_assignment.narrowed
    WHERE private.same_right(x, a.user_id, a.role, a.organization_id, a.client_id, a.customer_id) AND (x.valid_to IS NULL OR x.valid_to > now());
    RETURN true;
END $$;
COMMENT ON FUNCTION public.narrow_assignment IS 'Narrows a right to some of its commands, or gives all of it (NULL).';

-- The person's sessions in this organization, at roles that the context may give and take: those at roles elsewhere go on,
-- and the person may sign in again. Tickets under way to such a role are worth nothing either.
CREATE OR REPLACE FUNCTION public.end_user_sessions(assignment uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.writing_context();
    a public.role_assignments := private.assignment_to_end(fields, assignment);
    here uuid := nullif(fields[3], '')::uuid;
    ended integer;
BEGIN
    IF a.id IS NULL THEN
        RAISE EXCEPTION 'these sessions are not yours to end' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    DELETE FROM public.session_tickets t USING public.role_assignments x
    WHERE t.assignment_id = x.id AND x.user_id = a.user_id AND x.organization_id = a.organization_id AND private.may_grant(fields[6], fields[8], here, x.role, x.client_id);
    DELETE FROM public.sessions s USING public.role_assignments x
    WHERE s.assignment_id = x.id AND x.user_id = a.user_id AND x.organization_id = a.organization_id AND private.may_grant(fields[6], fields[8], here, x.role, x.client_id);
    GET DIAGNOSTICS ended = ROW_COUNT;
    PERFORM private.tell_of_staff(fields, 'ended the sessions of ' || private.right_in_words(a));
    RETURN ended;
END $$;
COMMENT ON FUNCTION public.end_user_sessions IS
    'Ends the sessions of an assignment''s person in the organization, at roles that the context may take back; how many. The roles stay.';

REVOKE ALL ON FUNCTION private.zone_of, private.end_of_day, private.last_day_before, public.organization_users, private.same_right,
    private.may_grant, private.tell_energy_admins, private.tell_of_staff, public.see_notices, private.end_right,
    private.keep_an_energy_admin, private.assignment_to_end, private.right_in_words, public.end_assignment, public.revoke_assignment,
    public.narrow_assignment, public.end_user_sessions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.organization_users, public.see_notices, public.end_assignment, public.revoke_assignment,
    public.narrow_assignment, public.end_user_sessions TO eis_app;
SET LOCAL ROLE eis_owner;
