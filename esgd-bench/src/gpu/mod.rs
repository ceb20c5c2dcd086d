//! The kernels on a GPU: whether their bits are the CPU's, and how fast they are.

pub mod answers;
pub mod bits;
pub mod compared;
pub mod comparison;
pub mod hardware;
mod large;
mod network;
