//! The assignment that an address names, or 404.

use eis::db::Tenant;
use eis::parties::users::{self, OrganizationUser};
use eis::values::ids::AssignmentId;

use crate::server::errors::AppError;

/// The assignment of an address, while it is in force.
pub(super) async fn find(tx: &mut Tenant, id: &str) -> Result<OrganizationUser, AppError> {
    let found = users::find(tx, id_of(id)?).await?.filter(|row| !row.ended());
    found.ok_or(AppError::NotFound)
}

/// The id of an assignment in an address or a form.
pub(super) fn id_of(typed: &str) -> Result<AssignmentId, AppError> {
    typed.parse().map_err(|_| AppError::NotFound)
}
