//! Networks as tables of tensors, and the cutting of work on them into tiles.
//!
//! A network is 20 to 200 tensors, each where its framework put it. The kernels take one slice a
//! tensor and copy nothing together. Parameter i of a network is counted through its tensors in
//! order, statistics too, and so is its noise.

use rayon::prelude::*;

/// The tensors of one network, in order.
pub type Tensors<'a> = Vec<&'a [f32]>;

/// The tensors of one network, in order, to be written.
pub type TensorsMut<'a> = Vec<&'a mut [f32]>;

/// Numbers that one tile writes, over all its outputs: enough to be worth a task of its own.
const WORK: usize = 1 << 18;

/// The most values of a tensor in one tile, and the fewest that a tensor is cut into. A tile of 16
/// parents then fits in a second-level cache of half a megabyte.
const LONGEST: usize = 1 << 14;
const SHORTEST: usize = 1 << 10;

/// The most outputs in one tile.
const MOST_OUTPUTS: usize = WORK / SHORTEST;

/// One piece of work: the same stretch of one tensor in several outputs.
pub(crate) struct Tile<'a> {
    /// Which tensor.
    pub(crate) tensor: usize,
    /// Where in the tensor the stretch begins.
    pub(crate) start: usize,
    /// Where in the network it begins.
    pub(crate) offset: u64,
    /// Which output is the first of `out`.
    pub(crate) first: usize,
    /// The stretch in each output.
    pub(crate) out: Vec<&'a mut [f32]>,
}

impl Tile<'_> {
    /// The stretch of a network that the outputs are made from.
    pub(crate) fn of<'b>(&self, network: &Tensors<'b>) -> &'b [f32] {
        &network[self.tensor][self.start..self.start + self.out[0].len()]
    }
}

/// Runs `work` on every tile of `outputs`, on the threads of rayon's current pool.
///
/// `together` outputs stay in one tile: 2 for pairs, 1 where each is made alone.
pub(crate) fn for_each_tile(
    outputs: &mut [TensorsMut<'_>],
    together: usize,
    work: impl Fn(Tile<'_>) + Send + Sync,
) {
    let lengths: Vec<usize> = match outputs.first() {
        Some(first) => first.iter().map(|tensor| tensor.len()).collect(),
        None => return,
    };
    let most = (MOST_OUTPUTS / together).max(1) * together;
    let length = (WORK / outputs.len().min(most)).clamp(SHORTEST, LONGEST);
    let mut tiles = vec![];
    for (group, outputs) in outputs.chunks_mut(most).enumerate() {
        let mut tensors: Vec<_> = outputs.iter_mut().map(|tensors| tensors.iter_mut()).collect();
        let mut offset = 0;
        for (tensor, &whole) in lengths.iter().enumerate() {
            let rows = tensors.iter_mut().filter_map(Iterator::next);
            let mut rows: Vec<_> = rows.map(|row| row.chunks_mut(length)).collect();
            for start in (0..whole).step_by(length) {
                let out = rows.iter_mut().filter_map(Iterator::next).collect();
                let offset = offset + start as u64;
                tiles.push(Tile { tensor, start, offset, first: group * most, out });
            }
            offset += whole as u64;
        }
    }
    tiles.into_par_iter().for_each(work);
}

/// That the networks named `what` have the tensors of `shape`.
pub(crate) fn assert_shape<T: AsRef<[f32]>>(what: &str, network: &[T], shape: &[usize]) {
    assert_eq!(network.len(), shape.len(), "{what} differs in its number of tensors");
    for (t, (tensor, &length)) in network.iter().zip(shape).enumerate() {
        assert_eq!(tensor.as_ref().len(), length, "tensor {t} of {what} differs in length");
    }
}

/// The lengths of a network's tensors.
pub(crate) fn shape<T: AsRef<[f32]>>(network: &[T]) -> Vec<usize> {
    network.iter().map(|tensor| tensor.as_ref().len()).collect()
}
