//! The kernels of this crate on the CPU, on the threads of rayon's current pool.

use esgd_core::{BuildError, NoiseTerm, rng::Key};

use super::Backend;
use crate::{
    Tensors, TensorsMut,
    evolution::{self, Swarm, Trial},
    noise, norm,
    recombine::{self, Offspring},
};

/// This processor.
pub(super) struct Cpu;

type Result<T> = std::result::Result<T, BuildError>;

impl Backend for Cpu {
    type Tensor<'a> = &'a [f32];
    type TensorMut<'a> = &'a mut [f32];
    type Error = BuildError;

    fn length(tensor: &&[f32]) -> usize {
        tensor.len()
    }

    fn length_of_output(tensor: &&mut [f32]) -> usize {
        tensor.len()
    }

    fn view<'a>(network: &'a [&mut [f32]]) -> Tensors<'a> {
        network.iter().map(|tensor| &**tensor).collect()
    }

    fn offspring(
        &self,
        sources: &[Tensors<'_>],
        plan: Offspring<'_>,
        out: &mut TensorsMut<'_>,
    ) -> Result<()> {
        recombine::offspring(sources, &[plan], std::slice::from_mut(out));
        Ok(())
    }

    fn mutate(&self, theta: &mut TensorsMut<'_>, sigma: &[f32], key: Key) -> Result<()> {
        noise::mutate(theta, sigma, key);
        Ok(())
    }

    fn mutate_diagonal(
        &self,
        theta: &mut TensorsMut<'_>,
        variance: &[&[f32]],
        sigma: &[f32],
        key: Key,
    ) -> Result<()> {
        noise::mutate_diagonal(theta, variance, sigma, key);
        Ok(())
    }

    fn trial(
        &self,
        x: &[&[f32]],
        others: &[Tensors<'_>],
        how: Trial<'_>,
        key: Key,
        out: &mut TensorsMut<'_>,
    ) -> Result<()> {
        evolution::trial(x, others, how, key, out);
        Ok(())
    }

    fn velocity(
        &self,
        networks: [&[&[f32]]; 4],
        swarm: Swarm,
        key: Key,
        out: &mut TensorsMut<'_>,
    ) -> Result<()> {
        evolution::velocity(networks, swarm, key, out);
        Ok(())
    }

    fn weighted_noise(&self, terms: &[NoiseTerm], out: &mut TensorsMut<'_>) -> Result<()> {
        evolution::weighted_noise(terms, out);
        Ok(())
    }

    fn squared_noise(&self, terms: &[NoiseTerm], out: &mut TensorsMut<'_>) -> Result<()> {
        evolution::squared_noise(terms, out);
        Ok(())
    }

    fn product(&self, a: &[&[f32]], b: &[&[f32]], out: &mut TensorsMut<'_>) -> Result<()> {
        evolution::product(a, b, out);
        Ok(())
    }

    fn exponential(
        &self,
        a: &[&[f32]],
        b: &[&[f32]],
        rate: f32,
        out: &mut TensorsMut<'_>,
    ) -> Result<()> {
        evolution::exponential(a, b, rate, out);
        Ok(())
    }

    fn adaptive_step(
        &self,
        networks: [&[&[f32]]; 3],
        rate: f32,
        epsilon: f32,
        out: &mut TensorsMut<'_>,
    ) -> Result<()> {
        evolution::adaptive_step(networks, rate, epsilon, out);
        Ok(())
    }

    fn squared_norms(&self, network: &[&[f32]]) -> Result<Vec<f64>> {
        Ok(network.iter().map(|tensor| norm::squared_norm(tensor)).collect())
    }

    fn squared_distances(&self, a: &[&[f32]], b: &[&[f32]]) -> Result<Vec<f64>> {
        Ok(a.iter().zip(b).map(|(a, b)| norm::squared_distance(a, b)).collect())
    }

    fn copy(&self, from: &&[f32], to: &mut &mut [f32]) -> Result<()> {
        to.copy_from_slice(from);
        Ok(())
    }

    fn write(&self, values: &[f32], to: &mut &mut [f32]) -> Result<()> {
        to.copy_from_slice(values);
        Ok(())
    }
}
