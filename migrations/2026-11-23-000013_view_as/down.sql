DROP TRIGGER ends_viewing_deleted ON public.sessions;
DROP TRIGGER ends_viewing_updated ON public.sessions;
-- Nobody goes on seeing as a customer without the record of its end.
SET LOCAL ROLE eis_gate;
UPDATE public.sessions SET viewed_client_id = NULL, viewed_customer_id = NULL, viewed_until = NULL WHERE viewed_until IS NOT NULL;
SET LOCAL ROLE eis_owner;
DROP FUNCTION public.session_ends_viewing, public.stop_viewing, public.view_as;
