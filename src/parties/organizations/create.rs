//! Making an organization at the terminal: nothing in the portal makes one, since nobody stands above them all.

use diesel::prelude::*;
use diesel::result::DatabaseErrorKind;
use diesel_async::RunQueryDsl;

use crate::audit::{self, Entry};
use crate::db::owner::Owner;
use crate::db::schema::organizations;
use crate::parties::clients::CURRENCIES;
use crate::parties::users::create::CreateError;
use crate::values::ids::OrganizationId;

/// What makes an organization.
#[derive(Debug, Clone, Insertable, serde::Serialize)]
#[diesel(table_name = organizations)]
pub struct NewOrganization {
    /// Its short name, for commands: letters, digits and hyphens.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// ISO 4217: what new clients begin with.
    pub currency: String,
    /// IANA: what new clients begin with.
    pub time_zone: String,
    /// BCP 47: what new clients begin with.
    pub locale: String,
}

/// Makes an organization, on record in its own log.
///
/// # Errors
/// [`CreateError::Input`] with a sentence for whoever typed it.
pub async fn create(admin_url: &str, new: &NewOrganization) -> Result<OrganizationId, CreateError> {
    check(new).map_err(CreateError::Input)?;
    let id = OrganizationId::fresh();
    let mut tx = Owner::begin(admin_url).await?;
    tx.stand_at(id).await?;
    let written =
        diesel::insert_into(organizations::table).values((organizations::id.eq(id), new)).execute(&mut *tx).await;
    match written {
        Err(diesel::result::Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
            return Err(CreateError::Input(format!("there is an organisation {:?} already", new.slug)));
        }
        other => other?,
    };
    let entry = Entry {
        action: "create",
        entity: "organization",
        entity_id: Some(id.0),
        customer: None,
        summary: format!("Made the organisation {} at the terminal", new.name),
        details: audit::created(new),
    };
    audit::record_at_terminal(&mut tx, id, None, entry).await?;
    tx.commit().await?;
    Ok(id)
}

fn check(new: &NewOrganization) -> Result<(), String> {
    let slug = new.slug.as_bytes();
    let fine = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    if !(2..=63).contains(&slug.len()) || !slug.iter().all(fine) || slug.starts_with(b"-") {
        return Err(format!(
            "{:?} is not a short name: 2 to 63 small letters, digits and hyphens, no hyphen first, like northwind",
            new.slug
        ));
    }
    if !(1..=200).contains(&new.name.trim().chars().count()) {
        return Err("an organisation needs a name of at most 200 characters: give --name".to_owned());
    }
    if !CURRENCIES.contains(&new.currency.as_str()) {
        return Err(format!("{:?} is not a currency (ISO 4217) with two decimals, like EUR", new.currency));
    }
    if new.time_zone.parse::<chrono_tz::Tz>().is_err() {
        return Err(format!("{:?} is not a time zone, like Europe/Berlin", new.time_zone));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_before_the_database_is_asked() {
        let fine = NewOrganization {
            slug: "north-1".into(),
            name: "North".into(),
            currency: "EUR".into(),
            time_zone: "Europe/Berlin".into(),
            locale: "de-DE".into(),
        };
        assert_eq!(check(&fine), Ok(()));
        for slug in ["", "n", "North", "-north", "no_rth", &"n".repeat(64)] {
            let wrong = NewOrganization { slug: slug.to_owned(), ..fine.clone() };
            assert!(check(&wrong).unwrap_err().contains("is not a short name"), "{slug}");
        }
        let wrong = |change: fn(&mut NewOrganization)| {
            let mut new = fine.clone();
            change(&mut new);
            check(&new).unwrap_err()
        };
        assert!(wrong(|new| new.name = "  ".into()).contains("needs a name"));
        assert!(wrong(|new| new.currency = "JPY".into()).contains("is not a currency"));
        assert!(wrong(|new| new.time_zone = "Berlin".into()).contains("is not a time zone"));
    }
}
