//! Operations of other evolution strategies on the device: [`crate::evolution`] there.

use esgd_core::{plan::definition::second_key, rng::Key};

use super::{
    Error, Kernels, Tensor, TensorMut,
    tables::{self, each_group, expect},
    tensors::{check, lengths},
};
use crate::evolution::{Swarm, Trial};

impl Kernels {
    /// Makes a trial vector, as [`evolution::trial`](crate::evolution::trial) does.
    ///
    /// # Errors
    /// If there is not one weight for each other network, networks differ in shape, one has more than 2³⁴
    /// parameters, or the GPU fails.
    pub fn trial(
        &self,
        x: &[Tensor<'_>],
        others: &[Vec<Tensor<'_>>],
        how: Trial<'_>,
        key: Key,
        out: &mut [TensorMut<'_>],
    ) -> Result<(), Error> {
        let lengths = lengths(out);
        check("the target", x, &lengths)?;
        others.iter().try_for_each(|network| check("another network", network, &lengths))?;
        let (found, expected) = (how.weights.len(), others.len());
        expect(expected > 0, || "a trial has no other network, expected at least one".into())?;
        expect(found == expected, || format!("a trial has {found} weights, expected {expected}"))?;
        let layout = self.layout(0, &lengths)?;
        let mut networks = self.addresses(x)?;
        for network in others {
            networks.extend(self.addresses(network)?);
        }
        let networks = self.upload(&networks)?;
        let weights = self.upload(how.weights)?;
        let to = self.upload(&self.addresses(out)?)?;
        let arguments = tables::Trial {
            layout: layout.pointers(),
            networks: networks.address(),
            weights: weights.address(),
            out: to.address(),
            forced: how.forced,
            others: others.len() as u32,
            tensors: lengths.len() as u32,
            cr: how.cr,
            stream: key.into(),
        };
        let grid = each_group(layout.count, 1, self.multiprocessors);
        // SAFETY: All tensors have the layout's lengths, and there is one weight for each other network; the
        // tables live to the end of this function.
        unsafe { self.launch("trial", grid, &arguments) }
    }

    /// Makes a particle's velocity, as [`evolution::velocity`](crate::evolution::velocity) does.
    ///
    /// # Errors
    /// If networks differ in shape, one has more than 2³⁴ parameters, or the GPU fails.
    pub fn velocity(
        &self,
        networks: [&[Tensor<'_>]; 4],
        swarm: Swarm,
        key: Key,
        out: &mut [TensorMut<'_>],
    ) -> Result<(), Error> {
        let lengths = lengths(out);
        networks.iter().try_for_each(|network| check("a network", network, &lengths))?;
        let layout = self.layout(0, &lengths)?;
        let tables = networks.iter().map(|network| self.upload(&self.addresses(network)?));
        let tables = tables.collect::<Result<Vec<_>, Error>>()?;
        let to = self.upload(&self.addresses(out)?)?;
        let arguments = tables::Velocity {
            layout: layout.pointers(),
            networks: std::array::from_fn(|k| tables[k].address()),
            out: to.address(),
            constants: [swarm.inertia, swarm.own, swarm.social],
            first: key.into(),
            second: second_key(key).into(),
        };
        let grid = each_group(layout.count, 1, self.multiprocessors);
        // SAFETY: All tensors have the layout's lengths; the tables live to the end of this
        // function.
        unsafe { self.launch("velocity", grid, &arguments) }
    }

    /// Writes a b to `out`, as [`evolution::product`](crate::evolution::product) does.
    ///
    /// # Errors
    /// If networks differ in shape, one has more than 2³⁴ parameters, or the GPU fails.
    pub fn product(
        &self,
        a: &[Tensor<'_>],
        b: &[Tensor<'_>],
        out: &mut [TensorMut<'_>],
    ) -> Result<(), Error> {
        self.value_by_value("product", &[a, b], [0.0; 2], out)
    }

    /// Writes a exp(η b) to `out`, as [`evolution::exponential`](crate::evolution::exponential) does.
    ///
    /// # Errors
    /// If networks differ in shape, one has more than 2³⁴ parameters, or the GPU fails.
    pub fn exponential(
        &self,
        a: &[Tensor<'_>],
        b: &[Tensor<'_>],
        rate: f32,
        out: &mut [TensorMut<'_>],
    ) -> Result<(), Error> {
        self.value_by_value("exponential", &[a, b], [rate, 0.0], out)
    }

    /// Makes Adam's step of `networks` θ, m and v, as
    /// [`evolution::adaptive_step`](crate::evolution::adaptive_step) does.
    ///
    /// # Errors
    /// If networks differ in shape, one has more than 2³⁴ parameters, or the GPU fails.
    pub fn adaptive_step(
        &self,
        networks: [&[Tensor<'_>]; 3],
        rate: f32,
        epsilon: f32,
        out: &mut [TensorMut<'_>],
    ) -> Result<(), Error> {
        self.value_by_value("adaptive_step", &networks, [rate, epsilon], out)
    }

    /// Runs a kernel that takes so many networks, at most three.
    fn value_by_value(
        &self,
        kernel: &'static str,
        networks: &[&[Tensor<'_>]],
        [rate, epsilon]: [f32; 2],
        out: &mut [TensorMut<'_>],
    ) -> Result<(), Error> {
        let lengths = lengths(out);
        networks.iter().try_for_each(|network| check("a network", network, &lengths))?;
        let layout = self.layout(0, &lengths)?;
        let tables = networks.iter().map(|network| self.upload(&self.addresses(network)?));
        let tables = tables.collect::<Result<Vec<_>, Error>>()?;
        let to = self.upload(&self.addresses(out)?)?;
        let arguments = tables::ValueByValue {
            layout: layout.pointers(),
            networks: std::array::from_fn(|k| tables.get(k).map_or(0, |table| table.address())),
            out: to.address(),
            rate,
            epsilon,
        };
        let grid = each_group(layout.count, 1, self.multiprocessors);
        // SAFETY: All tensors have the layout's lengths, and the kernel takes as many networks as its caller
        // here has; the tables live to the end of this function.
        unsafe { self.launch(kernel, grid, &arguments) }
    }
}
