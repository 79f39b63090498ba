//! `portal bench …`: measurements that anyone can repeat. They print ratios against a peer in the same run.

pub mod billing;
mod company;
mod cpu;
pub mod door;
pub mod fairness;
pub mod import;
mod load;
pub mod pages;
mod peer;
pub mod rate;
pub mod rls;
mod scale;
mod twin;
mod visitor;
