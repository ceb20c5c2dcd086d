//! How many blocks and threads a launch has.

/// Threads of a block for recombination, each with two groups: `WIDTH` in `recombine.cu`.
const RECOMBINING: u32 = 64;

/// Threads of a block elsewhere.
const THREADS: u32 = 256;

/// Groups of a tile, which the grid's y shares out over blocks.
const TILE: u32 = 512;

/// Shared memory that a block has without asking for more.
const SHARED: usize = 48 << 10;

/// Blocks a multiprocessor that are enough to keep it busy.
const ENOUGH: usize = 16;

/// The most blocks in y or z.
const MOST: usize = 65_535;

/// The size of a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(crate) blocks: (u32, u32, u32),
    pub(crate) threads: u32,
    /// Bytes of shared memory a block.
    pub(crate) shared: u32,
}

/// One thread a group, over `rows` outputs where a block can make a part of them.
pub(crate) fn each_group(tiles: usize, rows: usize, multiprocessors: usize) -> Grid {
    let y = TILE / THREADS;
    let z = shares(tiles * y as usize, rows, multiprocessors);
    Grid { blocks: (tiles as u32, y, z), threads: THREADS, shared: 0 }
}

/// The kernel for offspring of that many parents, and its grid. Parents that fit wait in shared
/// memory.
pub(crate) fn recombination(
    tiles: usize,
    parents: usize,
    offspring: usize,
    multiprocessors: usize,
) -> (&'static str, Grid) {
    let y = TILE / (2 * RECOMBINING);
    let z = shares(tiles * y as usize, offspring, multiprocessors);
    let grid = Grid { blocks: (tiles as u32, y, z), threads: RECOMBINING, shared: 0 };
    let bytes = parents.saturating_mul(2 * RECOMBINING as usize * size_of::<[f32; 4]>());
    if bytes <= SHARED {
        ("recombine_staged", Grid { shared: bytes as u32, ..grid })
    } else {
        ("recombine_direct", grid)
    }
}

/// One block for each of `blocks` chunks of a sum, with its 256 partial sums in shared memory.
pub(crate) fn one_block_each(blocks: usize) -> Grid {
    let shared = THREADS * size_of::<f64>() as u32;
    Grid { blocks: (blocks as u32, 1, 1), threads: THREADS, shared }
}

/// Over how many blocks to share out `rows` outputs where there are few blocks without.
fn shares(blocks: usize, rows: usize, multiprocessors: usize) -> u32 {
    let enough = (ENOUGH * multiprocessors.max(1)).div_ceil(blocks.max(1));
    enough.clamp(1, rows.clamp(1, MOST)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_network_has_each_parent_read_once() {
        let (kernel, grid) = recombination(12_208, 16, 64, 132);
        assert_eq!(kernel, "recombine_staged");
        assert_eq!(grid, Grid { blocks: (12_208, 4, 1), threads: 64, shared: 32 << 10 });
    }

    #[test]
    fn a_small_network_has_its_offspring_shared_out() {
        assert_eq!(recombination(1, 2, 64, 132).1.blocks, (1, 4, 64));
        assert_eq!(recombination(100, 2, 64, 132).1.blocks, (100, 4, 6));
        assert_eq!(each_group(1, 1, 132).blocks, (1, 2, 1));
    }

    #[test]
    fn many_parents_stay_where_they_are() {
        assert_eq!(recombination(9, 24, 1, 132).0, "recombine_staged");
        assert_eq!(recombination(9, 25, 1, 132).0, "recombine_direct");
        assert_eq!(recombination(9, usize::MAX, 1, 132).0, "recombine_direct");
    }
}
