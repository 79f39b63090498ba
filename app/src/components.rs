//! The vocabulary pages are written in: one file per thing, mirrored by `style/components`.
//!
//! Every component is a plain function from values to HTML: no signals, no effects,
//! no I/O. Rules that hold for all of them:
//!
//! - An empty `String` means "not there"; nothing is rendered for it.
//! - Text arrives ready to read: formatted by [`crate::format`], in the client's locale.
//! - No inline styles or scripts; colour, width and state are classes and attributes.
//! - Everything works with scripts off. `data-…` attributes only let `public/portal.js`
//!   make it quicker.
//! - Every POST form is a [`PostForm`], so that it carries the context it was rendered in.

mod bar_chart;
mod bill;
mod button;
mod changed;
mod chart;
mod compare_bars;
mod confirm;
mod document;
mod empty;
mod errors;
mod field;
mod filters;
mod form;
mod frame;
mod header;
mod heat_map;
mod html;
mod icon;
mod notice;
mod pagination;
mod price_steps;
mod progress;
pub mod refusal;
pub mod render;
mod rows;
mod select;
mod series;
mod share_bars;
mod shell;
mod source;
mod stat;
mod steps;
mod summary;
mod switcher;
mod table;
mod tabs;
mod tag;
mod timeline;
mod week_chart;
mod week_grid;

pub use bar_chart::BarChart;
pub use bill::{AmountDue, Bill, BillLine, BillSum};
pub use button::{Button, ButtonLink, Kind};
pub use changed::{changed_meanwhile, save_over};
pub use compare_bars::{CompareBars, Comparison};
pub use confirm::ConfirmPanel;
pub use document::{Document, Plain};
pub use empty::EmptyState;
pub use errors::{ErrorSummary, FieldError};
pub use field::{DateField, Field, FileField, TextArea};
pub use filters::{FilterBar, FilterSelect, FilterText};
pub use form::PostForm;
pub use frame::{Brand, Crumb, Frame, NavItem, ViewingBar};
pub use header::{PageHeader, Section};
pub use heat_map::{HeatRow, UsageHeatMap};
pub use icon::{Glyph, Icon};
pub use notice::{Flash, Notice};
pub use pagination::Pagination;
pub use price_steps::{PriceStep, PriceSteps};
pub use progress::Progress;
pub use rows::{Cells, Rows};
pub use select::{Checkbox, Choice, Radios, SelectField};
pub use series::{Series, Tone as SeriesTone};
pub use share_bars::{ShareBar, ShareBars};
pub use shell::Shell;
pub use source::Source;
pub use stat::{Stat, Stats};
pub use steps::Steps;
pub use summary::{SummaryList, SummaryRow};
pub use switcher::{SwitchTarget, Switcher};
pub use table::{Column, DataTable, Sort};
pub use tabs::{Tab, Tabs};
pub use tag::{Status, Tag, Tone};
pub use timeline::{Event, Timeline};
pub use week_chart::{WeekChart, WeekRow};
pub use week_grid::{COLOURS as WEEK_COLOURS, GridDay, WeekGrid};

#[cfg(test)]
mod tests;

/// `None` for an empty string, so that an attribute is left out rather than empty.
fn present(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
