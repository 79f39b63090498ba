DROP TRIGGER roles_keep_their_day ON public.clients;
DROP TRIGGER roles_keep_their_day ON public.organizations;
DROP FUNCTION public.roles_keep_their_day, public.open_context, public.open_system_context, public.session_create, public.session_save, public.session_delete,
    public.session_touch, public.session_load, public.sweep_sessions, public.end_user_sessions, public.sign_in_salt, public.sign_in, public.my_assignments,
    public.switch_context, public.staff_organizations, public.my_sessions, public.end_my_sessions, public.enter_my_attempt,
    public.change_password, public.organization_users, public.see_notices, public.invite, public.revoke_invitation, public.invitation_by_token,
    public.accept_invitation, public.revoke_assignment, public.end_assignment;
DROP FUNCTION private.tell_of_staff, private.tell_energy_admins, private.right_in_words, private.assignment_to_end, private.end_right, private.keep_an_energy_admin, private.same_right, private.last_day_before, private.end_of_day,
    private.zone_of, private.may_grant, private.issue_ticket, private.strengthen_password, private.rebind_reset, private.salt_cost, private.made_up_salt, private.stand, private.may_view, private.audit_person, private.try_password, private.end_attempt, private.attempt_to_try, private.enter_attempt, private.account_key, private.has_second_factor, private.second_factor_due, private.retry_after, private.live_session, private.auth_hash, private.in_force, private.is_live;
