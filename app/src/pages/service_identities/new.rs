//! Making a service identity; its secret is shown once on the page that follows.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use eis::access::Permission;
use eis::parties::service_identities::{self, Command, NAME_CHARACTERS, NewServiceIdentity};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::kept;
use crate::components::{Button, ButtonLink, Checkbox, ErrorSummary, Field, Kind, PageHeader, PostForm};
use crate::forms::{FieldErrors, Reader, Typed};
use crate::pages::frame::page;
use crate::pages::parts::field_errors;
use crate::pages::scope::{Scope, base_of, require_scope};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act};

/// `GET /organization/service-identities/new`
pub async fn new_in_organization(ctx: Ctx) -> Result<Response, AppError> {
    let (scope, tx) = Scope::organization(&ctx, Permission::ManageServices).await?;
    drop(tx);
    show(ctx, scope).await
}

/// `GET /clients/:client/service-identities/new`
pub async fn new_at_client(ctx: Ctx, Path(client): Path<String>) -> Result<Response, AppError> {
    let (scope, tx) = Scope::client(&ctx, Permission::ManageServices, &client).await?;
    drop(tx);
    show(ctx, scope).await
}

async fn show(ctx: Ctx, scope: Scope) -> Result<Response, AppError> {
    let typed = ctx.take_typed().await;
    let place = scope.place(&[("Service identities", "service-identities")], "New service identity");
    let actor = scope.actor.clone();
    let html = page(&ctx, &actor, place, "New service identity", move || {
        view! {
            <PageHeader title="New service identity"/>
            {form(&scope, &typed)}
        }
    })
    .await;
    Ok(html.into_response())
}

fn form(scope: &Scope, typed: &Typed) -> impl IntoView + use<> {
    let typed = typed.clone();
    let list = format!("{}/service-identities", scope.base());
    let hidden = vec![scope.hidden(), ("page".to_owned(), format!("{list}/new"))];
    let reach = match &scope.client {
        Some(client) => format!("It will stand at {} alone.", client.name),
        None => {
            "It will stand at every client of the organisation. For one client alone, make it on that client's page."
                .to_owned()
        }
    };
    let commands = Command::ALL
        .into_iter()
        .map(|command| {
            let checked = !typed.value(command.code(), "").is_empty();
            // The fault of choosing none stands at the first.
            let error = if command == Command::ALL[0] { typed.error(command.code()) } else { String::new() };
            view! { <Checkbox name=command.code() label=command.label() checked=checked error=error/> }
        })
        .collect_view();
    view! {
        <ErrorSummary errors=field_errors(&typed)/>
        <PostForm action="/api/create_service_identity" context=scope.actor.context_token() hidden=hidden class="form">
            <Field name="name" label="Name" hint="As the audit log shows who did something: Nightly import." autocomplete="off" value=typed.value("name", "") error=typed.error("name")/>
            <fieldset>
                <legend>"May do"</legend>
                <p class="hint">{reach}</p>
                {commands}
            </fieldset>
            <p class="hint">"It goes on when your own role ends, until an admin ends it."</p>
            <div class="actions"><Button label="Make it"/><ButtonLink label="Cancel" href=list kind=Kind::Secondary/></div>
        </PostForm>
    }
}

/// What was typed to make one: a name, and a tick for each command.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NewForm {
    name: String,
    import_usage: String,
    rate_billing_run: String,
    read_overview: String,
}

impl NewForm {
    fn read(&self) -> Result<NewServiceIdentity, FieldErrors> {
        let mut reader = Reader::default();
        let name = reader.text("name", &self.name, "a name", NAME_CHARACTERS);
        let ticked = |command: &Command| match command {
            Command::ImportUsage => !self.import_usage.is_empty(),
            Command::RateBillingRun => !self.rate_billing_run.is_empty(),
            Command::ReadOverview => !self.read_overview.is_empty(),
        };
        let commands: Vec<Command> = Command::ALL.into_iter().filter(ticked).collect();
        if commands.is_empty() {
            reader.errors.add(Command::ALL[0].code(), "Choose at least one thing that it may do.");
        }
        reader.errors.or(NewServiceIdentity { name, commands })
    }
}

/// Makes a service identity.
#[server(prefix = "/api", endpoint = "create_service_identity")]
pub(crate) async fn create_service_identity(
    #[server(default)] client: String,
    #[server(flatten)] form: NewForm,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_scope(Permission::ManageServices, &client)?;
        let new = form.read()?;
        let mut tx = ctx.write(&actor).await?;
        let (_, secret) = service_identities::create(&mut tx, &new).await?;
        let done = Done::to(format!("{}/service-identities", base_of(&actor))).commit(&ctx, tx).await?;
        kept::keep(&ctx, &actor, &new.name, &secret).await?;
        Ok(done)
    })
    .await
}
