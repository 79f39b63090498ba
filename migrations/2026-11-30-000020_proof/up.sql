-- The proof in the database: the types of its test, the state that is expected, and the record of its runs. Types cannot be
-- replaced as functions can, so that they stand here; the test and the views are scripts (src/operate/scripts/after).

CREATE TYPE private.sample_rule AS (
    table_name      text,
    -- The deepest level that reads it: organization, client, customer; person: only one's own rows; program: no tenant data.
    readers         text,
    -- What admins may do. 'organization:INSERT': only at the level of the organization.
    writes          text[],
    -- The columns that name organization, client and customer.
    columns         text[],
    -- What a customer sees of the own rows; the rows that no trigger holds fast.
    customer_sees   text,
    open            text,
    -- What one person sees of all that: {person} and {role} stand for who asks.
    person          text
);

CREATE TYPE private.sample_place AS (name text, o uuid, c uuid, k uuid);
CREATE TYPE private.sample_stand AS (role text, level text, person uuid, narrow uuid, at private.sample_place);
CREATE TYPE private.isolation_verdict AS (table_name text, role text, attempt text, expected text, found text, passed boolean);

CREATE TABLE public.expected_state (line text PRIMARY KEY);
COMMENT ON TABLE public.expected_state IS 'isolation_state as the migrations make it: written by `portal migrate up` after the last of them.';
ALTER TABLE public.expected_state ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.expected_state FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON public.expected_state FOR ALL TO eis_owner USING (true) WITH CHECK (true);
CREATE POLICY monitor_select ON public.expected_state FOR SELECT TO eis_monitor USING (true);
GRANT SELECT ON public.expected_state TO eis_monitor;

CREATE TABLE public.isolation_runs (
    id            uuid PRIMARY KEY,
    at            timestamptz NOT NULL DEFAULT now(),
    asked_by      text NOT NULL CHECK (length(asked_by) <= 200),
    milliseconds  integer NOT NULL,
    tried         integer NOT NULL,
    passed        integer NOT NULL,
    tables        integer NOT NULL,
    summary       jsonb NOT NULL,
    faults        jsonb NOT NULL,
    drift         jsonb NOT NULL
);
CREATE INDEX isolation_runs_at ON public.isolation_runs (at DESC);
COMMENT ON TABLE public.isolation_runs IS 'When test_rls_isolation() ran here and what it found. Names of tables and roles, no tenant''s data.';
COMMENT ON COLUMN public.isolation_runs.summary IS '[{"table","role","tried","passed"}]: attempts counted.';
COMMENT ON COLUMN public.isolation_runs.faults IS '[{"table","role","attempt","expected","found"}]: attempts that ended otherwise than they should.';
COMMENT ON COLUMN public.isolation_runs.drift IS '[{"fault","line"}]: isolation_drift at that moment.';
ALTER TABLE public.isolation_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.isolation_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON public.isolation_runs FOR ALL TO eis_owner USING (true) WITH CHECK (true);
CREATE POLICY monitor_select ON public.isolation_runs FOR SELECT TO eis_monitor USING (true);
CREATE POLICY admin_select ON public.isolation_runs FOR SELECT TO eis_app
    USING ((SELECT public.get_current_role()) IN ('eis_staff', 'energy_admin'));
GRANT SELECT ON public.isolation_runs TO eis_app, eis_monitor;
GRANT SELECT ON public.isolation_runs TO eis_gate;
CREATE POLICY gate_select ON public.isolation_runs FOR SELECT TO eis_gate USING (true);
