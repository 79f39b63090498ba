-- Billing runs, invoices with their billing periods and lines, credit notes, payments, allocations. They
-- come and go together: what is paid of an invoice is what its allocations come to.

CREATE TABLE public.billing_runs (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    due_on          date NOT NULL,
    cycle           smallint CHECK (cycle IN (1, 2, 3, 6, 12)),
    status          text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'rated', 'approved', 'issued')),
    contracts       integer NOT NULL DEFAULT 0 CHECK (contracts >= 0),
    invoices        integer NOT NULL DEFAULT 0 CHECK (invoices >= 0),
    exceptions      integer NOT NULL DEFAULT 0 CHECK (exceptions >= 0),
    kwh             numeric(14,3) NOT NULL DEFAULT 0,
    net             numeric(14,2) NOT NULL DEFAULT 0,
    tax             numeric(14,2) NOT NULL DEFAULT 0,
    total           numeric(14,2) NOT NULL DEFAULT 0,
    rated_at        timestamptz,
    approved_at     timestamptz,
    approved_by     uuid,
    issued_at       timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id)
);
CREATE INDEX billing_runs_recent ON public.billing_runs (organization_id, client_id, due_on DESC, id DESC);
COMMENT ON TABLE public.billing_runs IS 'Batches of billing periods that are rated, approved and issued together: those due on a day. Totals are of its latest rating. One that issued nothing may be deleted; its billing periods hold the others.';
COMMENT ON COLUMN public.billing_runs.due_on IS 'It bills days before this one.';
COMMENT ON COLUMN public.billing_runs.cycle IS 'Contracts of this cycle alone; NULL: of every one.';
COMMENT ON COLUMN public.billing_runs.contracts IS 'How many contracts it took on.';
COMMENT ON COLUMN public.billing_runs.exceptions IS 'How many of them its latest rating holds back.';
CALL private.protect('public.billing_runs', 'client', '{INSERT,UPDATE,DELETE}');
CALL private.track_updates('public.billing_runs');

CREATE TABLE public.invoice_counters (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    series          text NOT NULL,
    last_number     bigint NOT NULL DEFAULT 0 CHECK (last_number >= 0),
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, series),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id)
);
COMMENT ON TABLE public.invoice_counters IS 'The last number given per client and series; locked by the transaction that issues, so that numbers have no gaps. Moved by the issuing of invoices alone.';
CALL private.protect('public.invoice_counters', 'client', '{INSERT,UPDATE}');
CALL private.track_updates('public.invoice_counters');

-- A counter begins at nothing and goes forward by the invoices that have its next numbers, never otherwise. Only the
-- owner loads one that has counted elsewhere (demo data).
CREATE FUNCTION public.counter_follows_invoices() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.last_number <> 0 AND NOT pg_has_role(current_user, 'eis_owner', 'MEMBER') THEN
            RAISE EXCEPTION 'the numbers of a series begin at 1' USING ERRCODE = 'check_violation';
        END IF;
    ELSIF NEW.series <> OLD.series OR NEW.client_id <> OLD.client_id OR NEW.organization_id <> OLD.organization_id THEN
        RAISE EXCEPTION 'a counter stays with its series' USING ERRCODE = 'insufficient_privilege';
    ELSIF NEW.last_number < OLD.last_number OR NEW.last_number - OLD.last_number <> (SELECT count(*) FROM public.invoices i
        WHERE i.organization_id = NEW.organization_id AND i.client_id = NEW.client_id AND i.series = NEW.series
            AND i.number > OLD.last_number AND i.number <= NEW.last_number) THEN
        RAISE EXCEPTION 'a counter goes forward by the invoices that are issued, never otherwise' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION public.counter_follows_invoices FROM PUBLIC;
CREATE TRIGGER follows_invoices AFTER INSERT OR UPDATE ON public.invoice_counters FOR EACH ROW EXECUTE FUNCTION public.counter_follows_invoices();

CREATE TABLE public.invoices (
    organization_id   uuid NOT NULL,
    client_id         uuid NOT NULL,
    id                uuid NOT NULL,
    customer_id       uuid NOT NULL,
    account_id        uuid NOT NULL,
    billing_run_id    uuid,
    kind              text NOT NULL DEFAULT 'invoice' CHECK (kind IN ('invoice', 'credit_note')),
    corrects_id       uuid,
    status            text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'issued', 'part_paid', 'paid', 'credited')),
    series            text NOT NULL DEFAULT '',
    number            bigint CHECK (number > 0),
    label             text NOT NULL DEFAULT '',
    customer_name     text NOT NULL,
    account_number    text NOT NULL,
    billing_address   text NOT NULL DEFAULT '',
    period_from       date NOT NULL,
    period_to         date NOT NULL CHECK (period_to > period_from),
    issued_on         date,
    due_on            date,
    currency          text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    tariff_name       text NOT NULL DEFAULT '',
    kwh               numeric(12,3) NOT NULL,
    estimated         boolean NOT NULL DEFAULT false,
    net               numeric(12,2) NOT NULL,
    tax               numeric(12,2) NOT NULL,
    payable_rounding  numeric(12,2) NOT NULL DEFAULT 0,
    total             numeric(12,2) NOT NULL,
    paid              numeric(12,2) NOT NULL DEFAULT 0,
    carried_before    numeric(12,2) NOT NULL DEFAULT 0 CHECK (carried_before >= 0),
    carried_credit    numeric(12,2) NOT NULL DEFAULT 0 CHECK (carried_credit >= 0),
    metadata          jsonb NOT NULL DEFAULT '{}',
    created_at        timestamptz NOT NULL DEFAULT now(),
    created_by        uuid,
    updated_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    UNIQUE (organization_id, client_id, customer_id, id),
    UNIQUE (organization_id, client_id, customer_id, account_id, id),
    CONSTRAINT invoices_number UNIQUE (organization_id, client_id, series, number),
    FOREIGN KEY (organization_id, client_id, customer_id, account_id) REFERENCES public.accounts (organization_id, client_id, customer_id, id),
    FOREIGN KEY (organization_id, client_id, billing_run_id) REFERENCES public.billing_runs (organization_id, client_id, id),
    FOREIGN KEY (organization_id, client_id, corrects_id) REFERENCES public.invoices (organization_id, client_id, id),
    CONSTRAINT invoices_add_up CHECK (total = net + tax + payable_rounding),
    CONSTRAINT invoices_status_follows_paid CHECK (CASE status WHEN 'draft' THEN paid = 0 WHEN 'issued' THEN paid = 0 AND total > 0
        WHEN 'part_paid' THEN paid > 0 AND paid < total WHEN 'paid' THEN paid = total
        ELSE paid BETWEEN least(total, 0) AND greatest(total, 0) END),
    CHECK ((kind = 'credit_note') = (corrects_id IS NOT NULL)),
    CHECK ((status = 'draft') = (number IS NULL) AND (number IS NULL) = (issued_on IS NULL) AND (number IS NULL) = (due_on IS NULL))
);
CREATE INDEX invoices_list ON public.invoices (organization_id, client_id, issued_on DESC, id DESC) WHERE status <> 'draft';
CREATE INDEX invoices_by_status ON public.invoices (organization_id, client_id, status, issued_on DESC, id DESC) WHERE status <> 'draft';
CREATE INDEX invoices_by_customer ON public.invoices (organization_id, client_id, customer_id, issued_on DESC, id DESC);
CREATE INDEX invoices_by_run ON public.invoices (organization_id, client_id, billing_run_id, account_number, id);
CREATE INDEX invoices_due ON public.invoices (organization_id, client_id, due_on) WHERE status IN ('issued', 'part_paid');
COMMENT ON TABLE public.invoices IS
    'Invoices and credit notes of accounts; an invoice bills one or more billing periods. Numbered when issued; from then on only paid changes, by allocations, and status after it, and no row is deleted. Buyer''s name and address as they were.';
