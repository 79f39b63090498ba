//! What a service identity may be let do, and the secret that opens it.

use crate::values::hex;

/// What a service identity can be let do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// Import a file of usage.
    ImportUsage,
    /// Make and rate a billing run of what is due.
    RateBillingRun,
    /// Read how each client is doing: what waits for somebody.
    ReadOverview,
}

impl Command {
    /// Every one. The database knows the same (`private.service_writes`), and which of them write.
    pub const ALL: [Self; 3] = [Self::ImportUsage, Self::RateBillingRun, Self::ReadOverview];

    /// As the database and forms spell it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ImportUsage => "import_usage",
            Self::RateBillingRun => "rate_billing_run",
            Self::ReadOverview => "read_overview",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ImportUsage => "Import usage",
            Self::RateBillingRun => "Make and rate billing runs",
            Self::ReadOverview => "Read what waits at each client",
        }
    }

    /// The one of a code; `None` for anything else.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.code() == code)
    }
}

/// A new secret of a service identity: 256 random bits, told once.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// The secret of such bytes.
    pub(crate) const fn of_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// As people copy it.
    #[must_use]
    pub fn hex(&self) -> String {
        hex::of(&self.0)
    }

    /// The secret of such a text; `None` when it is none.
    #[must_use]
    pub fn of_hex(text: &str) -> Option<Self> {
        hex::bytes(text.trim()).filter(|bytes| bytes.len() == 32).map(Self)
    }

    /// Its bytes, of which the database keeps the SHA-256.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, Secret};

    #[test]
    fn every_command_is_read_back() {
        assert!(Command::ALL.into_iter().all(|command| Command::parse(command.code()) == Some(command)));
    }

    #[test]
    fn a_secret_has_256_bits_and_is_never_printed() {
        let secret = Secret::of_hex(&format!("{}\n", "ab".repeat(32))).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.hex(), "ab".repeat(32));
        assert_eq!(Secret::of_hex(&"ab".repeat(31)), None);
        assert_eq!(Secret::of_hex("no secret"), None);
    }
}
