DROP TABLE public.role_notices;
