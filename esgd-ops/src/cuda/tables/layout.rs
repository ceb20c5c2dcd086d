//! A network's tensors and the tiles that they are cut into: the twin of `../kernels/groups.cuh`.
//!
//! Four parameters whose indices in the network share ⌊i/4⌋ are a group, as Philox makes four
//! numbers at a time. Tiles are of whole groups; a group at the border of two tensors is in a tile
//! of each, and each takes its own numbers of it.

use super::{Invalid, expect};

/// Groups of a tile at most: 2048 parameters.
const LONGEST: u64 = 512;

/// Numbers that a key has.
const NUMBERS_PER_KEY: u64 = 1 << 34;

/// Where a tensor is in its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(16))]
pub(crate) struct Tensor {
    /// The number of parameters before it.
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// Some groups of one tensor, the first counted in the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(16))]
pub(crate) struct Tile {
    pub(crate) first: u64,
    pub(crate) groups: u32,
    pub(crate) tensor: u32,
}

/// The tables of a network's shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) tensors: Vec<Tensor>,
    pub(crate) tiles: Vec<Tile>,
}

impl Layout {
    /// The layout of a network of tensors of these `lengths`, or of a piece of one: `offset`
    /// parameters come before.
    pub(crate) fn new(offset: u64, lengths: &[usize]) -> Result<Self, Invalid> {
        let mut layout = Self { tensors: vec![], tiles: vec![] };
        let mut offset = offset;
        for (tensor, &length) in lengths.iter().enumerate() {
            let length = length as u64;
            let end = offset.checked_add(length).filter(|&end| end <= NUMBERS_PER_KEY);
            let end = end.ok_or_else(|| {
                Invalid("a key has 2^34 numbers, expected no more parameters than that".into())
            })?;
            layout.tensors.push(Tensor { offset, length });
            layout.cut(tensor as u32, offset, end);
            offset = end;
        }
        expect(layout.tiles.len() < 1 << 31, || "too many tensors, expected below 2^31".into())?;
        Ok(layout)
    }

    /// Adds the tiles of one tensor, which has parameters `offset` to `end`.
    fn cut(&mut self, tensor: u32, offset: u64, end: u64) {
        if offset == end {
            return;
        }
        let (mut first, last) = (offset / 4, end.div_ceil(4));
        while first < last {
            let groups = (last - first).min(LONGEST);
            self.tiles.push(Tile { first, groups: groups as u32, tensor });
            first += groups;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The parameters of a tile, by the rule of `group_at`.
    fn parameters(layout: &Layout, tile: &Tile) -> Vec<u64> {
        let tensor = layout.tensors[tile.tensor as usize];
        let numbers = 4 * tile.first..4 * (tile.first + u64::from(tile.groups));
        numbers.filter(|i| i.wrapping_sub(tensor.offset) < tensor.length).collect()
    }

    proptest! {
        #[test]
        fn tiles_have_each_parameter_once(
            offset in 0..9u64,
            lengths in prop::collection::vec(prop_oneof![0..9usize, 2040..2060usize], 0..6),
        ) {
            let layout = Layout::new(offset, &lengths).unwrap();
            let all: Vec<u64> = layout.tiles.iter().flat_map(|t| parameters(&layout, t)).collect();
            let end = offset + lengths.iter().sum::<usize>() as u64;
            prop_assert_eq!(all, (offset..end).collect::<Vec<_>>());
            prop_assert!(layout.tiles.iter().all(|t| u64::from(t.groups) <= LONGEST));
        }
    }

    #[test]
    fn a_network_may_have_all_numbers_of_a_key_and_no_more() {
        assert!(Layout::new(NUMBERS_PER_KEY - 5, &[2, 3]).is_ok());
        assert!(Layout::new(NUMBERS_PER_KEY - 5, &[2, 4]).is_err());
        assert!(Layout::new(u64::MAX, &[1]).is_err());
    }
}
