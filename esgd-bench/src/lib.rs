//! The experiments behind esgd's choices, and the drawing of a run.
//!
//! `evidence` trains the table of [`methods`] on a [`task`] with equal epochs, [`measure`]s each
//! and prints the [`summary`]; `figure` reads the [`metrics`] of a run and draws them
//! ([`drawing`]). The programs `ops` and `train`
//! compare the speed of the kernels ([`mod@ops`]) and of training ([`mod@train`]) with others'; `soak`
//! ruins runs of the program ([`soak`]).
#![forbid(unsafe_code)]

pub mod contest;
pub mod drawing;
#[cfg(feature = "cuda")]
pub mod gpu;
pub mod measure;
pub mod methods;
pub mod metrics;
pub mod ops;
pub mod soak;
pub mod summary;
pub mod task;
pub mod train;

/// A result whose error is one sentence.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
