//! Attacks 83 and 85: what people call themselves and things, in files for spreadsheets, on pages and in headers.

use crate::support::database::Case;
use crate::support::http::{Browser, Portal};
use crate::support::world::{Who, client};

/// A customer's form with this name.
async fn create(browser: &Browser, who: Who, account: &str, name: &str) -> String {
    let page = format!("/clients/{}/customers/new", client(1, 1));
    let (context, client) = (who.context_token(), client(1, 1).to_string());
    let answer = browser
        .post(
            "/api/create_customer",
            &[
                ("context", &context),
                ("page", &page),
                ("client", &client),
                ("account_number", account),
                ("kind", "person"),
                ("name", name),
                ("service_address", "9 New Lane"),
                ("moved_in_on", "2026-01-01"),
            ],
        )
        .await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    browser.get(answer.location()).await.body
}

async fn export(portal: &Portal, who: Who) -> String {
    portal.browser_of(who).get(&format!("/clients/{}/customers.csv", client(1, 1))).await.body
}

/// What a spreadsheet that splits at this character and knows no quotes makes of a file.
fn cells(file: &str, separator: char) -> impl Iterator<Item = &str> {
    file.split([separator, '\n', '\r'])
}

/// Whether a spreadsheet runs a cell.
fn runs(cell: &str) -> bool {
    let cell = cell.trim_start_matches(|c: char| c.is_whitespace() || c == '"' || c == '\u{200b}');
    let number = cell.trim_end_matches('"').parse::<rust_decimal::Decimal>().is_ok();
    !number && cell.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

#[tokio::test]
async fn attack_83_formulas_behind_every_separator() {
    let case = Case::world().await;
    let (portal, truth, me) = (case.portal().await, case.superuser().await, Who::Client(1, 1));
    for formula in
        ["=1+1", "＝1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", " =1+1", "\"=1+1", "\u{a0}=1+1", "\u{200b}=1+1"]
    {
        for before in ["", "x;", "x,", "x\t", "x|", "x\n", "x\r\n", ";;", "x;\";", "\t", " "] {
            let text = format!("{before}{formula}").replace('\'', "''");
            truth
                .must(&format!(
                    "SET session_replication_role = replica; UPDATE customers SET name = '{text}', phone = '{text}';
                     RESET session_replication_role"
                ))
                .await;
            let file = export(&portal, me).await;
            for separator in [';', ',', '\t', '|'] {
                for cell in cells(&file, separator) {
                    assert!(!runs(cell), "{before:?}{formula:?} at {separator:?}: {cell:?}\n{file}");
                }
            }
            assert!(file.contains("1+1") || file.contains("cmd") || file.contains("2+3") || file.contains("SUM"));
        }
    }
    truth
        .must("SET session_replication_role = replica; UPDATE customers SET name = 'Plain; Name', phone = '-12.50'")
        .await;
    let file = export(&portal, me).await;
    assert!(file.contains("Plain; Name"), "the positive control: what is no formula stays as it is: {file}");
    assert!(file.contains(",-12.50"), "and a number below zero stays one: {file}");
}

#[tokio::test]
async fn attack_85_names_that_hide_something() {
    let case = Case::world().await;
    let (portal, truth, me) = (case.portal().await, case.superuser().await, Who::Client(1, 1));
    let browser = portal.browser_of(me);
    for (n, hidden) in ["\u{202e}", "\u{200b}", "\u{2066}", "\u{feff}", "\u{ad}", "\u{1b}", "\u{85}"].iter().enumerate()
    {
        let page = create(&browser, me, &format!("H-{n}"), &format!("Ad{hidden}min")).await;
        assert!(page.contains("cannot be seen or turns the text around"), "{hidden:?}: {page}");
    }
    assert_eq!(truth.count("SELECT count(*) FROM accounts WHERE account_number LIKE 'H-%'").await, 0);
    // The positive control: names of all scripts are taken, with the joiners that their scripts need.
    for (n, name) in
        ["محمد علی", "שרה כהן", "علی\u{200c}رضا", "क्\u{200d}ष", "👨\u{200d}👩\u{200d}👧 Müller", "東京ガス"]
            .iter()
            .enumerate()
    {
        let page = create(&browser, me, &format!("N-{n}"), name).await;
        assert!(page.contains(name), "{name}: {page}");
    }
    // What was kept before is shown with marks, on pages and in files.
    truth
        .must("SET session_replication_role = replica; UPDATE customers SET name = 'gpj.' || U&'\\202E' || 'exe'")
        .await;
    let page = browser.get(&format!("/clients/{}/customers", client(1, 1))).await.body;
    let file = export(&portal, me).await;
    for text in [page, file] {
        assert!(text.contains("gpj.\u{fffd}exe") && !text.contains('\u{202e}'), "{text}");
    }
}

#[tokio::test]
async fn attack_85_names_that_look_like_others() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let admin = portal.browser_of(Who::Admin(1));
    let page = admin.get("/organization/users").await.body;
    assert!(!page.contains("Mixed alphabets") && !page.contains("Looks like another name"), "the positive control");
    let named = |name: &str, email: &str| format!("UPDATE users SET name = '{name}' WHERE email = '{email}'");
    truth.must(&named("Аdmin", "admin1@eis.example")).await;
    assert!(
        admin.get("/organization/users").await.body.contains("Mixed alphabets"),
        "a Cyrillic A before Latin letters"
    );
    // Wholly of another alphabet, beside the one that it looks like.
    truth.must(&named("раура", "admin1@eis.example")).await;
    assert!(!admin.get("/organization/users").await.body.contains("Looks like another name"));
    truth.must(&named("paypa", "consultant@eis.example")).await;
    assert!(admin.get("/organization/users").await.body.contains("Looks like another name"));
}
