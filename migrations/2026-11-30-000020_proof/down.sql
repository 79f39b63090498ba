-- The record of past runs goes with it.
DROP TABLE public.isolation_runs, public.expected_state;
DROP TYPE private.isolation_verdict;
DROP TYPE private.sample_stand;
DROP TYPE private.sample_place;
DROP TYPE private.sample_rule;
