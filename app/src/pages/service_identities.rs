//! Service identities of an organization or of one client: made, seen and ended by its admins.

mod kept;
mod new;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use eis::access::{Actor, Permission};
use eis::db::Tenant;
use eis::parties::clients;
use eis::parties::service_identities::{self, Command, ServiceIdentity};
use eis::values::ids::ServiceIdentityId;
use leptos::prelude::*;

pub use new::{new_at_client, new_in_organization};

use crate::components::{Column, ConfirmPanel, DataTable, EmptyState, Kind, Notice, PageHeader, Tag, Tone};
use crate::pages::frame::page;
use crate::pages::scope::{Scope, base_of, require_scope};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act};

/// `GET /organization/service-identities`
pub async fn of_organization(ctx: Ctx) -> Result<Response, AppError> {
    let (scope, tx) = Scope::organization(&ctx, Permission::ViewUsers).await?;
    show(ctx, scope, tx).await
}

/// `GET /clients/:client/service-identities`
pub async fn of_client(ctx: Ctx, Path(client): Path<String>) -> Result<Response, AppError> {
    let (scope, tx) = Scope::client(&ctx, Permission::ViewUsers, &client).await?;
    show(ctx, scope, tx).await
}

async fn show(ctx: Ctx, scope: Scope, mut tx: Tenant) -> Result<Response, AppError> {
    let rows = service_identities::list(&mut tx, scope.actor.open_organization()?).await?;
    let clients = clients::list(&mut tx).await?;
    drop(tx);
    let secret = kept::take(&ctx, &scope).await;
    let actor = scope.actor.clone();
    let html = page(&ctx, &actor, scope.place(&[], ""), "Service identities", move || {
        let may = scope.actor.may(Permission::ManageServices);
        let (action, new) =
            if may { ("New service identity", format!("{}/service-identities/new", scope.base())) } else { ("", String::new()) };
        let shown = !rows.is_empty();
        let columns = ["Name", "May do", "For", "Last used", "Change"].map(Column::text).into();
        let body = rows
            .into_iter()
            .map(|row| {
                let client = clients.iter().find(|client| row.client_id == Some(client.id));
                let place = client.map_or_else(|| "The organisation".to_owned(), |client| client.name.clone());
                line(&scope, &row, place, may)
            })
            .collect_view();
        let empty = "A service identity does the work of a schedule or a watched folder, and nothing but what you let it do. It goes on when its maker leaves.";
        view! {
            <PageHeader title="Service identities" subtitle="What work without a person stands as: nobody signs in as one." action=if shown { action } else { "" } href=new.clone()/>
            {secret.map(secret_once)}
            {if shown {
                view! { <DataTable caption="Service identities" columns=columns>{body}</DataTable> }.into_any()
            } else {
                view! { <EmptyState title="None yet" text=empty action=action href=new/> }.into_any()
            }}
        }
    })
    .await;
    Ok(html.into_response())
}

/// The secret, shown this once.
fn secret_once((name, secret): (String, String)) -> impl IntoView {
    view! {
        <Notice tone=Tone::Good title=format!("The secret of {name}")>
            <p>"Put it into a file that only the schedule's own user can read. It is shown here once; a lost one is replaced."</p>
            <p class="one-time-link"><code>{secret}</code></p>
            <p>"Use it with "<code>"portal job run --as FILE import|rate|overview …"</code>"."</p>
        </Notice>
    }
}

fn line(scope: &Scope, row: &ServiceIdentity, place: String, may: bool) -> impl IntoView + use<> {
    let made = format!("made by {}, {}", row.made_by, scope.moment(row.created_at));
    let used = row.last_used_at.map_or_else(|| "Never".to_owned(), |at| scope.moment(at));
    let last = Command::parse(&row.last_command).map_or("", Command::label);
    let from = if row.last_used_at.is_some() { format!("{last}, from {}", row.last_used_from) } else { String::new() };
    let ended = row.ended_at.map(|at| format!("Ended {}", scope.moment(at)));
    let change = (may && row.ended_at.is_none()).then(|| changes(scope, row));
    view! {
        <tr>
            <th scope="row"><bdi>{row.name.clone()}</bdi> <span class="sub">{made}</span></th>
            <td class="wrap">{row.may()}</td>
            <td>{place}</td>
            <td class="wrap">{used} <span class="sub">{from}</span></td>
            <td>{ended.map(|text| view! { <Tag text=text/> })} {change}</td>
        </tr>
    }
}

fn changes(scope: &Scope, row: &ServiceIdentity) -> impl IntoView + use<> {
    let page = format!("{}/service-identities", scope.base());
    let hidden = vec![scope.hidden(), ("identity".to_owned(), row.id.to_string()), ("page".to_owned(), page)];
    view! {
        <ConfirmPanel
            open="Replace the secret…"
            title=format!("Replace the secret of {}?", row.name)
            consequences=vec!["The secret that it has opens nothing from now on.".to_owned(), "You are shown a new one, once.".to_owned()]
            label="Replace the secret"
            action="/api/replace_service_secret"
            context=scope.actor.context_token()
            hidden=hidden.clone()
            kind=Kind::Secondary
        />
        <ConfirmPanel
            open="End…"
            title=format!("End the service identity {}?", row.name)
            consequences=vec!["What it does stops with its next step.".to_owned(), "It cannot be taken up again: make another one.".to_owned()]
            label="End it"
            action="/api/end_service_identity"
            context=scope.actor.context_token()
            hidden=hidden
            note="What it did stays on record under its name."
        />
    }
}

/// The live identity of a form.
async fn find(tx: &mut Tenant, actor: &Actor, id: &str) -> Result<ServiceIdentity, AppError> {
    let id: ServiceIdentityId = id.parse().map_err(|_| AppError::NotFound)?;
    let found = service_identities::find(tx, actor.open_organization()?, id).await?;
    found.filter(|row| row.ended_at.is_none()).ok_or(AppError::NotFound)
}

/// Replaces the secret of a service identity; the new one is shown once on the page that follows.
#[server(prefix = "/api", endpoint = "replace_service_secret")]
pub(crate) async fn replace_service_secret(
    #[server(default)] client: String,
    identity: String,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_scope(Permission::ManageServices, &client)?;
        let mut tx = ctx.write(&actor).await?;
        let row = find(&mut tx, &actor, &identity).await?;
        let made = service_identities::replace_secret(&mut tx, &row).await?;
        let secret = made.ok_or(AppError::NotFound)?;
        let done = Done::to(format!("{}/service-identities", base_of(&actor))).commit(&ctx, tx).await?;
        kept::keep(&ctx, &actor, &row.name, &secret).await?;
        Ok(done)
    })
    .await
}

/// Ends a service identity.
#[server(prefix = "/api", endpoint = "end_service_identity")]
pub(crate) async fn end_service_identity(
    #[server(default)] client: String,
    identity: String,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_scope(Permission::ManageServices, &client)?;
        let mut tx = ctx.write(&actor).await?;
        let row = find(&mut tx, &actor, &identity).await?;
        if !service_identities::end(&mut tx, &row).await? {
            return Err(AppError::NotFound);
        }
        let said = format!("{} has ended.", row.name);
        Done::to(format!("{}/service-identities", base_of(&actor))).saying(said).commit(&ctx, tx).await
    })
    .await
}
