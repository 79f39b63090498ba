-- Customers, their accounts and contracts; the places where they are supplied, and the meters there.

CREATE TABLE public.customers (
    organization_id  uuid NOT NULL,
    client_id        uuid NOT NULL,
    id               uuid NOT NULL,
    kind             text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'company')),
    name             text NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 200),
    email            text NOT NULL DEFAULT '' CHECK (email = '' OR email LIKE '%_@_%'),
    phone            text NOT NULL DEFAULT '',
    tax_number       text NOT NULL DEFAULT '',
    metadata         jsonb NOT NULL DEFAULT '{}',
    created_at       timestamptz NOT NULL DEFAULT now(),
    created_by       uuid,
    updated_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id)
);
CREATE INDEX customers_name ON public.customers (organization_id, client_id, lower(name), id);
COMMENT ON TABLE public.customers IS 'People and companies that a client supplies. What they owe stands on their accounts.';
COMMENT ON COLUMN public.customers.tax_number IS 'A company''s, as its bills name it.';
CALL private.protect('public.customers', 'client', '{INSERT,UPDATE}');
CREATE POLICY level3_customer_select ON public.customers FOR SELECT TO eis_app, eis_worker, eis_owner
    USING ((organization_id, client_id, id) = (SELECT s.organization_id, s.client_id, s.customer_id FROM public.customer_scope() s));
GRANT SELECT ON public.customers TO eis_gate;
CREATE POLICY gate_select ON public.customers FOR SELECT TO eis_gate USING (true);
CALL private.track_updates('public.customers');

CREATE TABLE public.accounts (
    organization_id    uuid NOT NULL,
    client_id          uuid NOT NULL,
    customer_id        uuid NOT NULL,
    id                 uuid NOT NULL,
    account_number     text NOT NULL CHECK (length(trim(account_number)) BETWEEN 1 AND 40),
    is_main            boolean NOT NULL DEFAULT false,
    billing_address    text NOT NULL DEFAULT '' CHECK (length(billing_address) <= 400),
    delivery           text NOT NULL DEFAULT 'post' CHECK (delivery IN ('post', 'mail', 'portal')),
    language           text NOT NULL DEFAULT '' CHECK (language = '' OR language ~ '^[a-z]{2}(-[A-Z]{2})?$'),
    payment_terms_days smallint CHECK (payment_terms_days BETWEEN 0 AND 365),
    collective         boolean NOT NULL DEFAULT false,
    status             text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
    metadata           jsonb NOT NULL DEFAULT '{}',
    created_at         timestamptz NOT NULL DEFAULT now(),
    created_by         uuid,
    updated_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, customer_id, id),
    UNIQUE (organization_id, client_id, account_number),
    FOREIGN KEY (organization_id, client_id, customer_id) REFERENCES public.customers (organization_id, client_id, id)
);
-- The key above orders lists; this one is what tells accounts apart.
CREATE UNIQUE INDEX accounts_number ON public.accounts (organization_id, client_id, lower(account_number));
CREATE UNIQUE INDEX accounts_main ON public.accounts (organization_id, client_id, customer_id) WHERE is_main;
COMMENT ON TABLE public.accounts IS 'What a customer owes under one number: where bills go, how, and until when they are to be paid. The number is the client''s own and unique within it.';
COMMENT ON COLUMN public.accounts.is_main IS 'Of a customer''s accounts the one by whose number it is listed.';
COMMENT ON COLUMN public.accounts.billing_address IS 'Empty: the service address.';
COMMENT ON COLUMN public.accounts.language IS 'BCP 47; empty: as the client writes.';
COMMENT ON COLUMN public.accounts.payment_terms_days IS 'Days from issue until a bill is due; NULL: the client''s.';
COMMENT ON COLUMN public.accounts.collective IS 'Whether one bill is made for all its contracts that are due together, as landlords want it.';
CALL private.protect('public.accounts', 'customer', '{INSERT,UPDATE}');
GRANT SELECT ON public.accounts TO eis_gate;
CREATE POLICY gate_select ON public.accounts FOR SELECT TO eis_gate USING (true);
CALL private.track_updates('public.accounts');

ALTER TABLE public.role_assignments ADD CONSTRAINT role_assignments_customer
    FOREIGN KEY (organization_id, client_id, customer_id) REFERENCES public.customers (organization_id, client_id, id);
ALTER TABLE public.invitations ADD CONSTRAINT invitations_customer
    FOREIGN KEY (organization_id, client_id, customer_id) REFERENCES public.customers (organization_id, client_id, id);

