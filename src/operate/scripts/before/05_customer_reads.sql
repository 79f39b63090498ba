-- What policies ask for a customer beside the context: the own tariffs, offers, what is published. These functions run with the
-- caller's rights, so that a customer's context finds the own rows alone; they stand in scalar subselects and run once a
-- statement.
-- A script: it is applied again whenever it changes, before the migrations (docs/migrations.md).

CREATE OR REPLACE FUNCTION public.own_tariffs() RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('eis.context', true) NOT LIKE 'customer|%' THEN RETURN NULL; END IF;
    RETURN (SELECT array_agg(DISTINCT a.tariff_code) FROM public.tariff_agreements a, public.customer_scope() s
        WHERE (a.organization_id, a.client_id, a.customer_id) = (s.organization_id, s.client_id, s.customer_id));
END $$;
COMMENT ON FUNCTION public.own_tariffs IS 'The codes that the context''s customer is, was or will be on; NULL above the level of a customer.';

CREATE OR REPLACE FUNCTION public.offers_on() RETURNS date LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('eis.context', true) NOT LIKE 'customer|%' THEN RETURN NULL; END IF;
    RETURN (SELECT (now() AT TIME ZONE c.time_zone)::date FROM public.clients c, public.customer_scope() s
        WHERE (c.organization_id, c.id) = (s.organization_id, s.client_id) AND c.tariff_comparison);
END $$;
COMMENT ON FUNCTION public.offers_on IS
    'Today where the client of the context''s customer is, when it lets customers compare tariffs; else NULL, which is later than no day.';

-- With the caller's rights: the customer's own policy of workspaces decides.
CREATE OR REPLACE FUNCTION public.published_workspaces() RETURNS uuid[] LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('eis.context', true) NOT LIKE 'customer|%' THEN RETURN NULL; END IF;
    RETURN (SELECT array_agg(w.id) FROM public.workspaces w, public.customer_scope() s
        WHERE (w.organization_id, w.client_id) = (s.organization_id, s.client_id));
END $$;
COMMENT ON FUNCTION public.published_workspaces IS 'The workspaces that the context''s customer reads; NULL above the level of a customer.';

REVOKE ALL ON FUNCTION public.own_tariffs, public.offers_on, public.published_workspaces FROM PUBLIC, eis_app, eis_worker, eis_monitor, eis_gate;
GRANT EXECUTE ON FUNCTION public.own_tariffs, public.offers_on, public.published_workspaces TO eis_app, eis_worker;
