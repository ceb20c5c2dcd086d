//! Layers one after another.

use super::{
    Buffers, Node, Parameters, Site,
    conv::Conv,
    linear::Linear,
    node::Mode,
    norm::Norm,
    pool::{MaxPool, MeanPool},
    residual::Residual,
};
use crate::{
    Result,
    networks::{Layer, Size},
};

/// Layers one after another; there may be none.
pub(super) struct Chain {
    nodes: Vec<Box<dyn Node>>,
    input: usize,
}

impl Chain {
    pub(super) fn new(layers: &[Layer], input: Size, site: &Site<'_>) -> Result<Self> {
        let mut size = input;
        let mut nodes: Vec<Box<dyn Node>> = vec![];
        let mut layers = layers.iter().peekable();
        while let Some(layer) = layers.next() {
            let after = layer.output(size).map_err(crate::Error::Network)?;
            match (layer, layers.peek()) {
                (Layer::Conv { norm: Some(_), .. }, Some(pool @ Layer::MaxPool { size: side })) => {
                    let conv = Conv::new(layer, size, site)?;
                    nodes.push(Box::new(conv.pooled(*side, site)));
                    size = pool.output(after).map_err(crate::Error::Network)?;
                    layers.next();
                }
                _ => {
                    nodes.push(node(layer, size, site)?);
                    size = after;
                }
            }
        }
        Ok(Self { nodes, input: input.len() })
    }
}

fn node(layer: &Layer, size: Size, site: &Site<'_>) -> Result<Box<dyn Node>> {
    Ok(match layer {
        Layer::Linear { .. } => Box::new(Linear::new(layer, size, site)?),
        Layer::Conv { .. } => Box::new(Conv::new(layer, size, site)?),
        Layer::Norm { name, dropout } => Box::new(Norm::new(name, *dropout, size, site)?),
        Layer::MaxPool { size: side } => Box::new(MaxPool::new(*side, size, site)),
        Layer::MeanPool => Box::new(MeanPool::new(size, site)),
        Layer::Residual { .. } => Box::new(Residual::new(layer, size, site)?),
    })
}

impl Node for Chain {
    fn forward(&mut self, x: &[f32], n: usize, values: &mut [Vec<f32>], mode: &Mode) {
        for i in 0..self.nodes.len() {
            let (before, rest) = self.nodes.split_at_mut(i);
            let x = before.last().map_or(x, |node| node.output());
            rest[0].forward(x, n, values, mode);
        }
    }

    fn output(&self) -> &[f32] {
        self.nodes.last().map_or(&[], |node| node.output())
    }

    fn output_mut(&mut self) -> &mut [f32] {
        self.nodes.last_mut().map_or(&mut [], |node| node.output_mut())
    }

    fn backward(
        &mut self,
        x: &[f32],
        n: usize,
        dz: Vec<f32>,
        wanted: bool,
        parameters: &mut Parameters<'_>,
        buffers: &mut Buffers,
    ) -> Option<Vec<f32>> {
        let mut dz = Some(dz);
        for i in (0..self.nodes.len()).rev() {
            let (before, rest) = self.nodes.split_at_mut(i);
            let x = before.last().map_or(x, |node| node.output());
            let given = dz.take()?;
            dz = rest[0].backward(x, n, given, wanted || i > 0, parameters, buffers);
        }
        dz
    }

    fn largest(&self) -> usize {
        self.nodes.iter().map(|node| node.largest()).chain([self.input]).max().unwrap_or(0)
    }

    fn values(&self) -> usize {
        self.nodes.iter().map(|node| node.values()).sum()
    }
}
