//! Pages.
use eis::db::connect::Settings;
use super::scale;
/// Runs.
pub async fn run(settings: &Settings, _json: bool) -> Result<(), String> {
    let one = scale::open(settings, "portal_bench_one", 1).await?;
    println!("{:?}", one.admins.first());
    let big = scale::open(settings, "portal_bench", 200).await?;
    println!("{:?}", big.admins.first());
    Ok(())
}
