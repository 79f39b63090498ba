//! The project's own sources, for tests that hold something of all of them.

use std::path::{Path, PathBuf};

/// Every file of Rust in a folder and the folders in it, in order.
pub fn rust_files(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![folder.as_ref().to_owned()], vec![]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Those of the web.
pub fn web() -> Vec<PathBuf> {
    rust_files(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}
