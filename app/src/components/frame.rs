//! What the frame of a page shows, as plain data: made once per request.

use super::{Flash, SwitchTarget};

/// One entry of the navigation.
#[derive(Clone, Debug, Default)]
pub struct NavItem {
    /// The noun: `Invoices`.
    pub label: String,
    /// Where it leads.
    pub href: String,
    /// Whether the page open belongs to it.
    pub current: bool,
    /// A number that wants attention (open exceptions); empty for none.
    pub badge: String,
    /// What stands above it, where a group of entries begins; empty for none.
    pub heading: String,
}

impl NavItem {
    /// An entry that is current where `path` lies at or under its address.
    pub fn new(label: impl Into<String>, href: impl Into<String>, path: &str) -> Self {
        let href = href.into();
        let current = path.strip_prefix(href.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        Self { label: label.into(), href, current, ..Self::default() }
    }
}

/// One step of the way to this page; the last has no address.
#[derive(Clone, Debug, Default)]
pub struct Crumb {
    /// What the step is called.
    pub label: String,
    /// Where it leads; empty for the page itself.
    pub href: String,
}

impl Crumb {
    /// A step one can go back to.
    pub fn new(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self { label: label.into(), href: href.into() }
    }
}

/// A client's own name and logo in place of the product's, on its customers' pages.
#[derive(Clone, Debug, Default)]
pub struct Brand {
    /// The client's name as its customers know it.
    pub name: String,
    /// Address of the client's logo on this origin; empty shows the initials.
    pub logo: String,
}

/// That the page is seen as a customer sees it, by somebody else.
#[derive(Clone, Debug, Default)]
pub struct ViewingBar {
    /// The customer's name.
    pub customer: String,
    /// How long still: `29 min left`.
    pub left: String,
    /// Where the form that stops it is posted.
    pub stop: String,
}

/// What the frame shows; the same for every page of one request.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// The signed context this page is rendered in; goes into every form.
    pub context: String,
    /// Name of the organization open; empty when none is.
    pub organization: String,
    /// Name of the client open; empty when the whole organization is.
    pub client: String,
    /// Colour of the organization (or of the client's brand), 0–11: [`crate::format::hue_of`].
    pub hue: u8,
    /// Who is signed in, as people call them.
    pub person: String,
    /// What they are here, in words: `Energy-company admin`.
    pub role: String,
    /// The client's brand on its customers' pages; `None` shows the product's.
    pub brand: Option<Brand>,
    /// That a second factor is to be set up, and by when; empty for none.
    pub second_factor: String,
    /// EIS staff looking in: shows the staff banner.
    pub staff: bool,
    /// What staff may do just now: `Reading only` or `Changes allowed until 14:05: ticket 4711`.
    pub staff_note: String,
    /// Whether staff may make changes just now.
    pub staff_writes: bool,
    /// Where staff step up to make changes; empty hides the link.
    pub step_up: String,
    /// Somebody else sees the portal as a customer: shows who and how long, and how to stop.
    pub viewing: Option<ViewingBar>,
    /// Navigation, in order of use.
    pub nav: Vec<NavItem>,
    /// Navigation in a row beneath the header rather than at the side: for four entries or fewer.
    pub nav_on_top: bool,
    /// Where one chooses another assignment; empty when there is only one.
    pub switch_href: String,
    /// Where the dialog's search is answered; for EIS staff all organisations.
    pub search_href: String,
    /// Where a [`SwitchTarget`] is posted to.
    pub switch_action: String,
    /// The organizations (or accounts) used last, for the keyboard switcher.
    pub recent: Vec<SwitchTarget>,
    /// The way to this page.
    pub crumbs: Vec<Crumb>,
    /// What the last action did, shown once.
    pub flash: Option<Flash>,
}
