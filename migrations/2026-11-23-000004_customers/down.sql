-- Customers go, and with them their logins' roles and invitations: what these pointed at is gone.
ALTER TABLE public.invitations DROP CONSTRAINT invitations_customer;
ALTER TABLE public.role_assignments DROP CONSTRAINT role_assignments_customer;
ALTER TABLE public.invitations NO FORCE ROW LEVEL SECURITY;
ALTER TABLE public.session_tickets NO FORCE ROW LEVEL SECURITY;
DELETE FROM public.invitations WHERE customer_id IS NOT NULL;
DELETE FROM public.session_tickets t USING public.role_assignments a WHERE a.id = t.assignment_id AND a.customer_id IS NOT NULL;
ALTER TABLE public.invitations FORCE ROW LEVEL SECURITY;
ALTER TABLE public.session_tickets FORCE ROW LEVEL SECURITY;
DELETE FROM public.sessions s USING public.role_assignments a WHERE a.id = s.assignment_id AND a.customer_id IS NOT NULL;
DELETE FROM public.role_assignments WHERE customer_id IS NOT NULL;
DROP TABLE public.contract_meters, public.registers, public.meters, public.contracts, public.service_points, public.accounts, public.customers;
DROP FUNCTION public.contract_has_its_address, public.meters_tell_contracts, public.registers_touch_meters, public.contracts_know_their_meters, public.service_points_tell_contracts;