COMMENT ON COLUMN public.invoices.billing_run_id IS 'The run that made it; NULL: it was made by itself.';
COMMENT ON COLUMN public.invoices.period_from IS 'The first day that it bills, of all its billing periods.';
COMMENT ON COLUMN public.invoices.total IS 'What is to be paid: net, tax, and the rounding of the amount to pay where the tariff asks for it (payable_rounding, EN 16931 BT-114).';
COMMENT ON COLUMN public.invoices.carried_before IS 'Credit that earlier bills of its contracts left to it.';
COMMENT ON COLUMN public.invoices.carried_credit IS 'Credit that its tariffs leave to the next bills of its contracts.';
COMMENT ON COLUMN public.invoices.metadata IS 'Fields that the organization adds; nothing of the portal''s own. Fixed at issue like every other column.';
COMMENT ON COLUMN public.invoices.label IS 'The number as printed: series, year of issue, number.';
CALL private.protect('public.invoices', 'customer', '{INSERT,UPDATE,DELETE}', customer_sees => 'status <> ''draft''');
CALL private.track_updates('public.invoices');

CREATE TABLE public.billing_periods (
    organization_id   uuid NOT NULL,
    client_id         uuid NOT NULL,
    customer_id       uuid NOT NULL,
    id                uuid NOT NULL,
    contract_id       uuid NOT NULL,
    account_id        uuid NOT NULL,
    billing_run_id    uuid NOT NULL,
    invoice_id        uuid,
    corrects_id       uuid,
    from_on           date NOT NULL,
    to_on             date NOT NULL CHECK (to_on > from_on),
    reason            text NOT NULL DEFAULT 'cycle' CHECK (reason IN ('cycle', 'final', 'correction')),
    status            text NOT NULL DEFAULT 'due' CHECK (status IN ('due', 'rated', 'held', 'approved', 'issued', 'credited')),
    address           text NOT NULL DEFAULT '',
    tariff_name       text NOT NULL DEFAULT '',
    tariff_rate_ids   uuid[] NOT NULL DEFAULT '{}',
    kwh               numeric(12,3) NOT NULL DEFAULT 0,
    exported_kwh      numeric(12,3) NOT NULL DEFAULT 0,
    peak_kw           numeric(12,3),
    peak_names        text[] NOT NULL DEFAULT '{}',
    peak_kws          numeric[] NOT NULL DEFAULT '{}',
    estimated         boolean NOT NULL DEFAULT false,
    net               numeric(12,2) NOT NULL DEFAULT 0,
    tax               numeric(12,2) NOT NULL DEFAULT 0,
    total             numeric(12,2) NOT NULL DEFAULT 0,
    carried_before    numeric(12,2) NOT NULL DEFAULT 0 CHECK (carried_before >= 0),
    carried_credit    numeric(12,2) NOT NULL DEFAULT 0 CHECK (carried_credit >= 0),
    carried_year_to_date numeric(12,2) NOT NULL DEFAULT 0,
    banked_periods    text[] NOT NULL DEFAULT '{}',
    banked_kwh        numeric[] NOT NULL DEFAULT '{}',
    usage_source      jsonb,
    inputs            jsonb,
    explained         jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(explained) = 'array'),
    created_at        timestamptz NOT NULL DEFAULT now(),
    created_by        uuid,
    updated_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, customer_id, id),
    CONSTRAINT billing_periods_no_overlap EXCLUDE USING gist (organization_id WITH =, client_id WITH =, contract_id WITH =,
        daterange(from_on, to_on) WITH &&) WHERE (status <> 'credited'),
    FOREIGN KEY (organization_id, client_id, customer_id, contract_id) REFERENCES public.contracts (organization_id, client_id, customer_id, id),
    FOREIGN KEY (organization_id, client_id, customer_id, account_id) REFERENCES public.accounts (organization_id, client_id, customer_id, id),
    FOREIGN KEY (organization_id, client_id, billing_run_id) REFERENCES public.billing_runs (organization_id, client_id, id),
    FOREIGN KEY (organization_id, client_id, customer_id, account_id, invoice_id)
        REFERENCES public.invoices (organization_id, client_id, customer_id, account_id, id),
    FOREIGN KEY (organization_id, client_id, customer_id, corrects_id)
        REFERENCES public.billing_periods (organization_id, client_id, customer_id, id),
    CONSTRAINT billing_periods_billed CHECK ((invoice_id IS NOT NULL) = (status IN ('rated', 'approved', 'issued', 'credited'))),
    CONSTRAINT billing_periods_corrects CHECK ((reason = 'correction') = (corrects_id IS NOT NULL)),
    CONSTRAINT billing_periods_peaks_named CHECK (cardinality(peak_names) = cardinality(peak_kws)
        AND array_position(peak_names, NULL) IS NULL AND array_position(peak_kws, NULL) IS NULL),
    CONSTRAINT billing_periods_banked_named CHECK (cardinality(banked_periods) = cardinality(banked_kwh)
        AND array_position(banked_periods, NULL) IS NULL AND array_position(banked_kwh, NULL) IS NULL)
);
-- A contract has one period on its way at a time: what a bill takes over from the one before is certain by then.
CREATE UNIQUE INDEX billing_periods_one_under_way ON public.billing_periods (organization_id, client_id, contract_id)
    WHERE status NOT IN ('issued', 'credited');
