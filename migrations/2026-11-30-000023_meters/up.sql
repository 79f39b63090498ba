-- Meters at service points, their registers, and what contracts know of them.

CREATE TABLE public.meters (
    organization_id  uuid NOT NULL,
    client_id        uuid NOT NULL,
    id               uuid NOT NULL,
    service_point_id uuid NOT NULL,
    serial           text NOT NULL CHECK (length(trim(serial)) BETWEEN 1 AND 60),
    direction        text NOT NULL DEFAULT 'import' CHECK (direction IN ('import', 'export')),
    kind             text NOT NULL CHECK (kind IN ('register', 'interval')),
    interval_minutes smallint CHECK (interval_minutes IN (5, 15, 30, 60)),
    registers        text[] NOT NULL DEFAULT '{}' CHECK (array_position(registers, NULL) IS NULL AND '' <> ALL (registers) AND cardinality(registers) <= 20),
    time_zone        text NOT NULL,
    valid_from       date NOT NULL,
    valid_to         date CHECK (valid_to > valid_from),
    metadata         jsonb NOT NULL DEFAULT '{}',
    created_at       timestamptz NOT NULL DEFAULT now(),
    created_by       uuid,
    updated_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    UNIQUE (organization_id, client_id, serial, direction, registers, valid_from),
    CONSTRAINT meters_no_overlap EXCLUDE USING gist (organization_id WITH =, client_id WITH =, lower(serial) WITH =, direction WITH =,
        hash_array_extended(registers, 0) WITH =, daterange(valid_from, valid_to) WITH &&),
    FOREIGN KEY (organization_id, client_id, service_point_id) REFERENCES public.service_points (organization_id, client_id, id),
    CHECK ((kind = 'interval') = (interval_minutes IS NOT NULL))
);
CREATE INDEX meters_service_point ON public.meters (organization_id, client_id, service_point_id, valid_from);
COMMENT ON TABLE public.meters IS 'A register of a meter at a service point from a day (included) to a day (excluded); it stays when people move. Import is what is drawn there.';
COMMENT ON COLUMN public.meters.registers IS 'Names of the registers of a file that this row adds up, such as E1; empty where it has one without a name, or they are not known. A tariff prices a register by its name.';
CALL private.protect('public.meters', 'client', '{INSERT,UPDATE}');
CALL private.track_updates('public.meters');

CREATE TABLE public.registers (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    meter_id        uuid NOT NULL,
    name            text NOT NULL DEFAULT '' CHECK (name = trim(name) AND length(name) <= 20),
    measures        text NOT NULL DEFAULT 'energy' CHECK (measures IN ('energy', 'demand')),
    digits          smallint NOT NULL DEFAULT 6 CHECK (digits BETWEEN 1 AND 9),
    decimals        smallint NOT NULL DEFAULT 0 CHECK (decimals BETWEEN 0 AND 3),
    multiplier      numeric(12,6) NOT NULL DEFAULT 1 CHECK (multiplier > 0),
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid DEFAULT public.get_current_user_id(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    UNIQUE (organization_id, client_id, meter_id, id),
    FOREIGN KEY (organization_id, client_id, meter_id) REFERENCES public.meters (organization_id, client_id, id)
);
CREATE UNIQUE INDEX registers_name ON public.registers (organization_id, client_id, meter_id, measures, lower(name));
COMMENT ON TABLE public.registers IS 'What is read of a meter now and then: each register counts energy or keeps the highest demand. Once a figure was read they stay as they are; another meter is another row.';
COMMENT ON COLUMN public.registers.name IS 'The time-of-use name or code by which tariffs know it, such as HT; empty where the meter has one register.';
COMMENT ON COLUMN public.registers.measures IS 'energy: kWh, ever rising; demand: the highest kW since the reading before.';
COMMENT ON COLUMN public.registers.digits IS 'Whole digits: after 99,999 a register of five begins anew at 0.';
COMMENT ON COLUMN public.registers.multiplier IS 'What a unit on the register stands for, as behind current transformers: usage is the difference times this.';
CALL private.protect('public.registers', 'client', '{INSERT,DELETE}');
CALL private.track_updates('public.registers');

CREATE TABLE public.contract_meters (
    organization_id  uuid NOT NULL,
    client_id        uuid NOT NULL,
    customer_id      uuid NOT NULL,
    contract_id      uuid NOT NULL,
    meter_id         uuid NOT NULL,
    from_on          date NOT NULL,
    to_on            date CHECK (to_on > from_on),
    serial           text NOT NULL,
    direction        text NOT NULL,
    kind             text NOT NULL,
    interval_minutes smallint,
    registers        text[] NOT NULL,
    counts           jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(counts) = 'array'),
    time_zone        text NOT NULL,
    address          text NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    created_by       uuid DEFAULT public.get_current_user_id(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, customer_id, contract_id, meter_id),
    FOREIGN KEY (organization_id, client_id, customer_id, contract_id) REFERENCES public.contracts (organization_id, client_id, customer_id, id),
    FOREIGN KEY (organization_id, client_id, meter_id) REFERENCES public.meters (organization_id, client_id, id)
);
CREATE INDEX contract_meters_meter ON public.contract_meters (organization_id, client_id, meter_id);
COMMENT ON TABLE public.contract_meters IS 'What a customer may know of meters: those of a contract on its days. Written by whatever changes a meter, its registers, a contract or a service point, and by nothing else.';
COMMENT ON COLUMN public.contract_meters.counts IS 'Its registers that are read: objects of id, name, measures, digits, decimals and multiplier, so that a customer can follow usage from figures.';
CALL private.protect('public.contract_meters', 'customer', '{INSERT,DELETE}');
CALL private.track_updates('public.contract_meters');

