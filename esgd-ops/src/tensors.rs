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

/// Numbers that one tile writes, over all its outputs: enough to be worth a task of its own, and few
/// enough that every thread gets several tiles if the whole work allows it.
const MOST_WORK: usize = 1 << 18;
const LEAST_WORK: usize = 1 << 13;

/// Tiles that each thread should get, at least.
const TILES_PER_THREAD: usize = 8;

/// The most values of a tensor in one tile, and the fewest that a tensor is cut into. A tile of 16
/// parents then fits in a second-level cache of half a megabyte.
const LONGEST: usize = 1 << 14;
const SHORTEST: usize = 1 << 10;

/// The most outputs in one tile.
const MOST_OUTPUTS: usize = MOST_WORK / SHORTEST;

/// Random numbers that a key has.
const NUMBERS: u64 = 1 << 34;

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
    pub(crate) fn of<'b>(&self, network: &[&'b [f32]]) -> &'b [f32] {
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
    let numbers = lengths.iter().map(|&n| n as u64).sum::<u64>();
    assert!(numbers <= NUMBERS, "a network has {numbers} parameters, and a key {NUMBERS} numbers");
    let most = (MOST_OUTPUTS / together).max(1) * together;
    let whole = outputs.len() * lengths.iter().sum::<usize>();
    let share = whole / (TILES_PER_THREAD * rayon::current_num_threads());
    let numbers = share.clamp(LEAST_WORK, MOST_WORK);
    let length = (numbers / outputs.len().min(most)).clamp(SHORTEST, LONGEST);
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

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;

    /// A network to test on.
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) struct Network(pub(crate) Vec<Vec<f32>>);

    impl Network {
        /// Up to four tensors, of lengths around a block's, a group's and a tile's.
        pub(crate) fn any() -> impl Strategy<Value = Self> {
            Self::several().prop_map(|[network, _, _, _]| network)
        }

        /// Four networks of one shape.
        pub(crate) fn several() -> impl Strategy<Value = [Self; 4]> {
            let length =
                prop_oneof![0..9usize, 126..131usize, 0..700usize, LONGEST - 1..LONGEST + 3];
            (prop::collection::vec(length, 1..5), any::<u32>()).prop_map(|(lengths, seed)| {
                [0, 1, 2, 3].map(|j| {
                    let mut state = seed ^ (j << 30);
                    let mut value = || {
                        // A congruential generator is enough for values to compute with.
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (state as i32 as f32) / 1e9
                    };
                    Self(lengths.iter().map(|&n| (0..n).map(|_| value()).collect()).collect())
                })
            })
        }

        pub(crate) fn zeros(&self) -> Self {
            Self(self.0.iter().map(|tensor| vec![0.0; tensor.len()]).collect())
        }

        /// The network of what `f` makes of each value.
        pub(crate) fn map(&self, f: impl Fn(f32) -> f32) -> Self {
            let values = |tensor: &Vec<f32>| tensor.iter().map(|x| f(*x)).collect();
            Self(self.0.iter().map(values).collect())
        }

        pub(crate) fn tensors(&self) -> Tensors<'_> {
            self.0.iter().map(Vec::as_slice).collect()
        }

        pub(crate) fn tensors_mut(&mut self) -> TensorsMut<'_> {
            self.0.iter_mut().map(Vec::as_mut_slice).collect()
        }

        /// All parameters, in order.
        pub(crate) fn values(&self) -> Vec<f32> {
            self.0.concat()
        }
    }

    #[test]
    fn tiles_cover_every_output_once() {
        for (outputs, together) in [(1, 1), (3, 1), (2, 2), (300, 1), (514, 2)] {
            let lengths = [5, 0, LONGEST + 1, 3 * SHORTEST];
            let network = Network(lengths.iter().map(|&n| vec![0.0; n]).collect());
            let mut all = vec![network; outputs];
            let mut table: Vec<_> = all.iter_mut().map(Network::tensors_mut).collect();
            let offsets = [0, 5, 5, 5 + LONGEST + 1];
            let seen = Mutex::new(0);
            for_each_tile(&mut table, together, |tile| {
                assert_eq!(tile.offset, (offsets[tile.tensor] + tile.start) as u64);
                assert_eq!(tile.first % together, 0);
                assert_eq!(tile.out.len() % together, 0);
                for (j, out) in tile.out.into_iter().enumerate() {
                    *seen.lock().unwrap() += out.len();
                    for (i, x) in out.iter_mut().enumerate() {
                        *x += (tile.first + j + 1) as f32 + ((tile.start + i) % 7) as f32 / 8.0;
                    }
                }
            });
            assert_eq!(*seen.lock().unwrap(), outputs * lengths.iter().sum::<usize>());
            for (j, network) in all.iter().enumerate() {
                for tensor in &network.0 {
                    let expected = |i: usize| (j + 1) as f32 + (i % 7) as f32 / 8.0;
                    assert!(tensor.iter().enumerate().all(|(i, x)| *x == expected(i)), "{j}");
                }
            }
        }
    }
}
