//! Any [`Operation`] on networks as tables of tensors: the sources, with a key, become one network.
//!
//! Some tensors of a network are statistics, such as a running mean and variance, which noise could make
//! negative. A mean of the sources ([`Weights::are_convex`]) and crossover treat them as weights without noise;
//! every other operation copies those of the first source, and neither counts them in a length nor asks values
//! for them.

mod backend;
mod cpu;
#[cfg(test)]
mod tests;

use esgd_core::{
    BuildError, Noise, Operation, OperationKind, Scale, Weights, plan::definition, rng::Key,
};

pub(crate) use backend::Backend;

use crate::{
    Tensors, TensorsMut,
    evolution::{Swarm, Trial},
    norm::rms_of,
    recombine::{Blend, Offspring},
};

/// The most values of a network: the numbers that a key has.
const MOST: u64 = 1 << 34;

/// Writes to `out` the network that `operation` makes of `sources`, with random numbers from `key`, on the threads
/// of rayon's current pool. Which tensors are statistics, `statistics` says.
///
/// A network of one tensor has the bits of [`esgd_core::build()`]. One of several has them too, but where
/// lengths are needed: those of tensors are added in order, and [`Scale::Relative`] is of each tensor by itself.
///
/// ```
/// use esgd_core::{Operation, rng::{Key, Purpose}};
///
/// let (theta, velocity, mut ahead) = ([1.0, 2.0], [2.0, -2.0], [0.0; 2]);
/// let sources = [vec![&theta[..]], vec![&velocity[..]]];
/// let operation = Operation::weighted([1.0, 0.5]);
/// let key = Key::new(1, Purpose::Mutation);
/// esgd_ops::build(&operation, &sources, &[false], key, &mut vec![&mut ahead[..]])?;
/// assert_eq!(ahead, [2.0, 1.0]);
/// # Ok::<(), esgd_core::BuildError>(())
/// ```
///
/// # Errors
/// If the operation has other sources than it takes, or numbers that it cannot have; if networks differ in
/// shape; or if it is not one of those that this crate [`builds`].
pub fn build(
    operation: &Operation,
    sources: &[Tensors<'_>],
    statistics: &[bool],
    key: Key,
    out: &mut TensorsMut<'_>,
) -> Result<(), BuildError> {
    build_on(&cpu::Cpu, operation, sources, statistics, key, out)
}

/// Whether networks of tensors can be built so, on the CPU and on a GPU alike.
#[must_use]
pub fn builds(kind: &OperationKind) -> bool {
    match kind {
        OperationKind::Combine
        | OperationKind::DiagonalNoise
        | OperationKind::BallNoise
        | OperationKind::Crossover
        | OperationKind::Trial
        | OperationKind::Velocity
        | OperationKind::WeightedNoise
        | OperationKind::SquaredNoise
        | OperationKind::Product
        | OperationKind::Exponential
        | OperationKind::AdaptiveStep
        | OperationKind::Rescale
        | OperationKind::Values => true,
        // A fresh network and a custom operation are for who knows what the network is.
        _ => false,
    }
}

/// [`build`] with the kernels of `backend`.
pub(crate) fn build_on<B: Backend>(
    backend: &B,
    operation: &Operation,
    sources: &[Vec<B::Tensor<'_>>],
    statistics: &[bool],
    key: Key,
    out: &mut Vec<B::TensorMut<'_>>,
) -> Result<(), B::Error> {
    if let Some(fault) = operation.fault(sources.len()) {
        return Err(BuildError::new(fault).into());
    }
    let lengths: Vec<usize> = out.iter().map(B::length_of_output).collect();
    let shape = Shape { lengths, statistics };
    shape.check(sources.iter().map(|source| source.iter().map(B::length).collect()))?;
    let on = On { backend, shape, key };
    match operation {
        Operation::Combine { weights, noise } => {
            let weights: Option<Vec<f32>> = match weights {
                Weights::Equal => None,
                Weights::Each(weights) => Some(weights.iter().map(|w| *w as f32).collect()),
            };
            let blend = weights.as_deref().map_or(Blend::Mean, Blend::Weighted);
            on.blended(blend, noise, sources, out)?;
        }
        Operation::Crossover { noise } => on.blended(Blend::Crossover, noise, sources, out)?,
        Operation::Trial { weights, cr } => {
            let weights: Vec<f32> = weights.iter().map(|w| *w as f32).collect();
            let how = Trial { weights: &weights, cr: *cr as f32, forced: on.forced() };
            backend.trial(&sources[0], &sources[1..], how, key, out)?;
        }
        Operation::Velocity { inertia, own, social } => {
            let [inertia, own, social] = [inertia, own, social].map(|x| *x as f32);
            let networks = std::array::from_fn(|k| &sources[k][..]);
            backend.velocity(networks, Swarm { inertia, own, social }, key, out)?;
        }
        Operation::WeightedNoise { terms } => backend.weighted_noise(terms, out)?,
        Operation::SquaredNoise { terms } => backend.squared_noise(terms, out)?,
        Operation::Product => backend.product(&sources[0], &sources[1], out)?,
        Operation::Exponential { rate } => {
            backend.exponential(&sources[0], &sources[1], *rate as f32, out)?;
        }
        Operation::AdaptiveStep { rate, epsilon } => {
            let networks = std::array::from_fn(|k| &sources[k][..]);
            backend.adaptive_step(networks, *rate as f32, *epsilon as f32, out)?;
        }
        Operation::Rescale { length, at_most } => {
            let now = on.length(&backend.squared_norms(&sources[0])?);
            let scale = definition::scaling(now, *length, *at_most).map(|scale| [scale as f32]);
            let blend = scale.as_ref().map_or(Blend::Mean, |scale| Blend::Weighted(scale));
            on.blended(blend, &Noise::None, sources, out)?;
        }
        Operation::Values(values) => on.set(values, out)?,
        other => {
            let kind = other.kind();
            return Err(BuildError::new(format!("{kind} is the problem's to build")).into());
        }
    }
    match operation {
        Operation::Combine { weights, .. } if weights.are_convex() => Ok(()),
        Operation::Crossover { .. } => Ok(()),
        _ => {
            let mut tensors = out.iter_mut().zip(&sources[0]).zip(statistics);
            tensors.try_for_each(|((to, from), statistic)| match statistic {
                true => backend.copy(from, to),
                false => Ok(()),
            })
        }
    }
}

/// What tensors a network has.
struct Shape<'a> {
    lengths: Vec<usize>,
    statistics: &'a [bool],
}

impl Shape<'_> {
    fn check(&self, sources: impl Iterator<Item = Vec<usize>>) -> Result<(), BuildError> {
        let (tensors, said) = (self.lengths.len(), self.statistics.len());
        if tensors != said {
            let why = format!("{said} of its {tensors} tensors are said to be statistics or not");
            return Err(BuildError::new(why));
        }
        let values = self.lengths.iter().map(|&n| n as u64).sum::<u64>();
        if values > MOST {
            let why =
                format!("it has {values} values: expected at most 2^34, the numbers of a key");
            return Err(BuildError::new(why));
        }
        for (j, source) in sources.enumerate() {
            if source != self.lengths {
                let why = format!(
                    "source {j} has tensors of {source:?} values: expected {:?}",
                    self.lengths
                );
                return Err(BuildError::new(why));
            }
        }
        Ok(())
    }

    /// The tensors of weights, each with its length.
    fn weights(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let all = self.lengths.iter().copied().enumerate();
        all.zip(self.statistics).filter_map(|(tensor, statistic)| (!statistic).then_some(tensor))
    }

    /// A number for each tensor: 0 for statistics.
    fn each(&self, number: impl Fn(usize) -> f32) -> Vec<f32> {
        let of = |(t, &statistic)| if statistic { 0.0 } else { number(t) };
        self.statistics.iter().enumerate().map(of).collect()
    }
}

