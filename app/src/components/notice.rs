//! Something to know: within a page, or once after an action.

use super::{Glyph, Icon, Tone, present};
use leptos::prelude::*;

const fn glyph(tone: Tone) -> Glyph {
    match tone {
        Tone::Good => Glyph::Check,
        Tone::Warn | Tone::Bad => Glyph::Alert,
        Tone::Neutral | Tone::Info => Glyph::Info,
    }
}

/// A note in the page.
#[component]
pub fn Notice(
    /// What it means.
    #[prop(default = Tone::Info)]
    tone: Tone,
    /// The point, in one sentence; empty for none.
    #[prop(optional, into)]
    title: String,
    /// The rest: what was kept, how to go on.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class=format!("notice {}", tone.class())>
            <Icon glyph=glyph(tone)/>
            <div>
                {present(title).map(|title| view! { <p class="notice-title">{title}</p> })}
                {children.map(|children| children())}
            </div>
        </div>
    }
}

/// What the last action did, shown once at the head of the next page.
#[derive(Clone, Debug, Default)]
pub struct Flash {
    /// Good for done, Bad for refused, Warn for done in part.
    pub tone: Tone,
    /// What happened: `Payment of $142.10 recorded.`
    pub text: String,
    /// Where to look at it: label and address.
    pub link: Option<(String, String)>,
}

impl Flash {
    /// It worked.
    pub fn success(text: impl Into<String>) -> Self {
        Self { tone: Tone::Good, text: text.into(), link: None }
    }

    /// It did not; the text says what was kept and how to go on.
    pub fn error(text: impl Into<String>) -> Self {
        Self { tone: Tone::Bad, text: text.into(), link: None }
    }

    pub(super) fn view(self) -> impl IntoView {
        let role = if self.tone == Tone::Bad { "alert" } else { "status" };
        view! {
            <div class=format!("notice flash {}", self.tone.class()) role=role data-flash="">
                <Icon glyph=glyph(self.tone)/>
                <p>
                    {self.text}
                    {self.link.map(|(label, href)| view! { " " <a href=href>{label}</a> })}
                </p>
            </div>
        }
    }
}
