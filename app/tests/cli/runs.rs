//! Running the binary, and files for it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub use std::process::Stdio;

/// A file of the reference data.
pub fn reference(name: &str) -> String {
    format!("{}/../end2end/reference/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// An example of the documentation.
pub fn example(name: &str) -> String {
    format!("{}/../docs/tariffs/{name}", env!("CARGO_MANIFEST_DIR"))
}

pub fn portal(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portal"));
    command.args(args).env_remove("DATABASE_URL").env("PORTAL_DATA_DIR", "/nonexistent").stdin(Stdio::null());
    command
}

pub fn run(args: &[&str]) -> Output {
    portal(args).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder of the test's own, gone when it ends.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("portal-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
