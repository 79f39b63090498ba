DROP FUNCTION public.signing_key_made_at;
