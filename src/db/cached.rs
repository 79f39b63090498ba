//! SQL written by hand whose prepared statement is kept.
//!
//! `diesel::sql_query` is prepared anew at every run, which costs a round trip and a plan, because its text
//! might be another each time. A query whose text is one of a few is worth keeping: [`Cached`] says so.

use std::marker::PhantomData;

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::{QueryResult, RunQueryDsl};

/// A query of stable text: prepared once per connection, found again by its text and the types of its values.
#[derive(Debug, Clone, Copy)]
pub struct Cached<Q>(pub Q);

impl<Q> Cached<Q> {
    /// The same with the types of its columns, in order: rows are then read by place (`Queryable`), not by name,
    /// which a list of some columns would look up for every value.
    pub const fn columns<ST>(self) -> Columns<Q, ST> {
        Columns(self, PhantomData)
    }
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Cached<Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q> QueryId for Cached<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Cached<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, Conn> RunQueryDsl<Conn> for Cached<Q> {}

/// A [`Cached`] query whose columns are told.
#[derive(Debug, Clone, Copy)]
pub struct Columns<Q, ST>(Cached<Q>, PhantomData<ST>);

impl<Q: QueryFragment<Pg>, ST> QueryFragment<Pg> for Columns<Q, ST> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, backend: &Pg) -> QueryResult<bool> {
        self.0.is_safe_to_cache_prepared(backend)
    }
}

impl<Q, ST> QueryId for Columns<Q, ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q, ST> Query for Columns<Q, ST> {
    type SqlType = ST;
}

impl<Q, ST, Conn> RunQueryDsl<Conn> for Columns<Q, ST> {}
