-- Customers, their accounts and their meters.

CREATE TABLE public.customers (
    organization_id  uuid NOT NULL,
    client_id        uuid NOT NULL,
    id               uuid NOT NULL,
    kind             text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'company')),
    name             text NOT NULL CHECK (length(trim(name)) BETWEEN 1 AND 200),
    email            text NOT NULL DEFAULT '' CHECK (email = '' OR email LIKE '%_@_%'),
    phone            text NOT NULL DEFAULT '',
    tax_number       text NOT NULL DEFAULT '',
    service_address  text NOT NULL CHECK (length(trim(service_address)) BETWEEN 1 AND 400),
    status           text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'closed')),
    moved_in_on      date NOT NULL,
    moved_out_on     date CHECK (moved_out_on > moved_in_on),
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
COMMENT ON COLUMN public.customers.moved_out_on IS 'First day no longer supplied.';
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
COMMENT ON COLUMN public.accounts.is_main IS 'Of a customer''s accounts the one that its supply is billed to, and by whose number it is listed.';
COMMENT ON COLUMN public.accounts.billing_address IS 'Empty: the service address.';
COMMENT ON COLUMN public.accounts.language IS 'BCP 47; empty: as the client writes.';
COMMENT ON COLUMN public.accounts.payment_terms_days IS 'Days from issue until a bill is due; NULL: the client''s.';
CALL private.protect('public.accounts', 'customer', '{INSERT,UPDATE}');
GRANT SELECT ON public.accounts TO eis_gate;
CREATE POLICY gate_select ON public.accounts FOR SELECT TO eis_gate USING (true);
CALL private.track_updates('public.accounts');

ALTER TABLE public.role_assignments ADD CONSTRAINT role_assignments_customer
    FOREIGN KEY (organization_id, client_id, customer_id) REFERENCES public.customers (organization_id, client_id, id);
ALTER TABLE public.invitations ADD CONSTRAINT invitations_customer
    FOREIGN KEY (organization_id, client_id, customer_id) REFERENCES public.customers (organization_id, client_id, id);

CREATE TABLE public.meters (
    organization_id  uuid NOT NULL,
    client_id        uuid NOT NULL,
    id               uuid NOT NULL,
    customer_id      uuid NOT NULL,
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
    UNIQUE (organization_id, client_id, customer_id, id),
    CONSTRAINT meters_no_overlap EXCLUDE USING gist (organization_id WITH =, client_id WITH =, lower(serial) WITH =, direction WITH =,
        hash_array_extended(registers, 0) WITH =, daterange(valid_from, valid_to) WITH &&),
    FOREIGN KEY (organization_id, client_id, customer_id) REFERENCES public.customers (organization_id, client_id, id),
    CHECK ((kind = 'interval') = (interval_minutes IS NOT NULL))
);
CREATE INDEX meters_customer ON public.meters (organization_id, client_id, customer_id, valid_from);
COMMENT ON TABLE public.meters IS 'A register of a meter at a customer from a day (included) to a day (excluded). Import is what the customer draws.';
COMMENT ON COLUMN public.meters.registers IS 'Names of the registers of a file that this row adds up, such as E1; empty where it has one without a name, or they are not known. A tariff prices a register by its name.';
CALL private.protect('public.meters', 'customer', '{INSERT,UPDATE}');
CALL private.track_updates('public.meters');
