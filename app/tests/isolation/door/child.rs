//! The portal as a process of its own, with a limit of open files and a log that can be read.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::LONG;
use crate::support::database::Case;

/// `portal serve`.
pub struct Served {
    pub address: SocketAddr,
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Served {
    /// Serves a test's database; at most so many `files` open.
    pub async fn start(case: &Case, files: usize, flags: &[&str]) -> Self {
        let home = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("../test-postgres");
        let mut child = Command::new("sh")
            .args(["-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_portal"), "serve"])
            .args(["--listen", "127.0.0.1:0", "--workers", "1"])
            .args(flags)
            .env("DATABASE_URL", case.connected.admin_url())
            .env("PORTAL_DATA_DIR", home)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
        let kept = log.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = told.next_line().await {
                *kept.lock().unwrap() += &(line + "\n");
            }
        });
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(LONG, said.next_line()).await.unwrap().unwrap();
        let line = line.unwrap_or_else(|| panic!("it does not serve: {}", log.lock().unwrap()));
        let address = line.rsplit("//").next().unwrap().parse().unwrap();
        Self { address, child, log }
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        let process = self.child.id().expect("it runs").to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
    }

    /// Its exit code, once it has ended.
    pub async fn ended(&mut self) -> Option<i32> {
        timeout(LONG, self.child.wait()).await.expect("it ends").unwrap().code()
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The log, once a line of it holds a text.
    pub async fn log_with(&self, text: &str) -> String {
        let looking = async {
            while !self.log().contains(text) {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        assert!(timeout(LONG, looking).await.is_ok(), "no {text:?} in {}", self.log());
        self.log()
    }
}
