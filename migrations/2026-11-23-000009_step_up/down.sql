DROP FUNCTION public.step_down, public.step_up, private.step_up_reason, private.writes_until;
DROP TABLE public.step_ups;
