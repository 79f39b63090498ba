//! The frame of every signed-in page: whose data this is, where one is, where one can go.

use super::html::Html;
use super::switcher::SwitchDialog;
use super::{Flash, Glyph, Icon, PostForm, SwitchTarget, present};
use crate::format::initials;
use crate::server::assets;
use leptos::prelude::*;

/// One entry of the navigation.
#[derive(Clone, Debug, Default)]
pub struct NavItem {
    /// The noun: `Invoices`.
    pub label: String,
    /// Where it leads.
    pub href: String,
    /// Whether the page open belongs to it.
    pub current: bool,
    /// A number that wants attention (open exceptions); empty for none.
    pub badge: String,
}

impl NavItem {
    /// An entry that is current where `path` lies at or under its address.
    pub fn new(label: impl Into<String>, href: impl Into<String>, path: &str) -> Self {
        let href = href.into();
        let current = path
            .strip_prefix(href.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        Self {
            label: label.into(),
            href,
            current,
            badge: String::new(),
        }
    }
}

/// One step of the way to this page; the last has no address.
#[derive(Clone, Debug, Default)]
pub struct Crumb {
    /// What the step is called.
    pub label: String,
    /// Where it leads; empty for the page itself.
    pub href: String,
}

impl Crumb {
    /// A step one can go back to.
    pub fn new(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            href: href.into(),
        }
    }
}

/// A client's own name and logo in place of the product's, on its customers' pages.
#[derive(Clone, Debug, Default)]
pub struct Brand {
    /// The client's name as its customers know it.
    pub name: String,
    /// Address of the client's logo on this origin; empty shows the initials.
    pub logo: String,
}

/// What the frame shows; the same for every page of one request.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// The signed context this page is rendered in; goes into every form.
    pub context: String,
    /// Name of the organization open.
    pub organization: String,
    /// Name of the client open; empty when the whole organization is.
    pub client: String,
    /// Colour of the organization (or of the client's brand), 0–11: [`crate::format::hue_of`].
    pub hue: u8,
    /// Who is signed in, as people call them.
    pub person: String,
    /// What they are here, in words: `Energy-company admin`.
    pub role: String,
    /// The client's brand on its customers' pages; `None` shows the product's.
    pub brand: Option<Brand>,
    /// EIS staff looking in: shows the staff banner.
    pub staff: bool,
    /// What staff may do just now: `Reading only` or `Changes allowed until 14:05: ticket 4711`.
    pub staff_note: String,
    /// Where staff step up to make changes; empty hides the link.
    pub step_up: String,
    /// Navigation, in order of use.
    pub nav: Vec<NavItem>,
    /// Navigation in a row beneath the header rather than at the side: for four entries or fewer.
    pub nav_on_top: bool,
    /// Where one chooses another assignment; empty when there is only one.
    pub switch_href: String,
    /// Where a [`SwitchTarget`] is posted to.
    pub switch_action: String,
    /// The organizations (or accounts) used last, for the keyboard switcher.
    pub recent: Vec<SwitchTarget>,
    /// The way to this page.
    pub crumbs: Vec<Crumb>,
    /// What the last action did, shown once.
    pub flash: Option<Flash>,
}

/// Header, navigation, staff banner, crumbs and flash around a page.
#[component]
pub fn Shell(
    /// What the frame shows.
    frame: Frame,
    /// The page, beginning with a [`PageHeader`](super::PageHeader).
    children: Children,
) -> impl IntoView {
    let side = if frame.nav_on_top {
        "nav-top"
    } else {
        "nav-side"
    };
    let brand = if frame.brand.is_some() {
        " branded"
    } else {
        ""
    };
    let class = format!("shell hue-{} {side}{brand}", frame.hue.min(11));
    let dialog = (!frame.recent.is_empty()).then(|| {
        view! {
            <SwitchDialog
                context=frame.context.clone()
                action=frame.switch_action.clone()
                all_href=frame.switch_href.clone()
                targets=frame.recent
            />
        }
    });
    view! {
        <div class=class>
            <a class="skip" href="#main">"Skip to content"</a>
            <header class="bar">
                <button class="bar-menu" r#type="button" popovertarget="nav" aria-label="Menu">
                    <Icon glyph=Glyph::Menu/>
                </button>
                {frame.brand.is_none().then(product)}
                {place(frame.organization.clone(), frame.client, frame.brand, frame.switch_href.clone())}
                {account(frame.person, frame.role, frame.context, frame.switch_href)}
            </header>
            {frame.staff.then(|| staff(frame.organization, frame.staff_note, frame.step_up))}
            <nav class="nav" id="nav" popover="auto" aria-label="Main">
                <ul inner_html=entries(&frame.nav)></ul>
            </nav>
            <main class="main" id="main" tabindex="-1">
                {trail(frame.crumbs)}
                {frame.flash.map(Flash::view)}
                {children()}
            </main>
            {dialog}
        </div>
    }
}

