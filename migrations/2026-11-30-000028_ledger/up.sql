-- The ledger: every amount owed, paid or credited as an entry whose lines sum to zero.
--
-- Entries follow from the guarded facts (issued invoices, payments, allocations) by triggers of each statement, so that
-- no path can forget one. They are written with the gate's rights: no login may write an entry, and no entry stands
-- without its fact.

CREATE TABLE public.ledger_entries (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    customer_id     uuid NOT NULL,
    id              uuid NOT NULL,
    booked_on       date NOT NULL,
    value_on        date NOT NULL,
    cause           text NOT NULL CHECK (cause IN ('invoice', 'credit_note', 'payment', 'allocation')),
    cause_id        uuid NOT NULL,
    settles_id      uuid,
    reverses        uuid CHECK (reverses <> id),
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      uuid,
    PRIMARY KEY (organization_id, client_id, customer_id, id),
    CONSTRAINT ledger_entries_booked_once UNIQUE NULLS NOT DISTINCT (organization_id, client_id, customer_id, cause_id, cause, settles_id),
    FOREIGN KEY (organization_id, client_id, customer_id) REFERENCES public.customers (organization_id, client_id, id),
    FOREIGN KEY (organization_id, client_id, customer_id, reverses)
        REFERENCES public.ledger_entries (organization_id, client_id, customer_id, id),
    CHECK ((settles_id IS NOT NULL) = (cause = 'allocation'))
);
CREATE UNIQUE INDEX ledger_entries_reversed_once ON public.ledger_entries (organization_id, client_id, customer_id, reverses)
    WHERE reverses IS NOT NULL;
CREATE INDEX ledger_entries_days ON public.ledger_entries (organization_id, client_id, booked_on DESC, id DESC);
CREATE INDEX ledger_entries_customer ON public.ledger_entries (organization_id, client_id, customer_id, booked_on DESC, id DESC);
COMMENT ON TABLE public.ledger_entries IS
    'What happened to a customer''s money, once for each cause. Written by the triggers of its cause alone, never changed: a mistake is reversed by another entry.';
COMMENT ON COLUMN public.ledger_entries.booked_on IS 'The day on which it stands in the books, where the client is.';
COMMENT ON COLUMN public.ledger_entries.value_on IS 'The day from which the amount counts: when a bill is due, when money came.';
COMMENT ON COLUMN public.ledger_entries.cause_id IS 'The invoice or credit note, the payment; of an allocation what pays: the payment, or the bill that left the credit.';
COMMENT ON COLUMN public.ledger_entries.settles_id IS 'Of an allocation the invoice that is paid.';
COMMENT ON COLUMN public.ledger_entries.reverses IS 'The entry of the same customer that this one takes back. What was paid of it meanwhile stays the customer''s, as credit.';
CALL private.protect('public.ledger_entries', 'customer', '{}');

CREATE TABLE public.ledger_lines (
    organization_id uuid NOT NULL,
    client_id       uuid NOT NULL,
    customer_id     uuid NOT NULL,
    entry_id        uuid NOT NULL,
    ledger_account  text NOT NULL CHECK (ledger_account IN
        ('receivable', 'unapplied', 'revenue', 'tax', 'rounding', 'carry_over', 'bank', 'fees', 'losses', 'deposits')),
    amount          numeric(12,2) NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (organization_id, client_id, customer_id, entry_id, ledger_account),
    FOREIGN KEY (organization_id, client_id, customer_id, entry_id)
        REFERENCES public.ledger_entries (organization_id, client_id, customer_id, id)
);
CREATE INDEX ledger_lines_carried ON public.ledger_lines (organization_id, client_id, customer_id) INCLUDE (amount)
    WHERE ledger_account = 'carry_over';
COMMENT ON TABLE public.ledger_lines IS 'The lines of an entry, one for each ledger account; they come with it and sum to zero.';
COMMENT ON COLUMN public.ledger_lines.ledger_account IS
    'receivable: bills that are open. unapplied: what a customer has in credit. carry_over: credit that a tariff keeps for the next bill. rounding: of amounts to pay. The others as their names say.';
