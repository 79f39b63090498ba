-- Comparisons go with their tables; no bill hangs on one.
DROP TABLE public.what_if_results, public.what_ifs;
