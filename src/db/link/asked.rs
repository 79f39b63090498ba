//! What a connection string asks for. tokio-postgres knows three of the six `sslmode`s and no certificates: these parameters are
//! read here, and the rest is handed on.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// `sslmode`, as PostgreSQL's manual has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// Whose signature a server's certificate must bear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Root {
    /// Nobody's: any certificate is taken.
    Any,
    /// One of the operating system's.
    System,
    /// One of a file's.
    File(PathBuf),
}

/// A connection string, read.
#[derive(Debug)]
pub(super) struct Asked {
    /// Everything but TLS.
    pub config: Config,
    /// How much TLS.
    pub mode: Mode,
    /// Who is believed.
    pub root: Root,
    /// The portal's own certificate and its key, for a server that asks for one.
    pub identity: Option<(PathBuf, PathBuf)>,
}

const MODES: [(&str, Mode); 6] = [
    ("disable", Mode::Disable),
    ("allow", Mode::Allow),
    ("prefer", Mode::Prefer),
    ("require", Mode::Require),
    ("verify-ca", Mode::VerifyCa),
    ("verify-full", Mode::VerifyFull),
];

/// Each parameter of TLS, and the variable that PostgreSQL's programs read where the string has none.
const OURS: [(&str, &str); 4] =
    [("sslmode", "PGSSLMODE"), ("sslrootcert", "PGSSLROOTCERT"), ("sslcert", "PGSSLCERT"), ("sslkey", "PGSSLKEY")];

impl Asked {
    /// Reads a connection string; `environment` stands for the process's.
    ///
    /// # Errors
    /// A sentence: no address, a parameter or value that is not known, a mode without what it needs.
    pub fn read(url: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        if !url.starts_with("postgresql://") && !url.starts_with("postgres://") {
            return Err(
                "the connection string must be an address, such as postgresql://user@host:5432/database".to_owned()
            );
        }
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let (ours, others): (Vec<&str>, Vec<&str>) = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .partition(|pair| OURS.iter().any(|(name, _)| *name == name_of(pair)));
        let config: Config = format!("{place}?{}", others.join("&")).parse().map_err(|error| unknown(&error))?;
        let given = |name: &str, variable: &str| match ours.iter().rev().find(|pair| name_of(pair) == name) {
            Some(pair) => decoded(pair).map(Some),
            None => Ok(environment(variable)),
        };
        let mut values = [const { None }; 4];
        for (value, (name, variable)) in values.iter_mut().zip(OURS) {
            *value = given(name, variable)?.filter(|text| !text.is_empty());
        }
        let [mode, root, cert, key] = values;
        let home = environment("HOME").map(|home| PathBuf::from(home).join(".postgresql"));
        let (mode, root) = trusted(mode.as_deref(), root, home.map(|home| home.join("root.crt")))?;
        Ok(Self { config, mode, root, identity: identity(cert, key)? })
    }

    /// How to try, and how once more where that is refused.
    pub fn attempts(&self) -> (SslMode, Option<SslMode>) {
        if self.config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)))
            && self.config.get_hostaddrs().is_empty()
        {
            return (SslMode::Disable, None);
        }
        match self.mode {
            Mode::Disable => (SslMode::Disable, None),
            Mode::Allow => (SslMode::Disable, Some(SslMode::Require)),
            Mode::Prefer => (SslMode::Prefer, Some(SslMode::Disable)),
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => (SslMode::Require, None),
        }
    }

    /// The mode as it is written.
    pub fn mode_name(&self) -> &'static str {
        MODES.iter().find(|(_, mode)| *mode == self.mode).map_or("", |(name, _)| name)
    }
}

fn name_of(pair: &str) -> &str {
    pair.split('=').next().unwrap_or_default()
}

fn decoded(pair: &str) -> Result<String, String> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let text = percent_decode_str(value).decode_utf8();
    text.map(Into::into).map_err(|_| format!("{name} in the connection string is not UTF-8"))
}

/// What tokio-postgres says of a string; the cause names the parameter.
fn unknown(error: &tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    format!(
        "the connection string cannot be used: {cause}. Take it out, or see docs/database.md for what the portal understands"
    )
}

