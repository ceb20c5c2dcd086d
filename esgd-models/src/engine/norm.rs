//! Batch normalisation: as a layer of its own before max(0, ·), and the part that it shares with a
//! convolution.

use esgd_core::rng::Key;
use esgd_ops::layers::{
    activation::Activation,
    batch_norm::{self, Affine, GradientSums, Moments},
    dropout,
};

use super::{Buffers, Node, Parameters, Site, node::Mode};
use crate::{Result, networks::Size};

/// What is added to a variance: PyTorch's.
const EPSILON: f64 = 1e-5;

/// The statistics and parameters of a normalisation.
pub(super) struct Channels {
    gamma: usize,
    beta: usize,
    mean: usize,
    variance: usize,
    pub(super) moments: Vec<Moments>,
    pub(super) affine: Vec<Affine>,
    pub(super) sums: Vec<GradientSums>,
    /// (a, b, c) of dy = a g + b y + c.
    pub(super) coefficients: Vec<[f32; 3]>,
}

impl Channels {
    pub(super) fn new(name: &str, channels: usize, site: &Site<'_>) -> Result<Self> {
        Ok(Self {
            gamma: site.tensor(name, "weight")?,
            beta: site.tensor(name, "bias")?,
            mean: site.tensor(name, "running_mean")?,
            variance: site.tensor(name, "running_var")?,
            moments: vec![Moments::default(); channels],
            affine: vec![Affine { scale: 1.0, shift: 0.0 }; channels],
            sums: vec![GradientSums::default(); channels],
            coefficients: vec![[0.0; 3]; channels],
        })
    }

    /// Forgets the last batch.
    pub(super) fn begin(&mut self) {
        self.moments.fill(Moments::default());
    }

    /// Adds an image's values to the moments.
    pub(super) fn add(&mut self, image: &[f32], plane: usize) {
        for (moments, values) in self.moments.iter_mut().zip(image.chunks_exact(plane)) {
            moments.add(values);
        }
    }

    /// Normalises by the batch from now on, and moves the running statistics towards it, by
    /// this share of the way.
    pub(super) fn by_batch(&mut self, values: &mut [Vec<f32>], share: f64) {
        // What is replaced may be anything, and infinity times 0 is no number.
        let towards = |old: f32, new: f64| match share {
            1.0 => new as f32,
            _ => (f64::from(old) * (1.0 - share) + share * new) as f32,
        };
        for (c, (affine, m)) in self.affine.iter_mut().zip(&self.moments).enumerate() {
            let (gamma, beta) = (values[self.gamma][c], values[self.beta][c]);
            *affine = Affine::new(gamma, beta, m.mean(), m.variance(), EPSILON);
            let (mean, variance) = (values[self.mean][c], values[self.variance][c]);
            values[self.mean][c] = towards(mean, m.mean());
            values[self.variance][c] = towards(variance, m.unbiased_variance());
        }
    }

    /// Normalises by the running statistics from now on.
    pub(super) fn by_running(&mut self, values: &[Vec<f32>]) {
        for (c, affine) in self.affine.iter_mut().enumerate() {
            let of = |tensor: usize| values[tensor][c];
            let (mean, variance) = (f64::from(of(self.mean)), f64::from(of(self.variance)));
            *affine = Affine::new(of(self.gamma), of(self.beta), mean, variance, EPSILON);
        }
    }

    /// The gradients' sums over a batch of `n` images, `g` being the gradient of what was normalised.
    pub(super) fn sum(&mut self, g: &[f32], y: &[f32], plane: usize) {
        for ((sums, m), (g, y)) in self
            .sums
            .iter_mut()
            .zip(&self.moments)
            .zip(g.chunks_exact(plane).zip(y.chunks_exact(plane)))
        {
            sums.add(g, y, m.mean());
        }
    }

