//! No lost update: two people open the same form, one saves, the other is shown both versions and saves over it knowingly.

use crate::once::{form_on_page, post};
use crate::roles::{OWN, form_of};
use crate::support::database::Case;
use crate::support::http::{Browser, Portal, hidden};
use crate::support::sql::Sql;
use crate::support::world::{Kind, Who, id};
use crate::targets::{FUNCTIONS, Function, fill};

/// A form that edits: what the one types and what the other types in one of its fields, and what the row says of it.
struct Edit {
    path: &'static str,
    /// Where it stands, when not on its function's own page.
    page: &'static str,
    field: &'static str,
    typed: [&'static str; 2],
    row: &'static str,
    /// What the row says once each is saved.
    saved: [&'static str; 2],
}

const EDITS: [Edit; 11] = [
    Edit {
        path: "/api/update_customer",
        page: "",
        field: "name",
        typed: ["Their Name", "My Name"],
        row: "SELECT name FROM customers WHERE id = '{customer}'",
        saved: ["Their Name", "My Name"],
    },
    Edit {
        path: "/api/update_account",
        page: "",
        field: "billing_address",
        typed: ["Their Lane", "My Lane"],
        row: "SELECT billing_address FROM accounts WHERE id = '{account}'",
        saved: ["Their Lane", "My Lane"],
    },
    Edit {
        path: "/api/update_contract",
        page: "",
        field: "to_on",
        typed: ["2027-05-01", "2027-06-01"],
        row: "SELECT to_on FROM contracts WHERE id = '{contract}'",
        saved: ["2027-05-01", "2027-06-01"],
    },
    Edit {
        path: "/api/update_service_point",
        page: "",
        field: "grid_operator",
        typed: ["Their Grid", "My Grid"],
        row: "SELECT grid_operator FROM service_points WHERE id = '{service_point}'",
        saved: ["Their Grid", "My Grid"],
    },
    Edit {
        path: "/api/update_meter",
        page: "",
        field: "serial",
        typed: ["THEIRS-1", "MINE-1"],
        row: "SELECT serial FROM meters WHERE id = '{meter}'",
        saved: ["THEIRS-1", "MINE-1"],
    },
    Edit {
        path: "/api/update_client",
        page: "",
        field: "tax_percent",
        typed: ["21", "22"],
        row: "SELECT tax_rate * 100 FROM clients WHERE id = '{client}'",
        saved: ["21.0000", "22.0000"],
    },
    Edit {
        path: "/api/record_reading",
        page: "",
        field: "figure",
        typed: ["1153.5", "1154.5"],
        row: "SELECT figure FROM meter_readings WHERE meter_id = '{meter}' AND superseded_by IS NULL ORDER BY read_on DESC LIMIT 1",
        saved: ["1153.500", "1154.500"],
    },
    Edit {
        path: "/api/put_on_tariff",
        page: "",
        field: "tariff_code",
        typed: ["SAVER", "PLAIN"],
        row: "SELECT tariff_code FROM tariff_agreements WHERE customer_id = '{customer}' ORDER BY valid_from DESC LIMIT 1",
        saved: ["SAVER", "PLAIN"],
    },
    Edit {
        path: "/api/change_role",
        page: "",
        field: "last_day",
        typed: ["2027-01-30", "2027-01-31"],
        row: "SELECT ((valid_to - interval '1 second') AT TIME ZONE 'Europe/Berlin')::date FROM role_assignments WHERE id = '{assignment}'",
        saved: ["2027-01-30", "2027-01-31"],
    },
    Edit {
        path: "/api/narrow_role",
        page: "",
        field: "narrowed",
        typed: ["read_only", "all"],
        row: "SELECT coalesce(narrowed, 'all') FROM role_assignments WHERE id = '{assignment}'",
        saved: ["read_only", "all"],
    },
    Edit {
        path: "/api/save_tariff",
        page: "/clients/{client}/tariffs/{draft_tariff}/design",
        field: "name",
        typed: ["Their Tariff", "My Tariff"],
        row: "SELECT name FROM tariff_rates WHERE id = '{draft_tariff}'",
        saved: ["Their Tariff", "My Tariff"],
    },
];

/// Edits whose form has no field to lose: the step itself is refused when the version is another than the one shown.
const STEPS: [&str; 3] = ["/api/activate_tariff", "/api/discard_tariff", "/api/retire_tariff"];

fn function(path: &str) -> &'static Function {
    FUNCTIONS.iter().find(|function| function.path == path).unwrap()
}

#[test]
fn the_suite_tries_every_form_that_edits() {
    for function in FUNCTIONS.iter().filter(|function| function.edits) {
        let tried = EDITS.iter().any(|edit| edit.path == function.path) || STEPS.contains(&function.path);
        assert!(tried, "{} edits, and nobody saves over another's change with it", function.path);
    }
    // What changes a row and is not among them says why.
    const NOT_EDITS: [(&str, &str); 18] = [
        ("accept_invitation", "makes a login or a role"),
        ("allow_comparison", "says yes or no, and the last word counts"),
        ("approve_billing_run", "a step: refused when what was rated has changed since"),
        ("change_password", "asks for the password that is to be changed"),
        ("delete_billing_run", "a step: refused when something was issued"),
        ("delete_what_if", "deletes, and nothing is lost by another's change"),
        ("issue_billing_run", "a step: refused when what was rated has changed since"),
        ("make_reset_link", "makes a link, and the newest counts"),
        ("new_recovery_codes", "makes codes, with password and code"),
        ("offer_tariff", "says yes or no, and the last word counts"),
        ("rate_billing_run", "a step: rates anew from what is there"),
        ("reopen_billing_run", "a step: refused when something was issued"),
        ("replace_service_secret", "makes a secret, and the newest counts"),
        ("reset_password", "sets a new password by a link that works once"),
        ("revoke_invitation", "takes back, whatever the invitation says"),
        ("revoke_role", "takes back, whatever its last day is"),
        ("save_tariff", "makes a draft, or edits one: tried here with the draft's page"),
        ("stop_viewing", "ends"),
    ];
    for (name, why) in NOT_EDITS {
        assert!(FUNCTIONS.iter().any(|function| function.path == format!("/api/{name}")), "{name}: {why}");
    }
    let makes = [
        "create_",
        "read_",
        "run_",
        "see_",
        "invite_",
        "sign_",
        "step_",
        "begin_",
        "confirm_",
        "end_",
        "switch",
        "second_",
        "view_",
        "record_payment",
    ];
    for function in FUNCTIONS.iter().filter(|function| !function.edits) {
        let name = function.path.trim_start_matches("/api/");
        let told =
            NOT_EDITS.iter().any(|(known, _)| *known == name) || makes.iter().any(|start| name.starts_with(start));
        assert!(told, "{name} neither says what it saw nor why it need not");
    }
}

/// The form of an edit as its page shows it, with one field typed.
async fn opened(portal: &Portal, who: Who, edit: &Edit, typed: &str) -> Vec<(String, String)> {
    let function = Function {
        page: if edit.page.is_empty() { function(edit.path).page } else { edit.page },
        ..*function(edit.path)
    };
    let hidden = form_on_page(portal, who, &function).await;
    assert!(hidden.iter().any(|(name, value)| name == "seen" && !value.is_empty()), "{}: {hidden:?}", edit.path);
    let mut form = form_of(&function, OWN, OWN);
    form.retain(|(name, _)| name != edit.field);
    form.retain(|(name, _)| !hidden.iter().any(|(known, _)| known == name));
    form.into_iter().chain(hidden).chain([(edit.field.to_owned(), typed.to_owned())]).collect()
}

async fn row(truth: &Sql, edit: &Edit) -> String {
    truth.value(&fill(edit.row, OWN, OWN)).await
}

/// The page that a refused form leads to, and the version that its button saves over.
async fn compared(browser: &Browser, to: &str, edit: &Edit) -> (String, String) {
    let page = browser.get(to).await.body;
    for part in ["Someone changed this after you opened it", "Save mine over it", edit.typed[0], edit.typed[1]] {
        assert!(page.contains(part), "{}: {part} is not on the page: {page}", edit.path);
    }
    let button = page.split("<button").find(|button| button.contains("name=\"over\"")).unwrap();
    let version = button.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    (page, version)
}

#[tokio::test]
async fn a_save_over_another_s_change_shows_both_and_saves_over_it_when_told_so() {
    for edit in &EDITS {
        let case = Case::world().await;
        let (portal, truth) = (case.portal().await, case.superuser().await);
        truth.must(&fill(function(edit.path).ready, OWN, OWN)).await;
        if edit.path == "/api/record_reading" {
            truth
                .must(&fill(
                    "UPDATE meters SET kind = 'register', interval_minutes = NULL WHERE id = '{meter}'",
                    OWN,
                    OWN,
                ))
                .await;
        }
        let (they, me) =
            (Who::Admin(1), if function(edit.path).may.len() > 1 { Who::Client(1, 1) } else { Who::Admin(1) });
        let (theirs, mine) =
            (opened(&portal, they, edit, edit.typed[0]).await, opened(&portal, me, edit, edit.typed[1]).await);
        let (their_browser, my_browser) = (portal.browser_of(they), portal.browser_of(me));
        let saved = post(&their_browser, edit.path, &theirs).await;
        assert_eq!(
            (saved.status.as_u16(), row(&truth, edit).await.as_str()),
            (303, edit.saved[0]),
            "{} {}",
            edit.path,
            saved.location()
        );
        let refused = post(&my_browser, edit.path, &mine).await;
        assert_eq!((refused.status.as_u16(), row(&truth, edit).await.as_str()), (303, edit.saved[0]), "{}", edit.path);
        let (page, over) = compared(&my_browser, refused.location(), edit).await;
        // The same form once more is refused once more: it is the button that saves over.
        let again: Vec<_> = hidden(&page, edit.path);
        let mut form: Vec<_> =
            mine.iter().filter(|(name, _)| !again.iter().any(|(known, _)| known == name)).cloned().collect();
        form.extend(again);
        post(&my_browser, edit.path, &form).await;
        assert_eq!(row(&truth, edit).await, edit.saved[0], "{}: without the button", edit.path);
        let page = my_browser.get(refused.location()).await.body;
        let fresh = hidden(&page, edit.path).into_iter().find(|(name, _)| name == "form_id").unwrap();
        form.retain(|(name, _)| name != "form_id");
        form.extend([fresh, ("over".to_owned(), over)]);
        let done = post(&my_browser, edit.path, &form).await;
        assert_eq!(
            (done.status.as_u16(), row(&truth, edit).await.as_str()),
            (303, edit.saved[1]),
            "{} {}",
            edit.path,
            done.location()
        );
    }
}

#[tokio::test]
async fn of_two_saves_at_the_same_instant_one_is_refused() {
    for edit in &EDITS {
        let case = Case::world().await;
        let (portal, truth) = (case.portal().await, case.superuser().await);
        truth.must(&fill(function(edit.path).ready, OWN, OWN)).await;
        let me = Who::Admin(1);
        let forms = [opened(&portal, me, edit, edit.typed[0]).await, opened(&portal, me, edit, edit.typed[1]).await];
        let (one, other) = (portal.browser_of(me), portal.browser_of(me));
        let records = "SELECT count(*) FROM audit_log";
        let before = truth.count(records).await;
        tokio::join!(post(&one, edit.path, &forms[0]), post(&other, edit.path, &forms[1]));
        assert_eq!(truth.count(records).await, before + 1, "{}", edit.path);
        let there = row(&truth, edit).await;
        assert!(edit.saved.contains(&there.as_str()), "{}: {there}", edit.path);
    }
}

#[tokio::test]
async fn a_draft_that_somebody_changed_is_neither_activated_nor_discarded_unseen() {
    for path in ["/api/activate_tariff", "/api/discard_tariff"] {
        let case = Case::world().await;
        let (portal, truth, me) = (case.portal().await, case.superuser().await, Who::Client(1, 1));
        let form = form_on_page(&portal, me, function(path)).await;
        let draft = id(Kind::Tariff, 1, 1, 0, 2);
        truth.must(&format!("UPDATE tariff_rates SET effective_from = '2026-02-01' WHERE id = '{draft}'")).await;
        let browser = portal.browser_of(me);
        let answer = post(&browser, path, &form).await;
        let page = browser.get(answer.location()).await.body;
        assert!(page.contains("someone changed this version meanwhile"), "{path}: {page}");
        assert_eq!(truth.value(&format!("SELECT status FROM tariff_rates WHERE id = '{draft}'")).await, "draft");
    }
}

#[tokio::test]
async fn an_edit_that_does_not_say_what_it_saw_is_refused() {
    let case = Case::world().await;
    let (portal, truth, me) = (case.portal().await, case.superuser().await, Who::Client(1, 1));
    let browser = portal.browser_of(me);
    for edit in EDITS.iter().filter(|edit| edit.path != "/api/update_client" && edit.path != "/api/record_reading") {
        let mut form = opened(&portal, me, edit, edit.typed[1]).await;
        form.retain(|(name, _)| name != "seen");
        let before = truth.count("SELECT count(*) FROM audit_log").await;
        post(&browser, edit.path, &form).await;
        assert_eq!(truth.count("SELECT count(*) FROM audit_log").await, before, "{}", edit.path);
    }
}
