//! Twice is once: every form of the portal sent twice, one after the other and both at once.

use crate::DENIED;
use crate::roles::{OWN, form_of};
use crate::support::database::Case;
use crate::support::http::{Answer, Browser, Portal, file_form, hidden};
use crate::support::sql::open;
use crate::support::world::Who;
use crate::targets::{FUNCTIONS, Function, fill};
use crate::writes::fingerprint;

/// The hidden field that holds a form's own id.
const ID: &str = "form_id";

/// The hidden pairs of a function's form as its own page shows it.
pub async fn form_on_page(portal: &Portal, who: Who, function: &Function) -> Vec<(String, String)> {
    let page = portal.browser_of(who).get(&fill(function.page, OWN, OWN)).await;
    hidden(&page.body, function.path)
}

/// A form as its page makes it, with what is typed into it.
fn filled(hidden: Vec<(String, String)>, typed: Vec<(String, String)>) -> Vec<(String, String)> {
    let typed_over = |name: &str| typed.iter().any(|(other, _)| other == name);
    let kept: Vec<_> = hidden.into_iter().filter(|(name, _)| !typed_over(name)).collect();
    kept.into_iter().chain(typed).collect()
}

pub async fn post(browser: &Browser, path: &str, form: &[(String, String)]) -> Answer {
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post(path, &form).await
}

