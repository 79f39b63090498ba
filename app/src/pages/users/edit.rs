//! One role of one person: until when it holds, and taking it back.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
use eis::access::{Permission, Role};
use eis::audit::{self, Entry};
use eis::db::Tenant;
use eis::ids::AssignmentId;
use eis::usage::days::day_start;
use eis::users::{self, OrganizationUser};
use eis::{clients, organizations};
use leptos::prelude::*;
use serde_json::json;

use super::may_change;
use crate::components::{
    Button, ButtonLink, ConfirmPanel, DateField, ErrorSummary, Kind, PageHeader, PostForm, Section, SummaryList,
    SummaryRow, changed_meanwhile,
};
use crate::format;
use crate::forms::seen::{self, Shown};
use crate::forms::{FieldErrors, Reader};
use crate::pages::frame::page;
use crate::pages::parts::field_errors;
use crate::pages::scope::{Scope, about, base_of, require_scope};
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

/// The assignment of an address, while it is in force.
async fn find(tx: &mut Tenant, id: &str) -> Result<OrganizationUser, AppError> {
    let id: AssignmentId = id.parse().map_err(|_| AppError::NotFound)?;
    let found = users::find(tx, id).await?.filter(|row| row.valid_to.is_none_or(|to| to > Utc::now()));
    found.ok_or(AppError::NotFound)
}

/// The assignment of an address, held until the transaction ends: of two who change it at once, one waits here.
async fn find_held(tx: &mut Tenant, id: &str) -> Result<OrganizationUser, AppError> {
    users::hold(tx, id.parse().map_err(|_| AppError::NotFound)?).await?;
    find(tx, id).await
}

/// The last day on which something that ends at `to` still holds.
pub(super) fn last_day(to: DateTime<Utc>, zone: Tz) -> NaiveDate {
    (to - Duration::seconds(1)).with_timezone(&zone).date_naive()
}

/// What the form shows of an assignment.
fn shown(row: &OrganizationUser, zone: Tz) -> Shown {
    let last = row.valid_to.map(|to| last_day(to, zone).to_string()).unwrap_or_default();
    Shown::default().field("last_day", "Last day", last)
}

