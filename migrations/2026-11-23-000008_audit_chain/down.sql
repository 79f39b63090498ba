DROP TRIGGER is_sealed ON public.audit_log;
DROP TRIGGER tells_the_truth ON public.audit_log;
DROP FUNCTION public.my_audit_chain, public.audit_chain_faults, public.audit_log_tells_the_truth, public.audit_log_is_sealed,
    private.audit_chain_faults, private.audit_link;
DROP POLICY gate_select ON public.audit_log;
REVOKE SELECT ON public.audit_log FROM eis_gate;
DROP TABLE public.audit_seals;
DROP TABLE public.audit_chains;
