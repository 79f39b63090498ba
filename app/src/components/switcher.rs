//! Switching to another organization, client or account: the list, and the keyboard's dialog.

use super::{PostForm, Tag, Tone, present};
use crate::format::initials;
use leptos::prelude::*;

/// Something one can switch to.
#[derive(Clone, Debug, Default)]
pub struct SwitchTarget {
    /// Hidden pair that names it to the server: `("assignment", "0198…")`.
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

/// The list on the page where one chooses what to open: one form and button each.
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
    let items = targets
        .into_iter()
        .map(|target| {
            let mark = initials(&target.name);
            let button = format!("switch-to hue-{}", target.hue.min(11));
            view! {
                <li data-switch-item="">
                    <PostForm action=action.clone() context=context.clone() hidden=vec![target.field]>
                        <button r#type="submit" class=button>
                            <span class="place-mark" aria-hidden="true">{mark}</span>
                            <span class="place-names">
                                <strong>{target.name}</strong>
                                {present(target.detail)
                                    .map(|detail| view! { <span class="place-client">{detail}</span> })}
                            </span>
                            {target.current.then(|| view! { <Tag text="Open now" tone=Tone::Neutral/> })}
                        </button>
                    </PostForm>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="switcher" role="list">{items}</ul> }
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
            <h2 class="visually-hidden" id="switch-title">"Switch organization"</h2>
            <form class="switch-search" method="get" action=all_href>
                <label class="visually-hidden" r#for="switch-q">"Organization, client or account"</label>
                <input id="switch-q" name="q" r#type="search" autocomplete="off" placeholder="Switch to…"/>
            </form>
            <Switcher context=context action=action targets=targets/>
            <p class="switch-hint">"Enter opens the first; Esc closes."</p>
        </dialog>
    }
}
