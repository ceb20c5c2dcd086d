//! Differential evolution and particle swarms on the device: [`crate::evolution`] there.

use esgd_core::rng::Key;

use super::{
    Error, Kernels, Tensor, TensorMut,
    tables::{Particle, Trial, each_group},
    tensors::{check, lengths},
};
use crate::{
    evolution::{Differential, Swarm},
    reference::second_key,
};

impl Kernels {
    /// Makes a trial vector: a + F (b − c) with probability CR and at the forced parameter, else x,
    /// as [`evolution::trial`](crate::evolution::trial) does.
    ///
    /// # Errors
    /// If networks differ in shape, one has more than 2³⁴ parameters, or the GPU fails.
    pub fn trial(
        &self,
        x: &[Tensor<'_>],
        [a, b, c]: [&[Tensor<'_>]; 3],
        how: Differential,
        key: Key,
        out: &mut [TensorMut<'_>],
    ) -> Result<(), Error> {
        let lengths = lengths(out);
        let networks = [x, a, b, c];
        networks.iter().try_for_each(|network| check("a vector", network, &lengths))?;
        let layout = self.layout(0, &lengths)?;
        let tables: Vec<_> = networks
            .iter()
            .map(|network| self.upload(&self.addresses(network)?))
            .collect::<Result<_, _>>()?;
        let to = self.upload(&self.addresses(out)?)?;
        let arguments = Trial {
            layout: layout.pointers(),
            networks: std::array::from_fn(|k| tables[k].address()),
            out: to.address(),
            forced: how.forced,
            f: how.f,
            cr: how.cr,
            stream: key.into(),
        };
        let grid = each_group(layout.count, 1, self.multiprocessors);
        // SAFETY: All tensors have the layout's lengths; the tables live to the end of this
        // function.
        unsafe { self.launch("trial", grid, &arguments) }
    }

    /// Moves a particle, `[x, v]`, as [`evolution::particle`](crate::evolution::particle) does.
    ///
    /// # Errors
    /// If networks differ in shape, one has more than 2³⁴ parameters, or the GPU fails.
    pub fn particle(
        &self,
        [x, v]: [&mut [TensorMut<'_>]; 2],
        own_best: &[Tensor<'_>],
        swarm_best: &[Tensor<'_>],
        swarm: Swarm,
        key: Key,
    ) -> Result<(), Error> {
        let lengths = lengths(x);
        check("the velocity", v, &lengths)?;
        check("the particle's best", own_best, &lengths)?;
        check("the swarm's best", swarm_best, &lengths)?;
        let layout = self.layout(0, &lengths)?;
        let (x, v) = (self.upload(&self.addresses(x)?)?, self.upload(&self.addresses(v)?)?);
        let own_best = self.upload(&self.addresses(own_best)?)?;
        let swarm_best = self.upload(&self.addresses(swarm_best)?)?;
        let arguments = Particle {
            layout: layout.pointers(),
            x: x.address(),
            v: v.address(),
            own_best: own_best.address(),
            swarm_best: swarm_best.address(),
            constants: [swarm.inertia, swarm.own, swarm.social],
            first: key.into(),
            second: second_key(key).into(),
        };
        let grid = each_group(layout.count, 1, self.multiprocessors);
        // SAFETY: All tensors have the layout's lengths; the tables live to the end of this
        // function.
        unsafe { self.launch("particle", grid, &arguments) }
    }
}
