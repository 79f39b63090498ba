//! Pages: each with the server functions that its forms post to.

pub mod account;
pub mod admin;
pub mod audit;
pub mod conflict;
pub mod frame;
pub mod invitation;
pub mod invoice_view;
pub mod ledger_view;
pub mod login;
pub mod organization;
pub mod parts;
pub mod profile;
mod recent;
pub mod reset;
pub mod scope;
pub mod service_identities;
pub mod staff;
pub mod switch;
pub mod tariff_view;
pub mod users;