    /// The gradients of γ and β, and what those of y are made with; the sums begin anew.
    pub(super) fn finish(&mut self, parameters: &mut Parameters<'_>) {
        let gamma = &parameters.values[self.gamma];
        let all = self.sums.iter().zip(&self.moments).zip(gamma);
        for (k, ((sums, m), gamma)) in self.coefficients.iter_mut().zip(all) {
            *k = sums.of_input(*gamma, m.mean(), m.variance(), EPSILON);
        }
        let pairs = self.sums.iter().zip(&self.moments);
        let gradients = pairs.map(|(sums, m)| sums.of_parameters(m.variance(), EPSILON));
        parameters.take(self.gamma, |gamma| {
            gamma.iter_mut().zip(gradients.clone()).for_each(|(to, (gamma, _))| *to = gamma);
        });
        parameters.take(self.beta, |beta| {
            beta.iter_mut().zip(gradients).for_each(|(to, (_, beta))| *to = beta);
        });
        self.sums.fill(GradientSums::default());
    }

    /// The gradient of an image y.
    pub(super) fn gradient(&self, g: &[f32], y: &[f32], plane: usize, dy: &mut [f32]) {
        let planes = g.chunks_exact(plane).zip(y.chunks_exact(plane));
        for ((k, (g, y)), dy) in
            self.coefficients.iter().zip(planes).zip(dy.chunks_exact_mut(plane))
        {
            batch_norm::input_gradient(g, y, *k, dy);
        }
    }
}

/// Batch normalisation and max(0, ·), of an input that others may use as well.
pub(super) struct Norm {
    size: Size,
    channels: Channels,
    drops: bool,
    dropped: Option<(f32, Key)>,
    z: Vec<f32>,
}

impl Norm {
    pub(super) fn new(name: &str, drops: bool, size: Size, site: &Site<'_>) -> Result<Self> {
        let channels = Channels::new(name, size.channels, site)?;
        let z = vec![0.0; site.capacity * size.len()];
        Ok(Self { size, channels, drops, dropped: None, z })
    }
}

impl Node for Norm {
    fn forward(&mut self, x: &[f32], n: usize, values: &mut [Vec<f32>], mode: &Mode) {
        let (len, plane) = (self.size.len(), self.size.plane());
        if let Some(share) = mode.share() {
            self.channels.begin();
            x[..n * len].chunks_exact(len).for_each(|image| self.channels.add(image, plane));
            self.channels.by_batch(values, share);
        } else {
            self.channels.by_running(values);
        }
        let planes = x[..n * len].chunks_exact(plane).zip(self.z.chunks_exact_mut(plane));
        for ((x, z), affine) in planes.zip(self.channels.affine.iter().cycle()) {
            batch_norm::normalise(x, *affine, None, true, z);
        }
        self.dropped = if self.drops { mode.dropout() } else { None };
        if let Some((p, key)) = self.dropped {
            dropout::apply(&mut self.z[..n * len], p, key);
        }
    }

    fn output(&self) -> &[f32] {
        &self.z
    }

    fn output_mut(&mut self) -> &mut [f32] {
        &mut self.z
    }

    fn backward(
        &mut self,
        x: &[f32],
        n: usize,
        mut dz: Vec<f32>,
        wanted: bool,
        parameters: &mut Parameters<'_>,
        buffers: &mut Buffers,
    ) -> Option<Vec<f32>> {
        let (len, plane) = (self.size.len(), self.size.plane());
        let g = &mut dz[..n * len];
        if let Some((p, key)) = self.dropped {
            dropout::apply(g, p, key);
        }
        let images = g.chunks_exact_mut(len).zip(self.z.chunks_exact(len));
        for ((g, z), x) in images.zip(x.chunks_exact(len)) {
            Activation::Relu.gradient(z, g);
            self.channels.sum(g, x, plane);
        }
        self.channels.finish(parameters);
        let dx = wanted.then(|| {
            let mut dx = buffers.take();
            let images = g.chunks_exact(len).zip(x.chunks_exact(len));
            for ((g, x), dx) in images.zip(dx.chunks_exact_mut(len)) {
                self.channels.gradient(g, x, plane, dx);
            }
            dx
        });
        buffers.give(dz);
        dx
    }

    #[cfg(test)]
    fn values(&self) -> usize {
        self.z.len()
    }
}
