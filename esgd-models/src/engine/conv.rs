//! A convolution with its batch normalisation, shortcut and max(0, ·), image by image, so that each
//! is still in the cache when the next step needs it.

use esgd_ops::layers::{
    activation::Activation,
    batch_norm::{self, Affine},
    conv::{self, Shape, Work},
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
    z: Vec<f32>,
    /// The gradient of one image of y.
    dy: Vec<f32>,
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
            dy: vec![0.0; shape.output_len()],
        })
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
        match mode {
            Mode::Training { .. } if self.norm.is_some() => {
                self.by_batch(x, shortcut, n, values);
            }
            _ => self.by_image(x, shortcut, n, values),
        }
    }

    /// In training all images are convolved before any can be normalised.
    fn by_batch(&mut self, x: &[f32], shortcut: Option<&[f32]>, n: usize, values: &mut [Vec<f32>]) {
        let (input, output, plane) =
            (self.shape.input_len(), self.shape.output_len(), self.plane());
        let Some(norm) = &mut self.norm else { return };
        norm.begin();
        let images = x.chunks_exact(input).zip(self.y.chunks_exact_mut(output)).take(n);
        for (x, y) in images {
            self.conv.forward(x, &mut self.work, y);
            norm.add(y, plane);
        }
        norm.by_batch(values);
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
        let images = x.chunks_exact(input).zip(self.z.chunks_exact_mut(output)).take(n);
        for (i, (x, z)) in images.enumerate() {
            self.conv.forward(x, &mut self.work, z);
            if !changes {
                continue;
            }
            let shortcut = shortcut.map(|s| &s[i * output..][..output]);
            for (c, (z, affine)) in z.chunks_exact_mut(plane).zip(affine.iter().cycle()).enumerate()
            {
                let shortcut = shortcut.map(|s| &s[c * plane..][..plane]);
                batch_norm::normalise_in_place(z, *affine, shortcut, self.relu);
            }
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
        for (i, g) in dz.chunks_exact_mut(output).take(n).enumerate() {
            let here = i * output..(i + 1) * output;
            if self.relu {
                Activation::Relu.gradient(&self.z[here.clone()], g);
            }
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
            let dy = match &self.norm {
                Some(norm) => {
                    norm.gradient(&dz[here.clone()], &self.y[here], plane, &mut self.dy);
                    &self.dy[..]
                }
                None => &dz[here],
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
        let dx = self.backward_with(x, n, &mut dz, wanted, parameters, buffers);
        buffers.give(dz);
        dx
    }

    fn largest(&self) -> usize {
        self.shape.input_len().max(self.shape.output_len())
    }

    fn values(&self) -> usize {
        self.work.values() + self.y.len() + self.z.len() + self.dy.len()
    }
}
