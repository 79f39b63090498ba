//! What EIS staff changed in who runs the organization, or the operator in how one of them signs in, shown to its energy admins
//! until they have seen it.

use eis::access::{Permission, Role};
use eis::db::Tenant;
use eis::parties::users::notices::{self, RoleNotice};
use leptos::prelude::*;
use uuid::Uuid;

use crate::components::{Button, Kind, Notice, PostForm, Tone};
use crate::pages::scope::Scope;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require};

/// Where they are shown.
const PAGE: &str = "/organization";

/// What is still to be told to the one who asks: energy admins of the whole role alone.
///
/// # Errors
/// When the database fails.
pub(super) async fn of(scope: &Scope, tx: &mut Tenant) -> Result<Vec<RoleNotice>, AppError> {
    let told = scope.actor.role == Some(Role::EnergyAdmin) && scope.actor.narrowed.is_none();
    Ok(if told { notices::unseen(tx).await? } else { Vec::new() })
}

/// The notices with their reasons, and the button that puts them away.
pub(super) fn panel(scope: &Scope, told: Vec<RoleNotice>) -> Option<impl IntoView + use<>> {
    let ids = told.iter().map(|notice| notice.id.to_string()).collect::<Vec<_>>().join(",");
    let hidden = vec![("page".to_owned(), PAGE.to_owned()), ("notices".to_owned(), ids)];
    let context = scope.actor.context_token();
    let lines: Vec<(String, String)> = told
        .into_iter()
        .map(|told| {
            (format!("{}.", told.summary), format!("{}. Reason: {}", scope.moment(told.created_at), told.reason))
        })
        .collect();
    (!lines.is_empty()).then(|| {
        let lines = lines
            .into_iter()
            .map(|(what, why)| view! { <li>{what} " " <span class="why">{why}</span></li> })
            .collect_view();
        view! {
            <Notice tone=Tone::Warn title="EIS Power changed who runs the organisation, or how they sign in">
                <div class="stack">
                <ul class="told-list">{lines}</ul>
                <p>"If you do not know of it, look at "<a href="/organization/users">"Users and roles"</a>" and ask EIS Power."</p>
                <PostForm action="/api/see_notices" context=context hidden=hidden>
                    <Button label="I have seen this" kind=Kind::Secondary/>
                </PostForm>
                </div>
            </Notice>
        }
    })
}

/// Puts one's own notices away, those that were shown.
#[server(prefix = "/api", endpoint = "see_notices")]
pub(crate) async fn see_notices(#[server(default)] notices: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require(Permission::ManageClients)?;
        let ids: Result<Vec<Uuid>, _> = notices.split(',').map(str::parse).collect();
        let mut tx = ctx.write(&actor).await?;
        notices::see(&mut tx, &ids.map_err(|_| AppError::NotFound)?).await?;
        Done::to(PAGE).saying("Put away. The audit log keeps it.").commit(&ctx, tx).await
    })
    .await
}
