//! The portal as a process of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Short limits, so that each is met within seconds; all slow clients come from one address.
pub const LIMITS: [&str; 12] = [
    "--header-seconds",
    "2",
    "--body-seconds",
    "2",
    "--idle-seconds",
    "3",
    "--answer-seconds",
    "3",
    "--drain-seconds",
    "8",
    "--connections-per-address",
    "1000",
];

/// `portal serve`; ended with this.
#[derive(Debug)]
pub struct Served {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
}

impl Served {
    /// Serves a database, given as its administrator's connection string.
    ///
    /// # Errors
    /// A sentence when it does not start.
    pub async fn start(database_url: &str, data_dir: &Path) -> Result<Self, String> {
        let program = crate::portal()?;
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--workers", "0"])
            .args(LIMITS)
            // In a list of processes everybody reads the arguments.
            .env("DATABASE_URL", database_url)
            .env("PORTAL_DATA_DIR", data_dir)
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| format!("portal serve does not start: {e}"))?;
        let said = child.stdout.take().ok_or("portal serve says nothing")?;
        let line = BufReader::new(said).lines().next_line().await.map_err(|e| e.to_string())?;
        let address = line.as_deref().and_then(|line| line.rsplit("//").next()?.parse().ok());
        Ok(Self { address: address.ok_or("portal serve does not say where it listens")?, child })
    }

    /// Sends SIGTERM.
    ///
    /// # Errors
    /// A sentence when it cannot be sent.
    pub fn terminate(&self) -> Result<(), String> {
        let process = self.child.id().ok_or("portal serve has ended")?.to_string();
        let sent = std::process::Command::new("kill").args(["-TERM", &process]).status().map_err(|e| e.to_string())?;
        if sent.success() { Ok(()) } else { Err("SIGTERM could not be sent".to_owned()) }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// A sentence when it ends with a fault.
    pub async fn ended(&mut self) -> Result<(), String> {
        let status = self.child.wait().await.map_err(|e| e.to_string())?;
        if status.success() { Ok(()) } else { Err(format!("portal serve ended with {status}")) }
    }
}
