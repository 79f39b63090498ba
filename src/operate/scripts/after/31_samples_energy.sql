-- The proof: samples of customers, usage, tariffs and billing.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

CREATE OR REPLACE FUNCTION private.sample_20_customers(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF k IS NOT NULL THEN
        INSERT INTO public.customers (organization_id, client_id, id, name) VALUES (o, c, k, 'Isolation test');
        INSERT INTO public.accounts (organization_id, client_id, customer_id, id, account_number, is_main)
        VALUES (o, c, k, private.sample_id(k, 'account'), k::text, true);
        PERFORM private.sample_person(private.sample_id(k, 'login'), 'customer_user', o, c, k, NULL);
        INSERT INTO public.service_points (organization_id, client_id, id, address, time_zone)
        VALUES (o, c, private.sample_id(k, 'place'), 'Isolation test', 'UTC');
        INSERT INTO public.contracts (organization_id, client_id, customer_id, id, account_id, service_point_id, from_on, billing_anchor)
        VALUES (o, c, k, private.sample_id(k, 'contract'), private.sample_id(k, 'account'), private.sample_id(k, 'place'), '2023-01-01', '2023-01-01');
        -- The contract is told of it by what writes it.
        INSERT INTO public.meters (organization_id, client_id, id, service_point_id, serial, kind, interval_minutes, time_zone, valid_from)
        VALUES (o, c, private.sample_id(k, 'meter'), private.sample_id(k, 'place'), k::text, 'interval', 60, 'UTC', '2023-01-01');
        INSERT INTO public.registers (organization_id, client_id, id, meter_id)
        VALUES (o, c, private.sample_id(k, 'register'), private.sample_id(k, 'meter'));
    ELSIF c IS NULL THEN
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.customers', 'customer', '{INSERT,UPDATE}', '{organization_id,client_id,id}'),
            private.rule_of('public.accounts', 'customer', '{INSERT,UPDATE}'),
            private.rule_of('public.service_points', 'client', '{INSERT,UPDATE}'),
            private.rule_of('public.contracts', 'customer', '{INSERT,UPDATE}'),
            private.rule_of('public.contract_meters', 'customer', '{INSERT,DELETE}'),
            private.rule_of('public.registers', 'client', '{INSERT,DELETE}'),
            private.rule_of('public.meters', 'client', '{INSERT,UPDATE}')]) r;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION private.sample_30_usage(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE meter uuid := private.sample_id(k, 'meter');
BEGIN
    IF k IS NOT NULL THEN
        INSERT INTO public.interval_days (organization_id, client_id, customer_id, meter_id, day, interval_minutes, wh, total_wh)
        VALUES (o, c, k, meter, '2026-01-01', 60, '{1}', 1), (o, c, k, meter, '2023-01-01', 60, '{1}', 1);
        INSERT INTO public.superseded_interval_days (organization_id, client_id, meter_id, day, id, wh)
        VALUES (o, c, meter, '2026-01-01', private.sample_id(k, 'before'), '{2}');
        INSERT INTO public.meter_readings (organization_id, client_id, id, customer_id, meter_id, register_id, read_on, figure, quality)
        VALUES (o, c, private.sample_id(k, 'reading'), k, meter, private.sample_id(k, 'register'), '2026-01-01', 1, 'actual'),
               (o, c, private.sample_id(k, 'next'), k, meter, private.sample_id(k, 'register'), '2026-02-01', 2, 'actual');
    ELSIF c IS NOT NULL THEN
        INSERT INTO public.imports (organization_id, client_id, id, file_name, file_hash, file_bytes, format, status)
        VALUES (o, c, private.sample_id(c, 'import'), 'test.csv', sha256(''), 0, 'csv', 'failed');
        INSERT INTO public.import_rejections (organization_id, client_id, import_id, position, line, content, reason)
        VALUES (o, c, private.sample_id(c, 'import'), 1, 1, '', 'Isolation test');
    ELSE
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.imports', 'client', '{INSERT,UPDATE}'),
            private.rule_of('public.import_rejections', 'client', '{INSERT}'),
            private.rule_of('public.meter_readings', 'customer', '{INSERT,UPDATE}'),
            private.rule_of('public.interval_days', 'customer', '{INSERT,UPDATE}'),
            private.rule_of('public.superseded_interval_days', 'client', '{INSERT}')]) r;
    END IF;
END $$;

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

