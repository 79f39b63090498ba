//! Tariff blocks as a staircase: how much is used across, what a kWh costs upwards.

use super::chart::{Px, figure, named, percent_of, tenths, thousandths};
use super::html::escape;
use super::{Column, DataTable, Rows};
use leptos::prelude::*;
use rust_decimal::Decimal;
use std::fmt::Write as _;

const PLOT: i64 = 120;
const TOP: i64 = 22;
const BASE: i64 = TOP + PLOT;

/// A step.
#[derive(Clone, Debug, Default)]
pub struct PriceStep {
    /// Where it begins.
    pub from: Decimal,
    /// The same as read, with its unit: `100 kWh`.
    pub from_text: String,
    /// How high it is.
    pub price: Decimal,
    /// The same as read: `€0.28`.
    pub price_text: String,
}

/// Steps from left to right.
#[component]
pub fn PriceSteps(
    /// Unique on the page.
    #[prop(into)]
    id: String,
    /// What it shows: `Price of a kWh`.
    #[prop(into)]
    title: String,
    /// What it says, in a sentence.
    #[prop(into)]
    description: String,
    /// The steps, from 0 upwards.
    steps: Vec<PriceStep>,
) -> impl IntoView {
    let mut svg = named(&id, &title, &description);
    // The last step has no end: it is drawn half as long as all the others together.
    let last = steps.last().map_or(0, |step| thousandths(step.from)).max(2);
    let end = last + last / 2;
    let highest = steps.iter().map(|step| thousandths(step.price)).max().unwrap_or(1);
    for (at, step) in steps.iter().enumerate() {
        let from = thousandths(step.from);
        let to = steps.get(at + 1).map_or(end, |next| thousandths(next.from));
        let tall = tenths(thousandths(step.price), highest, PLOT);
        let (x, wide, middle) = (percent_of(from, end), percent_of(to - from, end), percent_of(from + to, end * 2));
        let _ = write!(
            svg,
            r#"<rect class="step" x="{x}" y="{}" width="{wide}" height="{}"/><text class="figure" x="{middle}" y="{}" text-anchor="middle">"#,
            Px(BASE * 10 - tall),
            Px(tall),
            Px(BASE * 10 - tall - 60),
        );
        escape(&mut svg, &step.price_text);
        svg.push_str("</text>");
        let anchor = if at == 0 { "start" } else { "middle" };
        let _ = write!(svg, r#"<text x="{x}" y="{}" text-anchor="{anchor}">"#, BASE + 16);
        escape(&mut svg, &step.from_text);
        svg.push_str("</text>");
    }
    let _ = write!(svg, r#"<line class="axis" x1="0" x2="100%" y1="{BASE}" y2="{BASE}"/>"#);
    let labelled = format!("{id}-t {id}-d");
    let drawing = view! {
        <svg class="chart-svg stairs" width="100%" height=(BASE + 24).to_string() role="img" aria-labelledby=labelled inner_html=svg></svg>
    };
    let mut body = Rows::new();
    for step in &steps {
        body.row(|cells| {
            cells.name(&step.from_text).number(&step.price_text);
        });
    }
    let columns = vec![Column::text("From"), Column::number("Price of a kWh", "")];
    let table = view! { <DataTable caption=title.clone() columns=columns rows=body/> }.into_any();
    figure("chart", Some(title), None, drawing.into_any(), table)
}
