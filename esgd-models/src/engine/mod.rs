//! The training engine: a [`Network`] on the CPU, without a graph, in memory allocated once.
//!
//! Each layer is a [`Node`], which keeps what its backward pass needs. Gradients of activations pass
//! from node to node in a few [`Buffers`]. One thread computes all of it, so results do not depend
//! on how many individuals train beside this one.

mod buffers;
mod chain;
mod conv;
mod linear;
mod memory;
mod node;
mod norm;
mod parameters;
mod pool;
mod residual;

use esgd_core::rng::Key;
use esgd_ops::{
    layers::cross_entropy,
    norm::squared_norm,
    optimizer::{self, Optimizer},
};

use crate::{
    Error, OptimizerState, Result, Training,
    data::{AUGMENTATION, Dataset},
    evaluation::Evaluation,
    genome::{Genome, Parameter, Role},
    networks::{Network, Size, layer::Named},
    statistics,
};
use buffers::Buffers;
use chain::Chain;
use memory::Memory;
use node::{Mode, Node, Site};
use parameters::{Gradients, Parameters};

/// Values that an evaluation's activations may take, so that they stay in the cache.
const CACHED: usize = 1 << 16;

/// A network with the memory to train and to evaluate it.
pub(crate) struct Engine {
    input: Size,
    classes: usize,
    nodes: Chain,
    /// Names, lengths and roles of the tensors of θ, in the order of the genome.
    tensors: Vec<Named>,
    /// Their values.
    values: Vec<Vec<f32>>,
    /// Their gradients, once they had to be kept.
    gradients: Vec<Vec<f32>>,
    /// One gradient.
    scratch: Vec<f32>,
    x: Vec<f32>,
    y: Vec<u32>,
    buffers: Buffers,
    /// Samples that fit.
    capacity: usize,
    /// Samples that are evaluated together.
    together: usize,
}

impl Engine {
    /// An engine for networks like `theta`, and batches of `batch` samples.
    ///
    /// # Errors
    /// If `theta` has not exactly the tensors of the network, in any order.
    pub(crate) fn new(network: &Network, theta: &Genome, batch: usize) -> Result<Self> {
        let tensors: Vec<Named> = theta.parameters().iter().map(named).collect();
        let mut expected = network.tensors();
        for tensor in &tensors {
            let place = expected.iter().position(|t| t == tensor);
            let place = place.ok_or_else(|| {
                let role = if tensor.role == Role::Weight { "weight" } else { "statistic" };
                Error::Weights(format!(
                    "`{}` of {} values, a {role}, is not a tensor of {}",
                    tensor.name,
                    tensor.len,
                    network.name()
                ))
            })?;
            expected.swap_remove(place);
        }
        let names: Vec<String> = tensors.iter().map(|t| t.name.clone()).collect();
        let largest = Memory::of(network)?.largest as usize;
        let together = together(network, largest);
        let capacity = batch.max(together);
        let site = Site { names: &names, capacity };
        let nodes = Chain::new(network.layers(), network.input(), &site)?;
        let longest = tensors.iter().map(|t| t.len).max().unwrap_or(0);
        Ok(Self {
            input: network.input(),
            classes: network.classes(),
            nodes,
            gradients: vec![],
            scratch: vec![0.0; longest],
            values: tensors.iter().map(|t| vec![0.0; t.len]).collect(),
            tensors,
            x: vec![0.0; capacity * network.input().len()],
            y: vec![0; capacity],
            buffers: Buffers::new(capacity * largest),
            capacity,
            together,
        })
    }

    /// The bytes that it takes once it has trained.
    #[cfg(test)]
    fn bytes(&self) -> u64 {
        let all = |tensors: &[Vec<f32>]| tensors.iter().map(Vec::len).sum::<usize>();
        let own = all(&self.values) + all(&self.gradients) + self.scratch.len();
        let own = own + self.x.len() + self.y.len();
        4 * (own + self.nodes.values() + self.buffers.values()) as u64
    }

    /// The bytes that an engine for batches of `batch` samples will take, without making it.
    ///
    /// # Errors
    /// None for a network that could be made.
    pub(crate) fn forecast(network: &Network, batch: usize, clips: bool) -> Result<u64> {
        let memory = Memory::of(network)?;
        let samples = batch.max(together(network, memory.largest as usize));
        Ok(memory.bytes(network, samples as u64, clips))
    }

