DROP FUNCTION public.my_audit_links;
