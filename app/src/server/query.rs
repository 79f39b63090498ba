//! What an address asks with, behind its question mark.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::errors::AppError;

/// As axum's own, refusing with a page of ours what no page of ours asks with.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AppError> {
        let read = axum::extract::Query::from_request_parts(parts, state).await;
        read.map(|axum::extract::Query(asked)| Self(asked)).map_err(|rejection| {
            let text = rejection.body_text();
            let fault = text.rsplit_once("query string: ").map_or(text.as_str(), |(_, fault)| fault);
            AppError::BadRequest(format!(
                "What stands behind the question mark of this address cannot be read ({fault}). Open the page without it, or from the menu."
            ))
        })
    }
}