CREATE INDEX billing_periods_contract ON public.billing_periods (organization_id, client_id, contract_id, from_on) INCLUDE (to_on, status);
CREATE INDEX billing_periods_run ON public.billing_periods (organization_id, client_id, billing_run_id, status);
CREATE INDEX billing_periods_invoice ON public.billing_periods (organization_id, client_id, invoice_id) WHERE invoice_id IS NOT NULL;
COMMENT ON TABLE public.billing_periods IS
    'Days of one contract that one bill covers, and what rating found of them. Each goes its own way: due, rated or held, approved, issued. Issued, it never changes; when its invoice is credited, its days are due again.';
COMMENT ON COLUMN public.billing_periods.billing_run_id IS 'The run that has it now, or that issued it.';
COMMENT ON COLUMN public.billing_periods.reason IS 'cycle: a bill of the contract''s cycle; final: the contract ends; correction: its days were billed before, and credited (corrects_id).';
COMMENT ON COLUMN public.billing_periods.address IS 'Of the service point, as it was.';
COMMENT ON COLUMN public.billing_periods.total IS 'Of this period by itself. On a collective bill tax is taken once over all.';
COMMENT ON COLUMN public.billing_periods.peak_kws IS 'Highest demands in kW, each by its name in peak_names, for later ratchets.';
COMMENT ON COLUMN public.billing_periods.carried_before IS 'Credit that the contract''s earlier bills left to this one.';
COMMENT ON COLUMN public.billing_periods.carried_credit IS 'Credit that the tariff leaves to the next bill.';
COMMENT ON COLUMN public.billing_periods.carried_year_to_date IS 'Charges since 1 January that count towards a minimum per year.';
COMMENT ON COLUMN public.billing_periods.banked_kwh IS 'Net metering: kWh left to the next bill, each by its time-of-use period in banked_periods ('''' where there is none).';
COMMENT ON COLUMN public.billing_periods.tariff_rate_ids IS 'The tariff versions that rated it, in order.';
COMMENT ON COLUMN public.billing_periods.usage_source IS 'How many values and whose meters its usage comes from; NULL: not known.';
COMMENT ON COLUMN public.billing_periods.inputs IS 'A hash of each thing that it was rated from; NULL: not known, so that a draft is never up to date.';
COMMENT ON COLUMN public.billing_periods.explained IS 'Why it differs from the bill before and from last year''s.';
CALL private.protect('public.billing_periods', 'customer', '{INSERT,UPDATE,DELETE}', customer_sees => 'status IN (''issued'', ''credited'')');
CALL private.track_updates('public.billing_periods');

CREATE FUNCTION public.issued_period_is_fixed() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE left_open CONSTANT text[] := '{status,updated_at}'; issued boolean;
BEGIN
    IF OLD.status NOT IN ('issued', 'credited') THEN
        -- Once its invoice is issued there is nothing for it but to be issued, too: its days are billed.
        issued := OLD.invoice_id IS NOT NULL AND (SELECT i.status FROM public.invoices i
            WHERE i.organization_id = OLD.organization_id AND i.client_id = OLD.client_id AND i.id = OLD.invoice_id) <> 'draft';
        IF TG_OP = 'DELETE' AND NOT issued THEN RETURN OLD; END IF;
        IF TG_OP = 'DELETE' OR NEW.status = 'credited' OR issued <> (NEW.status = 'issued')
            OR issued AND (to_jsonb(NEW) - left_open) <> (to_jsonb(OLD) - left_open) THEN
            RAISE EXCEPTION 'a billing period is issued with its invoice' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR (to_jsonb(NEW) - left_open) <> (to_jsonb(OLD) - left_open) THEN
        RAISE EXCEPTION 'a billing period that was issued never changes; credit its invoice' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.status <> OLD.status AND (NEW.status <> 'credited' OR (SELECT i.status FROM public.invoices i
        WHERE i.organization_id = NEW.organization_id AND i.client_id = NEW.client_id AND i.id = NEW.invoice_id) <> 'credited') THEN
        RAISE EXCEPTION 'a billing period is credited with its invoice' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER issued_is_fixed BEFORE UPDATE OR DELETE ON public.billing_periods FOR EACH ROW EXECUTE FUNCTION public.issued_period_is_fixed();

-- What was issued elsewhere is loaded by the owner alone (demo data).
CREATE FUNCTION public.period_begins_as_due() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pg_has_role(current_user, 'eis_owner', 'MEMBER') THEN
        RAISE EXCEPTION 'a billing period begins as due; its bill is issued later' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER begins_as_due AFTER INSERT ON public.billing_periods FOR EACH ROW WHEN (NEW.status IN ('approved', 'issued', 'credited'))
    EXECUTE FUNCTION public.period_begins_as_due();

-- An invoice that is credited gives its days back: they are due again.
CREATE FUNCTION public.credited_days_are_due_again() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.billing_periods p SET status = 'credited' FROM new_rows n
    WHERE n.status = 'credited' AND p.organization_id = n.organization_id AND p.client_id = n.client_id AND p.customer_id = n.customer_id
        AND p.invoice_id = n.id AND p.status = 'issued';
    RETURN NULL;
END $$;
CREATE TRIGGER then_days_are_due_again AFTER UPDATE ON public.invoices REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.credited_days_are_due_again();
REVOKE ALL ON FUNCTION public.issued_period_is_fixed, public.period_begins_as_due, public.credited_days_are_due_again FROM PUBLIC;

CREATE TABLE public.billing_exceptions (
    organization_id   uuid NOT NULL,
    client_id         uuid NOT NULL,
    customer_id       uuid NOT NULL,
    billing_period_id uuid NOT NULL,
    kind              text NOT NULL CHECK (kind ~ '^[a-z_]+$'),
    severity          text NOT NULL CHECK (severity IN ('blocks', 'warns')),
    message           text NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    created_by        uuid,
    updated_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, customer_id, billing_period_id, kind),
    FOREIGN KEY (organization_id, client_id, customer_id, billing_period_id)
        REFERENCES public.billing_periods (organization_id, client_id, customer_id, id) ON DELETE CASCADE
);
CREATE INDEX billing_exceptions_changed ON public.billing_exceptions (organization_id, client_id) WHERE kind = 'usage_changed';
COMMENT ON TABLE public.billing_exceptions IS
    'What the latest rating found of a billing period: why there is no bill (blocks) or what to look at (warns). usage_changed: its usage changed after the invoice.';
CALL private.protect('public.billing_exceptions', 'client', '{INSERT,DELETE}');
CALL private.track_updates('public.billing_exceptions');

-- What was issued elsewhere is loaded by the owner alone (demo data).
CREATE FUNCTION public.invoice_begins_as_a_draft() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pg_has_role(current_user, 'eis_owner', 'MEMBER') THEN
        RAISE EXCEPTION 'an invoice begins as a draft; issuing gives it its number' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION public.invoice_begins_as_a_draft FROM PUBLIC;
CREATE TRIGGER begins_as_a_draft AFTER INSERT ON public.invoices FOR EACH ROW WHEN (NEW.status <> 'draft')
    EXECUTE FUNCTION public.invoice_begins_as_a_draft();

-- What was paid is what its allocations come to; a bill of nothing or less is settled by itself.
CREATE FUNCTION public.issued_invoice_is_fixed() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE payment_state CONSTANT text[] := '{status,paid,updated_at}';
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.status = 'draft' THEN RETURN OLD; END IF;
        RAISE EXCEPTION 'an issued invoice is never deleted; make a credit note' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.status = 'draft' THEN
        IF NEW.status = 'draft' THEN RETURN NEW; END IF;
        IF NEW.status <> (CASE WHEN NEW.total > 0 THEN 'issued' ELSE 'paid' END) THEN
            RAISE EXCEPTION 'a draft is issued before anything else becomes of it' USING ERRCODE = 'check_violation';
        END IF;
        IF NOT EXISTS (SELECT FROM public.invoice_counters c WHERE c.organization_id = NEW.organization_id
            AND c.client_id = NEW.client_id AND c.series = NEW.series AND c.last_number < NEW.number) THEN
            RAISE EXCEPTION 'an invoice takes the next number of its series' USING ERRCODE = 'check_violation';
        END IF;
        NEW.label := concat_ws('-', NEW.series, extract(year FROM NEW.issued_on),
            lpad(NEW.number::text, greatest(6, length(NEW.number::text)), '0'));
        RETURN NEW;
    END IF;
    IF NEW.status = 'draft' OR (to_jsonb(NEW) - payment_state) <> (to_jsonb(OLD) - payment_state) THEN
        RAISE EXCEPTION 'an issued invoice is never edited; make a credit note' USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.status, NEW.paid) = (OLD.status, OLD.paid) THEN RETURN NEW; END IF;
    IF OLD.status = 'credited' THEN
        RAISE EXCEPTION 'a credited invoice stays credited' USING ERRCODE = 'check_violation';
    ELSIF NEW.status <> 'credited' AND NEW.paid - least(NEW.total, 0) <> (SELECT coalesce(sum(a.amount), 0) FROM public.allocations a
        WHERE a.organization_id = NEW.organization_id AND a.client_id = NEW.client_id AND a.customer_id = NEW.customer_id AND a.invoice_id = NEW.id) OR NEW.status = 'credited' AND NEW.paid <> OLD.paid THEN
        RAISE EXCEPTION 'what is paid of an invoice follows from the allocations of payments' USING ERRCODE = 'check_violation';
    ELSIF NEW.status = 'credited' AND (NEW.kind <> 'invoice' OR NOT EXISTS (SELECT FROM public.invoices n
        WHERE n.organization_id = NEW.organization_id AND n.client_id = NEW.client_id AND n.kind = 'credit_note' AND n.corrects_id = NEW.id
            AND n.customer_id = NEW.customer_id AND n.account_id = NEW.account_id AND n.status <> 'draft' AND n.currency = NEW.currency AND n.total = -NEW.total)) THEN
        RAISE EXCEPTION 'an invoice is credited by a credit note of its whole amount, issued first' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER issued_is_fixed BEFORE UPDATE OR DELETE ON public.invoices FOR EACH ROW EXECUTE FUNCTION public.issued_invoice_is_fixed();
CREATE INDEX invoices_corrects ON public.invoices (organization_id, client_id, corrects_id) WHERE kind = 'credit_note';

-- Issuing: the drafts of a statement take the next numbers of their series, and their lines are issued with them.
CREATE FUNCTION public.issuing_takes_numbers() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE run record; last bigint; first bigint; upto bigint; invoices bigint;
BEGIN
    FOR run IN
        SELECT n.organization_id, n.client_id, n.series, bool_or(n.kind = 'invoice') AS bills FROM new_rows n
        WHERE n.status <> 'draft' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    LOOP
        SELECT c.last_number INTO last FROM public.invoice_counters c
        WHERE c.organization_id = run.organization_id AND c.client_id = run.client_id AND c.series = run.series;
        -- Those above the counter are issued just now: what was issued before has a number that it counted.
        SELECT min(n.number), max(n.number), count(*) INTO first, upto, invoices FROM new_rows n
        WHERE n.organization_id = run.organization_id AND n.client_id = run.client_id AND n.series = run.series AND n.number > last;
        CONTINUE WHEN invoices = 0;
        IF run.bills AND NOT EXISTS (SELECT FROM public.clients c
            WHERE c.organization_id = run.organization_id AND c.id = run.client_id AND c.invoice_series = run.series) THEN
            RAISE EXCEPTION 'invoices are numbered in the series of their client' USING ERRCODE = 'check_violation';
        END IF;
        UPDATE public.invoice_counters c SET last_number = upto
        WHERE c.organization_id = run.organization_id AND c.client_id = run.client_id AND c.series = run.series
            AND c.last_number = first - 1 AND invoices = upto - first + 1;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'an invoice takes the next number of its series' USING ERRCODE = 'check_violation';
        END IF;
        UPDATE public.invoice_lines l SET issued = true
        WHERE l.organization_id = run.organization_id AND l.client_id = run.client_id AND NOT l.issued AND l.invoice_id = ANY (ARRAY(
            SELECT n.id FROM new_rows n WHERE n.organization_id = run.organization_id AND n.client_id = run.client_id
                AND n.series = run.series AND n.number > last));
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER takes_numbers AFTER UPDATE ON public.invoices REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.issuing_takes_numbers();
REVOKE ALL ON FUNCTION public.issued_invoice_is_fixed, public.issuing_takes_numbers FROM PUBLIC;

-- Counts per status, kept by the statements that change them, so that a list's total never scans.
CREATE TABLE public.invoice_counts (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    status          text NOT NULL,
    invoices        bigint NOT NULL,
    open_amount     numeric(16,2) NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid DEFAULT public.get_current_user_id(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, status),
    FOREIGN KEY (organization_id, client_id) REFERENCES public.clients (organization_id, id)
);
COMMENT ON TABLE public.invoice_counts IS 'Invoices and open amount per client and status; a list''s total costs one row whatever the client''s size.';
CALL private.protect('public.invoice_counts', 'client', '{INSERT,UPDATE}');
CALL private.track_updates('public.invoice_counts');

CREATE FUNCTION public.count_invoices() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        UPDATE public.invoice_counts t SET invoices = t.invoices - c.n, open_amount = t.open_amount - c.due
        FROM (SELECT o.organization_id, o.client_id, o.status, count(*) AS n, sum(o.total - o.paid) AS due
              FROM old_rows o GROUP BY 1, 2, 3 ORDER BY 1, 2, 3) c
        WHERE (t.organization_id, t.client_id, t.status) = (c.organization_id, c.client_id, c.status);
    END IF;
    IF TG_OP IN ('UPDATE', 'INSERT') THEN
        INSERT INTO public.invoice_counts AS t (organization_id, client_id, status, invoices, open_amount)
        SELECT n.organization_id, n.client_id, n.status, count(*), sum(n.total - n.paid) FROM new_rows n GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (organization_id, client_id, status)
            DO UPDATE SET invoices = t.invoices + excluded.invoices, open_amount = t.open_amount + excluded.open_amount;
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION public.count_invoices FROM PUBLIC;
CREATE TRIGGER count_inserted AFTER INSERT ON public.invoices REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.count_invoices();
CREATE TRIGGER count_updated AFTER UPDATE ON public.invoices REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.count_invoices();
CREATE TRIGGER count_deleted AFTER DELETE ON public.invoices REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.count_invoices();

CREATE TABLE public.invoice_lines (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    invoice_id      uuid NOT NULL,
    position        smallint NOT NULL CHECK (position > 0),
    customer_id     uuid NOT NULL,
    billing_period_id uuid,
    issued          boolean NOT NULL DEFAULT false,
    kind            text NOT NULL CHECK (kind IN ('energy', 'demand', 'fixed', 'minimum', 'tax', 'credit', 'adjustment')),
    description     text NOT NULL,
    tou_period      text NOT NULL DEFAULT '',
    block           smallint,
    quantity        numeric(14,4) NOT NULL,
    unit            text NOT NULL,
    price           numeric(12,6) NOT NULL,
    amount          numeric(12,2) NOT NULL,
    tax_rate        numeric(7,4),
    estimated       boolean NOT NULL DEFAULT false,
    trace           jsonb NOT NULL DEFAULT '[]',
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, invoice_id, position),
    FOREIGN KEY (organization_id, client_id, customer_id, invoice_id)
        REFERENCES public.invoices (organization_id, client_id, customer_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, client_id, customer_id, billing_period_id)
        REFERENCES public.billing_periods (organization_id, client_id, customer_id, id)
);
CREATE INDEX invoice_lines_period ON public.invoice_lines (organization_id, client_id, customer_id, billing_period_id);
COMMENT ON COLUMN public.invoice_lines.billing_period_id IS 'The period that it bills; NULL: it is of the whole invoice, as tax over all is.';
COMMENT ON TABLE public.invoice_lines IS 'Each charge with quantity, unit, price, amount, tax rate and the trace behind it: [{"date","quantity"}] per day.';
COMMENT ON COLUMN public.invoice_lines.issued IS 'Set with its invoice''s number; the customer sees issued lines only.';
CALL private.protect('public.invoice_lines', 'customer', '{INSERT,UPDATE,DELETE}', customer_sees => 'issued');
CALL private.track_updates('public.invoice_lines');

CREATE FUNCTION public.issued_line_is_fixed() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.issued THEN
        RAISE EXCEPTION 'a line of an issued invoice never changes; make a credit note' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    IF NEW.invoice_id <> OLD.invoice_id THEN
        RAISE EXCEPTION 'a line stays on its invoice' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER issued_is_fixed BEFORE UPDATE OR DELETE ON public.invoice_lines FOR EACH ROW EXECUTE FUNCTION public.issued_line_is_fixed();

-- Lines are added to drafts. The foreign key has waited for who issues the draft just now, so that its status is the last word.
CREATE FUNCTION public.lines_are_their_invoice_s() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE loading boolean := pg_has_role(current_user, 'eis_owner', 'MEMBER');
BEGIN
    -- Looked up one by one: a join would be planned as if there were none to find.
    IF EXISTS (SELECT FROM new_rows n WHERE TG_OP = 'INSERT' AND n.issued AND NOT loading OR (TG_OP = 'INSERT' OR n.issued)
        AND n.issued <> (SELECT i.status <> 'draft' FROM public.invoices i
            WHERE i.organization_id = n.organization_id AND i.client_id = n.client_id AND i.customer_id = n.customer_id AND i.id = n.invoice_id)) THEN
        RAISE EXCEPTION 'lines are added to drafts, and issued with them; make a credit note' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER invoice_s_inserted AFTER INSERT ON public.invoice_lines REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.lines_are_their_invoice_s();
CREATE TRIGGER invoice_s_updated AFTER UPDATE ON public.invoice_lines REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.lines_are_their_invoice_s();
REVOKE ALL ON FUNCTION public.issued_line_is_fixed, public.lines_are_their_invoice_s FROM PUBLIC;

CREATE TABLE public.payments (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    id              uuid NOT NULL,
    customer_id     uuid NOT NULL,
    account_id      uuid NOT NULL,
    received_on     date NOT NULL,
    amount          numeric(12,2) NOT NULL CHECK (amount > 0),
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    method          text NOT NULL CHECK (method IN ('bank_transfer', 'direct_debit', 'card', 'cash', 'other')),
    reference       text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, id),
    UNIQUE (organization_id, client_id, customer_id, account_id, id),
    FOREIGN KEY (organization_id, client_id, customer_id, account_id) REFERENCES public.accounts (organization_id, client_id, customer_id, id)
);
CREATE INDEX payments_received ON public.payments (organization_id, client_id, received_on DESC, id DESC) INCLUDE (amount, method);
CREATE INDEX payments_customer ON public.payments (organization_id, client_id, customer_id, received_on DESC) INCLUDE (amount);
COMMENT ON TABLE public.payments IS
    'Money received on an account. What is not allocated is the account''s credit: it pays the next bills when they are issued.';
COMMENT ON COLUMN public.payments.id IS 'Made with the form that records it: a form sent twice is one payment.';
CALL private.protect('public.payments', 'customer', '{INSERT}');
CALL private.track_updates('public.payments');

-- A bill of less than nothing, or a credit note, leaves its amount in the customer's favour: it pays as a payment does.
CREATE TABLE public.allocations (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    payment_id      uuid,
    credit_id       uuid,
    source_id       uuid NOT NULL GENERATED ALWAYS AS (coalesce(payment_id, credit_id)) STORED,
    invoice_id      uuid NOT NULL CHECK (invoice_id <> credit_id),
    customer_id     uuid NOT NULL,
    account_id      uuid NOT NULL,
    amount          numeric(12,2) NOT NULL CHECK (amount > 0),
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, client_id, source_id, invoice_id),
    CONSTRAINT allocations_one_source CHECK (num_nonnulls(payment_id, credit_id) = 1),
    FOREIGN KEY (organization_id, client_id, customer_id, account_id, payment_id)
        REFERENCES public.payments (organization_id, client_id, customer_id, account_id, id),
    FOREIGN KEY (organization_id, client_id, customer_id, credit_id)
        REFERENCES public.invoices (organization_id, client_id, customer_id, id),
    FOREIGN KEY (organization_id, client_id, customer_id, invoice_id)
        REFERENCES public.invoices (organization_id, client_id, customer_id, id)
);
CREATE INDEX allocations_invoice ON public.allocations (organization_id, client_id, invoice_id);
CREATE INDEX allocations_customer ON public.allocations (organization_id, client_id, customer_id) INCLUDE (amount);
CREATE INDEX allocations_credit ON public.allocations (organization_id, client_id, customer_id, credit_id) WHERE credit_id IS NOT NULL;
CREATE INDEX invoices_in_credit ON public.invoices (organization_id, client_id, customer_id) WHERE total < 0 AND status <> 'draft';
COMMENT ON TABLE public.allocations IS 'Which payment, or which bill in the customer''s favour, pays how much of which invoice, of the same account.';
COMMENT ON COLUMN public.allocations.credit_id IS 'The bill of less than nothing, or the credit note, whose credit it is; NULL: a payment pays.';
COMMENT ON COLUMN public.allocations.source_id IS 'payment_id or credit_id, for keys.';
CALL private.protect('public.allocations', 'customer', '{INSERT}');
CALL private.track_updates('public.allocations');

-- What allocations come to: never more than the payment nor more than the bill. The bills' paid and status follow here
-- and nowhere else. Customers are held meanwhile, each one's allocations come one after the other.
CREATE FUNCTION public.allocations_pay() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE share record; source record; bill record; paying uuid[] := '{}'; place record;
BEGIN
    FOR share IN SELECT n.* FROM new_rows n ORDER BY n.organization_id, n.client_id, n.customer_id, n.invoice_id, n.source_id LOOP
        PERFORM 1 FROM public.customers c WHERE c.organization_id = share.organization_id AND c.client_id = share.client_id
            AND c.id = share.customer_id FOR NO KEY UPDATE;
        SELECT s.amount, s.currency, s.account_id, (SELECT sum(a.amount) FROM public.allocations a WHERE a.organization_id = share.organization_id
            AND a.client_id = share.client_id AND a.customer_id = share.customer_id AND a.source_id = share.source_id) AS used INTO source
        FROM (SELECT p.amount, p.currency, p.account_id FROM public.payments p
                WHERE p.organization_id = share.organization_id AND p.client_id = share.client_id AND p.id = share.payment_id
            UNION ALL SELECT -i.total, i.currency, i.account_id FROM public.invoices i
                WHERE i.organization_id = share.organization_id AND i.client_id = share.client_id AND i.id = share.credit_id
                    AND i.status <> 'draft' AND i.total < 0) s;
        SELECT i.total, i.paid, i.currency, i.status, i.account_id, (SELECT sum(a.amount) FROM public.allocations a WHERE a.organization_id = share.organization_id
            AND a.client_id = share.client_id AND a.customer_id = share.customer_id AND a.invoice_id = share.invoice_id) AS given INTO bill
        FROM public.invoices i WHERE i.organization_id = share.organization_id AND i.client_id = share.client_id AND i.id = share.invoice_id;
        IF source.amount IS NULL THEN
            RAISE EXCEPTION 'credit is what an issued bill of less than nothing leaves' USING ERRCODE = 'check_violation';
        ELSIF source.currency <> bill.currency OR bill.status IN ('draft', 'credited') THEN
            RAISE EXCEPTION 'a payment pays issued invoices of its own currency' USING ERRCODE = 'check_violation';
        ELSIF bill.account_id <> share.account_id OR source.account_id <> share.account_id THEN
            RAISE EXCEPTION 'a payment pays invoices of its own account' USING ERRCODE = 'check_violation';
        ELSIF source.used > source.amount THEN
            RAISE EXCEPTION 'a payment pays no more than its amount' USING ERRCODE = 'check_violation';
        ELSIF bill.given > bill.total THEN
            RAISE EXCEPTION 'no more is paid of an invoice than it comes to' USING ERRCODE = 'check_violation';
        END IF;
        IF bill.given <> bill.paid THEN paying := paying || share.invoice_id; END IF;
    END LOOP;
    IF paying = '{}' THEN RETURN NULL; END IF;
    FOR place IN SELECT DISTINCT n.organization_id, n.client_id FROM new_rows n ORDER BY 1, 2 LOOP
        UPDATE public.invoices i SET (paid, status) = (
            SELECT sum(a.amount), CASE WHEN sum(a.amount) = i.total THEN 'paid' ELSE 'part_paid' END FROM public.allocations a
            WHERE a.organization_id = i.organization_id AND a.client_id = i.client_id AND a.customer_id = i.customer_id AND a.invoice_id = i.id)
        WHERE i.organization_id = place.organization_id AND i.client_id = place.client_id AND i.id = ANY (paying);
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER pay AFTER INSERT ON public.allocations REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.allocations_pay();

-- A credit note pays what is left of the bill that it corrects, as soon as it is issued. What was paid before stays the
-- customer's credit.
CREATE FUNCTION public.credit_notes_pay() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE note record;
BEGIN
    FOR note IN SELECT n.organization_id, n.client_id, n.customer_id, n.id, n.corrects_id, n.total, n.currency FROM new_rows n
        WHERE n.kind = 'credit_note' AND n.status <> 'draft' AND n.total < 0 ORDER BY n.organization_id, n.client_id, n.id
    LOOP
        INSERT INTO public.allocations (organization_id, client_id, credit_id, invoice_id, customer_id, account_id, amount, created_by)
        SELECT i.organization_id, i.client_id, note.id, i.id, i.customer_id, i.account_id, least(-note.total, i.total - i.paid), public.get_current_user_id()
        FROM public.invoices i
        WHERE i.organization_id = note.organization_id AND i.client_id = note.client_id AND i.customer_id = note.customer_id
            AND i.id = note.corrects_id AND i.currency = note.currency AND i.status IN ('issued', 'part_paid')
            AND NOT EXISTS (SELECT FROM public.allocations a WHERE a.organization_id = note.organization_id
                AND a.client_id = note.client_id AND a.customer_id = note.customer_id AND a.source_id = note.id);
    END LOOP;
    RETURN NULL;
END $$;
-- By its name after takes_numbers: what is issued has its number by then.
CREATE TRIGGER then_notes_pay AFTER UPDATE ON public.invoices REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.credit_notes_pay();
REVOKE ALL ON FUNCTION public.allocations_pay, public.credit_notes_pay FROM PUBLIC;

-- Usage that changes after it was invoiced. The invoice stays as it is; the change is told, whoever makes it.
-- Writers of usage hold its service points together (FOR SHARE), issuing holds those of its contracts alone: a change is
-- either seen by what issuing looks at, or sees what was issued.

CREATE FUNCTION public.tell_changed_days() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM 1 FROM public.service_points s
    WHERE (s.organization_id, s.client_id, s.id) IN (SELECT m.organization_id, m.client_id, m.service_point_id
        FROM (SELECT DISTINCT n.organization_id, n.client_id, n.meter_id FROM new_rows n) d JOIN public.meters m
            ON m.organization_id = d.organization_id AND m.client_id = d.client_id AND m.id = d.meter_id)
    ORDER BY s.organization_id, s.client_id, s.id FOR SHARE;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO public.billing_exceptions (organization_id, client_id, customer_id, billing_period_id, kind, severity, message)
        SELECT p.organization_id, p.client_id, p.customer_id, p.id, 'usage_changed', 'warns',
            format('Usage changed after invoice %s: values of %s came later.', min(i.label), min(n.day))
        FROM new_rows n JOIN public.meters m ON m.organization_id = n.organization_id AND m.client_id = n.client_id AND m.id = n.meter_id
        JOIN public.contracts c ON c.organization_id = n.organization_id AND c.client_id = n.client_id AND c.service_point_id = m.service_point_id
        JOIN public.billing_periods p ON p.organization_id = n.organization_id AND p.client_id = n.client_id AND p.contract_id = c.id
            AND p.customer_id = c.customer_id AND p.status = 'issued' AND p.from_on <= n.day AND p.to_on > n.day
        JOIN public.invoices i ON i.organization_id = p.organization_id AND i.client_id = p.client_id AND i.id = p.invoice_id
        GROUP BY p.organization_id, p.client_id, p.customer_id, p.id
        ON CONFLICT DO NOTHING;
    ELSE
        INSERT INTO public.billing_exceptions (organization_id, client_id, customer_id, billing_period_id, kind, severity, message)
        SELECT p.organization_id, p.client_id, p.customer_id, p.id, 'usage_changed', 'warns',
            format('Usage changed after invoice %s: values of %s %s.', min(i.label), min(n.day),
                CASE WHEN bool_or(o.customer_id IS DISTINCT FROM n.customer_id) THEN 'have changed hands' ELSE 'are different now' END)
        FROM new_rows n JOIN old_rows o ON o.organization_id = n.organization_id AND o.client_id = n.client_id
            AND o.meter_id = n.meter_id AND o.day = n.day
        JOIN public.meters m ON m.organization_id = n.organization_id AND m.client_id = n.client_id AND m.id = n.meter_id
        JOIN public.contracts c ON c.organization_id = n.organization_id AND c.client_id = n.client_id AND c.service_point_id = m.service_point_id
        JOIN public.billing_periods p ON p.organization_id = n.organization_id AND p.client_id = n.client_id AND p.contract_id = c.id
            AND p.customer_id = c.customer_id AND p.status = 'issued' AND p.from_on <= n.day AND p.to_on > n.day
        JOIN public.invoices i ON i.organization_id = p.organization_id AND i.client_id = p.client_id AND i.id = p.invoice_id
        WHERE o.customer_id IS DISTINCT FROM n.customer_id OR o.interval_minutes IS DISTINCT FROM n.interval_minutes
            OR o.wh IS DISTINCT FROM n.wh OR o.flags IS DISTINCT FROM n.flags
        GROUP BY p.organization_id, p.client_id, p.customer_id, p.id
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION public.tell_changed_days FROM PUBLIC;
CREATE TRIGGER tell_inserted AFTER INSERT ON public.interval_days REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.tell_changed_days();
CREATE TRIGGER tell_updated AFTER UPDATE ON public.interval_days REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.tell_changed_days();

-- A figure says what was used since the one before it and until the next: bills of these days are told, those of the
-- contracts at the meter's own service point.
CREATE FUNCTION public.tell_changed_reads() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM 1 FROM public.service_points s
    WHERE (s.organization_id, s.client_id, s.id) IN (SELECT m.organization_id, m.client_id, m.service_point_id
        FROM (SELECT DISTINCT n.organization_id, n.client_id, n.meter_id FROM new_rows n) d JOIN public.meters m
            ON m.organization_id = d.organization_id AND m.client_id = d.client_id AND m.id = d.meter_id)
    ORDER BY s.organization_id, s.client_id, s.id FOR SHARE;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO public.billing_exceptions (organization_id, client_id, customer_id, billing_period_id, kind, severity, message)
        SELECT p.organization_id, p.client_id, p.customer_id, p.id, 'usage_changed', 'warns',
            format('Usage changed after invoice %s: a reading of %s came later.', min(i.label), min(n.read_on))
        FROM new_rows n JOIN public.meters m ON m.organization_id = n.organization_id AND m.client_id = n.client_id AND m.id = n.meter_id
        CROSS JOIN LATERAL (SELECT
            coalesce((SELECT max(r.read_on) FROM public.meter_readings r WHERE r.organization_id = n.organization_id AND r.client_id = n.client_id
                AND r.register_id = n.register_id AND r.superseded_by IS NULL AND r.read_on < n.read_on), n.read_on) AS from_on,
            coalesce((SELECT min(r.read_on) FROM public.meter_readings r WHERE r.organization_id = n.organization_id AND r.client_id = n.client_id
                AND r.register_id = n.register_id AND r.superseded_by IS NULL AND r.read_on > n.read_on), n.read_on) AS to_on) d
        JOIN public.contracts c ON c.organization_id = n.organization_id AND c.client_id = n.client_id AND c.service_point_id = m.service_point_id
            AND c.customer_id = n.customer_id
        JOIN public.billing_periods p ON p.organization_id = n.organization_id AND p.client_id = n.client_id AND p.contract_id = c.id
            AND p.customer_id = c.customer_id AND p.status = 'issued' AND p.from_on < d.to_on AND p.to_on > d.from_on
        JOIN public.invoices i ON i.organization_id = p.organization_id AND i.client_id = p.client_id AND i.id = p.invoice_id
        WHERE n.superseded_by IS NULL
        GROUP BY p.organization_id, p.client_id, p.customer_id, p.id
        ON CONFLICT DO NOTHING;
    ELSE
        INSERT INTO public.billing_exceptions (organization_id, client_id, customer_id, billing_period_id, kind, severity, message)
        SELECT p.organization_id, p.client_id, p.customer_id, p.id, 'usage_changed', 'warns',
            format('Usage changed after invoice %s: the reading of %s %s.', min(i.label), min(least(o.read_on, n.read_on)),
                CASE WHEN bool_or(o.customer_id IS DISTINCT FROM n.customer_id) THEN 'has changed hands' ELSE 'is different now' END)
        FROM new_rows n JOIN old_rows o ON o.organization_id = n.organization_id AND o.client_id = n.client_id AND o.id = n.id
        JOIN public.meters m ON m.organization_id = n.organization_id AND m.client_id = n.client_id AND m.id = n.meter_id
        CROSS JOIN LATERAL (SELECT
            coalesce((SELECT max(r.read_on) FROM public.meter_readings r WHERE r.organization_id = n.organization_id AND r.client_id = n.client_id
                AND r.register_id = n.register_id AND r.superseded_by IS NULL AND r.read_on < least(o.read_on, n.read_on)), least(o.read_on, n.read_on)) AS from_on,
            coalesce((SELECT min(r.read_on) FROM public.meter_readings r WHERE r.organization_id = n.organization_id AND r.client_id = n.client_id
                AND r.register_id = n.register_id AND r.superseded_by IS NULL AND r.read_on > greatest(o.read_on, n.read_on)), greatest(o.read_on, n.read_on)) AS to_on) d
        JOIN public.contracts c ON c.organization_id = n.organization_id AND c.client_id = n.client_id AND c.service_point_id = m.service_point_id
            AND c.customer_id = ANY (ARRAY[o.customer_id, n.customer_id])
        JOIN public.billing_periods p ON p.organization_id = n.organization_id AND p.client_id = n.client_id AND p.contract_id = c.id
            AND p.customer_id = c.customer_id AND p.status = 'issued' AND p.from_on < d.to_on AND p.to_on > d.from_on
        JOIN public.invoices i ON i.organization_id = p.organization_id AND i.client_id = p.client_id AND i.id = p.invoice_id
        WHERE (o.customer_id, o.register_id, o.read_on, o.figure, o.quality, o.superseded_by)
                IS DISTINCT FROM (n.customer_id, n.register_id, n.read_on, n.figure, n.quality, n.superseded_by)
        GROUP BY p.organization_id, p.client_id, p.customer_id, p.id
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION public.tell_changed_reads FROM PUBLIC;
CREATE TRIGGER tell_inserted AFTER INSERT ON public.meter_readings REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.tell_changed_reads();
CREATE TRIGGER tell_updated AFTER UPDATE ON public.meter_readings REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.tell_changed_reads();
