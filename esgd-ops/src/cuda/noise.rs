//! Numbers of keys on the device, and mutation with them: [`crate::noise`] and what
//! [`crate::evolution`] makes of noise.

use esgd_core::{NoiseTerm, rng::Key};

use super::{
    Error, Kernels, Tensor, TensorMut,
    tables::{
        DiagonalMutation, Fill, Invalid, Mutation, NoiseSum, RoundKeys, Start, each_group, expect,
        runs_of_one_seed,
    },
    tensors::{check, lengths},
};

impl Kernels {
    /// Writes standard normal number `offset + i` of `key` to `out[i]`, as
    /// [`noise::normals`](crate::noise::normals) does.
    ///
    /// # Errors
    /// If the key has not so many numbers, or the GPU fails.
    pub fn normals(&self, key: Key, offset: u64, out: &mut TensorMut<'_>) -> Result<(), Error> {
        self.fill("normals", key, offset, out)
    }

    /// Writes uniform number `offset + i` of `key`, in `[0, 1)`, to `out[i]`, as
    /// [`noise::uniforms`](crate::noise::uniforms) does.
    ///
    /// # Errors
    /// If the key has not so many numbers, or the GPU fails.
    pub fn uniforms(&self, key: Key, offset: u64, out: &mut TensorMut<'_>) -> Result<(), Error> {
        self.fill("uniforms", key, offset, out)
    }

    fn fill(
        &self,
        kernel: &'static str,
        key: Key,
        offset: u64,
        out: &mut TensorMut<'_>,
    ) -> Result<(), Error> {
        let out = std::slice::from_ref(out);
        let layout = self.layout(offset, &lengths(out))?;
        let to = self.upload(&self.addresses(out)?)?;
        let arguments = Fill { layout: layout.pointers(), out: to.address(), stream: key.into() };
        let grid = each_group(layout.count, 1, self.multiprocessors);
        // SAFETY: The tensor has the layout's length; the tables live to the end of this function.
        unsafe { self.launch(kernel, grid, &arguments) }
    }

    /// Adds to each tensor of a network `sigma` times the noise of `key`, in place; a tensor whose σ
    /// is 0 stays as it is.
    ///
    /// # Errors
    /// If there is not one σ a tensor, the network has more than 2³⁴ parameters, or the GPU fails.
    pub fn mutate(
        &self,
        theta: &mut [TensorMut<'_>],
        sigma: &[f32],
        key: Key,
    ) -> Result<(), Error> {
        one_sigma_a_tensor(sigma, theta.len())?;
        let layout = self.layout(0, &lengths(theta))?;
        let to = self.upload(&self.addresses(theta)?)?;
        let sigma = self.upload(sigma)?;
        let arguments = Mutation {
            layout: layout.pointers(),
            theta: to.address(),
            sigma: sigma.address(),
            stream: key.into(),
        };
        let grid = each_group(layout.count, 1, self.multiprocessors);
        // SAFETY: The tensors have the layout's lengths and one σ each; the tables live to the end
        // of this function.
        unsafe { self.launch("mutate", grid, &arguments) }
    }

    /// Adds to each tensor of a network `sigma` √v times the noise of `key`, with v the values of `variance`, as
    /// [`noise::mutate_diagonal`](crate::noise::mutate_diagonal) does.
    ///
    /// # Errors
    /// If there is not one σ a tensor, networks differ in shape, one has more than 2³⁴ parameters, or the GPU
    /// fails.
    pub fn mutate_diagonal(
        &self,
        theta: &mut [TensorMut<'_>],
        variance: &[Tensor<'_>],
        sigma: &[f32],
        key: Key,
    ) -> Result<(), Error> {
        one_sigma_a_tensor(sigma, theta.len())?;
        let lengths = lengths(theta);
        check("the variance", variance, &lengths)?;
        let layout = self.layout(0, &lengths)?;
        let to = self.upload(&self.addresses(theta)?)?;
        let variance = self.upload(&self.addresses(variance)?)?;
        let sigma = self.upload(sigma)?;
        let arguments = DiagonalMutation {
            layout: layout.pointers(),
            theta: to.address(),
            variance: variance.address(),
            sigma: sigma.address(),
            stream: key.into(),
        };
        let grid = each_group(layout.count, 1, self.multiprocessors);
        // SAFETY: The tensors have the layout's lengths and one σ each; the tables live to the end
        // of this function.
        unsafe { self.launch("mutate_diagonal", grid, &arguments) }
    }

    /// Writes Σⱼ wⱼ εⱼ to `out`, as [`evolution::weighted_noise`](crate::evolution::weighted_noise) does.
    ///
    /// # Errors
    /// If the network has more than 2³⁴ parameters, or the GPU fails.
    pub fn weighted_noise(
        &self,
        terms: &[NoiseTerm],
        out: &mut [TensorMut<'_>],
    ) -> Result<(), Error> {
        self.noise_sum("weighted_noise", terms, out)
    }

    /// Writes Σⱼ wⱼ εⱼ² to `out`, as [`evolution::squared_noise`](crate::evolution::squared_noise) does.
    ///
    /// # Errors
    /// If the network has more than 2³⁴ parameters, or the GPU fails.
    pub fn squared_noise(
        &self,
        terms: &[NoiseTerm],
        out: &mut [TensorMut<'_>],
    ) -> Result<(), Error> {
        self.noise_sum("squared_noise", terms, out)
    }

    fn noise_sum(
        &self,
        kernel: &'static str,
        terms: &[NoiseTerm],
        out: &mut [TensorMut<'_>],
    ) -> Result<(), Error> {
        let layout = self.layout(0, &lengths(out))?;
        let to = self.upload(&self.addresses(out)?)?;
        let grid = each_group(layout.count, 1, self.multiprocessors);
        let (keys, weights): (Vec<Key>, Vec<f32>) =
            terms.iter().map(|term| (term.key, term.weight as f32)).unzip();
        let mut done = 0;
        // Keys of another seed go on with the sum. No keys at all are a launch too: it writes 0.
        let none = keys.is_empty().then_some(&[][..]);
        for run in runs_of_one_seed(&keys).chain(none) {
            let starts = self.upload(&starts(run))?;
            let weights = self.upload(&weights[done..done + run.len()])?;
            let arguments = NoiseSum {
                layout: layout.pointers(),
                out: to.address(),
                starts: starts.address(),
                weights: weights.address(),
                count: run.len() as u32,
                goes_on: u32::from(done > 0),
                rounds: run.first().map_or_else(RoundKeys::default, |&key| key.into()),
            };
            // SAFETY: The tensors have the layout's lengths, and there is one weight a key; the
            // tables live to the end of this block.
            unsafe { self.launch(kernel, grid, &arguments) }?;
            done += run.len();
        }
        Ok(())
    }
}

fn starts(keys: &[Key]) -> Vec<Start> {
    keys.iter().map(|&key| key.into()).collect()
}

fn one_sigma_a_tensor(sigma: &[f32], tensors: usize) -> Result<(), Invalid> {
    let found = sigma.len();
    expect(found == tensors, || format!("there are {found} sigmas, expected {tensors}"))
}
