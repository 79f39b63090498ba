-- What the organization of the context holds. Row-level security keeps it to that; invoices and open amounts come from
-- kept counts, the rest from indexes that lead with the organization.
SELECT
    (SELECT count(*) FROM public.clients c WHERE c.organization_id = $1 AND c.status = 'active') AS clients,
    k.active AS customers, k.closed AS closed_customers,
    (SELECT count(*) FROM public.meters m WHERE m.organization_id = $1) AS meters,
    n.invoices,
    n.currencies, n.open,
    (SELECT count(DISTINCT a.user_id) FROM public.role_assignments a WHERE a.organization_id = $1 AND a.role <> 'service'
        AND a.valid_from <= now() AND (a.valid_to IS NULL OR a.valid_to > now())) AS users,
    i.files, i.bytes, i.last_at,
    (SELECT max(coalesce(r.issued_at, r.rated_at)) FROM public.billing_runs r WHERE r.organization_id = $1) AS last_run
FROM (SELECT count(*) FILTER (WHERE k.active) AS active, count(*) FILTER (WHERE NOT k.active) AS closed
      FROM (SELECT EXISTS (SELECT 1 FROM public.contracts n JOIN public.clients c ON c.organization_id = $1 AND c.id = n.client_id
                WHERE n.organization_id = $1 AND n.client_id = p.client_id AND n.customer_id = p.id AND n.status <> 'withdrawn'
                    AND (n.to_on IS NULL OR n.to_on > (now() AT TIME ZONE c.time_zone)::date)) AS active
            FROM public.customers p WHERE p.organization_id = $1) k) k,
    (SELECT coalesce(sum(f.invoices), 0)::bigint AS invoices,
        coalesce(array_agg(f.currency ORDER BY f.currency), '{}') AS currencies,
        coalesce(array_agg(f.open ORDER BY f.currency), '{}') AS open
     FROM (SELECT c.currency, sum(n.invoices) FILTER (WHERE n.status <> 'draft') AS invoices,
               coalesce(sum(n.open_amount) FILTER (WHERE n.status IN ('issued', 'part_paid')), 0) AS open
           FROM public.invoice_counts n JOIN public.clients c ON c.organization_id = n.organization_id AND c.id = n.client_id
           WHERE n.organization_id = $1 GROUP BY c.currency) f) n,
    (SELECT count(*) AS files, coalesce(sum(i.file_bytes), 0)::bigint AS bytes, max(i.created_at) AS last_at
     FROM public.imports i WHERE i.organization_id = $1) i
