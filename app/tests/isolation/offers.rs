//! Tariffs as customers see them: their own, and what is on offer where the client lets them compare. Nothing else.

use axum::http::StatusCode;

use crate::DENIED;
use crate::support::database::Case;
use crate::support::sql::Sql;
use crate::support::world::{Who, client, customer};

/// A customer of a client that lets customers compare, and one of a client that does not.
const KIM: Who = Who::Customer(1, 1, 1);
const LEE: Who = Who::Customer(1, 2, 1);

/// Codes and versions that somebody sees.
async fn seen(app: &Sql, who: Who) -> String {
    app.enter(who).await;
    let seen = app
        .value("SELECT coalesce(string_agg(code || ' ' || version || ' ' || client_id, ', ' ORDER BY code, version), '') FROM tariff_rates")
        .await;
    app.leave().await;
    seen.replace(&format!(" {}", client(1, 1)), "").replace(&format!(" {}", client(1, 2)), " of 2")
}

#[tokio::test]
async fn attack_05_a_customer_sees_the_own_tariff_and_what_is_on_offer() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    assert_eq!(truth.count("SELECT count(*) FROM tariff_rates WHERE code <> 'HOME'").await, 12, "there is more to see");
    assert_eq!(seen(&app, KIM).await, "HOME 1, SAVER 1", "the own version and the one on offer; no draft, not PLAIN");
    assert_eq!(seen(&app, LEE).await, "HOME 1 of 2", "where the client does not let customers compare, the own alone");
}

/// Each condition of being on offer, taken away one at a time: then there is no row; put back, there is one.
#[tokio::test]
async fn attack_05_an_offer_is_seen_only_while_every_condition_holds() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let saver = format!("code = 'SAVER' AND version = 1 AND client_id = '{}'", client(1, 1));
    for (without, broken, mended) in [
        ("not on offer", "offered = false", "offered = true"),
        ("a draft", "status = 'draft'", "status = 'active'"),
        ("retired", "status = 'retired', effective_to = '2026-01-01'", "effective_to = NULL"),
        ("ended", "effective_to = current_date - 2", "effective_to = NULL"),
        ("to begin later", "effective_from = current_date + 2", "effective_from = '2024-01-01'"),
    ] {
        // What is active never changes, but that it ends: each time it begins as a draft again.
        let draft =
            format!("UPDATE tariff_rates SET status = 'draft', offered = true, effective_to = NULL WHERE {saver}");
        let active = format!("UPDATE tariff_rates SET status = 'active' WHERE {saver} AND status = 'draft'");
        truth.must(&format!("{draft}; UPDATE tariff_rates SET {broken} WHERE {saver}")).await;
        if without != "a draft" {
            truth.must(&active).await;
        }
        assert_eq!(seen(&app, KIM).await, "HOME 1", "{without}");
        truth.must(&format!("{draft}; UPDATE tariff_rates SET {mended} WHERE {saver}; {active}")).await;
        assert_eq!(seen(&app, KIM).await, "HOME 1, SAVER 1", "the positive control of: {without}");
    }
    truth.must(&format!("UPDATE clients SET tariff_comparison = false WHERE id = '{}'", client(1, 1))).await;
    assert_eq!(seen(&app, KIM).await, "HOME 1", "the client does not let customers compare");
    truth.must(&format!("UPDATE clients SET tariff_comparison = true WHERE id = '{}'", client(1, 2))).await;
    assert_eq!(
        seen(&app, LEE).await,
        "HOME 1 of 2, SAVER 1 of 2",
        "the positive control: the sibling's customer sees the sibling's"
    );
}

