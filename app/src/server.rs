//! The server.
use eis::db::connect::Connected;
use crate::cli::ServeArgs;
/// Serves.
pub async fn serve(_c: Connected, _a: ServeArgs) -> Result<(), String> { Ok(()) }
