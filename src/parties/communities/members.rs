//! Members of a community: customers with their keys, from a day to a day. A customer is one member a day, and on no day do
//! the keys come to more than the whole.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;
use serde::Serialize;

use super::{Community, locked, record};
use crate::access::Actor;
use crate::audit;
use crate::db::AtClient;
use crate::db::refused::{Outcome, Refused};
use crate::db::schema::community_members;
use crate::values::codes::codes;
use crate::values::ids::{ClientId, CommunityId, CommunityMemberId, CustomerId, OrganizationId};

/// The most decimals of a key.
pub const SHARE_DECIMALS: u32 = 6;

codes! {
    /// What a member does.
    Role {
        /// Use what others generate.
        Consumer = "consumer",
        /// Generate.
        Producer = "producer",
        /// Both.
        Both = "both",
    }
}

/// A customer's being a member.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = community_members)]
pub struct Member {
    /// Its id.
    pub id: CommunityMemberId,
    /// Who.
    pub customer_id: CustomerId,
    /// What they do.
    pub role: Role,
    /// Their key: from 0 to 1.
    pub share: Decimal,
    /// First day.
    pub valid_from: NaiveDate,
    /// First day no longer; `None`: it goes on.
    pub valid_to: Option<NaiveDate>,
}

/// What makes a membership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewMember {
    /// Who.
    pub customer: CustomerId,
    /// What they do.
    pub role: Role,
    /// Their key: from 0 to 1; 0 for who only generates.
    pub share: Decimal,
    /// First day.
    pub valid_from: NaiveDate,
    /// First day no longer; `None`: it goes on.
    pub valid_to: Option<NaiveDate>,
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// There is no such community that the actor may change.
    NoCommunity,
    /// There is no such customer.
    NoCustomer,
    /// There is no such membership.
    NotThere,
    /// A key is from 0 to 1.
    ShareOutOfRange,
    /// A key has at most so many decimals.
    ShareDecimals(u32),
    /// Who only generates gets nothing of it.
    ShareOfProducer,
    /// It does not end after it begins.
    EndsBeforeStart,
    /// The days lie outside those of the community.
    OutsideCommunity {
        /// Its first day.
        from: NaiveDate,
        /// Its first day no longer.
        to: Option<NaiveDate>,
    },
    /// The customer is a member on some of these days already.
    Overlaps,
    /// On a day the keys would come to more than 1.
    SharesExceed {
        /// The first such day.
        on: NaiveDate,
        /// What they would come to.
        sum: Decimal,
    },
}

/// The first day on which keys come to more than 1, and what they come to: sums only grow where somebody begins.
fn exceeded(members: &[(NaiveDate, Option<NaiveDate>, Decimal)]) -> Option<(NaiveDate, Decimal)> {
    let on = |day: NaiveDate| {
        let there = members.iter().filter(|(from, to, _)| *from <= day && to.is_none_or(|to| day < to));
        there.map(|(.., share)| *share).sum::<Decimal>()
    };
    let mut days: Vec<NaiveDate> = members.iter().map(|(from, ..)| *from).collect();
    days.sort_unstable();
    days.into_iter().map(|day| (day, on(day))).find(|(_, sum)| *sum > Decimal::ONE)
}

fn checked(community: &Community, new: &NewMember) -> Vec<Violation> {
    let ends = community.ends_on;
    let outside =
        new.valid_from < community.starts_on || ends.is_some_and(|ends| new.valid_to.is_none_or(|to| to > ends));
    let faults = [
        (!(Decimal::ZERO..=Decimal::ONE).contains(&new.share), Violation::ShareOutOfRange),
        (new.share.normalize().scale() > SHARE_DECIMALS, Violation::ShareDecimals(SHARE_DECIMALS)),
        (new.role == Role::Producer && !new.share.is_zero(), Violation::ShareOfProducer),
        (new.valid_to.is_some_and(|to| to <= new.valid_from), Violation::EndsBeforeStart),
        (outside, Violation::OutsideCommunity { from: community.starts_on, to: ends }),
    ];
    faults.into_iter().filter(|(wrong, _)| *wrong).map(|(_, violation)| violation).collect()
}

/// Makes a customer a member. The community is locked meanwhile: of two at once, the second counts the first's key.
///
/// # Errors
/// The violations of its fields, its days and its key.
pub async fn add(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    community: CommunityId,
    new: &NewMember,
) -> Outcome<CommunityMemberId, Violation> {
    let (here, id) = (AtClient::of(actor)?, CommunityMemberId::fresh());
    let place = locked(conn, &here, community).await?.ok_or(Refused::by(Violation::NoCommunity))?;
    Refused::unless(checked(&place, new), ())?;
    let there = list(conn, &here, community).await?;
    let mut shares: Vec<_> = there.iter().map(|row| (row.valid_from, row.valid_to, row.share)).collect();
    shares.push((new.valid_from, new.valid_to, new.share));
    if let Some((on, sum)) = exceeded(&shares) {
        return Err(Refused::by(Violation::SharesExceed { on, sum }));
    }
    let row = (
        community_members::organization_id.eq(here.organization),
        community_members::client_id.eq(here.client),
        community_members::id.eq(id),
        community_members::community_id.eq(community),
        community_members::customer_id.eq(new.customer),
        community_members::role.eq(new.role),
        community_members::share.eq(new.share),
        community_members::valid_from.eq(new.valid_from),
        community_members::valid_to.eq(new.valid_to),
        community_members::created_by.eq(actor.user.0),
    );
    let refused =
        [("community_members_no_overlap", Violation::Overlaps), ("community_members_customer", Violation::NoCustomer)];
    diesel::insert_into(community_members::table)
        .values(row)
        .execute(conn)
        .await
        .map_err(|error| Refused::constraint(error, refused))?;
    let told = (place.name.as_str(), audit::created(new));
    record(conn, actor, ("add_member", "Added a member to"), (community, Some(new.customer)), told).await?;
    Ok(id)
}