    /// Whether it has room for batches of this size.
    pub(crate) fn holds(&self, batch: usize) -> bool {
        batch <= self.capacity
    }

    /// Takes over the values of `theta`.
    ///
    /// # Errors
    /// If `theta` has other tensors than the network that this engine was made with, or candle cannot
    /// read them.
    pub(crate) fn load(&mut self, theta: &Genome) -> Result<()> {
        if !theta.parameters().iter().map(named).eq(self.tensors.iter().cloned()) {
            return Err(Error::Weights(
                "these tensors are not those of the network that was trained before: expected the \
                 same names and sizes in the same order"
                    .into(),
            ));
        }
        for (values, parameter) in self.values.iter_mut().zip(theta.parameters()) {
            parameter.read(|from| values.copy_from_slice(from))?;
        }
        Ok(())
    }

    /// Gives its values to `theta`.
    ///
    /// # Errors
    /// If candle cannot write them.
    pub(crate) fn store(&self, theta: &Genome) -> Result<()> {
        for (values, parameter) in self.values.iter().zip(theta.parameters()) {
            parameter.write(values)?;
        }
        Ok(())
    }

    /// One epoch: gradient steps on all of `data` in an order drawn from `key`, until the loss is not
    /// a number any more.
    ///
    /// # Errors
    /// If the data do not fit the network.
    pub(crate) fn epoch(
        &mut self,
        data: &Dataset,
        training: &Training,
        state: &mut OptimizerState,
        key: Key,
    ) -> Result<()> {
        self.check(data)?;
        let mut order: Vec<u32> = (0..data.len() as u32).collect();
        key.stream().shuffle(&mut order);
        for (b, batch) in order.chunks(training.batch).enumerate() {
            let key = key.derive(b as u64);
            self.gather(data, batch, Some(key.derive(AUGMENTATION)))?;
            let (loss, gradient) = self.forward(batch.len(), training.dropout, key);
            if !loss.is_finite() {
                self.buffers.give(gradient);
                break; // It diverged: its fitness will say so.
            }
            match training.clip {
                None => self.step(batch.len(), gradient, training, state),
                Some(max) => self.clipped_step(batch.len(), gradient, max, training, state),
            }
        }
        Ok(())
    }

    /// The loss of the first `n` samples in training mode, and the gradient of the logits in a buffer: the
    /// last layer may need its output once more.
    fn forward(&mut self, n: usize, dropout: f32, key: Key) -> (f64, Vec<f32>) {
        let x = &self.x[..n * self.input.len()];
        self.nodes.forward(x, n, &mut self.values, &Mode::training(dropout, key));
        let mut gradient = self.buffers.take();
        let logits = &mut gradient[..n * self.classes];
        logits.copy_from_slice(&self.nodes.output()[..n * self.classes]);
        (cross_entropy::with_gradient(logits, &self.y[..n]), gradient)
    }

    /// All gradients of the first `n` samples, from that of the logits, after [`Self::forward`].
    fn backward(&mut self, n: usize, logits: Vec<f32>, how: Backward<'_>) {
        let gradients = match how {
            Backward::Keep => {
                if self.gradients.is_empty() {
                    let weight = |t: &Named| if t.role == Role::Weight { t.len } else { 0 };
                    self.gradients = self.tensors.iter().map(|t| vec![0.0; weight(t)]).collect();
                }
                Gradients::Kept(&mut self.gradients)
            }
            Backward::Step(optimizer, t, slots) => {
                Gradients::Stepped { optimizer, t, slots, scratch: &mut self.scratch }
            }
        };
        let mut parameters = Parameters { values: &mut self.values, gradients };
        let x = &self.x[..n * self.input.len()];
        self.nodes.backward(x, n, logits, false, &mut parameters, &mut self.buffers);
    }

    /// The optimizer's step, of each tensor as soon as its gradient is there.
    fn step(
        &mut self,
        n: usize,
        gradient: Vec<f32>,
        training: &Training,
        state: &mut OptimizerState,
    ) {
        let (t, slots) = state.next();
        self.backward(n, gradient, Backward::Step(&training.optimizer, t, slots));
    }

