//! Numbers of keys on the device, and mutation with them: [`crate::noise`] and what
//! [`crate::evolution`] makes of noise.

use esgd_core::rng::Key;

use super::{
    Error, Kernels, Tensor, TensorMut,
    tables::{
        Antithetic, Fill, Invalid, Mutation, RoundKeys, Start, WeightedNoise, each_group, expect,
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

    /// Makes the pairs θ + σε and θ − σε, one of each key, as
    /// [`evolution::antithetic`](crate::evolution::antithetic) does: outputs 2j and 2j + 1 are those
    /// of key j.
    ///
    /// # Errors
    /// If there are not two outputs a key or not one σ a tensor, networks differ in shape, or the
    /// GPU fails.
    pub fn antithetic(
        &self,
        theta: &[Tensor<'_>],
        sigma: &[f32],
        keys: &[Key],
        out: &mut [Vec<TensorMut<'_>>],
    ) -> Result<(), Error> {
        let (expected, found) = (2 * keys.len(), out.len());
        expect(expected == found, || format!("there are {found} outputs, expected {expected}"))?;
        one_sigma_a_tensor(sigma, theta.len())?;
        let lengths = lengths(theta);
        out.iter().try_for_each(|network| check("an output", network, &lengths))?;
        let layout = self.layout(0, &lengths)?;
        let from = self.upload(&self.addresses(theta)?)?;
        let sigma = self.upload(sigma)?;
        let mut rest = &*out;
        for run in runs_of_one_seed(keys) {
            let (these, others) = rest.split_at(2 * run.len());
            rest = others;
            let to = these.iter().map(|network| self.addresses(network));
            let to = self.upload(&to.collect::<Result<Vec<_>, _>>()?.concat())?;
            let starts = self.upload(&starts(run))?;
            let arguments = Antithetic {
                layout: layout.pointers(),
                theta: from.address(),
                out: to.address(),
                sigma: sigma.address(),
                starts: starts.address(),
                pairs: run.len() as u32,
                tensors: lengths.len() as u32,
                rounds: RoundKeys::from(run[0]),
            };
            let grid = each_group(layout.count, run.len(), self.multiprocessors);
            // SAFETY: All tensors have the layout's lengths and one σ each, and there are two
            // outputs a key; the tables live to the end of this block.
            unsafe { self.launch("antithetic", grid, &arguments) }?;
        }
        Ok(())
    }

    /// Writes Σⱼ `weights[j]` εⱼ to `out`, where εⱼ is the noise of `keys[j]`, as
    /// [`evolution::weighted_noise`](crate::evolution::weighted_noise) does.
    ///
    /// # Errors
    /// If there is not one weight a key, the network has more than 2³⁴ parameters, or the GPU fails.
    pub fn weighted_noise(
        &self,
        keys: &[Key],
        weights: &[f32],
        out: &mut [TensorMut<'_>],
    ) -> Result<(), Error> {
        let (found, expected) = (weights.len(), keys.len());
        expect(expected == found, || format!("there are {found} weights, expected {expected}"))?;
        let layout = self.layout(0, &lengths(out))?;
        let to = self.upload(&self.addresses(out)?)?;
        let grid = each_group(layout.count, 1, self.multiprocessors);
        let mut done = 0;
        // Keys of another seed go on with the sum. No keys at all are a launch too: it writes 0.
        let none = keys.is_empty().then_some(&[][..]);
        for run in runs_of_one_seed(keys).chain(none) {
            let starts = self.upload(&starts(run))?;
            let weights = self.upload(&weights[done..done + run.len()])?;
            let arguments = WeightedNoise {
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
            unsafe { self.launch("weighted_noise", grid, &arguments) }?;
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
