//! Text as a machine reads it, folded away until somebody wants to see it.

use super::{Glyph, Icon};
use leptos::prelude::*;

/// A document as it is kept: JSON, XML, a line of a file.
#[component]
pub fn Source(
    /// What opens it: `The tariff as JSON`.
    #[prop(into)]
    label: String,
    /// The document.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    let name = label.clone();
    view! {
        <details class="source">
            <summary><Icon glyph=Glyph::Right/>{label}</summary>
            <pre role="region" aria-label=name tabindex="0"><code>{text}</code></pre>
        </details>
    }
}
