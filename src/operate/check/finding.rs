//! What a check found.

/// The result of one check.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Finding {
    /// What was checked.
    pub check: &'static str,
    /// Whether it holds.
    pub ok: bool,
    /// It holds, and something should be done about it all the same.
    pub warns: bool,
    /// A plain sentence: what is so, or what is wrong and what to do.
    pub message: String,
}

impl Finding {
    /// What was looked at and is right.
    pub(crate) const fn fine(check: &'static str, message: String) -> Self {
        Self { check, ok: true, warns: false, message }
    }

    /// What keeps nobody from serving and should be mended, and how.
    pub(in crate::operate) const fn warning(check: &'static str, message: String) -> Self {
        Self { check, ok: true, warns: true, message }
    }

    /// What is wrong, and what to do.
    #[must_use]
    pub const fn fault(check: &'static str, message: String) -> Self {
        Self { check, ok: false, warns: false, message }
    }

    /// How a line about it begins.
    #[must_use]
    pub const fn mark(&self) -> &'static str {
        match (self.ok, self.warns) {
            (false, _) => "FAULT",
            (true, true) => "warn ",
            (true, false) => "ok   ",
        }
    }
}
