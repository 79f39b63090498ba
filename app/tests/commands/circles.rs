//! Layers point one way: what `use` lines and paths say of modules, held against the floor plan in ARCHITECTURE.md.
//!
//! Of the children of one module, no two use each other, directly or through others; so there is no circle but a parent with
//! its own children. At the top, each uses only what stands before it in the plan.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::sources::rust_files;

/// The business, from the ground up.
const BUSINESS: [&str; 17] = [
    "values",
    "usage",
    "tariff_document",
    "rating",
    "access",
    "db",
    "audit",
    "jobs",
    "parties",
    "operate",
    "metering",
    "tariffs",
    "receivables",
    "billing",
    "documents",
    "demo",
    "lib",
];
/// The web, from the ground up.
const WEB: [&str; 11] =
    ["out", "assets", "format", "forms", "components", "server", "messages", "pages", "routes", "cli", "lib"];

type Module = Vec<String>;

/// Each module of a package with its code: without comments and without its tests.
fn modules(root: &Path) -> BTreeMap<Module, String> {
    // What tests and benches use is no layer's.
    let aside = |path: &PathBuf| {
        let inside = path.strip_prefix(root).unwrap().with_extension("");
        inside.iter().any(|name| name == "tests" || name == "benches")
    };
    let found = rust_files(root).into_iter().filter(|path| !aside(path));
    let module = |path: PathBuf| {
        let name = path.strip_prefix(root).unwrap().with_extension("").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let name: Module = name.split('/').map(str::to_owned).collect();
        (name.first().is_some_and(|first| first != "main")).then(|| (name, code.join(" ")))
    };
    found.filter_map(module).collect()
}

/// The paths of a use tree: `a::{b, c::{self, d}}` is three.
fn flat(prefix: &str, tree: &str, found: &mut BTreeSet<String>) {
    let tree = tree.trim();
    let Some((head, rest)) = tree.split_once('{') else {
        found.insert(format!("{prefix}{}", tree.split(" as ").next().unwrap_or_default()));
        return;
    };
    let (prefix, rest) = (format!("{prefix}{head}"), rest.strip_suffix('}').unwrap_or(rest));
    let (mut depth, mut from) = (0_usize, 0);
    for (at, sign) in rest.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                flat(&prefix, &rest[from..at], found);
                from = at + 1;
            }
            _ => {}
        }
    }
    if !rest[from..].trim().is_empty() {
        flat(&prefix, &rest[from..], found);
    }
}

/// The paths within the package that some code names.
fn paths(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for statement in code.split("use ").skip(1).filter_map(|rest| rest.split(';').next()) {
        if ["crate::", "super::", "self::"].iter().any(|begin| statement.starts_with(begin)) {
            flat("", statement, &mut found);
        }
    }
    let word = |sign: char| sign.is_alphanumeric() || sign == '_' || sign == ':';
    let named =
        code.split(|sign| !word(sign)).filter(|path| path.starts_with("crate::") || path.starts_with("super::"));
    found.extend(named.map(|path| path.trim_end_matches(':').to_owned()).filter(|path| path.contains("::")));
    found
}

/// The module of the package that a path, named in `from`, leads to.
fn meant(all: &BTreeMap<Module, String>, from: &Module, path: &str) -> Option<Module> {
    let mut at: Module = if path.starts_with("crate::") { vec![] } else { from.clone() };
    for part in path.split("::") {
        match part {
            "crate" | "self" => {}
            "super" => drop(at.pop()),
            name => at.push(name.to_owned()),
        }
    }
    while !at.is_empty() && !all.contains_key(&at) {
        at.pop();
    }
    (!at.is_empty() && at != *from).then_some(at)
}

/// Which module uses which, and where it says so.
fn uses(all: &BTreeMap<Module, String>) -> BTreeSet<(Module, Module)> {
    let of = |(from, code): (&Module, &String)| {
        paths(code).iter().filter_map(|path| meant(all, from, path)).map(|to| (from.clone(), to)).collect::<Vec<_>>()
    };
    all.iter().flat_map(of).collect()
}

/// Children of one module that use each other in a circle; empty when there is none.
fn circles(uses: &BTreeSet<(Module, Module)>) -> Vec<String> {
    let mut siblings: BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (from, to) in uses {
        let shared = from.iter().zip(to).take_while(|(one, other)| one == other).count();
        if let (Some(one), Some(other)) = (from.get(shared), to.get(shared)) {
            siblings.entry(from[..shared].to_vec()).or_default().entry(one.clone()).or_default().insert(other.clone());
        }
    }
    let mut found = vec![];
    for (parent, mut graph) in siblings {
        // What uses nothing that is left is taken away, until nothing is: the rest goes round.
        loop {
            let left: BTreeSet<String> = graph.keys().cloned().collect();
            graph.values_mut().for_each(|used| used.retain(|name| left.contains(name)));
            let before = graph.len();
            graph.retain(|_, used| !used.is_empty());
            if graph.len() == before {
                break;
            }
        }
        found.extend((!graph.is_empty()).then(|| format!("in {}: {graph:?}", parent.join("::"))));
    }
    found
}

/// Uses at the top that point up the plan, and modules that the plan does not know.
fn against(plan: &[&str], uses: &BTreeSet<(Module, Module)>) -> Vec<String> {
    let place = |module: &Module| plan.iter().position(|name| module.first().is_some_and(|first| first == name));
    let wrong = |(from, to): &&(Module, Module)| match (place(from), place(to)) {
        (Some(from), Some(to)) => from < to,
        _ => true,
    };
    uses.iter().filter(wrong).map(|(from, to)| format!("{} uses {}", from.join("::"), to.join("::"))).collect()
}

#[test]
fn modules_use_each_other_one_way() {
    let app = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (root, plan, least) in [(app.join("../src"), &BUSINESS[..], 250), (app.join("src"), &WEB[..], 150)] {
        let all = modules(&root);
        assert!(all.len() > least, "the positive control: {} modules", all.len());
        let uses = uses(&all);
        assert!(uses.len() > 2 * least, "the positive control: {} uses", uses.len());
        assert_eq!(circles(&uses), [""; 0], "a circle");
        assert_eq!(against(plan, &uses), [""; 0], "up the plan");
    }
}

#[test]
fn a_circle_and_a_way_up_are_seen() {
    let module = |name: &str, code: &str| (name.split('/').map(str::to_owned).collect::<Module>(), code.to_owned());
    let of = |code: &[(&str, &str)]| uses(&code.iter().map(|(name, code)| module(name, code)).collect());
    let fine = of(&[("a", "use b::C;"), ("a/x", "use super::T; use super::y::{self, Z};"), ("a/y", "fn f() {}")]);
    assert!(circles(&fine).is_empty(), "a child that uses its parent is none");
    assert!(against(&["a"], &fine).is_empty());
    let two = of(&[("a/x", "use super::y::Z;"), ("a/y", "fn f() { super::x::g() }")]);
    assert_eq!(circles(&two).len(), 1, "a use line one way, a path the other");
    let three = of(&[
        ("a", "use crate::{b::C, values};"),
        ("b", ""),
        ("b/d", "use crate::c;"),
        ("c", "x(crate::a::f)"),
        ("values", ""),
    ]);
    assert_eq!(circles(&three).len(), 1, "through a third, from within a folder");
    assert_eq!(against(&["values", "c", "b", "a"], &three), ["c uses a"]);
    assert_eq!(against(&["values", "b", "a"], &three).len(), 2, "c is not in the plan");
}
