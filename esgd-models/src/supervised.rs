//! The one adapter between core and candle: a task with its data is a `Problem`.

use std::sync::{Mutex, OnceLock, PoisonError};

use candle_core::{Device, Tensor};
use esgd_core::{Hyperparameters, Objective, Operation, Problem, Settings, rng::Key};

use crate::{
    Error, OptimizerState, Pass, Result, Task, Training, build,
    data::{AUGMENTATION, Dataset},
    diversity,
    engine::Engine,
    evaluation::{self, Evaluation, Score},
    genome::Genome,
    initializer,
    networks::Network,
    recipe, statistics,
    task::CROSS_ENTROPY,
};

/// A task with the data it is trained on and the data its fitness is measured on.
///
/// Fitness is the mean loss, or the error rate, in evaluation mode over all of `fitness`, in a fixed order.
pub struct Supervised<T> {
    task: T,
    train: Dataset,
    fitness: Dataset,
    score: Score,
    /// Where networks are trained.
    device: Device,
    /// Engines that no thread is using.
    engines: Mutex<Vec<Engine>>,
    /// A network of the task's shapes, once one was asked for.
    pub(crate) shape: OnceLock<Genome>,
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
        let (score, device) = (Score::default(), Device::Cpu);
        let (engines, shape) = (Mutex::default(), OnceLock::new());
        Ok(Self { task, train, fitness, score, device, engines, shape })
    }

    /// The same with another fitness: the loss, which it is otherwise, or the error rate of a classifier.
    #[must_use]
    pub fn scored_by(self, score: Score) -> Self {
        Self { score, ..self }
    }

    /// The same on another device, such as a GPU in a build with the feature `cuda`: networks are born,
    /// trained, evaluated and recombined there. The data stay on the CPU, from where each batch goes.
    ///
    /// Individuals run at the same time on as many threads as the executor has, each with a stream of
    /// its own.
    #[must_use]
    pub fn on(self, device: Device) -> Self {
        // One that was asked for before is on another device.
        Self { device, shape: OnceLock::new(), ..self }
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

    /// Which number of an evaluation on that is the fitness.
    #[must_use]
    pub fn score(&self) -> Score {
        self.score
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

    /// The logits for all of `data` and the number of classes, if the engine computes this network.
    pub(crate) fn logits_by_engine(
        &self,
        theta: &Genome,
        data: &Dataset,
    ) -> Result<Option<(Vec<f32>, usize)>> {
        let Some(network) = self.network(theta) else { return Ok(None) };
        let logits = self.with_engine(network, theta, 1, |engine| engine.logits(data))?;
        Ok(Some((logits, network.classes())))
    }

    /// A copy with the statistics of `data`, if the engine computes this network.
    pub(crate) fn reestimate_by_engine(
        &self,
        theta: &Genome,
        data: &Dataset,
    ) -> Result<Option<Genome>> {
        let Some(network) = self.network(theta) else { return Ok(None) };
        let copy = theta.fork()?;
        let batch = statistics::BATCH.min(data.len());
        self.with_engine(network, theta, batch, |engine| {
            engine.reestimate(data)?;
            engine.store(&copy)
        })?;
        Ok(Some(copy))
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
        state.step(theta, &loss.backward()?, training)?;
        Ok(true)
    }
}

impl<T: Task> Problem for Supervised<T> {
    type Genome = Genome;
    type State = OptimizerState;
    type Error = Error;

    fn objective(&self) -> Objective {
        let data = &self.fitness;
        let score = match self.score {
            Score::Loss => self.task.loss_name(),
            Score::Error => "error rate",
        };
        Objective::new(&format!(
            "{score} on {} ({} samples, evaluation mode)",
            data.name(),
            data.len()
        ))
    }

    fn check(&self, settings: &Settings) -> Result<()> {
        recipe::check(settings)
    }

    fn check_warm_start(&self, theta: &Genome) -> Result<()> {
        theta.check_finite()
    }

    fn init(&self, key: Key) -> Result<Genome> {
        let is_statistic = |name: &str| self.task.is_statistic(name);
        let theta = initializer::genome(key, &is_statistic, |vb| self.task.build(vb))?;
        if self.device.is_cpu() {
            return Ok(theta);
        }
        let theta = theta.to_device(&self.device)?;
        self.device.synchronize()?;
        Ok(theta)
    }

    fn fork(&self, theta: &Genome) -> Result<Genome> {
        let copy = theta.fork()?;
        // Another thread may go on with it, on another stream of a GPU.
        copy.device().synchronize()?;
        Ok(copy)
    }

    fn state(&self, theta: &Genome, hyper: &Hyperparameters) -> Result<OptimizerState> {
        OptimizerState::new(theta, Training::of(hyper, 0)?.optimizer.slots())
    }

    fn epoch(
        &self,
        theta: &mut Genome,
        state: &mut OptimizerState,
        hyper: &Hyperparameters,
        key: Key,
    ) -> Result<()> {
        self.epoch_on(&self.train, theta, state, hyper, key)
    }

    fn fitness(&self, theta: &Genome) -> Result<f64> {
        self.score.of(&self.evaluate(theta, &self.fitness)?)
    }

    fn build(&self, operation: &Operation, sources: &[&Genome], key: Key) -> Result<Genome> {
        build::of(operation, sources, key)
    }

    fn diversity(&self, population: &[&Genome]) -> Option<f64> {
        // On another device it would have to be copied, which is too much for a report.
        let here = population.iter().all(|theta| theta.device().is_cpu());
        here.then(|| diversity::of(population).ok().flatten()).flatten()
    }
}

impl<T: Task> Supervised<T> {
    /// One epoch on `data`.
    pub(crate) fn epoch_on(
        &self,
        data: &Dataset,
        theta: &mut Genome,
        state: &mut OptimizerState,
        hyper: &Hyperparameters,
        key: Key,
    ) -> Result<()> {
        let training = Training::of(hyper, state.begin_epoch(theta)?)?;
        state.refit(theta, training.optimizer.slots())?;
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
            let (x, y) = (x.to_device(&self.device)?, y.to_device(&self.device)?);
            let pass = Pass::training(training.dropout, key);
            if !self.step(&model, (&x, &y), &pass, &training, theta, state)? {
                break; // It diverged: its fitness will say so.
            }
        }
        Ok(theta.device().synchronize()?)
    }
}

