//! Users: whom one may invite, and what is done to a role that somebody holds.

use std::time::Duration;

use eis::db::DbError;
use eis::db::refused::Refused;
use eis::parties::users::invitations::{self, Invite, InviteViolation as V};
use eis::parties::users::{notices, roles, roles::RoleError};
use eis::values::ids::{AssignmentId, ClientId, InvitationId};

use crate::support::database::Case;
use crate::support::world::{Kind, Who, client, id};
use crate::{CLEO, day, on_record, write};

const ADA: Who = Who::Admin(1);
const STAFF: Who = Who::Staff(1);

fn invite(role: &str, at: Option<u8>, account: &str) -> Invite {
    Invite {
        email: "friend@eis.example".into(),
        name: "A Friend".into(),
        role: role.into(),
        client: at.map(|c| ClientId(client(1, c))),
        account_number: account.into(),
        narrowed: None,
    }
}

fn role_of(who: Who) -> AssignmentId {
    AssignmentId(who.assignment())
}

#[tokio::test]
async fn somebody_is_invited_and_the_invitation_is_taken_back_in_the_client_s_own_log() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    let mut tx = write(&db, ADA).await;
    let token = invitations::create(&mut tx, &invite("customer_user", Some(1), "a-1")).await.unwrap();
    assert!(token.len() >= 16);
    tx.commit().await.unwrap();
    let made = truth.value("SELECT id FROM invitations WHERE email = 'friend@eis.example'").await;
    let mut tx = write(&db, ADA).await;
    let open = invitations::revoke(&mut tx, InvitationId(made.parse().unwrap())).await.unwrap();
    assert_eq!(open.role, "customer_user");
    tx.commit().await.unwrap();
    let told = [
        "invite Invited A Friend (friend@eis.example) as Customer",
        "revoke Revoked the invitation for A Friend (friend@eis.example)",
    ];
    assert_eq!(on_record(&truth, "invitation").await, told.map(|line| format!("Ada Admin 1 {line}")));
    let own = format!("SELECT count(*) FROM audit_log WHERE entity = 'invitation' AND client_id = '{}'", client(1, 1));
    assert_eq!(truth.count(&own).await, 2);
}

#[tokio::test]
async fn an_invitation_to_a_place_that_is_not_there_or_not_one_s_own_is_refused() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    let mut tx = write(&db, ADA).await;
    for (wrong, violation) in [
        (invite("king", None, ""), V::NoSuchRole),
        (invite("client_admin", None, ""), V::NoSuchClient),
        (Invite { client: Some(ClientId(client(2, 1))), ..invite("client_admin", None, "") }, V::NoSuchClient),
        (invite("customer_user", Some(1), ""), V::NoAccount),
        (invite("customer_user", Some(1), "Z-9"), V::NoSuchAccount),
        (invite("client_admin", Some(1), "A-1"), V::AccountWithoutCustomer),
    ] {
        match invitations::create(&mut tx, &wrong).await {
            Err(Refused::Violated(found)) => assert_eq!(found, [violation], "{wrong:?}"),
            other => panic!("{wrong:?}: {other:?}"),
        }
    }
    drop(tx);
    // What a role may not give, the database refuses.
    for (who, role) in [(ADA, "energy_admin"), (CLEO, "client_admin")] {
        let mut tx = write(&db, who).await;
        let refused = invitations::create(&mut tx, &invite(role, (role == "client_admin").then_some(1), "")).await;
        assert!(matches!(&refused, Err(Refused::Db(error)) if error.violates("not_yours")), "{who:?}: {refused:?}");
    }
    // EIS staff who stepped up, for themselves.
    let step_up = format!("SELECT step_up('\\x{}', 'Ticket 4711: a first admin', 15, 'here')", STAFF.secret().hex());
    case.app().await.must(&step_up).await;
    let mut tx = write(&db, STAFF).await;
    let own = Invite { email: STAFF.email(), ..invite("energy_admin", None, "") };
    match invitations::create(&mut tx, &own).await {
        Err(Refused::Violated(found)) => assert_eq!(found, [V::OwnAddress]),
        other => panic!("{other:?}"),
    }
    drop(tx);
    assert_eq!(on_record(&truth, "invitation").await.len(), 0);
}

