//! The parts that bars are stacked of: their colours, patterns and legend.

use leptos::prelude::*;
use rust_decimal::Decimal;
use std::fmt::Write as _;

/// Colour and pattern of a series; each differs in lightness and pattern, not in hue alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Usage as a whole: solid.
    #[default]
    Usage,
    /// On-peak: dark and solid.
    OnPeak,
    /// Mid-peak: diagonal stripes.
    MidPeak,
    /// Off-peak: light with dots.
    OffPeak,
    /// Fed into the grid: level stripes.
    Export,
    /// What is compared with: pale.
    Before,
}

impl Tone {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::OnPeak => "on",
            Self::MidPeak => "mid",
            Self::OffPeak => "off",
            Self::Export => "export",
            Self::Before => "before",
        }
    }

    pub(super) fn pattern(self, id: &str, out: &mut String) {
        let name = self.name();
        let (attributes, mark) = match self {
            Self::MidPeak => (r#" patternTransform="rotate(45)""#, r#"<path d="M0 0v6"/>"#),
            Self::OffPeak => ("", r#"<circle cx="1.5" cy="1.5" r=".9"/><circle cx="4.5" cy="4.5" r=".9"/>"#),
            Self::Export => ("", r#"<path d="M0 1.5h6M0 4.5h6"/>"#),
            Self::Usage | Self::OnPeak | Self::Before => ("", ""),
        };
        let _ = write!(
            out,
            r#"<pattern id="{id}-{name}" class="t-{name}" width="6" height="6" patternUnits="userSpaceOnUse"{attributes}><rect width="6" height="6"/>{mark}</pattern>"#
        );
    }
}

/// One part of each bar.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// Its name: `On-peak`.
    pub name: String,
    /// Colour and pattern.
    pub tone: Tone,
    /// One value per label; missing ones count as nothing.
    pub values: Vec<Decimal>,
}

/// What each colour and pattern stands for.
pub(super) fn legend(id: &str, series: &[Series]) -> AnyView {
    let items = series
        .iter()
        .map(|part| {
            let name = part.tone.name();
            let fill = format!("url(#{id}-{name})");
            view! {
                <li>
                    <svg width="14" height="14" aria-hidden="true">
                        <rect class=format!("t-{name}") fill=fill x="1" y="1" width="12" height="12"/>
                    </svg>
                    {part.name.clone()}
                </li>
            }
        })
        .collect_view();
    view! { <ul class="legend" role="list">{items}</ul> }.into_any()
}