COMMENT ON COLUMN public.ledger_lines.amount IS
    'Above zero: debit (owed to the client, money in its bank). Below zero: credit (revenue, tax, what it owes a customer).';
CALL private.protect('public.ledger_lines', 'customer', '{}');

GRANT SELECT, INSERT ON public.ledger_entries, public.ledger_lines TO eis_gate;
CREATE POLICY gate_select ON public.ledger_entries FOR SELECT TO eis_gate USING (true);
CREATE POLICY gate_insert ON public.ledger_entries FOR INSERT TO eis_gate WITH CHECK (true);
CREATE POLICY gate_select ON public.ledger_lines FOR SELECT TO eis_gate USING (true);
CREATE POLICY gate_insert ON public.ledger_lines FOR INSERT TO eis_gate WITH CHECK (true);

-- ── What holds whoever writes ──────────────────────────────────────────────────────────────────────

CREATE FUNCTION public.ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN RAISE EXCEPTION 'the ledger is append-only; an entry is reversed by another' USING ERRCODE = 'insufficient_privilege'; END $$;
REVOKE ALL ON FUNCTION public.ledger_is_append_only FROM PUBLIC;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON public.ledger_entries FOR EACH ROW EXECUTE FUNCTION public.ledger_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON public.ledger_lines FOR EACH ROW EXECUTE FUNCTION public.ledger_is_append_only();

-- All lines of an entry come in one statement. So an entry that was found to balance stays as it is, and one that has
-- none is found at the end of its transaction. Looked up by key: a plan made while the table was small would scan it.
CREATE FUNCTION public.ledger_lines_come_together() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT n.organization_id, n.client_id, n.customer_id, n.entry_id, count(*) AS lines FROM new_rows n GROUP BY 1, 2, 3, 4) e
        WHERE e.lines <> (SELECT count(*) FROM public.ledger_lines l WHERE l.organization_id = e.organization_id
            AND l.client_id = e.client_id AND l.customer_id = e.customer_id AND l.entry_id = e.entry_id)) THEN
        RAISE EXCEPTION 'the lines of a ledger entry come together' USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_lines_come_together';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER come_together AFTER INSERT ON public.ledger_lines REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_lines_come_together();

CREATE FUNCTION public.ledger_entry_balances() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE lines bigint; total numeric;
BEGIN
    SELECT count(*), sum(l.amount) INTO lines, total FROM public.ledger_lines l WHERE l.organization_id = NEW.organization_id
        AND l.client_id = NEW.client_id AND l.customer_id = NEW.customer_id AND l.entry_id = NEW.id;
    IF lines < 2 OR total <> 0 THEN
        RAISE EXCEPTION 'the lines of a ledger entry sum to zero' USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_balances';
    END IF;
    -- Whether a customer is owed money or owes less of it is one thing to what is taken back: bills are paid meanwhile.
    IF NEW.reverses IS NOT NULL AND EXISTS (SELECT FROM public.ledger_lines l WHERE l.organization_id = NEW.organization_id
        AND l.client_id = NEW.client_id AND l.customer_id = NEW.customer_id AND l.entry_id IN (NEW.id, NEW.reverses)
        GROUP BY CASE WHEN l.ledger_account IN ('receivable', 'unapplied') THEN 'customer' ELSE l.ledger_account END HAVING sum(l.amount) <> 0) THEN
        RAISE EXCEPTION 'an entry is taken back as it stands' USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_reverses';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER balances AFTER INSERT ON public.ledger_entries DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION public.ledger_entry_balances();

-- ── Booking ────────────────────────────────────────────────────────────────────────────────────────

