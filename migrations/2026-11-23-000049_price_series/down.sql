DROP FUNCTION private.sample_79_price_series;
DROP TABLE public.price_points, public.price_series;
