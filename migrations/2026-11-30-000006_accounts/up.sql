-- Accounts of customers: what is owed under one number.

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
