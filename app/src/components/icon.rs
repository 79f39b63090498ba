//! The few line icons, drawn on a grid of 16.

use leptos::prelude::*;

/// An icon's drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyph {
    /// Done, success.
    Check,
    /// Opens downward.
    Down,
    /// Up and down: a choice among several.
    UpDown,
    /// Towards earlier rows.
    Left,
    /// Towards later rows, and between crumbs.
    Right,
    /// Something is wrong or needs care.
    Alert,
    /// For information.
    Info,
    /// The navigation on narrow screens.
    Menu,
    /// A file to take away.
    Download,
    /// Nothing here yet.
    Empty,
}

impl Glyph {
    const fn path(self) -> &'static str {
        match self {
            Self::Check => r#"<path d="m3.5 8.5 3 3 6-7"/>"#,
            Self::Down => r#"<path d="m4.5 6.5 3.5 3.5 3.5-3.5"/>"#,
            Self::UpDown => r#"<path d="m5 6 3-3 3 3M5 10l3 3 3-3"/>"#,
            Self::Left => r#"<path d="M9.5 4.5 6 8l3.5 3.5"/>"#,
            Self::Right => r#"<path d="M6.5 4.5 10 8l-3.5 3.5"/>"#,
            Self::Alert => r#"<path d="M8 2.5 14 13H2ZM8 6.5V9m0 1.9v.2"/>"#,
            Self::Info => r#"<circle cx="8" cy="8" r="5.75"/><path d="M8 7.5V11M8 5v.2"/>"#,
            Self::Menu => r#"<path d="M2.5 5h11m-11 6h11"/>"#,
            Self::Download => r#"<path d="M8 2.5v7m-3-3 3 3 3-3M3 13h10"/>"#,
            Self::Empty => r#"<path d="M3 5.5h10v8H3zM3 5.5l2-3h6l2 3M6.5 8.5h3"/>"#,
        }
    }
}

/// A decorative icon; the words beside it carry the meaning.
#[component]
pub fn Icon(
    /// Which drawing.
    glyph: Glyph,
) -> impl IntoView {
    view! { <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" inner_html=glyph.path()></svg> }
}
