//! Offspring of genomes: eq. 12 on each tensor in the memory where candle has it, on the CPU or on a
//! GPU. The bits are the same.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;

use candle_core::Device;
use esgd_core::{Mutation, rng::Key};

use crate::{
    Error, Result,
    genome::{Genome, Role},
};

/// The offspring of `parents`: the mean of each tensor, and for weights noise of `key`.
///
/// With [`Scale::Relative`](esgd_core::Scale::Relative) the noise of a tensor is in units of the
/// root mean square of what the parents' mean has become.
pub(crate) fn of(parents: &[&Genome], mutation: Mutation, key: Key) -> Result<Genome> {
    let Some(first) = parents.first() else {
        return Err(Error::Weights("an offspring needs at least one parent".into()));
    };
    if let Some(other) = parents.iter().find(|other| !other.device().same_device(&first.device())) {
        return Err(Error::Weights(format!(
            "parents are on {:?} and on {:?}: expected one device",
            first.device().location(),
            other.device().location()
        )));
    }
    match first.device() {
        Device::Cpu => cpu::of(parents, mutation, key),
        #[cfg(feature = "cuda")]
        Device::Cuda(device) => cuda::of(&device, parents, mutation, key),
        other => Err(Error::Weights(format!(
            "offspring cannot be made on {:?}: expected the CPU, or a GPU in a build with the \
             feature `cuda`",
            other.location()
        ))),
    }
}

/// A σ for each tensor: none for statistics.
fn sigmas(genome: &Genome, sigma: impl Fn(usize) -> f32) -> Vec<f32> {
    let of = |(t, p): (usize, &crate::Parameter)| match p.role {
        Role::Statistic => 0.0,
        Role::Weight => sigma(t),
    };
    genome.parameters().iter().enumerate().map(of).collect()
}
