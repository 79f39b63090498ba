//! The private server's log: PostgreSQL's collector begins a new file at a size, and the oldest are removed here.

use std::fs;
use std::path::{Path, PathBuf};

use super::{ClusterError, at};

/// How the collector is told to write; a file's name is the moment at which it was begun, so that names sort by age.
pub(super) const SETTINGS: &str = "-c logging_collector=on -c log_filename=server-%Y%m%d-%H%M%S.log -c log_rotation_size=10MB \
     -c log_rotation_age=0 -c log_file_mode=0600";
/// Files that are kept: 50 MB, and what was written since the last look.
const KEPT: usize = 5;

/// The collector's files, the oldest first. Others in the folder are none of ours.
fn files(folder: &Path) -> Result<Vec<PathBuf>, ClusterError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(at(folder)(error)),
    };
    let mut files = vec![];
    for entry in entries {
        let entry = entry.map_err(at(folder))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("server-") && Path::new(&*name).extension().is_some_and(|end| end == "log") {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Removes all but the newest.
///
/// # Errors
/// When the folder cannot be read or a file cannot be removed.
pub(super) fn prune(folder: &Path) -> Result<(), ClusterError> {
    let files = files(folder)?;
    for old in files.iter().take(files.len().saturating_sub(KEPT)) {
        match fs::remove_file(old) {
            // Another portal of this data directory looks too.
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at(old)(error)),
            _ => {}
        }
    }
    Ok(())
}

/// The last lines of the log: of what was said before the collector ran, and of its newest file.
pub(super) fn end(before: &Path, folder: &Path) -> String {
    let newest = files(folder).ok().and_then(|mut files| files.pop());
    let text =
        |path: &Path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let (before, after) = (text(before), newest.map(|path| text(&path)).unwrap_or_default());
    let last = |text: &str| -> Vec<String> {
        let lines: Vec<&str> = text.lines().rev().take(5).collect();
        lines.into_iter().rev().map(str::to_owned).collect()
    };
    [last(&before), last(&after)].concat().join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_nothing_of_others_is_removed() {
        let folder = std::env::temp_dir().join(format!("eis-logs-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        prune(&folder).unwrap();
        fs::create_dir_all(&folder).unwrap();
        let name = |day: usize| format!("server-202611{day:02}-000000.log");
        // The days of several months sort by their names.
        for day in (1..=9).rev() {
            fs::write(folder.join(name(day)), "").unwrap();
        }
        fs::write(folder.join("notes.log"), "").unwrap();
        fs::write(folder.join("server-notes.txt"), "").unwrap();
        prune(&folder).unwrap();
        let mut left: Vec<String> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        let kept: Vec<String> = (5..=9).map(name).collect();
        assert_eq!(left, [&["notes.log".to_owned()][..], &kept, &["server-notes.txt".to_owned()]].concat());
        fs::remove_dir_all(folder).unwrap();
    }
}
