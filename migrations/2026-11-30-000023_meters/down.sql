DROP TRIGGER know_meters_updated ON public.contracts;
DROP TRIGGER know_meters_inserted ON public.contracts;
DROP TABLE public.contract_meters, public.registers, public.meters;
DROP FUNCTION public.contracts_know_their_meters, public.registers_touch_meters, public.meters_tell_contracts;
