//! The frame of a signed-in page: header, navigation, flash.

use axum::response::Html;
use chrono::Duration;
use eis::access::{Actor, Permission, Role};
use eis::values::clock;
use eis::values::ids::ClientId;
use leptos::prelude::*;

use crate::components::render::{render, written};
use crate::components::{Brand, Crumb, Document, Flash, Frame, NavItem, Shell, ViewingBar};
use crate::format::{self, Locale, hue_of};
use crate::server::ctx::Ctx;
use crate::server::paths;

/// The client whose pages are open, for the header and the navigation.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The client; `None` on the organization's own pages.
    pub client: Option<ClientId>,
    /// Its name.
    pub client_name: String,
    /// How dates are written here.
    pub locale: Locale,
    /// The way to this page.
    pub crumbs: Vec<Crumb>,
}

/// A signed-in page in its frame. `title` is the page, the place is added.
pub async fn page<V: IntoView + 'static>(
    ctx: &Ctx,
    actor: &Actor,
    place: Place,
    title: impl Into<String>,
    content: impl FnOnce() -> V + Send + 'static,
) -> Html<String> {
    let flash = ctx.take_flash().await.map(|message| {
        let text = format::prose(&message.text, place.locale);
        if message.ok { Flash::success(text) } else { Flash::error(text) }
    });
    let where_ = if place.client_name.is_empty() {
        actor.organization.as_ref().map(|o| o.name.clone()).unwrap_or_default()
    } else {
        place.client_name.clone()
    };
    let title: String = title.into();
    let full = if where_.is_empty() { title } else { format!("{title} · {where_}") };
    let recent = if actor.viewing.is_none() { super::recent::recent(ctx, actor).await } else { Vec::new() };
    let frame = Frame { flash, recent, ..frame(ctx.path(), actor, place) };
    let body_class = if actor.role == Some(Role::CustomerUser) { "roomy" } else { "" };
    render(move || {
        // Written at once: as a child of the frame, every page's view would be made one of any kind first.
        let content = written(content());
        view! {
            <Document title=full body_class=body_class>
                <Shell frame=frame content=content/>
            </Document>
        }
    })
}

/// The colour of the header while no organization is open: the product's.
const NO_HUE: u8 = 8;

fn frame(path: &str, actor: &Actor, place: Place) -> Frame {
    let organization = actor.organization.clone();
    let customer = actor.role == Some(Role::CustomerUser);
    let client_name = if place.client_name.is_empty() { own_client(actor) } else { place.client_name };
    let (name, detail) = if customer {
        (client_name.clone(), String::new())
    } else {
        (organization.as_ref().map(|o| o.name.clone()).unwrap_or_default(), client_name.clone())
    };
    let may_switch = actor.viewing.is_none() && (actor.assignments > 1 || actor.role == Some(Role::EisStaff));
    Frame {
        context: actor.context_token(),
        organization: name,
        client: detail,
        hue: organization.as_ref().map_or(NO_HUE, |o| hue_of(&o.slug)),
        person: actor.user_name.clone(),
        role: actor.viewing.as_ref().map_or_else(
            || actor.role_label(),
            |viewing| format!("{}, seeing as a customer", viewing.own_role.label()),
        ),
        brand: customer.then(|| Brand { name: client_name.clone(), logo: String::new() }),
        second_factor: second_factor_note(actor, place.locale),
        staff: actor.role == Some(Role::EisStaff) && organization.is_some(),
        staff_note: actor.writes_until.map_or_else(
            || "Reading only".to_owned(),
            |until| format!("Changes allowed, {} min left", clock::minutes_left(until)),
        ),
        staff_writes: actor.writes_until.is_some(),
        step_up: paths::STEP_UP.to_owned(),
        viewing: actor.viewing.as_ref().map(|viewing| ViewingBar {
            customer: viewing.customer.clone(),
            left: format!("{} min left", clock::minutes_left(viewing.until)),
            stop: "/api/stop_viewing".to_owned(),
        }),
        nav: nav(path, actor, place.client, &client_name),
        nav_on_top: customer,
        switch_href: if may_switch { "/switch".to_owned() } else { String::new() },
        search_href: if actor.role == Some(Role::EisStaff) { "/staff/organizations" } else { "/switch" }.to_owned(),
        switch_action: "/api/switch".to_owned(),
        recent: Vec::new(),
        crumbs: place.crumbs,
        flash: None,
    }
}

/// How many days ahead people are told: who has years needs no line about it on every page.
const TOLD_DAYS: i64 = 60;

/// That the role needs a second factor, while its person may still do without; its own page says it once that is over.
fn second_factor_note(actor: &Actor, locale: Locale) -> String {
    let soon = clock::now() + Duration::days(TOLD_DAYS);
    let due = actor.factor_due.filter(|due| !due.over && due.at < soon && actor.viewing.is_none());
    let Some(due) = due else { return String::new() };
    let last = format::date_time(due.at.naive_utc(), locale);
    format!("Your role needs a second factor. Set it up by {last} UTC; after that nothing else opens until you do.")
}

/// The name of the client that the actor belongs to; empty for others.
fn own_client(actor: &Actor) -> String {
    actor.client_summary.as_ref().map(|client| client.name.clone()).unwrap_or_default()
}

/// An entry that is current only on its very page.
fn exact(label: &str, href: &str, path: &str) -> NavItem {
    NavItem { current: path == href, ..NavItem::new(label, href, "") }
}

fn nav(path: &str, actor: &Actor, client: Option<ClientId>, client_name: &str) -> Vec<NavItem> {
    let mut items = Vec::new();
    if actor.factor_due.is_some_and(|due| due.over) {
        return items;
    }
    if actor.may(Permission::OpenOrganizations) {
        items.push(NavItem::new("Organisations", "/staff/organizations", path));
    }
    if actor.organization.is_none() {
        return items;
    }
    if actor.may(Permission::ViewAccount) {
        items.push(exact("Home", "/account", path));
        items.push(NavItem::new("Invoices", "/account/invoices", path));
        items.push(NavItem::new("Usage", "/account/usage", path));
        items.push(NavItem::new("Your price", "/account/price", path));
    }
    if actor.may(Permission::ViewOrganization) {
        items.push(exact("Organisation", "/organization", path));
        items.push(NavItem::new("Clients", "/organization/clients", path));
        items.push(NavItem::new("Users and roles", "/organization/users", path));
        items.push(NavItem::new("Service identities", "/organization/service-identities", path));
        items.push(NavItem::new("Audit log", "/organization/audit", path));
        items.push(NavItem::new("Isolation report", paths::ISOLATION_REPORT, path));
    }
    if let (Some(client), true) = (client.or(actor.client), actor.may(Permission::ViewClient)) {
        let base = format!("/clients/{client}");
        // Beneath the organization's own entries it is said whose these are.
        let heading = if items.is_empty() { String::new() } else { client_name.to_owned() };
        items.push(NavItem { heading, ..exact("Overview", &base, path) });
        for (label, noun) in [
            ("Customers", "customers"),
            ("Service points", "service-points"),
            ("Usage imports", "imports"),
            ("Tariffs", "tariffs"),
            ("What-if", "what-ifs"),
            ("Billing runs", "billing-runs"),
            ("Invoices", "invoices"),
            ("Ledger", "ledger"),
        ] {
            items.push(NavItem::new(label, format!("{base}/{noun}"), path));
        }
        items.push(NavItem::new("Users", format!("{base}/users"), path));
        items.push(NavItem::new("Service identities", format!("{base}/service-identities"), path));
        items.push(NavItem::new("Audit log", format!("{base}/audit"), path));
    }
    items
}
