DROP TABLE public.session_tickets, public.sessions;
DROP FUNCTION public.session_ends_viewing;