fn product() -> impl IntoView {
    view! {
        <a class="bar-logo" href="/">
            <img src=assets::logo_href() alt="" width="22" height="22"/>
            <span>"EIS Power"</span>
        </a>
    }
}

/// Whose data this is. On a client's own pages its brand stands in the organization's place.
fn place(
    organization: String,
    client: String,
    brand: Option<Brand>,
    switch_href: String,
) -> impl IntoView {
    let (name, image) = match brand {
        Some(brand) => (brand.name, brand.logo),
        None => (organization, String::new()),
    };
    let mark = match present(image) {
        Some(src) => view! { <img class="place-logo" src=src alt="" height="30"/> }.into_any(),
        None => view! { <span class="place-mark" aria-hidden="true">{initials(&name)}</span> }
            .into_any(),
    };
    let inner = view! {
        {mark}
        <span class="place-names">
            <strong>{name}</strong>
            {present(client).map(|client| view! { <span class="place-client">{client}</span> })}
        </span>
    };
    match present(switch_href) {
        Some(href) => view! {
            <a class="place" href=href data-switch="" title="Switch (press o)">
                <span class="visually-hidden">"Open: "</span>
                {inner}
                <span class="visually-hidden">". Switch"</span>
                <Icon glyph=Glyph::UpDown/>
            </a>
        }
        .into_any(),
        None => view! { <a class="place" href="/">{inner}</a> }.into_any(),
    }
}

fn account(person: String, role: String, context: String, switch_href: String) -> impl IntoView {
    let mark = initials(&person);
    let switch =
        present(switch_href).map(|href| view! { <li><a href=href>"Switch organization"</a></li> });
    view! {
        <details class="account" data-menu="">
            <summary>
                <span class="account-mark" aria-hidden="true">{mark}</span>
                <span class="account-names">
                    <span class="account-person">{person}</span>
                    <span class="account-role">{role}</span>
                </span>
                <Icon glyph=Glyph::Down/>
            </summary>
            <ul class="account-menu">
                <li><a href="/profile">"Profile and security"</a></li>
                {switch}
                <li><button r#type="button" data-theme-toggle="" hidden="">"Theme: device"</button></li>
                <li>
                    <PostForm action="/api/sign_out" context=context>
                        <button r#type="submit">"Sign out"</button>
                    </PostForm>
                </li>
            </ul>
        </details>
    }
}

fn staff(organization: String, note: String, step_up: String) -> impl IntoView {
    view! {
        <div class="staff" role="region" aria-label="EIS staff">
            <p>
                <strong>"EIS staff"</strong>
                " in " <strong>{organization}</strong>
                {present(note).map(|note| view! { ". " {note} "." })}
                " Every step is on record."
            </p>
            {present(step_up).map(|href| view! { <a href=href>"Make changes…"</a> })}
        </div>
    }
}

fn entries(nav: &[NavItem]) -> String {
    let mut html = Html::with_capacity(nav.len() * 96);
    for item in nav {
        html.raw("<li><a href=\"").text(&item.href);
        html.raw(if item.current {
            "\" aria-current=\"page\">"
        } else {
            "\">"
        })
        .text(&item.label);
        if !item.badge.is_empty() {
            html.raw(" <span class=\"nav-badge\">")
                .text(&item.badge)
                .raw("</span>");
        }
        html.raw("</a></li>");
    }
    html.into_string()
}

fn trail(crumbs: Vec<Crumb>) -> Option<impl IntoView> {
    (!crumbs.is_empty()).then(|| {
        let steps = crumbs
            .into_iter()
            .map(|crumb| match present(crumb.href) {
                Some(href) => view! { <li><a href=href>{crumb.label}</a></li> }.into_any(),
                None => view! { <li aria-current="page">{crumb.label}</li> }.into_any(),
            })
            .collect_view();
        view! { <nav class="crumbs" aria-label="Breadcrumb"><ol>{steps}</ol></nav> }
    })
}
