//! Numbers of the CPU and of the GPU, compared bit by bit.

/// What was compared, and how many numbers of it differ.
pub struct Comparison {
    /// The operation and the shape.
    pub what: String,
    /// Numbers compared.
    pub compared: usize,
    /// Numbers whose bits differ.
    pub different: usize,
}

/// Compares `cpu`, tensor by tensor, with `gpu`.
pub(super) fn compared(what: &str, cpu: &[Vec<f32>], gpu: &[Vec<f32>]) -> Comparison {
    let pairs = cpu.iter().flatten().zip(gpu.iter().flatten());
    let different = pairs.filter(|(a, b)| a.to_bits() != b.to_bits()).count();
    let lengths = |all: &[Vec<f32>]| all.iter().map(Vec::len).sum::<usize>();
    let compared = lengths(cpu);
    // A number that is missing differs as well.
    Comparison {
        what: what.into(),
        compared,
        different: different + compared.abs_diff(lengths(gpu)),
    }
}
