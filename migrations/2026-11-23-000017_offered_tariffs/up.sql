-- What a customer reads of tariffs: the versions of the own ones, and what the client offers where it lets customers compare.
--
-- No page decides this. The functions run with the caller's rights, so that a customer's context finds the own agreements and
-- the own client alone; they stand in scalar subselects and run once a statement.

CREATE FUNCTION public.own_tariffs() RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('eis.context', true) NOT LIKE 'customer|%' THEN RETURN NULL; END IF;
    RETURN (SELECT array_agg(DISTINCT a.tariff_code) FROM public.tariff_agreements a, public.customer_scope() s
        WHERE (a.organization_id, a.client_id, a.customer_id) = (s.organization_id, s.client_id, s.customer_id));
END $$;
COMMENT ON FUNCTION public.own_tariffs IS 'The codes that the context''s customer is, was or will be on; NULL above the level of a customer.';

CREATE FUNCTION public.offers_on() RETURNS date LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('eis.context', true) NOT LIKE 'customer|%' THEN RETURN NULL; END IF;
    RETURN (SELECT (now() AT TIME ZONE c.time_zone)::date FROM public.clients c, public.customer_scope() s
        WHERE (c.organization_id, c.id) = (s.organization_id, s.client_id) AND c.tariff_comparison);
END $$;
COMMENT ON FUNCTION public.offers_on IS
    'Today where the client of the context''s customer is, when it lets customers compare tariffs; else NULL, which is later than no day.';
REVOKE ALL ON FUNCTION public.own_tariffs, public.offers_on FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.own_tariffs, public.offers_on TO eis_app, eis_worker;

CREATE POLICY level3_customer_select ON public.tariff_rates FOR SELECT TO eis_app, eis_worker, eis_owner USING (
    (organization_id, client_id) = (SELECT s.organization_id, s.client_id FROM public.customer_scope() s)
    AND code = ANY ((SELECT public.own_tariffs())::text[])
    AND (status = 'active' OR status = 'retired' AND effective_to IS NOT NULL));
CREATE POLICY level3_offered_select ON public.tariff_rates FOR SELECT TO eis_app, eis_worker, eis_owner USING (
    (organization_id, client_id) = (SELECT s.organization_id, s.client_id FROM public.customer_scope() s)
    AND offered AND status = 'active'
    AND effective_from <= (SELECT public.offers_on()) AND (effective_to IS NULL OR effective_to > (SELECT public.offers_on())));

-- Of each client four versions: the one its customers are on, a draft of it, one on offer, and one that is neither.
CREATE OR REPLACE FUNCTION private.sample_40_tariffs(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN
        INSERT INTO public.tariff_agreements (organization_id, client_id, id, customer_id, contract_id, tariff_code, valid_from)
        VALUES (o, c, private.sample_id(k, 'agreement'), k, private.sample_id(k, 'contract'), 'TEST', '2026-01-01');
    ELSIF c IS NOT NULL THEN
        UPDATE public.clients SET tariff_comparison = true WHERE organization_id = o AND id = c;
        INSERT INTO public.tariff_rates (organization_id, client_id, id, code, version, name, kind, currency, document, effective_from, status, offered)
        SELECT o, c, private.sample_id(c, 'tariff' || v.code || v.version), v.code, v.version, 'Isolation test', 'flat', 'EUR', '{}', '2026-01-01', v.status, v.offered
        FROM (VALUES ('TEST', 1, 'active', false), ('TEST', 2, 'draft', false), ('OFFER', 1, 'active', true), ('OTHER', 1, 'active', false))
            v (code, version, status, offered);
        INSERT INTO public.tariff_blocks (organization_id, client_id, tariff_rate_id, position, price)
        VALUES (o, c, private.sample_id(c, 'tariffTEST2'), 1, 0);
    ELSE
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.tariff_rates', 'customer', '{INSERT,UPDATE}', '{organization_id,client_id,NULL}',
                customer_sees => 'code IN (''TEST'', ''OFFER'') AND status <> ''draft'''),
            private.rule_of('public.tariff_blocks', 'client', '{INSERT,DELETE}'),
            private.rule_of('public.tariff_agreements', 'customer', '{INSERT,UPDATE}')]) r;
    END IF;
END $$;
