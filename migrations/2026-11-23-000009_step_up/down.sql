DROP FUNCTION public.step_down, public.step_up, private.writes_until;
DROP TABLE public.step_ups;