/// What the next page says was done.
async fn said(browser: &Browser, answer: &Answer) -> String {
    let page = browser.get(answer.location()).await.body;
    let told = page.split("data-flash").nth(1).and_then(|rest| rest.split("<p>").nth(1));
    told.and_then(|rest| rest.split('<').next()).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn every_form_carries_an_id_of_its_own_and_those_that_edit_say_what_they_saw() {
    let mut faults = vec![];
    for function in FUNCTIONS.iter().filter(|function| function.done != "-") {
        let Some(who) = Who::ROLES.into_iter().find(|who| function.may.contains(&who.role())) else { continue };
        let case = Case::world().await;
        if !function.ready.is_empty() {
            case.superuser().await.must(&fill(function.ready, OWN, OWN)).await;
        }
        let portal = case.portal().await;
        let form = form_on_page(&portal, who, function).await;
        let value = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        if value(ID).is_none_or(|id| id.parse::<uuid::Uuid>().is_err()) {
            faults.push(format!("{}: no form with an id on {}: {form:?}", function.path, function.page));
        }
        if function.edits && value("seen").is_none_or(str::is_empty) {
            faults.push(format!("{}: what it saw: {:?}", function.path, value("seen")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Sends a function's form twice, as its page makes it, and tells what is wrong.
async fn twice(who: Who, function: &Function) -> Option<String> {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    if !function.ready.is_empty() {
        truth.must(&fill(function.ready, OWN, OWN)).await;
    }
    let mut hidden = form_on_page(&portal, who, function).await;
    if hidden.is_empty() {
        let id = uuid::Uuid::now_v7().to_string();
        hidden = vec![("context".to_owned(), who.context_token()), (ID.to_owned(), id)];
    }
    let form = filled(hidden, form_of(function, OWN, OWN));
    let browser = portal.browser_of(who);
    let first = post(&browser, function.path, &form).await;
    let done = fingerprint(&truth).await;
    let second = post(&browser, function.path, &form).await;
    let wrong = |what: &str| Some(format!("{who:?} {}: {what}", function.path));
    if first.status != 303 || !first.location().starts_with(&fill(function.done, OWN, OWN)) {
        return wrong(&format!("not done: {} {}", first.status, first.location()));
    }
    if (second.status, second.location()) != (first.status, first.location()) {
        return wrong(&format!("{} {}, then {} {}", first.status, first.location(), second.status, second.location()));
    }
    if fingerprint(&truth).await != done {
        return wrong("the second wrote something");
    }
    None
}

#[tokio::test]
async fn every_form_sent_twice_is_done_once_and_answered_alike() {
    // A text read into a form that is still to be sent keeps nothing.
    let functions = FUNCTIONS.iter().filter(|function| function.done != "-");
    let mut faults = vec![];
    for function in functions {
        let Some(who) = Who::ROLES.into_iter().find(|who| function.may.contains(&who.role())) else { continue };
        faults.extend(twice(who, function).await);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn function(path: &str) -> &'static Function {
    FUNCTIONS.iter().find(|function| function.path == path).unwrap()
}

#[tokio::test]
async fn the_second_is_told_what_the_first_was_told() {
    let case = Case::world().await;
    let (portal, me) = (case.portal().await, Who::Client(1, 1));
    let browser = portal.browser_of(me);
    let create = function("/api/create_customer");
    let form = filled(form_on_page(&portal, me, create).await, form_of(create, OWN, OWN));
    let first = post(&browser, create.path, &form).await;
    let told = said(&browser, &first).await;
    assert!(told.starts_with("Customer created"), "{told}");
    let second = post(&browser, create.path, &form).await;
    assert_eq!(said(&browser, &second).await, told);
}

#[tokio::test]
async fn two_forms_alike_at_the_same_instant_make_one_row_and_get_one_answer() {
    for path in
        ["/api/create_customer", "/api/create_meter", "/api/record_payment", "/api/invite_user", "/api/create_what_if"]
    {
        let case = Case::world().await;
        let (portal, truth, me) = (case.portal().await, case.superuser().await, Who::Client(1, 1));
        let create = function(path);
        let form = filled(form_on_page(&portal, me, create).await, form_of(create, OWN, OWN));
        let (one, other) = (portal.browser_of(me), portal.browser_of(me));
        // A new customer's first service point is on record beside it.
        let records = "SELECT count(*) FROM audit_log WHERE entity <> 'service_point'";
        let before = truth.count(records).await;
        let (first, second) = tokio::join!(post(&one, path, &form), post(&other, path, &form));
        assert_eq!((first.status.as_u16(), first.location()), (303, second.location()), "{path}: {}", second.status);
        assert!(first.location().starts_with(&fill(create.done, OWN, OWN)), "{path}: {}", first.location());
        assert_eq!(truth.count(records).await, before + 1, "{path}");
    }
}

#[tokio::test]
async fn the_same_form_with_something_else_in_it_is_asked_about() {
    let case = Case::world().await;
    let (portal, truth, me) = (case.portal().await, case.superuser().await, Who::Client(1, 1));
    let browser = portal.browser_of(me);
    let create = function("/api/create_customer");
    let mut form = filled(form_on_page(&portal, me, create).await, form_of(create, OWN, OWN));
    post(&browser, create.path, &form).await;
    let named = form.iter_mut().find(|(name, _)| name == "account_number").unwrap();
    named.1 = "ANOTHER".to_owned();
    let answer = post(&browser, create.path, &form).await;
    let page = browser.get(answer.location()).await.body;
    assert!(page.contains("was sent before with something else in it") && page.contains("ANOTHER"), "{page}");
    assert_eq!(truth.count("SELECT count(*) FROM accounts WHERE account_number = 'ANOTHER'").await, 0);
    // Its page made a form of its own: sent from there, it is done.
    let again = filled(hidden(&page, create.path), form_of(create, OWN, OWN));
    let again: Vec<_> = again
        .into_iter()
        .map(|(name, value)| if value == "NEW" { (name, "ANOTHER".to_owned()) } else { (name, value) })
        .collect();
    post(&browser, create.path, &again).await;
    assert_eq!(truth.count("SELECT count(*) FROM accounts WHERE account_number = 'ANOTHER'").await, 1);
}

#[tokio::test]
async fn two_payments_alike_at_the_same_instant_ask_as_two_in_turn_do() {
    for at_once in [false, true] {
        let case = Case::world().await;
        let (portal, truth, me) = (case.portal().await, case.superuser().await, Who::Client(1, 1));
        let record = function("/api/record_payment");
        let mut forms = vec![];
        for key in ["01936f00-0000-7000-8000-00000000000a", "01936f00-0000-7000-8000-00000000000b"] {
            let mut typed = form_of(record, OWN, OWN);
            typed.iter_mut().find(|(name, _)| name == "key").unwrap().1 = key.to_owned();
            forms.push(filled(form_on_page(&portal, me, record).await, typed));
        }
        let (one, other) = (portal.browser_of(me), portal.browser_of(me));
        if at_once {
            tokio::join!(post(&one, record.path, &forms[0]), post(&other, record.path, &forms[1]));
        } else {
            post(&one, record.path, &forms[0]).await;
            post(&other, record.path, &forms[1]).await;
        }
        assert_eq!(truth.count("SELECT count(*) FROM payments WHERE amount = 5").await, 1, "{at_once}");
        let page = one.get(&fill(record.page, OWN, OWN)).await.body;
        assert!(page.contains("The same payment is recorded already"), "{at_once}: the other one is asked about");
    }
}

#[tokio::test]
async fn a_file_sent_twice_is_imported_once_in_turn_and_at_once() {
    const FILE: &str = "interval_start,kwh\r\n2026-11-02T00:00:00+01:00,0.5\r\n2026-11-02T01:00:00+01:00,0.5";
    for at_once in [false, true] {
        let case = Case::world().await;
        let (portal, truth, me) = (case.portal().await, case.superuser().await, Who::Client(1, 1));
        let (one, other) = (portal.browser_of(me), portal.browser_of(me));
        let path = fill("/clients/{client}/imports", OWN, OWN);
        let made = hidden(&one.get(&format!("{path}/new")).await.body, &path);
        let id = &made.iter().find(|(name, _)| name == ID).unwrap().1;
        let form = file_form(&me.context_token(), "M-1", FILE);
        let serial = "--edge\r\ncontent-disposition: form-data; name=\"serial\"";
        let with_id = format!("--edge\r\ncontent-disposition: form-data; name=\"{ID}\"\r\n\r\n{id}\r\n{serial}");
        let form = form.replacen(serial, &with_id, 1);
        let send = async |browser: &Browser| browser.upload_from("same-origin", &path, form.clone()).await;
        let before = truth.count("SELECT count(*) FROM imports").await;
        let (first, second) =
            if at_once { tokio::join!(send(&one), send(&other)) } else { (send(&one).await, send(&other).await) };
        assert_eq!((first.status.as_u16(), first.location()), (303, second.location()), "{at_once}: {}", first.body);
        assert!(first.location().starts_with(&path), "{at_once}: {}", first.location());
        assert_eq!(truth.count("SELECT count(*) FROM imports").await, before + 1, "{at_once}");
    }
}

#[tokio::test]
async fn money_is_received_neither_tomorrow_nor_in_another_age() {
    let case = Case::world().await;
    let (portal, truth, me) = (case.portal().await, case.superuser().await, Who::Client(1, 1));
    let record = function("/api/record_payment");
    let browser = portal.browser_of(me);
    for (day, wrong) in [("2099-01-01", "not in the future"), ("1926-11-01", "is the year right?")] {
        let mut typed = form_of(record, OWN, OWN);
        typed.iter_mut().find(|(name, _)| name == "received_on").unwrap().1 = day.to_owned();
        let form = filled(form_on_page(&portal, me, record).await, typed);
        let answer = post(&browser, record.path, &form).await;
        assert!(browser.get(answer.location()).await.body.contains(wrong), "{day}");
    }
    assert_eq!(truth.count("SELECT count(*) FROM payments WHERE amount = 5").await, 0);
}

#[tokio::test]
async fn a_sent_form_is_its_sender_s_alone_and_its_answer_is_kept_once() {
    let case = Case::world().await;
    let app = case.app().await;
    let form = "01936f00-0000-7000-8000-00000000000c";
    let send = |digest: char| {
        format!(
            "SELECT fresh || ' ' || alike || coalesce(' ' || location, '') FROM send_form('{form}', decode(repeat('{digest}', 64), 'hex'))"
        )
    };
    let (mine, theirs) = (open(Who::Client(1, 1)), open(Who::Client(1, 2)));
    app.must(&format!("BEGIN; {mine}")).await;
    assert_eq!(app.value(&send('a')).await, "true true");
    assert_eq!(app.value(&format!("SELECT answer_form('{form}', '/clients', 'Done.')")).await, "t");
    assert_eq!(app.value(&format!("SELECT answer_form('{form}', '/else', 'Done.')")).await, "f", "once");
    app.must("COMMIT").await;
    for (context, digest, found) in
        [(&mine, 'a', "false true /clients"), (&mine, 'b', "false false"), (&theirs, 'a', "true true")]
    {
        app.must(&format!("BEGIN; {context}")).await;
        assert_eq!(app.value(&send(digest)).await, found);
        app.leave().await;
    }
    app.must(&format!("BEGIN; {theirs}")).await;
    assert_eq!(app.value(&format!("SELECT answer_form('{form}', '/theirs', '')")).await, "f", "not theirs");
    app.leave().await;
    assert_eq!(app.refused("SELECT * FROM sent_forms").await, DENIED);
    assert!(app.rows(&send('a')).await.is_err(), "nobody sends without a context");
}
