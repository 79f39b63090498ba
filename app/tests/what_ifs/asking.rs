//! Asking for a what-if and doing its work, as the tests do.

use crate::support::database::Case;
use crate::support::http::{Answer, Browser};
use crate::support::sql::Sql;
use crate::support::world::{Kind, Who, client, id};
use eis::db::worker::Worker;
use eis::jobs;
use eis::operate::connect::Login;
use eis::values::ids::JobId;
use portal::server::background;

pub const CLEO: Who = Who::Client(1, 1);

/// Does the next job as a server would.
pub async fn work(worker: &Worker) -> Option<JobId> {
    jobs::work_once(worker, &background::KINDS, async |job| background::work(worker, job).await).await.expect("work")
}

pub fn worker(case: &Case) -> Worker {
    Worker::new(&case.connected.url(Login::Worker), 2).expect("a pool")
}

/// The draft of the world's tariff, at 30 cents instead of 28.
pub async fn dearer_draft(owner: &Sql) -> String {
    let draft = id(Kind::Tariff, 1, 1, 0, 2).to_string();
    owner
        .must(&format!(
            "UPDATE tariff_rates SET document = replace(document::text, '0.28', '0.30')::jsonb WHERE id = '{draft}'"
        ))
        .await;
    draft
}

/// Days of 24 kWh for every meter of the first client, from a day to the day before another.
pub async fn usage(owner: &Sql, from: &str, to: &str) {
    owner
        .must(&format!(
            "INSERT INTO interval_days (organization_id, client_id, customer_id, meter_id, day, interval_minutes, wh, total_wh)
             SELECT m.organization_id, m.client_id, m.customer_id, m.meter_id, d::date, 60,
                 array_fill(1000, ARRAY[n.hours]), 1000 * n.hours
             FROM contract_meters m, generate_series('{from}'::timestamp, '{to}'::timestamp - interval '1 day', '1 day') d,
                 LATERAL (SELECT (extract(epoch FROM (d + interval '1 day') AT TIME ZONE 'Europe/Berlin' - d AT TIME ZONE 'Europe/Berlin') / 3600)::int AS hours) n
             WHERE m.client_id = '{}' ON CONFLICT (organization_id, client_id, meter_id, day) DO UPDATE SET wh = EXCLUDED.wh, total_wh = EXCLUDED.total_wh",
            client(1, 1)
        ))
        .await;
}

pub async fn post(browser: &Browser, function: &str, form: &[(&str, &str)]) -> Answer {
    let (client, context) = (client(1, 1).to_string(), CLEO.context_token());
    let page = format!("/clients/{client}/what-ifs/new");
    let mut pairs = vec![("client", client.as_str()), ("context", context.as_str()), ("page", page.as_str())];
    pairs.extend_from_slice(form);
    browser.post(&format!("/api/{function}"), &pairs).await
}

/// Asks for a what-if of versions over some months; its address.
pub async fn ask(browser: &Browser, versions: &[&str], first: &str, last: &str) -> String {
    let names = ["candidate_1", "candidate_2", "candidate_3", "candidate_4"];
    let mut form: Vec<(&str, &str)> = names.into_iter().zip(versions.iter().copied()).collect();
    form.extend([("customers", "all"), ("first_month", first), ("last_month", last)]);
    let answer = post(browser, "create_what_if", &form).await;
    assert!(!answer.location().ends_with("/new"), "{}", browser.get(answer.location()).await.body);
    answer.location().to_owned()
}
