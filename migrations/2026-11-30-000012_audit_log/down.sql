-- The audit logs go with it, and their chains.
DROP TABLE public.audit_chains, public.audit_seals, public.audit_log;
DROP FUNCTION public.audit_log_tells_the_truth, public.audit_log_is_sealed, public.audit_log_is_append_only;
