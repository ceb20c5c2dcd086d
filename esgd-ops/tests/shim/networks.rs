//! Networks in memory for the tests: tensors of any lengths and alignments between guarded margins.

use esgd_core::rng::{Key, Purpose};
use esgd_ops::noise::normals;

use crate::tables::{Layout, LayoutPointers};

/// What surrounds each tensor, and fills an output before it is written.
const MARGIN: f32 = 12_345.678;

/// Values before and after each tensor; a multiple of four.
const WIDTH: usize = 8;

/// Shapes to try: lengths of tensors and the number of parameters before the first.
pub(crate) fn shapes() -> Vec<(u64, Vec<usize>)> {
    let alone = [0, 1, 3, 4, 5, 127, 128, 129, 1025].map(|n| (0, vec![n]));
    let behind = [1, 2, 3, 4, 7].map(|offset| (offset, vec![1, 6, 33]));
    let others = [
        (0, vec![]),
        (0, vec![1, 1, 1, 1, 1, 0, 2]),
        (0, vec![4, 8, 12]),
        (0, vec![5, 0, 4095, 64, 4096, 3, 4097]),
        // The last parameters that a key has numbers for.
        ((1 << 34) - 4099, vec![3, 4096]),
    ];
    alone.into_iter().chain(behind).chain(others).collect()
}

/// A network whose tensors lie at all alignments that an array of `f32` may have.
pub(crate) struct Network {
    tensors: Vec<Vec<f32>>,
    /// Where in its vector each tensor begins.
    starts: Vec<usize>,
    lengths: Vec<usize>,
}

impl Network {
    /// Tensors not yet written. `shift` moves them against the sixteen bytes that a GPU reads.
    pub(crate) fn unwritten(lengths: &[usize], shift: usize) -> Self {
        let tensors: Vec<_> =
            lengths.iter().map(|length| vec![MARGIN; length + 2 * WIDTH + 4]).collect();
        let place = |tensor: &Vec<f32>| {
            let odd = tensor.as_ptr() as usize / 4 % 4;
            WIDTH + (4 - odd) % 4 + shift % 4
        };
        let starts = tensors.iter().map(place).collect();
        Self { tensors, starts, lengths: lengths.to_vec() }
    }

    /// Tensors of values, different ones for each `seed`.
    pub(crate) fn random(lengths: &[usize], shift: usize, seed: usize) -> Self {
        let mut network = Self::unwritten(lengths, shift);
        let key = Key::new(99, Purpose::Init).individual(seed);
        for (t, tensor) in network.tensors.iter_mut().enumerate() {
            let here = network.starts[t]..network.starts[t] + lengths[t];
            normals(key.step(t), 0, &mut tensor[here]);
        }
        network
    }

    /// Makes each value what `f` makes of it.
    pub(crate) fn map(&mut self, f: impl Fn(f32) -> f32) {
        for ((tensor, &start), &length) in
            self.tensors.iter_mut().zip(&self.starts).zip(&self.lengths)
        {
            tensor[start..start + length].iter_mut().for_each(|x| *x = f(*x));
        }
    }

    pub(crate) fn addresses(&mut self) -> Vec<u64> {
        let tensors = self.tensors.iter_mut().zip(&self.starts);
        tensors.map(|(tensor, &start)| tensor[start..].as_mut_ptr() as u64).collect()
    }

    /// The values of all tensors in order.
    ///
    /// # Panics
    /// If something beside them was written.
    pub(crate) fn values(&self) -> Vec<f32> {
        let mut values = vec![];
        for ((tensor, &start), &length) in self.tensors.iter().zip(&self.starts).zip(&self.lengths)
        {
            let (before, rest) = tensor.split_at(start);
            let (inside, after) = rest.split_at(length);
            let margins = before.iter().chain(after);
            assert!(margins.copied().all(|x| x == MARGIN), "a margin of a tensor was written");
            values.extend_from_slice(inside);
        }
        values
    }
}

/// Of each value of a network: its tensor.
pub(crate) fn tensor_of_each(lengths: &[usize]) -> Vec<usize> {
    lengths.iter().enumerate().flat_map(|(t, &n)| std::iter::repeat_n(t, n)).collect()
}

/// Where the tables of a layout are.
pub(crate) fn pointers(layout: &Layout) -> LayoutPointers {
    LayoutPointers { tiles: address(&layout.tiles), tensors: address(&layout.tensors) }
}

/// Where a table is.
pub(crate) fn address<T>(table: &[T]) -> u64 {
    table.as_ptr() as u64
}

/// # Panics
/// If the two differ in a bit.
pub(crate) fn assert_bits(what: &str, found: &[f32], expected: impl Iterator<Item = f32>) {
    let mut count = 0;
    for (i, expected) in expected.enumerate() {
        let (a, b) = (found[i], expected);
        assert_eq!(a.to_bits(), b.to_bits(), "{what}: number {i} is {a}, expected {b}");
        count += 1;
    }
    assert_eq!(count, found.len(), "{what}: the count of numbers differs");
}
