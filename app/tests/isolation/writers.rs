//! Attacks 67 and 68: functions that write with the gate's rights, called under a context that only reads; and who gives
//! which role, on what record, told to whom.

use std::collections::BTreeSet;

use crate::DENIED;
use crate::step_up::step_up;
use crate::support::database::Case;
use crate::support::sql::Sql;
use crate::support::world::{DIGEST, Kind, SALT, Who, client, customer, id, organization};
use crate::tables::Stand;
use crate::writes::fingerprint;

const STAFF: Who = Who::Staff(1);
const ADA: Who = Who::Admin(1);
const WHY: &str = "Ticket 4711: the first admin leaves";

/// On the strength of what a definer function writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Of the context, which must be one that writes: `private.writing_context()`.
    Context,
    /// Of the secret of one's own session: it changes that session, or the person's own login.
    Session,
    /// Of a password, a code or a one-time link.
    Password,
    /// Of the secret of a job that runs, or of the worker's login, which alone takes jobs up.
    Job,
    /// Of the sender's own form, whatever the context: forms of the own profile are sent from reading ones too.
    Sender,
    /// Of any context of staff or an energy admin: what it puts on record are the database's own words, once.
    Reader,
    /// Of the time: it removes what has ended.
    Time,
    /// Of the monitor's login: verdicts of the isolation test, no tenant's rows.
    Monitor,
}

/// Every definer function that is not declared to read only and that a login may call.
pub const WRITERS: &[(&str, By)] = &[
    ("accept_invitation", By::Password),
    ("answer_form", By::Sender),
    ("begin_second_factor", By::Session),
    ("begin_system_work", By::Session),
    ("change_password", By::Session),
    ("claim_job", By::Job),
    ("confirm_second_factor", By::Session),
    ("end_assignment", By::Context),
    ("end_my_sessions", By::Session),
    ("end_second_factor", By::Session),
    ("end_user_sessions", By::Context),
    ("enter_my_attempt", By::Session),
    ("finish_job", By::Job),
    ("invite", By::Context),
    ("keep_job", By::Job),
    ("make_password_reset", By::Context),
    ("new_recovery_codes", By::Session),
    ("open_context", By::Session),
    ("open_job_context", By::Job),
    ("open_system_work", By::Session),
    ("prove_isolation", By::Monitor),
    ("put_down_job", By::Job),
    ("queue_job", By::Context),
    ("record_isolation_run", By::Reader),
    ("reset_password", By::Password),
    ("revoke_assignment", By::Context),
    ("revoke_invitation", By::Context),
    ("second_factor", By::Password),
    ("see_notices", By::Context),
    ("send_form", By::Sender),
    ("session_create", By::Password),
    ("session_delete", By::Session),
    ("session_load", By::Session),
    ("session_save", By::Session),
    ("session_touch", By::Session),
    ("sign_in", By::Password),
    ("sign_in_salt", By::Password),
    ("step_down", By::Session),
    ("step_up", By::Session),
    ("stop_viewing", By::Session),
    ("sweep_sessions", By::Time),
    ("switch_context", By::Session),
    ("test_rls_isolation", By::Monitor),
    ("view_as", By::Session),
];

/// Definer functions that may write and that a login may call.
const CALLABLE: &str = "p.prosecdef AND p.provolatile = 'v' AND p.pronamespace IN ('public'::regnamespace, 'private'::regnamespace) AND EXISTS (
    SELECT FROM unnest('{eis_app,eis_worker,eis_monitor}'::regrole[]) r WHERE has_function_privilege(r, p.oid, 'EXECUTE'))";

#[tokio::test]
async fn attack_67_the_suite_knows_on_what_strength_every_definer_function_writes() {
    let case = Case::world().await;
    let truth = case.superuser().await;
    let rows = truth.rows(&format!("SELECT DISTINCT p.proname FROM pg_proc p WHERE {CALLABLE}")).await.unwrap();
    let there: BTreeSet<String> = rows.into_iter().flatten().flatten().collect();
    let known: BTreeSet<String> = WRITERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(there, known, "left: in the database, right: in writers.rs");
    // None goes by a context that need not write, but those that keep what was sent, or that somebody who reads had it proved.
    let by_any = format!(
        "SELECT p.proname FROM pg_proc p WHERE {CALLABLE} AND p.prosrc ~ 'private\\.context\\(|get_current_|_scope\\(' ORDER BY 1"
    );
    let by_any: Vec<String> = truth.rows(&by_any).await.unwrap().into_iter().flatten().flatten().collect();
    assert_eq!(by_any, ["answer_form", "record_isolation_run", "send_form"]);
    for (name, _) in WRITERS.iter().filter(|(_, by)| *by == By::Context) {
        assert!(calls(ADA).iter().any(|(called, ..)| called == name), "{name} is called by no attack");
    }
}

