//! The published form of a tariff: its JSON schema, and every example of the documentation.

mod examples;
mod schema;
mod validator;

use std::fs;

/// The examples of the documentation: name and text.
fn examples() -> Vec<(String, String)> {
    let folder = format!("{}/docs/tariffs", env!("CARGO_MANIFEST_DIR"));
    let mut found: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap()))
        .collect();
    found.sort();
    assert!(found.len() >= 9);
    found
}
