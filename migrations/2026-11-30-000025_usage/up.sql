-- Usage: readings of registers and interval data by the day.

CREATE TABLE public.meter_readings (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    customer_id     uuid,
    meter_id        uuid NOT NULL,
    register_id     uuid NOT NULL,
    read_on         date NOT NULL,
    figure          numeric(14,3) NOT NULL CHECK (figure >= 0),
    why             text NOT NULL DEFAULT 'periodic' CHECK (why IN ('installed', 'periodic', 'final', 'opening', 'removed')),
    quality         text NOT NULL CHECK (quality IN ('actual', 'estimated', 'customer')),
    source          text NOT NULL DEFAULT 'import',
    import_id       uuid,
    superseded_by   uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    FOREIGN KEY (organization_id, client_id, meter_id, register_id) REFERENCES public.registers (organization_id, client_id, meter_id, id),
    FOREIGN KEY (organization_id, client_id, import_id) REFERENCES public.imports (organization_id, client_id, id),
    FOREIGN KEY (organization_id, client_id, superseded_by) REFERENCES public.meter_readings (organization_id, client_id, id)
);
-- Of a register and a day one figure counts; on the day of a move it stands twice, for who goes and for who comes.
CREATE UNIQUE INDEX meter_readings_current ON public.meter_readings (organization_id, client_id, register_id, read_on, (why = 'opening'))
    WHERE superseded_by IS NULL;
CREATE INDEX meter_readings_meter ON public.meter_readings (organization_id, client_id, meter_id, read_on);
CREATE INDEX meter_readings_customer ON public.meter_readings (organization_id, client_id, customer_id, read_on);
COMMENT ON TABLE public.meter_readings IS 'Figures on registers. Usage follows from two of them; a corrected figure keeps the old one.';
COMMENT ON COLUMN public.meter_readings.read_on IS 'The figure holds at the beginning of this day in the meter''s zone: the days before it are used up, the day itself is not.';
COMMENT ON COLUMN public.meter_readings.why IS 'installed and opening begin usage, final and removed end it, periodic does both. It follows from the days of the meter and of contracts.';
COMMENT ON COLUMN public.meter_readings.customer_id IS 'Whose the days are that the figure ends, and of an installed or opening one the days that it begins; NULL: nobody''s. It follows the contracts'' days.';
CALL private.protect('public.meter_readings', 'customer', '{INSERT,UPDATE}');
CALL private.track_updates('public.meter_readings');

CREATE TABLE public.interval_days (
    organization_id  uuid NOT NULL,
    client_id        uuid NOT NULL,
    customer_id      uuid,
    meter_id         uuid NOT NULL,
    day              date NOT NULL,
    interval_minutes smallint NOT NULL CHECK (interval_minutes IN (5, 15, 30, 60)),
    wh               integer[] NOT NULL,
    flags            smallint[],
    total_wh         bigint NOT NULL,
    import_id        uuid,
    created_at       timestamptz NOT NULL DEFAULT now(),
    created_by       uuid,
    updated_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, meter_id, day),
    FOREIGN KEY (organization_id, client_id, meter_id) REFERENCES public.meters (organization_id, client_id, id),
    CHECK (cardinality(wh) BETWEEN 1 AND 300),
    CHECK (flags IS NULL OR cardinality(flags) = cardinality(wh))
) PARTITION BY RANGE (day);
COMMENT ON TABLE public.interval_days IS 'One row per meter and local day: the day''s values in Wh in order of time. NULL entries are gaps. A clock-change day has fewer or more.';
COMMENT ON COLUMN public.interval_days.customer_id IS 'Whose contract has the day; NULL: nobody''s. It follows the contracts'' days.';
COMMENT ON COLUMN public.interval_days.flags IS 'Quality per value, only where it differs from actual: 0 actual, 1 estimated, 2 customer, 3 edited.';
CREATE INDEX interval_days_customer ON public.interval_days (organization_id, client_id, customer_id, day);
CALL private.protect('public.interval_days', 'customer', '{INSERT,UPDATE}');
DO $$
DECLARE y integer;
BEGIN
    FOR y IN 2024..2030 LOOP
        EXECUTE format('CREATE TABLE public.interval_days_%s PARTITION OF public.interval_days FOR VALUES FROM (%L) TO (%L)',
            y, y || '-01-01', (y + 1) || '-01-01');
    END LOOP;
    CREATE TABLE public.interval_days_other PARTITION OF public.interval_days DEFAULT;
    -- A partition read directly would not use its parent's policies: it has no grants and, forced, no policies.
    FOR y IN 2024..2031 LOOP
        EXECUTE format('ALTER TABLE public.interval_days_%s ENABLE ROW LEVEL SECURITY', CASE WHEN y = 2031 THEN 'other' ELSE y::text END);
        EXECUTE format('ALTER TABLE public.interval_days_%s FORCE ROW LEVEL SECURITY', CASE WHEN y = 2031 THEN 'other' ELSE y::text END);
        EXECUTE format('REVOKE ALL ON public.interval_days_%s FROM PUBLIC', CASE WHEN y = 2031 THEN 'other' ELSE y::text END);
    END LOOP;