#[cfg(test)]
mod tests {
    use esgd_core::{
        Domain, Esgd, OptimizerPool, OptimizerSpec, Settings, rng::Purpose, settings::Start,
    };

    use super::*;
    use crate::{Activation, data, networks::mlp};

    /// A rectified unit passes NaN on as 0, so that the loss may say nothing.
    #[test]
    fn a_warm_start_that_has_diverged_is_refused() {
        let splits = data::digits(data::Sizes { train: Some(8), ..Default::default() }).unwrap();
        let network = mlp(64, &[2], 10, Activation::Relu).unwrap();
        let problem = Supervised::new(network, splits.train.clone(), splits.train).unwrap();
        let sgd = OptimizerSpec {
            kind: "sgd".into(),
            weight: 1.0,
            domains: [("lr".to_owned(), Domain::fixed(0.1))].into(),
        };
        let settings = Settings {
            start: Start::Warm { sigma: 0.01 },
            generations: 1,
            optimizers: OptimizerPool(vec![sgd]),
            ..Settings::paper()
        };
        let network = || problem.init(Key::new(1, Purpose::Init)).unwrap();
        let message = |warm_start: &[Genome]| {
            let failure = Esgd::new(&problem, &settings).warm_start(warm_start).run().err();
            failure.map(|failure| failure.error.to_string())
        };
        assert_eq!(message(&[network(), network()]), None);
        for odd in [f32::NAN, f32::INFINITY] {
            let second = network();
            second.parameters()[0].write(&[1.0, odd]).unwrap();
            let expected = format!(
                "the weights do not fit the network: `fc1.bias` has {odd} as value 1: expected finite numbers"
            );
            assert_eq!(message(&[network(), second]), Some(expected));
        }
    }
}
