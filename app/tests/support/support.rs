//! What tests share: a database of their own with a small world in it, raw SQL as every login, and the
//! real portal with a browser.

pub mod database;
pub mod http;
pub mod sources;
pub mod sql;
pub mod world;