-- Rows are looked up within their customer, one by one: plans are made while a table is small, and whichever index they
-- take then, a customer's rows stay few.
--
-- Invoices and credit notes, when they are issued: what the customer owes (or has in credit), against revenue, tax and rounding.
-- Credit that a tariff keeps for a contract's next bill was earned by the customer already: it lies in carry_over until a
-- bill uses it. A credit note that takes all of a bill back reverses its entry.
CREATE FUNCTION public.ledger_books_invoices() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
BEGIN
    WITH issued AS MATERIALIZED (
        SELECT n.organization_id, n.client_id, n.customer_id, n.id, n.kind, n.issued_on, n.due_on, n.currency, n.net, n.tax,
            n.payable_rounding, n.total, n.corrects_id,
            CASE n.kind WHEN 'invoice' THEN n.carried_before - n.carried_credit ELSE 0 END AS carried
        FROM new_rows n WHERE n.status <> 'draft' AND (SELECT e.id FROM public.ledger_entries e WHERE e.organization_id = n.organization_id
            AND e.client_id = n.client_id AND e.customer_id = n.customer_id AND e.cause_id = n.id AND e.cause = n.kind AND e.settles_id IS NULL) IS NULL
    ), taken_back AS MATERIALIZED (
        SELECT i.organization_id, i.client_id, i.id AS note, b.id, b.carried FROM issued i CROSS JOIN LATERAL (
            SELECT e.id, coalesce(sum(l.amount) FILTER (WHERE l.ledger_account = 'carry_over'), 0) AS carried FROM public.ledger_entries e
            JOIN public.ledger_lines l ON l.organization_id = e.organization_id AND l.client_id = e.client_id
                AND l.customer_id = e.customer_id AND l.entry_id = e.id
            WHERE e.organization_id = i.organization_id AND e.client_id = i.client_id AND e.customer_id = i.customer_id
                AND e.cause_id = i.corrects_id AND e.cause = 'invoice' AND e.settles_id IS NULL
            GROUP BY e.id
            HAVING coalesce(sum(l.amount) FILTER (WHERE l.ledger_account IN ('revenue', 'carry_over')), 0) = i.net
                AND coalesce(sum(l.amount) FILTER (WHERE l.ledger_account = 'tax'), 0) = i.tax
                AND coalesce(sum(l.amount) FILTER (WHERE l.ledger_account = 'rounding'), 0) = i.payable_rounding) b
        WHERE i.kind = 'credit_note'
    ), booked AS MATERIALIZED (
        SELECT private.fresh_id() AS entry, i.*, t.id AS reverses, i.carried - coalesce(t.carried, 0) AS carry_over
        FROM issued i LEFT JOIN taken_back t ON i.kind = 'credit_note'
            AND (t.organization_id, t.client_id, t.note) = (i.organization_id, i.client_id, i.id)
        WHERE (i.net, i.tax, i.payable_rounding, i.carried - coalesce(t.carried, 0)) <> (0, 0, 0, 0)
    ), entries AS (
        INSERT INTO public.ledger_entries (organization_id, client_id, customer_id, id, booked_on, value_on, cause, cause_id, reverses, currency, created_by)
        SELECT b.organization_id, b.client_id, b.customer_id, b.entry, b.issued_on, b.due_on, b.kind, b.id, b.reverses, b.currency,
            (SELECT public.get_current_user_id())
        FROM booked b
    )
    INSERT INTO public.ledger_lines (organization_id, client_id, customer_id, entry_id, ledger_account, amount)
    SELECT b.organization_id, b.client_id, b.customer_id, b.entry, v.ledger_account, v.amount
    FROM booked b CROSS JOIN LATERAL (VALUES ('receivable', greatest(b.total, 0)), ('unapplied', least(b.total, 0)),
        ('revenue', -b.net - b.carry_over), ('tax', -b.tax), ('rounding', -b.payable_rounding), ('carry_over', b.carry_over))
        v (ledger_account, amount)
    WHERE v.amount <> 0;
    RETURN NULL;
END $$;
CREATE TRIGGER books_inserted AFTER INSERT ON public.invoices REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_books_invoices();
CREATE TRIGGER books_updated AFTER UPDATE ON public.invoices REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_books_invoices();

