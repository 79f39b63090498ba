//! The second half of `make mutate`: every guard of every page and server function made to do nothing, one at a time,
//! and the role walk of attack 52 must notice: a refusal becomes something else. Where nothing changes, the
//! database refuses by itself, and that is said. What a guard alone holds is shown by what was written or opened.

use std::collections::BTreeMap;

use axum::http::Method;
use portal::server::functions::IN_ANY_CONTEXT;
use portal::server::guards::{Guard, switch};

use crate::roles::{OWN, Tally, call, form_of, send_upload, targets, try_page, try_refusals, try_uploads};
use crate::support::database::Case;
use crate::support::http::{Answer, Portal};
use crate::support::sources::web;
use crate::support::world::{Who, organization};
use crate::targets::{FUNCTIONS, Function, PAGES, Page, Place, UPLOADS, fill};
use crate::writes::fingerprint;

/// What a guard that does nothing led to.
#[derive(Debug, Default, Clone, Copy)]
struct Row {
    mutated: usize,
    seen: usize,
    opened: usize,
    wrote: usize,
    database: usize,
}

/// The walk of one page: everybody, at own and foreign places; somebody who has chosen no role, staff with no
/// organization open, and an organization that is suspended.
async fn walk_page(portal: &Portal, suspended: &Portal, tally: &mut Tally, page: Page) {
    for who in Who::ROLES {
        try_page(portal, tally, who, page).await;
    }
    let own = fill(page.path, OWN, OWN);
    if page.place != Place::Staff {
        crate::roles::staff_nowhere(portal, tally, page).await;
    }
    let nowhere = portal.browser_of(Who::Consultant(0)).get(&own).await;
    tally.leads(&format!("nothing chosen {own}"), &nowhere, "/switch");
    for who in Who::ROLES.into_iter().filter(|who| page.opens.contains(&who.role()) && !matches!(who, Who::Staff(_))) {
        let answer = suspended.browser_of(who).get(&own).await;
        tally.expect(&format!("suspended {who:?} {own}"), &answer, 403);
        if !answer.body.contains("suspended") {
            tally.faults.push(format!("suspended {who:?} {own}: not told so"));
        }
    }
}

