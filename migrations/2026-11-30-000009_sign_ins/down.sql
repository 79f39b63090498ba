DROP TABLE public.sign_ins;