-- Money that came: in the bank, and the customer's credit until it is allocated.
CREATE FUNCTION public.ledger_books_payments() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
BEGIN
    WITH booked AS MATERIALIZED (
        SELECT private.fresh_id() AS entry, n.*, (n.created_at AT TIME ZONE (SELECT c.time_zone FROM public.clients c
                WHERE c.organization_id = n.organization_id AND c.id = n.client_id))::date AS booked_on
        FROM new_rows n
    ), entries AS (
        INSERT INTO public.ledger_entries (organization_id, client_id, customer_id, id, booked_on, value_on, cause, cause_id, currency, created_by)
        SELECT b.organization_id, b.client_id, b.customer_id, b.entry, b.booked_on, b.received_on, 'payment', b.id, b.currency, b.created_by FROM booked b
    )
    INSERT INTO public.ledger_lines (organization_id, client_id, customer_id, entry_id, ledger_account, amount)
    SELECT b.organization_id, b.client_id, b.customer_id, b.entry, v.ledger_account, v.amount
    FROM booked b CROSS JOIN LATERAL (VALUES ('bank', b.amount), ('unapplied', -b.amount)) v (ledger_account, amount);
    RETURN NULL;
END $$;
CREATE TRIGGER books_inserted AFTER INSERT ON public.payments REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_books_payments();

-- Credit that pays a bill. The bill's own entry knows the currency.
CREATE FUNCTION public.ledger_books_allocations() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
BEGIN
    WITH booked AS MATERIALIZED (
        SELECT private.fresh_id() AS entry, n.*, (n.created_at AT TIME ZONE (SELECT c.time_zone FROM public.clients c
                WHERE c.organization_id = n.organization_id AND c.id = n.client_id))::date AS booked_on,
            (SELECT min(e.currency) FROM public.ledger_entries e WHERE e.organization_id = n.organization_id AND e.client_id = n.client_id
                AND e.customer_id = n.customer_id AND e.cause_id = n.invoice_id AND e.settles_id IS NULL) AS currency
        FROM new_rows n
    ), entries AS (
        INSERT INTO public.ledger_entries (organization_id, client_id, customer_id, id, booked_on, value_on, cause, cause_id, settles_id, currency, created_by)
        SELECT b.organization_id, b.client_id, b.customer_id, b.entry, b.booked_on, b.booked_on, 'allocation', b.source_id, b.invoice_id, b.currency, b.created_by
        FROM booked b
    )
    INSERT INTO public.ledger_lines (organization_id, client_id, customer_id, entry_id, ledger_account, amount)
    SELECT b.organization_id, b.client_id, b.customer_id, b.entry, v.ledger_account, v.amount
    FROM booked b CROSS JOIN LATERAL (VALUES ('unapplied', b.amount), ('receivable', -b.amount)) v (ledger_account, amount);
    RETURN NULL;
END $$;
-- By its name after pay: what may not be paid is refused there.
CREATE TRIGGER then_books AFTER INSERT ON public.allocations REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_books_allocations();

-- What was issued, paid and allocated before there was a ledger is booked by the same functions: these tables are there
-- for their triggers, which read a statement's rows.
CREATE TABLE private.bills_before (LIKE public.invoices);
CREATE TABLE private.payments_before (LIKE public.payments);
CREATE TABLE private.allocations_before (LIKE public.allocations);
CREATE TRIGGER books AFTER INSERT ON private.bills_before REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_books_invoices();
CREATE TRIGGER books AFTER INSERT ON private.payments_before REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_books_payments();
CREATE TRIGGER books AFTER INSERT ON private.allocations_before REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_books_allocations();

CALL private.give_to_gate('{ledger_lines_come_together, ledger_entry_balances, ledger_books_invoices, ledger_books_payments, ledger_books_allocations}', '');

DO $$
DECLARE organization uuid;
BEGIN
    FOR organization IN SELECT o.id FROM public.organizations o ORDER BY o.id LOOP
        PERFORM public.open_system_context(organization);
        INSERT INTO private.bills_before SELECT i.* FROM public.invoices i WHERE i.kind = 'invoice' AND i.status <> 'draft';
        -- After the bills that they take back.
        INSERT INTO private.bills_before SELECT i.* FROM public.invoices i WHERE i.kind = 'credit_note' AND i.status <> 'draft';
        INSERT INTO private.payments_before SELECT p.* FROM public.payments p;
        INSERT INTO private.allocations_before SELECT a.* FROM public.allocations a;
    END LOOP;
    SET LOCAL eis.context = '';
END $$;
-- What waits for the end of the transaction would hold the tables.
SET CONSTRAINTS ALL IMMEDIATE;
DROP TABLE private.bills_before, private.payments_before, private.allocations_before;
