//! Scripts: what is code in the database (functions, procedures, views), beside the migrations, which are its history.
//!
//! Each is applied again whenever its text changes: those of `scripts/before` before the migrations, whose policies,
//! defaults and triggers ask them; those of `scripts/after` after them, since they name tables. The database keeps which
//! text it has and what that made, so that a program of any release can put its own in place of another's. They lie here
//! and not in `migrations/`, where every directory is taken for a migration.

mod apply;
mod record;

use std::borrow::Cow;
use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

pub(super) use apply::{after, before, take_back_after, take_back_before};
pub(super) use record::read;

/// One script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Its stage and file: `after/40_views`.
    pub name: Cow<'static, str>,
    /// What is run.
    pub text: Cow<'static, str>,
}

/// Every script of a program, in the order in which they are applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scripts {
    /// Applied before the migrations.
    pub before: Vec<Script>,
    /// Applied after them.
    pub after: Vec<Script>,
}

macro_rules! scripts {
    ($($name:literal)*) => {
        vec![$(Script {
            name: Cow::Borrowed($name),
            text: Cow::Borrowed(include_str!(concat!("scripts/", $name, ".sql"))),
        }),*]
    };
}

impl Scripts {
    /// Those of this program.
    #[must_use]
    pub fn ours() -> Self {
        Self {
            before: scripts!["before/01_schemas" "before/02_context" "before/03_scopes" "before/04_protect" "before/05_customer_reads"],
            after: scripts![
                "after/10_gate_context" "after/11_gate_sessions" "after/12_gate_sign_in" "after/13_gate_profile" "after/14_gate_roles"
                "after/15_gate_invitations" "after/16_gate_second_factor" "after/17_gate_password_resets"
                "after/18_gate_service_identities" "after/19_gate_staff" "after/20_gate_jobs" "after/21_gate_audit"
                "after/22_gate_forms" "after/23_gate_customer_requests" "after/24_gate_isolation" "after/30_samples"
                "after/31_samples_energy" "after/32_samples_work" "after/33_probe" "after/34_proof" "after/40_views"
            ],
        }
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Script> {
        self.before.iter().chain(&self.after)
    }
}

impl Script {
    /// Whether the database has just this text of it.
    pub(super) fn is(&self, applied: &record::Applied) -> bool {
        applied.sha256 == self.sha256()
    }

    fn sha256(&self) -> Vec<u8> {
        Sha256::digest(self.text.as_bytes()).to_vec()
    }

    /// What it makes, in its order: `FUNCTION public.open_context`. Each stands at the beginning of a line.
    fn makes(&self) -> Vec<String> {
        self.text.lines().filter_map(made).collect()
    }
}

fn made(line: &str) -> Option<String> {
    let (kind, rest) = match line.strip_prefix("CREATE OR REPLACE ") {
        Some(rest) => rest.split_once(' ')?,
        None => ("SCHEMA", line.strip_prefix("CREATE SCHEMA IF NOT EXISTS ")?),
    };
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
    Some(format!("{kind} {}", &rest[..end]))
}

fn made_by(scripts: &[Script]) -> BTreeSet<String> {
    scripts.iter().flat_map(Script::makes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_script_of_this_program_in_the_order_of_names() {
        let mut files = Vec::new();
        for stage in ["before", "after"] {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/operate/scripts").join(stage);
            let mut names: Vec<String> = std::fs::read_dir(folder)
                .unwrap()
                .map(|file| format!("{stage}/{}", file.unwrap().file_name().to_string_lossy().trim_end_matches(".sql")))
                .collect();
            names.sort();
            files.extend(names);
        }
        let ours = Scripts::ours();
        assert_eq!(ours.all().map(|script| script.name.to_string()).collect::<Vec<_>>(), files);
    }

    #[test]
    fn whatever_a_script_creates_can_be_replaced_and_is_made_once() {
        let ours = Scripts::ours();
        let mut all = BTreeSet::new();
        for script in ours.all() {
            for line in script.text.lines().filter(|line| line.starts_with("CREATE ")) {
                let one = made(line).unwrap_or_else(|| panic!("{}: {line}", script.name));
                assert!(all.insert(one), "{}: {line}", script.name);
            }
        }
        assert!(all.contains("SCHEMA private") && all.contains("VIEW public.isolation_state"), "{all:?}");
        assert!(all.contains("FUNCTION public.open_context") && all.contains("PROCEDURE private.protect"), "{all:?}");
    }
}
