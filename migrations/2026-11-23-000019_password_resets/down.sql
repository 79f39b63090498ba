DROP FUNCTION public.make_password_reset, public.password_reset_by_token, public.reset_password;
DROP FUNCTION private.live_reset, private.reset_reaches, private.audit_reset;
DROP TABLE public.password_resets;
SET LOCAL ROLE eis_gate;
CREATE OR REPLACE FUNCTION private.rebind_reset(person uuid, was bytea, becomes bytea) RETURNS void LANGUAGE plpgsql AS $$ BEGIN END $$;
SET LOCAL ROLE eis_owner;
