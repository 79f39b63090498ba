ALTER TABLE public.invitations DROP CONSTRAINT invitations_customer;
ALTER TABLE public.role_assignments DROP CONSTRAINT role_assignments_customer;
DROP TABLE public.meters, public.customers;
