-- Whoever had a second factor signs in with the password alone from here on, and nobody needs one.
DROP TABLE private.second_factor_rule, public.recovery_codes, public.second_factors;
