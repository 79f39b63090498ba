-- Service identities end with this; what they did stays on record.
DROP FUNCTION private.sample_13_services;
DROP FUNCTION public.open_service_context, public.enter_service, public.end_service_identity, public.replace_service_secret,
    public.create_service_identity, private.live_service, private.service_to_change, private.runs_services;
DROP TABLE public.service_identities;
SET LOCAL ROLE eis_gate;
CREATE OR REPLACE FUNCTION private.service_writes(command text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN NULL; END $$;
SET LOCAL ROLE eis_owner;
DELETE FROM public.role_assignments WHERE role = 'service';
DELETE FROM public.users WHERE status = 'service';
