//! Attack 73: an invitation's page tells nobody whether its address has a login here already.

use crate::support::database::Case;
use crate::support::http::{Answer, Browser, Portal};
use crate::support::sql::Sql;
use crate::support::world::{DIGEST, PASSWORD, SALT, Who, client};

/// Of the same length, so that nothing tells them apart by it.
const NEW: &str = "somebody211@eis.example";
const WEAK: &str = "short";

/// The address of a link for somebody as client admin.
async fn link(app: &Sql, email: &str) -> String {
    app.enter(Who::Admin(1)).await;
    let invite = format!(
        "SELECT invite(gen_random_uuid(), '{email}', 'Invited Person', 'client_admin', '{}', NULL, 14)",
        client(1, 1)
    );
    let token = app.value(&invite).await;
    app.must("COMMIT").await;
    format!("/invitation/{}", token.trim_start_matches("\\x"))
}

/// An answer without what the link itself says: its token and its address.
fn alike(answer: &Answer, path: &str, email: &str) -> String {
    let token = path.rsplit('/').next().unwrap();
    answer.bytes().replace(token, "TOKEN").replace(email, "EMAIL")
}

async fn send(browser: &Browser, path: &str, name: &str, password: &str, again: &str) -> Answer {
    let token = path.rsplit('/').next().unwrap();
    let form = [("token", token), ("page", path), ("name", name), ("password", password), ("again_password", again)];
    browser.post("/api/accept_invitation", &form).await
}

#[tokio::test]
async fn who_is_signed_in_is_told_how_the_invitation_stands_to_that() {
    let case = Case::world().await;
    let (portal, app) = (case.portal().await, case.app().await);
    let me = Who::Customer(2, 1, 1);
    let (mine, theirs) = (link(&app, &me.email()).await, link(&app, NEW).await);
    let browser = portal.browser_of(me);
    let other = browser.get(&theirs).await.body;
    assert!(other.contains(&format!("You are signed in as {}", me.email())), "{other}");
    assert!(browser.get(&mine).await.body.contains("You are signed in with this address."));
    assert!(!portal.browser().get(&mine).await.body.contains("You are signed in"), "and nobody else is");
    assert_eq!(send(&browser, &mine, "Invited Person", PASSWORD, "").await.location(), "/login");
    assert!(browser.get("/switch").await.body.contains("open it by Switch organisation"), "how to use the role");
}

/// What both people get, compared: the page, and what is said of passwords that let nobody in.
async fn compare(portal: &Portal, known: (&str, &str), new: (&str, &str)) {
    let (one, other) = (portal.browser(), portal.browser());
    let pages = (one.get(known.0).await, other.get(new.0).await);
    assert_eq!(alike(&pages.0, known.0, known.1), alike(&pages.1, new.0, new.1), "before anything is typed");
    assert!(pages.0.body.contains("If you sign in here already"), "{}", pages.0.body);
    for (name, password, again) in [
        ("Invited Person", WEAK, ""),
        ("Invited Person", WEAK, WEAK),
        ("Invited Person", "aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa"),
        ("Invited Person", "a quiet heron by the weir", "another heron by the weir"),
        ("Invited Person", "a quiet heron by the weir", ""),
        ("", WEAK, ""),
        ("Invited Person", "", ""),
    ] {
        let sent = (send(&one, known.0, name, password, again).await, send(&other, new.0, name, password, again).await);
        assert_eq!(alike(&sent.0, known.0, known.1), alike(&sent.1, new.0, new.1), "{name:?} {password:?} {again:?}");
        let shown = (one.get(known.0).await, other.get(new.0).await);
        assert_eq!(alike(&shown.0, known.0, known.1), alike(&shown.1, new.0, new.1), "{name:?} {password:?} {again:?}");
        let told = if name.is_empty() { "your name" } else { "If you have a login here, this is not its password." };
        assert!(shown.0.body.contains(told), "{name:?} {password:?} {again:?}: {}", shown.0.body);
    }
}

