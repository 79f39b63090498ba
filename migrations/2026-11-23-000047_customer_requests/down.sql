DROP FUNCTION private.sample_77_customer_requests, public.send_customer_request, public.withdraw_customer_request;
DROP FUNCTION private.customer_of_session, private.record_request;
DROP TABLE public.customer_requests;
DROP FUNCTION public.decided_request_is_fixed;
