-- What differs between the books and what they follow from, in the organization $1: one row a kind of fault and client,
-- the first of it. Read as the owner, under the policies.
WITH bills AS MATERIALIZED (
    SELECT i.client_id, i.customer_id, i.id, i.kind, i.label, i.status, i.currency, i.net, i.tax, i.payable_rounding, i.total, i.paid,
        i.corrects_id, coalesce((SELECT sum(a.amount) FROM public.allocations a WHERE a.organization_id = i.organization_id
            AND a.client_id = i.client_id AND a.invoice_id = i.id), 0) + least(i.total, 0) AS allocated
    FROM public.invoices i WHERE i.organization_id = $1 AND i.status <> 'draft'
), entries AS MATERIALIZED (
    SELECT e.client_id, e.customer_id, e.id, e.cause, e.cause_id, e.settles_id, e.reverses, e.currency, e.booked_on,
        count(l.amount) AS lines, coalesce(sum(l.amount), 0) AS total,
        coalesce(sum(l.amount) FILTER (WHERE l.ledger_account = 'receivable'), 0) AS receivable,
        coalesce(sum(l.amount) FILTER (WHERE l.ledger_account = 'unapplied'), 0) AS unapplied,
        coalesce(sum(l.amount) FILTER (WHERE l.ledger_account IN ('revenue', 'carry_over')), 0) AS earned,
        coalesce(sum(l.amount) FILTER (WHERE l.ledger_account = 'tax'), 0) AS tax,
        coalesce(sum(l.amount) FILTER (WHERE l.ledger_account = 'rounding'), 0) AS rounding,
        coalesce(sum(l.amount) FILTER (WHERE l.ledger_account = 'bank'), 0) AS bank
    FROM public.ledger_entries e LEFT JOIN public.ledger_lines l ON l.organization_id = e.organization_id
        AND l.client_id = e.client_id AND l.customer_id = e.customer_id AND l.entry_id = e.id
    WHERE e.organization_id = $1 GROUP BY e.client_id, e.customer_id, e.id, e.cause, e.cause_id, e.settles_id, e.reverses, e.currency, e.booked_on
), sources AS MATERIALIZED (
    SELECT p.client_id, p.customer_id, p.currency, p.amount FROM public.payments p WHERE p.organization_id = $1
    UNION ALL SELECT b.client_id, b.customer_id, b.currency, -b.total FROM bills b WHERE b.total < 0
    UNION ALL SELECT b.client_id, b.customer_id, b.currency, -b.allocated FROM bills b WHERE b.total > 0 AND b.allocated <> 0
), balances AS MATERIALIZED (
    SELECT k.client_id, k.customer_id, k.currency, sum(k.open) AS open, sum(k.credit) AS credit, sum(k.receivable) AS receivable,
        sum(-k.unapplied) AS unapplied
    FROM (SELECT b.client_id, b.customer_id, b.currency, b.total - b.paid AS open, 0 AS credit, 0 AS receivable, 0 AS unapplied FROM bills b WHERE b.total > 0
        UNION ALL SELECT s.client_id, s.customer_id, s.currency, 0, s.amount, 0, 0 FROM sources s
        UNION ALL SELECT e.client_id, e.customer_id, e.currency, 0, 0, e.receivable, e.unapplied FROM entries e) k
    GROUP BY k.client_id, k.customer_id, k.currency
), faults (rank, client_id, name, fault) AS (
    SELECT 1, e.client_id, e.id::text, format('the entry %s of %s does not balance: its %s lines sum to %s', e.id, e.booked_on, e.lines, e.total)
    FROM entries e WHERE e.total <> 0 OR e.lines < 2
    UNION ALL
    SELECT 2, b.client_id, b.label, format('%s has %s paid and the status %s, but its allocations come to %s of %s', b.label, b.paid, b.status, b.allocated, b.total)
    FROM bills b WHERE b.paid <> b.allocated OR b.status <> 'credited'
        AND b.status <> CASE WHEN b.paid = b.total THEN 'paid' WHEN b.paid = 0 THEN 'issued' ELSE 'part_paid' END
    UNION ALL
    SELECT 3, b.client_id, b.label, format('%s comes to %s (net %s, tax %s, rounding %s); its entry has receivable %s, unapplied %s, revenue and carry-over %s, tax %s, rounding %s',
        b.label, b.total, b.net, b.tax, b.payable_rounding, coalesce(e.receivable, 0), coalesce(e.unapplied, 0), coalesce(e.earned, 0), coalesce(e.tax, 0), coalesce(e.rounding, 0))
    FROM bills b LEFT JOIN entries e ON e.client_id = b.client_id AND e.customer_id = b.customer_id AND e.cause = b.kind AND e.cause_id = b.id
    WHERE (coalesce(e.receivable, 0), coalesce(e.unapplied, 0), coalesce(e.earned, 0), coalesce(e.tax, 0), coalesce(e.rounding, 0))
        <> (greatest(b.total, 0), least(b.total, 0), -b.net, -b.tax, -b.payable_rounding) OR e.currency <> b.currency
    UNION ALL
    SELECT 4, p.client_id, p.id::text, format('the payment %s of %s comes to %s; its entry has bank %s, unapplied %s', p.id, p.received_on, p.amount, coalesce(e.bank, 0), coalesce(e.unapplied, 0))
    FROM public.payments p LEFT JOIN entries e ON e.client_id = p.client_id AND e.customer_id = p.customer_id AND e.cause = 'payment' AND e.cause_id = p.id
    WHERE p.organization_id = $1 AND ((coalesce(e.bank, 0), coalesce(e.unapplied, 0)) <> (p.amount, -p.amount) OR e.currency <> p.currency)
    UNION ALL
    SELECT 5, a.client_id, a.source_id::text, format('the allocation of %s to the invoice %s comes to %s; its entry has unapplied %s, receivable %s',
        a.source_id, a.invoice_id, a.amount, coalesce(e.unapplied, 0), coalesce(e.receivable, 0))
    FROM public.allocations a LEFT JOIN entries e ON e.client_id = a.client_id AND e.customer_id = a.customer_id AND e.cause = 'allocation'
        AND e.cause_id = a.source_id AND e.settles_id = a.invoice_id
    WHERE a.organization_id = $1 AND (coalesce(e.unapplied, 0), coalesce(e.receivable, 0)) <> (a.amount, -a.amount)
    UNION ALL
    SELECT 6, e.client_id, e.id::text, format('the entry %s of %s follows from no %s', e.id, e.booked_on, replace(e.cause, '_', ' '))
    FROM entries e WHERE NOT CASE e.cause
        WHEN 'payment' THEN EXISTS (SELECT FROM public.payments p WHERE p.organization_id = $1 AND p.client_id = e.client_id AND p.customer_id = e.customer_id AND p.id = e.cause_id)
        WHEN 'allocation' THEN EXISTS (SELECT FROM public.allocations a WHERE a.organization_id = $1 AND a.client_id = e.client_id
            AND a.customer_id = e.customer_id AND a.source_id = e.cause_id AND a.invoice_id = e.settles_id)
        ELSE EXISTS (SELECT FROM public.invoices i WHERE i.organization_id = $1 AND i.client_id = e.client_id AND i.customer_id = e.customer_id
            AND i.id = e.cause_id AND i.kind = e.cause AND i.status <> 'draft') END
    UNION ALL
    SELECT 7, k.client_id, n.account_number, format('account %s has %s open on its bills and %s in credit; the ledger has receivable %s and unapplied %s',
        n.account_number, k.open, k.credit, k.receivable, k.unapplied)
    FROM balances k JOIN public.accounts n ON n.organization_id = $1 AND n.client_id = k.client_id AND n.customer_id = k.customer_id AND n.is_main
    WHERE (k.open, k.credit) <> (k.receivable, k.unapplied)
    UNION ALL
    SELECT 8, t.client_id, t.name, format('the control total %s: the ledger has %s, what it follows from comes to %s (%s)', t.name, t.books, t.facts, t.currency)
    FROM (
        SELECT k.client_id, k.currency, v.name, v.books, v.facts FROM (
            SELECT f.client_id, f.currency, sum(f.open) AS open, sum(f.credit) AS credit, sum(f.came) AS came, sum(f.billed) AS billed,
                sum(f.receivable) AS receivable, sum(f.unapplied) AS unapplied, sum(f.bank) AS bank, sum(f.earned) AS earned
            FROM (SELECT b.client_id, b.currency, greatest(b.total - b.paid, 0) AS open, 0 AS credit, 0 AS came, b.total AS billed, 0 AS receivable, 0 AS unapplied, 0 AS bank, 0 AS earned FROM bills b
                UNION ALL SELECT s.client_id, s.currency, 0, s.amount, 0, 0, 0, 0, 0, 0 FROM sources s
                UNION ALL SELECT p.client_id, p.currency, 0, 0, p.amount, 0, 0, 0, 0, 0 FROM public.payments p WHERE p.organization_id = $1
                UNION ALL SELECT e.client_id, e.currency, 0, 0, 0, 0, e.receivable, -e.unapplied, e.bank, -e.earned - e.tax - e.rounding FROM entries e) f
            GROUP BY f.client_id, f.currency) k
        CROSS JOIN LATERAL (VALUES ('receivable = open invoices', k.receivable, k.open), ('unapplied = payments and credit less allocations', k.unapplied, k.credit),
            ('bank = payments', k.bank, k.came), ('revenue, tax and rounding = issued less credited', k.earned, k.billed)) v (name, books, facts)
        UNION ALL
        SELECT c.client_id, '', 'open amounts of the list of invoices', c.open_amount, coalesce((SELECT sum(b.total - b.paid) FROM bills b
            WHERE b.client_id = c.client_id AND b.status = c.status), 0)
        FROM public.invoice_counts c WHERE c.organization_id = $1 AND c.status <> 'draft') t
    WHERE t.books <> t.facts
    UNION ALL
    -- What tariffs keep is what the last bill of each contract says. Where bills were taken back, it is what their notes made of it.
    SELECT 9, k.client_id, n.account_number, format('account %s keeps %s for later bills; the ledger has %s', n.account_number, k.carried_credit, k.kept)
    FROM (SELECT l.client_id, l.customer_id, sum(l.carried_credit) AS carried_credit,
            coalesce((SELECT -sum(x.amount) FROM public.ledger_lines x WHERE x.organization_id = $1 AND x.client_id = l.client_id
                AND x.customer_id = l.customer_id AND x.ledger_account = 'carry_over'), 0) AS kept
        FROM (SELECT DISTINCT ON (p.client_id, p.customer_id, p.contract_id) p.client_id, p.customer_id, p.contract_id, p.carried_credit
            FROM public.billing_periods p WHERE p.organization_id = $1 AND p.status = 'issued' AND NOT EXISTS (SELECT FROM bills b
                WHERE b.client_id = p.client_id AND b.customer_id = p.customer_id AND b.kind = 'credit_note')
            ORDER BY p.client_id, p.customer_id, p.contract_id, p.from_on DESC) l
        GROUP BY l.client_id, l.customer_id) k
    JOIN public.accounts n ON n.organization_id = $1 AND n.client_id = k.client_id AND n.customer_id = k.customer_id AND n.is_main
    WHERE k.kept <> k.carried_credit
)
SELECT DISTINCT ON (f.rank, c.slug) c.slug AS client, f.fault FROM faults f
JOIN public.clients c ON c.organization_id = $1 AND c.id = f.client_id
ORDER BY f.rank, c.slug, f.name