END $$;
CALL private.track_updates('public.interval_days');

CREATE TABLE public.superseded_interval_days (
    organization_id  uuid NOT NULL,
    client_id        uuid NOT NULL,
    meter_id         uuid NOT NULL,
    day              date NOT NULL,
    id               uuid NOT NULL,
    wh               integer[] NOT NULL,
    flags            smallint[],
    import_id        uuid,
    created_at       timestamptz NOT NULL DEFAULT now(),
    created_by       uuid,
    updated_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, meter_id, day, id),
    FOREIGN KEY (organization_id, client_id, meter_id) REFERENCES public.meters (organization_id, client_id, id)
);
COMMENT ON TABLE public.superseded_interval_days IS 'Days as they were before a later import changed a value; kept for as long as the meter.';
CALL private.protect('public.superseded_interval_days', 'client', '{INSERT}');
CALL private.track_updates('public.superseded_interval_days');

-- Usage goes with the contract that has its days: when a contract's days change, the rows of these days change hands in the
-- same statement. A figure ends the day before it and begins its own day. Where these two are one customer's, or nobody's, it
-- is one row; where they are not, it is two: the final one of who has the day before, and the opening one of who has the day.
-- The first figure of a meter only begins, and the one at its removal only ends.
CREATE FUNCTION public.usage_follows_contracts() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    organizations uuid[];
    clients uuid[];
    points uuid[];
    reading record;
    reason text;
