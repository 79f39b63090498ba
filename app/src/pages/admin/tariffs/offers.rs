//! What customers may compare: which tariffs are on offer, and whether customers see them at all.

use eis::access::Permission;
use eis::tariffs::customer;
use eis::values::ids::TariffRateId;
use leptos::prelude::*;

use crate::components::{Button, Kind, PostForm, Section};
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client};

/// The setting of a client, beneath its tariffs; a button for those who may change it.
pub(super) fn setting(allowed: bool, context: Option<String>, hidden: Vec<(String, String)>) -> impl IntoView {
    let text = if allowed {
        "Customers see what their own past year would have cost under each tariff marked as offered."
    } else {
        "Customers see their own tariff only."
    };
    let (label, value) =
        if allowed { ("Do not let customers compare", "no") } else { ("Let customers compare", "yes") };
    let form = context.map(|context| {
        let hidden = hidden.into_iter().chain([("allowed".to_owned(), value.to_owned())]).collect::<Vec<_>>();
        view! {
            <PostForm action="/api/allow_comparison" context=context hidden=hidden>
                <Button label=label kind=Kind::Secondary/>
            </PostForm>
        }
    });
    let title = if allowed { "Customers may compare tariffs" } else { "Customers may not compare tariffs" };
    view! { <Section title=title><div class="glance"><p>{text}</p>{form}</div></Section> }
}

/// Whether a tariff is on offer, with the button for those who may change it: context and hidden fields of its form.
pub(super) fn of_tariff(offered: bool, form: Option<(String, Vec<(String, String)>)>) -> impl IntoView {
    let text = if offered {
        "Customers compare their own past year with this tariff, where they may compare at all. All its versions are on offer."
    } else {
        "Customers who are not on this tariff do not see it."
    };
    let (label, value) = if offered { ("Take off offer", "no") } else { ("Offer to customers", "yes") };
    let form = form.map(|(context, hidden)| {
        let hidden = hidden.into_iter().chain([("offered".to_owned(), value.to_owned())]).collect::<Vec<_>>();
        view! {
            <PostForm action="/api/offer_tariff" context=context hidden=hidden>
                <Button label=label kind=Kind::Secondary/>
            </PostForm>
        }
    });
    let title = if offered { "On offer to customers" } else { "Not on offer to customers" };
    view! { <Section title=title><div class="glance"><p>{text}</p>{form}</div></Section> }
}

fn yes(typed: &str) -> Result<bool, AppError> {
    match typed {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(AppError::BadRequest("This form has no such choice.".to_owned())),
    }
}

/// Puts a tariff on offer, or takes it back.
#[server(prefix = "/api", endpoint = "offer_tariff")]
pub(crate) async fn offer_tariff(client: String, tariff: String, offered: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageTariffs, &client)?;
        let id: TariffRateId = tariff.parse().map_err(|_| AppError::NotFound)?;
        let offered = yes(&offered)?;
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        let code = customer::offer(&mut tx, id, offered).await?.code;
        let say = if offered {
            format!("{code} is on offer to customers.")
        } else {
            format!("{code} is not on offer any more.")
        };
        Done::to(format!("/clients/{at}/tariffs/{id}")).saying(say).commit(&ctx, tx).await
    })
    .await
}

/// Lets a client's customers compare tariffs, or no longer.
#[server(prefix = "/api", endpoint = "allow_comparison")]
pub(crate) async fn allow_comparison(client: String, allowed: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageTariffs, &client)?;
        let allowed = yes(&allowed)?;
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        customer::let_compare(&mut tx, allowed).await?;
        let say =
            if allowed { "Customers may compare tariffs." } else { "Customers may not compare tariffs any more." };
        Done::to(format!("/clients/{at}/tariffs")).saying(say).commit(&ctx, tx).await
    })
    .await
}
