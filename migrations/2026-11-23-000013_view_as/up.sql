-- "See as this customer": staff in the organization that is open, its admins and the client's see exactly what the customer
-- sees, reading only, for half an hour at most. The session's own row says so (viewed_… of public.sessions), and every
-- context that it opens is the customer's (private.stand): nothing forgotten in the portal can show or change more.

CREATE FUNCTION public.view_as(secret bytea, client uuid, customer uuid, address text) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live record;
    org uuid;
    ends timestamptz := now() + interval '30 minutes';
BEGIN
    SELECT * INTO live FROM private.live_session(secret);
    org := CASE WHEN (live.assignment).role = 'eis_staff' THEN (live.session).organization_id ELSE (live.assignment).organization_id END;
    IF NOT private.may_view((live.assignment).role, org, (live.assignment).client_id, client, customer)
        OR ((live.assignment).role <> 'eis_staff' AND NOT EXISTS (SELECT FROM public.organizations g WHERE g.id = org AND g.status = 'active')) THEN
        RAISE EXCEPTION 'this customer is not yours' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    UPDATE public.sessions s SET viewed_client_id = client, viewed_customer_id = customer, viewed_until = ends, bound_at = now() WHERE s.id = (live.session).id;
    INSERT INTO public.audit_log (organization_id, id, client_id, customer_id, user_id, user_name, role, action, entity, entity_id, summary, details, address)
    SELECT org, gen_random_uuid(), client, customer, (live.person).id, (live.person).name, (live.assignment).role, 'view_as', 'customer', customer,
        format('Sees the portal as %s (%s)', k.name, n.account_number), jsonb_build_object('until', ends), left(view_as.address, 64)
    FROM public.customers k
    LEFT JOIN public.accounts n ON n.organization_id = k.organization_id AND n.client_id = k.client_id AND n.customer_id = k.id AND n.is_main
    WHERE k.organization_id = org AND k.client_id = view_as.client AND k.id = view_as.customer;
    RETURN ends;
END $$;
COMMENT ON FUNCTION public.view_as IS
    'Lets a session of staff or an admin see the portal as a customer does, reading only, for half an hour; on record in the organization.';

CREATE FUNCTION public.stop_viewing(secret bytea) RETURNS TABLE (client_id uuid, customer_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE live record;
BEGIN
    SELECT * INTO live FROM private.live_session(secret, true, true);
    IF (live.session).viewed_until IS NULL THEN RETURN; END IF;
    UPDATE public.sessions s SET viewed_client_id = NULL, viewed_customer_id = NULL, viewed_until = NULL, bound_at = now() WHERE s.id = (live.session).id;
    RETURN QUERY SELECT (live.session).viewed_client_id, (live.session).viewed_customer_id;
END $$;
COMMENT ON FUNCTION public.stop_viewing IS 'Ends what view_as began; tells which customer it was.';

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

CALL private.give_to_gate('{view_as, stop_viewing}', 'eis_app');
CALL private.give_to_gate('{session_ends_viewing}', '');
