//! What the pages stand on.

pub mod assets;
