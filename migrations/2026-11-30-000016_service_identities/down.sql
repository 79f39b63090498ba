-- Service identities end with this; what they did stays on record.
DROP TABLE public.service_identities;
DELETE FROM public.role_assignments WHERE role = 'service';
DELETE FROM public.users WHERE status = 'service';
