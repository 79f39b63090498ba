-- The record of past runs goes with it.
DROP FUNCTION public.record_isolation_run, public.prove_isolation, public.test_rls_isolation;
DROP TABLE public.isolation_runs;
DROP VIEW public.isolation_roles, public.isolation_functions, public.isolation_grants, public.isolation_policies, public.isolation_tables,
    public.isolation_drift;
DROP TABLE public.expected_state;
DROP VIEW public.isolation_state;
DROP FUNCTION private.try_everything, private.try_stand, private.sample_stands, private.make_samples, private.try_logins, private.try_table,
    private.try_hidden, private.try_moving, private.try_blindly, private.at_most_twenty, private.try_writing, private.try_reading, private.verdict, private.sample_rows,
    private.columns_of, private.rows_of, private.rows_at, private.probe_context, private.probe,
    private.sample_50_billing, private.sample_40_tariffs, private.sample_30_usage, private.sample_20_customers, private.sample_11_gate,
    private.sample_10_identity, private.sample_person, private.sample_secret, private.sample_id, private.rule_of;
DROP TYPE private.isolation_verdict;
DROP TYPE private.sample_stand;
DROP TYPE private.sample_place;
DROP TYPE private.sample_rule;
REVOKE USAGE ON SCHEMA private FROM eis_probe;
