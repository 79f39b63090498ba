DROP TABLE public.clients;
