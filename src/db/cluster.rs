//! The private PostgreSQL: a server of the portal's own, on a private socket, when no database is configured.
//!
//! It uses the binaries of an installed server, keeps `fsync` on, outlives a crash of the portal and is
//! found again at the next start. PostgreSQL refuses to run as root; then it runs as `postgres` or
//! `nobody`, and where that user cannot enter the data directory's parents, under `/var/lib/eis-power`.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::admin::LoginPasswords;

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

/// A private server: where it lives and how to reach it.
#[derive(Debug, Clone)]
pub struct Cluster {
    home: PathBuf,
    socket: PathBuf,
    bin: PathBuf,
    run_as: Option<(u32, u32)>,
    passwords: LoginPasswords,
    durable: bool,
}

impl Cluster {
    /// The private server of a data directory, made if it is new. Nothing is started yet.
    ///
    /// # Errors
    /// When no server is installed or the directory cannot be used.
    pub fn open(data_dir: &Path, durable: bool) -> Result<Self, ClusterError> {
        fs::create_dir_all(data_dir).map_err(at(data_dir))?;
        let data_dir = data_dir.canonicalize().map_err(at(data_dir))?;
        let run_as = unprivileged_user()?;
        let home = home_for(&data_dir, run_as)?;
        let socket = home.join("socket");
        // A socket's path holds at most 107 bytes.
        let socket = if socket.as_os_str().len() > 80 { short_socket(&home) } else { socket };
        let passwords = passwords(&data_dir)?;
        Ok(Self { home, socket, bin: find_binaries()?, run_as, passwords, durable })
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
        let _lock = self.lock()?;
        let mark = self.stopped_mark();
        if mark.exists() {
            fs::remove_file(&mark).map_err(at(&mark))?;
        }
        self.start_locked()
    }

    fn start_locked(&self) -> Result<bool, ClusterError> {
        let data = self.data();
        if !data.join("PG_VERSION").exists() {
            self.init(&data)?;
        }
        fs::create_dir_all(&self.socket).map_err(at(&self.socket))?;
        self.give(&self.socket)?;
        if self.runs(&data)? {
            return Ok(false);
        }
        if is_dead_but_listed(&data) {
            // PostgreSQL takes the number of a dead process that nobody has fetched for a living server's.
            for file in [data.join("postmaster.pid"), self.socket.join(".s.PGSQL.5432.lock")] {
                match fs::remove_file(&file) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at(&file)(error)),
                    _ => {}
                }
            }
        }
        let log = self.home.join("server.log");
        let durability =
            if self.durable { "" } else { "-c fsync=off -c synchronous_commit=off -c full_page_writes=off" };
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c max_connections=200 -c shared_buffers=256MB \
             -c random_page_cost=1.1 -c work_mem=16MB -c max_wal_size=2GB -c log_min_duration_statement=1000 \
             -c log_parameter_max_length=0 {durability}",
            self.socket.display()
        );
        let output = self
            .command("pg_ctl")
            .args(["start", "-w", "-t", "60", "-D"])
            .arg(&data)
            .arg("-l")
            .arg(&log)
            .args(["-o", &options])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(at(&data))?;
        if output.success() {
            return Ok(true);
        }
        let tail = fs::read_to_string(&log).unwrap_or_default();
        let tail: Vec<&str> = tail.lines().rev().take(5).collect();
        let message = tail.into_iter().rev().collect::<Vec<_>>().join(" | ");
        Err(ClusterError::Failed { step: "starting PostgreSQL", message })
    }

    /// As [`Self::start`], unless it was stopped for good meanwhile.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_again(&self) -> Result<bool, ClusterError> {
        let _lock = self.lock()?;
        if self.is_to_stay_stopped() { Ok(false) } else { self.start_locked() }
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

    fn init(&self, data: &Path) -> Result<(), ClusterError> {
        let password_file = self.home.join("initial-password");
        write_secret(&password_file, &self.passwords.superuser)?;
        self.give(&password_file)?;
        let result = self.run(
            "initialising PostgreSQL",
            self.command("initdb")
                .arg("-D")
                .arg(data)
                .args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"])
                .arg("--pwfile")
                .arg(&password_file),
        );
        let _ = fs::remove_file(&password_file);
        result
    }

    fn run(&self, step: &'static str, command: &mut Command) -> Result<(), ClusterError> {
        let output = command.stdin(Stdio::null()).output().map_err(at(&self.bin))?;
        if output.status.success() {
            return Ok(());
        }
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(ClusterError::Failed { step, message })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir("/").env_remove("PGDATA").env("LC_ALL", "C.UTF-8");
        if let Some((uid, gid)) = self.run_as {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn give(&self, path: &Path) -> Result<(), ClusterError> {
        match self.run_as {
            Some((uid, gid)) => std::os::unix::fs::chown(path, Some(uid), Some(gid)).map_err(at(path)),
            None => Ok(()),
        }
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

/// Root may not run a server: the user to run it as instead.
fn unprivileged_user() -> Result<Option<(u32, u32)>, ClusterError> {
    let own = fs::metadata("/proc/self").map(|m| m.uid()).unwrap_or(1);
    if own != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |name: &str| {
        users.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            (fields.first() == Some(&name))
                .then(|| Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)))?
        })
    };
    find("postgres").or_else(|| find("nobody")).map(Some).ok_or(ClusterError::NoUser)
}

