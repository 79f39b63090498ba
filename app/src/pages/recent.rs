//! What somebody switched to last, for the header's switcher.

use eis::access::{Actor, Role};
use serde::{Deserialize, Serialize};

use crate::components::SwitchTarget;
use crate::format::hue_of;
use crate::server::ctx::Ctx;

/// Where the session keeps what one switched to, for the keyboard's switcher.
const RECENT_KEY: &str = "recent";
/// How many are kept.
pub(super) const RECENT_KEPT: usize = 8;

/// Something one may switch to, as the session keeps it: no query is needed to offer it on every page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub field: (String, String),
    pub name: String,
    pub detail: String,
    pub hue: u8,
}

/// What is kept belongs to one person: whoever signs in next in the same browser does not see it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Recent {
    user: String,
    kept: Vec<Kept>,
}

pub(super) async fn kept(ctx: &Ctx, actor: &Actor) -> Vec<Kept> {
    let recent: Recent = ctx.auth.session.get(RECENT_KEY).await.ok().flatten().unwrap_or_default();
    if recent.user == actor.user.to_string() { recent.kept } else { Vec::new() }
}

pub(super) async fn keep(ctx: &Ctx, actor: &Actor, kept: Vec<Kept>) {
    let _ = ctx.auth.session.insert(RECENT_KEY, Recent { user: actor.user.to_string(), kept }).await;
}

/// What the header's switcher offers: the organizations opened last (EIS staff), and one's assignments once
/// the page of them has been open.
pub async fn recent(ctx: &Ctx, actor: &Actor) -> Vec<SwitchTarget> {
    let mut all = kept(ctx, actor).await;
    let open = actor.organization.as_ref().filter(|_| actor.role == Some(Role::EisStaff));
    let field = open.map(|open| ("organization".to_owned(), open.id.to_string()));
    if let (Some(open), Some(field)) = (open, &field)
        && all.iter().map(|kept| &kept.field).next() != Some(field)
    {
        all.retain(|kept| kept.field != *field);
        let first = Kept {
            field: field.clone(),
            name: open.name.clone(),
            detail: Role::EisStaff.label().to_owned(),
            hue: hue_of(&open.slug),
        };
        all.insert(0, first);
        all.truncate(RECENT_KEPT);
        keep(ctx, actor, all.clone()).await;
    }
    let own = actor.assignment.map(|id| ("assignment".to_owned(), id.to_string()));
    let current = field.or(own);
    let target = |kept: Kept| SwitchTarget {
        current: Some(&kept.field) == current.as_ref(),
        field: kept.field,
        name: kept.name,
        detail: kept.detail,
        hue: kept.hue,
    };
    all.into_iter().map(target).collect()
}
