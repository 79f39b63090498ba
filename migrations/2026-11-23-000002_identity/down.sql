DROP TABLE public.audit_log, public.role_notices, public.invitations, public.sign_ins, public.session_tickets, public.sessions,
    public.role_assignments, public.clients, public.users, public.organizations;
DROP FUNCTION public.audit_log_is_append_only;