/// Calls of each function that goes by the context: with whose right, and the statement as `who` would send it.
fn calls(who: Who) -> Vec<(&'static str, Who, String)> {
    let (place, secret) = (client(1, 1), who.secret().hex());
    let invite = |role: &str, place: String| {
        format!("SELECT invite(gen_random_uuid(), 'fresh@eis.example', 'Fresh', '{role}', {place}, NULL, 7)")
    };
    let job = format!("SELECT queue_job('\\x{secret}', gen_random_uuid(), 'compare', '{{}}')");
    let assignment = Who::Client(1, 1).assignment();
    vec![
        ("invite", ADA, invite("client_admin", format!("'{place}'"))),
        ("invite", STAFF, invite("energy_admin", "NULL".to_owned())),
        ("revoke_invitation", ADA, format!("SELECT revoke_invitation('{}')", id(Kind::Invitation, 1, 1, 0, 1))),
        ("revoke_invitation", STAFF, format!("SELECT revoke_invitation('{}')", id(Kind::Invitation, 1, 0, 0, 1))),
        ("end_assignment", ADA, format!("SELECT end_assignment('{assignment}', '2031-05-31')")),
        ("end_assignment", STAFF, format!("SELECT end_assignment('{}', NULL)", ADA.assignment())),
        ("revoke_assignment", ADA, format!("SELECT revoke_assignment('{assignment}')")),
        ("end_user_sessions", ADA, format!("SELECT end_user_sessions('{assignment}')")),
        ("end_user_sessions", STAFF, format!("SELECT end_user_sessions('{}')", ADA.assignment())),
        ("make_password_reset", ADA, format!("SELECT make_password_reset('{assignment}', 'here')")),
        ("make_password_reset", STAFF, format!("SELECT make_password_reset('{}', 'here')", ADA.assignment())),
        ("queue_job", ADA, job.clone()),
        ("queue_job", STAFF, job),
        ("see_notices", ADA, format!("SELECT see_notices('{{{}}}')", id(Kind::Notice, 1, 0, 0, 1))),
    ]
}

/// Every call that goes by the context, under contexts that only read: what was not refused, one line each.
async fn under(app: &Sql, readers: &[Stand]) -> Vec<String> {
    let mut faults = Vec::new();
    for stand in readers {
        for (_, _, sql) in calls(stand.who) {
            app.must(&format!("BEGIN; {}", stand.open())).await;
            match app.rows(&sql).await {
                Err(refusal)
                    if refusal.code == DENIED && refusal.message == "this context reads and changes nothing" => {}
                other => faults.push(format!("{stand:?} {sql}: {other:?}")),
            }
            app.leave().await;
        }
    }
    faults
}

/// The whole walk: contexts that read of every role that can have one. (Admins have one while they see as a customer.)
pub async fn walk(app: &Sql, truth: &Sql) -> Vec<String> {
    let at = |who, at| Stand { who, at };
    let mut readers =
        vec![at(STAFF, None), at(STAFF, Some((1, 1))), at(Who::Staff(0), None), at(Who::Consultant(0), None)];
    readers.extend([Who::Customer(1, 1, 1), Who::Customer(2, 1, 1)].map(|who| at(who, None)));
    let mut faults = under(app, &readers).await;
    // A step-up whose time is over, and one that was ended.
    for end in ["expires_at", "ended_at"] {
        app.must(&step_up(STAFF, WHY)).await;
        truth.must(&format!("UPDATE step_ups SET {end} = now() WHERE ended_at IS NULL")).await;
        faults.extend(under(app, &readers[..2]).await);
    }
    // Whoever writes otherwise and sees as a customer.
    app.must(&step_up(STAFF, WHY)).await;
    let viewing = "UPDATE sessions SET viewed_client_id = {client}, viewed_customer_id = {customer}, viewed_until = {until} WHERE user_id IS NOT NULL";
    let viewing = |client: &str, customer: &str, until: &str| {
        viewing.replace("{client}", client).replace("{customer}", customer).replace("{until}", until)
    };
    let (place, seen) = (format!("'{}'", client(1, 1)), format!("'{}'", customer(1, 1, 1)));
    truth.must(&viewing(&place, &seen, "now() + interval '9 minutes'")).await;
    faults.extend(under(app, &[STAFF, ADA, Who::Client(1, 1)].map(|who| at(who, None))).await);
    truth.must(&viewing("NULL", "NULL", "NULL")).await;
    app.must(&format!("SELECT step_down('\\x{}', 'here')", STAFF.secret().hex())).await;
    faults
}

