//! Inviting somebody by a one-time link, which is shown once; and taking an invitation back.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use eis::access::{Actor, Permission, Role};
use eis::parties::clients::{self, Client};
use eis::parties::users::invitations::{self, Invite, InviteViolation};
use eis::values::ids::{ClientId, InvitationId};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{grants, narrow};
use crate::components::{Button, ButtonLink, Choice, ErrorSummary, Field, Kind, PageHeader, PostForm, SelectField};
use crate::forms::{FieldErrors, Reader, Typed};
use crate::messages::users as messages;
use crate::pages::frame::page;
use crate::pages::parts::field_errors;
use crate::pages::scope::{Scope, base_of, require_scope};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act};

/// Where the session keeps a link until its page has shown it.
const LINK_KEY: &str = "invitation_link";

/// A link that waits to be shown: where, to whom, for which address.
#[derive(Debug, Serialize, Deserialize)]
struct KeptLink {
    base: String,
    by: String,
    email: String,
    link: String,
}

/// The link of the invitation just made here, once.
pub(super) async fn take_link(ctx: &Ctx, scope: &Scope) -> Option<(String, String)> {
    let kept: KeptLink = ctx.auth.session.get(LINK_KEY).await.ok().flatten()?;
    if kept.base != scope.base() || kept.by != scope.actor.user.to_string() {
        return None;
    }
    let _ = ctx.auth.session.remove::<KeptLink>(LINK_KEY).await;
    Some((kept.email, kept.link))
}

async fn keep_link(ctx: &Ctx, actor: &Actor, email: &str, token: &[u8]) -> Result<(), AppError> {
    let kept = KeptLink {
        base: base_of(actor),
        by: actor.user.to_string(),
        email: email.to_owned(),
        link: format!("{}/invitation/{}", ctx.origin, eis::values::hex::of(token)),
    };
    ctx.auth.session.insert(LINK_KEY, kept).await.map_err(|e| AppError::Internal(e.to_string()))
}

/// `GET /organization/users/invite`
pub async fn invite_to_organization(ctx: Ctx) -> Result<Response, AppError> {
    let (scope, mut tx) = Scope::organization(&ctx, Permission::ManageUsers).await?;
    let clients = clients::list(&mut tx).await?;
    drop(tx);
    show(ctx, scope, clients).await
}

/// `GET /clients/:client/users/invite`
pub async fn invite_to_client(ctx: Ctx, Path(client): Path<String>) -> Result<Response, AppError> {
    let (scope, tx) = Scope::client(&ctx, Permission::ManageUsers, &client).await?;
    drop(tx);
    show(ctx, scope, Vec::new()).await
}

async fn show(ctx: Ctx, scope: Scope, clients: Vec<Client>) -> Result<Response, AppError> {
    if grants(&scope).is_empty() {
        return Err(AppError::Forbidden);
    }
    let typed = ctx.take_typed().await;
    let list = if scope.client.is_some() { "Customers' logins" } else { "Users and roles" };
    let place = scope.place(&[(list, "users")], "Invite");
    let actor = scope.actor.clone();
    let html = page(&ctx, &actor, place, "Invite", move || {
        view! {
            <PageHeader title="Invite" subtitle="You get a link to send yourself. It works once, for 14 days; the person chooses a password, or proves theirs."/>
            {form(&scope, &typed, clients)}
        }
    })
    .await;
    Ok(html.into_response())
}