BEGIN
    -- The places where who is supplied, or which days a meter has, may have changed. A contract that is saved is looked at
    -- again even where nothing of it changed: this mends what was given to somebody else by hand.
    IF TG_TABLE_NAME = 'meters' THEN
        SELECT array_agg(p.organization_id), array_agg(p.client_id), array_agg(p.service_point_id) INTO organizations, clients, points
        FROM (SELECT DISTINCT n.organization_id, n.client_id, v.service_point_id
            FROM new_rows n JOIN old_rows o ON o.organization_id = n.organization_id AND o.client_id = n.client_id AND o.id = n.id
            CROSS JOIN LATERAL (VALUES (n.service_point_id), (o.service_point_id)) v (service_point_id)
            WHERE (n.service_point_id, n.valid_from, n.valid_to) IS DISTINCT FROM (o.service_point_id, o.valid_from, o.valid_to)) p;
    ELSE
        EXECUTE 'SELECT array_agg(p.organization_id), array_agg(p.client_id), array_agg(p.service_point_id)
            FROM (SELECT n.organization_id, n.client_id, n.service_point_id FROM new_rows n'
            || CASE TG_OP WHEN 'UPDATE' THEN ' UNION SELECT o.organization_id, o.client_id, o.service_point_id FROM old_rows o'
                ELSE ' GROUP BY 1, 2, 3' END
            || ') p WHERE EXISTS (SELECT FROM public.meters m WHERE m.organization_id = p.organization_id AND m.client_id = p.client_id
                AND m.service_point_id = p.service_point_id)'
        INTO organizations, clients, points;
    END IF;
    IF points IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE public.interval_days d SET customer_id = w.customer_id
    FROM (SELECT u.organization_id, u.client_id, u.meter_id, u.day, c.customer_id
        FROM unnest(organizations, clients, points) p (organization_id, client_id, service_point_id)
        JOIN public.meters m ON m.organization_id = p.organization_id AND m.client_id = p.client_id AND m.service_point_id = p.service_point_id
        JOIN public.interval_days u ON u.organization_id = m.organization_id AND u.client_id = m.client_id AND u.meter_id = m.id
        LEFT JOIN public.contracts c ON c.organization_id = m.organization_id AND c.client_id = m.client_id
            AND c.service_point_id = m.service_point_id AND c.status <> 'withdrawn' AND c.from_on <= u.day AND (c.to_on IS NULL OR c.to_on > u.day)
        WHERE u.customer_id IS DISTINCT FROM c.customer_id) w
    WHERE d.organization_id = w.organization_id AND d.client_id = w.client_id AND d.meter_id = w.meter_id AND d.day = w.day;
    FOR reading IN
        SELECT w.* FROM (
            SELECT h.*, CASE WHEN h.why = 'opening' OR NOT h.ends THEN h.comes ELSE h.goes END AS whose,
                h.ends AND h.begins AND h.goes IS DISTINCT FROM h.comes AS parted
            FROM (SELECT r.organization_id, r.client_id, m.service_point_id, r.id, r.register_id, r.read_on, r.why, r.customer_id, r.superseded_by,
                    g.customer_id AS goes, k.customer_id AS comes, r.read_on > m.valid_from AS ends, m.valid_to IS NULL OR r.read_on < m.valid_to AS begins
                FROM unnest(organizations, clients, points) p (organization_id, client_id, service_point_id)
                JOIN public.meters m ON m.organization_id = p.organization_id AND m.client_id = p.client_id AND m.service_point_id = p.service_point_id
                JOIN public.meter_readings r ON r.organization_id = m.organization_id AND r.client_id = m.client_id AND r.meter_id = m.id
                LEFT JOIN public.contracts g ON g.organization_id = m.organization_id AND g.client_id = m.client_id AND g.service_point_id = m.service_point_id
                    AND g.status <> 'withdrawn' AND g.from_on < r.read_on AND (g.to_on IS NULL OR g.to_on >= r.read_on) AND r.read_on > m.valid_from
                LEFT JOIN public.contracts k ON k.organization_id = m.organization_id AND k.client_id = m.client_id AND k.service_point_id = m.service_point_id
                    AND k.status <> 'withdrawn' AND k.from_on <= r.read_on AND (k.to_on IS NULL OR k.to_on > r.read_on)
                    AND (m.valid_to IS NULL OR r.read_on < m.valid_to)) h) w
        -- Place by place, as issuing takes them. What counts before what it superseded, and the one of who goes before that of
        -- who comes.
        ORDER BY w.organization_id, w.client_id, w.service_point_id, w.superseded_by IS NOT NULL, w.register_id, w.read_on, w.why = 'opening'
    LOOP
        reason := CASE WHEN NOT reading.ends THEN 'installed' WHEN NOT reading.begins THEN 'removed' WHEN reading.parted THEN 'final' ELSE 'periodic' END;
        CONTINUE WHEN NOT (reading.parted AND reading.superseded_by IS NULL) AND reading.customer_id IS NOT DISTINCT FROM reading.whose
            AND (reading.superseded_by IS NOT NULL OR reading.why = reason);
        IF reading.superseded_by IS NULL AND reading.why = 'opening' AND NOT reading.parted THEN
            UPDATE public.meter_readings r SET customer_id = reading.whose, superseded_by = f.id FROM public.meter_readings f
            WHERE r.organization_id = reading.organization_id AND r.client_id = reading.client_id AND r.id = reading.id
                AND f.organization_id = reading.organization_id AND f.client_id = reading.client_id AND f.register_id = reading.register_id
                AND f.read_on = reading.read_on AND f.superseded_by IS NULL AND f.why <> 'opening';
            CONTINUE;
        END IF;
        UPDATE public.meter_readings r
        SET customer_id = reading.whose, why = CASE WHEN r.superseded_by IS NULL AND r.why <> 'opening' THEN reason ELSE r.why END
        WHERE r.organization_id = reading.organization_id AND r.client_id = reading.client_id AND r.id = reading.id
            AND (r.customer_id IS DISTINCT FROM reading.whose OR r.superseded_by IS NULL AND r.why NOT IN ('opening', reason));
        IF reading.parted AND reading.superseded_by IS NULL AND reading.why <> 'opening' THEN
            INSERT INTO public.meter_readings (organization_id, client_id, id, customer_id, meter_id, register_id, read_on, figure, why, quality, source,
                import_id, created_by)
            SELECT r.organization_id, r.client_id, gen_random_uuid(), reading.comes, r.meter_id, r.register_id, r.read_on, r.figure, 'opening', r.quality,
                r.source, r.import_id, r.created_by
            FROM public.meter_readings r
            WHERE r.organization_id = reading.organization_id AND r.client_id = reading.client_id AND r.id = reading.id
            ON CONFLICT DO NOTHING;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION public.usage_follows_contracts FROM PUBLIC;
CREATE TRIGGER usage_follows_updated AFTER UPDATE ON public.contracts REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.usage_follows_contracts();
CREATE TRIGGER usage_follows_inserted AFTER INSERT ON public.contracts REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.usage_follows_contracts();
-- A meter that is removed or moved begins and ends other days.
CREATE TRIGGER usage_follows_updated AFTER UPDATE ON public.meters REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.usage_follows_contracts();
