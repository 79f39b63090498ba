//! Switching to another organization, client or account: the list, and the keyboard's dialog.

use super::PostForm;
use super::html::Html;
use crate::format::initials;
use leptos::prelude::*;

/// Something one can switch to.
#[derive(Clone, Debug, Default)]
pub struct SwitchTarget {
    /// Pair that its button sends: `("assignment", "0198…")`.
    pub field: (String, String),
    /// The name: an organization, or a client or account where that is what differs.
    pub name: String,
    /// What one is there: `Energy-company admin · Harbor Light & Power`.
    pub detail: String,
    /// Its colour, 0–11.
    pub hue: u8,
    /// The one open now.
    pub current: bool,
}

/// The list on the page where one chooses what to open: one form, a button for each.
#[component]
pub fn Switcher(
    /// The signed context this page is rendered in.
    #[prop(into)]
    context: String,
    /// Where the choice is posted.
    #[prop(into)]
    action: String,
    /// What there is to choose from.
    targets: Vec<SwitchTarget>,
) -> impl IntoView {
    let mut items = Html::with_capacity(targets.len() * 384);
    for target in &targets {
        let (name, value) = &target.field;
        items
            .raw("<li data-switch-item><button type=\"submit\" class=\"switch-to hue-")
            .number(target.hue.min(11))
            .raw("\" name=\"")
            .text(name)
            .raw("\" value=\"")
            .text(value)
            .raw("\"><span class=\"place-mark\" aria-hidden=\"true\">")
            .text(&initials(&target.name))
            .raw("</span><span class=\"place-names\"><strong>")
            .text(&target.name)
            .raw("</strong><span class=\"place-client\">")
            .text(&target.detail)
            .raw("</span></span>");
        if target.current {
            items.raw("<span class=\"tag neutral\">Open now</span>");
        }
        items.raw("</button></li>");
    }
    view! {
        <PostForm action=action context=context>
            <ul class="switcher" role="list" inner_html=items.into_string()></ul>
        </PostForm>
    }
}

/// The dialog that `o` or Ctrl+K opens; without scripts it is never seen.
#[component]
pub(super) fn SwitchDialog(
    context: String,
    action: String,
    all_href: String,
    targets: Vec<SwitchTarget>,
) -> impl IntoView {
    view! {
        <dialog class="switch-dialog" id="switch-dialog" aria-labelledby="switch-title">
            <h2 class="visually-hidden" id="switch-title">"Switch organisation"</h2>
            <form class="switch-search" method="get" action=all_href>
                <label class="visually-hidden" r#for="switch-q">"Organisation, client or account"</label>
                <input id="switch-q" name="q" r#type="search" autocomplete="off" placeholder="Switch to…"/>
            </form>
            <Switcher context=context action=action targets=targets/>
            <p class="switch-hint">"Enter opens the first; Esc closes."</p>
        </dialog>
    }
}
