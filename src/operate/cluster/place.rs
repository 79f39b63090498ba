//! Where a private server lives, by which programs, as whom, and where its socket is.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{ClusterError, at};

/// A user and a group.
pub(super) type Ids = (u32, u32);

/// Root may not run a server: the user to run it as instead.
pub(super) fn unprivileged_user() -> Result<Option<Ids>, ClusterError> {
    if fs::metadata("/proc/self").map_or(1, |about| about.uid()) != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |name: &str| {
        users.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            (fields.first() == Some(&name))
                .then(|| Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)))?
        })
    };
    find("postgres").or_else(|| find("nobody")).map(Some).ok_or(ClusterError::NoUser)
}

/// Where the server lives: in the data directory, or, when its user cannot get there, under /var/lib.
pub(super) fn home_for(data_dir: &Path, run_as: Option<Ids>) -> Result<PathBuf, ClusterError> {
    let inside = data_dir.join("postgres");
    let home = match run_as {
        Some(user) if !can_enter(data_dir, user) => {
            PathBuf::from("/var/lib/eis-power").join(format!("{:016x}", fingerprint(data_dir)))
        }
        _ => inside,
    };
    fs::create_dir_all(&home).map_err(at(&home))?;
    if let Some((uid, gid)) = run_as {
        std::os::unix::fs::chown(&home, Some(uid), Some(gid)).map_err(at(&home))?;
    }
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).map_err(at(&home))?;
    Ok(home)
}

fn can_enter(path: &Path, (uid, gid): Ids) -> bool {
    Command::new("/bin/ls")
        .arg("-d")
        .arg(path.join("."))
        .current_dir("/")
        .uid(uid)
        .gid(gid)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Where the server's socket is: in its home, or where that path is too long, in the folder that everybody may write.
pub(super) fn socket_for(home: &Path) -> PathBuf {
    let inside = home.join("socket");
    // A socket's path holds at most 107 bytes.
    if inside.as_os_str().len() <= 80 {
        return inside;
    }
    PathBuf::from("/tmp").join(format!("eis-power-{:016x}", fingerprint(home)))
}

/// Makes a folder beside a server's `home` that its owner alone enters, or takes the one that is there when it is that. The
/// socket's may lie where everybody may make one of its name first: whoever owned it could answer in the server's place and be
/// told passwords.
///
/// # Errors
/// [`ClusterError::NotOurs`], and when it cannot be made.
pub(super) fn private_folder(path: &Path, home: &Path, run_as: Option<Ids>) -> Result<(), ClusterError> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(at(path)(error)),
        _ => {}
    }
    let about = fs::symlink_metadata(path).map_err(at(path))?;
    let owner = fs::metadata(home).map_err(at(home))?.uid();
    // Between its making and its giving away it is root's own.
    let to_give = run_as.filter(|_| about.uid() == 0 && owner != 0);
    if !about.is_dir() || (about.uid() != owner && to_give.is_none()) {
        return Err(ClusterError::NotOurs { path: path.to_owned(), owner: about.uid() });
    }
    if let Some((uid, gid)) = to_give {
        std::os::unix::fs::lchown(path, Some(uid), Some(gid)).map_err(at(path))?;
    }
    if about.mode() & 0o777 != 0o700 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(at(path))?;
    }
    Ok(())
}

fn fingerprint(path: &Path) -> u64 {
    use sha2::{Digest, Sha256};
    use std::os::unix::ffi::OsStrExt;
    let digest = Sha256::digest(path.as_os_str().as_bytes());
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// The newest installed server's binaries.
pub(super) fn find_binaries() -> Result<PathBuf, ClusterError> {
    let mut candidates: Vec<(u32, PathBuf)> = Vec::new();
    for root in ["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt"] {
        for entry in fs::read_dir(root).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let digits: String = name.chars().filter(char::is_ascii_digit).collect();
            let bin = entry.path().join("bin");
            if let Ok(version) = digits.parse()
                && bin.join("initdb").exists()
            {
                candidates.push((version, bin));
            }
        }
    }
    candidates.sort();
    if let Some((_, bin)) = candidates.pop() {
        return Ok(bin);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .find(|dir| dir.join("initdb").exists() && dir.join("pg_ctl").exists())
        .ok_or(ClusterError::NotInstalled)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of this test's own.
    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("eis-place-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn a_socket_s_folder_is_made_for_its_owner_alone_and_taken_again() {
        let home = folder("own");
        let socket = home.join("socket");
        for _ in 0..2 {
            private_folder(&socket, &home, None).unwrap();
            assert_eq!(fs::metadata(&socket).unwrap().mode() & 0o777, 0o700);
            // As an earlier version made it.
            fs::set_permissions(&socket, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn a_link_or_a_file_in_its_place_is_refused() {
        let home = folder("link");
        let (link, file) = (home.join("link"), home.join("file"));
        std::os::unix::fs::symlink(&home, &link).unwrap();
        fs::write(&file, "").unwrap();
        for path in [link, file] {
            let refused = private_folder(&path, &home, None).unwrap_err();
            assert!(matches!(refused, ClusterError::NotOurs { .. }), "{refused}");
        }
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn a_folder_of_somebody_else_s_is_refused() {
        let home = folder("other");
        let socket = home.join("socket");
        fs::create_dir(&socket).unwrap();
        // Only root can give one away; for others the root folder is somebody else's.
        let given = std::os::unix::fs::lchown(&socket, Some(4_242), Some(4_242)).is_ok();
        let theirs = if given { &socket } else { Path::new("/") };
        let refused = private_folder(theirs, &home, None).unwrap_err();
        assert!(matches!(refused, ClusterError::NotOurs { .. }), "{refused}");
        assert!(refused.to_string().contains("remove it"), "{refused}");
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn what_root_made_for_another_is_given_to_that_one() {
        let home = folder("given");
        if std::os::unix::fs::lchown(&home, Some(4_242), Some(4_242)).is_err() {
            return;
        }
        let socket = home.join("socket");
        for _ in 0..2 {
            private_folder(&socket, &home, Some((4_242, 4_242))).unwrap();
            assert_eq!(fs::metadata(&socket).unwrap().uid(), 4_242);
        }
        std::os::unix::fs::lchown(&socket, Some(4_243), Some(4_243)).unwrap();
        assert!(private_folder(&socket, &home, Some((4_242, 4_242))).is_err(), "another's");
        fs::remove_dir_all(home).unwrap();
    }
}
