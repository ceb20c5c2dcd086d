//! The checks of a run's folder.

pub mod checkpoints;
pub mod log;
pub mod result;
