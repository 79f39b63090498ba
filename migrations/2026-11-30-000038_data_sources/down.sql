DROP TABLE public.data_sources;
