//! Raw SQL as a login of the database: what somebody would send who holds the login's password.

use tokio_postgres::{NoTls, SimpleQueryMessage};

use super::world::Who;

/// What the database refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The SQLSTATE.
    pub code: String,
    /// Its message.
    pub message: String,
    /// Its detail.
    pub detail: String,
}

impl From<tokio_postgres::Error> for Refusal {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else { panic!("the connection broke: {error}") };
        Self {
            code: db.code().code().to_owned(),
            message: db.message().to_owned(),
            detail: db.detail().unwrap_or_default().to_owned(),
        }
    }
}

/// A row in text form.
pub type Row = Vec<Option<String>>;

/// A connection.
pub struct Sql {
    pub client: tokio_postgres::Client,
}

impl Sql {
    pub async fn open(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection to the test server");
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Self { client }
    }

    async fn messages(&self, sql: &str) -> Result<Vec<SimpleQueryMessage>, Refusal> {
        Ok(self.client.simple_query(sql).await?)
    }

    /// The rows of one or several statements.
    pub async fn rows(&self, sql: &str) -> Result<Vec<Row>, Refusal> {
        let rows = self.messages(sql).await?.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect()),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// How many rows the last statement touched or found.
    pub async fn run(&self, sql: &str) -> Result<u64, Refusal> {
        let counts = self.messages(sql).await?.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::CommandComplete(count) => Some(count),
            _ => None,
        });
        Ok(counts.last().unwrap_or_default())
    }

    /// The first column of the last row; `None` for NULL.
    pub async fn maybe(&self, sql: &str) -> Option<String> {
        let rows = self.rows(sql).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal:?}"));
        rows.last().unwrap_or_else(|| panic!("{sql}: no row")).first().cloned().flatten()
    }

    /// The first column of the last row.
    pub async fn value(&self, sql: &str) -> String {
        self.maybe(sql).await.unwrap_or_else(|| panic!("{sql}: NULL"))
    }

    /// A number.
    pub async fn count(&self, sql: &str) -> i64 {
        self.value(sql).await.parse().expect("a number")
    }

    /// The SQLSTATE of what must be refused.
    pub async fn refused(&self, sql: &str) -> String {
        match self.rows(sql).await {
            Err(refusal) => refusal.code,
            Ok(rows) => panic!("{sql}: not refused, {} rows", rows.len()),
        }
    }

    /// What must succeed.
    pub async fn must(&self, sql: &str) -> u64 {
        self.run(sql).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal:?}"))
    }

    /// Begins a transaction under somebody's context.
    pub async fn enter(&self, who: Who) {
        self.must(&format!("BEGIN; {}", open(who))).await;
    }

    /// Ends the transaction.
    pub async fn leave(&self) {
        self.must("ROLLBACK").await;
    }

    /// Runs a statement under somebody's context and takes everything back.
    pub async fn as_who(&self, who: Who, sql: &str) -> Result<u64, Refusal> {
        self.enter(who).await;
        let result = self.run(sql).await;
        self.leave().await;
        result
    }

    /// A count under somebody's context.
    pub async fn count_as(&self, who: Who, sql: &str) -> i64 {
        self.enter(who).await;
        let count = self.count(sql).await;
        self.leave().await;
        count
    }
}

/// The statement that opens somebody's context.
pub fn open(who: Who) -> String {
    format!("SELECT public.open_context('\\x{}')", who.secret().hex())
}
