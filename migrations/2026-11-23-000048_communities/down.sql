DROP FUNCTION private.sample_78_communities;
DROP TABLE public.community_members, public.communities;
