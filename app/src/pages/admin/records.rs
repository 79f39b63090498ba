//! The record that an address names, or 404.

use eis::db::Tenant;
use eis::parties::customers::{self, Customer};
use eis::parties::service_points::{self, ServicePoint};
use eis::values::ids::{CustomerId, ServicePointId};

use crate::server::errors::AppError;

/// The customer of an address, or 404.
///
/// # Errors
/// `NotFound` for an id that is not there, not seen or not an id.
pub async fn customer(tx: &Tenant, id: &str) -> Result<Customer, AppError> {
    let id: CustomerId = id.parse().map_err(|_| AppError::NotFound)?;
    customers::find(tx, id).await?.ok_or(AppError::NotFound)
}

/// The service point of an address, or 404.
pub async fn service_point(tx: &Tenant, id: &str) -> Result<ServicePoint, AppError> {
    let id: ServicePointId = id.parse().map_err(|_| AppError::NotFound)?;
    service_points::find(tx, id).await?.ok_or(AppError::NotFound)
}
