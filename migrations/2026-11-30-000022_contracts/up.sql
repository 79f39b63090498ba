-- Contracts: which account is at which service point, from a day to a day.

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
REVOKE ALL ON FUNCTION public.contract_has_its_address, public.service_points_tell_contracts FROM PUBLIC;
