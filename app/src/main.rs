//! The portal.
fn main(){}
