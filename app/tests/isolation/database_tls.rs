//! TLS to a database of one's own: every `sslmode` against a real PostgreSQL with certificates made here, and a man in
//! the middle who speaks none (attack 78).

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use eis::db::link;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::check::server_at;
use crate::operations::program;

/// A PostgreSQL that listens on loopback.
struct Server {
    data: PathBuf,
    port: u16,
    password: String,
}

const MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

impl Server {
    fn pg_ctl(&self, arguments: &[&str]) {
        let about = std::fs::metadata(&self.data).unwrap();
        let mut command = Command::new(program("pg_ctl"));
        // Its owner is whoever may run it.
        command.uid(about.uid()).gid(about.gid()).current_dir("/").arg("-D").arg(&self.data).args(arguments);
        let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(done.success(), "pg_ctl {arguments:?}");
    }

    fn start(&self, tls: bool) {
        let (ssl, line) = if tls { ("on", "hostssl") } else { ("off", "host") };
        self.start_by(&format!("{line} all all 127.0.0.1/32 scram-sha-256"), &format!("-c ssl={ssl}"));
    }

    /// Taking nobody without a certificate that `authority` signed.
    fn start_for_certificates(&self, authority: &Path) {
        let file = self.data.join("clients.crt");
        self.give(&file, &std::fs::read_to_string(authority).unwrap());
        let options = format!("-c ssl=on -c ssl_ca_file='{}'", file.display());
        self.start_by("hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca", &options);
    }

    fn start_by(&self, rule: &str, options: &str) {
        std::fs::write(self.data.join("pg_hba.tls"), format!("{rule}\n")).unwrap();
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories='' -c hba_file='{}' -c fsync=off {options}",
            self.port,
            self.data.join("pg_hba.tls").display()
        );
        self.pg_ctl(&["start", "-w", "-l", &self.data.join("tls.log").display().to_string(), "-o", &options]);
    }

    /// Writes a file that is the server's own.
    fn give(&self, file: &Path, text: &str) {
        let owner = std::fs::metadata(&self.data).unwrap();
        std::fs::write(file, text).unwrap();
        std::fs::set_permissions(file, PermissionsExt::from_mode(0o600)).unwrap();
        chown(file, Some(owner.uid()), Some(owner.gid())).unwrap();
    }

    fn url(&self, host: &str, database: &str, tls: &str) -> String {
        format!("postgresql://postgres:{}@{host}:{}/{database}?{tls}", self.password, self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::fs::exists(self.data.join("postmaster.pid")).unwrap_or(false) {
            self.pg_ctl(&["stop", "-w", "-m", "immediate"]);
        }
    }
}

/// An authority: its certificate's file, and what signs.
fn authority(folder: &Path, name: &str) -> (PathBuf, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let file = folder.join(format!("{name}.crt"));
    std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
    (file, Issuer::new(params, key))
}

/// A server made ready for TLS by a certificate for `localhost`, with the right authority's file and a wrong one's.
fn server() -> Option<(std::fs::File, Server, PathBuf, PathBuf)> {
    let (lock, settings, started) = server_at("tls")?;
    let cluster = started.cluster.unwrap();
    let home = std::fs::canonicalize(&settings.data_dir).unwrap();
    let data = cluster.data();
    cluster.stop().unwrap();
    let ((right, signer), (wrong, _)) = (authority(&home, "right"), authority(&home, "wrong"));
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &signer).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Server { data, port, password: cluster.passwords().superuser.clone() };
    for (name, text) in [("server.crt", certificate.pem()), ("server.key", key.serialize_pem())] {
        server.give(&server.data.join(name), &text);
    }
    Some((lock, server, right, wrong))
}

/// A certificate of the portal's own, signed by an authority, and its key: their files.
fn own_certificate(folder: &Path, name: &str, signer: &Issuer<'static, KeyPair>) -> (PathBuf, PathBuf) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.extended_key_usages.push(rcgen::ExtendedKeyUsagePurpose::ClientAuth);
    let (certificate, key_file) = (folder.join(format!("{name}.crt")), folder.join(format!("{name}.key")));
    std::fs::write(&certificate, params.signed_by(&key, signer).unwrap().pem()).unwrap();
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    std::fs::set_permissions(&key_file, PermissionsExt::from_mode(0o600)).unwrap();
    (certificate, key_file)
}

