DROP FUNCTION private.sample_73_data_sources;
DROP TABLE public.data_sources;
