//! Pooling layers.

use esgd_ops::layers::pooling::{self, Plane};

use super::{Buffers, Node, Parameters, Site, node::Mode};
use crate::networks::Size;

/// The maximum of squares that do not overlap.
pub(super) struct MaxPool {
    side: usize,
    size: Size,
    output: usize,
    z: Vec<f32>,
}

impl MaxPool {
    pub(super) fn new(side: usize, size: Size, site: &Site<'_>) -> Self {
        let output = size.channels * (size.height / side) * (size.width / side);
        Self { side, size, output, z: vec![0.0; site.capacity * output] }
    }
}

impl Node for MaxPool {
    fn forward(&mut self, x: &[f32], n: usize, _: &mut [Vec<f32>], _: &Mode) {
        let plane = Plane { height: self.size.height, width: self.size.width };
        pooling::max(&x[..n * self.size.len()], plane, self.side, &mut self.z[..n * self.output]);
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
        dz: Vec<f32>,
        wanted: bool,
        _: &mut Parameters<'_>,
        buffers: &mut Buffers,
    ) -> Option<Vec<f32>> {
        let (input, output) = (n * self.size.len(), n * self.output);
        let plane = Plane { height: self.size.height, width: self.size.width };
        let dx = wanted.then(|| {
            let mut dx = buffers.take();
            let (z, dz) = (&self.z[..output], &dz[..output]);
            pooling::max_gradient(&x[..input], z, dz, plane, self.side, &mut dx[..input]);
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

/// The mean of each channel.
pub(super) struct MeanPool {
    size: Size,
    z: Vec<f32>,
}

impl MeanPool {
    pub(super) fn new(size: Size, site: &Site<'_>) -> Self {
        Self { size, z: vec![0.0; site.capacity * size.channels] }
    }
}

impl Node for MeanPool {
    fn forward(&mut self, x: &[f32], n: usize, _: &mut [Vec<f32>], _: &Mode) {
        pooling::mean(&x[..n * self.size.len()], &mut self.z[..n * self.size.channels]);
    }

    fn output(&self) -> &[f32] {
        &self.z
    }

    fn output_mut(&mut self) -> &mut [f32] {
        &mut self.z
    }

    fn backward(
        &mut self,
        _: &[f32],
        n: usize,
        dz: Vec<f32>,
        wanted: bool,
        _: &mut Parameters<'_>,
        buffers: &mut Buffers,
    ) -> Option<Vec<f32>> {
        let dx = wanted.then(|| {
            let mut dx = buffers.take();
            let (dz, to) = (&dz[..n * self.size.channels], &mut dx[..n * self.size.len()]);
            pooling::mean_gradient(dz, to);
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
