//! Users and their roles: of an organization, or the customers' logins of one client.

mod edit;
mod invite;
mod narrow;
mod records;
mod reset;

use std::collections::{BTreeSet, HashMap};

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use eis::access::{Permission, Role};
use eis::parties::clients;
use eis::parties::users::{self, Filter, OpenInvitation, OrganizationUser};
use eis::values::names;
use leptos::prelude::*;
use serde::Deserialize;

pub use edit::{edit_at_client, edit_in_organization};
pub use invite::{invite_to_client, invite_to_organization};

use crate::components::{
    Choice, Column, ConfirmPanel, DataTable, EmptyState, FilterBar, FilterSelect, Notice, PageHeader, Pagination,
    Section, Tag, Tone,
};
use crate::format;
use crate::pages::frame::page;
use crate::pages::parts::{PAGE_ROWS, address, rows_text, turns};
use crate::pages::scope::Scope;
use crate::pages::staff::step_up;
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{encode, see_other};
use crate::server::query::Query;

/// Search, filter and page of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    role: String,
    offset: i64,
}

impl ListQuery {
    fn href(&self, path: &str, offset: &str) -> String {
        address(path, &[("q", &self.q), ("role", &self.role), ("offset", offset)])
    }
}

/// `GET /organization/users`
pub async fn of_organization(ctx: Ctx, Query(query): Query<ListQuery>) -> Result<Response, AppError> {
    let (scope, tx) = Scope::organization(&ctx, Permission::ViewUsers).await?;
    show(ctx, scope, tx, query).await
}

/// `GET /clients/:client/users`
pub async fn of_client(
    ctx: Ctx,
    Path(client): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Response, AppError> {
    let (scope, tx) = Scope::client(&ctx, Permission::ViewUsers, &client).await?;
    show(ctx, scope, tx, query).await
}

/// The roles that the one who asks may give and take back here now: EIS staff none before they step up.
fn grants(scope: &Scope) -> &'static [Role] {
    if scope.actor.may(Permission::ManageUsers) { scope.actor.grants(scope.client.is_some()) } else { &[] }
}

/// How EIS staff who only read here come to change roles; nothing for anybody else.
fn step_up_note(scope: &Scope, path: &str) -> Option<impl IntoView + use<>> {
    let reads = scope.client.is_none() && scope.actor.may_step_up_to(Permission::ManageUsers);
    let href = format!("{}?next={}", step_up::PATH, encode(path));
    reads.then(|| view! { <p class="hint">"You read here. " <a href=href>"Step up"</a> " to invite an energy admin or to change the role of one."</p> })
}

/// Whether the one who asks may change this assignment here; nobody changes their own.
fn may_change(scope: &Scope, user: &OrganizationUser) -> bool {
    user.user_id != scope.actor.user && Role::parse(&user.role).is_some_and(|role| grants(scope).contains(&role))
}