/// What one network is built on.
struct On<'a, B> {
    backend: &'a B,
    shape: Shape<'a>,
    key: Key,
}

impl<B: Backend> On<'_, B> {
    /// What the sources become by `blend`, but for those that the noise takes, and the noise.
    fn blended(
        &self,
        blend: Blend<'_>,
        noise: &Noise,
        sources: &[Vec<B::Tensor<'_>>],
        out: &mut Vec<B::TensorMut<'_>>,
    ) -> Result<(), B::Error> {
        let (backend, key) = (self.backend, self.key);
        let (sources, rest) = sources.split_at(sources.len() - noise.sources());
        let everyone: Vec<usize> = (0..sources.len()).collect();
        let mix = |sigma: f32, out: &mut Vec<B::TensorMut<'_>>| {
            let sigma = self.shape.each(|_| sigma);
            let plan = Offspring { parents: &everyone, blend, sigma: &sigma, key };
            backend.offspring(sources, plan, out)
        };
        match *noise {
            Noise::None => mix(0.0, out),
            Noise::Isotropic { sigma, scale: Scale::Absolute } => mix(sigma as f32, out),
            Noise::Isotropic { sigma, scale: Scale::Relative } => {
                mix(0.0, out)?;
                let norms = backend.squared_norms(&B::view(out))?;
                let rms = |t: usize| rms_of(norms[t], self.shape.lengths[t]);
                backend.mutate(out, &self.shape.each(|t| sigma as f32 * rms(t)), key)
            }
            Noise::Diagonal { sigma } => {
                mix(0.0, out)?;
                let sigma = self.shape.each(|_| sigma as f32);
                backend.mutate_diagonal(out, &rest[0], &sigma, key)
            }
            Noise::Ball => {
                // The noise itself is there only to be measured.
                backend.weighted_noise(&[esgd_core::NoiseTerm { key, weight: 1.0 }], out)?;
                let length = self.length(&backend.squared_norms(&B::view(out))?);
                mix(0.0, out)?;
                let radius = self.length(&backend.squared_distances(&rest[0], &B::view(out))?);
                if length > 0.0 {
                    let sigma = definition::share_of_radius(key) * radius / length;
                    backend.mutate(out, &self.shape.each(|_| sigma as f32), key)?;
                }
                Ok(())
            }
        }
    }

    /// The length of a network as a vector of its weights, of the squared norms of its tensors.
    fn length(&self, squared_norms: &[f64]) -> f64 {
        self.shape.weights().map(|(t, _)| squared_norms[t]).sum::<f64>().sqrt()
    }

    /// The weight that a trial takes from the mutant for certain, as an index into the network.
    fn forced(&self) -> u64 {
        let weights: u64 = self.shape.weights().map(|(_, n)| n as u64).sum();
        let mut rest = definition::forced(self.key, weights);
        let mut first = 0;
        for (&length, &statistic) in self.shape.lengths.iter().zip(self.shape.statistics) {
            let length = length as u64;
            if !statistic {
                if rest < length {
                    return first + rest;
                }
                rest -= length;
            }
            first += length;
        }
        // There is no weight at all.
        u64::MAX
    }

    /// Writes given values to the weights.
    fn set(&self, values: &[f64], out: &mut [B::TensorMut<'_>]) -> Result<(), B::Error> {
        let weights: usize = self.shape.weights().map(|(_, n)| n).sum();
        if values.len() != weights {
            let count = values.len();
            let why = format!("{count} values were given for a network of {weights}");
            return Err(BuildError::new(why).into());
        }
        let values: Vec<f32> = values.iter().map(|x| *x as f32).collect();
        let mut rest = &values[..];
        for (t, length) in self.shape.weights() {
            let (here, others) = rest.split_at(length);
            self.backend.write(here, &mut out[t])?;
            rest = others;
        }
        Ok(())
    }
}
