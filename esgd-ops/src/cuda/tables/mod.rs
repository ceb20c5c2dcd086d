//! The small tables that kernels read: what a launch needs besides the numbers themselves.
//!
//! All of it is plain data made on the host, without a GPU. The structs are laid out as their twins
//! in `../kernels`; pointers are device addresses.

mod arguments;
mod batch;
mod chunks;
mod grid;
mod layout;
mod stream;

pub(crate) use arguments::{
    DiagonalMutation, Fill, LayoutPointers, Mutation, NoiseSum, Recombination, SquareRoots,
    Squares, Sums, Trial, ValueByValue, Velocity,
};
pub(crate) use batch::{Child, Choice, Row, batches};
pub(crate) use chunks::{Chunk, chunks_of_sums, chunks_of_tensors};
pub(crate) use grid::{Grid, each_group, one_block_each, recombination};
pub(crate) use layout::{Layout, Tensor, Tile};
pub(crate) use stream::{RoundKeys, Start, Stream, runs_of_one_seed};

/// Why arguments do not fit together, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub(crate) String);

/// That `holds`, or the sentence that says what was expected.
pub(crate) fn expect(holds: bool, sentence: impl FnOnce() -> String) -> Result<(), Invalid> {
    if holds { Ok(()) } else { Err(Invalid(sentence())) }
}
