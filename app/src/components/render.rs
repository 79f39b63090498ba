//! How a view becomes HTML.

use std::borrow::Cow;

use axum::response::Html;
use eis::values::names;
use leptos::prelude::*;
use leptos::tachys::view::Position;

/// Renders a view to a complete page.
pub fn render<V: IntoView>(view: impl FnOnce() -> V) -> Html<String> {
    let owner = Owner::new();
    let html = owner.with(|| written(view()));
    owner.cleanup();
    // Characters that hide something may be kept from before; no page of ours has any of its own.
    let html = unmarked(&html);
    if let Cow::Owned(marked) = names::shown(&html) {
        return Html(marked);
    }
    Html(html)
}

/// A view's HTML.
pub fn written(view: impl IntoView) -> String {
    let mut html = String::with_capacity(PAGE_BYTES);
    view.into_view().to_html_with_buf(&mut html, &mut Position::FirstChild, true, false, vec![]);
    html
}

/// What most pages fit in, so that the text of one is not moved while it grows.
const PAGE_BYTES: usize = 32 * 1024;

/// Takes away the marks between texts that only hydration needs; inside `<title>` and `<textarea>` they would show.
fn unmarked(html: &str) -> String {
    const MARK: &str = "<!>";
    let mut clean = String::with_capacity(html.len());
    let mut from = 0;
    for at in memchr::memmem::find_iter(html.as_bytes(), MARK) {
        clean.push_str(html.get(from..at).unwrap_or_default());
        from = at + MARK.len();
    }
    clean.push_str(html.get(from..).unwrap_or_default());
    clean
}