/// A function's form, rendered under a context.
async fn send_form(portal: &Portal, who: Who, function: &Function, context: &str) -> Answer {
    let filled = form_of(function, OWN, OWN);
    let mut fields = vec![("context", context)];
    fields.extend(filled.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    portal.browser_of(who).post(function.path, &fields).await
}

async fn walk_function(portal: &Portal, suspended: &Portal, tally: &mut Tally, function: &Function) {
    try_refusals(portal, tally, function).await;
    let nowhere = send_form(portal, Who::Consultant(0), function, ".").await;
    tally.leads(&format!("nothing chosen {}", function.path), &nowhere, "/switch");
    if function.may.contains(&eis::access::Role::EisStaff) || function.place == Place::Client {
        let answer = call(portal, Who::Staff(0), function, OWN, OWN).await;
        let refused = answer.status == 403 || answer.location() == "/staff/organizations";
        if !refused {
            tally.faults.push(format!("staff nowhere {}: {} {}", function.path, answer.status, answer.location()));
        }
    }
    for who in Who::ROLES.into_iter().filter(|who| function.may.contains(&who.role()) && !matches!(who, Who::Staff(_)))
    {
        // Under the context that is open, so that nothing but the guard is met.
        let answer = send_form(suspended, who, function, &format!("{}.", who.assignment())).await;
        tally.expect(&format!("suspended {who:?} {}", function.path), &answer, 403);
    }
}

/// A request that no page of ours sent, and a form of another context: each must be refused.
async fn walk_forgery(portal: &Portal, tally: &mut Tally, function: &Function) {
    let who = Who::ROLES.into_iter().find(|who| function.may.contains(&who.role())).unwrap();
    let browser = portal.browser_of(who);
    let filled = form_of(function, OWN, OWN);
    let fields = |context: &str| {
        let mut fields = vec![("context".to_owned(), context.to_owned())];
        fields.extend(filled.clone());
        serde_urlencoded::to_string(fields).unwrap()
    };
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let ours = [kind, ("sec-fetch-site", "same-origin")];
    let theirs = [kind, ("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
    let other = Who::Consultant(2).context_token();
    let answer = browser.send(Method::POST, function.path, &ours, fields(&other)).await;
    let expected = if IN_ANY_CONTEXT.contains(&function.path) { 303 } else { 409 };
    tally.expect(&format!("another context's form {}", function.path), &answer, expected);
    let answer = browser.send(Method::POST, function.path, &theirs, fields(&who.context_token())).await;
    tally.expect(&format!("forged {}", function.path), &answer, 403);
}

/// A world and a second one whose first organization is suspended.
struct Worlds {
    case: Case,
    closed: Case,
    portal: Portal,
    suspended: Portal,
    before: String,
}

impl Worlds {
    async fn new() -> Self {
        let (case, closed) = (Case::world().await, Case::world().await);
        let suspend = format!("UPDATE organizations SET status = 'suspended' WHERE id = '{}'", organization(1));
        assert_eq!(closed.superuser().await.must(&suspend).await, 1);
        let (portal, suspended) = (case.portal().await, closed.portal().await);
        let before = Self::prints(&case, &closed).await;
        Self { case, closed, portal, suspended, before }
    }

    async fn prints(case: &Case, closed: &Case) -> String {
        fingerprint(&case.superuser().await).await + &fingerprint(&closed.superuser().await).await
    }

    /// Tables that are no longer as they were.
    async fn written(&self) -> Vec<String> {
        let now = Self::prints(&self.case, &self.closed).await;
        let changed = now.lines().zip(self.before.lines()).filter(|(now, before)| now != before);
        changed.map(|(now, _)| now.split(' ').next().unwrap_or_default().replace("public.", "")).collect()
    }
}

/// Something that a guard stands before.
#[derive(Debug, Clone, Copy)]
enum Target {
    Page(&'static Page),
    Function(&'static Function),
    Upload,
}

impl Target {
    fn all() -> Vec<Self> {
        let guarded = |place: Place| !matches!(place, Place::Public | Place::SignedIn);
        let pages = PAGES.iter().filter(|page| guarded(page.place)).map(Self::Page);
        let functions = FUNCTIONS.iter().filter(|function| function.done != "-").map(Self::Function);
        assert_eq!(functions.clone().count(), targets().count());
        assert_eq!(UPLOADS.len(), 1);
        pages.chain(functions).chain([Self::Upload]).collect()
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Page(page) => page.path,
            Self::Function(function) => function.path,
            Self::Upload => "POST /clients/{client}/imports",
        }
    }

    const fn place(self) -> Place {
        match self {
            Self::Page(page) => page.place,
            Self::Function(function) => function.place,
            Self::Upload => Place::Client,
        }
    }

    fn guards(self) -> &'static [Guard] {
        match (self, self.place()) {
            (Self::Function(function), Place::SignedIn) if IN_ANY_CONTEXT.contains(&function.path) => {
                &[Guard::SameOrigin]
            }
            (Self::Function(_), Place::SignedIn) => &[Guard::SameOrigin, Guard::SameContext],
            (Self::Function(_) | Self::Upload, Place::Client) => &[
                Guard::Permission,
                Guard::Client,
                Guard::Role,
                Guard::Organization,
                Guard::Suspended,
                Guard::SameOrigin,
                Guard::SameContext,
            ],
            (Self::Function(_), _) => &[
                Guard::Permission,
                Guard::Role,
                Guard::Organization,
                Guard::Suspended,
                Guard::SameOrigin,
                Guard::SameContext,
            ],
            (_, Place::Client) => {
                &[Guard::Permission, Guard::Client, Guard::Role, Guard::Organization, Guard::Suspended]
            }
            _ => &[Guard::Permission, Guard::Role, Guard::Organization, Guard::Suspended],
        }
    }

    async fn walk(self, worlds: &Worlds, tally: &mut Tally) {
        match self {
            Self::Page(page) => walk_page(&worlds.portal, &worlds.suspended, tally, *page).await,
            Self::Function(function) => {
                if function.place != Place::SignedIn {
                    walk_function(&worlds.portal, &worlds.suspended, tally, function).await;
                }
                walk_forgery(&worlds.portal, tally, function).await;
            }
            Self::Upload => {
                try_uploads(&worlds.portal, tally).await;
                let to = fill(UPLOADS[0].0, OWN, OWN);
                let nowhere = send_upload(&worlds.portal, Who::Consultant(0), &to, ".").await;
                tally.leads("nothing chosen, upload", &nowhere, "/switch");
                let nowhere = send_upload(&worlds.portal, Who::Staff(0), &to, &Who::Staff(0).context_token()).await;
                tally.refused("staff nowhere, upload", &nowhere);
                let open = format!("{}.", Who::Client(1, 1).assignment());
                let closed = send_upload(&worlds.suspended, Who::Client(1, 1), &to, &open).await;
                tally.expect("suspended, upload", &closed, 403);
            }
        }
    }
}

#[tokio::test]
#[ignore = "minutes: make mutate"]
async fn every_guard_of_the_web_is_missed_or_the_database_holds() {
    let mut worlds = Worlds::new().await;
    let mut table: BTreeMap<String, Row> = BTreeMap::new();
    let (mut untried, mut only_line) = (Vec::new(), Vec::new());
    let chosen = std::env::var("EIS_TEST_TARGET").unwrap_or_default();
    for target in Target::all().into_iter().filter(|target| target.name().contains(&chosen)) {
        let mut whole = Tally::new();
        target.walk(&worlds, &mut whole).await;
        assert!(
            whole.faults.is_empty() && worlds.written().await.is_empty(),
            "the guards as they are: {:#?}",
            whole.faults
        );
        for guard in target.guards() {
            let mut tally = Tally::new();
            switch::off(Some(*guard));
            target.walk(&worlds, &mut tally).await;
            let let_through = switch::let_through();
            switch::off(None);
            let tables = worlds.written().await;
            let wrote = !tables.is_empty();
            if let_through == 0 {
                untried.push(format!("{guard:?} {}", target.name()));
                continue;
            }
            let row = table.entry(format!("{guard:?}")).or_default();
            row.mutated += 1;
            row.seen += usize::from(!tally.faults.is_empty());
            row.opened += usize::from(tally.opened > 0);
            row.wrote += usize::from(wrote);
            row.database += usize::from(tally.faults.is_empty() && !wrote);
            if wrote {
                only_line.push(format!("{guard:?} {}: {}", target.name(), tables.join(", ")));
                assert!(!tally.faults.is_empty(), "written and not seen: {guard:?} {}", target.name());
                worlds = Worlds::new().await;
            }
        }
    }
    println!(
        "{:<14} {:>8} {:>12} {:>13} {:>10} {:>16}",
        "guard", "mutated", "walk saw it", "a page opened", "rows made", "database holds"
    );
    for (guard, row) in &table {
        println!(
            "{guard:<14} {:>8} {:>12} {:>13} {:>10} {:>16}",
            row.mutated, row.seen, row.opened, row.wrote, row.database
        );
    }
    println!("The guard alone keeps rows from being written: {only_line:#?}");
    println!("Never let anything through (another guard stands before): {untried:#?}");
    if !chosen.is_empty() {
        return;
    }
    let tried = |guard: &str| table.get(guard).map_or(0, |row| row.mutated);
    let guarded = Target::all().into_iter().filter(|target| target.place() != Place::SignedIn).count();
    let of_clients = Target::all().into_iter().filter(|target| target.place() == Place::Client).count();
    assert_eq!(tried("Permission"), guarded, "every page and function asks for a permission");
    assert_eq!(tried("Client"), of_clients, "every page and function of a client asks for that client");
}

/// The attack that each guard of the door is held against.
fn attack_on(guard: Guard) -> fn() {
    use crate::door::{names, slow};
    use crate::{fairness, passwords};
    match guard {
        Guard::HalfHeads | Guard::Idle => slow::attack_69_half_heads_and_idle_connections,
        Guard::HalfBodies => slow::attack_69_half_bodies,
        Guard::Unread => slow::attack_69_answers_that_nobody_reads,
        Guard::OfOneAddress => slow::attack_69_when_all_of_one_address_are_being_answered,
        Guard::Connections => slow::attack_69_when_all_are_being_answered,
        Guard::ForeignHost => names::attack_84_foreign_hosts,
        Guard::OneHost => names::attack_86_double_and_missing_hosts,
        Guard::Digests => passwords::attack_77_digests_without_end,
        Guard::OfSession => fairness::attack_72_a_session_with_too_many_requests_is_told_at_once_and_another_is_not,
        other => panic!("{other:?} is the role walk's"),
    }
}

/// Whether an attack finds something wrong; one that waits for what never comes has found it.
fn notices(attack: fn()) -> bool {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        attack();
        let _ = tell.send(());
    });
    told.recv_timeout(std::time::Duration::from_secs(120)).is_err()
}

#[test]
#[ignore = "minutes: make mutate"]
fn every_guard_of_the_door_is_missed() {
    for guard in Guard::OF_THE_DOOR {
        let attack = attack_on(guard);
        assert!(!notices(attack), "{guard:?} as it is");
        switch::off(Some(guard));
        let noticed = notices(attack);
        let let_through = switch::let_through();
        switch::off(None);
        println!("{guard:?}: let {let_through} through, noticed: {noticed}");
        assert!(let_through > 0 && noticed, "{guard:?} does nothing, and its attack finds nothing wrong");
    }
}

/// The switch stands in development builds alone: nothing but a test of the same process can reach it.
#[test]
fn a_release_build_has_no_switch() {
    let manifest = include_str!("../../../Cargo.toml");
    let release = manifest.split("[profile.release]").nth(1).unwrap();
    assert!(!release.contains("debug-assertions"), "the release profile would build the switch");
    let source = include_str!("../../src/server/guards.rs");
    assert!(source.contains("#[cfg(not(debug_assertions))]\n#[must_use]\npub const fn refuses(_: Guard, wrong: bool) -> bool {\n    wrong\n}"));
    assert!(source.contains("#[cfg(debug_assertions)]\npub mod switch"));
    assert!(!source.contains("env::"), "no variable reaches the switch");
    for path in web().iter().filter(|path| !path.ends_with("server/guards.rs")) {
        assert!(!std::fs::read_to_string(path).unwrap().contains("guards::switch"), "{path:?} uses the switch");
    }
}
