DROP TABLE public.community_members, public.communities;
