//! A link with which one person sets a new password: made on the page of a role of theirs, and shown there once.

use eis::access::Permission;
use eis::parties::users::{self, OrganizationUser};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::records::find;
use crate::components::{Button, Kind, Notice, PostForm, Section, Tone};
use crate::pages::scope::{Scope, base_of, require_scope};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act};

/// Where the session keeps a link until its page has shown it.
const LINK_KEY: &str = "reset_link";

/// A link that waits to be shown: on whose page, to whom.
#[derive(Debug, Serialize, Deserialize)]
struct KeptLink {
    page: String,
    by: String,
    link: String,
}

fn page_of(base: &str, assignment: &str) -> String {
    format!("{base}/users/{assignment}/edit")
}

/// The link just made on this person's page, once.
pub(super) async fn take_link(ctx: &Ctx, scope: &Scope, row: &OrganizationUser) -> Option<String> {
    let kept: KeptLink = ctx.auth.session.get(LINK_KEY).await.ok().flatten()?;
    let here = page_of(&scope.base(), &row.assignment_id.to_string());
    if kept.page != here || kept.by != scope.actor.user.to_string() {
        return None;
    }
    let _ = ctx.auth.session.remove::<KeptLink>(LINK_KEY).await;
    Some(kept.link)
}

/// The link, shown this once.
pub(super) fn link_once(link: String) -> impl IntoView {
    view! {
        <Notice tone=Tone::Good title="A link to set a new password">
            <p>"Send this link yourself. It is shown here once, works once, and for a day:"</p>
            <p class="one-time-link"><code>{link}</code></p>
        </Notice>
    }
}

/// What the page says of a lost password; the hidden pairs are those of the role's other forms.
pub(super) fn section(name: &str, context: String, hidden: &[(String, String)]) -> impl IntoView + use<> {
    let hidden = hidden.iter().filter(|(name, _)| name != "seen").cloned().collect();
    let text = format!("{name} lost the password? Make a link and send it: whoever opens it sets a new one.");
    view! {
        <Section title="Lost password">
            <p>{text}</p>
            <p class="hint">"The link works only while every right of this login is one that you may grant. Where it does not work, EIS Power can set a new password. Making a link ends the one before; it is on record, and so is its use."</p>
            <PostForm action="/api/make_reset_link" context=context hidden=hidden>
                <Button label="Make a link" kind=Kind::Secondary/>
            </PostForm>
        </Section>
    }
}

/// Makes a link with which an assignment's person sets a new password.
#[server(prefix = "/api", endpoint = "make_reset_link")]
pub(crate) async fn make_reset_link(
    #[server(default)] client: String,
    assignment: String,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_scope(Permission::ManageUsers, &client)?;
        let mut tx = ctx.write(&actor).await?;
        let row = find(&mut tx, &assignment).await?;
        let token = users::make_password_reset(&mut tx, row.assignment_id).await?;
        let page = page_of(&base_of(&actor), &row.assignment_id.to_string());
        let done = Done::to(page.clone()).commit(&ctx, tx).await?;
        let kept = KeptLink {
            page,
            by: actor.user.to_string(),
            link: format!("{}/reset/{}", ctx.origin, eis::values::hex::of(&token)),
        };
        ctx.auth.session.insert(LINK_KEY, kept).await.map_err(|e| AppError::Internal(e.to_string()))?;
        Ok(done)
    })
    .await
}
