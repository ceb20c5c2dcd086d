//! What esgd is measured by, beside the comparison that the program makes itself (`esgd compare`).
//!
//! The programs `ops` and `train` compare the speed of the kernels ([`mod@ops`]) and of training
//! ([`mod@train`]) with others'; `soak` ruins runs of the program ([`soak`]).

pub mod contest;
#[cfg(feature = "cuda")]
pub mod gpu;
pub mod ops;
pub mod soak;
pub mod train;

/// A result whose error is one sentence.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