fn form(scope: &Scope, typed: &Typed, clients: Vec<Client>) -> impl IntoView + use<> {
    let typed = typed.clone();
    let list = format!("{}/users", scope.base());
    let roles = grants(scope);
    let mut hidden = vec![scope.hidden(), ("page".to_owned(), format!("{list}/invite"))];
    let only = if let [only] = roles { Some(*only) } else { None };
    if let Some(role) = only {
        hidden.push(("role".to_owned(), role.code().to_owned()));
    }
    let choices: Vec<Choice> = roles.iter().map(|role| Choice::new(role.code(), role.label())).collect();
    let first = roles.first().map_or("", |role| role.code());
    let customers = roles.contains(&Role::CustomerUser);
    let at = (scope.client.is_none() && customers).then(|| {
        let none = std::iter::once(Choice::new("", "Choose a client"));
        none.chain(clients.iter().map(|client| Choice::new(client.id.to_string(), client.name.clone())))
            .collect::<Vec<_>>()
    });
    let account_hint = if only.is_some() {
        "The account that the person will see."
    } else {
        "For a customer: the account that the person will see."
    };
    view! {
        <ErrorSummary errors=field_errors(&typed)/>
        <PostForm action="/api/invite_user" context=scope.actor.context_token() hidden=hidden class="form">
            <Field name="name" label="Name" autocomplete="off" value=typed.value("name", "") error=typed.error("name")/>
            <Field name="email" label="E-mail address" kind="email" autocomplete="off" hint="What the person signs in with." value=typed.value("email", "") error=typed.error("email")/>
            {only.is_none().then(|| view! { <SelectField name="role" label="Role" choices=choices value=typed.value("role", first) error=typed.error("role")/> })}
            {at.map(|choices| view! { <SelectField name="at_client" label="Client" choices=choices value=typed.value("at_client", "") error=typed.error("at_client")/> })}
            {narrow::choice(roles, &typed)}
            {customers.then(|| view! { <Field name="account_number" label="Account number" autocomplete="off" width="w10" hint=account_hint optional={only.is_none()} value=typed.value("account_number", "") error=typed.error("account_number")/> })}
            <div class="actions"><Button label="Make the link"/><ButtonLink label="Cancel" href=list kind=Kind::Secondary/></div>
        </PostForm>
    }
}

/// What was typed to invite somebody.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct InviteForm {
    name: String,
    email: String,
    role: String,
    at_client: String,
    account_number: String,
    narrowed: String,
}

impl InviteForm {
    fn read(&self, actor: &Actor) -> Result<Invite, FieldErrors> {
        let mut reader = Reader::default();
        let name = reader.text("name", &self.name, "the person's name", 200);
        let email = reader.login("email", &self.email);
        let granted = actor.grants(actor.at.is_some());
        let codes: Vec<&str> = granted.iter().map(|role| role.code()).collect();
        let role = reader.choice("role", &self.role, "a role", &codes).to_owned();
        let client: Option<ClientId> = match Role::parse(&role) {
            Some(Role::ClientAdmin | Role::CustomerUser) => {
                actor.at.or_else(|| reader.id("at_client", &self.at_client, "a client"))
            }
            _ => None,
        };
        let account_number = if role == Role::CustomerUser.code() {
            reader.text("account_number", &self.account_number, "the account number", 40)
        } else {
            if !self.account_number.trim().is_empty() {
                let (field, fault) = messages::words(&InviteViolation::AccountWithoutCustomer);
                reader.errors.add(field, fault);
            }
            String::new()
        };
        let narrowed = narrow::read(&mut reader, Role::parse(&role), &self.narrowed);
        reader.errors.or(Invite { email, name, role, client, account_number, narrowed })
    }
}

/// Invites somebody; the link is shown once on the page that follows.
#[server(prefix = "/api", endpoint = "invite_user")]
pub(crate) async fn invite_user(
    #[server(default)] client: String,
    #[server(flatten)] form: InviteForm,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_scope(Permission::ManageUsers, &client)?;
        let invite = form.read(&actor)?;
        let mut tx = ctx.write(&actor).await?;
        let token = invitations::create(&mut tx, &invite).await?;
        let done = Done::to(format!("{}/users", base_of(&actor))).commit(&ctx, tx).await?;
        keep_link(&ctx, &actor, &invite.email, &token).await?;
        Ok(done)
    })
    .await
}

/// Takes an open invitation back.
#[server(prefix = "/api", endpoint = "revoke_invitation")]
pub(crate) async fn revoke_invitation(
    #[server(default)] client: String,
    invitation: String,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_scope(Permission::ManageUsers, &client)?;
        let id: InvitationId = invitation.parse().map_err(|_| AppError::NotFound)?;
        let mut tx = ctx.write(&actor).await?;
        let open = invitations::revoke(&mut tx, id).await?;
        Done::to(format!("{}/users", base_of(&actor)))
            .saying(format!("Invitation for {} revoked.", open.email))
            .commit(&ctx, tx)
            .await
    })
    .await
}
