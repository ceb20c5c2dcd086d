//! The experiments behind esgd's choices, and the drawing of a run.
//!
//! `evidence` trains the table of [`methods`] on a [`task`] with equal epochs, [`measure`]s each
//! and prints the [`summary`]; `figure` reads the [`metrics`] of a run and draws them
//! ([`drawing`]). The program `ops` compares the speed of the kernels with others' ([`mod@ops`]).
#![forbid(unsafe_code)]

pub mod drawing;
#[cfg(feature = "cuda")]
pub mod gpu;
pub mod measure;
pub mod methods;
pub mod metrics;
pub mod ops;
pub mod summary;
pub mod task;

/// A result whose error is one sentence.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
