//! What the charts share: a round scale, positions in percent, and the figure around them.
//!
//! Charts have no `viewBox`: x is in percent and y in pixels, so that bars widen with
//! the page while letters and hairlines keep their size on a phone as on a wall.

use super::html::escape;
use leptos::prelude::*;
use rust_decimal::Decimal;
use std::fmt::Write as _;

/// `part` of `whole` as a percentage with two decimals: ` x="12.34%"` wants whole numbers only.
pub(super) fn percent_of(part: i64, whole: i64) -> Percent {
    Percent(part.saturating_mul(10_000) / whole.max(1))
}

/// A percentage in hundredths.
#[derive(Clone, Copy)]
pub(super) struct Percent(i64);

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}%", self.0 / 100, self.0 % 100)
    }
}

/// A value in thousandths: whole numbers are all that a drawing needs.
pub(super) fn thousandths(value: Decimal) -> i64 {
    let scale = value.scale();
    let mantissa = value.mantissa();
    let scaled =
        if scale <= 3 { mantissa.saturating_mul(10_i128.pow(3 - scale)) } else { mantissa / 10_i128.pow(scale - 3) };
    i64::try_from(scaled).unwrap_or(i64::MAX)
}

/// Height of `value` in tenths of a pixel where `top` is `height` pixels high; both in thousandths.
pub(super) fn tenths(value: i64, top: i64, height: i64) -> i64 {
    let scaled = i128::from(value.max(0)) * i128::from(height) * 10;
    i64::try_from((scaled + i128::from(top) / 2) / i128::from(top.max(1))).unwrap_or_default()
}

/// Tenths of a pixel as SVG reads them.
pub(super) struct Px(pub(super) i64);

impl std::fmt::Display for Px {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

/// A round step (1, 2 or 5 times a power of ten) such that at most five of them reach `max`.
pub(super) fn step(max: Decimal) -> Decimal {
    let raw = max / Decimal::from(5);
    if raw <= Decimal::ZERO {
        return Decimal::ONE;
    }
    let mut power = Decimal::ONE;
    for _ in 0..20 {
        if power > raw {
            power /= Decimal::TEN;
        } else if power * Decimal::TEN <= raw {
            power *= Decimal::TEN;
        } else {
            break;
        }
    }
    [1, 2, 5, 10].into_iter().map(|times| power * Decimal::from(times)).find(|step| *step >= raw).unwrap_or(raw)
}

/// How many labels to leave between two that are written, so that about `fit` fit.
pub(super) fn every(labels: usize, fit: usize) -> usize {
    labels.div_ceil(fit.max(1)).max(1)
}

/// A chart's figure: heading (none where a section's heading says it), drawing, legend, and the same data as a table that opens beneath.
pub(super) fn figure(
    class: &'static str,
    title: Option<String>,
    head: Option<AnyView>,
    drawing: AnyView,
    table: AnyView,
) -> impl IntoView {
    let head = (title.is_some() || head.is_some()).then(|| {
        let title = title.map(|title| view! { <span class="chart-title">{title}</span> });
        view! { <figcaption>{title} {head}</figcaption> }
    });
    view! {
        <figure class=class>
            {head}
            {drawing}
            <details class="chart-data">
                <summary>"Show as a table"</summary>
                {table}
            </details>
        </figure>
    }
}

/// Opens an SVG's text: `<title>` and `<desc>` with ids for `aria-labelledby`.
pub(super) fn named(id: &str, title: &str, desc: &str) -> String {
    let mut out = String::with_capacity(4096);
    let _ = write!(out, r#"<title id="{id}-t">"#);
    escape(&mut out, title);
    let _ = write!(out, r#"</title><desc id="{id}-d">"#);
    escape(&mut out, desc);
    out.push_str("</desc>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_reach_the_top() {
        for (max, expected) in [("0", "1"), ("3.9", "1"), ("42", "10"), ("1299", "500"), ("0.7", "0.2")] {
            let max: Decimal = max.parse().unwrap_or_default();
            let expected: Decimal = expected.parse().unwrap_or_default();
            assert_eq!(step(max), expected, "step for {max}");
        }
    }

    #[test]
    fn positions_need_no_floats() {
        assert_eq!(thousandths(Decimal::new(12_345, 1)), 1_234_500);
        assert_eq!(thousandths(Decimal::new(12_345, 4)), 1_234);
        assert_eq!(percent_of(1, 3).to_string(), "33.33%");
        assert_eq!(Px(tenths(1_000, 3_000, 180)).to_string(), "60.0");
    }
}
