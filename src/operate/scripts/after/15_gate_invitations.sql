-- The gate: invitations.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

SET LOCAL ROLE eis_gate;

CREATE OR REPLACE FUNCTION public.invite(id uuid, email text, name text, role text, client uuid, customer uuid, valid_days integer, narrowed text DEFAULT NULL)
RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.writing_context();
    token bytea := decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');
    zone text := private.zone_of(nullif(fields[2], '')::uuid, invite.client);
BEGIN
    IF fields[2] = '' OR NOT private.may_grant(fields[6], fields[8], nullif(fields[3], '')::uuid, invite.role, invite.client) THEN
        RAISE EXCEPTION 'you may not grant this role' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    -- An hour, on record, is all that staff have in an organization: a role of their own would be more.
    IF fields[6] = 'eis_staff' AND EXISTS (SELECT FROM public.users u WHERE u.id = fields[5]::uuid AND lower(u.email) = lower(trim(invite.email))) THEN
        RAISE EXCEPTION 'staff give roles to others' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'own_role';
    END IF;
    IF invite.customer IS NOT NULL THEN
        PERFORM 1 FROM public.customers k WHERE k.organization_id = fields[2]::uuid AND k.client_id = invite.client AND k.id = invite.customer;
        IF NOT FOUND THEN RAISE EXCEPTION 'no such customer' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours'; END IF;
    END IF;
    PERFORM private.tell_of_staff(fields, format('invited %s (%s) as energy admin', trim(invite.name), trim(invite.email)));
    INSERT INTO public.invitations (organization_id, id, token_hash, email, name, role, client_id, customer_id, narrowed, invited_by, reason, expires_at, created_by)
    VALUES (fields[2]::uuid, invite.id, sha256(token), trim(invite.email), trim(invite.name), invite.role, invite.client, invite.customer,
        invite.narrowed, fields[5]::uuid, private.step_up_reason(fields), private.end_of_day((now() AT TIME ZONE zone)::date + valid_days, zone), fields[5]::uuid);
    RETURN token;
END $$;
COMMENT ON FUNCTION public.invite IS 'A one-time link''s token; shown once, kept as a hash. It works to the end of the last of its days. Who may grant what: domain.md.';

