//! A residual block: layers, and a shortcut around them.

use super::{Buffers, Node, Parameters, Site, chain::Chain, conv::Conv, node::Mode};
use crate::{
    Error, Result,
    networks::{Layer, Size, layer::stride},
};

pub(super) struct Residual {
    /// All of the body but its last convolution, which adds the shortcut.
    body: Chain,
    last: Conv,
    shortcut: Shortcut,
    input: Size,
    output: Size,
    /// Whether `last` reads the block's own input.
    alone: bool,
}

enum Shortcut {
    Identity,
    /// Option A: every so manieth pixel, after so many channels of zeros.
    Pad {
        stride: usize,
        before: usize,
        z: Vec<f32>,
    },
    Projection(Box<Conv>),
}

impl Residual {
    pub(super) fn new(layer: &Layer, input: Size, site: &Site<'_>) -> Result<Self> {
        let Layer::Residual { body, projection } = layer else {
            unreachable!("a chain makes each layer's own node");
        };
        let output = layer.output(input).map_err(Error::Network)?;
        let (last, before) = body.split_last().ok_or_else(|| {
            Error::Network("a residual block has no layers: expected a convolution".into())
        })?;
        let between = before
            .iter()
            .try_fold(input, |size, layer| layer.output(size))
            .map_err(Error::Network)?;
        let shortcut = match projection {
            Some(name) => {
                let layer = Layer::projection(name, body, output.channels);
                Shortcut::Projection(Box::new(Conv::new(&layer, input, site)?))
            }
            None if input == output => Shortcut::Identity,
            None => Shortcut::Pad {
                stride: stride(body),
                before: (output.channels - input.channels) / 2,
                z: vec![0.0; site.capacity * output.len()],
            },
        };
        Ok(Self {
            body: Chain::new(before, input, site)?,
            last: Conv::new(last, between, site)?,
            shortcut,
            input,
            output,
            alone: before.is_empty(),
        })
    }
}

/// Calls `f` with the places of each input pixel that option A takes, and of the output's.
fn taken(input: Size, output: Size, stride: usize, before: usize, mut f: impl FnMut(usize, usize)) {
    for c in 0..input.channels {
        for (r, row) in (0..input.height).step_by(stride).enumerate() {
            let from = (c * input.height + row) * input.width;
            let to = ((c + before) * output.height + r) * output.width;
            (0..input.width).step_by(stride).enumerate().for_each(|(i, x)| f(from + x, to + i));
        }
    }
}

impl Node for Residual {
    fn forward(&mut self, x: &[f32], n: usize, values: &mut [Vec<f32>], mode: &Mode) {
        let (input, output) = (self.input, self.output);
        let x = &x[..n * input.len()];
        let shortcut = match &mut self.shortcut {
            Shortcut::Identity => x,
            Shortcut::Pad { stride, before, z } => {
                // The channels of zeros stay as they were allocated.
                for (x, z) in x.chunks_exact(input.len()).zip(z.chunks_exact_mut(output.len())) {
                    taken(input, output, *stride, *before, |from, to| z[to] = x[from]);
                }
                &z[..]
            }
            Shortcut::Projection(conv) => {
                conv.forward(x, n, values, mode);
                conv.output()
            }
        };
        self.body.forward(x, n, values, mode);
        let h = if self.alone { x } else { self.body.output() };
        self.last.forward_with(h, Some(shortcut), n, values, mode);
    }

    fn output(&self) -> &[f32] {
        self.last.output()
    }

    fn output_mut(&mut self) -> &mut [f32] {
        self.last.output_mut()
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
        let (input, output) = (self.input, self.output);
        let h = if self.alone { x } else { self.body.output() };
        let inner = wanted || !self.alone;
        let dh = self.last.backward_with(h, n, &mut dz, inner, parameters, buffers);
        let dx = match dh {
            Some(dh) => self.body.backward(x, n, dh, wanted, parameters, buffers),
            None => None,
        };
        // `dz` is the shortcut's gradient now.
        let Some(mut dx) = dx else {
            if let Shortcut::Projection(conv) = &mut self.shortcut {
                conv.backward(x, n, dz, false, parameters, buffers);
            } else {
                buffers.give(dz);
            }
            return None;
        };
        match &mut self.shortcut {
            Shortcut::Identity => {
                add(&mut dx[..n * input.len()], &dz);
                buffers.give(dz);
            }
            Shortcut::Pad { stride, before, .. } => {
                let images = dx.chunks_exact_mut(input.len()).zip(dz.chunks_exact(output.len()));
                for (dx, dz) in images.take(n) {
                    taken(input, output, *stride, *before, |from, to| dx[from] += dz[to]);
                }
                buffers.give(dz);
            }
            Shortcut::Projection(conv) => {
                let around = conv.backward(x, n, dz, true, parameters, buffers);
                if let Some(around) = around {
                    add(&mut dx[..n * input.len()], &around);
                    buffers.give(around);
                }
            }
        }
        Some(dx)
    }

    #[cfg(test)]
    fn values(&self) -> usize {
        let around = match &self.shortcut {
            Shortcut::Identity => 0,
            Shortcut::Pad { z, .. } => z.len(),
            Shortcut::Projection(conv) => conv.values(),
        };
        self.body.values() + self.last.values() + around
    }
}

fn add(sum: &mut [f32], terms: &[f32]) {
    sum.iter_mut().zip(terms).for_each(|(sum, x)| *sum += x);
}
