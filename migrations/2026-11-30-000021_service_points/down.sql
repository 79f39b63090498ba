DROP TABLE public.service_points;
