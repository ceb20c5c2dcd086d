//! How fast the kernels make offspring, next to copying memory and to what others offer.
//!
//! Every contestant is a process of its own that answers lines ([`contestant`]): the scripts in
//! `peers/`, and this very program as `ops serve` ([`answers`]). So their runs alternate in
//! [`rounds`], and ratios are of runs made one after the other; a machine that is busy slows both.
//! Nothing is asserted about time.
//!
//! The parts: a [`comparison`] at one size, a [`breakdown`] of where our own time goes, the
//! [`growth`] of time with the population, with its [`picture`], and the [`other_operations`].

pub mod answers;
pub mod breakdown;
pub mod comparison;
pub mod contestant;
pub mod growth;
mod memory;
pub mod options;
pub mod other_operations;
pub mod picture;
pub(crate) mod rounds;
pub mod shape;
pub(crate) mod table;
mod torch_forms;
