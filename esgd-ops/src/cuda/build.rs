//! Any operation on the device: [`crate::build()`] there.

use esgd_core::{NoiseTerm, Operation, rng::Key};

use super::{Error, Kernels, Tensor, TensorMut, tensors::Place};
use crate::{
    build::{Backend, build_on},
    evolution::{Swarm, Trial},
    recombine::Offspring,
};

impl Kernels {
    /// Writes to `out` the network that `operation` makes of `sources`, as [`build`](crate::build()) does. Waits for
    /// the GPU where lengths are needed.
    ///
    /// # Errors
    /// If the operation cannot be built of these networks, or the GPU fails.
    pub fn build(
        &self,
        operation: &Operation,
        sources: &[Vec<Tensor<'_>>],
        statistics: &[bool],
        key: Key,
        out: &mut Vec<TensorMut<'_>>,
    ) -> Result<(), Error> {
        build_on(self, operation, sources, statistics, key, out)
    }
}

impl Backend for Kernels {
    type Tensor<'a> = Tensor<'a>;
    type TensorMut<'a> = TensorMut<'a>;
    type Error = Error;

    fn length(tensor: &Tensor<'_>) -> usize {
        tensor.length()
    }

    fn length_of_output(tensor: &TensorMut<'_>) -> usize {
        tensor.length()
    }

    fn view<'a>(network: &'a [TensorMut<'_>]) -> Vec<Tensor<'a>> {
        network.iter().map(TensorMut::view).collect()
    }

    fn offspring(
        &self,
        sources: &[Vec<Tensor<'_>>],
        plan: Offspring<'_>,
        out: &mut Vec<TensorMut<'_>>,
    ) -> Result<(), Error> {
        self.offspring(sources, &[plan], std::slice::from_mut(out))
    }

    fn mutate(&self, theta: &mut Vec<TensorMut<'_>>, sigma: &[f32], key: Key) -> Result<(), Error> {
        self.mutate(theta, sigma, key)
    }

    fn mutate_diagonal(
        &self,
        theta: &mut Vec<TensorMut<'_>>,
        variance: &[Tensor<'_>],
        sigma: &[f32],
        key: Key,
    ) -> Result<(), Error> {
        self.mutate_diagonal(theta, variance, sigma, key)
    }

    fn trial(
        &self,
        x: &[Tensor<'_>],
        others: &[Vec<Tensor<'_>>],
        how: Trial<'_>,
        key: Key,
        out: &mut Vec<TensorMut<'_>>,
    ) -> Result<(), Error> {
        self.trial(x, others, how, key, out)
    }

    fn velocity(
        &self,
        networks: [&[Tensor<'_>]; 4],
        swarm: Swarm,
        key: Key,
        out: &mut Vec<TensorMut<'_>>,
    ) -> Result<(), Error> {
        self.velocity(networks, swarm, key, out)
    }

    fn weighted_noise(
        &self,
        terms: &[NoiseTerm],
        out: &mut Vec<TensorMut<'_>>,
    ) -> Result<(), Error> {
        self.weighted_noise(terms, out)
    }

    fn squared_noise(
        &self,
        terms: &[NoiseTerm],
        out: &mut Vec<TensorMut<'_>>,
    ) -> Result<(), Error> {
        self.squared_noise(terms, out)
    }

    fn product(
        &self,
        a: &[Tensor<'_>],
        b: &[Tensor<'_>],
        out: &mut Vec<TensorMut<'_>>,
    ) -> Result<(), Error> {
        self.product(a, b, out)
    }

    fn exponential(
        &self,
        a: &[Tensor<'_>],
        b: &[Tensor<'_>],
        rate: f32,
        out: &mut Vec<TensorMut<'_>>,
    ) -> Result<(), Error> {
        self.exponential(a, b, rate, out)
    }

    fn adaptive_step(
        &self,
        networks: [&[Tensor<'_>]; 3],
        rate: f32,
        epsilon: f32,
        out: &mut Vec<TensorMut<'_>>,
    ) -> Result<(), Error> {
        self.adaptive_step(networks, rate, epsilon, out)
    }

    fn squared_norms(&self, network: &[Tensor<'_>]) -> Result<Vec<f64>, Error> {
        self.squared_norms(network)
    }

    fn squared_distances(&self, a: &[Tensor<'_>], b: &[Tensor<'_>]) -> Result<Vec<f64>, Error> {
        self.squared_distances(a, b)
    }

    fn copy(&self, from: &Tensor<'_>, to: &mut TensorMut<'_>) -> Result<(), Error> {
        self.copy(from, to)
    }

    fn write(&self, values: &[f32], to: &mut TensorMut<'_>) -> Result<(), Error> {
        self.set(values, to)
    }
}
