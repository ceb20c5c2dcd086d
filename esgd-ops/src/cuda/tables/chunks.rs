//! What each block of a sum of squares adds: the twin of `Chunk` in `../kernels/norm.cu`.

/// Values, or sums of tiles, that are added together: as `definition::squared_norm` of esgd-core has it.
const TILE: u64 = 4096;

/// A stretch of a tensor, or of the sums of its tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(16))]
pub(crate) struct Chunk {
    pub(crate) first: u64,
    pub(crate) count: u32,
    pub(crate) tensor: u32,
}

/// The chunks of tensors of these lengths. A tensor of no values has one too, with sum 0.
pub(crate) fn chunks_of_tensors(lengths: &[usize]) -> Vec<Chunk> {
    let pieces = |(tensor, &length): (usize, &usize)| cut(0, length as u64, tensor as u32);
    lengths.iter().enumerate().flat_map(pieces).collect()
}

/// The chunks of the sums that `before` made, or none where each tensor has one sum.
pub(crate) fn chunks_of_sums(before: &[Chunk]) -> Option<Vec<Chunk>> {
    let tensors = before.chunk_by(|a, b| a.tensor == b.tensor);
    let mut first = 0;
    let mut chunks = vec![];
    for sums in tensors {
        chunks.extend(cut(first, sums.len() as u64, sums[0].tensor));
        first += sums.len() as u64;
    }
    (chunks.len() < before.len()).then_some(chunks)
}

fn cut(first: u64, length: u64, tensor: u32) -> impl Iterator<Item = Chunk> {
    (0..length.div_ceil(TILE).max(1)).map(move |k| Chunk {
        first: first + k * TILE,
        count: (length - k * TILE).min(TILE) as u32,
        tensor,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_added_until_each_tensor_has_one() {
        let chunks = chunks_of_tensors(&[0, 4097, 3]);
        let parts: Vec<_> = chunks.iter().map(|c| (c.first, c.count, c.tensor)).collect();
        assert_eq!(parts, [(0, 0, 0), (0, 4096, 1), (4096, 1, 1), (0, 3, 2)]);
        let chunks = chunks_of_sums(&chunks).unwrap();
        let parts: Vec<_> = chunks.iter().map(|c| (c.first, c.count, c.tensor)).collect();
        assert_eq!(parts, [(0, 1, 0), (1, 2, 1), (3, 1, 2)]);
        assert_eq!(chunks_of_sums(&chunks), None);
    }

    #[test]
    fn a_tensor_of_many_tiles_takes_two_passes_more() {
        let chunks = chunks_of_tensors(&[4096 * 4096 + 1]);
        let second = chunks_of_sums(&chunks).unwrap();
        let third = chunks_of_sums(&second).unwrap();
        assert_eq!((chunks.len(), second.len(), third.len()), (4097, 2, 1));
        assert_eq!(chunks_of_sums(&third), None);
    }
}
