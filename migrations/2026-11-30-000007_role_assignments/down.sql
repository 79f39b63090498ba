DROP TRIGGER roles_keep_their_day ON public.organizations;
DROP TRIGGER roles_keep_their_day ON public.clients;
DROP TABLE public.role_assignments;
DROP FUNCTION public.roles_keep_their_day;
