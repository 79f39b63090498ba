DROP TABLE public.price_points, public.price_series;
