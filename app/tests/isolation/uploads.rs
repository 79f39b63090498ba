//! Attacks 76 and 82: what uploads cost, measured on a server of its own, and what they leave.

mod files;
mod server;

use std::sync::Arc;
use std::time::Duration;

use crate::support::database::Case;
use crate::support::world::{Who, client};
use files::{Kind, file};
use server::Server;

/// Meters of each client that legitimate files are of: L-000 and so on.
const METERS: usize = 200;

/// Gives each client the meters of the files, each with registers that the file may name.
async fn meters(case: &Case) {
    let insert = format!(
        "INSERT INTO meters (organization_id, client_id, id, service_point_id, serial, kind, interval_minutes, time_zone, valid_from)
         SELECT organization_id, client_id, gen_random_uuid(), service_point_id, 'L-' || lpad(n::text, 3, '0'), 'interval', 15, time_zone, '1970-01-01'
         FROM (SELECT DISTINCT ON (client_id) * FROM meters ORDER BY client_id, id) one, generate_series(0, {METERS} - 1) n"
    );
    let truth = case.superuser().await;
    truth.must("SET session_replication_role = replica").await;
    truth.must(&insert).await;
}

/// Four files at once, of four clients of two organizations: what each was answered.
async fn four(server: &Server, content: &Arc<Vec<u8>>, kind: Kind) -> Vec<String> {
    let places = [(1, 1), (1, 2), (2, 1), (2, 2)];
    let senders = places.map(|(o, c)| {
        let (who, path) = (Who::Client(o, c), format!("/clients/{}/imports", client(o, c)));
        server.upload(who, path, Arc::clone(content), kind)
    });
    futures_util::future::join_all(senders).await
}

/// What each of four senders was answered, shortly.
fn outcomes(answers: &[String]) -> Vec<&str> {
    let busy = |answer: &String| answer.contains("busy") || answer.contains("503");
    answers.iter().map(|answer| if busy(answer) { "busy" } else { answer.as_str() }).collect()
}

/// Four files of each kind at a time cost less than 150 MB. `UPLOADS_MB=64` makes all of them as large as a file may be
/// (`make uploads`): many minutes. Without it three kinds that end early are sent, as large as a file may be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_76_uploads_that_take_many_times_their_size() {
    const LIMIT: u64 = 150;
    let most = std::env::var("UPLOADS_MB").ok().map(|mb| mb.parse::<usize>().expect("UPLOADS_MB is a number"));
    let only = std::env::var("UPLOADS_KIND").ok();
    const QUICK: [&str; 3] = ["LineWithoutEnd", "MetersWithoutEnd", "LongHeader"];
    let chosen = |kind: &Kind| match (&only, most) {
        (Some(only), _) => format!("{kind:?}").contains(only),
        (None, Some(_)) => true,
        (None, None) => QUICK.contains(&format!("{kind:?}").as_str()),
    };
    let case = Case::world().await;
    meters(&case).await;
    let truth = case.superuser().await;
    let mut told = vec![];
    for kind in Kind::ALL.into_iter().filter(chosen) {
        let server = Server::start(&case).await;
        let idle = server.peak();
        // A little less, so that what is said of it is not that it is too large.
        let content = Arc::new(file(kind, (most.unwrap_or_else(|| kind.quick()) << 20) / 100 * 99));
        let start = std::time::Instant::now();
        let answers = four(&server, &content, kind).await;
        let outcomes = outcomes(&answers);
        let (peak, took) = (server.peak(), start.elapsed().as_secs());
        told.push(format!(
            "{kind:?}: {peak} MB ({idle} MB idle; then {}), {took} s; {outcomes:?}",
            server.kinds_of_memory()
        ));
        println!("{}", told[told.len() - 1]);
        assert!(peak < LIMIT, "{told:#?}");
        // Large files are read one after another: who has waited too long is told that the portal is busy.
        let mut read = outcomes.iter().filter(|outcome| **outcome != "busy").peekable();
        assert!(read.peek().is_some(), "{kind:?}: nobody's file was read");
        assert!(read.all(|answer| answer.contains("new values") == kind.is_right()), "{kind:?}: {outcomes:?}");
        assert!(outcomes.iter().all(|outcome| !outcome.contains("larger than")), "{kind:?}: {outcomes:?}");
        truth.must("TRUNCATE interval_days, superseded_interval_days, import_rejections, imports CASCADE").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_82_files_that_a_killed_server_leaves() {
    let case = Case::world().await;
    let mut server = Server::start(&case).await;
    let path = format!("/clients/{}/imports", client(1, 1));
    let small = Arc::new(b"meter,interval_start,kwh\nM-1,2026-11-02T00:00:00+01:00,0.5\n".to_vec());
    let answer = server.upload(Who::Client(1, 1), path.clone(), small, Kind::Rows).await;
    assert!(answer.contains("1 new values"), "the positive control: {answer}");
    assert_eq!(server.left(), Vec::<String>::new(), "nothing lies there under a name");
    let sender = server.begin(Who::Client(1, 1), &path, 5 << 20).await;
    for _ in 0..200 {
        if server.unnamed() >= 5 << 20 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(server.unnamed() >= 5 << 20, "the file arrives: {}", server.unnamed());
    assert_eq!(server.left(), Vec::<String>::new(), "nobody else can open it");
    server.kill();
    drop(sender);
    assert_eq!(server.left(), Vec::<String>::new(), "and nothing of it stays");
}
