//! The one adapter between core and candle: a task with its data is a `Problem`.

use std::{
    cell::RefCell,
    sync::{Mutex, PoisonError},
};

use candle_core::{CpuStorage, InplaceOp2, Layout, Tensor, backprop::GradStore};
use esgd_core::{Hyper, Mutation, Problem, Yardstick, rng::Key};
use esgd_ops::{
    norm,
    optimizer::{self, Optimizer},
};

use crate::{
    Error, Pass, Result, Task, Training,
    data::Dataset,
    engine::Engine,
    evaluation::{self, Evaluation},
    genome::{Genome, Parameter, Role, with_values},
    initializer,
    networks::Network,
    offspring,
    task::CROSS_ENTROPY,
};

/// A task with the data it is trained on and the data its fitness is measured on.
///
/// Fitness is the mean loss in evaluation mode over all of `fitness`, in a fixed order.
pub struct Supervised<T> {
    task: T,
    train: Dataset,
    fitness: Dataset,
    /// Engines that no thread is using.
    engines: Mutex<Vec<Engine>>,
}

/// What a batch's key gives the key of its augmentation for; its dropout counts from 0.
pub(crate) const AUGMENTATION: u64 = u64::MAX;

/// What an optimizer remembers.
#[derive(Clone, Debug)]
pub struct OptimizerState {
    /// Steps made, of all parameters together.
    steps: u64,
    /// Epochs begun with this recipe.
    epochs: u32,
    /// The optimizer's buffers of each parameter: momentum, or moments.
    slots: Vec<Vec<Vec<f32>>>,
}

impl OptimizerState {
    /// Counts a step; gives its number and the buffers of each parameter.
    pub(crate) fn next(&mut self) -> (u64, &mut [Vec<Vec<f32>>]) {
        self.steps += 1;
        (self.steps, &mut self.slots)
    }
}

impl<T: Task> Supervised<T> {
    /// Trains `task` on `train` and measures fitness on `fitness`, which may be the same.
    ///
    /// # Errors
    /// If one of them is empty.
    pub fn new(task: T, train: Dataset, fitness: Dataset) -> Result<Self> {
        for data in [&train, &fitness] {
            if data.is_empty() {
                return Err(Error::Data(format!(
                    "{} has no samples: expected at least one",
                    data.name()
                )));
            }
        }
        Ok(Self { task, train, fitness, engines: Mutex::default() })
    }

    /// What gradients are taken on.
    #[must_use]
    pub fn train(&self) -> &Dataset {
        &self.train
    }

    /// What fitness is measured on.
    #[must_use]
    pub fn fitness_data(&self) -> &Dataset {
        &self.fitness
    }

    /// The task.
    #[must_use]
    pub fn task(&self) -> &T {
        &self.task
    }

    /// The loss, and for a classifier the error rate, of a network on any data.
    ///
    /// # Errors
    /// What candle says.
    pub fn evaluate(&self, theta: &Genome, data: &Dataset) -> Result<Evaluation> {
        match self.network(theta) {
            Some(network) => self.with_engine(network, theta, 1, |engine| engine.evaluate(data)),
            None => evaluation::evaluate(&self.task, theta, data),
        }
    }

    /// The network, where the engine computes it.
    fn network(&self, theta: &Genome) -> Option<&Network> {
        let suits = theta.device().is_cpu() && self.task.loss_name() == CROSS_ENTROPY;
        self.task.network().filter(|_| suits)
    }

    /// Runs `f` on an engine with the values of `theta` and room for batches of `batch` samples. There
    /// are as many engines as threads that have used one at the same time.
    fn with_engine<R>(
        &self,
        network: &Network,
        theta: &Genome,
        batch: usize,
        f: impl FnOnce(&mut Engine) -> Result<R>,
    ) -> Result<R> {
        let idle = || self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        let free = {
            let mut engines = idle();
            let fits = engines.iter().position(|engine| engine.holds(batch));
            // One that is too small is given up for one that serves all.
            fits.map(|i| engines.swap_remove(i)).ok_or_else(|| engines.pop())
        };
        let mut engine = match free {
            Ok(engine) => engine,
            Err(too_small) => {
                drop(too_small);
                Engine::new(network, theta, batch)?
            }
        };
        let result = engine.load(theta).and_then(|()| f(&mut engine));
        idle().push(engine);
        result
    }

    /// The gradient step of one batch; `false` if the loss is not a number any more.
    fn step(
        &self,
        model: &T::Model,
        (x, y): (&Tensor, &Tensor),
        pass: &Pass,
        training: &Training,
        theta: &Genome,
        state: &mut OptimizerState,
    ) -> Result<bool> {
        let output = self.task.forward(model, x, pass)?;
        let loss = self.task.loss(&output, y)?;
        if !loss.to_scalar::<f32>()?.is_finite() {
            return Ok(false);
        }
        let gradients = loss.backward()?;
        let scale = match training.clip {
            Some(max) => optimizer::clip_scale(gradient_norm(theta, &gradients)?, max),
            None => 1.0,
        };
        state.steps += 1;
        let weights = theta.parameters().iter().zip(&mut state.slots);
        for (parameter, slots) in weights.filter(|(p, _)| p.role == Role::Weight) {
            if let Some(gradient) = gradients.get(parameter.tensor()) {
                let update = Update { training, t: state.steps, scale, slots: RefCell::new(slots) };
                parameter.var.inplace_op2(&gradient.contiguous()?, &update)?;
            }
        }
        Ok(true)
    }
}

