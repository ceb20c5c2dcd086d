//! The checks of a run's folder.

pub mod checkpoints;
pub mod claims;
pub mod result;
