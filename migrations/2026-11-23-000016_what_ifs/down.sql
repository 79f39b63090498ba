-- Comparisons go with their tables; no bill hangs on one.
DROP FUNCTION private.sample_61_what_ifs;
DROP TABLE public.what_if_results, public.what_ifs;
