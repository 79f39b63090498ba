//! Random actors do random things to random rows, as SQL under contexts that they really open; what each of them sees,
//! and what each statement touches, equals a model of a few lines. `EIS_TEST_SEED` repeats a run; a fault prints it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use crate::DENIED;
use crate::support::database::Case;
use crate::support::sql::{Refusal, Sql};
use crate::support::world::{Kind, Who, account_of, client, customer, id, organization};
use crate::tables::Stand;

/// How long it goes on, and how much it must have done by then.
const TIME: Duration = Duration::from_secs(5);
const LEAST: usize = 200;
/// A trigger holds what is issued.
const HELD: &str = "23514";

/// A table as the model knows it.
struct Table {
    name: &'static str,
    /// What tells its rows apart.
    key: &'static str,
    /// The column that names the customer who sees the row; "": none does.
    customer: &'static str,
    /// Rows that a customer does not see yet, and that alone may be changed.
    draft: &'static str,
    /// What client and energy admins may do.
    writes: &'static [&'static str],
    columns: &'static str,
    values: &'static str,
}

const PLAIN: &str = "id::text";
const TABLES: [Table; 6] = [
    Table {
        name: "customers",
        key: PLAIN,
        customer: "id",
        draft: "",
        writes: &["INSERT", "UPDATE"],
        columns: "id, name",
        values: "'{new}', 'New'",
    },
    Table {
        name: "meters",
        key: PLAIN,
        customer: "",
        draft: "",
        writes: &["INSERT", "UPDATE"],
        columns: "id, service_point_id, serial, kind, time_zone, valid_from",
        values: "'{new}', '{place}', '{new}', 'register', 'Europe/Berlin', '2026-01-01'",
    },
    Table {
        name: "imports",
        key: PLAIN,
        customer: "",
        draft: "",
        writes: &["INSERT", "UPDATE"],
        columns: "id, file_name, file_hash, file_bytes, format, status",
        values: "'{new}', 'x.csv', sha256('{new}'), 1, 'csv', 'received'",
    },
    Table {
        name: "billing_exceptions",
        key: "billing_period_id || '/' || customer_id || '/' || kind",
        customer: "",
        draft: "",
        writes: &["INSERT", "DELETE"],
        columns: "billing_period_id, customer_id, kind, severity, message",
        values: "'{period}', '{customer}', '{letters}', 'warns', 'Odd.'",
    },
    Table {
        name: "invoices",
        key: PLAIN,
        customer: "customer_id",
        draft: "status = 'draft'",
        writes: &["INSERT", "UPDATE", "DELETE"],
        columns: "id, customer_id, account_id, customer_name, account_number, period_from, period_to, currency, kwh, net, tax, total",
        values: "'{new}', '{customer}', '{account}', 'New', 'A-1', '2026-11-01', '2026-12-01', 'EUR', 1, 1, 0, 1",
    },
    Table {
        name: "payments",
        key: PLAIN,
        customer: "customer_id",
        draft: "",
        writes: &["INSERT"],
        columns: "id, customer_id, account_id, received_on, amount, currency, method",
        values: "'{new}', '{customer}', '{account}', '2026-11-01', 1, 'EUR', 'cash'",
    },
];

/// A row of the model.
#[derive(Debug, Clone)]
struct Row {
    table: usize,
    organization: Uuid,
    client: Uuid,
    customer: Option<Uuid>,
    key: String,
    mark: Option<Uuid>,
    draft: bool,
}

/// What a row looks like from outside: its key and its mark.
type Seen = BTreeSet<(String, Option<Uuid>)>;

/// The whole of the rules: the organization, its one client, its one customer's issued rows.
fn sees(stand: Stand, row: &Row) -> bool {
    let (o, c, k) = stand.place();
    let within = row.organization == organization(o) && (c == 0 || row.client == client(o, c));
    within && (k == 0 || (row.customer == Some(customer(o, c, k)) && !row.draft))
}

/// Who sees a row may change it, if it is one who runs clients.
fn writes(stand: Stand, row: &Row) -> bool {
    matches!(stand.who, Who::Admin(_) | Who::Client(..) | Who::Consultant(_)) && sees(stand, row)
}

/// Rows of the model as the database has them.
async fn read(sql: &Sql, table: usize, condition: &str) -> Result<Vec<Row>, Refusal> {
    let Table { name, key, customer, draft, .. } = TABLES[table];
    let (customer, draft) =
        (if customer.is_empty() { "NULL" } else { customer }, if draft.is_empty() { "false" } else { draft });
    let rows = sql
        .rows(&format!(
            "SELECT organization_id, client_id, {customer}, {key}, created_by, ({draft})::text FROM {name} WHERE {condition}"
        ))
        .await?;
    let uuid = |value: &Option<String>| value.as_ref().map(|text| text.parse().unwrap());
    let made = rows.into_iter().map(|row| Row {
        table,
        organization: uuid(&row[0]).unwrap(),
        client: uuid(&row[1]).unwrap(),
        customer: uuid(&row[2]),
        key: row[3].clone().unwrap(),
        mark: uuid(&row[4]),
        draft: row[5].as_deref() == Some("true"),
    });
    Ok(made.collect())
}

