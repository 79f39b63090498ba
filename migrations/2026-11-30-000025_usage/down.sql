DROP TRIGGER usage_follows_updated ON public.meters;
DROP TRIGGER usage_follows_inserted ON public.contracts;
DROP TRIGGER usage_follows_updated ON public.contracts;
DROP TABLE public.superseded_interval_days, public.interval_days, public.meter_readings;
DROP FUNCTION public.usage_follows_contracts;
