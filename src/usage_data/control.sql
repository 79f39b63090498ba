-- Usage that carries another customer than the one whose contract has its days, in the organization $1: one row a kind of
-- fault and client, the first of it, and how many there are. Read as the owner, under the policies.
WITH days AS (
    SELECT u.client_id, m.serial, u.day, u.customer_id AS carries, c.customer_id AS whose
    FROM public.interval_days u JOIN public.meters m ON m.organization_id = $1 AND m.client_id = u.client_id AND m.id = u.meter_id
    LEFT JOIN public.contracts c ON c.organization_id = $1 AND c.client_id = u.client_id AND c.service_point_id = m.service_point_id
        AND c.status <> 'withdrawn' AND c.from_on <= u.day AND (c.to_on IS NULL OR c.to_on > u.day)
    WHERE u.organization_id = $1 AND u.customer_id IS DISTINCT FROM c.customer_id
), reads AS (
    SELECT w.* FROM (
        SELECT u.client_id, m.serial, u.from_on, u.to_on, u.customer_id AS carries,
            (SELECT CASE WHEN count(DISTINCT c.customer_id) = 1 THEN (min(c.customer_id::text))::uuid END FROM public.contracts c
                WHERE c.organization_id = $1 AND c.client_id = u.client_id AND c.service_point_id = m.service_point_id
                    AND c.status <> 'withdrawn' AND c.from_on < u.to_on AND (c.to_on IS NULL OR c.to_on > u.from_on)) AS whose
        FROM public.meter_readings u JOIN public.meters m ON m.organization_id = $1 AND m.client_id = u.client_id AND m.id = u.meter_id
        WHERE u.organization_id = $1) w
    WHERE w.carries IS DISTINCT FROM w.whose
), faults (kind, client_id, at, what, carries, whose) AS (
    SELECT 1, d.client_id, d.day, format('the day %s of meter %s', d.day, d.serial), d.carries, d.whose FROM days d
    UNION ALL
    SELECT 2, r.client_id, r.from_on, format('the read of meter %s from %s to %s', r.serial, r.from_on, r.to_on), r.carries, r.whose FROM reads r
)
SELECT DISTINCT ON (f.kind, c.slug) c.slug AS client,
    format('%s carries %s, but by the contracts it is %s', f.what, coalesce('the customer ' || f.carries, 'no customer'),
        coalesce('the customer ' || f.whose || '''s', 'nobody''s')) AS fault,
    count(*) OVER (PARTITION BY f.kind, f.client_id) AS rows
FROM faults f JOIN public.clients c ON c.organization_id = $1 AND c.id = f.client_id
ORDER BY f.kind, c.slug, f.at, f.what