async fn show(ctx: Ctx, scope: Scope, mut tx: Tenant, id: &str) -> Result<Response, AppError> {
    let row = find(&mut tx, id).await?;
    drop(tx);
    if !may_change(&scope, &row) {
        return Err(AppError::NotFound);
    }
    let typed = ctx.take_typed().await;
    let (locale, zone) = (scope.locale(), scope.zone());
    let list = if scope.client.is_some() { "Customers' logins" } else { "Users and roles" };
    let place = scope.place(&[(list, "users")], &row.name);
    let back = format!("{}/users", scope.base());
    let shown = shown(&row, zone);
    let hidden = vec![
        scope.hidden(),
        ("assignment".to_owned(), row.assignment_id.to_string()),
        ("page".to_owned(), format!("{back}/{}/edit", row.assignment_id)),
        shown.hidden(&typed),
    ];
    let context = scope.actor.context_token();
    let role = Role::parse(&row.role).map_or("", Role::label);
    let title = format!("{}, {role}", row.name);
    let html = page(&ctx, &scope.actor, place, title.clone(), move || {
        let until = row.valid_to.map(|to| last_day(to, zone));
        let rows = vec![
            SummaryRow::new("E-mail address", row.email.clone()),
            SummaryRow::new("Client", row.client_name.unwrap_or_default()),
            SummaryRow::new("Customer", row.customer_name.unwrap_or_default()),
            SummaryRow::new("Since", format::date(row.valid_from.with_timezone(&zone).date_naive(), locale)),
            SummaryRow::new("Last day", until.map_or_else(|| "No end".to_owned(), |day| format::date(day, locale))),
        ];
        let last = until.map(|day| day.to_string()).unwrap_or_default();
        let (again, same) = (context.clone(), hidden.clone());
        let changed = changed_meanwhile(&typed, &shown);
        view! {
            <PageHeader title=title/>
            <ErrorSummary errors=field_errors(&typed)/>
            <SummaryList rows=rows/>
            <Section title="Change">
                <PostForm action="/api/change_role" context=context hidden=hidden class="form">
                    <DateField name="last_day" label="Last day" hint="Leave empty for no end. The person signs in again after a change." value=typed.value("last_day", last) error=typed.error("last_day") optional=true/>
                    <p class="hint">"For another role or client, invite the person again: one person may hold several roles."</p>
                    <div class="actions"><Button label="Save changes"/><ButtonLink label="Cancel" href=back kind=Kind::Secondary/></div>
                    {changed}
                </PostForm>
            </Section>
            <Section title="Take back">
                <ConfirmPanel
                    open="Take the role back…"
                    title=format!("Take the role {role} back from {}?", row.name)
                    consequences=vec![
                        "The person's open sessions under this role end at once.".to_owned(),
                        "Other roles that the person holds stay.".to_owned(),
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
        let row = find_held(&mut tx, &assignment).await?;
        let mut reader = Reader::default();
        let day = reader.optional_date("last_day", &last_day, "the last day");
        reader.errors.or(())?;
        let zone = zone_of(&mut tx, &row, &actor).await?;
        seen::unchanged(&ctx.sent, &shown(&row, zone))?;
        let ends = day.and_then(|day| day.checked_add_days(Days::new(1))).map(|next| day_start(zone, next));
        if ends.is_some_and(|ends| ends <= Utc::now()) {
            return Err(
                FieldErrors::one("last_day", "Enter today or a day to come, or take the role back below.").into()
            );
        }
        if !users::end_assignment(&mut tx, row.assignment_id, ends).await? {
            return Err(AppError::NotFound);
        }
        let entry = Entry {
            action: "update",
            entity: "role_assignment",
            entity_id: Some(row.assignment_id.0),
            customer: row.customer_id,
            summary: format!("Changed until when {} ({}) is {}", row.name, row.email, label(&row)),
            details: audit::changed(
                json!({ "last_day": row.valid_to.map(|to| self::last_day(to, zone)) }),
                json!({ "last_day": day }),
            ),
        };
        audit::record(&mut tx, &about(&actor, row.client_id), entry).await?;
        Done::to(format!("{}/users", base_of(&actor)))
            .saying(format!("Role of {} changed.", row.name))
            .commit(&ctx, tx)
            .await
    })
    .await
}

fn label(row: &OrganizationUser) -> &'static str {
    Role::parse(&row.role).map_or("", Role::label)
}

/// The zone in which the last day of an assignment ends: its client's, or the organization's.
async fn zone_of(tx: &mut Tenant, row: &OrganizationUser, actor: &eis::access::Actor) -> Result<Tz, AppError> {
    let name = if let (Some(client), Some(_)) = (row.client_id, actor.at) {
        clients::find(tx, actor.open_organization()?, client).await?.map(|client| client.time_zone)
    } else {
        let open = actor.organization.as_ref().map(|open| open.id).ok_or(AppError::Forbidden)?;
        organizations::find(tx, open).await?.map(|organization| organization.time_zone)
    };
    Ok(name.and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC))
}

/// Takes a role back, from now on.
#[server(prefix = "/api", endpoint = "revoke_role")]
pub(crate) async fn revoke_role(#[server(default)] client: String, assignment: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_scope(Permission::ManageUsers, &client)?;
        let mut tx = ctx.write(&actor).await?;
        let row = find_held(&mut tx, &assignment).await?;
        if !users::end_assignment(&mut tx, row.assignment_id, Some(Utc::now())).await? {
            return Err(AppError::NotFound);
        }
        let entry = Entry {
            action: "revoke",
            entity: "role_assignment",
            entity_id: Some(row.assignment_id.0),
            customer: row.customer_id,
            summary: format!("Took the role {} back from {} ({})", label(&row), row.name, row.email),
            details: audit::removed(json!({
                "name": row.name, "email": row.email, "role": row.role, "client": row.client_name, "customer": row.customer_name,
                "valid_from": row.valid_from, "valid_to": row.valid_to,
            })),
        };
        audit::record(&mut tx, &about(&actor, row.client_id), entry).await?;
        let text = format!("{} is no longer {}.", row.name, label(&row));
        Done::to(format!("{}/users", base_of(&actor))).saying(text).commit(&ctx, tx).await
    })
    .await
}
