//! Which database the portal uses, and the connection strings of its logins.

use std::path::{Path, PathBuf};

use super::admin;
use super::check::Finding;
use super::cluster::{self, Cluster, ClusterError, Server};
use super::logins::{LoginPasswords, with_login};
use super::scripts::Scripts;
use super::{migrate, own};
use crate::db::{DbError, link};

/// The private server's database.
pub const DATABASE: &str = "portal";

/// Where the database is, from flags and environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `DATABASE_URL`: an administrator's connection string to a database of one's own.
    pub database_url: Option<String>,
    /// Where passwords and the private server live.
    pub data_dir: PathBuf,
}

/// A database that answers, with the connection strings of its logins.
#[derive(Debug, Clone)]
pub struct Connected {
    admin_url: String,
    passwords: LoginPasswords,
    /// Whether the passwords were made just now: nothing can be said of the database's then.
    new_passwords: bool,
    /// The private server, where there is one.
    pub cluster: Option<Cluster>,
    /// Whether this process started the private server.
    pub started: bool,
}

/// What bringing a database up to date did.
#[derive(Debug)]
pub struct Brought {
    /// Migrations and scripts that were applied.
    pub applied: migrate::Applied,
    /// What a login had done to itself and is as it was: sentences without their stop.
    pub mended: Vec<String>,
}

/// The logins that `portal db url` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// The portal's own login.
    App,
    /// Background work.
    Worker,
    /// Migrations: the administrator, acting as `eis_owner`.
    Owner,
    /// Health and catalogues.
    Monitor,
}

/// Why there is no database to work with.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The private server.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Settings {
    /// Finds the database, starting the private server when none is configured.
    ///
    /// # Errors
    /// When the private server cannot be started.
    pub fn connect(&self) -> Result<Connected, ConnectError> {
        self.connect_to(DATABASE, true)
    }

    /// Stops the private server if it runs; nothing is started or made for it, and no password is needed.
    ///
    /// # Errors
    /// When it does not stop.
    pub fn stop(&self) -> Result<(), ClusterError> {
        if self.data_dir.exists() { Server::of(&self.data_dir, true)?.stop_for_good() } else { Ok(()) }
    }

    /// As [`Self::connect`], for another database of the private server; `durable: false` is for tests.
    ///
    /// # Errors
    /// When the private server cannot be started.
    pub fn connect_to(&self, database: &str, durable: bool) -> Result<Connected, ConnectError> {
        if let Some(url) = &self.database_url {
            std::fs::create_dir_all(&self.data_dir)
                .map_err(|source| ClusterError::Io { path: self.data_dir.clone(), source })?;
            let (passwords, new_passwords) = cluster::passwords(&self.data_dir)?;
            return Ok(Connected { admin_url: url.clone(), passwords, new_passwords, cluster: None, started: false });
        }
        let cluster = Cluster::open(Path::new(&self.data_dir), durable)?;
        let started = cluster.start()?;
        Ok(Connected {
            admin_url: cluster.admin_url(database),
            passwords: cluster.passwords().clone(),
            new_passwords: false,
            cluster: Some(cluster),
            started,
        })
    }
}

/// The private server of a portal that serves, and nothing of its administrator's.
pub struct Private {
    /// The server.
    pub server: Server,
    /// Whether this process started it.
    pub started: bool,
    /// The connection string by which its end is noticed: of `eis_monitor`, which sees no tenant's rows.
    pub watched_by: String,
}

impl Connected {
    /// Forgets the administrator and the passwords; what stays of a private server is for its being kept running.
    #[must_use]
    pub fn into_private(self) -> Option<Private> {
        let (watched_by, started) = (self.url(Login::Monitor), self.started);
        self.cluster.map(|cluster| Private { server: cluster.without_passwords(), started, watched_by })
    }

    /// The administrator's connection string.
    #[must_use]
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// The connection string of a login.
    #[must_use]
    pub fn url(&self, login: Login) -> String {
        match login {
            Login::App => with_login(&self.admin_url, "eis_app", &self.passwords.app),
            Login::Worker => with_login(&self.admin_url, "eis_worker", &self.passwords.worker),
            Login::Monitor => with_login(&self.admin_url, "eis_monitor", &self.passwords.monitor),
            Login::Owner => {
                let joint = if self.admin_url.contains('?') { '&' } else { '?' };
                format!("{}{joint}options=-c%20role%3Deis_owner", self.admin_url)
            }
        }
    }

    /// Makes the private database, roles and rights where they are missing, and applies what is pending.
    ///
    /// # Errors
    /// When the administrator lacks a right or a migration fails.
    pub async fn migrate_up(&self) -> Result<Brought, DbError> {
        match self.bring_up().await {
            Err(DbError::Query(error)) => {
                let holders = own::holders(&self.admin_url).await;
                if holders.is_empty() {
                    return Err(error.into());
                }
                let told =
                    format!("{error}. Where a lock was waited for, one of these holds it: {}", holders.join(" "));
                Err(DbError::Query(diesel::result::Error::QueryBuilderError(told.into())))
            }
            other => other,
        }
    }

    /// Whether each login gets in with the password that the portal has; `None` in a data directory that had none.
    pub async fn check_logins(&self) -> Option<Finding> {
        if self.new_passwords {
            return None;
        }
        let mut refused = Vec::new();
        for login in [Login::App, Login::Worker, Login::Monitor] {
            if let Err(error) = link::connect(&self.url(login)).await {
                refused.push(format!("{login:?}: {error}."));
            }
        }
        Some(match refused.is_empty() {
            true => Finding::fine("logins", "each login gets in with the password that the portal has".to_owned()),
            false => Finding::fault("logins", refused.join(" ")),
        })
    }

    async fn bring_up(&self) -> Result<Brought, DbError> {
        if let Some(cluster) = &self.cluster {
            admin::ensure_database(&cluster.admin_url("postgres"), database_name(&self.admin_url)).await?;
        }
        let mended = admin::prepare(&self.admin_url, &self.passwords).await?;
        Ok(Brought { applied: migrate::apply(&self.admin_url, &Scripts::ours()).await?, mended })
    }
}

fn database_name(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    path.split('?').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_database_is_read_off_the_address() {
        assert_eq!(database_name("postgresql:///portal?host=/run"), "portal");
        assert_eq!(database_name("postgresql://a:b@h:1/other"), "other");
    }
}
