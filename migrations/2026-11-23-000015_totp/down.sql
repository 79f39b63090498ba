-- Whoever had a second factor signs in with the password alone from here on.
DROP FUNCTION public.end_second_factor, public.confirm_second_factor, public.begin_second_factor, public.my_second_factor, public.second_factor,
    private.try_code, private.take_code, private.totp, private.sha1;
SET LOCAL ROLE eis_gate;
CREATE OR REPLACE FUNCTION private.has_second_factor(person uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN false; END $$;
SET LOCAL ROLE eis_owner;
DROP TABLE public.recovery_codes, public.second_factors;
