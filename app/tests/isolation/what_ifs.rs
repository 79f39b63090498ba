//! A what-if works in the background under its person's own context: whatever its job names, it reads and writes that
//! person's client and nothing else.

use eis::billing::what_ifs;
use eis::db::worker::Worker;
use eis::db::{Access, DbError};
use eis::jobs;
use eis::operate::connect::Login;
use eis::values::ids::{ClientId, WhatIfId};
use serde_json::json;

use crate::DENIED;
use crate::support::database::Case;
use crate::support::world::{Kind, Who, client, id};

#[cfg(test)]
async fn queued(case: &Case, who: Who, at: Option<ClientId>, what_if: WhatIfId) {
    let mut actor = who.actor();
    actor.at = at;
    let db = case.db(1);
    let mut tx = db.as_tenant(&actor, Access::Write).await.expect("a context");
    jobs::queue(&mut tx, &actor, what_ifs::KIND, &json!({ "what_if": what_if })).await.expect("queued");
    tx.commit().await.expect("the commit");
}

#[cfg(test)]
async fn worked(case: &Case) -> String {
    let worker = Worker::new(&case.connected.url(Login::Worker), 2).expect("a pool");
    let done = jobs::work_once(&worker, &[what_ifs::KIND], async |job| what_ifs::work(&worker, job).await).await;
    done.expect("work").expect("a job");
    case.superuser()
        .await
        .value("SELECT status || ' ' || problem FROM jobs WHERE kind = 'what_if' ORDER BY created_at DESC LIMIT 1")
        .await
}

const ROWS: &str = "SELECT md5(string_agg(r::text, '' ORDER BY r::text)) FROM what_if_results r";

/// The what-if of a client, made to be done anew.
async fn undone(case: &Case, o: u8, c: u8) -> WhatIfId {
    let what_if = id(Kind::WhatIf, o, c, 0, 1);
    case.superuser()
        .await
        .must(&format!(
            "DELETE FROM what_if_results WHERE what_if_id = '{what_if}'; UPDATE what_ifs SET totals = NULL, finished_at = NULL WHERE id = '{what_if}'"
        ))
        .await;
    WhatIfId(what_if)
}

#[tokio::test]
async fn attack_21_a_what_if_s_job_that_names_another_client_s_what_if_neither_reads_nor_writes_there() {
    let case = Case::world().await;
    let truth = case.superuser().await;
    for (o, c) in [(1, 2), (2, 1)] {
        let theirs = undone(&case, o, c).await;
        let before = truth.value(ROWS).await;
        queued(&case, Who::Client(1, 1), None, theirs).await;
        assert_eq!(worked(&case).await, "failed The what-if was deleted.", "as one that is not there");
        queued(&case, Who::Client(1, 1), None, WhatIfId(id(Kind::WhatIf, 9, 9, 0, 1))).await;
        assert_eq!(worked(&case).await, "failed The what-if was deleted.");
        // An organization's admin standing at one client does not reach its sibling either.
        queued(&case, Who::Admin(1), Some(ClientId(client(1, 1))), theirs).await;
        assert_eq!(worked(&case).await, "failed The what-if was deleted.");
        assert_eq!(truth.value(ROWS).await, before);
        assert_eq!(truth.count("SELECT count(*) FROM what_ifs WHERE finished_at IS NULL").await, 1 + i64::from(o == 2));
    }
    let mine = undone(&case, 1, 1).await;
    queued(&case, Who::Client(1, 1), None, mine).await;
    assert_eq!(worked(&case).await, "done ", "the positive control");
    let rows = format!(
        "SELECT string_agg(client_id || ' ' || account_number, ', ' ORDER BY account_number) FROM what_if_results WHERE what_if_id = '{mine}'"
    );
    assert_eq!(truth.value(&rows).await, format!("{0} A-1, {0} A-2", client(1, 1)));
}

#[tokio::test]
async fn a_what_if_stops_with_its_person_s_right_to_act_and_says_so() {
    let case = Case::world().await;
    let (truth, who) = (case.superuser().await, Who::Client(1, 1));
    let mine = undone(&case, 1, 1).await;
    queued(&case, who, None, mine).await;
    let (end, back) = ("valid_to = now()", "valid_to = NULL");
    truth.must(&format!("UPDATE role_assignments SET {end} WHERE id = '{}'", who.assignment())).await;
    assert_eq!(worked(&case).await, "failed Whoever asked for this may no longer act here.");
    assert_eq!(truth.count(&format!("SELECT count(*) FROM what_if_results WHERE what_if_id = '{mine}'")).await, 0);
    truth.must(&format!("UPDATE role_assignments SET {back} WHERE id = '{}'", who.assignment())).await;
    queued(&case, who, None, mine).await;
    assert_eq!(worked(&case).await, "done ", "the positive control");
}

#[tokio::test]
async fn attack_30_a_job_s_end_needs_its_secret_and_the_worker_s_login_alone_reads_no_result() {
    let case = Case::world().await;
    let mine = undone(&case, 1, 1).await;
    queued(&case, Who::Client(1, 1), None, mine).await;
    let worker = Worker::new(&case.connected.url(Login::Worker), 2).expect("a pool");
    let job = worker.claim(&[what_ifs::KIND], jobs::LEASE).await.unwrap().expect("a job");
    let raw = case.worker().await;
    for secret in ["\\x", "\\x00", &format!("\\x{}", Who::Client(1, 1).secret().hex())] {
        for call in [
            format!("put_down_job('{secret}')"),
            format!("keep_job('{secret}', 9, 9, 60)"),
            format!("finish_job('{secret}', '{{}}', '')"),
        ] {
            assert_eq!(raw.value(&format!("SELECT {call}")).await, "f", "{call}");
        }
    }
    assert_eq!(raw.count("SELECT count(*) FROM what_if_results").await, 0);
    assert_eq!(case.app().await.refused("SELECT put_down_job('\\x00')").await, DENIED);
    assert!(worker.as_job(&job, Access::Read).await.is_ok(), "the positive control: the job is still this worker's");
    assert!(worker.put_down(&job).await.unwrap());
    assert!(matches!(worker.as_job(&job, Access::Read).await, Err(DbError::SessionEnded)));
}
