//! A convolution with its batch normalisation, shortcut, max(0, ·) and pooling, image by image, so that
//! each is still in the cache when the next step needs it.

use esgd_ops::layers::{
    activation::Activation,
    batch_norm::{self, Affine},
    conv::{self, Shape, Work},
    pooling::{self, Plane},
};

use super::{Buffers, Node, Parameters, Site, node::Mode, norm::Channels};
use crate::{
    Result,
    networks::{Layer, Size},
};

pub(super) struct Conv {
    shape: Shape,
    conv: conv::Conv,
    work: Work,
    weight: usize,
    norm: Option<Channels>,
    relu: bool,
    /// Before normalisation; without one it is not kept.
    y: Vec<f32>,
    /// The output; of a layer with pooling one image before that, made again where it is needed.
    z: Vec<f32>,
    pool: Option<Pool>,
    /// The gradient of one image of y.
    dy: Vec<f32>,
}

/// The maximum of squares after all else. Only what it leaves is kept of the batch: what goes into it is
/// the largest of all activations.
struct Pool {
    side: usize,
    output: usize,
    p: Vec<f32>,
    /// The gradient of one image of z.
    dz: Vec<f32>,
}

impl Conv {
    pub(super) fn new(layer: &Layer, size: Size, site: &Site<'_>) -> Result<Self> {
        let (Layer::Conv { name, norm, relu, .. }, Some(shape)) = (layer, layer.shape(size)) else {
            unreachable!("a chain makes each layer's own node");
        };
        let conv = conv::Conv::new(shape);
        let norm =
            norm.as_deref().map(|name| Channels::new(name, shape.outputs, site)).transpose()?;
        let batch = site.capacity * shape.output_len();
        Ok(Self {
            shape,
            work: conv.work(),
            conv,
            weight: site.tensor(name, "weight")?,
            y: vec![0.0; if norm.is_some() { batch } else { 0 }],
            norm,
            relu: *relu,
            z: vec![0.0; batch],
            pool: None,
            dy: vec![0.0; shape.output_len()],
        })
    }

    /// The same with max-pooling, for a layer with a normalisation.
    pub(super) fn pooled(self, side: usize, site: &Site<'_>) -> Self {
        let (rows, columns) = (self.shape.out_height(), self.shape.out_width());
        let output = self.shape.outputs * (rows / side) * (columns / side);
        let image = self.shape.output_len();
        let (p, dz) = (vec![0.0; site.capacity * output], vec![0.0; image]);
        let pool = Some(Pool { side, output, p, dz });
        Self { z: vec![0.0; image], pool, ..self }
    }

    fn plane(&self) -> usize {
        self.shape.out_height() * self.shape.out_width()
    }

    /// The forward pass, with what is added before max(0, ·).
    pub(super) fn forward_with(
        &mut self,
        x: &[f32],
        shortcut: Option<&[f32]>,
        n: usize,
        values: &mut [Vec<f32>],
        mode: &Mode,
    ) {
        if !matches!(mode, Mode::Evaluation { first: false }) {
            self.conv.set_weights(&values[self.weight], &mut self.work);
        }
        match mode.share() {
            Some(share) if self.norm.is_some() => self.by_batch(x, shortcut, n, values, share),
            _ => self.by_image(x, shortcut, n, values),
        }
    }

    /// In training all images are convolved before any can be normalised.
    fn by_batch(
        &mut self,
        x: &[f32],
        shortcut: Option<&[f32]>,
        n: usize,
        values: &mut [Vec<f32>],
        share: f64,
    ) {
        let (input, output, plane) =
            (self.shape.input_len(), self.shape.output_len(), self.plane());
        let Some(norm) = &mut self.norm else { return };
        norm.begin();
        let images = x.chunks_exact(input).zip(self.y.chunks_exact_mut(output)).take(n);
        for (x, y) in images {
            self.conv.forward(x, &mut self.work, y);
            norm.add(y, plane);
        }
        norm.by_batch(values, share);
        if let Some(pool) = &mut self.pool {
            let size = Plane { height: self.shape.out_height(), width: self.shape.out_width() };
            let images = self.y.chunks_exact(output).zip(pool.p.chunks_exact_mut(pool.output));
            for (y, p) in images.take(n) {
                normalise(y, &norm.affine, self.relu, &mut self.z);
                pooling::max(&self.z, size, pool.side, p);
            }
            return;
        }
        let planes = self.y.chunks_exact(plane).zip(self.z.chunks_exact_mut(plane));
        let planes = planes.take(n * self.shape.outputs).zip(norm.affine.iter().cycle());
        for (i, ((y, z), affine)) in planes.enumerate() {
            let shortcut = shortcut.map(|s| &s[i * plane..][..plane]);
            batch_norm::normalise(y, *affine, shortcut, self.relu, z);
        }
    }

