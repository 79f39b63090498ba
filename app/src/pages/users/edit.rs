//! One role of one person: until when it holds, and taking it back.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use eis::access::Permission;
use eis::db::Tenant;
use eis::parties::users::{self, OrganizationUser, roles};
use leptos::prelude::*;

use super::records::{find, id_of};
use super::{may_change, narrow, place_of, reset};
use crate::components::{
    Button, ButtonLink, ConfirmPanel, DateField, ErrorSummary, Kind, PageHeader, PostForm, Section, SummaryList,
    SummaryRow, changed_meanwhile,
};
use crate::format;
use crate::forms::Reader;
use crate::forms::seen::{self, Shown};
use crate::messages::users as messages;
use crate::pages::frame::page;
use crate::pages::parts::field_errors;
use crate::pages::scope::{Scope, base_of, require_scope};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act};

/// `GET /organization/users/:assignment/edit`
pub async fn edit_in_organization(ctx: Ctx, Path(id): Path<String>) -> Result<Response, AppError> {
    let (scope, tx) = Scope::organization(&ctx, Permission::ManageUsers).await?;
    show(ctx, scope, tx, &id).await
}

/// `GET /clients/:client/users/:assignment/edit`
pub async fn edit_at_client(ctx: Ctx, Path((client, id)): Path<(String, String)>) -> Result<Response, AppError> {
    let (scope, tx) = Scope::client(&ctx, Permission::ManageUsers, &client).await?;
    show(ctx, scope, tx, &id).await
}

/// The other roles that the person of this one holds, as far as they are seen here.
async fn others(tx: &mut Tenant, row: &OrganizationUser) -> Result<Vec<OrganizationUser>, AppError> {
    let held = users::held_by(tx, row.user_id).await?;
    Ok(held.into_iter().filter(|other| other.assignment_id != row.assignment_id).collect())
}

/// What still gives a person access when a role is taken back, in sentences.
fn what_stays(others: &[OrganizationUser], at_client: bool) -> String {
    let named: Vec<String> =
        others.iter().map(|row| format!("{} ({})", row.role_label(), place_of(row, at_client))).collect();
    let stays = if named.is_empty() {
        format!(
            "No other role {} gives this person access.",
            if at_client { "at this client" } else { "in the organisation" }
        )
    } else {
        format!("Access stays by: {}.", named.join("; "))
    };
    let elsewhere = if at_client { " Roles outside this client are not shown here." } else { "" };
    stays + elsewhere
}

/// What the form shows of an assignment.
fn shown(row: &OrganizationUser) -> Shown {
    let last = row.last_day.map(|day| day.to_string()).unwrap_or_default();
    Shown::default().field("last_day", "Last day", last)
}

