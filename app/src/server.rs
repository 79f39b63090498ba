//! The server.
use crate::cli::ServeArgs;
use eis::db::connect::Connected;
/// Serves.
pub async fn serve(_c: Connected, _a: ServeArgs) -> Result<(), String> {
    Ok(())
}
