//! `docs/asvs.md` is held true, and what the standard asks of every answer is asked of the portal's router.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod document;
#[cfg(test)]
#[path = "../support/sources.rs"]
#[expect(dead_code, reason = "the other suites use the rest")]
mod sources;
