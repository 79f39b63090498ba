//! `docs/asvs.md`: each requirement once, totals of its rows, tests and files that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::sources::rust_files;

const PAGE: &str = include_str!("../../../docs/asvs.md");
const ANSWERS: [&str; 4] = ["met", "partly", "open", "n.a."];

/// The standard's sections with the level of each requirement in order: `1.5` has 1.5.1 at level 1 and 1.5.2 at level 2.
/// Chapters are as in version 5.0.0; requirements of level 3 stand as 3 where another follows.
const STANDARD: &str = "
    1.1 22  1.2 111112222  1.3 11222222222  1.4 222  1.5 12
    2.1 122  2.2 112  2.3 1222  2.4 2
    3.2 11  3.3 1222  3.4 112222  3.5 11122  3.7 22
    4.1 122  4.2 2  4.3 22  4.4 1222
    5.1 2  5.2 112  5.3 11  5.4 222
    6.1 122  6.2 111111112222  6.3 1122  6.4 1122  6.5 22222  6.6 222  6.8 2222
    7.1 222  7.2 1111  7.3 22  7.4 11222  7.5 22  7.6 22
    8.1 12  8.2 112  8.3 1  8.4 2
    9.1 111  9.2 1222
    10.1 22  10.2 22  10.3 2222  10.4 11111222222  10.5 22222  10.6 22  10.7 222
    11.1 22  11.2 222  11.3 112  11.4 1222  11.5 2  11.6 2
    12.1 122  12.2 11  12.3 2222
    13.1 2  13.2 22222  13.3 22  13.4 12222
    14.1 22  14.2 1222  14.3 122
    15.1 122  15.2 122  15.3 1222222
    16.1 2  16.2 22222  16.3 2222  16.4 222  16.5 222
    17.1 2  17.2 2222  17.3 22";

/// Id and level of each requirement of levels 1 and 2.
fn standard() -> BTreeMap<String, String> {
    let words: Vec<&str> = STANDARD.split_whitespace().collect();
    let of_section = |pair: &[&str]| {
        let levels = pair[1].chars().enumerate().filter(|(_, level)| *level != '3');
        levels.map(|(at, level)| (format!("{}.{}", pair[0], at + 1), level.to_string())).collect::<Vec<_>>()
    };
    words.chunks(2).flat_map(of_section).collect()
}

/// The cells of the page's tables, a row each.
fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    let lines = PAGE.lines().filter(|line| line.starts_with("| "));
    lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
}

/// The rows of requirements: id, level, what is asked, answer, where it is shown.
fn requirements() -> Vec<Vec<&'static str>> {
    let is_id = |cell: &str| cell.split('.').count() == 3 && cell.chars().all(|c| c.is_ascii_digit() || c == '.');
    rows().filter(|row| is_id(row[0])).collect()
}

#[test]
fn each_requirement_of_the_standard_is_answered_once() {
    let mut found = BTreeMap::new();
    for row in requirements() {
        assert_eq!(row.len(), 5, "{row:?}");
        assert!(ANSWERS.contains(&row[3]), "{}: {:?} is no answer", row[0], row[3]);
        assert!(!row[2].is_empty() && !row[4].is_empty(), "{} says nothing", row[0]);
        assert!(row[3] != "partly" || row[4].contains("Missing"), "{}: what is missing?", row[0]);
        assert_eq!(found.insert(row[0].to_owned(), row[1].to_owned()), None, "{} stands twice", row[0]);
    }
    let expected = standard();
    let levels = |level: &str| expected.values().filter(|one| *one == level).count();
    assert_eq!((levels("1"), levels("2")), (70, 183), "the standard's own count");
    let missing: Vec<&String> = expected.keys().filter(|id| !found.contains_key(*id)).collect();
    assert!(missing.is_empty(), "no answer to {missing:?}");
    assert_eq!(found, expected);
}

#[test]
fn the_totals_are_those_of_the_rows() {
    let requirements = requirements();
    for (name, levels) in [("1", &["1"][..]), ("2", &["2"]), ("both", &["1", "2"])] {
        let of_level: Vec<_> = requirements.iter().filter(|row| levels.contains(&row[1])).collect();
        let counted = ANSWERS.map(|answer| of_level.iter().filter(|row| row[3] == answer).count());
        let mut expected = vec![name.to_owned(), of_level.len().to_string()];
        expected.extend(counted.map(|count| count.to_string()));
        assert!(rows().any(|row| row == expected), "the totals of level {name} are {expected:?}");
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names of all functions of the sources and tests.
fn functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in rust_files(root().join("src")).into_iter().chain(rust_files(root().join("app"))) {
        let text = std::fs::read_to_string(path).unwrap();
        let defined = text.split("fn ").skip(1).filter_map(|rest| rest.split_once('('));
        names.extend(defined.map(|(name, _)| name.to_owned()));
    }
    names
}

#[test]
fn every_test_and_file_that_is_named_exists() {
    let functions = functions();
    let (mut tests, mut files) = (0, 0);
    for name in PAGE.split('`').skip(1).step_by(2) {
        let is_test = name.matches('_').count() >= 2
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        let is_file = [".rs", ".sql", ".md", ".js", ".json", ".toml"].iter().any(|end| name.ends_with(end));
        if is_test {
            assert!(functions.contains(name), "there is no test {name}");
            tests += 1;
        } else if is_file {
            assert!(root().join(name).is_file(), "there is no file {name}");
            files += 1;
        }
    }
    assert!(tests > 100 && files > 40, "the positive control: {tests} tests, {files} files");
}
