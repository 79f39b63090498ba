-- What a customer reads of tariffs: the versions of the own ones, and what the client offers where it lets customers compare.
--
-- No page decides this. The functions run with the caller's rights, so that a customer's context finds the own agreements and
-- the own client alone; they stand in scalar subselects and run once a statement.
--
-- What a customer reads of them: the versions of the own ones, and what the client offers where it lets customers compare. No
-- page decides this.

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
    CONSTRAINT tariff_rates_no_overlap EXCLUDE USING gist (organization_id WITH =, client_id WITH =, lower(code) WITH =,
        daterange(effective_from, effective_to) WITH &&) WHERE (status = 'active' OR status = 'retired' AND effective_to IS NOT NULL),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id)
);
-- Codes are one whatever their case.
CREATE UNIQUE INDEX tariff_rates_code ON public.tariff_rates (organization_id, client_id, lower(code), version);
COMMENT ON TABLE public.tariff_rates IS 'Versions of tariffs. The document is what rating reads; a version that was activated or has rated never changes: it ends, and another follows it.';
COMMENT ON COLUMN public.tariff_rates.rated IS 'Whether a bill was made with this version: from then on its document and dates are fixed.';
COMMENT ON COLUMN public.tariff_rates.offered IS 'Whether the tariff is on offer to the client''s customers; the same for all versions of a code.';
CALL private.protect('public.tariff_rates', 'client', '{INSERT,UPDATE}');
CALL private.track_updates('public.tariff_rates');

CREATE FUNCTION public.rated_tariff_is_fixed() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.status = 'draft' AND NOT OLD.rated THEN RETURN NEW; END IF;
    IF (NEW.document, NEW.effective_from, NEW.code, NEW.version, NEW.name, NEW.kind, NEW.currency)
        IS DISTINCT FROM (OLD.document, OLD.effective_from, OLD.code, OLD.version, OLD.name, OLD.kind, OLD.currency) THEN
        RAISE EXCEPTION 'a tariff version that was activated or has rated bills never changes; make a new version' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.rated AND (NOT NEW.rated OR NEW.status = 'draft') THEN
        RAISE EXCEPTION 'a tariff version that has rated bills stays one; make a new version' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.status = 'active' AND OLD.status = 'retired' OR NEW.status <> 'draft' AND NEW.effective_to IS DISTINCT FROM OLD.effective_to
        AND (NEW.effective_to IS NULL OR NEW.effective_to > OLD.effective_to) THEN
        RAISE EXCEPTION 'a tariff version that ends may end earlier, never later; make a new version' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION public.rated_tariff_is_fixed FROM PUBLIC;
CREATE TRIGGER rated_is_fixed BEFORE UPDATE ON public.tariff_rates FOR EACH ROW EXECUTE FUNCTION public.rated_tariff_is_fixed();

-- What was activated elsewhere is loaded by the owner alone (demo data).
CREATE FUNCTION public.tariff_begins_as_a_draft() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pg_has_role(current_user, 'eis_owner', 'MEMBER') THEN
        RAISE EXCEPTION 'a tariff version begins as a draft, and is activated then' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION public.tariff_begins_as_a_draft FROM PUBLIC;
CREATE TRIGGER begins_as_a_draft AFTER INSERT ON public.tariff_rates FOR EACH ROW WHEN (NEW.status <> 'draft' OR NEW.rated)
    EXECUTE FUNCTION public.tariff_begins_as_a_draft();

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

-- The version is held meanwhile, so that nobody activates it under the hands of who writes its blocks.
CREATE FUNCTION public.blocks_are_a_draft_s() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    block public.tariff_blocks := CASE TG_OP WHEN 'INSERT' THEN NEW ELSE OLD END;
    fixed boolean;
BEGIN
    IF TG_OP = 'INSERT' AND pg_has_role(current_user, 'eis_owner', 'MEMBER') THEN RETURN NULL; END IF;
    SELECT r.status <> 'draft' OR r.rated INTO fixed FROM public.tariff_rates r
    WHERE r.organization_id = block.organization_id AND r.client_id = block.client_id AND r.id = block.tariff_rate_id FOR SHARE;
    IF fixed THEN
        RAISE EXCEPTION 'the blocks of a tariff version that was activated or has rated never change; make a new version'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
REVOKE ALL ON FUNCTION public.blocks_are_a_draft_s FROM PUBLIC;
CREATE TRIGGER of_a_draft AFTER INSERT ON public.tariff_blocks FOR EACH ROW EXECUTE FUNCTION public.blocks_are_a_draft_s();
CREATE TRIGGER of_a_draft_still BEFORE UPDATE OR DELETE ON public.tariff_blocks FOR EACH ROW EXECUTE FUNCTION public.blocks_are_a_draft_s();

CREATE TABLE public.tariff_agreements (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    customer_id     uuid NOT NULL,
    contract_id     uuid NOT NULL,
    part            text NOT NULL DEFAULT 'supply' CHECK (part IN ('supply', 'grid', 'levies')),
    tariff_code     text NOT NULL,
    valid_from      date NOT NULL,
    valid_to        date CHECK (valid_to > valid_from),
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    CONSTRAINT tariff_agreements_same_day UNIQUE (organization_id, client_id, customer_id, contract_id, part, valid_from),
    CONSTRAINT tariff_agreements_no_overlap EXCLUDE USING gist (organization_id WITH =, client_id WITH =, contract_id WITH =, part WITH =,
        daterange(valid_from, valid_to) WITH &&),
    FOREIGN KEY (organization_id, client_id, customer_id, contract_id) REFERENCES public.contracts (organization_id, client_id, customer_id, id)
);
CREATE INDEX tariff_agreements_code ON public.tariff_agreements (organization_id, client_id, tariff_code);
COMMENT ON TABLE public.tariff_agreements IS 'Which contract is on which tariff for a part of its price, from a day (included) to a day (excluded); the version follows from the day.';
CALL private.protect('public.tariff_agreements', 'customer', '{INSERT,UPDATE}');
CALL private.track_updates('public.tariff_agreements');

CREATE POLICY level3_customer_select ON public.tariff_rates FOR SELECT TO eis_app, eis_worker, eis_owner USING (
    (organization_id, client_id) = (SELECT s.organization_id, s.client_id FROM public.customer_scope() s)
    AND code = ANY ((SELECT public.own_tariffs())::text[])
    AND (status = 'active' OR status = 'retired' AND effective_to IS NOT NULL));
CREATE POLICY level3_offered_select ON public.tariff_rates FOR SELECT TO eis_app, eis_worker, eis_owner USING (
    (organization_id, client_id) = (SELECT s.organization_id, s.client_id FROM public.customer_scope() s)
    AND offered AND status = 'active'
    AND effective_from <= (SELECT public.offers_on()) AND (effective_to IS NULL OR effective_to > (SELECT public.offers_on())));
