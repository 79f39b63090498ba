//! The portal as a process of its own, and uploads to it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::files::{Kind, form_around};
use crate::support::database::{Case, home};
use crate::support::world::Who;

/// A server over a case's database, ended when dropped; its uploads lie in a folder of its own.
pub struct Server {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Server {
    pub async fn start(case: &Case) -> Self {
        let folder = std::env::temp_dir().join(format!("portal-uploads-{}-{}", case.name, std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        // Another build of it may be measured.
        let portal = std::env::var("UPLOADS_PORTAL").unwrap_or_else(|_| env!("CARGO_BIN_EXE_portal").to_owned());
        let mut child = Command::new(portal)
            .args(["serve", "--listen", &free.to_string(), "--workers", "0"])
            .env("DATABASE_URL", case.connected.admin_url())
            .env("PORTAL_DATA_DIR", home())
            .env("TMPDIR", &folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let told = tokio::task::spawn_blocking(move || {
            BufReader::new(output).lines().map_while(Result::ok).find(|line| line.contains("http://"))
        });
        assert!(told.await.unwrap().is_some(), "the server does not start");
        Self { child, address: free, folder }
    }

    /// The most memory that it ever had, in megabytes.
    pub fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }

    /// Its memory now: its own, and the pages of its program, of which a debug build has many.
    pub fn kinds_of_memory(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let lines = status.lines().filter(|line| line.starts_with("RssAnon") || line.starts_with("RssFile"));
        lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", ")
    }

    /// Files in its folder.
    pub fn left(&self) -> Vec<String> {
        let files = std::fs::read_dir(&self.folder).unwrap().filter_map(Result::ok);
        files.map(|file| file.file_name().to_string_lossy().into_owned()).collect()
    }

    /// The bytes of the files without a name that it has open there.
    pub fn unnamed(&self) -> u64 {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().filter_map(Result::ok);
        let own = open.filter(|fd| std::fs::read_link(fd.path()).is_ok_and(|to| to.starts_with(&self.folder)));
        own.filter_map(|fd| std::fs::metadata(fd.path()).ok()).map(|file| file.len()).max().unwrap_or_default()
    }

    /// Ends it as no program can prepare for.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    async fn connect(&self, who: Who, method: &str, path: &str, more: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let cookie = tower_sessions::session::Id(who.secret().0);
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nsec-fetch-site: same-origin\r\nconnection: close\r\ncookie: session={cookie}\r\n{more}\r\n",
            self.address
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }

    /// Sends a file; what the page says afterwards, or the status where there is none.
    pub async fn upload(&self, who: Who, path: String, content: Arc<Vec<u8>>, kind: Kind) -> String {
        let (before, after) = form_around(kind, &who.context_token());
        let length = before.len() + content.len() + after.len();
        let more = format!("content-type: multipart/form-data; boundary=edge\r\ncontent-length: {length}\r\n");
        let stream = self.connect(who, "POST", &path, &more).await;
        let (mut read, mut write) = stream.into_split();
        let sending = tokio::spawn(async move {
            for part in [before.as_bytes(), &content, after.as_bytes()] {
                // A server that has seen enough reads no more.
                if write.write_all(part).await.is_err() {
                    break;
                }
            }
            write
        });
        let mut answer = vec![];
        let _ = read.read_to_end(&mut answer).await;
        drop(sending.await);
        let head = String::from_utf8_lossy(&answer).into_owned();
        let location = head.lines().find_map(|line| line.strip_prefix("location: ")).map(|to| to.trim().to_owned());
        let Some(location) = location else { return head.lines().next().unwrap_or("cut off").to_owned() };
        let mut stream = self.connect(who, "GET", &location, "").await;
        let mut page = vec![];
        stream.read_to_end(&mut page).await.unwrap();
        said(&String::from_utf8_lossy(&page))
    }

    /// Begins an upload and leaves it unfinished.
    pub async fn begin(&self, who: Who, path: &str, bytes: usize) -> TcpStream {
        let (before, _) = form_around(Kind::Rows, &who.context_token());
        let more =
            format!("content-type: multipart/form-data; boundary=edge\r\ncontent-length: {}\r\n", bytes + (20 << 20));
        let mut stream = self.connect(who, "POST", path, &more).await;
        stream.write_all(before.as_bytes()).await.unwrap();
        stream.write_all(&vec![b'x'; bytes + (1 << 20)]).await.unwrap();
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// What a page tells of the upload: its flash, or the fault beside the field.
fn said(page: &str) -> String {
    let marks = [
        "larger than",
        "new values",
        "busy",
        "Nothing was imported",
        "Send",
        "Split",
        "Line ",
        "No meter",
        "There is no value",
    ];
    for mark in marks {
        // Between tags: a word in one says nothing.
        let told = page.split('>').filter_map(|piece| piece.split('<').next()).find(|text| text.contains(mark));
        if let Some(told) = told {
            return told.chars().take(160).collect();
        }
    }
    page.lines().next().unwrap_or_default().to_owned()
}
