-- Customers: whom a client supplies.

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
