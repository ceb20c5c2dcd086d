//! A fully connected layer with what follows it.

use esgd_core::rng::Key;
use esgd_ops::layers::{activation::Activation, dropout, linear};

use super::{Buffers, Node, Parameters, Site, node::Mode};
use crate::{
    Result,
    networks::{Layer, Size},
};

pub(super) struct Linear {
    inputs: usize,
    outputs: usize,
    weight: usize,
    bias: usize,
    activation: Activation,
    drops: bool,
    /// What the last forward pass dropped.
    dropped: Option<(f32, Key)>,
    z: Vec<f32>,
}

impl Linear {
    pub(super) fn new(layer: &Layer, size: Size, site: &Site<'_>) -> Result<Self> {
        let Layer::Linear { name, outputs, activation, dropout } = layer else {
            unreachable!("a chain makes each layer's own node");
        };
        Ok(Self {
            inputs: size.len(),
            outputs: *outputs,
            weight: site.tensor(name, "weight")?,
            bias: site.tensor(name, "bias")?,
            activation: activation.map_or(Activation::Identity, |a| a.kernel()),
            drops: *dropout,
            dropped: None,
            z: vec![0.0; site.capacity * outputs],
        })
    }
}

impl Node for Linear {
    fn forward(&mut self, x: &[f32], n: usize, values: &mut [Vec<f32>], mode: &Mode) {
        let z = &mut self.z[..n * self.outputs];
        let x = &x[..n * self.inputs];
        linear::forward(x, &values[self.weight], Some(&values[self.bias]), z, self.inputs);
        self.activation.apply(z);
        self.dropped = if self.drops { mode.dropout() } else { None };
        if let Some((p, key)) = self.dropped {
            dropout::apply(z, p, key);
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
        let (z, x) = (&mut self.z[..n * self.outputs], &x[..n * self.inputs]);
        let dy = &mut dz[..n * self.outputs];
        if let Some((p, key)) = self.dropped {
            dropout::apply(dy, p, key);
            if self.activation != Activation::Relu {
                // What was kept was divided by 1 − p; of what was dropped the gradient is 0 already.
                z.iter_mut().for_each(|z| *z *= 1.0 - p);
            }
        }
        self.activation.gradient(z, dy);
        let dx = wanted.then(|| {
            let mut dx = buffers.take();
            let (w, to) = (&parameters.values[self.weight], &mut dx[..n * self.inputs]);
            linear::input_gradient(dy, w, to, self.inputs);
            dx
        });
        parameters.take(self.weight, |dw| linear::weight_gradient(dy, x, dw, self.inputs));
        parameters.take(self.bias, |db| linear::bias_gradient(dy, db));
        buffers.give(dz);
        dx
    }

    #[cfg(test)]
    fn values(&self) -> usize {
        self.z.len()
    }
}
