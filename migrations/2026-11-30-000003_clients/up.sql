-- Clients: the energy companies of an organization.

CREATE TABLE public.clients (
    organization_id     uuid NOT NULL REFERENCES public.organizations (id),
    id                  uuid NOT NULL,
    slug                text NOT NULL CHECK (slug ~ '^[a-z0-9][a-z0-9-]{1,62}$'),
    name                text NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 200),
    legal_name          text NOT NULL,
    address             text NOT NULL DEFAULT '',
    tax_number          text NOT NULL DEFAULT '',
    currency            text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    time_zone           text NOT NULL,
    locale              text NOT NULL,
    invoice_series      text NOT NULL CHECK (invoice_series ~ '^[A-Z0-9-]{1,12}$'),
    tax_name            text NOT NULL DEFAULT 'Tax',
    tax_rate            numeric(7,4) NOT NULL DEFAULT 0 CHECK (tax_rate >= 0 AND tax_rate < 1),
    payment_terms_days  smallint NOT NULL DEFAULT 14 CHECK (payment_terms_days BETWEEN 0 AND 365),
    status              text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'closed')),
    tariff_comparison   boolean NOT NULL DEFAULT false,
    metadata            jsonb NOT NULL DEFAULT '{}',
    created_at          timestamptz NOT NULL DEFAULT now(),
    created_by          uuid,
    updated_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, slug)
);
COMMENT ON TABLE public.clients IS 'Energy companies of an organization: brand, invoice series, zone, currency, tax, terms.';
COMMENT ON COLUMN public.clients.tax_rate IS 'A share: 0.19 is 19 %. Applies where a tariff names no tax of its own.';
COMMENT ON COLUMN public.clients.tariff_comparison IS 'Whether customers may compare what they paid with the tariffs on offer.';
CALL private.protect('public.clients', 'client', '{INSERT,UPDATE}', client_column => 'id');
CREATE POLICY level3_customer_select ON public.clients FOR SELECT TO eis_app, eis_worker, eis_owner
    USING ((organization_id, id) = (SELECT s.organization_id, s.client_id FROM public.customer_scope() s));
DROP POLICY level2_client_insert ON public.clients;
GRANT SELECT ON public.clients TO eis_gate;
CREATE POLICY gate_select ON public.clients FOR SELECT TO eis_gate USING (true);
CALL private.track_updates('public.clients');
