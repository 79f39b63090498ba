//! A state in one word, told by the word first and by colour second.

use leptos::prelude::*;

/// What a state means for the one who reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing to do.
    #[default]
    Neutral,
    /// Under way.
    Info,
    /// Done.
    Good,
    /// Wants a look.
    Warn,
    /// Wrong or overdue.
    Bad,
}

impl Tone {
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Info => "info",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }

    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::Neutral => "tag neutral",
            Self::Info => "tag info",
            Self::Good => "tag good",
            Self::Warn => "tag warn",
            Self::Bad => "tag bad",
        }
    }
}

/// A state's badge.
#[component]
pub fn Tag(
    /// The word.
    #[prop(into)]
    text: String,
    /// What it means.
    #[prop(optional)]
    tone: Tone,
) -> impl IntoView {
    view! { <span class=tone.tag()>{text}</span> }
}

/// The badge of a life cycle's status as the database spells it: the same word and
/// colour wherever it appears. A status not known here reads as it is spelled.
#[component]
pub fn Status(
    /// `part_paid`, `approved`, …
    #[prop(into)]
    value: String,
) -> impl IntoView {
    let (text, tone) = status(&value);
    view! { <Tag text=text tone=tone/> }
}

/// Word and meaning of a status.
pub(super) fn status(value: &str) -> (&str, Tone) {
    match value {
        "draft" => ("Draft", Tone::Neutral),
        "issued" => ("Issued", Tone::Info),
        "part_paid" => ("Part-paid", Tone::Warn),
        "paid" => ("Paid", Tone::Good),
        "overdue" => ("Overdue", Tone::Bad),
        "credited" => ("Credited", Tone::Neutral),
        "open" => ("Open", Tone::Info),
        "rated" => ("Rated", Tone::Info),
        "nothing_to_bill" => ("Nothing to bill", Tone::Neutral),
        "approved" => ("Approved", Tone::Warn),
        "due" => ("Due", Tone::Neutral),
        "held" => ("Held", Tone::Warn),
        "closed" => ("Closed", Tone::Neutral),
        "active" => ("Active", Tone::Good),
        "invited" => ("Invited", Tone::Info),
        "inactive" => ("Inactive", Tone::Neutral),
        "suspended" => ("Suspended", Tone::Warn),
        "disabled" => ("Disabled", Tone::Neutral),
        "retired" => ("Retired", Tone::Neutral),
        "queued" => ("Queued", Tone::Neutral),
        "running" => ("Running", Tone::Info),
        "requested" => ("Requested", Tone::Info),
        "planned" => ("Planned", Tone::Info),
        "ended" => ("Ended", Tone::Neutral),
        "withdrawn" => ("Withdrawn", Tone::Neutral),
        "vacant" => ("Vacant", Tone::Warn),
        "received" => ("Received", Tone::Neutral),
        "validated" => ("Validated", Tone::Info),
        "applied" => ("Applied", Tone::Good),
        "done" => ("Done", Tone::Good),
        "succeeded" => ("Succeeded", Tone::Good),
        "rejected" => ("Rejected", Tone::Bad),
        "failed" => ("Failed", Tone::Bad),
        "actual" => ("Actual", Tone::Neutral),
        "estimated" => ("Estimated", Tone::Warn),
        "customer" => ("Customer read", Tone::Info),
        "superseded" => ("Superseded", Tone::Neutral),
        other => (other, Tone::Neutral),
    }
}
