//! The private server without its passwords: where it is, and how it is started, asked after and stopped. It is what a portal
//! that serves keeps.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{ClusterError, at, logs, place};

/// A private server: where it lives, and by which programs it runs.
#[derive(Debug, Clone)]
pub struct Server {
    pub(super) home: PathBuf,
    pub(super) socket: PathBuf,
    bin: PathBuf,
    run_as: Option<place::Ids>,
    durable: bool,
}

impl Server {
    /// The private server of a data directory, to be asked after or stopped. Nothing is started, and nothing made but its home.
    ///
    /// # Errors
    /// When no server is installed or the directory cannot be used.
    pub fn of(data_dir: &Path, durable: bool) -> Result<Self, ClusterError> {
        let data_dir = &data_dir.canonicalize().map_err(at(data_dir))?;
        let run_as = place::unprivileged_user()?;
        let home = place::home_for(data_dir, run_as)?;
        Ok(Self { socket: place::socket_for(&home), home, bin: place::find_binaries()?, run_as, durable })
    }

    /// Starts the server unless it runs; true when this call started it. `init` makes its data where there are none.
    pub(super) fn start(&self, init: impl FnOnce() -> Result<(), ClusterError>) -> Result<bool, ClusterError> {
        let _lock = self.lock()?;
        let mark = self.stopped_mark();
        if mark.exists() {
            fs::remove_file(&mark).map_err(at(&mark))?;
        }
        if !self.has_data() {
            init()?;
        }
        self.start_locked()
    }

    /// Starts it after it died, unless it was stopped for good meanwhile; true when this call started it.
    ///
    /// # Errors
    /// When its data are gone, or starting fails; the message carries the end of the server's log.
    pub fn start_again(&self) -> Result<bool, ClusterError> {
        let _lock = self.lock()?;
        if self.is_to_stay_stopped() {
            return Ok(false);
        }
        if !self.has_data() {
            let message = format!("{} holds no database any more", self.data().display());
            return Err(ClusterError::Failed { step: "starting PostgreSQL again", message });
        }
        self.start_locked()
    }

    pub(super) fn has_data(&self) -> bool {
        self.data().join("PG_VERSION").exists()
    }

    fn start_locked(&self) -> Result<bool, ClusterError> {
        let data = self.data();
        place::private_folder(&self.socket, &self.home, self.run_as)?;
        self.prune_logs()?;
        if self.runs(&data)? {
            return Ok(false);
        }
        if is_dead_but_listed(&data) {
            // PostgreSQL takes the number of a dead process that nobody has fetched for a living server's.
            for file in [data.join("postmaster.pid"), self.socket.join(".s.PGSQL.5432.lock")] {
                remove_if_there(&file)?;
            }
        }
        // What is said before the collector runs, of this start alone.
        let before = self.home.join("server.log");
        remove_if_there(&before)?;
        let mut start = self.command("pg_ctl");
        start.args(["start", "-w", "-t", "60", "-D"]).arg(&data).arg("-l").arg(&before).args(["-o", &self.options()]);
        start.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if start.status().map_err(at(&data))?.success() {
            return Ok(true);
        }
        Err(ClusterError::Failed { step: "starting PostgreSQL", message: logs::end(&before, &self.logs()) })
    }

    /// A query that sorts more than fits into memory writes files: a limit, so that none fills the disk.
    fn options(&self) -> String {
        let durability =
            if self.durable { "" } else { "-c fsync=off -c synchronous_commit=off -c full_page_writes=off" };
        format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c max_connections=200 -c shared_buffers=256MB \
             -c random_page_cost=1.1 -c work_mem=16MB -c max_wal_size=2GB -c log_min_duration_statement=1000 \
             -c log_parameter_max_length=0 -c temp_file_limit={} -c log_directory='{}' {} {durability}",
            self.socket.display(),
            crate::operate::cluster::TEMP_FILE_LIMIT,
            self.logs().display(),
            logs::SETTINGS
        )
    }

    fn logs(&self) -> PathBuf {
        self.home.join("log")
    }

    /// Removes the oldest files of its log.
    ///
    /// # Errors
    /// When they cannot be looked at or removed.
    pub fn prune_logs(&self) -> Result<(), ClusterError> {
        logs::prune(&self.logs())
    }

    /// Whether `portal db stop` stopped it, and nobody has started it since.
    #[must_use]
    pub fn is_to_stay_stopped(&self) -> bool {
        self.stopped_mark().exists()
    }

    /// Where its files are.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// Whether its main process is there, ready or not.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn runs_now(&self) -> Result<bool, ClusterError> {
        self.runs(&self.data())
    }

    fn stopped_mark(&self) -> PathBuf {
        self.home.join("stopped")
    }

    fn lock(&self) -> Result<fs::File, ClusterError> {
        let path = self.home.join("start.lock");
        let lock = fs::File::create(&path).map_err(at(&path))?;
        lock.lock().map_err(at(&path))?;
        Ok(lock)
    }

    fn runs(&self, data: &Path) -> Result<bool, ClusterError> {
        let mut status = self.command("pg_ctl");
        status.arg("status").arg("-D").arg(data).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(status.status().map_err(at(data))?.success() && !is_dead_but_listed(data))
    }

    /// As [`Self::stop`], and portals that serve from it leave it stopped.
    ///
    /// # Errors
    /// As [`Self::stop`].
    pub fn stop_for_good(&self) -> Result<(), ClusterError> {
        let mark = self.stopped_mark();
        fs::write(&mark, "").map_err(at(&mark))?;
        self.stop()
    }

    /// Stops the server if it runs, letting no new connection in and ending what runs.
    ///
    /// # Errors
    /// When it does not stop within a minute.
    pub fn stop(&self) -> Result<(), ClusterError> {
        let _lock = self.lock()?;
        let data = self.data();
        if !self.runs(&data)? {
            return Ok(());
        }
        self.run("stopping PostgreSQL", self.command("pg_ctl").args(["stop", "-w", "-m", "fast", "-D"]).arg(&data))
    }

    pub(super) fn run(&self, step: &'static str, command: &mut Command) -> Result<(), ClusterError> {
        let output = command.stdin(Stdio::null()).output().map_err(at(&self.bin))?;
        if output.status.success() {
            return Ok(());
        }
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(ClusterError::Failed { step, message })
    }

    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir("/").env_remove("PGDATA").env("LC_ALL", "C.UTF-8");
        if let Some((uid, gid)) = self.run_as {
            command.uid(uid).gid(gid);
        }
        command
    }

    pub(super) fn give(&self, path: &Path) -> Result<(), ClusterError> {
        match self.run_as {
            Some((uid, gid)) => std::os::unix::fs::lchown(path, Some(uid), Some(gid)).map_err(at(path)),
            None => Ok(()),
        }
    }
}

fn remove_if_there(file: &Path) -> Result<(), ClusterError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(file)(error)),
        _ => Ok(()),
    }
}

/// Whether the main process has died and stays in the list of processes, for no parent has asked how it ended: so in a
/// container whose first process is the portal.
fn is_dead_but_listed(data: &Path) -> bool {
    let state = || {
        let number = fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let about = fs::read_to_string(Path::new("/proc").join(number.lines().next()?).join("stat")).ok()?;
        // The name, which may hold anything, ends with the last bracket.
        about.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next())
    };
    state() == Some('Z')
}
