-- Each client with what waits for somebody. Row-level security keeps it to the organization of the context.
SELECT c.id, c.name, c.status, c.currency,
    coalesce(k.customers, 0) AS customers,
    coalesce(p.open_runs, 0) AS open_runs,
    coalesce(p.waiting_runs, 0) AS waiting_runs,
    w.id AS waiting_run, w.due_on AS waiting_due_on,
    coalesce(h.held, 0) AS exceptions,
    coalesce(o.overdue, 0) AS overdue,
    coalesce(o.amount, 0) AS overdue_amount,
    coalesce(n.open_amount, 0) AS open_amount,
    coalesce(i.faulty, 0) AS faulty_imports
FROM public.clients c
LEFT JOIN LATERAL (
    SELECT count(DISTINCT k.customer_id) AS customers FROM public.contracts k
    WHERE k.organization_id = c.organization_id AND k.client_id = c.id AND k.status <> 'withdrawn'
      AND (k.to_on IS NULL OR k.to_on > ($1 AT TIME ZONE c.time_zone)::date)
) k ON true
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE r.status = 'open') AS open_runs,
        count(*) FILTER (WHERE r.status IN ('rated', 'approved') AND r.invoices > 0) AS waiting_runs
    FROM public.billing_runs r WHERE r.organization_id = c.organization_id AND r.client_id = c.id
) p ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS held FROM public.billing_periods p
    WHERE p.organization_id = c.organization_id AND p.client_id = c.id AND p.status = 'held'
) h ON true
LEFT JOIN LATERAL (
    SELECT r.id, r.due_on FROM public.billing_runs r
    WHERE r.organization_id = c.organization_id AND r.client_id = c.id AND r.status IN ('rated', 'approved') AND r.invoices > 0
    ORDER BY r.due_on, r.id LIMIT 1
) w ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS overdue, coalesce(sum(v.total - v.paid), 0) AS amount FROM public.invoices v
    WHERE v.organization_id = c.organization_id AND v.client_id = c.id AND v.status IN ('issued', 'part_paid')
      AND v.kind = 'invoice' AND v.due_on < ($1 AT TIME ZONE c.time_zone)::date
) o ON true
LEFT JOIN LATERAL (
    SELECT sum(n.open_amount) AS open_amount FROM public.invoice_counts n
    WHERE n.organization_id = c.organization_id AND n.client_id = c.id AND n.status IN ('issued', 'part_paid')
) n ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS faulty FROM public.imports m
    WHERE m.organization_id = c.organization_id AND m.client_id = c.id AND m.created_at > now() - interval '30 days'
      AND (m.rejected > 0 OR m.status = 'failed')
) i ON true
