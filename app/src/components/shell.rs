//! The frame of every signed-in page: whose data this is, where one is, where one can go.

use super::html::Html;
use super::switcher::SwitchDialog;
use super::{
    Brand, Button, Crumb, Flash, Frame, Glyph, Icon, Kind, NavItem, Notice, PostForm, Tone, ViewingBar, present,
};
use crate::assets;
use crate::format::initials;
use leptos::either::Either;
use leptos::prelude::*;
use leptos::tachys::html::InertElement;

/// Header, navigation, staff banner, crumbs and flash around a page.
#[component]
pub fn Shell(
    /// What the frame shows.
    frame: Frame,
    /// The page as HTML, beginning with a [`PageHeader`](super::PageHeader).
    content: String,
) -> impl IntoView {
    let side = if frame.nav_on_top { "nav-top" } else { "nav-side" };
    let brand = if frame.brand.is_some() { " branded" } else { "" };
    let class = format!("shell hue-{} {side}{brand}", frame.hue.min(11));
    let dialog = (!frame.recent.is_empty()).then(|| {
        view! {
            <SwitchDialog
                context=frame.context.clone()
                action=frame.switch_action.clone()
                all_href=frame.search_href.clone()
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
                {account(frame.person, frame.role, frame.context.clone(), frame.switch_href)}
            </header>
            {frame.viewing.map(|bar| viewing(bar, frame.context.clone()))}
            {frame.staff.then(|| staff(frame.organization, frame.staff_note, frame.step_up, frame.staff_writes))}
            <nav class="nav" id="nav" popover="auto" aria-label="Main">
                <ul inner_html=entries(&frame.nav)></ul>
            </nav>
            <main class="main" id="main" tabindex="-1">
                {trail(frame.crumbs)}
                {frame.flash.map(Flash::view)}
                {present(frame.second_factor).map(second_factor)}
                {InertElement::new(content)}
            </main>
            {dialog}
        </div>
    }
}

/// On every page, until it is done.
fn second_factor(note: String) -> impl IntoView {
    view! {
        <Notice tone=Tone::Warn title=note>
            <p><a href="/profile/second-factor">"Set it up"</a></p>
        </Notice>
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
fn place(organization: String, client: String, brand: Option<Brand>, switch_href: String) -> impl IntoView {
    let (name, image) = match brand {
        Some(brand) => (brand.name, brand.logo),
        None => (organization, String::new()),
    };
    let initials = if name.is_empty() { "–".to_owned() } else { initials(&name) };
    let name = present(name).unwrap_or_else(|| "No organisation open".to_owned());
    let mark = match present(image) {
        Some(src) => Either::Left(view! { <img class="place-logo" src=src alt="" height="30"/> }),
        None => Either::Right(view! { <span class="place-mark" aria-hidden="true">{initials}</span> }),
    };
    let inner = view! {
        {mark}
        <span class="place-names">
            <strong>{name}</strong>
            {present(client).map(|client| view! { <span class="place-client">{client}</span> })}
        </span>
    };
    match present(switch_href) {
        Some(href) => Either::Left(view! {
            <a class="place" href=href data-switch="" title="Switch (press o)">
                <span class="visually-hidden">"Open: "</span>
                {inner}
                <span class="visually-hidden">". Switch"</span>
                <Icon glyph=Glyph::UpDown/>
            </a>
        }),
        None => Either::Right(view! { <a class="place" href="/">{inner}</a> }),
    }
}

fn account(person: String, role: String, context: String, switch_href: String) -> impl IntoView {
    let mark = initials(&person);
    let switch = present(switch_href).map(|href| view! { <li><a href=href>"Switch organisation"</a></li> });
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

fn staff(organization: String, note: String, step_up: String, writing: bool) -> impl IntoView {
    view! {
        <div class={if writing { "staff writing" } else { "staff" }} role="region" aria-label="EIS staff">
            <p>
                <strong>"EIS staff"</strong>
                " in " <strong>{organization}</strong>
                {present(note).map(|note| view! { ". " {note} "." })}
                " Every step is on record."
            </p>
            {present(step_up).map(|href| view! { <a href=href>{if writing { "Stop…" } else { "Make changes…" }}</a> })}
        </div>
    }
}

/// On every page, at the top whatever is scrolled: whose eyes these are.
fn viewing(bar: ViewingBar, context: String) -> impl IntoView {
    view! {
        <div class="staff viewing" role="region" aria-label="Seeing as a customer">
            <p>
                "You see what " <strong>{bar.customer}</strong> " sees, reading only. " {bar.left}
                ". It is on record."
            </p>
            <PostForm action=bar.stop context=context>
                <Button label="Stop" kind=Kind::Secondary/>
            </PostForm>
        </div>
    }
}

fn entries(nav: &[NavItem]) -> String {
    let mut html = Html::with_capacity(nav.len() * 96);
    for item in nav {
        if !item.heading.is_empty() {
            html.raw("<li class=\"nav-head\">").text(&item.heading).raw("</li>");
        }
        html.raw("<li><a href=\"").text(&item.href);
        html.raw(if item.current { "\" aria-current=\"page\">" } else { "\">" }).text(&item.label);
        if !item.badge.is_empty() {
            html.raw(" <span class=\"nav-badge\">").text(&item.badge).raw("</span>");
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
