//! The password of the demo's logins is known to everybody: where others than this machine come in, the portal does not serve it.

use std::io::{BufRead, BufReader, Read as _};
use std::process::{Command, Stdio};

use crate::support::database::{Case, home};

/// Whether it serves, told so; else what it says.
fn serve(case: &Case, flags: &[&str]) -> Result<(), String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_portal"))
        .arg("serve")
        .args(flags)
        .env("DATABASE_URL", case.connected.admin_url())
        .env("PORTAL_DATA_DIR", home())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let serves = lines.map_while(Result::ok).any(|line| line.starts_with("EIS Power Portal: http://"));
    let _ = child.kill();
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    child.wait().unwrap();
    if serves { Ok(()) } else { Err(told) }
}

const OPEN: [&str; 2] = ["--listen", "0.0.0.0:0"];

#[tokio::test]
async fn the_demo_is_not_made_where_others_come_in() {
    let case = Case::migrated().await;
    let truth = case.superuser().await;
    for flags in [
        &["--demo", OPEN[0], OPEN[1]][..],
        &["--demo", "--listen", "127.0.0.1:0", "--public-url", "https://portal.example"],
    ] {
        let told = serve(&case, flags).unwrap_err();
        assert!(told.contains("--demo-passwords-are-known") && told.contains("EIS staff"), "{flags:?}: {told}");
        assert_eq!(truth.count("SELECT count(*) FROM organizations").await, 0, "and nothing was loaded");
    }
    serve(&case, &OPEN).expect("the positive control: without the demo it serves");
}

#[tokio::test]
async fn a_demo_that_is_there_is_not_served_where_others_come_in() {
    let case = Case::world().await;
    let truth = case.superuser().await;
    // As the demo's first organization remembers it: the day, and who signs in.
    truth
        .must(
            "UPDATE users SET password_changed_at = created_at;
             UPDATE organizations SET slug = 'northwind', metadata = jsonb_build_object('demo', jsonb_build_object(
                'as_of', '2026-11-23', 'logins', (SELECT jsonb_agg(u.id) FROM (SELECT id FROM users ORDER BY email LIMIT 3) u))) WHERE slug = 'org-1'",
        )
        .await;
    let told = serve(&case, &OPEN).unwrap_err();
    assert!(told.contains("3 of its logins are there") && told.contains("--demo-passwords-are-known"), "{told}");
    serve(&case, &["--listen", "127.0.0.1:0"]).expect("on this machine alone it is served");
    serve(&case, &[&OPEN[..], &["--demo-passwords-are-known"]].concat())
        .expect("and where somebody said that it is meant");
    // A password that was changed, or a login that is shut, is no longer known.
    truth.must("UPDATE users SET password_changed_at = now()").await;
    truth.must("UPDATE users SET password_changed_at = created_at, status = 'disabled' WHERE email = (SELECT min(email) FROM users)").await;
    serve(&case, &OPEN).expect("nobody's password is known any more");
}