CREATE TABLE public.service_points (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    address         text NOT NULL CHECK (length(trim(address)) BETWEEN 1 AND 400),
    supply_point_id text NOT NULL DEFAULT '' CHECK (length(supply_point_id) <= 60),
    grid_operator   text NOT NULL DEFAULT '' CHECK (length(grid_operator) <= 200),
    phases          smallint CHECK (phases IN (1, 3)),
    fuse_amps       smallint CHECK (fuse_amps > 0),
    direction       text NOT NULL DEFAULT 'import' CHECK (direction IN ('import', 'export', 'both')),
    time_zone       text NOT NULL,
    metadata        jsonb NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id)
);
CREATE UNIQUE INDEX service_points_supply_point_id ON public.service_points (organization_id, client_id, lower(supply_point_id))
    WHERE supply_point_id <> '';
COMMENT ON TABLE public.service_points IS 'Where energy is delivered or fed in. Meters are installed here, whoever lives here; a contract says who does.';
COMMENT ON COLUMN public.service_points.supply_point_id IS 'As its market calls it: NMI, MaLo, MPAN, PRM, ESI; empty: not known.';
COMMENT ON COLUMN public.service_points.time_zone IS 'IANA; contract days and profile days here are local to it.';
CALL private.protect('public.service_points', 'client', '{INSERT,UPDATE}');
CALL private.track_updates('public.service_points');

CREATE TABLE public.contracts (
    organization_id  uuid NOT NULL,
    client_id        uuid NOT NULL,
    customer_id      uuid NOT NULL,
    id               uuid NOT NULL,
    account_id       uuid NOT NULL,
    service_point_id uuid NOT NULL,
    address          text NOT NULL DEFAULT '',
    from_on          date NOT NULL,
    to_on            date CHECK (to_on > from_on),
    status           text NOT NULL DEFAULT 'agreed' CHECK (status IN ('requested', 'agreed', 'withdrawn')),
    billing_cycle    smallint NOT NULL DEFAULT 1 CHECK (billing_cycle IN (1, 2, 3, 6, 12)),
    billing_anchor   date NOT NULL,
    billing_from     date,
    metadata         jsonb NOT NULL DEFAULT '{}',
    created_at       timestamptz NOT NULL DEFAULT now(),
    created_by       uuid,
    updated_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, customer_id, id),
    CONSTRAINT contracts_no_overlap EXCLUDE USING gist (organization_id WITH =, client_id WITH =, service_point_id WITH =,
        daterange(from_on, to_on) WITH &&) WHERE (status <> 'withdrawn'),
    FOREIGN KEY (organization_id, client_id, customer_id, account_id) REFERENCES public.accounts (organization_id, client_id, customer_id, id),
    FOREIGN KEY (organization_id, client_id, service_point_id) REFERENCES public.service_points (organization_id, client_id, id)
);
CREATE INDEX contracts_service_point ON public.contracts (organization_id, client_id, service_point_id, from_on);
COMMENT ON TABLE public.contracts IS 'An account at a service point from a day (included) to a day (excluded): whose the usage of these days is, and who is billed for it.';
COMMENT ON COLUMN public.contracts.address IS 'The service point''s, which customers do not see; written by whatever changes that, and by nothing else.';
COMMENT ON COLUMN public.contracts.status IS 'requested, agreed, withdrawn. Whether an agreed one is planned, running or ended follows from its days.';
COMMENT ON COLUMN public.contracts.billing_cycle IS 'Months that one bill covers, counted from billing_anchor.';
COMMENT ON COLUMN public.contracts.billing_from IS 'First day that is billed here; the days before were billed elsewhere. NULL: all its days are.';
CALL private.protect('public.contracts', 'customer', '{INSERT,UPDATE}');
CALL private.track_updates('public.contracts');

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

-- A new address of the place is what its contracts are told.
CREATE FUNCTION public.service_points_tell_contracts() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.contracts c SET address = n.address FROM new_rows n
    WHERE c.organization_id = n.organization_id AND c.client_id = n.client_id AND c.service_point_id = n.id AND c.address <> n.address;
    RETURN NULL;
END $$;
CREATE TRIGGER tell_updated AFTER UPDATE ON public.service_points REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.service_points_tell_contracts();

CREATE FUNCTION public.contract_has_its_address() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- A place that is not there is for the key to refuse.
    NEW.address := coalesce((SELECT s.address FROM public.service_points s WHERE s.organization_id = NEW.organization_id
        AND s.client_id = NEW.client_id AND s.id = NEW.service_point_id), NEW.address);
    RETURN NEW;
END $$;
CREATE TRIGGER has_its_address BEFORE INSERT OR UPDATE ON public.contracts FOR EACH ROW EXECUTE FUNCTION public.contract_has_its_address();
REVOKE ALL ON FUNCTION public.contract_has_its_address, public.meters_tell_contracts, public.registers_touch_meters, public.contracts_know_their_meters, public.service_points_tell_contracts FROM PUBLIC;