async fn show(ctx: Ctx, scope: Scope, mut tx: eis::db::Tenant, mut query: ListQuery) -> Result<Response, AppError> {
    let at_client = scope.client.is_some();
    if at_client {
        query.role = Role::CustomerUser.code().to_owned();
    }
    let offset = query.offset.max(0);
    let filter = Filter { search: query.q.trim().to_owned(), role: query.role.clone() };
    let (rows, total) = users::list(&mut tx, &filter, offset, PAGE_ROWS).await?;
    let mut invitations = users::open_invitations(&mut tx).await?;
    let clients: Vec<_> = clients::list(&mut tx).await?.into_iter().map(|client| (client.id, client.name)).collect();
    drop(tx);
    invitations.retain(|open| !at_client || open.role == Role::CustomerUser.code());
    let invitations: Vec<(OpenInvitation, String)> = invitations
        .into_iter()
        .map(|open| {
            let name = clients.iter().find(|(id, _)| open.client_id == Some(*id)).map(|(_, name)| name.clone());
            (open, name.unwrap_or_default())
        })
        .collect();
    let link = invite::take_link(&ctx, &scope).await;
    let path = format!("{}/users", scope.base());
    if rows.is_empty() && offset > 0 {
        return Ok(see_other(&query.href(&path, "")));
    }
    let place = scope.place(&[], "");
    let actor = scope.actor.clone();
    let title = if at_client { "Customers' logins" } else { "Users and roles" };
    let html = page(&ctx, &actor, place, title, move || {
        let filtered = !query.q.is_empty() || (!at_client && !query.role.is_empty());
        let invite = if grants(&scope).is_empty() { "" } else { "Invite" };
        let summary = rows_text(offset, rows.len(), total, if at_client { "logins" } else { "roles" }, scope.locale());
        let [first, previous, next] = turns(offset, PAGE_ROWS, total, |to| query.href(&path, to));
        let shown = !rows.is_empty();
        // Then the empty list has the button: one filled one in sight.
        let nobody = !shown && !filtered;
        let days = days_note(&scope);
        let known = rows.iter().map(|row| row.name.as_str());
        let looks = looks(known.chain(invitations.iter().map(|(open, _)| open.name.as_str())));
        let body = rows.into_iter().map(|row| line(&scope, row, &path, &looks)).collect_view();
        let columns = ["Name", "Role", "For", "Since", "Last day", "Change"].map(Column::text).into();
        let selects = if at_client { Vec::new() } else { vec![role_filter(&query.role)] };
        view! {
            <PageHeader title=title action=if nobody { "" } else { invite } href=format!("{path}/invite")/>
            <div class="stack">
            {link.map(link_once)}
            {step_up_note(&scope, &path)}
            <FilterBar action=path.clone() search="Name, address or customer" q=query.q.clone() selects=selects clear={if filtered { path.clone() } else { String::new() }}/>
            </div>
            {if shown {
                view! {
                    <DataTable caption=title columns=columns cards=true>{body}</DataTable>
                    <p class="hint">{days}</p>
                    <Pagination summary=summary first=first previous=previous next=next/>
                }.into_any()
            } else if filtered {
                view! { <EmptyState title="Nobody matches" text="Try fewer letters, or clear the search." action="Clear the search" href=path.clone()/> }.into_any()
            } else {
                view! { <EmptyState title="Nobody yet" text="Invite people by a one-time link; they choose their own password." action=invite href=format!("{path}/invite")/> }.into_any()
            }}
            {(!invitations.is_empty()).then(|| open_invitations(&scope, invitations, &path, &looks))}
        }
    })
    .await;
    Ok(html.into_response())
}

/// In which zone the days of the list are meant.
fn days_note(scope: &Scope) -> String {
    match &scope.client {
        Some(client) => format!("A role ends with its last day in {}.", client.time_zone),
        None => format!(
            "A role ends with its last day where its client is, one of the whole organisation in {}.",
            scope.organization.time_zone
        ),
    }
}

fn role_filter(value: &str) -> FilterSelect {
    let roles = [Role::EnergyAdmin, Role::ClientAdmin, Role::CustomerUser];
    let all = std::iter::once(Choice::new("", "All"));
    FilterSelect {
        name: "role".to_owned(),
        label: "Role".to_owned(),
        value: value.to_owned(),
        choices: all.chain(roles.map(|role| Choice::new(role.code(), role.label()))).collect(),
    }
}

fn link_once((email, link): (String, String)) -> impl IntoView {
    view! {
        <Notice tone=Tone::Good title=format!("Invitation for {email}")>
            <p>"Send this link yourself. It is shown here once, works once, and for 14 days:"</p>
            <p class="one-time-link"><code>{link}</code></p>
        </Notice>
    }
}

/// Where a role holds; at a client's pages the client goes without saying.
fn place_of(row: &OrganizationUser, at_client: bool) -> String {
    match (row.client_name.clone(), row.customer_name.clone()) {
        (Some(client), Some(customer)) if !at_client => format!("{customer}, {client}"),
        (_, Some(customer)) => customer,
        (Some(client), None) => client,
        (None, None) => "The organisation".to_owned(),
    }
}

