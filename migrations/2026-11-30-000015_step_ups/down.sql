DROP TABLE public.step_ups;
