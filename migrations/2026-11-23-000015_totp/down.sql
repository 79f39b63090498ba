-- Whoever had a second factor signs in with the password alone from here on, and nobody needs one.
DROP FUNCTION private.sample_12_second_factor;
DROP FUNCTION public.take_second_factor, public.end_second_factor, public.new_recovery_codes, public.confirm_second_factor, public.begin_second_factor, public.my_second_factor,
    public.second_factor, private.end_others, private.begun_here, private.make_recovery_codes, private.prove_anew, private.try_code, private.take_code,
    private.totp;
SET LOCAL ROLE eis_gate;
CREATE OR REPLACE FUNCTION private.has_second_factor(person uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN false; END $$;
CREATE OR REPLACE FUNCTION private.second_factor_due(person uuid, role text) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN NULL; END $$;
SET LOCAL ROLE eis_owner;
DROP TABLE private.second_factor_rule, public.recovery_codes, public.second_factors;
