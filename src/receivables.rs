//! What customers owe and paid: invoices, the ledger, payments.

pub mod invoices;
pub mod ledger;
pub mod owed;
pub mod payments;
