DROP TABLE public.customer_requests;
DROP FUNCTION public.decided_request_is_fixed;