/// Mode and root. A root that is there is always asked, as PostgreSQL's programs do: `require` with one is `verify-ca`.
fn trusted(mode: Option<&str>, root: Option<String>, usual: Option<PathBuf>) -> Result<(Mode, Root), String> {
    let system = root.as_deref() == Some("system");
    let name = mode.unwrap_or(if system { "verify-full" } else { "prefer" });
    let mode = MODES.iter().find(|(known, _)| *known == name).map(|(_, mode)| *mode);
    let mode = mode.ok_or_else(|| {
        format!("sslmode={name} is not known: it is one of {}", MODES.map(|(known, _)| known).join(", "))
    })?;
    if system {
        return match mode {
            Mode::VerifyFull => Ok((mode, Root::System)),
            _ => Err(format!(
                "sslmode={name} is too weak for sslrootcert=system, by which anybody's certificate would do: use sslmode=verify-full"
            )),
        };
    }
    let file = root.map(PathBuf::from).or(usual).filter(|file| file.exists());
    match (file, mode) {
        (Some(file), _) => Ok((mode, Root::File(file))),
        (None, Mode::VerifyCa | Mode::VerifyFull) => Err(format!(
            "sslmode={name} needs to know whose certificates to believe, and the file is not there: give sslrootcert=FILE with the \
             certificate that signed the server's, or sslrootcert=system for those of the operating system"
        )),
        (None, _) => Ok((mode, Root::Any)),
    }
}

fn identity(cert: Option<String>, key: Option<String>) -> Result<Option<(PathBuf, PathBuf)>, String> {
    match (cert, key) {
        (Some(cert), Some(key)) => Ok(Some((cert.into(), key.into()))),
        (None, None) => Ok(None),
        _ => Err("sslcert and sslkey belong together: give both, or neither".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Asked, String> {
        Asked::read(url, &|_| None)
    }

    fn ca() -> String {
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").to_owned()
    }

    #[test]
    fn each_mode_is_tried_as_postgresqls_programs_try_it() {
        let file = Root::File(ca().into());
        for (mode, attempts) in [
            ("disable", (SslMode::Disable, None)),
            ("allow", (SslMode::Disable, Some(SslMode::Require))),
            ("prefer", (SslMode::Prefer, Some(SslMode::Disable))),
            ("require", (SslMode::Require, None)),
            ("verify-ca", (SslMode::Require, None)),
            ("verify-full", (SslMode::Require, None)),
        ] {
            let asked = read(&format!("postgresql://u@h/d?sslmode={mode}&sslrootcert={}", ca())).unwrap();
            assert_eq!((asked.attempts(), &asked.root, asked.mode_name()), (attempts, &file, mode));
            let socket =
                read(&format!("postgresql:///d?host=/run&user=u&sslmode={mode}&sslrootcert={}", ca())).unwrap();
            assert_eq!(socket.attempts(), (SslMode::Disable, None), "{mode} on a socket");
        }
        assert_eq!(read("postgresql://u@h/d").unwrap().mode, Mode::Prefer);
    }

    #[test]
    fn the_environment_counts_where_the_string_says_nothing() {
        let of = |url: &str| {
            let file = ca();
            let environment = move |name: &str| match name {
                "PGSSLMODE" => Some("verify-ca".to_owned()),
                "PGSSLROOTCERT" => Some(file.clone()),
                _ => None,
            };
            let asked = Asked::read(url, &environment).unwrap();
            (asked.mode, asked.root)
        };
        assert_eq!(of("postgres://u@h/d"), (Mode::VerifyCa, Root::File(ca().into())));
        assert_eq!(of("postgres://u@h/d?sslmode=disable").0, Mode::Disable);
        assert_eq!(of("postgres://u@h/d?sslrootcert=system&sslmode=verify-full").1, Root::System);
    }

    #[test]
    fn what_cannot_be_honoured_is_told_by_its_name() {
        for (url, words) in [
            ("postgresql://u@h/d?sslmode=verify-all", "sslmode=verify-all is not known"),
            ("postgresql://u@h/d?sslmode=verify-full&sslrootcert=/nowhere", "sslrootcert=FILE"),
            ("postgresql://u@h/d?sslmode=verify-ca", "sslrootcert=FILE"),
            ("postgresql://u@h/d?sslmode=require&sslrootcert=system", "too weak"),
            ("postgresql://u@h/d?sslcert=a", "belong together"),
            ("postgresql://u@h/d?sslcrl=a", "sslcrl"),
            ("postgresql://u@h/d?sslmodee=require", "sslmodee"),
            ("postgresql://u@h/d?sslrootcert=%FF", "not UTF-8"),
            ("host=h user=u sslmode=require", "postgresql://user@host:5432/database"),
        ] {
            let told = read(url).unwrap_err();
            assert!(told.contains(words), "{url}: {told}");
        }
        assert_eq!(read("postgresql://u@h/d?sslrootcert=system").unwrap().mode, Mode::VerifyFull, "as libpq has it");
        assert!(read("postgresql://u@h/d?channel_binding=require&connect_timeout=3").is_ok(), "others are handed on");
    }
}
