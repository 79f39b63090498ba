DROP TRIGGER tell_updated ON public.service_points;
DROP TABLE public.contracts;
DROP FUNCTION public.contract_has_its_address, public.service_points_tell_contracts;
