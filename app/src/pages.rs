//! Pages: each with the server functions that its forms post to.

pub mod admin;
pub mod conflict;
pub mod errors;
pub mod frame;
pub mod invoice_view;
pub mod login;
pub mod parts;
pub mod profile;
pub mod switch;
