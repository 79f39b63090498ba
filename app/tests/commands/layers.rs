//! Layers point one way: the web asks the business, which alone knows the database and writes the log.

use std::fs;
use std::path::Path;

use crate::support::sources::web;

/// What no file of the web names: the database's own crates, and the writing of the log.
const NOT_OURS: [&str; 6] =
    ["diesel", "AsyncPgConnection", "audit::created", "audit::changed", "audit::removed", "audit::record"];

/// What a text names that it may not. Comments may tell of it.
fn named(text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let lines = code.filter(|line| {
        let imported = ["created", "changed", "removed", "record"];
        let from_audit = line.trim_start().starts_with("use eis::audit::{")
            && line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| imported.contains(&word));
        from_audit || NOT_OURS.iter().any(|word| line.contains(word))
    });
    lines.map(|line| line.trim().to_owned()).collect()
}

#[test]
fn the_web_names_no_database_and_writes_no_log() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let found = web();
    assert!(found.len() > 100, "the files of the web");
    for path in found {
        let name = path.strip_prefix(&root).expect("a file of the web").to_string_lossy().into_owned();
        let lines = named(&fs::read_to_string(&path).expect("a text"));
        assert!(lines.is_empty(), "{name}: {lines:?}");
    }
}

#[test]
fn what_is_named_is_found_in_code_and_not_in_comments() {
    for wrong in [
        "use diesel::QueryResult;",
        "    fn of(conn: &AsyncPgConnection) {",
        "        audit::record(&mut tx, &actor, entry).await?;",
        "use eis::audit::{created, Entry};",
        "let details = eis::audit::changed(a, b);",
    ] {
        assert_eq!(named(wrong).len(), 1, "{wrong}");
    }
    for fine in ["// diesel does not tell", "use eis::audit::{self, Record};", "audit::list(tx)", "//! audit::record"] {
        assert!(named(fine).is_empty(), "{fine}");
    }
}