/// Whether each mode gets in.
async fn all(server: &Server, host: &str, root: Option<&Path>) -> [Result<(), String>; 6] {
    let mut found = MODES.map(|_| Ok(()));
    for (result, mode) in found.iter_mut().zip(MODES) {
        let root = root.map_or_else(String::new, |file| format!("&sslrootcert={}", file.display()));
        let opened = link::client(&server.url(host, "postgres", &format!("sslmode={mode}{root}"))).await;
        *result = match opened {
            Ok(client) => client.simple_query("SELECT 1").await.map(drop).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
    }
    found
}

/// `words`: of each mode, what its refusal says; empty where it gets in.
fn as_told(found: &[Result<(), String>; 6], words: [&str; 6], what: &str) {
    for ((found, words), mode) in found.iter().zip(words).zip(MODES) {
        match found {
            Ok(()) => assert!(words.is_empty(), "{what}, {mode}: got in"),
            Err(told) => assert!(!words.is_empty() && told.contains(words), "{what}, {mode}: {told}"),
        }
    }
}

fn portal(server: &Server, tls: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portal"))
        .args(arguments)
        .env("DATABASE_URL", server.url("localhost", "portal_tls", tls))
        .env("PORTAL_DATA_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("../test-postgres-tls/portal"))
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// The portal's own commands, by a connection string as the README has it.
async fn the_whole_portal_works(server: &Server, right: &Path, wrong: &Path) {
    let full = format!("sslmode=verify-full&sslrootcert={}", right.display());
    let admin = link::client(&server.url("localhost", "postgres", &full)).await.unwrap();
    admin.batch_execute("DROP DATABASE IF EXISTS portal_tls WITH (FORCE)").await.unwrap();
    admin.batch_execute("CREATE DATABASE portal_tls").await.unwrap();
    for arguments in [&["migrate", "up"][..], &["check"]] {
        let done = portal(server, &full, arguments);
        assert!(done.status.success(), "{arguments:?}: {} {}", text(&done.stdout), text(&done.stderr));
    }
    let refused = portal(server, &format!("sslmode=verify-full&sslrootcert={}", wrong.display()), &["migrate", "up"]);
    assert!(!refused.status.success() && text(&refused.stderr).contains("is not signed by one of sslrootcert="));
    for role in ["app", "worker", "owner", "monitor"] {
        let url = text(&portal(server, &full, &["db", "url", "--role", role]).stdout);
        let ask = "SET ROLE NONE; SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let asked = Command::new(program("psql")).args([url.as_str(), "-qAtc", ask]).output().unwrap();
        assert_eq!(text(&asked.stdout), "t", "{role}: {url}: {}", text(&asked.stderr));
    }
    served(server, &full, &admin).await;
}

async fn served(server: &Server, tls: &str, admin: &tokio_postgres::Client) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_portal"))
        .args(["serve", "--listen", &port.to_string()])
        .env("DATABASE_URL", server.url("localhost", "portal_tls", tls))
        .env("PORTAL_DATA_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("../test-postgres-tls/portal"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let browser = crate::support::http::Portal::elsewhere(port).browser();
    let mut up = false;
    for _ in 0..600 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        up = up || tokio::net::TcpStream::connect(port).await.is_ok();
        if up {
            break;
        }
    }
    let ready = browser.get("/readyz").await;
    let plain = "SELECT count(*)::text FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) WHERE a.usename LIKE 'eis%' AND NOT s.ssl";
    let plain = admin.query_one(plain, &[]).await.unwrap().get::<_, String>(0);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((ready.status.as_u16(), ready.body.as_str(), plain.as_str()), (200, "ready\n", "0"));
}

#[tokio::test]
async fn every_sslmode_means_what_it_means_to_psql() {
    let Some((_lock, server, right, wrong)) = server() else { return };
    server.start(true);
    let (none, ca, other) = ("no encryption", "is not signed by one of", "another host's than");
    as_told(&all(&server, "localhost", Some(&right)).await, [none, "", "", "", "", ""], "the right authority");
    as_told(&all(&server, "127.0.0.1", Some(&right)).await, [none, "", "", "", "", other], "another host's name");
    as_told(&all(&server, "localhost", Some(&wrong)).await, [none, ca, ca, ca, ca, ca], "a wrong authority");
    let which = "sslrootcert=FILE";
    as_told(&all(&server, "localhost", None).await, [none, "", "", "", which, which], "no authority");
    let system = link::client(&server.url("localhost", "postgres", "sslrootcert=system")).await;
    let told = system.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(told.contains("sslrootcert=system"), "{told}");
    let bound = link::client(&server.url("localhost", "postgres", "sslmode=require&channel_binding=require")).await;
    assert!(bound.is_ok(), "{:?}", bound.err());
    the_whole_portal_works(&server, &right, &wrong).await;
    server.pg_ctl(&["stop", "-w", "-m", "fast"]);
    server.start(false);
    let speaks = "speaks no TLS";
    as_told(
        &all(&server, "localhost", Some(&right)).await,
        ["", "", "", speaks, speaks, speaks],
        "a server without TLS",
    );
}

/// What a connection with these parameters comes to: the name in the portal's certificate, as the server read it.
async fn known_as(server: &Server, tls: &str) -> Result<String, String> {
    let opened = link::client(&server.url("localhost", "postgres", tls)).await.map_err(|error| error.to_string())?;
    let ask = "SELECT coalesce(client_dn, '') FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let row = opened.query_one(ask, &[]).await.map_err(|error| error.to_string())?;
    Ok(row.get(0))
}

#[tokio::test]
async fn the_portal_shows_its_own_certificate_where_the_server_asks_for_one() {
    let Some((_lock, server, right, _)) = server() else { return };
    let home = right.parent().unwrap();
    let ((ours, signer), (_, stranger)) = (authority(home, "clients"), authority(home, "strangers"));
    let (certificate, key) = own_certificate(home, "portal", &signer);
    let (other, others_key) = own_certificate(home, "another", &stranger);
    let full = format!("sslmode=verify-full&sslrootcert={}", right.display());
    let with =
        |certificate: &Path, key: &Path| format!("{full}&sslcert={}&sslkey={}", certificate.display(), key.display());
    server.start_for_certificates(&ours);
    assert_eq!(known_as(&server, &with(&certificate, &key)).await.unwrap(), "/CN=portal", "the positive control");
    let without = known_as(&server, &full).await.unwrap_err();
    assert!(without.contains("Give sslcert and sslkey"), "{without}");
    assert!(known_as(&server, &with(&other, &others_key)).await.is_err(), "of another authority");
    let mixed = known_as(&server, &with(&certificate, &others_key)).await.unwrap_err();
    assert!(mixed.contains("does not go with sslkey="), "{mixed}");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
    let open = known_as(&server, &with(&certificate, &key)).await.unwrap_err();
    assert!(open.contains("can be read by others: chmod 600"), "{open}");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    // The portal's own commands and logins.
    let tls = with(&certificate, &key);
    let admin = link::client(&server.url("localhost", "postgres", &tls)).await.unwrap();
    admin.batch_execute("DROP DATABASE IF EXISTS portal_tls WITH (FORCE)").await.unwrap();
    admin.batch_execute("CREATE DATABASE portal_tls").await.unwrap();
    let done = portal(&server, &tls, &["migrate", "up"]);
    assert!(done.status.success(), "{} {}", text(&done.stdout), text(&done.stderr));
    assert!(!portal(&server, &full, &["migrate", "status"]).status.success(), "and not without it");
    let url = text(&portal(&server, &tls, &["db", "url", "--role", "app"]).stdout);
    let ask = "SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let asked = Command::new(program("psql")).args([url.as_str(), "-qAtc", ask]).output().unwrap();
    assert_eq!(text(&asked.stdout), "/CN=portal", "{}", text(&asked.stderr));
    served(&server, &tls, &admin).await;
}

/// Answers the request for TLS with no, then writes down what else comes.
async fn without_tls(url: impl FnOnce(u16) -> String) -> (Result<(), String>, Vec<u8>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let middle = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = [0; 8];
        stream.read_exact(&mut asked).await.unwrap();
        stream.write_all(b"N").await.unwrap();
        let mut heard = vec![0; 1024];
        let length = stream.read(&mut heard).await.unwrap_or(0);
        heard.truncate(length);
        heard
    };
    let url = url(port);
    let (opened, heard) = tokio::join!(link::client(&url), middle);
    (opened.map(drop).map_err(|error| error.to_string()), heard)
}

#[tokio::test]
async fn attack_78_a_man_in_the_middle_without_tls_hears_nothing() {
    let (root, _) = authority(Path::new(env!("CARGO_TARGET_TMPDIR")), "attack_78");
    let full = format!("sslmode=verify-full&sslrootcert={}", root.display());
    for tls in ["sslmode=require", "sslmode=require&channel_binding=require", &full] {
        let (opened, heard) =
            without_tls(|port| format!("postgresql://eis_app:secret@127.0.0.1:{port}/portal?{tls}")).await;
        assert!(opened.unwrap_err().contains("speaks no TLS"), "{tls}");
        assert!(heard.is_empty(), "{tls}: {}", String::from_utf8_lossy(&heard));
    }
    let (_, heard) = without_tls(|port| format!("postgresql://eis_app:secret@127.0.0.1:{port}/portal")).await;
    let heard = String::from_utf8_lossy(&heard).into_owned();
    assert!(heard.contains("eis_app"), "the positive control: where nothing is asked for, it goes on in the open");
    assert!(!heard.contains("secret"), "and the password waits for the server's question");
}
