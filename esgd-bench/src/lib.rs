//! The experiments behind esgd's choices, and the drawing of a run.
//!
//! `evidence` trains the table of [`methods`] on a [`task`] with equal epochs, [`measure`]s each
//! and prints the [`summary`]; `figure` reads the [`metrics`] of a run and draws them
//! ([`drawing`]).
#![forbid(unsafe_code)]

pub mod drawing;
pub mod measure;
pub mod methods;
pub mod metrics;
pub mod summary;
pub mod task;

/// A result whose error is one sentence.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