fn line(scope: &Scope, row: OrganizationUser, path: &str, looks: &Looks) -> impl IntoView + use<> {
    let day = |day: NaiveDate| format::date(day, scope.locale());
    let ended = row.ended();
    let change = (may_change(scope, &row) && !ended).then(|| format!("{path}/{}/edit", row.assignment_id));
    let until = row.last_day.map(|last| if ended { format!("{} (ended)", day(last)) } else { day(last) });
    let disabled = row.status == "disabled";
    let place = place_of(&row, scope.client.is_some());
    let doubt = doubt(&row.name, looks);
    view! {
        <tr>
            <th scope="row"><bdi>{row.name.clone()}</bdi> {doubt} {disabled.then(|| view! { " " <Tag text="Disabled"/> })} <span class="sub">{broken(&row.email)}</span></th>
            <td class="nowrap" data-label="Role">{row.role_label()}</td>
            <td data-label="For">{place}</td>
            <td class="nowrap" data-label="Since">{day(row.since)}</td>
            <td class="nowrap" data-label="Last day">{until.unwrap_or_else(|| "–".to_owned())}</td>
            <td>{change.map(|href| view! { <a href=href>"Change" <span class="visually-hidden">" the role of " {row.name}</span></a> })}</td>
        </tr>
    }
}

/// The names of a page by what they look like.
type Looks = HashMap<String, BTreeSet<String>>;

/// What is odd about a name that may be meant to be taken for another one.
fn doubt(name: &str, looks: &Looks) -> impl IntoView + use<> {
    let alike = looks.get(&names::look(name)).is_some_and(|names| names.len() > 1);
    let told = if names::is_mixed(name) { Some("Mixed alphabets") } else { alike.then_some("Looks like another name") };
    told.map(|text| view! { " " <Tag text=text tone=Tone::Warn/> })
}

/// Names that look alike and are not the same, but for case, stand together.
fn looks<'n>(names: impl Iterator<Item = &'n str>) -> Looks {
    let mut looks = Looks::new();
    for name in names {
        looks.entry(names::look(name)).or_default().insert(name.to_lowercase());
    }
    looks
}

/// An e-mail address that a narrow column breaks behind its @.
fn broken(email: &str) -> impl IntoView + use<> {
    let (person, host) = email.split_at(email.find('@').map_or(0, |at| at + 1));
    let (person, host) = (person.to_owned(), host.to_owned());
    view! { {person} <wbr/> {host} }
}

fn open_invitations(
    scope: &Scope,
    rows: Vec<(OpenInvitation, String)>,
    path: &str,
    looks: &Looks,
) -> impl IntoView + use<> {
    let grants = grants(scope);
    let body = rows
        .into_iter()
        .map(|(open, client)| {
            let role = Role::parse(&open.role);
            let label = role.map_or_else(String::new, |role| role.narrowed_label(open.narrowed));
            let what = if client.is_empty() { label } else { format!("{label}, {client}") };
            let until = format::date(open.last_day, scope.locale());
            let hidden = vec![scope.hidden(), ("invitation".to_owned(), open.id.to_string()), ("page".to_owned(), path.to_owned())];
            let mine = role.is_some_and(|role| grants.contains(&role));
            let panel = mine.then(|| view! {
                <ConfirmPanel
                    open="Revoke…"
                    title=format!("Revoke the invitation for {}?", open.email)
                    consequences=vec!["Its link stops working at once.".to_owned(), "You may invite the person again.".to_owned()]
                    label="Revoke invitation"
                    action="/api/revoke_invitation"
                    context=scope.actor.context_token()
                    hidden=hidden
                />
            });
            view! {
                <tr>
                    <th scope="row"><bdi>{open.name.clone()}</bdi> {doubt(&open.name, looks)} <span class="sub">{broken(&open.email)}</span></th>
                    <td data-label="As">{what}</td>
                    <td class="nowrap" data-label="Link until">{until}</td>
                    <td>{panel}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = ["Invited", "As", "Last day of the link", "Revoke"].map(Column::text).into();
    view! {
        <Section title="Open invitations">
            <DataTable caption="Open invitations" columns=columns cards=true>{body}</DataTable>
        </Section>
    }
}
