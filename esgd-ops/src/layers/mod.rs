//! The layers of a network, forwards and backwards, on plain slices.
//!
//! A batch is image after image, an image channel after channel, a channel row after row, as in
//! PyTorch. What is computed is in [`definition`]; sums are in an
//! order that suits vectors, so results agree with it within rounding. One thread computes all of a
//! call, and results depend on nothing but the arguments, to the bit; only [`linear`]'s on the
//! processor as well.

pub mod activation;
pub mod batch_norm;
pub mod conv;
pub mod cross_entropy;
pub mod definition;
pub mod dropout;
pub mod linear;
pub mod pooling;
mod sums;
