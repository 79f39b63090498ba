//! Attacks 51, 61, 62 and 66: what leaves the portal in pages, addresses, files and headers.

use std::collections::BTreeSet;

use crate::support::database::Case;
use crate::support::http::{Answer, Browser};
use crate::support::world::{Kind, Who, client, customer, id, organization};
use crate::targets::{FUNCTIONS, PAGES, Page, Place, fill};

const OWN: (u8, u8, u8) = (1, 1, 1);

/// The roles that open a page.
fn rightful(page: &Page) -> impl Iterator<Item = Who> + use<'_> {
    Who::ROLES.into_iter().filter(|who| page.opens.contains(&who.role()))
}

fn files() -> impl Iterator<Item = &'static Page> {
    PAGES
        .iter()
        .filter(|page| page.path.rsplit('/').next().is_some_and(|last| last.contains('.') && last != "favicon.ico"))
}

#[test]
fn the_suite_knows_every_kind_of_file() {
    let kinds: BTreeSet<&str> = files().filter_map(|page| page.path.rsplit('.').next()).collect();
    assert_eq!(kinds, BTreeSet::from(["csv"]), "a new kind of file needs attacks 61, 62 and 66");
}

/// Names of other tenants, as they stand in the world, as `who` must not read them.
fn foreign_words(who: Who) -> Vec<String> {
    let (o, c, k) = who.place();
    let mut words = vec![format!("Organisation {}", 3 - o), organization(3 - o).to_string()];
    for other in 1..=2 {
        for one in 1..=2 {
            if other != o || (c > 0 && one != c) {
                words.extend([format!("Client {other}{one}"), client(other, one).to_string()]);
            }
            for each in 1..=2 {
                if other != o || (c > 0 && one != c) || (k > 0 && each != k) {
                    words.extend([format!("Customer {other}{one}{each}"), customer(other, one, each).to_string()]);
                }
            }
        }
    }
    words
}

#[tokio::test]
async fn attack_61_exports_by_id() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let (mut tried, mut rows) = (0, 0);
    for page in files() {
        for who in rightful(page) {
            let browser = portal.browser_of(who);
            let path = fill(page.path, OWN, OWN);
            let own = browser.get(&path).await;
            assert_eq!(own.status, 200, "the positive control: {who:?} {path}");
            assert!(own.header("content-disposition").starts_with("attachment"), "{path}");
            rows += own.body.lines().count() - 1;
            let mut asked = vec![path.clone()];
            for at in [(1, 1, 2), (1, 2, 1), (2, 1, 1), (9, 9, 9)] {
                let (o, c, k) = at;
                for (name, value) in [
                    ("organization", organization(o)),
                    ("organization_id", organization(o)),
                    ("client", client(o, c)),
                    ("client_id", client(o, c)),
                    ("customer", customer(o, c, k)),
                    ("customer_id", customer(o, c, k)),
                    ("meter", id(Kind::Meter, o, c, k, 1)),
                    ("id", id(Kind::Invoice, o, c, k, 1)),
                ] {
                    asked.push(format!("{path}?{name}={value}"));
                }
            }
            let words = foreign_words(who);
            for path in asked {
                let answer = browser.get(&path).await;
                tried += 1;
                for word in words.iter().filter(|word| !path.contains(word.as_str())) {
                    assert!(!answer.body.contains(word.as_str()), "{who:?} {path} tells {word}");
                }
            }
            // What lies elsewhere is not to be had by its address (attack 52 compares the answers byte for byte).
            if page.place == Place::Client && !matches!(who, Who::Admin(_) | Who::Staff(_)) {
                assert_eq!(browser.get(&fill(page.path, (1, 2, 1), (1, 2, 1))).await.status, 403, "{who:?} {path}");
            }
            assert!(
                browser.get(&fill(page.path, (2, 1, 1), (2, 1, 1))).await.status != 200 || page.place != Place::Client
            );
        }
    }
    assert!(tried > 300 && rows > 20, "{tried} {rows}");
}

/// Whether a spreadsheet would run this cell.
fn runs(cell: &str) -> bool {
    let number = cell.parse::<rust_decimal::Decimal>().is_ok();
    !number
        && (cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
            || cell.starts_with(['\t', '\r', '\n']))
}

