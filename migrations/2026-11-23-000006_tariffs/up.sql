-- Tariff rates, their blocks, and which customer is on which tariff.

CREATE TABLE public.tariff_rates (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    code            text NOT NULL CHECK (code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$'),
    version         integer NOT NULL CHECK (version > 0),
    name            text NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 200),
    kind            text NOT NULL CHECK (kind IN ('flat', 'tiered', 'time_of_use', 'demand', 'mixed')),
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    document        jsonb NOT NULL,
    effective_from  date NOT NULL,
    effective_to    date CHECK (effective_to > effective_from),
    status          text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'active', 'retired')),
    rated           boolean NOT NULL DEFAULT false,
    offered         boolean NOT NULL DEFAULT false,
    metadata        jsonb NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    UNIQUE (organization_id, client_id, code, version),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id)
);
-- Codes are one whatever their case.
CREATE UNIQUE INDEX tariff_rates_code ON public.tariff_rates (organization_id, client_id, lower(code), version);
COMMENT ON TABLE public.tariff_rates IS 'Versions of tariffs. The document is what rating reads; a version that has rated anything never changes.';
COMMENT ON COLUMN public.tariff_rates.rated IS 'Whether a bill was made with this version: from then on its document and dates are fixed.';
COMMENT ON COLUMN public.tariff_rates.offered IS 'Whether the tariff is on offer to the client''s customers; the same for all versions of a code.';
CALL private.protect('public.tariff_rates', 'client', '{INSERT,UPDATE}');
CALL private.track_updates('public.tariff_rates');

CREATE FUNCTION public.rated_tariff_is_fixed() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.rated AND (NEW.document IS DISTINCT FROM OLD.document OR NEW.effective_from <> OLD.effective_from
        OR NEW.code <> OLD.code OR NEW.version <> OLD.version OR NEW.currency <> OLD.currency OR NOT NEW.rated) THEN
        RAISE EXCEPTION 'a tariff version that has rated bills never changes; make a new version' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION public.rated_tariff_is_fixed FROM PUBLIC;
CREATE TRIGGER rated_is_fixed BEFORE UPDATE ON public.tariff_rates FOR EACH ROW EXECUTE FUNCTION public.rated_tariff_is_fixed();

CREATE TABLE public.tariff_blocks (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    tariff_rate_id  uuid NOT NULL,
    position        smallint NOT NULL,
    tou_period      text NOT NULL DEFAULT '',
    from_kwh        numeric(12,3) NOT NULL DEFAULT 0 CHECK (from_kwh >= 0),
    to_kwh          numeric(12,3) CHECK (to_kwh > from_kwh),
    price           numeric(12,6) NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, tariff_rate_id, position),
    FOREIGN KEY (organization_id, client_id, tariff_rate_id) REFERENCES public.tariff_rates (organization_id, client_id, id)
);
COMMENT ON TABLE public.tariff_blocks IS 'The energy steps of a tariff version, read off its document when it is written: for lists and comparisons.';
CALL private.protect('public.tariff_blocks', 'client', '{INSERT,DELETE}');
CALL private.track_updates('public.tariff_blocks');

CREATE TABLE public.tariff_agreements (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    customer_id     uuid NOT NULL,
    tariff_code     text NOT NULL,
    valid_from      date NOT NULL,
    valid_to        date CHECK (valid_to > valid_from),
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    UNIQUE (organization_id, client_id, customer_id, valid_from),
    FOREIGN KEY (organization_id, client_id, customer_id) REFERENCES public.customers (organization_id, client_id, id)
);
CREATE INDEX tariff_agreements_code ON public.tariff_agreements (organization_id, client_id, tariff_code);
COMMENT ON TABLE public.tariff_agreements IS 'Which customer is on which tariff, from a day (included) to a day (excluded); the version follows from the day.';
CALL private.protect('public.tariff_agreements', 'customer', '{INSERT,UPDATE}');
CALL private.track_updates('public.tariff_agreements');
