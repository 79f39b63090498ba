DROP TABLE public.superseded_interval_days, public.interval_days, public.meter_readings, public.import_rejections, public.imports;