-- What contracts know of meters follows from meters, contracts and service points, whoever changes these.
CREATE FUNCTION public.meters_tell_contracts() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM public.contract_meters k USING new_rows n
        WHERE k.organization_id = n.organization_id AND k.client_id = n.client_id AND k.meter_id = n.id;
    END IF;
    INSERT INTO public.contract_meters (organization_id, client_id, customer_id, contract_id, meter_id, from_on, to_on, serial, direction, kind,
        interval_minutes, registers, counts, time_zone, address)
    SELECT c.organization_id, c.client_id, c.customer_id, c.id, m.id, greatest(c.from_on, m.valid_from), least(c.to_on, m.valid_to), m.serial,
        m.direction, m.kind, m.interval_minutes, m.registers,
        coalesce((SELECT jsonb_agg(jsonb_build_object('id', r.id, 'name', r.name, 'measures', r.measures, 'digits', r.digits,
            'decimals', r.decimals, 'multiplier', r.multiplier::text) ORDER BY r.measures DESC, r.name)
            FROM public.registers r WHERE r.organization_id = m.organization_id AND r.client_id = m.client_id AND r.meter_id = m.id), '[]'), m.time_zone, c.address
    FROM new_rows m JOIN public.contracts c ON c.organization_id = m.organization_id AND c.client_id = m.client_id
        AND c.service_point_id = m.service_point_id AND c.status <> 'withdrawn'
        AND daterange(c.from_on, c.to_on) && daterange(m.valid_from, m.valid_to);
    RETURN NULL;
END $$;
CREATE TRIGGER tell_inserted AFTER INSERT ON public.meters REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.meters_tell_contracts();
CREATE TRIGGER tell_updated AFTER UPDATE ON public.meters REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.meters_tell_contracts();

-- Registers are told with their meter.
CREATE FUNCTION public.registers_touch_meters() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.meters m SET updated_at = now()
    FROM (SELECT DISTINCT r.organization_id, r.client_id, r.meter_id FROM changed_rows r) r
    WHERE m.organization_id = r.organization_id AND m.client_id = r.client_id AND m.id = r.meter_id;
    RETURN NULL;
END $$;
CREATE TRIGGER touch_meters_inserted AFTER INSERT ON public.registers REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.registers_touch_meters();
CREATE TRIGGER touch_meters_updated AFTER UPDATE ON public.registers REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.registers_touch_meters();
CREATE TRIGGER touch_meters_deleted AFTER DELETE ON public.registers REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.registers_touch_meters();

CREATE FUNCTION public.contracts_know_their_meters() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM public.contract_meters k USING new_rows n
        WHERE k.organization_id = n.organization_id AND k.client_id = n.client_id AND k.customer_id = n.customer_id AND k.contract_id = n.id;
    END IF;
    INSERT INTO public.contract_meters (organization_id, client_id, customer_id, contract_id, meter_id, from_on, to_on, serial, direction, kind,
        interval_minutes, registers, counts, time_zone, address)
    SELECT c.organization_id, c.client_id, c.customer_id, c.id, m.id, greatest(c.from_on, m.valid_from), least(c.to_on, m.valid_to), m.serial,
        m.direction, m.kind, m.interval_minutes, m.registers,
        coalesce((SELECT jsonb_agg(jsonb_build_object('id', r.id, 'name', r.name, 'measures', r.measures, 'digits', r.digits,
            'decimals', r.decimals, 'multiplier', r.multiplier::text) ORDER BY r.measures DESC, r.name)
            FROM public.registers r WHERE r.organization_id = m.organization_id AND r.client_id = m.client_id AND r.meter_id = m.id), '[]'), m.time_zone, c.address
    FROM new_rows c JOIN public.meters m ON m.organization_id = c.organization_id AND m.client_id = c.client_id
        AND m.service_point_id = c.service_point_id AND daterange(m.valid_from, m.valid_to) && daterange(c.from_on, c.to_on)
    WHERE c.status <> 'withdrawn';
    RETURN NULL;
END $$;
CREATE TRIGGER know_meters_inserted AFTER INSERT ON public.contracts REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.contracts_know_their_meters();
CREATE TRIGGER know_meters_updated AFTER UPDATE ON public.contracts REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.contracts_know_their_meters();
REVOKE ALL ON FUNCTION public.meters_tell_contracts, public.registers_touch_meters, public.contracts_know_their_meters FROM PUBLIC;
