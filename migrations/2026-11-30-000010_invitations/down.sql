DROP TABLE public.invitations;
