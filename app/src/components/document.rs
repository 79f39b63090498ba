//! The whole HTML page, and the quiet frame around pages outside any organization.

use std::sync::LazyLock;

use super::html::Html;
use super::present;
use crate::assets;
use leptos::prelude::*;

/// A complete document: doctype, head, body.
///
/// `children` is normally one [`Shell`](super::Shell), or a [`Plain`] before sign-in.
#[component]
pub fn Document(
    /// What the page is, then where: `Invoices · Northwind Power`. The product's name is added.
    #[prop(into)]
    title: String,
    /// Language of the page's words.
    #[prop(default = "en".to_owned(), into)]
    lang: String,
    /// `light` or `dark` where the person chose one; empty follows the device.
    #[prop(optional, into)]
    theme: String,
    /// Classes of the body: `roomy` for customers' pages with larger type.
    #[prop(optional, into)]
    body_class: String,
    /// The page's body.
    children: Children,
) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang=lang data-theme=present(theme)>
            <head inner_html=head(&title)></head>
            <body class=present(body_class)>{children()}</body>
        </html>
    }
}

/// The head's elements: the same on every page but for the title.
fn head(title: &str) -> String {
    static LINKS: LazyLock<String> = LazyLock::new(|| {
        let (font, css, icon, script) =
            (assets::font_href(), assets::css_href(), assets::icon_href(), assets::script_href());
        format!(
            " · EIS Power</title>\
             <link rel=\"preload\" href=\"{font}\" as=\"font\" type=\"font/woff2\" crossorigin=\"anonymous\">\
             <link rel=\"stylesheet\" href=\"{css}\">\
             <link rel=\"icon\" href=\"{icon}\" type=\"image/svg+xml\">\
             <script src=\"{script}\"></script>"
        )
    });
    let mut html = Html::with_capacity(1024);
    html.raw(
        "<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>",
    );
    html.text(title).raw(&LINKS);
    html.into_string()
}

/// A page outside any organization: sign-in, choosing an assignment, an error.
///
/// One narrow column under the product's mark.
#[component]
pub fn Plain(
    /// The page's one heading.
    #[prop(into)]
    title: String,
    /// One sentence under the heading.
    #[prop(optional, into)]
    lead: String,
    /// What there is to do.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="plain">
            <header class="plain-head">
                <a class="plain-logo" href="/">
                    <img src=assets::logo_href() alt="" width="28" height="28"/>
                    "EIS Power"
                </a>
            </header>
            <main class="plain-main" id="main">
                <h1>{title}</h1>
                {present(lead).map(|lead| view! { <p class="lead">{lead}</p> })}
                {children()}
            </main>
        </div>
    }
}
