//! Somebody else's change beside one's own.

use super::{Button, Column, DataTable, Kind, Rows};
use crate::forms::Typed;
use crate::forms::seen::{CHANGED, Difference, OVER, Shown};
use leptos::prelude::*;

/// At the foot of a form that edits a row, which is `now` so: what somebody else saved meanwhile beside what was typed,
/// and the button that saves over it. Nothing while nobody did.
pub fn changed_meanwhile(typed: &Typed, now: &Shown) -> impl IntoView + use<> {
    let differences = now.differences(typed);
    let version = now.version();
    (!differences.is_empty()).then(|| save_over(table(differences).into_any(), version))
}

/// A comparison with the button that saves over the version that it shows.
pub fn save_over(comparison: AnyView, version: String) -> impl IntoView + use<> {
    view! {
        <section id=CHANGED class="stack" aria-label="Changed meanwhile">
            <h2>"Someone changed this meanwhile"</h2>
            {comparison}
            <div class="actions"><Button label="Save mine over it" kind=Kind::Secondary name=OVER value=version/></div>
        </section>
    }
}

fn table(differences: Vec<Difference>) -> impl IntoView {
    let or_none = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
    let mut rows = Rows::new();
    for difference in differences {
        let was = difference.was.unwrap_or_else(|| "Not known".to_owned());
        rows.row(|row| {
            row.name(&difference.label)
                .prose(&or_none(&difference.yours))
                .prose(&or_none(&difference.theirs))
                .prose(&or_none(&was));
        });
    }
    let heads = ["Field", "Yours", "Theirs, saved now", "When you opened it"];
    let columns = heads.into_iter().map(Column::text).collect::<Vec<_>>();
    view! { <DataTable caption="Yours and theirs" columns=columns rows=rows/> }
}
