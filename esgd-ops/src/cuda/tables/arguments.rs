//! The arguments of the kernels, one struct each: twins of those in `../kernels`. A `u64` that is
//! no number of parameters is a device address.

use super::{RoundKeys, Stream};

/// Where the tables of a layout are.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct LayoutPointers {
    pub(crate) tiles: u64,
    pub(crate) tensors: u64,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Recombination {
    pub(crate) layout: LayoutPointers,
    /// `[parent][tensor]`.
    pub(crate) population: u64,
    /// `[tensor][offspring]`.
    pub(crate) rows: u64,
    pub(crate) children: u64,
    pub(crate) choices: u64,
    pub(crate) lists: u64,
    pub(crate) weights: u64,
    pub(crate) rounds: u64,
    pub(crate) parents: u32,
    pub(crate) count: u32,
    pub(crate) tensors: u32,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Fill {
    pub(crate) layout: LayoutPointers,
    pub(crate) out: u64,
    pub(crate) stream: Stream,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Mutation {
    pub(crate) layout: LayoutPointers,
    pub(crate) theta: u64,
    pub(crate) sigma: u64,
    pub(crate) stream: Stream,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct DiagonalMutation {
    pub(crate) layout: LayoutPointers,
    pub(crate) theta: u64,
    pub(crate) variance: u64,
    pub(crate) sigma: u64,
    pub(crate) stream: Stream,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct NoiseSum {
    pub(crate) layout: LayoutPointers,
    pub(crate) out: u64,
    pub(crate) starts: u64,
    pub(crate) weights: u64,
    pub(crate) count: u32,
    /// 1 if `out` holds the sum of the keys before these, else 0.
    pub(crate) goes_on: u32,
    pub(crate) rounds: RoundKeys,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Trial {
    pub(crate) layout: LayoutPointers,
    /// `[network][tensor]`: the target, then the others.
    pub(crate) networks: u64,
    pub(crate) weights: u64,
    pub(crate) out: u64,
    pub(crate) forced: u64,
    pub(crate) others: u32,
    pub(crate) tensors: u32,
    pub(crate) cr: f32,
    pub(crate) stream: Stream,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Velocity {
    pub(crate) layout: LayoutPointers,
    /// The place, the velocity, the particle's best and the swarm's.
    pub(crate) networks: [u64; 4],
    pub(crate) out: u64,
    /// w, c₁ and c₂.
    pub(crate) constants: [f32; 3],
    pub(crate) first: Stream,
    pub(crate) second: Stream,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct ValueByValue {
    pub(crate) layout: LayoutPointers,
    /// As many as the operation takes; the others are 0.
    pub(crate) networks: [u64; 3],
    pub(crate) out: u64,
    pub(crate) rate: f32,
    pub(crate) epsilon: f32,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Squares {
    pub(crate) tensors: u64,
    /// What is subtracted from them before, or 0.
    pub(crate) others: u64,
    pub(crate) chunks: u64,
    pub(crate) sums: u64,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Sums {
    pub(crate) terms: u64,
    pub(crate) chunks: u64,
    pub(crate) sums: u64,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct SquareRoots {
    /// The bits of the first argument.
    pub(crate) first: u32,
    pub(crate) count: u32,
    pub(crate) wrong: u64,
}

impl SquareRoots {
    /// All arguments from 2⁻³² to 2⁶, between which −2 ln u lies.
    pub(crate) fn all(wrong: u64) -> Self {
        let (first, end) = (f32::from_bits(95 << 23), 64.0f32);
        Self { first: first.to_bits(), count: end.to_bits() - first.to_bits(), wrong }
    }
}
