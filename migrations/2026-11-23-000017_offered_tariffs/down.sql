DROP POLICY level3_customer_select ON public.tariff_rates;
DROP POLICY level3_offered_select ON public.tariff_rates;
DROP FUNCTION public.own_tariffs, public.offers_on;
CREATE OR REPLACE FUNCTION private.sample_40_tariffs(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN
        INSERT INTO public.tariff_agreements (organization_id, client_id, id, customer_id, contract_id, tariff_code, valid_from)
        VALUES (o, c, private.sample_id(k, 'agreement'), k, private.sample_id(k, 'contract'), 'TEST', '2026-01-01');
    ELSIF c IS NOT NULL THEN
        INSERT INTO public.tariff_rates (organization_id, client_id, id, code, version, name, kind, currency, document, effective_from)
        VALUES (o, c, private.sample_id(c, 'tariff'), 'TEST', 1, 'Isolation test', 'flat', 'EUR', '{}', '2026-01-01');
        INSERT INTO public.tariff_blocks (organization_id, client_id, tariff_rate_id, position, price)
        VALUES (o, c, private.sample_id(c, 'tariff'), 1, 0);
    ELSE
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.tariff_rates', 'client', '{INSERT,UPDATE}'),
            private.rule_of('public.tariff_blocks', 'client', '{INSERT,DELETE}'),
            private.rule_of('public.tariff_agreements', 'customer', '{INSERT,UPDATE}')]) r;
    END IF;
END $$;
