//! Payments: what they pay, and that a form sent twice is one payment.

use super::support::database::Case;
use super::support::world::client;
use super::{CLEO, pay, pay_saying};

const INVOICE: &str = "FROM invoices WHERE number = 1 AND client_id =";

#[tokio::test]
async fn a_payment_pays_the_invoice_and_the_rest_stays_as_credit() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    pay(&browser, &looker, "0.001", &uuid::Uuid::now_v7().to_string()).await;
    let page = pay(&browser, &looker, "20", &uuid::Uuid::now_v7().to_string()).await;
    // 23.99 of which 10.00 was paid before: 13.99 is taken, 6.01 is left.
    assert!(browser.get(&page).await.body.contains("€6.01 is left over as credit"));
    let state = format!("SELECT concat_ws(' ', status, paid) {INVOICE} '{}'", client(1, 1));
    assert_eq!(looker.value(&state).await, "paid 23.99");
}

#[tokio::test]
async fn a_payment_form_sent_twice_is_one_payment() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let (browser, other) = (portal.browser_of(CLEO), portal.browser_of(CLEO));
    let key = uuid::Uuid::now_v7().to_string();
    // Twice at once, and once more from a page of the browser's history.
    tokio::join!(pay(&browser, &looker, "5", &key), pay(&other, &looker, "5", &key));
    let page = pay(&browser, &looker, "5", &key).await;
    let said = browser.get(&page).await.body;
    assert!(said.contains("This payment of €5.00 was already recorded"), "{said}");
    let client = client(1, 1);
    assert_eq!(
        looker.count(&format!("SELECT count(*) FROM payments WHERE client_id = '{client}' AND amount = 5")).await,
        1
    );
    assert_eq!(looker.value(&format!("SELECT paid {INVOICE} '{client}'")).await, "15.00");
    let records = format!("SELECT count(*) FROM audit_log WHERE client_id = '{client}' AND entity = 'payment'");
    assert_eq!(looker.count(&records).await, 1);
    // A page opened anew carries another key: the same again is asked about, and another payment once that is said.
    let fresh = browser.get(&page).await.body;
    let form = fresh.split("name=\"key\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    assert!(uuid::Uuid::parse_str(form).is_ok_and(|fresh| fresh.to_string() != key), "{form}");
    pay(&browser, &looker, "5", form).await;
    let said = browser.get(&page).await.body;
    assert!(said.contains("The same payment is recorded already") && said.contains("name=\"another\""), "{said}");
    assert_eq!(looker.value(&format!("SELECT paid {INVOICE} '{client}'")).await, "15.00");
    pay_saying(&browser, &looker, "5", form, &[("another", "true")]).await;
    assert_eq!(looker.value(&format!("SELECT paid {INVOICE} '{client}'")).await, "20.00");
}

#[tokio::test]
async fn a_payment_form_without_a_key_is_given_back() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let page = pay(&browser, &looker, "5", "").await;
    let said = browser.get(&page).await.body;
    assert!(said.contains("This form was not made by its page"), "{said}");
    assert_eq!(looker.value(&format!("SELECT paid {INVOICE} '{}'", client(1, 1))).await, "10.00");
}
