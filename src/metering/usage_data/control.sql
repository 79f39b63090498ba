-- Usage that carries another customer than the one whose contract has its days, in the organization $1: one row a kind of
-- fault and client, the first of it, and how many there are. Read as the owner, under the policies. A figure is of who has the
-- day before it, an opening one and the first of a meter of who has its own day.
WITH days AS (
    SELECT u.client_id, m.serial, u.day, u.customer_id AS carries, c.customer_id AS whose
    FROM public.interval_days u JOIN public.meters m ON m.organization_id = $1 AND m.client_id = u.client_id AND m.id = u.meter_id
    LEFT JOIN public.contracts c ON c.organization_id = $1 AND c.client_id = u.client_id AND c.service_point_id = m.service_point_id
        AND c.status <> 'withdrawn' AND c.from_on <= u.day AND (c.to_on IS NULL OR c.to_on > u.day)
    WHERE u.organization_id = $1 AND u.customer_id IS DISTINCT FROM c.customer_id
), readings AS (
    SELECT u.client_id, m.serial, u.register_id, u.read_on, u.customer_id AS carries, u.why, u.superseded_by IS NULL AS counts,
        CASE WHEN u.why = 'opening' OR u.read_on <= m.valid_from THEN k.customer_id ELSE g.customer_id END AS whose,
        CASE WHEN u.read_on <= m.valid_from THEN 'installed' WHEN m.valid_to <= u.read_on THEN 'removed'
            WHEN g.customer_id IS DISTINCT FROM k.customer_id THEN 'final and opening' ELSE 'periodic' END AS should_be
    FROM public.meter_readings u JOIN public.meters m ON m.organization_id = $1 AND m.client_id = u.client_id AND m.id = u.meter_id
    LEFT JOIN public.contracts g ON g.organization_id = $1 AND g.client_id = u.client_id AND g.service_point_id = m.service_point_id
        AND g.status <> 'withdrawn' AND g.from_on < u.read_on AND (g.to_on IS NULL OR g.to_on >= u.read_on) AND u.read_on > m.valid_from
    LEFT JOIN public.contracts k ON k.organization_id = $1 AND k.client_id = u.client_id AND k.service_point_id = m.service_point_id
        AND k.status <> 'withdrawn' AND k.from_on <= u.read_on AND (k.to_on IS NULL OR k.to_on > u.read_on)
        AND (m.valid_to IS NULL OR u.read_on < m.valid_to)
    WHERE u.organization_id = $1
), sides AS (
    SELECT r.client_id, r.serial, r.read_on, r.should_be, string_agg(r.why, ' and ' ORDER BY r.why) AS stands
    FROM readings r WHERE r.counts GROUP BY r.client_id, r.serial, r.register_id, r.read_on, r.should_be
), carried (kind, client_id, at, what, carries, whose) AS (
    SELECT 1, d.client_id, d.day, format('the day %s of meter %s', d.day, d.serial), d.carries, d.whose FROM days d
    UNION ALL
    SELECT 2, r.client_id, r.read_on, format('the reading of %s on meter %s', r.read_on, r.serial), r.carries, r.whose
    FROM readings r WHERE r.carries IS DISTINCT FROM r.whose
), faults (kind, client_id, at, what) AS (
    SELECT c.kind, c.client_id, c.at, format('%s carries %s, but by the contracts it is %s', c.what,
        coalesce('the customer ' || c.carries, 'no customer'), coalesce('the customer ' || c.whose || '''s', 'nobody''s'))
    FROM carried c
    UNION ALL
    SELECT 3, s.client_id, s.read_on, format('the reading of %s on meter %s stands as %s, but by the contracts it is %s', s.read_on, s.serial,
        s.stands, s.should_be)
    FROM sides s WHERE s.stands <> s.should_be
)
SELECT DISTINCT ON (f.kind, c.slug) c.slug AS client,
    f.what || CASE WHEN count(*) OVER alike > 1 THEN ', the first of ' || count(*) OVER alike ELSE '' END AS fault
FROM faults f JOIN public.clients c ON c.organization_id = $1 AND c.id = f.client_id
WINDOW alike AS (PARTITION BY f.kind, f.client_id)
ORDER BY f.kind, c.slug, f.at, f.what
