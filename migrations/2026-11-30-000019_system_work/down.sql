-- The record of system work goes with it; the audit logs keep theirs.
DROP TABLE public.system_work;
