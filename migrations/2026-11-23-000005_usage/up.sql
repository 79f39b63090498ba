-- Imports, register reads and interval data.

CREATE TABLE public.imports (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    file_name       text NOT NULL CHECK (length(file_name) BETWEEN 1 AND 255),
    file_hash       bytea NOT NULL CHECK (octet_length(file_hash) = 32),
    file_bytes      bigint NOT NULL CHECK (file_bytes >= 0),
    format          text NOT NULL CHECK (format IN ('green_button', 'csv', 'nem12')),
    status          text NOT NULL CHECK (status IN ('received', 'validated', 'applied', 'failed')),
    meter_id        uuid,
    accepted        integer NOT NULL DEFAULT 0 CHECK (accepted >= 0),
    unchanged       integer NOT NULL DEFAULT 0 CHECK (unchanged >= 0),
    superseded      integer NOT NULL DEFAULT 0 CHECK (superseded >= 0),
    rejected        integer NOT NULL DEFAULT 0 CHECK (rejected >= 0),
    first_at        timestamptz,
    last_at         timestamptz,
    kwh             numeric(14,3) NOT NULL DEFAULT 0,
    problem         text NOT NULL DEFAULT '',
    applied_at      timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id),
    FOREIGN KEY (organization_id, client_id, meter_id) REFERENCES public.meters (organization_id, client_id, id)
);
CREATE INDEX imports_recent ON public.imports (organization_id, client_id, created_at DESC, id DESC);
COMMENT ON TABLE public.imports IS 'Files of usage: what came, what was taken, what was refused. Counts are values, not lines.';
CALL private.protect('public.imports', 'client', '{INSERT,UPDATE}');
CALL private.track_updates('public.imports');

CREATE TABLE public.import_rejections (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    import_id       uuid NOT NULL,
    position        integer NOT NULL,
    line            integer NOT NULL,
    "column"        integer NOT NULL DEFAULT 1,
    content         text NOT NULL,
    reason          text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid DEFAULT public.get_current_user_id(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, import_id, position),
    FOREIGN KEY (organization_id, client_id, import_id) REFERENCES public.imports (organization_id, client_id, id)
);
COMMENT ON TABLE public.import_rejections IS 'Lines that were not taken, each with its place and reason, so that they can be mended and sent again.';
CALL private.protect('public.import_rejections', 'client', '{INSERT}');
CALL private.track_updates('public.import_rejections');

CREATE TABLE public.meter_readings (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    customer_id     uuid,
    meter_id        uuid NOT NULL,
    from_on         date NOT NULL,
    to_on           date NOT NULL CHECK (to_on > from_on),
    kwh             numeric(12,3) NOT NULL,
    kwh_by_period   jsonb NOT NULL DEFAULT '{}',
    peak_kw         numeric(12,3),
    quality         text NOT NULL CHECK (quality IN ('actual', 'estimated', 'customer')),
    source          text NOT NULL DEFAULT 'import',
    import_id       uuid,
    superseded_by   uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    FOREIGN KEY (organization_id, client_id, meter_id) REFERENCES public.meters (organization_id, client_id, id),
    FOREIGN KEY (organization_id, client_id, import_id) REFERENCES public.imports (organization_id, client_id, id),
    FOREIGN KEY (organization_id, client_id, superseded_by) REFERENCES public.meter_readings (organization_id, client_id, id)
);
CREATE UNIQUE INDEX meter_readings_current ON public.meter_readings (organization_id, client_id, meter_id, from_on)
    WHERE superseded_by IS NULL;
CREATE INDEX meter_readings_customer ON public.meter_readings (organization_id, client_id, customer_id, from_on);
COMMENT ON TABLE public.meter_readings IS 'Register reads: kWh drawn from a day (included) to a day (excluded). A corrected read keeps the old one.';
COMMENT ON COLUMN public.meter_readings.customer_id IS 'Whose contract has its days; NULL: nobody''s, or two customers share them. It follows the contracts'' days.';
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
-- same statement. A read whose days two customers share is nobody's.
CREATE FUNCTION public.usage_follows_contracts() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE place record;
BEGIN
    FOR place IN EXECUTE 'SELECT n.organization_id, n.client_id, n.service_point_id FROM new_rows n'
        || CASE TG_OP WHEN 'UPDATE' THEN ' UNION SELECT o.organization_id, o.client_id, o.service_point_id FROM old_rows o' ELSE '' END
        || ' ORDER BY 1, 2, 3'
    LOOP
        UPDATE public.interval_days d SET customer_id = w.customer_id
        FROM (SELECT u.meter_id, u.day, c.customer_id FROM public.meters m
            JOIN public.interval_days u ON u.organization_id = place.organization_id AND u.client_id = place.client_id AND u.meter_id = m.id
            LEFT JOIN public.contracts c ON c.organization_id = place.organization_id AND c.client_id = place.client_id
                AND c.service_point_id = place.service_point_id AND c.status <> 'withdrawn' AND c.from_on <= u.day AND (c.to_on IS NULL OR c.to_on > u.day)
            WHERE m.organization_id = place.organization_id AND m.client_id = place.client_id AND m.service_point_id = place.service_point_id
                AND u.customer_id IS DISTINCT FROM c.customer_id) w
        WHERE d.organization_id = place.organization_id AND d.client_id = place.client_id AND d.meter_id = w.meter_id AND d.day = w.day;
        UPDATE public.meter_readings r SET customer_id = w.customer_id
        FROM (SELECT u.id, (SELECT CASE WHEN count(DISTINCT c.customer_id) = 1 THEN (min(c.customer_id::text))::uuid END FROM public.contracts c
                WHERE c.organization_id = place.organization_id AND c.client_id = place.client_id AND c.service_point_id = place.service_point_id
                    AND c.status <> 'withdrawn' AND c.from_on < u.to_on AND (c.to_on IS NULL OR c.to_on > u.from_on)) AS customer_id
            FROM public.meters m JOIN public.meter_readings u ON u.organization_id = place.organization_id AND u.client_id = place.client_id
                AND u.meter_id = m.id
            WHERE m.organization_id = place.organization_id AND m.client_id = place.client_id AND m.service_point_id = place.service_point_id) w
        WHERE r.organization_id = place.organization_id AND r.client_id = place.client_id AND r.id = w.id
            AND r.customer_id IS DISTINCT FROM w.customer_id;
    END LOOP;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION public.usage_follows_contracts FROM PUBLIC;
CREATE TRIGGER usage_follows_updated AFTER UPDATE ON public.contracts REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.usage_follows_contracts();
CREATE TRIGGER usage_follows_inserted AFTER INSERT ON public.contracts REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.usage_follows_contracts();
