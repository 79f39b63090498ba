DROP TABLE public.tariff_agreements, public.tariff_blocks, public.tariff_rates;
DROP FUNCTION public.rated_tariff_is_fixed;
