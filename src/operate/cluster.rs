//! The private PostgreSQL: a server of the portal's own, on a private socket, when no database is configured.
//!
//! It uses the binaries of an installed server, keeps `fsync` on, outlives a crash of the portal and is
//! found again at the next start. PostgreSQL refuses to run as root; then it runs as `postgres` or
//! `nobody`, and where that user cannot enter the data directory's parents, under `/var/lib/eis-power`.

mod logs;
mod place;
mod secrets;
mod server;

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use super::logins::LoginPasswords;

/// What the files of one query may take on the disk, for those servers that the portal starts.
pub const TEMP_FILE_LIMIT: &str = "1GB";

pub use secrets::passwords;
pub use server::Server;

/// What keeps the private server from running; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No server binaries.
    #[error(
        "no PostgreSQL server was found (15 or later). Install one (Debian: apt-get install postgresql; macOS: brew install postgresql@17), \
         put its bin directory on PATH, or set DATABASE_URL to a database of your own"
    )]
    NotInstalled,
    /// Root, and no other user to run it as.
    #[error(
        "PostgreSQL does not run as root, and there is neither a user 'postgres' nor 'nobody'. Run the portal as another user, or set DATABASE_URL"
    )]
    NoUser,
    /// A step failed.
    #[error("{step} failed: {message}")]
    Failed {
        /// What was tried.
        step: &'static str,
        /// What it said.
        message: String,
    },
    /// The folder of its socket is not the server's own.
    #[error(
        "{path} is where the private PostgreSQL listens, and it is no folder of its user's (it belongs to the user with the number {owner}). \
         Whoever made it could answer in the server's place: look who that is and remove it"
    )]
    NotOurs {
        /// Where.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// The passwords are there and of no use; others are not made over them.
    #[error(
        "{path} {what} ({why}). It holds the passwords of the database's logins, and new ones are not made over them: give the portal's user \
         the right to read it, or put it back from a backup. Without a backup: docs/database.md, \"The passwords are lost\""
    )]
    Secrets {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
        /// What was said.
        why: String,
    },
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> ClusterError + '_ {
    move |source| ClusterError::Io { path: path.to_owned(), source }
}

/// A private server and the passwords of its logins.
#[derive(Debug, Clone)]
pub struct Cluster {
    server: Server,
    passwords: LoginPasswords,
}

impl Deref for Cluster {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Cluster {
    /// The private server of a data directory, made if it is new. Nothing is started yet.
    ///
    /// # Errors
    /// When no server is installed or the directory cannot be used.
    pub fn open(data_dir: &Path, durable: bool) -> Result<Self, ClusterError> {
        fs::create_dir_all(data_dir).map_err(at(data_dir))?;
        let server = Server::of(data_dir, durable)?;
        if server.has_data() {
            secrets::must_be_there(data_dir)?;
        }
        Ok(Self { server, passwords: passwords(data_dir)?.0 })
    }

    /// The server alone.
    #[must_use]
    pub fn without_passwords(self) -> Server {
        self.server
    }

    /// The passwords of its logins.
    #[must_use]
    pub const fn passwords(&self) -> &LoginPasswords {
        &self.passwords
    }

    /// A connection string for a login on one of its databases.
    #[must_use]
    pub fn url(&self, login: &str, password: &str, database: &str) -> String {
        format!("postgresql:///{database}?host={}&user={login}&password={password}", self.socket.display())
    }

    /// The superuser's connection string.
    #[must_use]
    pub fn admin_url(&self, database: &str) -> String {
        self.url("postgres", &self.passwords.superuser, database)
    }

    /// Starts the server unless it runs; true when this call started it.
    ///
    /// # Errors
    /// When initialising or starting fails; the message carries the end of the server's log.
    pub fn start(&self) -> Result<bool, ClusterError> {
        self.server.start(|| self.init())
    }

    fn init(&self) -> Result<(), ClusterError> {
        let (data, password_file) = (self.data(), self.home.join(format!("initial-password.{}", std::process::id())));
        secrets::write_secret(&password_file, &self.passwords.superuser)?;
        self.give(&password_file)?;
        let mut init = self.command("initdb");
        init.arg("-D").arg(data).args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"]);
        let result = self.run("initialising PostgreSQL", init.arg("--pwfile").arg(&password_file));
        fs::remove_file(&password_file).map_err(at(&password_file))?;
        result
    }
}
