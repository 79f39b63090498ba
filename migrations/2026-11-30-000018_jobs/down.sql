-- Jobs, done and waiting, go with it; the audit logs keep their records.
DROP TABLE public.jobs;
