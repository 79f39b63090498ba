//! "See as this customer": staff and admins look at the portal through a customer's eyes, reading only, for half an
//! hour at most. The database gives the session the customer's context; the pages are the customer's own.

use eis::access::Permission;
use eis::values::ids::CustomerId;
use leptos::prelude::*;

use crate::components::{Button, Kind, PostForm};
use crate::server::auth::network;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, ctx, require_client};

/// The button on a customer's page, with the way to what is on record about the customer.
pub fn offer((context, hidden): (String, Vec<(String, String)>), log: String) -> impl IntoView {
    view! {
        <div class="actions">
            <PostForm action="/api/view_as" context=context hidden=hidden>
                <Button label="See as this customer" kind=Kind::Secondary/>
            </PostForm>
            <a href=log>"What is on record"</a>
        </div>
    }
}

/// Lets this session see the portal as a customer does.
#[server(prefix = "/api", endpoint = "view_as")]
pub(crate) async fn view_as(client: String, customer: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ViewClient, &client)?;
        let id: CustomerId = customer.parse().map_err(|_| AppError::NotFound)?;
        let (at, _) = actor.tenant()?;
        let tx = ctx.read(&actor).await?;
        eis::parties::customers::find(&tx, id).await?.ok_or(AppError::NotFound)?;
        drop(tx);
        ctx.db().view_as(actor.secret, at, id, &network(&ctx.address)).await?;
        // The bar says the rest.
        Ok(Done::to("/account"))
    })
    .await
}

/// Sees as oneself again.
#[server(prefix = "/api", endpoint = "stop_viewing")]
pub(crate) async fn stop_viewing() -> Result<(), ServerFnError> {
    act(async {
        let ctx = ctx()?;
        let actor = ctx.require_user()?;
        let viewed = ctx.db().stop_viewing(actor.secret).await?;
        let back = viewed.map(|(client, customer)| format!("/clients/{client}/customers/{customer}"));
        Ok(match back {
            Some(customer) => Done::to(customer).saying("You see as yourself again."),
            None => Done::to("/"),
        })
    })
    .await
}
