-- A small world for tests: two organizations × two clients × two customers, with something in every table.
-- Ids follow support/world.rs: kind-organization-client-customer-number, in decimal digits.
-- Runs as the superuser, which row-level security does not bind.

CREATE FUNCTION pg_temp.id(kind integer, o integer, c integer, k integer, n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT format('%s-%s-7%s-8%s-%s', lpad(kind::text, 8, '0'), lpad(o::text, 4, '0'), lpad(c::text, 3, '0'),
        lpad(k::text, 3, '0'), lpad(n::text, 12, '0'))::uuid
$$;

-- Who needs a second factor may do without in most tests; factor_needed.rs takes the days away.
UPDATE private.second_factor_rule SET grace_days = 36500;

DO $$
DECLARE
    o integer; c integer; k integer; staff uuid := pg_temp.id(11, 0, 0, 0, 1); person uuid;
    org uuid; cli uuid; cus uuid; account uuid; place uuid; contract uuid; meter uuid;
BEGIN
    FOR o IN 1..2 LOOP
        org := pg_temp.id(1, o, 0, 0, 0);
        INSERT INTO organizations (id, slug, name, currency, time_zone) VALUES (org, 'org-' || o, 'Organisation ' || o, 'EUR', 'Europe/Berlin');
        FOR c IN 1..2 LOOP
            cli := pg_temp.id(2, o, c, 0, 0);
            INSERT INTO clients (organization_id, id, slug, name, legal_name, currency, time_zone, locale, invoice_series, tax_name, tax_rate)
            VALUES (org, cli, 'client-' || c, format('Client %s%s', o, c), format('Client %s%s Energy Ltd', o, c), 'EUR', 'Europe/Berlin', 'en-GB', 'INV', 'VAT', 0.19);
            INSERT INTO tariff_rates (organization_id, client_id, id, code, version, name, kind, currency, document, effective_from, status, rated)
            SELECT org, cli, pg_temp.id(5, o, c, 0, n), 'HOME', n, 'Home ' || n, 'flat', 'EUR',
                '{"format":"eis-tariff/1","name":"Home","currency":"EUR","zone":"Europe/Berlin","energy":[{"name":"Energy","prices":[{"blocks":[{"price":"0.28"}]}]}]}',
                make_date(2024 + n, 1, 1), CASE n WHEN 1 THEN 'active' ELSE 'draft' END, n = 1
            FROM generate_series(1, 2) n;
            -- On offer; its draft; neither agreed nor on offer. The first client of an organization lets customers compare.
            INSERT INTO tariff_rates (organization_id, client_id, id, code, version, name, kind, currency, document, effective_from, status, offered)
            SELECT org, cli, pg_temp.id(5, o, c, 0, v.n), v.code, v.version, initcap(v.code), 'flat', 'EUR',
                jsonb_build_object('format', 'eis-tariff/1', 'name', initcap(v.code), 'currency', 'EUR', 'zone', 'Europe/Berlin', 'energy',
                    '[{"name":"Energy","prices":[{"blocks":[{"price":"0.21"}]}]}]'::jsonb), '2024-01-01', v.status, v.offered
            FROM (VALUES (3, 'SAVER', 1, 'active', true), (4, 'SAVER', 2, 'draft', true), (5, 'PLAIN', 1, 'active', false)) v (n, code, version, status, offered);
            UPDATE clients SET tariff_comparison = c = 1 WHERE id = cli;
            INSERT INTO tariff_blocks (organization_id, client_id, tariff_rate_id, position, price)
            VALUES (org, cli, pg_temp.id(5, o, c, 0, 1), 1, 0.28), (org, cli, pg_temp.id(5, o, c, 0, 2), 1, 0.30);
            INSERT INTO billing_runs (organization_id, client_id, id, due_on, status, contracts, invoices, kwh, net, tax, total, rated_at, approved_at, issued_at)
            VALUES (org, cli, pg_temp.id(7, o, c, 0, 1), '2026-10-01', 'issued', 2, 2, 144, 40.32, 7.66, 47.98, '2026-10-01', '2026-10-01', '2026-10-02'),
                   (org, cli, pg_temp.id(7, o, c, 0, 2), '2026-11-01', 'rated', 2, 2, 148, 41.44, 7.88, 49.32, '2026-11-01', NULL, NULL);
            INSERT INTO invoice_counters (organization_id, client_id, series, last_number) VALUES (org, cli, 'INV', 2);
            INSERT INTO imports (organization_id, client_id, id, file_name, file_hash, file_bytes, format, status, rejected)
            VALUES (org, cli, pg_temp.id(8, o, c, 0, 1), 'usage.csv', sha256(convert_to(o || '.' || c, 'UTF8')), 100, 'csv', 'applied', 1);
            INSERT INTO import_rejections (organization_id, client_id, import_id, position, line, content, reason)
            VALUES (org, cli, pg_temp.id(8, o, c, 0, 1), 1, 7, 'x;y', 'The value is no number.');
            -- Three workspaces: the client admin owns the first, which is published; reads the second; knows nothing of the third.
            INSERT INTO workspaces (organization_id, client_id, id, name, published)
            SELECT org, cli, pg_temp.id(25, o, c, 0, n), 'Workspace ' || n, n = 1 FROM generate_series(1, 3) n;
            INSERT INTO workspace_members (organization_id, client_id, workspace_id, user_id, role)
            SELECT org, cli, pg_temp.id(25, o, c, 0, v.n), v.person, v.role
            FROM (VALUES (1, pg_temp.id(11, o, c, 0, 1), 'owner'), (2, pg_temp.id(11, o, c, 0, 1), 'reader'), (2, pg_temp.id(11, o, 0, 0, 1), 'owner'),
                (3, pg_temp.id(11, o, 0, 0, 1), 'owner')) v (n, person, role);
            INSERT INTO files (organization_id, client_id, id, workspace_id, name, media_type, bytes, sha256, content_key, status)
            SELECT org, cli, pg_temp.id(26, o, c, 0, n), pg_temp.id(25, o, c, 0, n), format('notice %s.txt', n), 'text/plain', 10, sha256('text'), sha256('key'), 'indexed'
            FROM generate_series(1, 3) n;
            INSERT INTO document_chunks (organization_id, client_id, id, workspace_id, file_id, position, language, text)
            SELECT org, cli, pg_temp.id(28, o, c, 0, n), pg_temp.id(25, o, c, 0, n), pg_temp.id(26, o, c, 0, n), 0, 'en', 'The meters are exchanged in workspace ' || n
            FROM generate_series(1, 3) n;
            INSERT INTO data_sources (organization_id, client_id, id, workspace_id, name, kind, address)
            SELECT org, cli, pg_temp.id(27, o, c, 0, n), pg_temp.id(25, o, c, 0, n), 'Grid news', 'feed', 'https://grid.example/feed' FROM generate_series(1, 3) n;
            INSERT INTO chat_sessions (organization_id, client_id, id, workspace_id, user_id, title)
            SELECT org, cli, pg_temp.id(29, o, c, 0, v.n), pg_temp.id(25, o, c, 0, 1), v.person, 'A question'
            FROM (VALUES (1, pg_temp.id(11, o, 0, 0, 1)), (2, pg_temp.id(11, o, c, 0, 1)), (3, pg_temp.id(11, 9, 0, 0, 1))) v (n, person) WHERE v.n < 3 OR c = 1;
            INSERT INTO chat_messages (organization_id, client_id, session_id, position, user_id, role, text)
            SELECT organization_id, client_id, id, 0, user_id, 'user', 'When are the meters exchanged?' FROM chat_sessions WHERE client_id = cli;
            INSERT INTO communities (organization_id, client_id, id, name, sharing, starts_on)
            VALUES (org, cli, pg_temp.id(33, o, c, 0, 1), 'Mill Lane', 'fixed', '2026-01-01');
            INSERT INTO price_series (organization_id, client_id, id, code, name, source, unit, currency, minutes, time_zone, revision)
            VALUES (org, cli, pg_temp.id(35, o, c, 0, 1), 'SPOT', 'Day ahead', 'Exchange', 'MWh', 'EUR', 60, 'Europe/Berlin', 1);
            INSERT INTO price_points (organization_id, client_id, series_id, starts_at, revision, minutes, price)
            SELECT org, cli, pg_temp.id(35, o, c, 0, 1), '2026-10-01 00:00+02'::timestamptz + n * interval '1 hour', 1, 60, 80 + n FROM generate_series(0, 23) n;
            FOR k IN 1..2 LOOP
                cus := pg_temp.id(3, o, c, k, 0);
                meter := pg_temp.id(4, o, c, k, 1);
                account := pg_temp.id(46, o, c, k, 1);
                place := pg_temp.id(48, o, c, k, 1);
                contract := pg_temp.id(49, o, c, k, 1);
                INSERT INTO customers (organization_id, client_id, id, name) VALUES (org, cli, cus, format('Customer %s%s%s', o, c, k));
                INSERT INTO accounts (organization_id, client_id, customer_id, id, account_number, is_main)
                VALUES (org, cli, cus, account, 'A-' || k, true);
                INSERT INTO service_points (organization_id, client_id, id, address, time_zone)
                VALUES (org, cli, place, k || ' Mill Lane', 'Europe/Berlin');
                -- Monthly; what was before September was billed elsewhere.
                INSERT INTO contracts (organization_id, client_id, customer_id, id, account_id, service_point_id, from_on, billing_anchor, billing_from)
                VALUES (org, cli, cus, contract, account, place, '2024-01-01', '2024-01-01', '2026-09-01');
                INSERT INTO meters (organization_id, client_id, id, service_point_id, serial, kind, interval_minutes, time_zone, valid_from)
                VALUES (org, cli, meter, place, 'M-' || k, 'interval', 60, 'Europe/Berlin', '2024-01-01');
                INSERT INTO registers (organization_id, client_id, id, meter_id, decimals)
                VALUES (org, cli, pg_temp.id(50, o, c, k, 1), meter, 3);
                INSERT INTO interval_days (organization_id, client_id, customer_id, meter_id, day, interval_minutes, wh, total_wh)
                SELECT org, cli, cus, meter, d::date, 60, array_fill(100, ARRAY[24]), 2400
                FROM generate_series('2026-09-01'::timestamp, '2026-10-31', '10 days') d;
                INSERT INTO superseded_interval_days (organization_id, client_id, meter_id, day, id, wh)
                VALUES (org, cli, meter, '2026-09-01', pg_temp.id(9, o, c, k, 1), array_fill(90, ARRAY[24]));
                -- 72 kWh of September; they were estimated as 70 first.
                INSERT INTO meter_readings (organization_id, client_id, id, customer_id, meter_id, register_id, read_on, figure, quality)
                VALUES (org, cli, pg_temp.id(10, o, c, k, 3), cus, meter, pg_temp.id(50, o, c, k, 1), '2026-09-01', 1000, 'actual'),
                       (org, cli, pg_temp.id(10, o, c, k, 1), cus, meter, pg_temp.id(50, o, c, k, 1), '2026-10-01', 1072, 'actual');
                INSERT INTO meter_readings (organization_id, client_id, id, customer_id, meter_id, register_id, read_on, figure, quality, superseded_by)
                VALUES (org, cli, pg_temp.id(10, o, c, k, 2), cus, meter, pg_temp.id(50, o, c, k, 1), '2026-10-01', 1070, 'estimated', pg_temp.id(10, o, c, k, 1));
                INSERT INTO tariff_agreements (organization_id, client_id, id, customer_id, contract_id, tariff_code, valid_from)
                VALUES (org, cli, pg_temp.id(12, o, c, k, 1), cus, contract, 'HOME', '2024-01-01');
                INSERT INTO invoices (organization_id, client_id, id, customer_id, account_id, billing_run_id, status, series, number, label, customer_name,
                    account_number, period_from, period_to, issued_on, due_on, currency, tariff_name, kwh, net, tax, total, paid)
                VALUES (org, cli, pg_temp.id(13, o, c, k, 1), cus, account, pg_temp.id(7, o, c, 0, 1), 'part_paid', 'INV', k, 'INV-2026-' || k, format('Customer %s%s%s', o, c, k),
                        'A-' || k, '2026-09-01', '2026-10-01', '2026-10-02', '2026-10-16', 'EUR', 'Home 1', 72, 20.16, 3.83, 23.99, 10),
                       (org, cli, pg_temp.id(13, o, c, k, 2), cus, account, pg_temp.id(7, o, c, 0, 2), 'draft', '', NULL, '', format('Customer %s%s%s', o, c, k),
                        'A-' || k, '2026-10-01', '2026-11-01', NULL, NULL, 'EUR', 'Home 1', 74, 20.72, 3.94, 24.66, 0);
                INSERT INTO billing_periods (organization_id, client_id, customer_id, id, contract_id, account_id, billing_run_id, invoice_id, from_on, to_on, status,
                    address, tariff_name, tariff_rate_ids, kwh, net, tax, total)
                SELECT i.organization_id, i.client_id, i.customer_id, pg_temp.id(6, o, c, k, v.n), contract, account, i.billing_run_id, i.id, i.period_from, i.period_to,
                    v.status, k || ' Mill Lane', i.tariff_name, ARRAY[pg_temp.id(5, o, c, 0, 1)], i.kwh, i.net, i.tax, i.total
                FROM (VALUES (1, 'issued'), (2, 'rated')) v (n, status) JOIN invoices i ON i.id = pg_temp.id(13, o, c, k, v.n);
                INSERT INTO billing_exceptions (organization_id, client_id, customer_id, billing_period_id, kind, severity, message)
                VALUES (org, cli, cus, pg_temp.id(6, o, c, k, 2), 'gap', 'warns', 'Two hours are missing.');
                INSERT INTO invoice_lines (organization_id, client_id, invoice_id, position, customer_id, billing_period_id, issued, kind, description, quantity, unit, price, amount, tax_rate)
                VALUES (org, cli, pg_temp.id(13, o, c, k, 1), 1, cus, pg_temp.id(6, o, c, k, 1), true, 'energy', 'Energy', 72, 'kWh', 0.28, 20.16, 0.19),
                       (org, cli, pg_temp.id(13, o, c, k, 1), 2, cus, pg_temp.id(6, o, c, k, 1), true, 'tax', 'VAT', 1, '', 3.83, 3.83, NULL),
                       (org, cli, pg_temp.id(13, o, c, k, 2), 1, cus, pg_temp.id(6, o, c, k, 2), false, 'energy', 'Energy', 74, 'kWh', 0.28, 20.72, 0.19);
                INSERT INTO payments (organization_id, client_id, id, customer_id, account_id, received_on, amount, currency, method)
                VALUES (org, cli, pg_temp.id(14, o, c, k, 1), cus, account, '2026-10-10', 10, 'EUR', 'bank_transfer');
                INSERT INTO allocations (organization_id, client_id, payment_id, invoice_id, customer_id, account_id, amount)
                VALUES (org, cli, pg_temp.id(14, o, c, k, 1), pg_temp.id(13, o, c, k, 1), cus, account, 10);
                -- Of documents, messages and requests one that its customer sees whole, and one that is not there for them or not yet.
                INSERT INTO documents (organization_id, client_id, id, customer_id, kind, cause_kind, cause_id, name, language, media_type, bytes,
                    sha256, content_key, status, issued_at)
                SELECT org, cli, pg_temp.id(30, o, c, k, n), cus, 'invoice', 'invoice', pg_temp.id(13, o, c, k, n), 'bill.pdf', 'en', 'application/pdf', 1000,
                    sha256('bill'), sha256('key'), CASE n WHEN 1 THEN 'issued' ELSE 'draft' END, CASE n WHEN 1 THEN '2026-10-02'::timestamptz END
                FROM generate_series(1, 2) n;
                INSERT INTO messages (organization_id, client_id, id, customer_id, kind, cause_kind, cause_id, channel, recipient, language, document_id,
                    status, attempts, due_at, sent_at)
                SELECT org, cli, pg_temp.id(31, o, c, k, n), cus, 'bill_issued', 'invoice', pg_temp.id(13, o, c, k, n), 'mail',
                    format('customer%s%s%s@eis.example', o, c, k), 'en', pg_temp.id(30, o, c, k, n), CASE n WHEN 1 THEN 'sent' ELSE 'queued' END, 2 - n,
                    CASE n WHEN 2 THEN '2026-11-02'::timestamptz END, CASE n WHEN 1 THEN '2026-10-02'::timestamptz END
                FROM generate_series(1, 2) n;
                INSERT INTO customer_requests (organization_id, client_id, id, customer_id, kind, payload, status, accepted, decided_at, created_by)
                SELECT org, cli, pg_temp.id(32, o, c, k, n), cus, 'details', '{"name":"","email":"","phone":"+49 30 1234","billing_address":""}',
                    CASE n WHEN 1 THEN 'decided' ELSE 'received' END, CASE n WHEN 1 THEN true END, CASE n WHEN 1 THEN '2026-10-02'::timestamptz END,
                    pg_temp.id(11, o, c, k, 1)
                FROM generate_series(1, 2) n;
                INSERT INTO community_members (organization_id, client_id, id, community_id, customer_id, role, share, valid_from)
                VALUES (org, cli, pg_temp.id(34, o, c, k, 1), pg_temp.id(33, o, c, 0, 1), cus, 'both', 0.4, '2026-01-01');
            END LOOP;
        END LOOP;
    END LOOP;

    -- People: all with the password of support/world.rs.
    CREATE TEMPORARY TABLE people (name text, email text, role text, o integer, c integer, k integer);
    INSERT INTO people VALUES ('Sam Staff', 'staff@eis.example', 'eis_staff', 0, 0, 0);
    INSERT INTO people SELECT 'Ada Admin ' || g, format('admin%s@eis.example', g), 'energy_admin', g, 0, 0 FROM generate_series(1, 2) g;
    INSERT INTO people SELECT format('Cleo Client %s%s', g, h), format('client%s%s@eis.example', g, h), 'client_admin', g, h, 0
        FROM generate_series(1, 2) g, generate_series(1, 2) h;
    INSERT INTO people SELECT format('Kim Customer %s%s%s', g, h, i), format('customer%s%s%s@eis.example', g, h, i), 'customer_user', g, h, i
        FROM generate_series(1, 2) g, generate_series(1, 2) h, generate_series(1, 2) i;
    INSERT INTO users (id, email, name, password_salt, password_proof)
    SELECT pg_temp.id(11, p.o, p.c, p.k, 1), p.email, p.name, '{{salt}}', sha256('\x{{digest}}') FROM people p;
    INSERT INTO role_assignments (organization_id, id, user_id, role, client_id, customer_id, valid_from)
    SELECT CASE WHEN p.o > 0 THEN pg_temp.id(1, p.o, 0, 0, 0) END, pg_temp.id(15, p.o, p.c, p.k, 1), pg_temp.id(11, p.o, p.c, p.k, 1), p.role,
        CASE WHEN p.c > 0 THEN pg_temp.id(2, p.o, p.c, 0, 0) END, CASE WHEN p.k > 0 THEN pg_temp.id(3, p.o, p.c, p.k, 0) END, '2020-01-01'
    FROM people p;
    -- One person with two hats: client admin in both organizations.
    INSERT INTO users (id, email, name, password_salt, password_proof)
    VALUES (pg_temp.id(11, 9, 0, 0, 1), 'consultant@eis.example', 'Carla Consultant', '{{salt}}', sha256('\x{{digest}}'));
    INSERT INTO role_assignments (organization_id, id, user_id, role, client_id, valid_from)
    SELECT pg_temp.id(1, g, 0, 0, 0), pg_temp.id(15, 9, 0, 0, g), pg_temp.id(11, 9, 0, 0, 1), 'client_admin', pg_temp.id(2, g, 1, 0, 0), '2020-01-01'
    FROM generate_series(1, 2) g;
    INSERT INTO workspace_members (organization_id, client_id, workspace_id, user_id, role)
    SELECT pg_temp.id(1, g, 0, 0, 0), pg_temp.id(2, g, 1, 0, 0), pg_temp.id(25, g, 1, 0, 1), pg_temp.id(11, 9, 0, 0, 1), 'editor' FROM generate_series(1, 2) g;

    -- Invitations and audit records: of the organization, and of each client.
    INSERT INTO invitations (organization_id, id, token_hash, email, name, role, client_id, invited_by, reason, expires_at)
    SELECT pg_temp.id(1, g, 0, 0, 0), pg_temp.id(16, g, h, 0, 1), sha256(convert_to(format('token %s%s', g, h), 'UTF8')),
        format('new%s%s@eis.example', g, h), 'New Person', CASE h WHEN 0 THEN 'energy_admin' ELSE 'client_admin' END,
        CASE WHEN h > 0 THEN pg_temp.id(2, g, h, 0, 0) END, pg_temp.id(11, g, 0, 0, 1), CASE h WHEN 0 THEN 'Ticket 4710: a first admin' END,
        now() + interval '10 years'
    FROM generate_series(1, 2) g, generate_series(0, 2) h;
    INSERT INTO audit_log (organization_id, id, client_id, user_id, user_name, role, action, entity, summary)
    SELECT pg_temp.id(1, g, 0, 0, 0), pg_temp.id(17, g, h, 0, 1), CASE WHEN h > 0 THEN pg_temp.id(2, g, h, 0, 0) END,
        pg_temp.id(11, g, 0, 0, 1), 'Ada Admin', 'energy_admin', 'create', 'client', format('Made client %s%s', g, h)
    FROM generate_series(1, 2) g, generate_series(0, 2) h;
    -- Staff who stepped up once, in a session that is gone.
    INSERT INTO step_ups (organization_id, id, user_id, session_id, reason, expires_at, ended_at)
    SELECT pg_temp.id(1, g, 0, 0, 0), pg_temp.id(18, g, 0, 0, 1), pg_temp.id(11, g, 0, 0, 1), pg_temp.id(19, g, 0, 0, 1),
        'Ticket 4711: a reading was mistyped', now() + interval '10 minutes', now()
    FROM generate_series(1, 2) g;
    -- And what they told the organization's admin.
    INSERT INTO role_notices (organization_id, id, user_id, summary, reason)
    SELECT pg_temp.id(1, g, 0, 0, 0), pg_temp.id(24, g, 0, 0, 1), pg_temp.id(11, g, 0, 0, 1), 'Sam Staff (EIS staff) invited New Person as energy admin',
        'Ticket 4710: a first admin'
    FROM generate_series(1, 2) g;
    -- An EIS administrator who worked as the system once; jobs that are done, of the organization and of each client.
    INSERT INTO system_work (organization_id, id, user_id, session_id, reason, writes, expires_at)
    SELECT pg_temp.id(1, g, 0, 0, 0), pg_temp.id(21, g, 0, 0, 1), pg_temp.id(11, 0, 0, 0, 1), pg_temp.id(19, g, 0, 0, 1),
        'Ticket 4712: figures of the year', true, now()
    FROM generate_series(1, 2) g;
    INSERT INTO jobs (organization_id, id, client_id, kind, status, user_id, assignment_id, session_id, finished_at)
    SELECT pg_temp.id(1, g, 0, 0, 0), pg_temp.id(22, g, h, 0, 1), CASE WHEN h > 0 THEN pg_temp.id(2, g, h, 0, 0) END, 'compare', 'done',
        pg_temp.id(11, g, 0, 0, 1), pg_temp.id(15, g, 0, 0, 1), pg_temp.id(19, g, 0, 0, 1), now()
    FROM generate_series(1, 2) g, generate_series(0, 2) h;
    -- Service identities, of the organization and of each client; the secret is a word and the place: 'service 11'.
    INSERT INTO users (id, email, name, status)
    SELECT pg_temp.id(46, g, h, 0, 1), format('service%s%s@service.invalid', g, h), format('Nightly %s%s', g, h), 'service'
    FROM generate_series(1, 2) g, generate_series(0, 2) h;
    INSERT INTO role_assignments (organization_id, id, user_id, role, client_id, valid_from)
    SELECT pg_temp.id(1, g, 0, 0, 0), pg_temp.id(47, g, h, 0, 1), pg_temp.id(46, g, h, 0, 1), 'service',
        CASE WHEN h > 0 THEN pg_temp.id(2, g, h, 0, 0) END, '2020-01-01'
    FROM generate_series(1, 2) g, generate_series(0, 2) h;
    INSERT INTO service_identities (organization_id, id, client_id, user_id, assignment_id, name, commands, secret_hash, made_by, created_by)
    SELECT pg_temp.id(1, g, 0, 0, 0), pg_temp.id(45, g, h, 0, 1), CASE WHEN h > 0 THEN pg_temp.id(2, g, h, 0, 0) END, pg_temp.id(46, g, h, 0, 1),
        pg_temp.id(47, g, h, 0, 1), format('Nightly %s%s', g, h), '{import_usage,read_overview}', sha256(convert_to(format('service %s%s', g, h), 'UTF8')),
        'Ada Admin', pg_temp.id(11, g, 0, 0, 1)
    FROM generate_series(1, 2) g, generate_series(0, 2) h;
    -- What-ifs that are done: the draft of the tariff over two months.
    INSERT INTO what_ifs (organization_id, client_id, id, job_id, chosen, from_on, to_on, candidates, documents, totals, user_name, finished_at)
    SELECT t.organization_id, t.client_id, pg_temp.id(23, g, h, 0, 1), pg_temp.id(22, g, h, 0, 1), 'all', '2026-09-01', '2026-11-01',
        jsonb_build_array(jsonb_build_object('id', t.id, 'code', t.code, 'version', t.version, 'name', t.name)), jsonb_build_array(t.document),
        jsonb_build_object('customers', 2, 'estimated', 0, 'width', 1,
            'candidates', jsonb_build_array(jsonb_build_object('compared', 2, 'in_part', 1, 'kwh', '200', 'now', '56', 'total', '60', 'more', 2,
                'more_by', '4', 'less', 0, 'less_by', '0', 'same', 0, 'bands', to_jsonb(array_fill(0, ARRAY[12]) || 2), 'without_percent', 0,
                'reasons', '[{"text":"Usage is missing.","left_out":0,"in_part":1}]'::jsonb))), 'Ada Admin', now()
    FROM tariff_rates t, generate_series(1, 2) g, generate_series(1, 2) h WHERE t.id = pg_temp.id(5, g, h, 0, 2);
    INSERT INTO what_if_results (organization_id, client_id, what_if_id, customer_id, contract_id, account_number, customer_name, supplied, estimated, months, kwh, now, costs, problems)
    SELECT c.organization_id, c.client_id, pg_temp.id(23, g, h, 0, 1), c.id, pg_temp.id(49, g, h, i, 1), n.account_number, c.name, 2, false, ARRAY[i], '{100}', '{28}', '{30}',
        ARRAY[CASE i WHEN 1 THEN 'Usage is missing: 2026-10-02.' ELSE '' END]
    FROM customers c JOIN accounts n ON n.customer_id = c.id, generate_series(1, 2) g, generate_series(1, 2) h, generate_series(1, 2) i WHERE c.id = pg_temp.id(3, g, h, i, 0);
    DROP TABLE people;
    -- A run of the isolation test long ago.
    INSERT INTO isolation_runs (id, at, asked_by, milliseconds, tried, passed, tables, summary, faults, drift)
    VALUES (pg_temp.id(20, 0, 0, 0, 1), now() - interval '30 days', 'Sam Staff', 1500, 2000, 2000, 50, '[]', '[]', '[]');
END $$;