#[tokio::test]
async fn attack_67_a_definer_function_that_writes_called_under_a_context_that_reads() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let before = fingerprint(&truth).await;
    let faults = walk(&app, &truth).await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let kept = |print: &str| {
        let own = |line: &&str| !["public.step_ups", "public.audit_log"].iter().any(|table| line.starts_with(table));
        print.lines().filter(own).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(kept(&fingerprint(&truth).await), kept(&before), "nothing was changed but what stepping up keeps");
    // Without a context, and one that was copied.
    for (_, _, sql) in calls(ADA) {
        assert_eq!(app.refused(&sql).await, DENIED, "{sql}");
    }
    // The positive control: the same calls under contexts that write.
    app.must(&step_up(STAFF, WHY)).await;
    for (at, (name, right, _)) in calls(ADA).into_iter().enumerate() {
        app.enter(right).await;
        let done = app.rows(&calls(right)[at].2).await;
        app.leave().await;
        let done = done.unwrap_or_else(|refusal| panic!("{name} as {right:?}: {refusal:?}"));
        assert!(!["f", "0"].contains(&done[0][0].as_deref().unwrap_or_default()), "{name} as {right:?}: {done:?}");
    }
}

/// Policies for writing, of roles that somebody logs in as, that do not ask for a scope that writes.
const LAX: &str = "SELECT p.tablename || '.' || p.policyname FROM pg_policies p, LATERAL (VALUES
        (p.cmd <> 'INSERT', p.qual), (p.cmd <> 'DELETE', coalesce(p.with_check, p.qual))) v (counts, condition)
    WHERE p.cmd <> 'SELECT' AND NOT p.roles <@ '{eis_gate,eis_owner,eis_probe}'::name[] AND v.counts
      AND (coalesce(v.condition, '') !~ '(organization|client)_scope\\(true\\)' OR v.condition ~ '_scope\\(\\)| OR ') ORDER BY 1";

#[tokio::test]
async fn attack_67_every_policy_for_writing_asks_for_a_context_that_writes() {
    let case = Case::world().await;
    let truth = case.superuser().await;
    let all = "SELECT count(*) FROM pg_policies WHERE cmd <> 'SELECT' AND NOT roles <@ '{eis_gate,eis_owner,eis_probe}'::name[]";
    assert!(truth.count(all).await > 60, "the positive control: they are looked at");
    let lax = truth.rows(LAX).await.unwrap();
    assert!(lax.is_empty(), "{lax:?}");
    // The positive control: each way to forget it is told.
    for (change, told) in [
        (
            "ALTER POLICY level2_client_insert ON payments WITH CHECK ((organization_id, client_id) = (SELECT s.organization_id, s.client_id FROM public.client_scope() s))",
            "payments.level2_client_insert",
        ),
        (
            "ALTER POLICY level1_organization_update ON meters USING (organization_id = (SELECT public.organization_scope()))",
            "meters.level1_organization_update",
        ),
        ("CREATE POLICY easy ON customers FOR ALL TO eis_worker USING (true)", "customers.easy"),
        (
            "CREATE POLICY open ON customers FOR DELETE USING (organization_id = (SELECT public.organization_scope(true)) OR name = '')",
            "customers.open",
        ),
    ] {
        truth.must(&format!("BEGIN; {change}")).await;
        let lax: Vec<String> = truth.rows(LAX).await.unwrap().into_iter().flatten().flatten().collect();
        assert!(lax.iter().any(|policy| policy == told), "{change}: {lax:?}");
        truth.leave().await;
    }
}

