//! "Today" is the day where the client is: at a quarter past midnight in Berlin UTC is a day behind, at half past six in the
//! evening in Denver a day ahead; both on a month's last day.

use super::support::database::Case;
use super::support::http::Browser;
use super::support::sql::Sql;
use super::support::world::{Kind, Who, client, customer, id};
use super::{CLEO, post};

/// Zone and moment; in both it is the last day of October 2026 there.
const LAST_OF_OCTOBER: [(&str, &str); 2] =
    [("Europe/Berlin", "2026-10-30T23:16:00Z"), ("America/Denver", "2026-11-01T00:30:00Z")];

async fn move_to(owner: &Sql, zone: &str) {
    owner
        .must(&format!(
            "UPDATE clients SET time_zone = '{zone}'; UPDATE service_points SET time_zone = '{zone}'; UPDATE meters SET time_zone = '{zone}'"
        ))
        .await;
}

/// What a page of the client proposes in a field.
async fn proposed(browser: &Browser, path: &str, name: &str) -> String {
    let page = browser.get(&format!("/clients/{}/{path}", client(1, 1))).await;
    assert_eq!(page.status, 200, "{path}");
    let tag = page.body.split('<').find(|tag| tag.contains(&format!("name=\"{name}\""))).unwrap_or_default().to_owned();
    tag.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn forms_propose_days_by_the_client_s_own_day() {
    let case = Case::world().await;
    let owner = case.superuser().await;
    let kim = customer(1, 1, 1);
    owner
        .must(&format!(
            "UPDATE meters SET kind = 'register', interval_minutes = NULL WHERE id = '{}'",
            id(Kind::Meter, 1, 1, 1, 1)
        ))
        .await;
    for (zone, moment) in LAST_OF_OCTOBER {
        move_to(&owner, zone).await;
        let portal = case.portal_at(moment).await;
        let browser = portal.browser_of(CLEO);
        let invoice = format!("invoices/{}", id(Kind::Invoice, 1, 1, 1, 1));
        let readings = format!("customers/{kim}/meters/{}/readings", id(Kind::Meter, 1, 1, 1, 1));
        let tariff = format!("tariffs/{}", id(Kind::Tariff, 1, 1, 0, 5));
        for (path, name, day) in [
            ("customers/new".to_owned(), "moved_in_on", "2026-10-31"),
            ("billing-runs/new".to_owned(), "due_on", "2026-10-31"),
            (invoice, "received_on", "2026-10-31"),
            (readings, "read_on", "2026-10-31"),
            (format!("customers/{kim}"), "tariff_from", "2026-11-01"),
            ("tariffs/new?kind=flat".to_owned(), "effective_from", "2026-11-01"),
            (tariff, "retire_from", "2026-10-31"),
        ] {
            assert_eq!(proposed(&browser, &path, name).await, day, "{zone} {path}");
        }
    }
}

#[tokio::test]
async fn an_invoice_is_overdue_from_the_day_after_its_due_day_where_the_client_is() {
    let case = Case::world().await;
    let owner = case.superuser().await;
    let invoice = id(Kind::Invoice, 1, 1, 1, 1);
    for (zone, moment) in LAST_OF_OCTOBER {
        move_to(&owner, zone).await;
        let portal = case.portal_at(moment).await;
        // Due the day before is overdue, due today is not.
        for (due, overdue) in [("2026-10-30", true), ("2026-10-31", false)] {
            owner
                .must(&format!(
                    "SET session_replication_role = replica; UPDATE invoices SET due_on = '{due}' WHERE status = 'part_paid' AND id = '{invoice}';
                     UPDATE invoices SET due_on = '2027-01-01' WHERE status = 'part_paid' AND id <> '{invoice}'; RESET session_replication_role"
                ))
                .await;
            let shown =
                portal.browser_of(CLEO).get(&format!("/clients/{}/invoices/{invoice}", client(1, 1))).await.body;
            assert_eq!(shown.contains("Overdue"), overdue, "{zone} {due}: {shown}");
            let listed =
                portal.browser_of(CLEO).get(&format!("/clients/{}/invoices?status=overdue", client(1, 1))).await.body;
            assert_eq!(listed.contains("INV-2026-1"), overdue, "{zone} {due}");
            let home = portal.browser_of(Who::Customer(1, 1, 1)).get("/account").await.body;
            assert_eq!(home.contains("Due today"), !overdue, "{zone} {due}: {home}");
            let all = portal.browser_of(Who::Admin(1)).get("/organization").await.body;
            assert_eq!(all.contains("1 overdue invoice"), overdue, "{zone} {due}: {all}");
        }
    }
}

#[tokio::test]
async fn an_agreement_holds_from_its_first_day_where_the_client_is() {
    let case = Case::world().await;
    let owner = case.superuser().await;
    let page = format!("/clients/{}/customers/{}", client(1, 1), customer(1, 1, 1));
    for (zone, moment) in LAST_OF_OCTOBER {
        move_to(&owner, zone).await;
        let browser = case.portal_at(moment).await;
        let browser = (browser.browser_of(CLEO), browser);
        for (from, holds) in [("2026-10-31", "<td>Now</td>"), ("2026-11-01", "<td>Later</td>")] {
            owner
                .must(&format!(
                    "UPDATE tariff_agreements SET valid_from = '{from}' WHERE customer_id = '{}'",
                    customer(1, 1, 1)
                ))
                .await;
            let shown = browser.0.get(&page).await.body;
            assert!(shown.contains(holds), "{zone} {from}: {shown}");
        }
        owner.must("UPDATE tariff_agreements SET valid_from = '2024-01-01', valid_to = '2026-11-01'").await;
        let shown = browser.0.get(&page).await.body;
        assert!(shown.contains("Last day") && shown.contains("31 Oct 2026"), "the last day is told: {shown}");
        owner.must("UPDATE tariff_agreements SET valid_to = NULL").await;
    }
}

#[tokio::test]
async fn a_version_that_begins_tomorrow_where_the_client_is_leaves_the_one_before_active() {
    for (zone, moment) in LAST_OF_OCTOBER {
        for (from, before) in [("2026-11-01", "active"), ("2026-10-31", "retired")] {
            let case = Case::world().await;
            let owner = case.superuser().await;
            move_to(&owner, zone).await;
            let (active, draft) = (id(Kind::Tariff, 1, 1, 0, 1), id(Kind::Tariff, 1, 1, 0, 2));
            owner.must(&format!("UPDATE tariff_rates SET effective_from = '{from}' WHERE id = '{draft}'")).await;
            let portal = case.portal_at(moment).await;
            let browser = portal.browser_of(CLEO);
            let page = format!("/clients/{}/tariffs/{draft}", client(1, 1));
            post(&browser, CLEO, "activate_tariff", &[("tariff", &draft.to_string()), ("page", &page)]).await;
            let status = async |id| owner.value(&format!("SELECT status FROM tariff_rates WHERE id = '{id}'")).await;
            assert_eq!(
                (status(draft).await.as_str(), status(active).await.as_str()),
                ("active", before),
                "{zone} {from}"
            );
        }
    }
}

#[tokio::test]
async fn a_payment_of_today_is_taken_and_one_of_tomorrow_is_not() {
    for (zone, moment) in LAST_OF_OCTOBER {
        let case = Case::world().await;
        let owner = case.superuser().await;
        move_to(&owner, zone).await;
        let portal = case.portal_at(moment).await;
        let browser = portal.browser_of(CLEO);
        let invoice = id(Kind::Invoice, 1, 1, 1, 1).to_string();
        let page = format!("/clients/{}/invoices/{invoice}", client(1, 1));
        for (day, taken) in [("2026-11-01", 0), ("2026-10-31", 1)] {
            let key = uuid::Uuid::now_v7().to_string();
            let form = [
                ("invoice", invoice.as_str()),
                ("page", &page),
                ("key", &key),
                ("amount", "5"),
                ("received_on", day),
                ("method", "cash"),
            ];
            post(&browser, CLEO, "record_payment", &form).await;
            let made = owner.count("SELECT count(*) FROM payments WHERE amount = 5").await;
            assert_eq!(made, taken, "{zone} {day}");
        }
    }
}