fn seen<'a>(rows: impl Iterator<Item = &'a Row>) -> Seen {
    rows.map(|row| (row.key.clone(), row.mark)).collect()
}

/// Which rows a statement names, in SQL and in the model.
#[derive(Debug, Clone)]
enum Which {
    All,
    Key(String),
    Client(Uuid),
}

impl Which {
    fn sql(&self, table: &Table) -> String {
        match self {
            Self::All => "true".to_owned(),
            Self::Key(key) => format!("{} = '{key}'", table.key),
            Self::Client(client) => format!("client_id = '{client}'"),
        }
    }

    fn names(&self, row: &Row) -> bool {
        match self {
            Self::All => true,
            Self::Key(key) => row.key == *key,
            Self::Client(client) => row.client == *client,
        }
    }
}

struct Play {
    random: StdRng,
    rows: Vec<Row>,
    app: Sql,
    stands: Vec<Stand>,
}

/// What the model says of a statement: how many rows, or which refusal.
type Outcome = Result<usize, &'static str>;

impl Play {
    async fn new(case: &Case, seed: u64) -> Self {
        let (app, truth) = (case.app().await, case.superuser().await);
        // A draft goes by itself once its billing period does not name it.
        truth.must("UPDATE billing_periods SET status = 'due', invoice_id = NULL WHERE status = 'rated'").await;
        let mut rows = Vec::new();
        for table in 0..TABLES.len() {
            rows.extend(read(&truth, table, "true").await.unwrap());
        }
        Self { random: StdRng::seed_from_u64(seed), rows, app, stands: Stand::all() }
    }

    fn which(&mut self, table: usize) -> Which {
        let here: Vec<&Row> = self.rows.iter().filter(|row| row.table == table).collect();
        let row = here.choose(&mut self.random).map(|row| (*row).clone());
        match (self.random.random_range(0..6), row) {
            (0, _) | (_, None) => Which::All,
            (1, Some(row)) => Which::Client(row.client),
            (_, Some(row)) => Which::Key(row.key),
        }
    }

    /// Runs one statement under a context of its own, as the portal would, and keeps it where it succeeds.
    async fn act(&self, stand: Stand, sql: &str) -> Result<u64, Refusal> {
        self.app.must(&format!("BEGIN; {}", stand.open())).await;
        let result = self.app.run(sql).await;
        self.app.must(if result.is_ok() { "COMMIT" } else { "ROLLBACK" }).await;
        result
    }

    async fn select(&mut self, stand: Stand, table: usize) -> Result<(), String> {
        let which = self.which(table);
        let condition = which.sql(&TABLES[table]);
        self.app.must(&format!("BEGIN READ ONLY; {}", stand.open())).await;
        let found = read(&self.app, table, &condition).await;
        self.app.must("ROLLBACK").await;
        let found = seen(found.map_err(|refusal| format!("{refusal:?}"))?.iter());
        let model = seen(self.rows.iter().filter(|row| row.table == table && which.names(row) && sees(stand, row)));
        if found == model {
            return Ok(());
        }
        let only = |a: &Seen, b: &Seen| a.difference(b).cloned().collect::<Vec<_>>();
        Err(format!("sees {condition}: too many {:?}, too few {:?}", only(&found, &model), only(&model, &found)))
    }

    async fn insert(&mut self, stand: Stand, table: usize) -> Result<(), String> {
        let mut pick = || self.random.random_range(1..=2_u8);
        let (o, c, k) = (pick(), pick(), pick());
        let new = Uuid::from_bytes(self.random.random());
        let letters: String = new.simple().to_string().bytes().map(|b| char::from(b'a' + b % 26)).collect();
        let (period, person) = (id(Kind::Period, o, c, k, 2), customer(o, c, k));
        let fill = |text: &str| {
            let text = text.replace("{new}", &new.to_string()).replace("{letters}", &letters);
            let text = text.replace("{account}", &account_of(person).to_string());
            let text = text.replace("{place}", &id(Kind::Place, o, c, k, 1).to_string());
            text.replace("{customer}", &person.to_string()).replace("{period}", &period.to_string())
        };
        let Table { name, columns, values, customer: sees_it, draft, .. } = TABLES[table];
        let row = Row {
            table,
            organization: organization(o),
            client: client(o, c),
            customer: match sees_it {
                "" => None,
                "id" => Some(new),
                _ => Some(person),
            },
            key: if name == "billing_exceptions" { format!("{period}/{person}/{letters}") } else { new.to_string() },
            mark: None,
            draft: !draft.is_empty(),
        };
        let sql = format!(
            "INSERT INTO {name} (organization_id, client_id, {columns}) VALUES ('{}', '{}', {})",
            row.organization,
            row.client,
            fill(values)
        );
        // Its customer sees no draft, and nobody who does not run clients makes a row.
        let expected = if writes(stand, &row) { Ok(1) } else { Err(DENIED) };
        agree(expected, self.act(stand, &sql).await, &sql)?;
        if expected.is_ok() {
            self.rows.push(row);
        }
        Ok(())
    }

