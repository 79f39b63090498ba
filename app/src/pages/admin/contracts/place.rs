//! Where a new contract is: at a service point that is there, or at a new address.

use eis::access::Actor;
use eis::db::Tenant;
use eis::parties::contracts::At;
use eis::parties::service_points::{self, ServicePoint};
use eis::values::identifiers;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::components::{Choice, Field, SelectField, TextArea};
use crate::forms::{Reader, Typed};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;

/// How many service points are offered to choose from.
const MATCHES: i64 = 50;

/// What was typed to say which service point that is there is meant.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PlaceForm {
    place: String,
    place_id: String,
}

/// The service points that have something typed in their supply point id or address; none where nothing is typed.
async fn found(tx: &Tenant, typed: &str) -> Result<Vec<ServicePoint>, AppError> {
    match typed.trim() {
        "" => Ok(vec![]),
        typed => Ok(service_points::list(tx, typed, None, MATCHES).await?),
    }
}

/// The service points to choose from, where a form that was sent back may have meant several.
///
/// # Errors
/// When the database fails.
pub async fn offered(ctx: &Ctx, actor: &Actor, typed: &Typed) -> Result<Vec<ServicePoint>, AppError> {
    match typed.value("place", "") {
        place if place.trim().is_empty() => Ok(vec![]),
        place => found(&ctx.read(actor).await?, &place).await,
    }
}

impl PlaceForm {
    /// The service points that may be meant.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn found(&self, tx: &Tenant) -> Result<Vec<ServicePoint>, AppError> {
        found(tx, &self.place).await
    }

    /// Where the contract is: at one of the service points that were found, or at the address typed in `field`.
    pub fn read(&self, reader: &mut Reader, found: &[ServicePoint], (field, address): (&str, &str)) -> At {
        if self.place.trim().is_empty() {
            return At::New(reader.text(field, address, "the service address", 400));
        }
        if !address.trim().is_empty() {
            reader.errors.add(field, "Enter a new address or a service point that is there, not both.");
        }
        match self.one_of(found) {
            Ok(place) => At::Known(place.id),
            Err((field, fault)) => {
                reader.errors.add(field, fault);
                At::New(String::new())
            }
        }
    }

    /// The service point that is meant: the one that was chosen, else the one called so, else the only one found.
    fn one_of<'p>(&self, found: &'p [ServicePoint]) -> Result<&'p ServicePoint, (&'static str, &'static str)> {
        let typed = self.place.trim();
        let chosen = found.iter().find(|place| place.id.to_string() == self.place_id);
        let called = || found.iter().find(|place| identifiers::same(&place.supply_point_id, typed));
        let only = || found.first().filter(|_| found.len() == 1);
        chosen.or_else(called).or_else(only).ok_or(if found.is_empty() {
            ("place", "No service point has this in its supply point id or its address.")
        } else {
            ("place_id", "Several service points have this in them: choose one.")
        })
    }
}

/// The place of a new contract: one that is there, or a new one, whose address is typed in `field`.
pub fn where_it_is(typed: &Typed, found: Vec<ServicePoint>, field: &'static str) -> impl IntoView + use<> {
    let fault = typed.error("place_id");
    let several = found.len() > 1;
    let choices: Vec<Choice> = std::iter::once(Choice::new("", "Choose a service point"))
        .chain(found.into_iter().map(|place| {
            let label = if place.supply_point_id.is_empty() {
                place.address
            } else {
                format!("{} ({})", place.address, place.supply_point_id)
            };
            Choice::new(place.id.to_string(), label)
        }))
        .collect();
    view! {
        <Field name="place" label="Service point that is there" autocomplete="off" hint="Its supply point id or a part of its address: somebody moves in." value=typed.value("place", "") error=typed.error("place") optional=true/>
        {several.then(|| view! {
            <SelectField name="place_id" label="Which one" choices=choices value=typed.value("place_id", "") error=fault/>
        })}
        <TextArea name=field label="Or a new service address" rows=3 hint="Where the energy is used, if nobody was supplied there yet." value=typed.value(field, "") error=typed.error(field) optional=true/>
    }
}
