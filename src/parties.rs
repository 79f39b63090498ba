//! Who there is, and what was agreed with whom: organizations, users, clients, customers, accounts, service points, contracts.

pub mod accounts;
pub mod clients;
pub mod communities;
mod contract_stage;
pub mod contracts;
pub mod customer_requests;
pub mod customers;
pub mod new_customers;
pub mod organizations;
pub mod service_identities;
pub mod service_points;
pub mod users;
