//! Inviting somebody by a one-time link, and taking an invitation back. Each is on record in the log of the client that it is
//! for, where it is for one.

use serde_json::json;

use super::{INVITATION_DAYS, NewInvitation, OpenInvitation};
use crate::access::{Narrowed, Role};
use crate::audit::{self, Entry};
use crate::db::refused::Refused;
use crate::db::{DbError, Tenant};
use crate::parties::clients;
use crate::parties::customers;
use crate::values::ids::{ClientId, InvitationId};

/// What is wrong with an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteViolation {
    /// No role that there is.
    NoSuchRole,
    /// The role is one at a client, and none that the context sees is named.
    NoSuchClient,
    /// A customer's role, and no account number.
    NoAccount,
    /// The client has no customer of this account number.
    NoSuchAccount,
    /// An account number, and no customer's role.
    AccountWithoutCustomer,
    /// EIS staff give roles to others, never to themselves.
    OwnAddress,
}

/// Whom to invite, as what, where.
#[derive(Debug, Clone)]
pub struct Invite {
    /// The person's address.
    pub email: String,
    /// The person's name.
    pub name: String,
    /// The role's code.
    pub role: String,
    /// The client, for roles that have one.
    pub client: Option<ClientId>,
    /// The account that a customer will see; empty for all others.
    pub account_number: String,
    /// What the role is narrowed to; `None`: the whole role.
    pub narrowed: Option<Narrowed>,
}

impl Invite {
    /// The invitation with its place looked up, as far as the context sees it.
    async fn placed(&self, tx: &mut Tenant) -> Result<NewInvitation, Refused<InviteViolation>> {
        use InviteViolation as V;
        let role = Role::parse(&self.role).ok_or_else(|| Refused::by(V::NoSuchRole))?;
        if role != Role::CustomerUser && !self.account_number.is_empty() {
            return Err(Refused::by(V::AccountWithoutCustomer));
        }
        let client = self.client.filter(|_| matches!(role, Role::ClientAdmin | Role::CustomerUser));
        let mut customer = None;
        if matches!(role, Role::ClientAdmin | Role::CustomerUser) {
            let client = client.ok_or_else(|| Refused::by(V::NoSuchClient))?;
            if clients::find(tx, tx.organization()?, client).await?.is_none() {
                return Err(Refused::by(V::NoSuchClient));
            }
            if role == Role::CustomerUser {
                if self.account_number.is_empty() {
                    return Err(Refused::by(V::NoAccount));
                }
                let found = customers::find_by_account(tx, client, &self.account_number).await?;
                customer = Some(found.ok_or_else(|| Refused::by(V::NoSuchAccount))?.id);
            }
        }
        let (email, name, role) = (self.email.clone(), self.name.clone(), self.role.clone());
        Ok(NewInvitation { email, name, role, client, customer, narrowed: self.narrowed })
    }
}

/// Invites somebody; gives the link's token, to be shown once. The database refuses a role that the actor may not grant.
///
/// # Errors
/// What is wrong with it; `Db` with `not_yours` when the actor may not grant this, `reading_only` in a context that does not
/// write.
pub async fn create(tx: &mut Tenant, invite: &Invite) -> Result<Vec<u8>, Refused<InviteViolation>> {
    let new = invite.placed(tx).await?;
    let id = InvitationId::fresh();
    let token = super::invite(tx, id, &new).await.map_err(|error| match error {
        error if error.violates("own_role") => Refused::by(InviteViolation::OwnAddress),
        error => error.into(),
    })?;
    let role = Role::parse(&new.role).map_or_else(String::new, |role| role.narrowed_label(new.narrowed));
    let entry = Entry {
        action: "invite",
        entity: "invitation",
        entity_id: Some(id.0),
        customer: new.customer,
        summary: format!("Invited {} ({}) as {role}", new.name, new.email),
        details: audit::created(json!({
            "name": new.name, "email": new.email, "role": new.role, "narrowed": new.narrowed.map(Narrowed::code),
            "account_number": invite.account_number,
            "valid_days": INVITATION_DAYS,
        })),
    };
    audit::note_at(tx, new.client, entry).await?;
    Ok(token)
}

/// Takes an open invitation back; gives it as it was.
///
/// # Errors
/// `NotFound` when it is not open, or not the actor's to revoke.
pub async fn revoke(tx: &mut Tenant, id: InvitationId) -> Result<OpenInvitation, DbError> {
    let gone = || DbError::Query(diesel::result::Error::NotFound);
    let open = super::open_invitations(tx).await?.into_iter().find(|open| open.id == id).ok_or_else(gone)?;
    if !super::revoke_invitation(tx, id).await? {
        return Err(gone());
    }
    let entry = Entry {
        action: "revoke",
        entity: "invitation",
        entity_id: Some(id.0),
        customer: open.customer_id,
        summary: format!("Revoked the invitation for {} ({})", open.name, open.email),
        details: audit::removed(json!({ "name": open.name, "email": open.email, "role": open.role })),
    };
    audit::note_at(tx, open.client_id, entry).await?;
    Ok(open)
}
