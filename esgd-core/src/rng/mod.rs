//! Counter-based random numbers: every number is a pure function of
//! (seed, purpose, generation, step, individual, index).
//!
//! There is no hidden generator anywhere in the project, so the number of threads, the order of
//! work and a stop between generations change nothing.

mod box_muller;
mod key;
mod philox;

pub use box_muller::box_muller;
pub use key::{Key, Purpose};
pub use philox::{Philox, philox4x32_10};