#[tokio::test]
async fn attack_73_the_page_of_a_link_does_not_tell_who_has_a_login() {
    let case = Case::world().await;
    let (portal, app, truth) = (case.portal().await, case.app().await, case.superuser().await);
    // Known by a login in another organization.
    let known = Who::Customer(2, 1, 1).email();
    let (theirs, fresh) = (link(&app, &known).await, link(&app, NEW).await);
    compare(&portal, (&theirs, &known), (&fresh, NEW)).await;
    let told = app
        .rows(&format!("SELECT * FROM invitation_by_token('\\x{}')", theirs.rsplit('/').next().unwrap()))
        .await
        .unwrap();
    assert_eq!(told[0].len(), 5, "address, name, role, organization, client: {told:?}");
    // What was tried counted for both alike, and nobody was made.
    let tried = "SELECT count(*) FROM sign_ins WHERE outcome = 'wrong' AND account = sha256(convert_to('{}', 'UTF8'))";
    let (one, other) = (truth.count(&tried.replace("{}", &known)).await, truth.count(&tried.replace("{}", NEW)).await);
    assert_eq!((one, other), (6, 6));
    assert_eq!(truth.count(&format!("SELECT count(*) FROM users WHERE email = '{NEW}'")).await, 0);
    // The positive control: the known person's password, once; a new one's choice, twice.
    let (kim, nina) = (portal.browser(), portal.browser());
    assert_eq!(send(&kim, &theirs, "Invited Person", PASSWORD, "").await.location(), "/login");
    assert_eq!(
        send(&nina, &fresh, "Nina New", "a quiet heron by the weir", "a quiet heron by the weir").await.location(),
        "/login"
    );
    let made = format!("SELECT name FROM users WHERE email = '{NEW}'");
    assert_eq!(truth.value(&made).await, "Nina New");
    let left = truth.count("SELECT count(*) FROM sign_ins WHERE outcome = 'entered'").await;
    assert_eq!(left, 0, "what was right gives its count back, also where it made the login");
    for (browser, email, password) in [(&kim, known.as_str(), PASSWORD), (&nina, NEW, "a quiet heron by the weir")] {
        let form = [("page", "/login"), ("email", email), ("password", password)];
        assert_ne!(browser.post("/api/sign_in", &form).await.location(), "/login", "{email} signs in");
    }
    // Spent links are all alike.
    let (spent, unknown) = (kim.get(&theirs).await, kim.get(&format!("/invitation/{}", "0".repeat(64))).await);
    assert_eq!(alike(&spent, &theirs, &known), alike(&unknown, &format!("/invitation/{}", "0".repeat(64)), &known));
}

/// The limit on attempts is met alike, and beyond it no login is made.
#[tokio::test]
async fn attack_73_the_limit_on_attempts_does_not_tell_either() {
    let case = Case::world().await;
    let (portal, app, truth) = (case.portal().await, case.app().await, case.superuser().await);
    let known = Who::Customer(2, 1, 1).email();
    let links = [(link(&app, &known).await, known.as_str()), (link(&app, NEW).await, NEW)];
    let mut shown = Vec::new();
    for (path, email) in &links {
        let browser = portal.browser();
        for _ in 0..10 {
            send(&browser, path, "Invited Person", WEAK, WEAK).await;
        }
        let sent = send(&browser, path, "Invited Person", PASSWORD, PASSWORD).await;
        assert_eq!(sent.location(), path, "limited, also with what would be right");
        let page = browser.get(path).await;
        assert!(page.body.contains("Too many"), "{}", page.body);
        // The minutes that are left may differ by the time between the two.
        let words: String = alike(&page, path, email).chars().filter(|c| !c.is_ascii_digit()).collect();
        shown.push(words.replace("minutes", "minute"));
    }
    assert_eq!(shown[0], shown[1]);
    // The database says so itself, whoever asks.
    for (path, _) in &links {
        let accept = format!(
            "SELECT accept_invitation('\\x{}', gen_random_uuid(), gen_random_uuid(), 'X', '{SALT}', '\\x{}', '127.0.0.1', true)",
            path.rsplit('/').next().unwrap(),
            DIGEST.trim()
        );
        assert_eq!(app.value(&accept).await, "limited");
    }
    assert_eq!(truth.count(&format!("SELECT count(*) FROM users WHERE email = '{NEW}'")).await, 0);
}
