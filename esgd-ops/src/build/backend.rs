//! The kernels that operations are made of, whatever they run on. All networks have one shape, as was checked.

use esgd_core::{BuildError, NoiseTerm, rng::Key};

use crate::{
    evolution::{Swarm, Trial},
    recombine::Offspring,
};

pub(crate) trait Backend {
    /// A tensor to be read.
    type Tensor<'a>;
    /// A tensor to be written.
    type TensorMut<'a>;
    type Error: From<BuildError>;

    fn length(tensor: &Self::Tensor<'_>) -> usize;

    fn length_of_output(tensor: &Self::TensorMut<'_>) -> usize;

    /// What has been written, to be read.
    fn view<'a>(network: &'a [Self::TensorMut<'_>]) -> Vec<Self::Tensor<'a>>;

    fn offspring(
        &self,
        sources: &[Vec<Self::Tensor<'_>>],
        plan: Offspring<'_>,
        out: &mut Vec<Self::TensorMut<'_>>,
    ) -> Result<(), Self::Error>;

    fn mutate(
        &self,
        theta: &mut Vec<Self::TensorMut<'_>>,
        sigma: &[f32],
        key: Key,
    ) -> Result<(), Self::Error>;

    fn mutate_diagonal(
        &self,
        theta: &mut Vec<Self::TensorMut<'_>>,
        variance: &[Self::Tensor<'_>],
        sigma: &[f32],
        key: Key,
    ) -> Result<(), Self::Error>;

    fn trial(
        &self,
        x: &[Self::Tensor<'_>],
        others: &[Vec<Self::Tensor<'_>>],
        how: Trial<'_>,
        key: Key,
        out: &mut Vec<Self::TensorMut<'_>>,
    ) -> Result<(), Self::Error>;

    fn velocity(
        &self,
        networks: [&[Self::Tensor<'_>]; 4],
        swarm: Swarm,
        key: Key,
        out: &mut Vec<Self::TensorMut<'_>>,
    ) -> Result<(), Self::Error>;

    fn weighted_noise(
        &self,
        terms: &[NoiseTerm],
        out: &mut Vec<Self::TensorMut<'_>>,
    ) -> Result<(), Self::Error>;

    fn squared_noise(
        &self,
        terms: &[NoiseTerm],
        out: &mut Vec<Self::TensorMut<'_>>,
    ) -> Result<(), Self::Error>;

    fn product(
        &self,
        a: &[Self::Tensor<'_>],
        b: &[Self::Tensor<'_>],
        out: &mut Vec<Self::TensorMut<'_>>,
    ) -> Result<(), Self::Error>;

    fn exponential(
        &self,
        a: &[Self::Tensor<'_>],
        b: &[Self::Tensor<'_>],
        rate: f32,
        out: &mut Vec<Self::TensorMut<'_>>,
    ) -> Result<(), Self::Error>;

    fn adaptive_step(
        &self,
        networks: [&[Self::Tensor<'_>]; 3],
        rate: f32,
        epsilon: f32,
        out: &mut Vec<Self::TensorMut<'_>>,
    ) -> Result<(), Self::Error>;

    /// The squared norm of each tensor.
    fn squared_norms(&self, network: &[Self::Tensor<'_>]) -> Result<Vec<f64>, Self::Error>;

    /// The squared norm of the difference of each two tensors.
    fn squared_distances(
        &self,
        a: &[Self::Tensor<'_>],
        b: &[Self::Tensor<'_>],
    ) -> Result<Vec<f64>, Self::Error>;

    fn copy(
        &self,
        from: &Self::Tensor<'_>,
        to: &mut Self::TensorMut<'_>,
    ) -> Result<(), Self::Error>;

    fn write(&self, values: &[f32], to: &mut Self::TensorMut<'_>) -> Result<(), Self::Error>;
}