    fn by_image(&mut self, x: &[f32], shortcut: Option<&[f32]>, n: usize, values: &[Vec<f32>]) {
        let (input, output, plane) =
            (self.shape.input_len(), self.shape.output_len(), self.plane());
        if let Some(norm) = &mut self.norm {
            norm.by_running(values);
        }
        let same = [Affine { scale: 1.0, shift: 0.0 }];
        let affine = self.norm.as_ref().map_or(&same[..], |norm| &norm.affine);
        let changes = self.norm.is_some() || self.relu || shortcut.is_some();
        let size = Plane { height: self.shape.out_height(), width: self.shape.out_width() };
        for (i, x) in x.chunks_exact(input).take(n).enumerate() {
            let at = if self.pool.is_some() { 0 } else { i * output };
            let z = &mut self.z[at..at + output];
            self.conv.forward(x, &mut self.work, z);
            if changes {
                let shortcut = shortcut.map(|s| &s[i * output..][..output]);
                let planes = z.chunks_exact_mut(plane).zip(affine.iter().cycle());
                for (c, (z, affine)) in planes.enumerate() {
                    let shortcut = shortcut.map(|s| &s[c * plane..][..plane]);
                    batch_norm::normalise_in_place(z, *affine, shortcut, self.relu);
                }
            }
            if let Some(pool) = &mut self.pool {
                let p = &mut pool.p[i * pool.output..][..pool.output];
                pooling::max(z, size, pool.side, p);
            }
        }
    }

    /// The gradient of what is normalised of image `i`, from that of what the pooling leaves of it, into
    /// `pool.dz`.
    fn unpool(&mut self, i: usize, dp: &[f32]) {
        let (Some(pool), Some(norm)) = (&mut self.pool, &self.norm) else { return };
        let (output, here) = (self.shape.output_len(), i * pool.output..(i + 1) * pool.output);
        normalise(&self.y[i * output..][..output], &norm.affine, self.relu, &mut self.z);
        let size = Plane { height: self.shape.out_height(), width: self.shape.out_width() };
        let (p, dp) = (&pool.p[here.clone()], &dp[here]);
        pooling::max_gradient(&self.z, p, dp, size, pool.side, &mut pool.dz);
        if self.relu {
            Activation::Relu.gradient(&self.z, &mut pool.dz);
        }
    }

    /// The backward pass; leaves the gradient of the shortcut in `dz`.
    pub(super) fn backward_with(
        &mut self,
        x: &[f32],
        n: usize,
        dz: &mut [f32],
        wanted: bool,
        parameters: &mut Parameters<'_>,
        buffers: &mut Buffers,
    ) -> Option<Vec<f32>> {
        let (input, output, plane) =
            (self.shape.input_len(), self.shape.output_len(), self.plane());
        for i in 0..n {
            let here = i * output..(i + 1) * output;
            self.unpool(i, dz);
            let g = match &self.pool {
                Some(pool) => &pool.dz,
                None => {
                    let g = &mut dz[here.clone()];
                    if self.relu {
                        Activation::Relu.gradient(&self.z[here.clone()], g);
                    }
                    &*g
                }
            };
            if let Some(norm) = &mut self.norm {
                norm.sum(g, &self.y[here], plane);
            }
        }
        if let Some(norm) = &mut self.norm {
            norm.finish(parameters);
        }
        let mut dx = wanted.then(|| buffers.take());
        for (i, x) in x.chunks_exact(input).take(n).enumerate() {
            let here = i * output..(i + 1) * output;
            self.unpool(i, dz);
            let dy = match (&self.norm, &self.pool) {
                (Some(norm), pool) => {
                    let g = pool.as_ref().map_or_else(|| &dz[here.clone()], |pool| &pool.dz);
                    norm.gradient(g, &self.y[here], plane, &mut self.dy);
                    &self.dy[..]
                }
                (None, _) => &dz[here],
            };
            self.conv.add_weight_gradient(x, dy, &mut self.work);
            if let Some(dx) = &mut dx {
                self.conv.input_gradient(dy, &mut self.work, &mut dx[i * input..][..input]);
            }
        }
        parameters.take(self.weight, |dw| self.conv.take_weight_gradient(&mut self.work, dw));
        dx
    }
}

impl Node for Conv {
    fn forward(&mut self, x: &[f32], n: usize, values: &mut [Vec<f32>], mode: &Mode) {
        self.forward_with(x, None, n, values, mode);
    }

    fn output(&self) -> &[f32] {
        self.pool.as_ref().map_or(&self.z, |pool| &pool.p)
    }

    fn output_mut(&mut self) -> &mut [f32] {
        self.pool.as_mut().map_or(&mut self.z, |pool| &mut pool.p)
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
        let dx = self.backward_with(x, n, &mut dz, wanted, parameters, buffers);
        buffers.give(dz);
        dx
    }

    #[cfg(test)]
    fn values(&self) -> usize {
        let pool = self.pool.as_ref().map_or(0, |pool| pool.p.len() + pool.dz.len());
        self.work.values() + self.y.len() + self.z.len() + self.dy.len() + pool
    }
}

/// An image with each channel's normalisation.
fn normalise(y: &[f32], affine: &[Affine], relu: bool, z: &mut [f32]) {
    let plane = y.len() / affine.len();
    let planes = y.chunks_exact(plane).zip(z.chunks_exact_mut(plane));
    for ((y, z), affine) in planes.zip(affine) {
        batch_norm::normalise(y, *affine, None, relu, z);
    }
}
