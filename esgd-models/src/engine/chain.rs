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
    Error, Result,
    networks::{Layer, Size},
};

/// A layer as it is computed.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) layer: &'a Layer,
    /// The side of the max-pooling that is computed with it.
    pub(super) pooled: Option<usize>,
    pub(super) input: Size,
    /// After the pooling.
    pub(super) output: Size,
}

impl<'a> Step<'a> {
    pub(super) fn alone(layer: &'a Layer, input: Size, output: Size) -> Self {
        Self { layer, pooled: None, input, output }
    }
}

/// The steps of layers.
pub(super) fn steps(layers: &[Layer], input: Size) -> Result<Vec<Step<'_>>> {
    let mut size = input;
    let mut all = vec![];
    let mut layers = layers.iter().peekable();
    while let Some(layer) = layers.next() {
        let input = size;
        size = layer.output(size).map_err(Error::Network)?;
        let mut step = Step::alone(layer, input, size);
        if let (Layer::Conv { norm: Some(_), .. }, Some(pool @ Layer::MaxPool { size: side })) =
            (layer, layers.peek())
        {
            size = pool.output(size).map_err(Error::Network)?;
            step = Step { pooled: Some(*side), output: size, ..step };
            layers.next();
        }
        all.push(step);
    }
    Ok(all)
}

/// Layers one after another; there may be none.
pub(super) struct Chain {
    nodes: Vec<Box<dyn Node>>,
}

impl Chain {
    pub(super) fn new(layers: &[Layer], input: Size, site: &Site<'_>) -> Result<Self> {
        let nodes =
            steps(layers, input)?.into_iter().map(|Step { layer, pooled, input, .. }| {
                Ok(match pooled {
                    Some(side) => Box::new(Conv::new(layer, input, site)?.pooled(side, site)),
                    None => node(layer, input, site)?,
                })
            });
        Ok(Self { nodes: nodes.collect::<Result<_>>()? })
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

    #[cfg(test)]
    fn values(&self) -> usize {
        self.nodes.iter().map(|node| node.values()).sum()
    }
}
