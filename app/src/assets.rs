//! The style sheet, font, icons and script: in the binary, under names that change with their content.
//!
//! A browser may keep each for a year (`immutable`), since the next release asks for
//! another name. The style sheet is `style/` put together in the order below; files of
//! one layer do not depend on each other's order.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// Every file of `style/`, in order: the first declares the layers.
const CSS: &str = concat!(
    include_str!("../../style/tokens.css"),
    include_str!("../../style/base.css"),
    include_str!("../../style/components/bill.css"),
    include_str!("../../style/components/button.css"),
    include_str!("../../style/components/chart.css"),
    include_str!("../../style/components/confirm.css"),
    include_str!("../../style/components/designer.css"),
    include_str!("../../style/components/document.css"),
    include_str!("../../style/components/empty.css"),
    include_str!("../../style/components/errors.css"),
    include_str!("../../style/components/field.css"),
    include_str!("../../style/components/filters.css"),
    include_str!("../../style/components/header.css"),
    include_str!("../../style/components/icon.css"),
    include_str!("../../style/components/notice.css"),
    include_str!("../../style/components/pagination.css"),
    include_str!("../../style/components/progress.css"),
    include_str!("../../style/components/shell.css"),
    include_str!("../../style/components/source.css"),
    include_str!("../../style/components/stat.css"),
    include_str!("../../style/components/steps.css"),
    include_str!("../../style/components/summary.css"),
    include_str!("../../style/components/switcher.css"),
    include_str!("../../style/components/table.css"),
    include_str!("../../style/components/tabs.css"),
    include_str!("../../style/components/tag.css"),
    include_str!("../../style/components/timeline.css"),
    include_str!("../../style/components/told.css"),
    include_str!("../../style/print.css"),
);
const FONT: &[u8] = include_bytes!("../../public/fonts/inter.woff2");
const ICON: &str = include_str!("../../public/favicon.svg");
const LOGO: &str = include_str!("../../public/logo.svg");
const SCRIPT: &str = include_str!("../../public/portal.js");

/// One file with its address.
struct Asset {
    href: String,
    kind: &'static str,
    body: Body,
}

enum Body {
    Bytes(&'static [u8]),
    Text(String),
}

static FONT_ASSET: LazyLock<Asset> = LazyLock::new(|| asset("inter", "woff2", "font/woff2", Body::Bytes(FONT)));
static ICON_ASSET: LazyLock<Asset> =
    LazyLock::new(|| asset("favicon", "svg", "image/svg+xml; charset=utf-8", Body::Bytes(ICON.as_bytes())));
static LOGO_ASSET: LazyLock<Asset> =
    LazyLock::new(|| asset("logo", "svg", "image/svg+xml; charset=utf-8", Body::Bytes(LOGO.as_bytes())));
static SCRIPT_ASSET: LazyLock<Asset> =
    LazyLock::new(|| asset("portal", "js", "text/javascript; charset=utf-8", Body::Bytes(SCRIPT.as_bytes())));
static CSS_ASSET: LazyLock<Asset> =
    LazyLock::new(|| asset("portal", "css", "text/css; charset=utf-8", Body::Text(stylesheet(font_href()))));

/// Address of the style sheet.
pub fn css_href() -> &'static str {
    &CSS_ASSET.href
}

/// Address of the font.
pub fn font_href() -> &'static str {
    &FONT_ASSET.href
}

/// Address of the icon in the browser's tab.
pub fn icon_href() -> &'static str {
    &ICON_ASSET.href
}

/// Address of the product's mark.
pub fn logo_href() -> &'static str {
    &LOGO_ASSET.href
}

/// Address of the script.
pub fn script_href() -> &'static str {
    &SCRIPT_ASSET.href
}

/// The whole style sheet without comments, with `font` as the font's address.
pub fn stylesheet(font: &str) -> String {
    squeeze(CSS).replace("/assets/inter.woff2", font)
}

/// Routes of all of them; they know no state and no session, and set no cookie.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    [&FONT_ASSET, &ICON_ASSET, &LOGO_ASSET, &SCRIPT_ASSET, &CSS_ASSET]
        .into_iter()
        .fold(Router::new(), |router, file| {
            let file: &'static Asset = file;
            router.route(&file.href, get(move || async move { serve(file) }))
        })
        .route("/favicon.ico", get(|| async { axum::response::Redirect::temporary(icon_href()) }))
}

fn asset(name: &str, extension: &str, kind: &'static str, body: Body) -> Asset {
    let digest = Sha256::digest(match &body {
        Body::Bytes(bytes) => bytes,
        Body::Text(text) => text.as_bytes(),
    });
    let hash = eis::values::hex::of(&digest[..6]);
    Asset { href: format!("/assets/{name}.{hash}.{extension}"), kind, body }
}

fn serve(file: &'static Asset) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(file.kind)),
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    match &file.body {
        Body::Bytes(bytes) => (headers, *bytes).into_response(),
        Body::Text(text) => (headers, text.as_str()).into_response(),
    }
}

/// Leaves out comments, indentation and line breaks; strings in our CSS hold neither.
fn squeeze(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    let mut tight = String::with_capacity(out.len());
    for line in out.lines().map(str::trim).filter(|line| !line.is_empty()) {
        tight.push_str(line);
        if !line.ends_with(['{', '}', ';', ',']) {
            tight.push(' ');
        }
    }
    tight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_sheet_is_squeezed_and_names_its_font() {
        let css = stylesheet(font_href());
        assert!(css.contains(font_href()), "the font's hashed address");
        assert!(!css.contains("/*") && !css.contains('\n'));
        assert!(
            css.starts_with("@layer tokens,base,components,print;")
                || css.starts_with("@layer tokens, base, components, print;")
        );
    }

    #[test]
    fn every_file_of_a_component_is_in_the_style_sheet() -> std::io::Result<()> {
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../style/components"))? {
            let path = file?.path();
            assert!(CSS.contains(&std::fs::read_to_string(&path)?), "{} is missing", path.display());
        }
        Ok(())
    }

    #[test]
    fn an_address_changes_with_its_content() {
        let one = asset("a", "css", "text/css", Body::Text("a".to_owned()));
        let two = asset("a", "css", "text/css", Body::Text("b".to_owned()));
        assert_ne!(one.href, two.href);
    }

    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        for text in [CSS, SCRIPT] {
            assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("data:"));
        }
    }
}