#[tokio::test]
async fn attack_67_a_record_slipped_in_under_a_context_that_reads() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let record = |who: Who| {
        format!(
            "INSERT INTO audit_log (organization_id, id, client_id, user_id, user_name, role, action, entity, summary)
             VALUES ('{}', gen_random_uuid(), '{}', '{}', 'x', 'x', 'forged', 'x', 'x')",
            organization(1),
            client(1, 1),
            who.user()
        )
    };
    let at = |who, at| Stand { who, at };
    let staff = [at(STAFF, None), at(STAFF, Some((1, 1)))];
    let under = async |stand: Stand| {
        app.must(&format!("BEGIN; {}", stand.open())).await;
        let done = app.run(&record(stand.who)).await;
        app.leave().await;
        done
    };
    for stand in [staff[0], staff[1], at(Who::Customer(1, 1, 1), None), at(Who::Staff(0), None)] {
        assert_eq!(under(stand).await.unwrap_err().code, DENIED, "{stand:?}");
    }
    // The positive control: who may write leaves records.
    app.must(&step_up(STAFF, WHY)).await;
    for stand in [staff[0], staff[1], at(ADA, None), at(ADA, Some((1, 1))), at(Who::Client(1, 1), None)] {
        assert_eq!(under(stand).await, Ok(1), "{stand:?}");
    }
    assert_eq!(truth.count("SELECT count(*) FROM audit_log WHERE action = 'forged'").await, 0);
}

/// What is typed into a form.
type Fields<'a> = &'a [(&'a str, &'a str)];

/// A form for the organization's users, as staff or an admin would send it from its page.
async fn send(
    browser: &crate::support::http::Browser,
    who: Who,
    function: &str,
    page: &str,
    form: Fields<'_>,
) -> crate::support::http::Answer {
    let (context, seen) = (who.context_token(), browser.seen(page, &format!("/api/{function}")).await);
    let mut pairs = vec![("context", context.as_str()), ("page", page)];
    if !seen.is_empty() {
        pairs.push(("seen", &seen));
    }
    pairs.extend_from_slice(form);
    browser.post(&format!("/api/{function}"), &pairs).await
}

#[tokio::test]
async fn attack_68_staff_change_roles_only_after_stepping_up() {
    let case = Case::world().await;
    let (portal, app, truth) = (case.portal().await, case.app().await, case.superuser().await);
    let sam = portal.browser_of(STAFF);
    let (ada, invitation) = (ADA.assignment().to_string(), id(Kind::Invitation, 1, 0, 0, 1).to_string());
    let (list, edit) = ("/organization/users", format!("/organization/users/{ada}/edit"));
    let before = fingerprint(&truth).await;
    let page = sam.get(list).await.body;
    assert!(
        page.contains("Step up</a> to invite") && page.contains("/staff/step-up?next=%2Forganization%2Fusers"),
        "{page}"
    );
    for offered in ["users/invite", "/edit\"", "/api/revoke_invitation"] {
        assert!(!page.contains(offered), "{offered} is offered to whoever only reads");
    }
    let invite = [("name", "Sam's Friend"), ("email", "friend@eis.example"), ("role", "energy_admin")];
    let forms: [(&str, &str, Fields); 4] = [
        ("invite_user", "/organization/users/invite", &invite),
        ("revoke_invitation", list, &[("invitation", &invitation)]),
        ("change_role", &edit, &[("assignment", &ada), ("last_day", "2031-05-31")]),
        ("revoke_role", &edit, &[("assignment", &ada)]),
    ];
    for (function, page, form) in forms {
        let answer = send(&sam, STAFF, function, page, form).await;
        assert_eq!(answer.status, 403, "{function}: {}", answer.location());
        assert!(answer.body.contains("Step up first"), "{function}: {}", answer.body);
        let back = format!("/staff/step-up?next={}", page.replace('/', "%2F"));
        assert!(answer.body.contains(&back), "{function} leads back: {}", answer.body);
        assert_eq!(fingerprint(&truth).await, before, "{function}");
    }
    for path in ["/organization/users/invite", edit.as_str()] {
        let answer = sam.get(path).await;
        assert!(answer.status == 403 && answer.body.contains("Step up first"), "{path}: {}", answer.body);
    }
    // The positive control, as it is meant: step up, come back, invite; the log and the admins are told who, whom and why.
    let step = [("reason", WHY), ("minutes", "15"), ("next", list)];
    assert_eq!(send(&sam, STAFF, "step_up", "/staff/step-up", &step).await.location(), list);
    assert!(sam.get(list).await.body.contains("users/invite"));
    assert_eq!(send(&sam, STAFF, "invite_user", "/organization/users/invite", &invite).await.location(), list);
    let told = format!(
        "SELECT count(*) FROM audit_log WHERE role = 'eis_staff' AND action = 'invite' AND user_name = 'Sam Staff' AND summary LIKE '%friend@eis.example%' AND details ->> 'reason' = '{WHY}'"
    );
    assert_eq!(app.count_as(ADA, &told).await, 1);
    let hers = portal.browser_of(ADA);
    let notice = "Sam Staff (EIS staff) invited Sam&#x27;s Friend (friend@eis.example) as energy admin";
    let page = hers.get("/organization").await.body;
    assert!(page.contains(&notice.replace("&#x27;", "'")) || page.contains(notice), "{page}");
    assert!(page.contains(WHY), "{page}");
    for other in [Who::Client(1, 1), Who::Admin(2), STAFF] {
        let page = portal.browser_of(other).get("/organization").await.body;
        assert!(!page.contains("friend@eis.example"), "{other:?}");
    }
    // She has seen it: it is put away, and kept.
    let shown = crate::support::http::hidden(&page, "/api/see_notices");
    let ids = shown.iter().find(|(name, _)| name == "notices").unwrap().1.clone();
    assert_eq!(
        send(&hers, ADA, "see_notices", "/organization", &[("notices", &ids)]).await.location(),
        "/organization"
    );
    assert!(!hers.get("/organization").await.body.contains("friend@eis.example"));
    assert_eq!(
        truth.count("SELECT count(*) FROM role_notices WHERE seen_at IS NOT NULL AND summary LIKE '%friend@%'").await,
        1
    );
}

