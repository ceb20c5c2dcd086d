//! The checks of a run's folder.

pub(crate) mod checkpoints;
pub(crate) mod claims;
pub(crate) mod result;