/// Where the server lives: in the data directory, or, when its user cannot get there, under /var/lib.
fn home_for(data_dir: &Path, run_as: Option<(u32, u32)>) -> Result<PathBuf, ClusterError> {
    let inside = data_dir.join("postgres");
    let home = match run_as {
        Some(user) if !can_enter(data_dir, user) => {
            PathBuf::from("/var/lib/eis-power").join(format!("{:016x}", fingerprint(data_dir)))
        }
        _ => inside,
    };
    fs::create_dir_all(&home).map_err(at(&home))?;
    if let Some((uid, gid)) = run_as {
        std::os::unix::fs::chown(&home, Some(uid), Some(gid)).map_err(at(&home))?;
    }
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).map_err(at(&home))?;
    Ok(home)
}

fn can_enter(path: &Path, (uid, gid): (u32, u32)) -> bool {
    Command::new("/bin/ls")
        .arg("-d")
        .arg(path.join("."))
        .current_dir("/")
        .uid(uid)
        .gid(gid)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn short_socket(home: &Path) -> PathBuf {
    PathBuf::from("/tmp").join(format!("eis-power-{:016x}", fingerprint(home)))
}

fn fingerprint(path: &Path) -> u64 {
    use sha2::{Digest, Sha256};
    use std::os::unix::ffi::OsStrExt;
    let digest = Sha256::digest(path.as_os_str().as_bytes());
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// The newest installed server's binaries.
fn find_binaries() -> Result<PathBuf, ClusterError> {
    let mut candidates: Vec<(u32, PathBuf)> = Vec::new();
    for root in ["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt"] {
        for entry in fs::read_dir(root).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let digits: String = name.chars().filter(char::is_ascii_digit).collect();
            let bin = entry.path().join("bin");
            if let Ok(version) = digits.parse()
                && bin.join("initdb").exists()
            {
                candidates.push((version, bin));
            }
        }
    }
    candidates.sort();
    if let Some((_, bin)) = candidates.pop() {
        return Ok(bin);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .find(|dir| dir.join("initdb").exists() && dir.join("pg_ctl").exists())
        .ok_or(ClusterError::NotInstalled)
}

/// Whether a data directory has its passwords already.
pub(super) fn has_passwords(data_dir: &Path) -> bool {
    data_dir.join("secrets.json").exists()
}

/// The passwords of this data directory, made from the system's random source the first time.
///
/// # Errors
/// When the file cannot be read or written.
pub fn passwords(data_dir: &Path) -> Result<LoginPasswords, ClusterError> {
    let path = data_dir.join("secrets.json");
    if let Ok(text) = fs::read_to_string(&path) {
        return serde_json::from_str(&text)
            .map_err(|e| ClusterError::Failed { step: "reading secrets.json", message: e.to_string() });
    }
    let random = || format!("{:032x}", rand::random::<u128>());
    let made = LoginPasswords { superuser: random(), app: random(), worker: random(), monitor: random() };
    let text = serde_json::to_string_pretty(&made)
        .map_err(|e| ClusterError::Failed { step: "writing secrets.json", message: e.to_string() })?;
    write_secret(&path, &text)?;
    Ok(made)
}

fn write_secret(path: &Path, text: &str) -> Result<(), ClusterError> {
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).map_err(at(path))?;
    file.write_all(text.as_bytes()).map_err(at(path))
}