#[tokio::test]
async fn attack_62_formulas_in_csv_files() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let mut harmless = 0;
    for formula in
        ["=HYPERLINK(\"http://x\")", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", " =1+1", "＝1+1", "x\",=1+1,\"y"]
    {
        let text = formula.replace('\'', "''");
        truth
            .must(&format!(
                "SET session_replication_role = replica;
                 UPDATE service_points SET address = '{text}'; UPDATE contracts SET address = '{text}';
                 UPDATE customers SET name = '{text}', email = '', phone = '{text}', tax_number = '{text}';
                 UPDATE accounts SET account_number = '{text}' || right(account_number, 1);
                 UPDATE clients SET name = '{text}', legal_name = '{text}', tax_number = '{text}';
                 UPDATE invoices SET customer_name = '{text}', account_number = '{text}', label = '{text}', tariff_name = '{text}';
                 UPDATE meters SET serial = '{text}' || right(serial, 1);
                 UPDATE contract_meters SET serial = '{text}', address = '{text}';
                 UPDATE import_rejections SET content = '{text}', reason = '{text}';
                 UPDATE what_if_results SET customer_name = '{text}', account_number = '{text}', problems = ARRAY['{text}'];
                 UPDATE imports SET file_name = '{text}'; RESET session_replication_role"
            ))
            .await;
        for page in files() {
            for who in rightful(page) {
                let path = fill(page.path, OWN, OWN);
                let answer = portal.browser_of(who).get(&path).await;
                assert_eq!(answer.status, 200, "{who:?} {path}");
                let mut reader =
                    csv::ReaderBuilder::new().has_headers(false).flexible(false).from_reader(answer.body.as_bytes());
                for record in reader.records() {
                    for cell in record.unwrap_or_else(|error| panic!("{path}: {error}")).iter() {
                        assert!(!runs(cell), "{who:?} {path}: a spreadsheet runs {cell:?}");
                        harmless += usize::from(cell.starts_with('\'') || cell == formula);
                    }
                }
            }
        }
    }
    assert!(harmless > 50, "the positive control: the formulas are there, as text: {harmless}");
}

/// Words that only a fault's cause has.
const CAUSES: [&str; 14] = [
    "SQLSTATE",
    "syntax error",
    "relation \"",
    "column \"",
    "_gone",
    "violates",
    "permission denied",
    "DatabaseError",
    "QueryBuilder",
    "panicked",
    "src/",
    "PostgreSQL",
    "row-level security",
    "__err",
];

fn tells(answer: &Answer) -> Option<&'static str> {
    CAUSES.into_iter().find(|word| answer.body.contains(word) || answer.location().contains(word))
}

#[tokio::test]
async fn attack_51_the_text_of_errors_in_pages_and_addresses() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let mut broken = 0;
    for table in [
        "customers",
        "invoices",
        "clients",
        "billing_periods",
        "billing_runs",
        "audit_log",
        "tariff_rates",
        "imports",
        "interval_days",
    ] {
        truth.must(&format!("ALTER TABLE {table} RENAME TO {table}_gone")).await;
        // The isolation report names tables: that is what it is for.
        let told = |page: &&Page| page.place != Place::Public && page.path != "/organization/isolation";
        for page in PAGES.iter().filter(told) {
            let Some(who) = rightful(page).last() else { continue };
            let path = fill(page.path, OWN, OWN);
            let answer = portal.browser_of(who).get(&path).await;
            broken += usize::from(answer.status == 500);
            assert_eq!(tells(&answer), None, "{table} {path}: {} {}", answer.location(), answer.body);
        }
        for function in FUNCTIONS.iter().filter(|function| function.done != "-") {
            let Some(who) = Who::ROLES.into_iter().rfind(|who| function.may.contains(&who.role())) else {
                continue;
            };
            let filled: Vec<(&str, String)> =
                function.form.iter().map(|(name, value)| (*name, fill(value, OWN, OWN))).collect();
            let token = who.context_token();
            let mut form = vec![("context", token.as_str())];
            form.extend(filled.iter().map(|(name, value)| (*name, value.as_str())));
            let answer = portal.browser_of(who).post(function.path, &form).await;
            broken += usize::from(answer.status == 500);
            assert_eq!(tells(&answer), None, "{table} {}: {} {}", function.path, answer.location(), answer.body);
        }
        truth.must(&format!("ALTER TABLE {table}_gone RENAME TO {table}")).await;
    }
    assert!(broken > 60, "the positive control: so many failed: {broken}");
    // What cannot be read is answered in our own words too.
    let browser = portal.browser_of(Who::Client(1, 1));
    let list = format!("/clients/{}/customers", client(1, 1));
    for path in [
        format!("{list}?page=%00"),
        format!("{list}?search=%27%20OR%201%3D1--"),
        format!("{list}?page=99999999999999999999"),
        format!("{list}?sort=name;drop"),
        format!("{list}/%ff%fe"),
        "/clients/'/customers".to_owned(),
        "/api/no_such_function".to_owned(),
        "/%2e%2e/%2e%2e/etc/passwd".to_owned(),
    ] {
        let answer = browser.get(&path).await;
        assert!(answer.status != 500, "{path}");
        assert_eq!(tells(&answer), None, "{path}: {}", answer.body);
    }
    for form in [vec![("context", "x")], vec![], vec![("name", "%00"), ("client", "'")]] {
        let answer = browser.post("/api/create_customer", &form).await;
        assert_eq!(tells(&answer), None, "{}", answer.body);
    }
}