CREATE OR REPLACE FUNCTION public.revoke_invitation(invitation uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fields text[] := private.writing_context();
    taken public.invitations;
BEGIN
    UPDATE public.invitations i SET revoked_at = now()
    WHERE i.organization_id = nullif(fields[2], '')::uuid AND i.id = invitation AND i.accepted_at IS NULL AND i.revoked_at IS NULL
      AND private.may_grant(fields[6], fields[8], nullif(fields[3], '')::uuid, i.role, i.client_id)
    RETURNING i.* INTO taken;
    IF taken.id IS NULL THEN RETURN false; END IF;
    PERFORM private.tell_of_staff(fields, format('took back the invitation of %s (%s) as energy admin', taken.name, taken.email));
    RETURN true;
END $$;

CREATE OR REPLACE FUNCTION public.invitation_by_token(token bytea) RETURNS TABLE (
    email text, name text, role text, organization_name text, client_name text, narrowed text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM private.fresh_snapshot();
    RETURN QUERY SELECT i.email, i.name, i.role, g.name, c.name, i.narrowed
    FROM public.invitations i JOIN public.organizations g ON g.id = i.organization_id
    LEFT JOIN public.clients c ON c.organization_id = i.organization_id AND c.id = i.client_id
    WHERE i.token_hash = sha256(token) AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > statement_timestamp();
END $$;
COMMENT ON FUNCTION public.invitation_by_token IS 'What a link invites to. Whether its address has a login already is not told.';

-- A known person proves the password; a new one sets it, where it is fit for a new login: when it is not, the answer is that
-- to a wrong one. 'accepted', 'wrong' or 'limited' as for signing in, or 'refused': the link is spent, or its maker or this
-- login may no longer take part.
CREATE OR REPLACE FUNCTION public.accept_invitation(token bytea, new_user uuid, new_assignment uuid, name text, salt text, digest bytea, address text, fit boolean)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    i public.invitations;
    person public.users;
    attempt bigint;
    outcome text;
    -- The right as this person holds it now.
    held uuid;
BEGIN
    PERFORM private.fresh_snapshot();
    SELECT x.* INTO i FROM public.invitations x
    WHERE x.token_hash = sha256(token) AND x.accepted_at IS NULL AND x.revoked_at IS NULL AND x.expires_at > statement_timestamp() FOR UPDATE;
    IF i.id IS NULL THEN RETURN 'refused'; END IF;
    -- A link is worth no more than the right of the one who made it, as it is now; of staff, who have none without stepping
    -- up, it carries the reason why they had.
    PERFORM 1 FROM public.role_assignments g WHERE g.user_id = i.invited_by AND private.in_force(g)
        AND (g.organization_id = i.organization_id OR (g.role = 'eis_staff' AND i.reason IS NOT NULL))
        AND private.may_grant(g.role, g.narrowed, g.client_id, i.role, i.client_id);
    IF NOT FOUND THEN RETURN 'refused'; END IF;
    -- Locked, so that of two links accepted at once the second sees what the first gave.
    SELECT u.* INTO person FROM public.users u WHERE lower(u.email) = lower(i.email) FOR UPDATE;
    IF person.id IS NULL THEN
        IF NOT fit THEN RETURN private.try_password(person, i.email, digest, address); END IF;
        attempt := private.attempt_to_try(private.account_key(i.email), NULL, address);
        IF attempt IS NULL THEN RETURN 'limited'; END IF;
        INSERT INTO public.users (id, email, name, password_salt, password_proof, password_changed_at)
        VALUES (new_user, i.email, trim(accept_invitation.name), salt, sha256(digest), now())
        ON CONFLICT DO NOTHING RETURNING * INTO person;
        -- Another link made this login in the meantime: this one asks for its password.
        outcome := CASE WHEN person.id IS NULL THEN 'wrong' ELSE 'signed_in' END;
        PERFORM private.end_attempt(attempt, outcome);
        IF outcome = 'wrong' THEN RETURN outcome; END IF;
    ELSE
        outcome := private.try_password(person, person.email, digest, address);
        IF outcome <> 'signed_in' THEN RETURN outcome; END IF;
        IF person.status <> 'active' OR (person.id = i.invited_by AND i.reason IS NOT NULL) THEN RETURN 'refused'; END IF;
    END IF;
    PERFORM private.nobody_else(person.id);
    SELECT a.id INTO held FROM public.role_assignments a
    WHERE private.same_right(a, person.id, i.role, i.organization_id, i.client_id, i.customer_id) AND (a.valid_to IS NULL OR a.valid_to > now())
    ORDER BY a.valid_from LIMIT 1 FOR UPDATE;
    IF held IS NULL THEN
        INSERT INTO public.role_assignments (organization_id, id, user_id, role, client_id, customer_id, narrowed, granted_by, created_by)
        VALUES (i.organization_id, new_assignment, person.id, i.role, i.client_id, i.customer_id, i.narrowed, i.invited_by, i.invited_by);
    ELSE
        -- Held already: it is not held twice. An end that was set before this link was made falls away. A link takes
        -- nothing: whoever holds the whole role keeps it; of a role that is narrowed, what the link says holds from now on.
        UPDATE public.role_assignments a SET valid_from = least(a.valid_from, now()), valid_to = NULL, last_day = NULL,
            narrowed = CASE WHEN a.narrowed IS NOT NULL THEN i.narrowed END
        WHERE a.id = held AND (a.valid_to IS NOT NULL OR a.valid_from > now() OR a.narrowed IS NOT NULL);
    END IF;
    UPDATE public.invitations x SET accepted_at = now() WHERE x.organization_id = i.organization_id AND x.id = i.id;
    INSERT INTO public.audit_log (organization_id, id, client_id, customer_id, user_id, user_name, role, action, entity, entity_id, summary, details)
    VALUES (i.organization_id, gen_random_uuid(), i.client_id, i.customer_id, person.id, person.name, i.role, 'accept', 'invitation', i.id,
        'Accepted the invitation as ' || replace(i.role, '_', ' '),
        jsonb_strip_nulls(jsonb_build_object('invited_by', (SELECT u.name FROM public.users u WHERE u.id = i.invited_by), 'reason', i.reason)));
    IF i.reason IS NOT NULL THEN
        PERFORM private.tell_energy_admins(i.organization_id, format('%s (%s) is energy admin now, invited by %s (EIS staff)', person.name, person.email,
            (SELECT u.name FROM public.users u WHERE u.id = i.invited_by)), i.reason, person.id);
    END IF;
    RETURN 'accepted';
END $$;

REVOKE ALL ON FUNCTION public.invite, public.revoke_invitation, public.invitation_by_token, public.accept_invitation FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.invite, public.revoke_invitation, public.invitation_by_token, public.accept_invitation TO eis_app;
SET LOCAL ROLE eis_owner;