/// A link's token, made under somebody's context for an address.
async fn link(app: &Sql, who: Who, email: &str, role: &str, place: &str) -> String {
    app.enter(who).await;
    let token = app.value(&format!("SELECT invite(gen_random_uuid(), '{email}', 'New', '{role}', {place}, 7)")).await;
    app.must("COMMIT").await;
    token
}

fn accept(token: &str) -> String {
    format!(
        "SELECT accept_invitation('{token}', gen_random_uuid(), gen_random_uuid(), 'New', '{SALT}', '\\x{}', 'here', true)",
        DIGEST.trim()
    )
}

#[tokio::test]
async fn attack_68_nobody_grants_above_themselves_and_a_link_is_worth_its_maker_s_right() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let at = format!("'{}', NULL", client(1, 1));
    let of_customer = format!("'{}', '{}'", client(1, 1), customer(1, 1, 1));
    // What each may give, at the own level and standing at one client.
    app.must(&step_up(STAFF, WHY)).await;
    for (who, narrow, may) in [
        (STAFF, None, "energy_admin"),
        (STAFF, Some((1, 1)), ""),
        (ADA, None, "client_admin customer_user"),
        (ADA, Some((1, 1)), "customer_user"),
        (Who::Client(1, 1), None, "customer_user"),
        (Who::Client(1, 2), None, ""),
    ] {
        for (role, place) in [
            ("eis_staff", "NULL, NULL"),
            ("energy_admin", "NULL, NULL"),
            ("client_admin", &at),
            ("customer_user", &of_customer),
        ] {
            app.must(&format!("BEGIN; {}", Stand { who, at: narrow }.open())).await;
            let done = app
                .rows(&format!("SELECT invite(gen_random_uuid(), 'x@eis.example', 'X', '{role}', {place}, 7)"))
                .await;
            app.leave().await;
            assert_eq!(
                done.is_ok(),
                may.split(' ').any(|may| may == role),
                "{who:?} at {narrow:?} gives {role}: {done:?}"
            );
        }
    }
    // Staff make nobody of themselves, however the address is written.
    for own in [STAFF.email(), format!(" {} ", STAFF.email().to_uppercase())] {
        let own = format!("SELECT invite(gen_random_uuid(), '{own}', 'Me', 'energy_admin', NULL, NULL, 7)");
        assert_eq!(app.as_who(STAFF, &own).await.unwrap_err().message, "staff give roles to others");
    }
    // A link is worth what its maker may give when it is accepted. Staff who lost their role, and run the organization since:
    let staff_role = format!("UPDATE role_assignments SET valid_to = {{}} WHERE id = '{}'", STAFF.assignment());
    let token = link(&app, STAFF, "new1@eis.example", "energy_admin", "NULL, NULL").await;
    truth.must(&staff_role.replace("{}", "now()")).await;
    assert_eq!(app.value(&accept(&token)).await, "refused", "no staff any more");
    truth
        .must(&format!(
            "INSERT INTO role_assignments (organization_id, id, user_id, role) VALUES ('{}', gen_random_uuid(), '{}', 'energy_admin')",
            organization(1),
            STAFF.user()
        ))
        .await;
    assert_eq!(app.value(&accept(&token)).await, "refused", "an energy admin makes no energy admin");
    truth.must(&staff_role.replace("{}", "NULL")).await;
    assert_eq!(app.value(&accept(&token)).await, "accepted", "the positive control");
    // An energy admin who became admin of one client: of two links the one that a client admin may make still works.
    let (wide, low) = (
        link(&app, ADA, "new2@eis.example", "client_admin", &at).await,
        link(&app, ADA, "new3@eis.example", "customer_user", &of_customer).await,
    );
    truth
        .must(&format!(
            "UPDATE role_assignments SET role = 'client_admin', client_id = '{}' WHERE id = '{}'",
            client(1, 1),
            ADA.assignment()
        ))
        .await;
    assert_eq!(app.value(&accept(&wide)).await, "refused", "above its maker now");
    assert_eq!(app.value(&accept(&low)).await, "accepted", "the positive control");
    // Who is energy admin now was told to the others, with the reason.
    let told = format!(
        "SELECT count(*) FROM role_notices WHERE summary LIKE 'New (new1@eis.example) is energy admin now, invited by Sam Staff%' AND reason = '{WHY}'"
    );
    assert!(truth.count(&told).await > 0);
    let logged = format!(
        "SELECT count(*) FROM audit_log WHERE action = 'accept' AND details ->> 'reason' = '{WHY}' AND details ->> 'invited_by' = 'Sam Staff'"
    );
    assert_eq!(truth.count(&logged).await, 1);
}