/// A cache between people and the portal that keeps what it may, as RFC 9111 has it, for whoever asks next.
fn kept(answer: &Answer) -> bool {
    let control = answer.header("cache-control");
    let forbidden = control.contains("no-store") || control.contains("private");
    !forbidden && !answer.headers.contains_key("set-cookie")
}

async fn not_kept(browser: &Browser, path: &str) -> Answer {
    let answer = browser.get(path).await;
    assert!(!kept(&answer), "{path}: {}", answer.header("cache-control"));
    assert!(answer.header("cache-control").contains("no-store"), "{path}");
    let vary: Vec<String> =
        answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap().to_lowercase()).collect();
    assert!(vary.iter().any(|value| value.contains("cookie")), "{path}: {vary:?}");
    assert!(answer.headers.get("etag").is_none() && answer.headers.get("last-modified").is_none(), "{path}");
    answer
}

#[tokio::test]
async fn attack_66_what_a_shared_cache_keeps() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let mut seen = BTreeSet::new();
    for page in PAGES
        .iter()
        .filter(|page| page.place != Place::Public || page.path == "/login" || page.path.starts_with("/invitation"))
    {
        let path = fill(page.path, OWN, OWN);
        for who in Who::ROLES {
            seen.insert(not_kept(&portal.browser_of(who), &path).await.status.as_u16());
        }
        seen.insert(not_kept(&portal.browser(), &path).await.status.as_u16());
    }
    for path in [
        "/nowhere".to_owned(),
        fill("/clients/{client}/customers/{customer}", OWN, (9, 9, 9)),
        format!("/clients/{}", client(2, 1)),
    ] {
        seen.insert(not_kept(&portal.browser_of(Who::Client(1, 1)), &path).await.status.as_u16());
    }
    assert_eq!(seen, BTreeSet::from([200, 303, 403, 404]), "pages, files, redirects, refusals");
    // Answers to forms, and the session's cookie.
    let browser = portal.browser();
    let answer = browser.sign_in("admin1@eis.example").await;
    assert!(answer.headers.contains_key("set-cookie") && answer.header("cache-control").contains("no-store"));
    let posted = portal
        .browser_of(Who::Admin(1))
        .post("/api/end_session", &[("context", &Who::Admin(1).context_token()), ("session", "others")])
        .await;
    assert!(posted.header("cache-control").contains("no-store"));
    // The positive control: what is nobody's is kept, and is the same for everybody.
    let page = portal.browser().get("/login").await;
    let sheet = page
        .body
        .split("href=\"")
        .filter_map(|rest| rest.split('"').next())
        .find(|href| href.contains(".css"))
        .unwrap()
        .to_owned();
    let (mine, theirs) = (portal.browser_of(Who::Admin(1)).get(&sheet).await, portal.browser().get(&sheet).await);
    assert!(kept(&mine) && mine.header("cache-control").contains("immutable"), "{sheet}");
    assert_eq!(mine.bytes(), theirs.bytes());
}
