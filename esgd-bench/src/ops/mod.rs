//! How fast the kernels make offspring, next to copying memory and to what others offer.
//!
//! The scripts in `peers/`, and this very program as `ops serve` ([`answers`]), run in turn
//! ([`contest`](crate::contest)).
//!
//! The parts: a [`comparison`] at one size, a [`breakdown`] of where our own time goes, the
//! [`growth`] of time with the population, with its [`picture`], and the [`other_operations`].

pub mod answers;
pub mod breakdown;
pub mod comparison;
pub mod growth;
mod memory;
pub mod options;
pub mod other_operations;
pub mod picture;
pub mod shape;
mod threads;
mod timing;
mod torch_forms;