-- Of each customer one invoice that is issued and paid, and one draft, which a customer must not see.
CREATE OR REPLACE FUNCTION private.sample_50_billing(o uuid, c uuid, k uuid) RETURNS SETOF private.sample_rule LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    account uuid := private.sample_id(k, 'account');
    contract uuid := private.sample_id(k, 'contract');
    run uuid := private.sample_id(c, 'run');
    issued uuid := private.sample_id(k, 'issued');
    draft uuid := private.sample_id(k, 'draft');
BEGIN
    IF k IS NOT NULL THEN
        INSERT INTO public.invoices (organization_id, client_id, id, customer_id, account_id, billing_run_id, status, series, number, customer_name, account_number,
            period_from, period_to, issued_on, due_on, currency, kwh, net, tax, total)
        VALUES (o, c, issued, k, account, run, 'issued', k::text, 1, '', '', '2026-01-01', '2026-02-01', '2026-02-01', '2026-02-15', 'EUR', 1, 1, 0, 1),
               (o, c, draft, k, account, run, 'draft', '', NULL, '', '', '2026-02-01', '2026-03-01', NULL, NULL, 'EUR', 1, 1, 0, 1);
        INSERT INTO public.billing_periods (organization_id, client_id, customer_id, id, contract_id, account_id, billing_run_id, invoice_id, from_on, to_on, status)
        VALUES (o, c, k, private.sample_id(k, 'issued-period'), contract, account, run, issued, '2026-01-01', '2026-02-01', 'issued'),
               (o, c, k, private.sample_id(k, 'draft-period'), contract, account, run, draft, '2026-02-01', '2026-03-01', 'rated');
        INSERT INTO public.invoice_lines (organization_id, client_id, invoice_id, position, customer_id, billing_period_id, issued, kind, description, quantity,
            unit, price, amount)
        VALUES (o, c, issued, 1, k, private.sample_id(k, 'issued-period'), true, 'energy', '', 1, 'kWh', 1, 1),
               (o, c, draft, 1, k, private.sample_id(k, 'draft-period'), false, 'energy', '', 1, 'kWh', 1, 1);
        INSERT INTO public.payments (organization_id, client_id, id, customer_id, account_id, received_on, amount, currency, method)
        VALUES (o, c, private.sample_id(k, 'payment'), k, account, '2026-02-02', 1, 'EUR', 'cash');
        INSERT INTO public.allocations (organization_id, client_id, payment_id, invoice_id, customer_id, account_id, amount)
        VALUES (o, c, private.sample_id(k, 'payment'), issued, k, account, 1);
        INSERT INTO public.billing_exceptions (organization_id, client_id, customer_id, billing_period_id, kind, severity, message)
        VALUES (o, c, k, private.sample_id(k, 'draft-period'), 'test', 'warns', '');
    ELSIF c IS NOT NULL THEN
        INSERT INTO public.billing_runs (organization_id, client_id, id, due_on) VALUES (o, c, private.sample_id(c, 'run'), '2026-02-01');
        INSERT INTO public.invoice_counters (organization_id, client_id, series) VALUES (o, c, 'T');
    ELSE
        RETURN QUERY SELECT (r).* FROM unnest(ARRAY[
            private.rule_of('public.billing_periods', 'customer', '{INSERT,UPDATE,DELETE}',
                customer_sees => 'status IN (''issued'', ''credited'')', open => 'status NOT IN (''issued'', ''credited'')'),
            private.rule_of('public.billing_runs', 'client', '{INSERT,UPDATE,DELETE}'),
            private.rule_of('public.billing_exceptions', 'client', '{INSERT,DELETE}'),
            private.rule_of('public.invoice_counters', 'client', '{INSERT,UPDATE}'),
            private.rule_of('public.invoice_counts', 'client', '{INSERT,UPDATE}'),
            private.rule_of('public.invoices', 'customer', '{INSERT,UPDATE,DELETE}',
                customer_sees => 'status <> ''draft''', open => 'status = ''draft'''),
            private.rule_of('public.invoice_lines', 'customer', '{INSERT,UPDATE,DELETE}', customer_sees => 'issued', open => 'NOT issued'),
            private.rule_of('public.payments', 'customer', '{INSERT}'),
            private.rule_of('public.allocations', 'customer', '{INSERT}')]) r;
    END IF;
END $$;

REVOKE ALL ON FUNCTION private.sample_20_customers, private.sample_30_usage, private.sample_40_tariffs, private.sample_50_billing FROM PUBLIC;
