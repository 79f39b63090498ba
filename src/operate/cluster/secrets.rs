//! The passwords of a data directory (`secrets.json`): made once, never over what is there.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{ClusterError, at};
use crate::operate::logins::LoginPasswords;

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("secrets.json")
}

/// The passwords of this data directory, made from the system's random source the first time; whether they were made now.
///
/// # Errors
/// When the file is there and cannot be read or understood: another in its place would lock the portal out of its own database.
/// When it cannot be written.
pub fn passwords(data_dir: &Path) -> Result<(LoginPasswords, bool), ClusterError> {
    let path = file(data_dir);
    match fs::read_to_string(&path) {
        Ok(text) => Ok((understood(&path, &text)?, false)),
        Err(error) if error.kind() == ErrorKind::NotFound => make(&path),
        Err(error) => Err(unusable(&path, "cannot be read", error)),
    }
}

/// A private server that is there knows its passwords; new ones would open nothing.
///
/// # Errors
/// When the file is gone.
pub(super) fn must_be_there(data_dir: &Path) -> Result<(), ClusterError> {
    let path = file(data_dir);
    match path.try_exists() {
        Ok(true) => Ok(()),
        Ok(false) => Err(unusable(&path, "is gone", "its PostgreSQL is there still")),
        Err(error) => Err(unusable(&path, "cannot be read", error)),
    }
}

fn unusable(path: &Path, what: &'static str, why: impl std::fmt::Display) -> ClusterError {
    ClusterError::Secrets { path: path.to_owned(), what, why: why.to_string() }
}

fn understood(path: &Path, text: &str) -> Result<LoginPasswords, ClusterError> {
    serde_json::from_str(text).map_err(|error| unusable(path, "is damaged", error))
}

/// Written beside and then given its name, which fails where there is one: it is never there in part, and of two that start at
/// once both use the first one's.
fn make(path: &Path) -> Result<(LoginPasswords, bool), ClusterError> {
    let random = || format!("{:032x}", rand::random::<u128>());
    let made = LoginPasswords { superuser: random(), app: random(), worker: random(), monitor: random() };
    let text = serde_json::to_string_pretty(&made).map_err(|error| unusable(path, "cannot be written", error))?;
    let beside = path.with_file_name(format!("secrets.{:016x}.new", rand::random::<u64>()));
    write_secret(&beside, &text)?;
    let named = fs::hard_link(&beside, path);
    fs::remove_file(&beside).map_err(at(&beside))?;
    match named {
        Ok(()) => Ok((made, true)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let text = fs::read_to_string(path).map_err(|error| unusable(path, "cannot be read", error))?;
            Ok((understood(path, &text)?, false))
        }
        Err(error) => Err(unusable(path, "cannot be written", error)),
    }
}

/// Writes a file that was not there, for its owner alone, and comes back when it lies on the disk.
///
/// # Errors
/// When there is one, or it cannot be written.
pub(super) fn write_secret(path: &Path, text: &str) -> Result<(), ClusterError> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(at(path))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(at(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("eis-secrets-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn passwords_are_made_once_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder("once");
        let (made, new) = passwords(&folder).unwrap();
        let (again, newer) = passwords(&folder).unwrap();
        assert!(new && !newer);
        assert_eq!((&made.app, &made.superuser), (&again.app, &again.superuser));
        assert_eq!(fs::metadata(file(&folder)).unwrap().permissions().mode() & 0o777, 0o600);
        let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["secrets.json"], "nothing is left beside it");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn many_that_start_at_once_use_the_same() {
        let folder = folder("many");
        let all: Vec<(String, bool)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(|| passwords(&folder).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).map(|(made, new)| (made.app, new)).collect()
        });
        assert!(all.iter().all(|(app, _)| *app == all[0].0), "{all:?}");
        assert_eq!(all.iter().filter(|(_, new)| *new).count(), 1);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_there_and_cannot_be_used_is_kept_and_told() {
        for (name, text, word) in [
            ("damaged", Some("{\"superuser\": \"a\""), "is damaged"),
            ("empty", Some(""), "is damaged"),
            ("unreadable", None, "cannot be read"),
        ] {
            let folder = folder(name);
            match text {
                Some(text) => fs::write(file(&folder), text).unwrap(),
                // Root reads every file; a folder is none for anybody.
                None => fs::create_dir(file(&folder)).unwrap(),
            }
            let told = passwords(&folder).unwrap_err().to_string();
            for part in [word, "secrets.json", "backup", "docs/database.md"] {
                assert!(told.contains(part), "{name}: {told}");
            }
            assert_eq!(fs::read_to_string(file(&folder)).ok().as_deref(), text, "{name}: nothing was written over it");
            fs::remove_dir_all(folder).unwrap();
        }
    }

    #[test]
    fn what_an_existing_server_needs_is_told_when_it_is_gone() {
        let folder = folder("gone");
        let told = must_be_there(&folder).unwrap_err().to_string();
        assert!(told.contains("is gone") && told.contains("backup"), "{told}");
        passwords(&folder).unwrap();
        must_be_there(&folder).unwrap();
        fs::remove_dir_all(folder).unwrap();
    }
}
