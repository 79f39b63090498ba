//! The same file again: for the same meter it changes nothing that is there, for another one it is a new file.

use super::support::database::Case;
use super::support::http::Browser;
use super::support::sql::Sql;
use super::support::world::{Kind, client, id};
use super::{CLEO, usage};

/// Sends a file of two hours that does not name its meter; what the next page says.
async fn import(browser: &Browser, serial: &str, kwh: &str) -> String {
    let (path, context) = (format!("/clients/{}/imports", client(1, 1)), CLEO.context_token());
    let file = format!("interval_start,kwh\r\n2026-11-02T00:00:00+01:00,{kwh}\r\n2026-11-02T01:00:00+01:00,{kwh}");
    let answer = browser.upload(&path, &context, serial, &file).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    browser.get(answer.location()).await.body
}

/// The first value kept of a customer's meter.
async fn kept(looker: &Sql, k: u8) -> String {
    let meter = id(Kind::Meter, 1, 1, k, 1);
    looker.value(&format!("SELECT wh[1] FROM interval_days WHERE meter_id = '{meter}' AND day = '2026-11-02'")).await
}

#[tokio::test]
async fn a_file_imported_for_one_meter_is_new_for_another() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    usage(&looker).await;
    assert!(!import(&browser, "M-1", "3").await.contains("nothing changed"));
    assert_eq!((kept(&looker, 1).await, kept(&looker, 2).await), ("3000".to_owned(), "1000".to_owned()));
    let told = import(&browser, "M-2", "3").await;
    assert!(!told.contains("nothing changed") && told.contains("2 replaced"), "{told}");
    assert_eq!(kept(&looker, 2).await, "3000");
    // For the same meter it is the same file still: a correction made since stays.
    import(&browser, "M-1", "4").await;
    let told = import(&browser, "M-1", "3").await;
    assert!(told.contains("nothing changed"), "{told}");
    assert_eq!(kept(&looker, 1).await, "4000");
}