    /// The rows that a statement would change, or why it is refused.
    fn reached(&self, stand: Stand, table: usize, which: &Which, command: &str) -> (Vec<usize>, Outcome) {
        let reached: Vec<usize> = (0..self.rows.len())
            .filter(|&i| self.rows[i].table == table && which.names(&self.rows[i]) && writes(stand, &self.rows[i]))
            .collect();
        let held = !TABLES[table].draft.is_empty() && reached.iter().any(|&i| !self.rows[i].draft);
        let outcome = match (TABLES[table].writes.contains(&command), held) {
            (false, _) => Err(DENIED),
            (true, true) => Err(HELD),
            (true, false) => Ok(reached.len()),
        };
        (reached, outcome)
    }

    async fn update(&mut self, stand: Stand, table: usize) -> Result<(), String> {
        let which = self.which(table);
        let mark = Uuid::from_bytes(self.random.random());
        let sql =
            format!("UPDATE {} SET created_by = '{mark}' WHERE {}", TABLES[table].name, which.sql(&TABLES[table]));
        let (reached, expected) = self.reached(stand, table, &which, "UPDATE");
        agree(expected, self.act(stand, &sql).await, &sql)?;
        if expected.is_ok() {
            reached.into_iter().for_each(|i| self.rows[i].mark = Some(mark));
        }
        Ok(())
    }

    /// Moving rows to a place that is never one's own.
    async fn carry_off(&mut self, stand: Stand, table: usize) -> Result<(), String> {
        let which = self.which(table);
        let (o, c, _) = stand.place();
        let (to_o, to_c) = if c > 0 && self.random.random() { (o, 3 - c) } else { (if o == 1 { 2 } else { 1 }, 1) };
        let sql = format!(
            "UPDATE {} SET organization_id = '{}', client_id = '{}' WHERE {}",
            TABLES[table].name,
            organization(to_o),
            client(to_o, to_c),
            which.sql(&TABLES[table])
        );
        let (reached, expected) = self.reached(stand, table, &which, "UPDATE");
        let found = self.act(stand, &sql).await;
        // A draft is stopped by its policy, an issued one by its trigger before: whichever row comes first.
        let drafts = reached.iter().any(|&i| self.rows[i].draft || TABLES[table].draft.is_empty());
        let denied = found.as_ref().is_err_and(|refusal| refusal.code == DENIED);
        let expected = if drafts && (expected.is_ok() || denied) { Err(DENIED) } else { expected };
        agree(expected, found, &sql)
    }

    async fn delete(&mut self, stand: Stand, table: usize) -> Result<(), String> {
        let which = self.which(table);
        let sql = format!("DELETE FROM {} WHERE {}", TABLES[table].name, which.sql(&TABLES[table]));
        let (reached, expected) = self.reached(stand, table, &which, "DELETE");
        agree(expected, self.act(stand, &sql).await, &sql)?;
        if expected.is_ok() {
            let gone: BTreeSet<usize> = reached.into_iter().collect();
            let mut i = 0;
            self.rows.retain(|_| {
                i += 1;
                !gone.contains(&(i - 1))
            });
        }
        Ok(())
    }
}

fn agree(expected: Outcome, found: Result<u64, Refusal>, sql: &str) -> Result<(), String> {
    let same = match (&expected, &found) {
        (Ok(count), Ok(touched)) => u64::try_from(*count).unwrap() == *touched,
        (Err(code), Err(refusal)) => refusal.code == *code,
        _ => false,
    };
    if same { Ok(()) } else { Err(format!("{sql}: {found:?}, and the model says {expected:?}")) }
}

#[tokio::test]
async fn what_random_actors_see_after_random_writes_is_what_a_model_says() {
    let seed = std::env::var("EIS_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(rand::random);
    println!("EIS_TEST_SEED={seed}");
    let case = Case::world().await;
    let mut play = Play::new(&case, seed).await;
    let start = Instant::now();
    let mut done = 0_usize;
    while done < LEAST || start.elapsed() < TIME {
        let stand = *play.stands.clone().choose(&mut play.random).unwrap();
        let table = play.random.random_range(0..TABLES.len());
        let operation = play.random.random_range(0..10);
        let result = match operation {
            0..=4 => play.select(stand, table).await,
            5..=6 => play.insert(stand, table).await,
            7 => play.update(stand, table).await,
            8 => play.carry_off(stand, table).await,
            _ => play.delete(stand, table).await,
        };
        if let Err(fault) = result {
            panic!("EIS_TEST_SEED={seed}, operation {done}, {stand:?} on {}: {fault}", TABLES[table].name);
        }
        done += 1;
    }
    let truth = case.superuser().await;
    for (table, Table { name, .. }) in TABLES.iter().enumerate() {
        let there = seen(read(&truth, table, "true").await.unwrap().iter());
        assert_eq!(there, seen(play.rows.iter().filter(|row| row.table == table)), "seed {seed}: {name} at the end");
    }
    println!("{done} operations, {} rows at the end", play.rows.len());
}