#[tokio::test]
async fn a_role_gets_a_last_day_and_is_taken_back_on_record() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    let role = role_of(Who::Customer(1, 1, 1));
    let mut tx = write(&db, ADA).await;
    roles::set_last_day(&mut tx, role, Some(day("2099-12-31"))).await.unwrap();
    let same = roles::set_last_day(&mut tx, role, Some(day("2099-12-31"))).await.unwrap();
    assert_eq!(same.last_day, Some(day("2099-12-31")));
    let (_, ended) = roles::end_sessions(&mut tx, role_of(CLEO)).await.unwrap();
    assert_eq!(ended, 1);
    roles::take_back(&mut tx, role).await.unwrap();
    tx.commit().await.unwrap();
    let told = [
        "update Changed until when Kim Customer 111 (customer111@eis.example) is Customer",
        "revoke Took the role Customer back from Kim Customer 111 (customer111@eis.example)",
    ];
    assert_eq!(on_record(&truth, "role_assignment").await, told.map(|line| format!("Ada Admin 1 {line}")));
    let signed_out = "Ada Admin 1 end_sessions Signed Cleo Client 11 (client11@eis.example) out of 1 sessions";
    assert_eq!(on_record(&truth, "user").await, [signed_out]);
}

#[tokio::test]
async fn a_day_gone_by_a_role_of_nobody_and_the_last_energy_admin_s_are_refused() {
    let case = Case::world().await;
    let db = case.db(2);
    let mut tx = write(&db, ADA).await;
    let gone = roles::set_last_day(&mut tx, role_of(CLEO), Some(day("2020-01-01"))).await;
    assert!(matches!(gone, Err(RoleError::GoneBy)), "{gone:?}");
    for nobody in [AssignmentId::fresh(), role_of(Who::Client(2, 1))] {
        assert!(matches!(roles::set_last_day(&mut tx, nobody, None).await, Err(RoleError::NotFound)));
        assert!(matches!(roles::take_back(&mut tx, nobody).await, Err(RoleError::NotFound)));
        assert!(matches!(roles::end_sessions(&mut tx, nobody).await, Err(RoleError::NotFound)));
    }
    assert!(matches!(roles::take_back(&mut tx, role_of(ADA)).await, Err(RoleError::NotFound)), "one's own");
    drop(tx);
    let step_up = format!("SELECT step_up('\\x{}', 'Ticket 4711: a last admin', 15, 'here')", STAFF.secret().hex());
    case.app().await.must(&step_up).await;
    let mut tx = write(&db, STAFF).await;
    let last = roles::take_back(&mut tx, role_of(ADA)).await;
    assert!(matches!(last, Err(RoleError::LastEnergyAdmin)), "{last:?}");
    drop(tx);
    let mut tx = write(&db, STAFF).await;
    let last = roles::set_last_day(&mut tx, role_of(ADA), Some(day("2099-12-31"))).await;
    assert!(matches!(last, Err(RoleError::LastEnergyAdmin)), "{last:?}");
}

#[tokio::test]
async fn of_two_who_take_a_role_or_an_invitation_back_at_once_one_does() {
    let case = Case::world().await;
    let (db, truth) = (case.db(4), case.superuser().await);
    let take = async || {
        let mut tx = write(&db, ADA).await;
        roles::take_back(&mut tx, role_of(Who::Customer(1, 1, 1))).await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok::<_, RoleError>(tx.commit().await?)
    };
    let (one, two) = tokio::join!(take(), take());
    let lost = [&one, &two].into_iter().filter(|done| matches!(done, Err(RoleError::NotFound))).count();
    assert_eq!((lost, on_record(&truth, "role_assignment").await.len()), (1, 1), "{one:?} {two:?}");
    let open = InvitationId(id(Kind::Invitation, 1, 1, 0, 1));
    let revoke = async || {
        let mut tx = write(&db, ADA).await;
        invitations::revoke(&mut tx, open).await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        tx.commit().await
    };
    let (one, two) = tokio::join!(revoke(), revoke());
    let lost = [&one, &two].into_iter().filter(|done| done.as_ref().is_err_and(DbError::is_not_found)).count();
    assert_eq!((lost, on_record(&truth, "invitation").await.len()), (1, 1), "{one:?} {two:?}");
}

#[tokio::test]
async fn a_notice_is_seen_once_by_whom_it_is_for() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    let notice = id(Kind::Notice, 1, 0, 0, 1);
    let mut tx = write(&db, ADA).await;
    assert_eq!(notices::see(&mut tx, &[notice]).await.unwrap(), 1);
    assert!(notices::see(&mut tx, &[notice]).await.is_err_and(|error| error.is_not_found()));
    let foreign = id(Kind::Notice, 2, 0, 0, 1);
    assert!(notices::see(&mut tx, &[foreign]).await.is_err_and(|error| error.is_not_found()));
    tx.commit().await.unwrap();
    let told = "Ada Admin 1 see Saw what EIS Power changed in who runs the organisation";
    assert_eq!(on_record(&truth, "role_notice").await, [told]);
}
