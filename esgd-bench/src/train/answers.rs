//! This program as a contestant, `train serve`: it answers lines with seconds, as the peers do.
//!
//! `run FORM MODELS REPEATS` trains MODELS networks side by side, one thread each, for REPEATS steps.
//! A form is a network's name; with `:forward` it is evaluated instead, with `:candle` it runs on
//! candle's layers instead of the engine.

use std::{
    collections::BTreeMap,
    io::stdin,
    sync::Barrier,
    time::{Duration, Instant},
};

use candle_core::Tensor;
use candle_nn::VarBuilder;
use esgd_core::{
    Hyperparameters, Problem,
    rng::{Key, Purpose},
};
use esgd_models::{Genome, Network, OptimizerState, Pass, Supervised, Task};
use esgd_ops::Isa;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{
    networks::{batch, data, network},
    whole_generation,
};
use crate::Result;

/// Steps of an epoch, so that beginning and ending one hardly counts.
const STEPS: usize = 10;

/// A network as any user of candle would run it.
struct Stock(Network);

impl Task for Stock {
    type Model = <Network as Task>::Model;

    fn build(&self, vb: VarBuilder<'_>) -> candle_core::Result<Self::Model> {
        self.0.build(vb)
    }

    fn forward(&self, model: &Self::Model, x: &Tensor, pass: &Pass) -> candle_core::Result<Tensor> {
        self.0.forward(model, x, pass)
    }
}

/// A model that trains.
trait Model: Send {
    fn run(&mut self, forward: bool, epochs: usize) -> Result<()>;
}

struct Individual<T: Task> {
    problem: Supervised<T>,
    theta: Genome,
    state: OptimizerState,
    hyper: Hyperparameters,
    epochs: u64,
}

impl<T: Task> Individual<T> {
    fn new(task: T, network: &Network, batch: usize) -> Result<Self> {
        let data = data(network, STEPS * batch)?;
        let problem = Supervised::new(task, data.clone(), data)?;
        let theta = problem.init(Key::new(1, Purpose::Init))?;
        let values = [("lr", 0.01), ("momentum", 0.9), ("batch", batch as f64)];
        let values = values.map(|(name, value)| (name.to_string(), value)).into();
        let hyper = Hyperparameters { kind: "sgd".into(), values };
        let state = problem.state(&theta, &hyper)?;
        Ok(Self { problem, theta, state, hyper, epochs: 0 })
    }
}

impl<T: Task + Send> Model for Individual<T> {
    fn run(&mut self, forward: bool, epochs: usize) -> Result<()> {
        for _ in 0..epochs {
            if forward {
                self.problem.fitness(&self.theta)?;
                continue;
            }
            let key = Key::new(2, Purpose::Train).derive(self.epochs);
            self.problem.epoch(&mut self.theta, &mut self.state, &self.hyper, key)?;
            self.epochs += 1;
        }
        Ok(())
    }
}

/// A model, and the pool of one thread that candle's products must stay in.
struct OnThread {
    model: Box<dyn Model>,
    pool: ThreadPool,
}

fn on_thread(form: &str) -> Result<OnThread> {
    let name = form.split(':').next().unwrap_or_default();
    let batch = batch(name).ok_or_else(|| format!("there is no network `{name}`"))?;
    let network = network(name)?;
    let model: Box<dyn Model> = if form.contains(":candle") {
        Box::new(Individual::new(Stock(network.clone()), &network, batch)?)
    } else {
        Box::new(Individual::new(network.clone(), &network, batch)?)
    };
    Ok(OnThread { model, pool: ThreadPoolBuilder::new().num_threads(1).build()? })
}

/// Answers all lines of the standard input.
///
/// # Errors
/// If they cannot be read.
pub fn answer_all() -> Result<()> {
    println!("ready {}", Isa::best());
    let mut all = BTreeMap::new();
    for line in stdin().lines() {
        match answer(&line?, &mut all) {
            Ok(seconds) => println!("{seconds}"),
            Err(why) => println!("error: {why}"),
        }
    }
    Ok(())
}

fn answer(line: &str, all: &mut BTreeMap<String, Vec<OnThread>>) -> Result<f64> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["run", form, models, repeats] = words[..] else {
        return Err(format!("`{line}` is no `run FORM MODELS REPEATS`").into());
    };
    let (models, repeats): (usize, usize) = (models.parse()?, repeats.parse()?);
    if form == "peak-memory" {
        return whole_generation::peak_memory();
    }
    if form.starts_with("generation:") {
        return whole_generation::run(form, models, repeats);
    }
    let all = all.entry(form.to_string()).or_default();
    while all.len() < models {
        all.push(on_thread(form)?);
    }
    let (forward, epochs) = (form.contains(":forward"), repeats.div_ceil(STEPS));
    let begin = Barrier::new(models);
    let times: Vec<std::result::Result<Duration, String>> = std::thread::scope(|scope| {
        let running: Vec<_> = all[..models]
            .iter_mut()
            .map(|OnThread { model, pool }| {
                let begin = &begin;
                scope.spawn(move || {
                    begin.wait();
                    let start = Instant::now();
                    let done =
                        pool.install(|| model.run(forward, epochs).map_err(|e| e.to_string()));
                    done.map(|()| start.elapsed())
                })
            })
            .collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err("a thread has panicked".into()))
        };
        running.into_iter().map(join).collect()
    });
    let slowest =
        times.into_iter().try_fold(Duration::ZERO, |most, time| time.map(|t| most.max(t)))?;
    // Whole epochs were run, maybe more than was asked for.
    Ok(slowest.as_secs_f64() * repeats as f64 / (epochs * STEPS) as f64)
}