/// The own tariff is what is agreed: a sibling customer's is not, and a draft or discarded version never applied.
#[tokio::test]
async fn attack_05_the_own_tariff_is_the_agreed_one() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    truth
        .must(&format!(
            "UPDATE tariff_agreements SET tariff_code = 'PLAIN' WHERE customer_id = '{}'",
            customer(1, 1, 2)
        ))
        .await;
    assert_eq!(seen(&app, KIM).await, "HOME 1, SAVER 1", "what a sibling customer is on is not one's own");
    assert_eq!(seen(&app, Who::Customer(1, 1, 2)).await, "PLAIN 1, SAVER 1", "the positive control: the sibling");
    truth.must("UPDATE tariff_rates SET status = 'retired' WHERE code = 'HOME' AND version = 2").await;
    assert_eq!(seen(&app, KIM).await, "HOME 1, SAVER 1", "a discarded draft");
    let applied = "UPDATE tariff_rates SET effective_to = '2026-01-01' WHERE code = 'HOME' AND version = 1;
        SET session_replication_role = replica;
        UPDATE tariff_rates SET effective_to = '2026-06-01' WHERE code = 'HOME' AND version = 2; RESET session_replication_role";
    truth.must(applied).await;
    assert_eq!(seen(&app, KIM).await, "HOME 1, HOME 2, SAVER 1", "the positive control: one that applied and ended");
}

#[tokio::test]
async fn attack_21_a_customer_offers_nothing_and_allows_nothing() {
    let case = Case::world().await;
    let app = case.app().await;
    for sql in [
        "UPDATE tariff_rates SET offered = true",
        "UPDATE tariff_rates SET offered = true WHERE code = 'HOME'",
        "UPDATE clients SET tariff_comparison = true",
    ] {
        assert_eq!(app.as_who(LEE, sql).await.unwrap(), 0, "{sql}");
    }
    assert_eq!(app.as_who(LEE, "DELETE FROM tariff_rates").await.unwrap_err().code, DENIED);
    let own = "UPDATE tariff_rates SET offered = true WHERE code = 'PLAIN'";
    assert_eq!(app.as_who(Who::Client(1, 2), own).await.unwrap(), 1, "the positive control: the client's admin");
}

/// The helpers of the policies tell nobody more than the context itself.
#[tokio::test]
async fn attack_38_the_helpers_called_directly_tell_nothing_more() {
    let case = Case::world().await;
    let app = case.app().await;
    for (who, own, offers) in [
        (KIM, "{HOME}", true),
        (LEE, "{HOME}", false),
        (Who::Client(1, 1), "", false),
        (Who::Admin(1), "", false),
        (Who::Staff(1), "", false),
    ] {
        app.enter(who).await;
        assert_eq!(app.value("SELECT coalesce(own_tariffs()::text, '')").await, own, "{who:?}");
        assert_eq!(app.value("SELECT offers_on() IS NOT NULL").await, if offers { "t" } else { "f" }, "{who:?}");
        app.leave().await;
    }
    app.must("BEGIN").await;
    app.must(&format!("SET LOCAL eis.context = 'customer|{}'", client(1, 1))).await;
    assert_eq!(
        app.value("SELECT coalesce(own_tariffs()::text, '') || (offers_on() IS NOT NULL)").await,
        "false",
        "a context made by hand"
    );
    app.leave().await;
}

/// The pages: compared where it is allowed, absent where not, and the same address then answers like one that is not there.
#[tokio::test]
async fn the_comparison_is_absent_where_the_client_does_not_allow_it() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let (kim, lee) = (portal.browser_of(KIM), portal.browser_of(LEE));
    let page = kim.get("/account/price").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("href=\"/account/price/compare\""), "{}", page.body);
    assert!(page.body.contains("Each kWh costs €0.28, at all times."), "{}", page.body);
    let compared = kim.get("/account/price/compare").await;
    assert_eq!(compared.status, 200, "{}", compared.body);
    let page = lee.get("/account/price").await;
    assert!(page.status == 200 && !page.body.contains("/account/price/compare"), "{}", page.body);
    let (refused, absent) = (lee.get("/account/price/compare").await, lee.get("/account/price/nothing").await);
    assert_eq!((refused.status, absent.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
    assert!(!refused.body.contains("Saver"));
}