/// A step-up that ended while a context of it was open makes no energy admin any more.
#[tokio::test]
async fn attack_68_a_context_older_than_the_end_of_its_step_up_changes_no_role() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let invite = "SELECT invite(gen_random_uuid(), 'new@eis.example', 'New', 'energy_admin', NULL, NULL, 7)";
    app.must(&step_up(STAFF, WHY)).await;
    app.enter(STAFF).await;
    app.must(&format!("SAVEPOINT here; {invite}; ROLLBACK TO here")).await;
    truth.must("UPDATE step_ups SET ended_at = now() WHERE ended_at IS NULL").await;
    assert_eq!(app.refused(invite).await, DENIED);
    app.leave().await;
}

/// Every way there is to be without an energy admin. (At the portal: `role_ends`.)
#[tokio::test]
async fn attack_68_nobody_ends_the_last_energy_admin() {
    let case = Case::world().await;
    let app = case.app().await;
    app.must(&step_up(STAFF, WHY)).await;
    let ada = ADA.assignment();
    for sql in [
        format!("SELECT revoke_assignment('{ada}')"),
        format!("SELECT end_assignment('{ada}', '2031-05-31')"),
        format!("SELECT end_assignment('{ada}', '2001-05-31')"),
    ] {
        let refusal = app.as_who(STAFF, &sql).await.unwrap_err();
        assert_eq!(refusal.message, "the organization would have no energy admin", "{sql}");
    }
    // No login disables a user or moves a role by itself.
    for sql in [
        "UPDATE users SET status = 'disabled'",
        "UPDATE role_assignments SET valid_to = now()",
        "DELETE FROM role_assignments",
    ] {
        assert_eq!(app.as_who(STAFF, sql).await.unwrap_err().code, DENIED, "{sql}");
    }
    // The positive control: an end that is taken away ends nobody.
    assert_eq!(app.as_who(STAFF, &format!("SELECT end_assignment('{ada}', NULL)")).await, Ok(1));
}
