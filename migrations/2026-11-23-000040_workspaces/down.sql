DROP FUNCTION private.sample_70_workspaces, private.workspace_rule_of;
DROP TABLE public.workspace_members, public.workspaces;
DROP PROCEDURE private.protect_in_workspace;
DROP FUNCTION public.maker_owns_workspace, public.published_workspaces, public.member_scope, public.overseer_scope;
