DROP FUNCTION public.make_password_reset, public.password_reset_by_token, public.reset_password;
DROP FUNCTION private.live_reset, private.reset_reaches, private.audit_reset;
DROP TABLE public.password_resets;