    /// The optimizer's step with gradients of a norm of at most `max`, for which all must be there.
    fn clipped_step(
        &mut self,
        n: usize,
        gradient: Vec<f32>,
        max: f64,
        training: &Training,
        state: &mut OptimizerState,
    ) {
        self.backward(n, gradient, Backward::Keep);
        let squares = self.gradients.iter().map(|g| squared_norm(g));
        let scale = optimizer::clip_scale(squares.sum::<f64>().sqrt(), max);
        let (t, slots) = state.next();
        for ((values, gradient), slots) in self.values.iter_mut().zip(&self.gradients).zip(slots) {
            if !gradient.is_empty() {
                training.optimizer.step(t, scale, values, gradient, slots);
            }
        }
    }

    /// The logits for all of `data`, in evaluation mode.
    ///
    /// # Errors
    /// If the data do not fit the network.
    pub(crate) fn logits(&mut self, data: &Dataset) -> Result<Vec<f32>> {
        let mut all = Vec::with_capacity(data.len() * self.classes);
        self.visit_logits(data, |logits, _| all.extend_from_slice(logits))?;
        Ok(all)
    }

    /// Loss and error in evaluation mode.
    ///
    /// # Errors
    /// If the data do not fit the network.
    pub(crate) fn evaluate(&mut self, data: &Dataset) -> Result<Evaluation> {
        let (mut loss, mut errors) = (0.0, 0);
        self.visit_logits(data, |logits, classes| {
            let (sum, wrong) = cross_entropy::sum_and_errors(logits, classes);
            loss += sum;
            errors += wrong;
        })?;
        let samples = data.len();
        let error = Some(errors as f64 / samples as f64);
        Ok(Evaluation { loss: loss / samples as f64, error, samples })
    }

    /// Shows `f` the logits of `data` in evaluation mode and their classes, some samples at a time.
    fn visit_logits(
        &mut self,
        data: &Dataset,
        mut f: impl FnMut(&mut [f32], &[u32]),
    ) -> Result<()> {
        self.check(data)?;
        let order: Vec<u32> = (0..data.len() as u32).collect();
        for (i, batch) in order.chunks(self.together).enumerate() {
            self.gather(data, batch, None)?;
            let n = batch.len();
            let x = &self.x[..n * self.input.len()];
            self.nodes.forward(x, n, &mut self.values, &Mode::Evaluation { first: i == 0 });
            f(&mut self.nodes.output_mut()[..n * self.classes], &self.y[..n]);
        }
        Ok(())
    }

    /// Makes the statistics those of `data`: the means over its [`statistics::batches`], for which
    /// there must be room.
    ///
    /// # Errors
    /// If the data do not fit the network.
    pub(crate) fn reestimate(&mut self, data: &Dataset) -> Result<()> {
        self.check(data)?;
        for (before, batch) in statistics::batches(data.len()).iter().enumerate() {
            self.gather(data, batch, None)?;
            let n = batch.len();
            let x = &self.x[..n * self.input.len()];
            self.nodes.forward(x, n, &mut self.values, &Mode::Statistics { before });
        }
        Ok(())
    }

    fn gather(&mut self, data: &Dataset, batch: &[u32], key: Option<Key>) -> Result<()> {
        let x = &mut self.x[..batch.len() * self.input.len()];
        data.fill(batch, key, x, &mut self.y[..batch.len()])
    }

    fn check(&self, data: &Dataset) -> Result<()> {
        let classes = data.classes()?;
        if data.features() != self.input.len() || classes == 0 || classes > self.classes {
            return Err(Error::Data(format!(
                "{} has samples of {} values and {classes} classes: expected {} values and at most \
                 {} classes, as the network has",
                data.name(),
                data.features(),
                self.input.len(),
                self.classes
            )));
        }
        Ok(())
    }
}

/// What a backward pass does with gradients.
enum Backward<'a> {
    Keep,
    Step(&'a Optimizer, u64, &'a mut [Vec<Vec<f32>>]),
}

/// Samples that are evaluated together: few, so that activations stay in the cache, but enough that the
/// weights, read once for all of them, are no more than these.
fn together(network: &Network, largest: usize) -> usize {
    let longest = network.tensors().iter().map(|t| t.len).max().unwrap_or(0);
    (CACHED.max(longest) / largest).clamp(4, 256)
}

fn named(parameter: &Parameter) -> Named {
    let (name, len) = (parameter.name.clone(), parameter.tensor().elem_count());
    Named { name, len, role: parameter.role }
}

#[cfg(test)]
mod tests;