impl<T: Task> Problem for Supervised<T> {
    type Genome = Genome;
    type State = OptimizerState;
    type Error = Error;

    fn yardstick(&self) -> Yardstick {
        let (data, loss) = (&self.fitness, self.task.loss_name());
        Yardstick::new(&format!(
            "{loss} on {} ({} samples, evaluation mode)",
            data.name(),
            data.len()
        ))
    }

    fn init(&self, key: Key) -> Result<Genome> {
        let is_statistic = |name: &str| self.task.is_statistic(name);
        initializer::genome(key, &is_statistic, |vb| self.task.build(vb))
    }

    fn fork(&self, theta: &Genome) -> Result<Genome> {
        let copy = theta.fork()?;
        // Another thread may go on with it, on another stream of a GPU.
        copy.device().synchronize()?;
        Ok(copy)
    }

    fn state(&self, theta: &Genome, hyper: &Hyper) -> Result<OptimizerState> {
        let slots = Training::of(hyper, 0)?.optimizer.slots();
        let buffers = |p: &Parameter| match p.role {
            Role::Weight => vec![vec![0.0; p.tensor().elem_count()]; slots],
            Role::Statistic => Vec::new(),
        };
        let slots = theta.parameters().iter().map(buffers).collect();
        Ok(OptimizerState { steps: 0, epochs: 0, slots })
    }

    fn epoch(
        &self,
        theta: &mut Genome,
        state: &mut OptimizerState,
        hyper: &Hyper,
        key: Key,
    ) -> Result<()> {
        self.epoch_on(&self.train, theta, state, hyper, key)
    }

    fn fitness(&self, theta: &Genome) -> Result<f64> {
        Ok(self.evaluate(theta, &self.fitness)?.loss)
    }

    fn recombine(&self, parents: &[&Genome], mutation: Mutation, key: Key) -> Result<Genome> {
        offspring::of(parents, mutation, key)
    }
}

impl<T: Task> Supervised<T> {
    /// One epoch on `data`.
    pub(crate) fn epoch_on(
        &self,
        data: &Dataset,
        theta: &mut Genome,
        state: &mut OptimizerState,
        hyper: &Hyper,
        key: Key,
    ) -> Result<()> {
        let training = Training::of(hyper, state.epochs)?;
        let lengths =
            |p: &Parameter| if p.role == Role::Weight { p.tensor().elem_count() } else { 0 };
        let fits = |(p, slots): (&Parameter, &Vec<Vec<f32>>)| {
            slots.iter().all(|slot| slot.len() == lengths(p))
        };
        let parameters = theta.parameters();
        if state.slots.len() != parameters.len() || !parameters.iter().zip(&state.slots).all(fits) {
            return Err(Error::Weights(
                "the optimizer's state is that of another network: expected one made with `state`"
                    .into(),
            ));
        }
        state.epochs += 1;
        if let Some(network) = self.network(theta) {
            let batch = training.batch.min(data.len());
            return self.with_engine(network, theta, batch, |engine| {
                engine.epoch(data, &training, state, key)?;
                engine.store(theta)
            });
        }
        let model = self.task.build(theta.var_builder())?;
        let mut order: Vec<u32> = (0..data.len() as u32).collect();
        key.stream().shuffle(&mut order);
        for (b, batch) in order.chunks(training.batch).enumerate() {
            let key = key.derive(b as u64);
            let (x, y) = data.batch(batch, Some(key.derive(AUGMENTATION)))?;
            let pass = Pass::training(training.dropout, key);
            if !self.step(&model, (&x, &y), &pass, &training, theta, state)? {
                break; // It diverged: its fitness will say so.
            }
        }
        Ok(theta.device().synchronize()?)
    }
}

/// The norm of the whole gradient.
fn gradient_norm(theta: &Genome, gradients: &GradStore) -> Result<f64> {
    let weights = theta.parameters().iter().filter(|p| p.role == Role::Weight);
    let squares = weights.filter_map(|p| gradients.get(p.tensor()));
    let squares = squares.map(|g| with_values(&g.contiguous()?, norm::squared_norm));
    Ok(squares.sum::<Result<f64>>()?.sqrt())
}

/// One step of the optimizer on one tensor, in place.
struct Update<'a> {
    training: &'a Training,
    t: u64,
    scale: f32,
    slots: RefCell<&'a mut Vec<Vec<f32>>>,
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "optimizer-step"
    }

    fn cpu_fwd(
        &self,
        theta: &mut CpuStorage,
        theta_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<()> {
        let (CpuStorage::F32(theta), CpuStorage::F32(gradient)) = (theta, gradient) else {
            candle_core::bail!("the optimizer's step expects f32");
        };
        let offsets = (theta_layout.contiguous_offsets(), gradient_layout.contiguous_offsets());
        let (Some((t0, t1)), Some((g0, g1))) = offsets else {
            candle_core::bail!("the optimizer's step expects contiguous tensors");
        };
        let slots = &mut **self.slots.borrow_mut();
        let optimizer: &Optimizer = &self.training.optimizer;
        optimizer.step(self.t, self.scale, &mut theta[t0..t1], &gradient[g0..g1], slots);
        Ok(())
    }
}