/// Ends a membership on a day, the first no longer. It may be ended earlier or later than it was, within its community.
///
/// # Errors
/// [`Violation::NotThere`], [`Violation::EndsBeforeStart`], [`Violation::OutsideCommunity`], [`Violation::Overlaps`],
/// [`Violation::SharesExceed`].
pub async fn end(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    (community, id): (CommunityId, CommunityMemberId),
    valid_to: Option<NaiveDate>,
) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let place = locked(conn, &here, community).await?.ok_or(Refused::by(Violation::NoCommunity))?;
    let there = list(conn, &here, community).await?;
    let before = there.iter().find(|row| row.id == id).ok_or(Refused::by(Violation::NotThere))?;
    let after = NewMember { valid_to, ..NewMember::from(before) };
    Refused::unless(checked(&place, &after), ())?;
    let end_of = |row: &Member| if row.id == id { valid_to } else { row.valid_to };
    let shares: Vec<_> = there.iter().map(|row| (row.valid_from, end_of(row), row.share)).collect();
    if let Some((on, sum)) = exceeded(&shares) {
        return Err(Refused::by(Violation::SharesExceed { on, sum }));
    }
    diesel::update(of(&here, community).filter(community_members::id.eq(id)))
        .set(community_members::valid_to.eq(valid_to))
        .execute(conn)
        .await
        .map_err(|error| Refused::constraint(error, [("community_members_no_overlap", Violation::Overlaps)]))?;
    let told = (place.name.as_str(), audit::changed(NewMember::from(before), &after));
    record(conn, actor, ("end_member", "Ended a membership in"), (community, Some(after.customer)), told).await?;
    Ok(())
}

/// Takes a membership out that was a mistake.
///
/// # Errors
/// [`Violation::NoCommunity`], [`Violation::NotThere`].
pub async fn remove(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    (community, id): (CommunityId, CommunityMemberId),
) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let place = locked(conn, &here, community).await?.ok_or(Refused::by(Violation::NoCommunity))?;
    let there = list(conn, &here, community).await?;
    let before = there.iter().find(|row| row.id == id).ok_or(Refused::by(Violation::NotThere))?;
    diesel::delete(of(&here, community).filter(community_members::id.eq(id))).execute(conn).await?;
    let told = (place.name.as_str(), audit::removed(NewMember::from(before)));
    record(conn, actor, ("remove_member", "Removed a member from"), (community, Some(before.customer_id)), told)
        .await?;
    Ok(())
}

impl From<&Member> for NewMember {
    fn from(row: &Member) -> Self {
        let Member { customer_id: customer, role, share, valid_from, valid_to, .. } = row.clone();
        Self { customer, role, share, valid_from, valid_to }
    }
}

#[diesel::dsl::auto_type(no_type_alias)]
fn of(here: &AtClient, community: CommunityId) -> _ {
    let organization: OrganizationId = here.organization;
    let client: ClientId = here.client;
    community_members::table
        .filter(community_members::organization_id.eq(organization))
        .filter(community_members::client_id.eq(client))
        .filter(community_members::community_id.eq(community))
}

/// All memberships of a community, by their first day.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &AsyncPgConnection, here: &AtClient, community: CommunityId) -> QueryResult<Vec<Member>> {
    let mut conn = conn;
    of(here, community)
        .select(Member::as_select())
        .order((community_members::valid_from, community_members::id))
        .load(&mut conn)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn keys_are_summed_on_every_day_on_which_somebody_begins() {
        let member = |from: &str, to: Option<&str>, share: &str| (day(from), to.map(day), share.parse().unwrap());
        let (a, b) = (member("2026-01-01", Some("2026-02-01"), "0.6"), member("2026-02-01", None, "0.5"));
        assert_eq!(exceeded(&[a, b]), None, "one ends on the day on which the other begins");
        let c = member("2026-01-31", None, "0.4");
        assert_eq!(exceeded(&[a, b, c]), None, "exactly the whole");
        let d = member("2026-01-15", Some("2026-02-02"), "0.2");
        let sum = "1.2".parse().unwrap();
        assert_eq!(exceeded(&[b, a, c, d]), Some((day("2026-01-31"), sum)));
    }
}