async fn show(ctx: Ctx, scope: Scope, mut tx: Tenant, id: &str) -> Result<Response, AppError> {
    let row = find(&mut tx, id).await?;
    let others = others(&mut tx, &row).await?;
    drop(tx);
    if !may_change(&scope, &row) {
        return Err(AppError::NotFound);
    }
    let (typed, narrowing) = narrow::apart(ctx.take_typed().await);
    let link = reset::take_link(&ctx, &scope, &row).await;
    let locale = scope.locale();
    let list = if scope.client.is_some() { "Customers' logins" } else { "Users and roles" };
    let place = scope.place(&[(list, "users")], &row.name);
    let back = format!("{}/users", scope.base());
    let shown = shown(&row);
    let hidden = vec![
        scope.hidden(),
        ("assignment".to_owned(), row.assignment_id.to_string()),
        ("page".to_owned(), format!("{back}/{}/edit", row.assignment_id)),
        shown.hidden(&typed),
    ];
    let (context, at_client) = (scope.actor.context_token(), scope.client.is_some());
    let role = row.role_label();
    let title = format!("{}, {role}", row.name);
    let held = row.clone();
    let html = page(&ctx, &scope.actor, place, title, move || {
        let until = row.last_day;
        let hint = format!("The role ends with this day in {}. Leave empty for no end. The person signs in again after a change; open invitations for the role stop working when it gets a last day.", row.time_zone);
        let mut rows = vec![SummaryRow::new("E-mail address", row.email.clone())];
        // A role of the whole organisation has no client, and one at a client no customer.
        rows.extend(row.client_name.map(|name| SummaryRow::new("Client", name)));
        rows.extend(row.customer_name.map(|name| SummaryRow::new("Customer", name)));
        rows.push(SummaryRow::new("Since", format::date(row.since, locale)));
        rows.push(SummaryRow::new(
            "Last day",
            until.map_or_else(|| "No end".to_owned(), |day| format::date(day, locale)),
        ));
        let last = until.map(|day| day.to_string()).unwrap_or_default();
        let (again, same) = (context.clone(), hidden.clone());
        let (ends, sessions, name) = (context.clone(), hidden.clone(), row.name.clone());
        let stay = what_stays(&others, at_client);
        let changed = changed_meanwhile(&typed, &shown);
        let lost = reset::section(&row.name, context.clone(), &hidden);
        let what_it_may_do = narrow::section(&held, &narrowing, context.clone(), &hidden);
        view! {
            <PageHeader title=row.name.clone() subtitle=role.clone()/>
            {link.map(reset::link_once)}
            <ErrorSummary errors=field_errors(&typed)/>
            <SummaryList rows=rows/>
            <Section title="Change">
                <PostForm action="/api/change_role" context=context hidden=hidden class="form">
                    <DateField name="last_day" label="Last day" hint=hint value=typed.value("last_day", last) error=typed.error("last_day") optional=true/>
                    <p class="hint">"For another role or client, invite the person again: one person may hold several roles."</p>
                    <div class="actions"><Button label="Save changes"/><ButtonLink label="Cancel" href=back kind=Kind::Secondary/></div>
                    {changed}
                </PostForm>
            </Section>
            {what_it_may_do}
            {lost}
            <Section title="Sessions">
                <ConfirmPanel
                    open="End this person's sessions…"
                    title=format!("End the sessions of {name} in the organisation?")
                    consequences=vec![
                        "They end at once, at every role here that you may take back.".to_owned(),
                        "The roles stay: the person may sign in again.".to_owned(),
                        "Sessions at other organisations go on.".to_owned(),
                    ]
                    label="End the sessions"
                    action="/api/end_user_sessions"
                    context=ends
                    hidden=sessions
                    kind=Kind::Secondary
                    note="For a browser that was left open or a phone that was lost. Take the role back below if the person is to stay out."
                />
            </Section>
            <Section title="Take back">
                <ConfirmPanel
                    open="Take the role back…"
                    title=format!("Take the role {role} back from {}?", row.name)
                    consequences=vec![
                        "The person's open sessions under this role end at once.".to_owned(),
                        "Open invitations for this role stop working.".to_owned(),
                        stay,
                    ]
                    label="Take the role back"
                    action="/api/revoke_role"
                    context=again
                    hidden=same
                    note="What the person did stays on record. To give the role again, invite the person again."
                />
            </Section>
        }
    })
    .await;
    Ok(html.into_response())
}

/// Changes until when a role holds.
#[server(prefix = "/api", endpoint = "change_role")]
pub(crate) async fn change_role(
    #[server(default)] client: String,
    assignment: String,
    #[server(default)] last_day: String,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_scope(Permission::ManageUsers, &client)?;
        let mut tx = ctx.write(&actor).await?;
        let id = id_of(&assignment)?;
        let row = roles::held(&mut tx, id).await?;
        let mut reader = Reader::default();
        let day = reader.optional_date("last_day", &last_day, "the last day");
        reader.errors.or(())?;
        seen::unchanged(&ctx.sent, &shown(&row))?;
        roles::set_last_day(&mut tx, id, day).await.map_err(messages::of_last_day)?;
        let did = if day == row.last_day { "stays as it was" } else { "changed" };
        let say = format!("Role of {} {did}.", row.name);
        Done::to(format!("{}/users", base_of(&actor))).saying(say).commit(&ctx, tx).await
    })
    .await
}

/// Takes a role back, from now on.
#[server(prefix = "/api", endpoint = "revoke_role")]
pub(crate) async fn revoke_role(#[server(default)] client: String, assignment: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_scope(Permission::ManageUsers, &client)?;
        let mut tx = ctx.write(&actor).await?;
        let row = roles::take_back(&mut tx, id_of(&assignment)?).await?;
        let others = others(&mut tx, &row).await?;
        let text =
            format!("{} is no longer {}. {}", row.name, row.role_label(), what_stays(&others, actor.at.is_some()));
        Done::to(format!("{}/users", base_of(&actor))).saying(text).commit(&ctx, tx).await
    })
    .await
}

/// Ends a person's sessions in the organization, and no role.
#[server(prefix = "/api", endpoint = "end_user_sessions")]
pub(crate) async fn end_user_sessions(
    #[server(default)] client: String,
    assignment: String,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_scope(Permission::ManageUsers, &client)?;
        let mut tx = ctx.write(&actor).await?;
        let (row, ended) = roles::end_sessions(&mut tx, id_of(&assignment)?).await?;
        let text = match ended {
            0 => format!("{} has no session open here; nothing was ended.", row.name),
            1 => format!("One session of {} has ended.", row.name),
            several => format!("{several} sessions of {} have ended.", row.name),
        };
        Done::to(format!("{}/users", base_of(&actor))).saying(text).commit(&ctx, tx).await
    })
    .await
}
