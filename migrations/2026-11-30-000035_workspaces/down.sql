DROP TABLE public.workspace_members, public.workspaces;
DROP FUNCTION public.maker_owns_workspace;
