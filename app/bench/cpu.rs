//! Processor time, which a busy machine disturbs less than requests a second: what this process and the database's
//! have used. Linux only; elsewhere nothing is told.

use std::fs;

/// Microseconds in one tick of `/proc`: `USER_HZ` is 100 wherever Rust runs on Linux.
const TICK_US: u64 = 10_000;

/// Processor time used so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Used {
    portal_us: u64,
    database_us: u64,
}

impl Used {
    /// Up to now.
    pub fn now() -> Self {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
        let database = ids.filter(|id| serves(*id)).filter_map(|id| stat(&id.to_string()));
        Self { portal_us: stat("self").unwrap_or_default() * TICK_US, database_us: database.sum::<u64>() * TICK_US }
    }

    /// Microseconds of this process and of the database's since then, for each of `answers`.
    pub fn since(self, answers: usize) -> (u64, u64) {
        let now = Self::now();
        let answers = u64::try_from(answers).unwrap_or_default().max(1);
        let each = |now: u64, then: u64| now.saturating_sub(then) / answers;
        (each(now.portal_us, self.portal_us), each(now.database_us, self.database_us))
    }
}

/// Whether a process serves one of the benches' databases: PostgreSQL tells it in the process's title.
fn serves(process: u32) -> bool {
    let title = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&title).strip_prefix("postgres: ").is_some_and(|title| title.contains(" portal_bench"))
}

/// A process's ticks, in itself and in the kernel.
fn stat(process: &str) -> Option<u64> {
    let line = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = line.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11).map_while(|field| field.parse::<u64>().ok());
    Some(fields.next()? + fields.next()?)
}
