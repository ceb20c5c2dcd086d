//! `esgd train --plan`: what a run will take, before it begins; and the refusal of what cannot fit into
//! memory.

mod available;
mod log_size;
pub(crate) mod one_network;
mod units;

use std::{fmt, iter, sync::Mutex};

use esgd_core::{
    Domain, Executor, Hyperparameters, OptimizerSpec, Problem, Settings, baselines,
    rng::{Key, Purpose},
    settings::{RecipePolicy, Way, Workload},
    strategy,
};
use esgd_models::{Genome, Network, Pace, Supervised, Training, Workers};
use serde::Serialize;

use crate::{
    config::Config,
    failure::Failure,
    run::setting::{self, Setting},
};
use available::available;
use units::{count, duration, size};

/// What a run takes.
#[derive(Debug, Serialize)]
pub(crate) struct Forecast {
    pub network: String,
    /// Weights of one network.
    pub parameters: usize,
    /// Multiplications with additions of one sample's forward pass.
    pub macs: u64,
    pub threads: usize,
    /// Memory; that of a GPU is not forecast.
    pub bytes: Option<Bytes>,
    /// Bytes of the log, about.
    pub log: u64,
    pub work: Work,
    /// What that is made of: the run and its control.
    #[serde(skip)]
    workloads: Vec<Workload>,
    /// The time that it takes, if it was measured.
    pub time: Option<Time>,
}

/// Memory, in bytes.
#[derive(Debug, Serialize)]
pub(crate) struct Bytes {
    pub data: u64,
    /// Networks alive at the same time, with their optimizers' states.
    pub population: u64,
    /// What the threads compute in.
    pub engines: u64,
    pub total: u64,
    /// What the machine has left.
    pub available: u64,
}

/// What is computed; the control without evolution is counted apart.
#[derive(Debug, Serialize)]
pub(crate) struct Work {
    pub epochs: u64,
    pub evaluations: u64,
    pub control_epochs: u64,
    /// Floating-point operations of all of it.
    pub flops: f64,
}

#[derive(Debug, Serialize)]
pub(crate) struct Time {
    /// Samples a second on each thread, with all of them at work.
    pub training_samples: f64,
    pub evaluation_samples: f64,
    pub seconds: f64,
}

/// A recipe of each kind in the pool, with the value that `of` takes from each range.
fn recipes(settings: &Settings, of: impl Fn(&Domain) -> f64) -> Vec<Hyperparameters> {
    let recipe = |spec: &OptimizerSpec| {
        let values = spec.domains.iter().map(|(name, range)| (name.clone(), of(range)));
        Hyperparameters { kind: spec.kind.clone(), values: values.collect() }
    };
    settings.optimizers.0.iter().map(recipe).collect()
}

impl Forecast {
    /// The plan of a run that begins from so many networks of --init, without its time.
    pub(crate) fn of(
        config: &Config,
        setting: &Setting,
        warm_start: usize,
    ) -> Result<Self, Failure> {
        let Setting { problem, splits, workers } = setting;
        let threads = workers.count();
        let (settings, network) = (&config.settings, problem.task());
        let (mut batch, mut slots, mut clips) = (1, 0, false);
        for hyper in recipes(settings, |range| range.bounds().1) {
            let training = Training::of(&hyper, 0)?;
            batch = batch.max(training.batch);
            slots = slots.max(training.optimizer.slots());
            clips |= training.clip.is_some();
        }
        let genome = network.bytes();
        let state = product([4, slots, network.parameters()]);
        let mut population = alive(settings, threads, warm_start, genome, state);
        let control = config.has_control().then(|| baselines::control(settings));
        if let Some(without) = &control {
            // After the run, which has left the memory then.
            population = population.max(alive(without, threads, 0, genome, state));
        }
        let engines = problem.engine_bytes(batch, clips)?.saturating_mul(threads as u64);
        let data = [&splits.train, &splits.validation, &splits.test];
        let data = data.map(|part| part.bytes()).into_iter().fold(0, u64::saturating_add);
        let bytes = Bytes {
            data,
            population,
            engines,
            total: data.saturating_add(population).saturating_add(engines),
            // The data are there already.
            available: data.saturating_add(available()),
        };
        let (run, control) = (settings.workload()?, control.map(|s| s.workload()).transpose()?);
        let work = Work::of(&run, control.as_ref(), problem);
        Ok(Self {
            network: network.name().to_owned(),
            parameters: network.parameters(),
            macs: network.macs(),
            threads,
            bytes: (config.run.device == "cpu").then_some(bytes),
            log: log_size::forecast(settings),
            work,
            workloads: iter::once(run).chain(control).collect(),
            time: None,
        })
    }

    /// Refuses a run that cannot fit into memory.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let Some(Bytes { total, available, .. }) = self.bytes else { return Ok(()) };
        if total <= available {
            return Ok(());
        }
        Err(Failure::Usage(format!(
            "the run takes {} of memory and the machine has {} left: ask for fewer individuals (mu, m), \
             a smaller network, smaller batches or fewer threads; --plan shows what takes how much",
            size(total),
            size(available)
        )))
    }

    /// Adds the time, from a short try on all threads.
    pub(crate) fn timed(mut self, config: &Config, setting: &Setting) -> Result<Self, Failure> {
        let Setting { problem, workers, .. } = setting;
        let theta = problem.init(Key::new(config.settings.seed, Purpose::Init))?;
        let pool = recipes(&config.settings, Domain::median);
        let weights = config.settings.optimizers.0.iter().map(|spec| spec.weight);
        let (mut pace, mut total) = (Pace { training: 0.0, evaluation: 0.0 }, 0.0);
        for (hyper, weight) in pool.iter().zip(weights) {
            let one = on_all(workers, problem, &theta, hyper)?;
            pace.training += weight * one.training;
            pace.evaluation += weight * one.evaluation;
            total += weight;
        }
        let pace = Pace { training: pace.training / total, evaluation: pace.evaluation / total };
        let (train, fitness) = (problem.train().len(), problem.fitness_data().len());
        let all = |of: &dyn Fn(&Workload) -> u64| self.workloads.iter().map(|w| of(w) as f64).sum();
        let rounds: f64 = all(&|workload| workload.rounds(self.threads));
        let evaluations: f64 = all(&|workload| workload.total().evaluations);
        let seconds = rounds * train as f64 * pace.training
            + evaluations * fitness as f64 * pace.evaluation / self.threads as f64;
        self.time = Some(Time {
            training_samples: 1.0 / pace.training,
            evaluation_samples: 1.0 / pace.evaluation,
            seconds,
        });
        Ok(self)
    }
}

/// The bytes of the networks that are alive at the same time, with their optimizers' states, each of that many
/// bytes.
fn alive(s: &Settings, threads: usize, warm_start: usize, genome: u64, state: u64) -> u64 {
    // Parents stay until their successors are there; see ARCHITECTURE.md.
    let (evaluations, remembered) = match strategy::make(&s.strategy) {
        Ok(strategy) if s.evolution_steps > 0 => {
            let needs = strategy.needs(s);
            (needs.evaluations.max(s.lambda), needs.networks as u64)
        }
        _ => (0, 0),
    };
    let born = s.mu.min(evaluations);
    let newcomers = born.max(threads) as u64;
    let archive = if s.guarantee.way == Way::Archive { s.m as u64 } else { 1 };
    // Those of one rung stay until those of the next are there.
    let rungs = s.start.rungs();
    let candidates: u64 = rungs.iter().take(2).map(|rung| rung.candidates as u64).sum();
    let mu = s.mu as u64;
    let networks = mu
        .saturating_add(newcomers)
        .saturating_add(archive)
        .max(candidates.saturating_add(mu))
        .saturating_add(warm_start as u64)
        // What a strategy remembers, and what takes its place.
        .saturating_add(remembered.saturating_mul(2));
    // A worker trains with a copy. A recipe that will be drawn anew leaves no state.
    let states = match s.recipes.policy {
        RecipePolicy::Redraw => threads as u64,
        RecipePolicy::Keep | RecipePolicy::Inherit | RecipePolicy::Explore => mu,
    };
    let climbing = if rungs.len() > 1 { candidates } else { 0 };
    let states = states.max(climbing).saturating_add(threads as u64);
    // One individual at a time is on its way into a checkpoint, as bytes and as a file.
    let written = genome.saturating_add(state).saturating_mul(2);
    let (networks, states) = (networks.saturating_mul(genome), states.saturating_mul(state));
    networks.saturating_add(states).saturating_add(written)
}

impl Work {
    fn of(run: &Workload, control: Option<&Workload>, problem: &Supervised<Network>) -> Self {
        let (run, control) = (run.total(), control.map(Workload::total).unwrap_or_default());
        let passes = setting::cost(problem).of(run + control).passes();
        Self {
            epochs: run.epochs,
            evaluations: run.evaluations,
            control_epochs: control.epochs,
            flops: 2.0 * problem.task().macs() as f64 * passes as f64,
        }
    }
}

/// What is too much for a number is as good as the largest.
fn product<const N: usize>(factors: [usize; N]) -> u64 {
    factors.iter().fold(1, |product, &factor| product.saturating_mul(factor as u64))
}

/// The mean pace while all threads are at work.
fn on_all(
    workers: &Workers,
    problem: &Supervised<Network>,
    theta: &Genome,
    hyper: &Hyperparameters,
) -> Result<Pace, Failure> {
    let paces = Mutex::new(vec![]);
    workers.run(workers.count(), &|_| {
        let pace = problem.pace(theta, hyper);
        paces.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(pace);
    });
    let paces = paces.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let paces = paces.into_iter().collect::<Result<Vec<_>, _>>()?;
    let n = paces.len() as f64;
    Ok(Pace {
        training: paces.iter().map(|pace| pace.training).sum::<f64>() / n,
        evaluation: paces.iter().map(|pace| pace.evaluation).sum::<f64>() / n,
    })
}

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { network, parameters, macs, threads, bytes, log, work, time, .. } = self;
        writeln!(
            f,
            "network     {network}: {} weights, {} multiply-adds a sample forwards",
            count(*parameters as f64),
            count(*macs as f64)
        )?;
        if let Some(bytes) = bytes {
            writeln!(
                f,
                "memory      {} of {} left: data {}, population {}, {threads} threads {}",
                size(bytes.total),
                size(bytes.available),
                size(bytes.data),
                size(bytes.population),
                size(bytes.engines)
            )?;
        }
        writeln!(
            f,
            "work        {} epochs, {} evaluations{}: {}FLOP",
            work.epochs,
            work.evaluations,
            match work.control_epochs {
                0 => String::new(),
                n => format!(", {n} epochs of the control"),
            },
            count(work.flops)
        )?;
        writeln!(f, "log         {}, of every epoch and offspring", size(*log))?;
        if let Some(time) = time {
            writeln!(
                f,
                "time        {} at {} samples/s in training and {} in evaluation on each thread, \
                 as measured just now",
                duration(time.seconds),
                count(time.training_samples),
                count(time.evaluation_samples)
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(sets: &[&str]) -> Forecast {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        let mut config = Config::with_changes("", "test", &sets).unwrap();
        config.run.threads = 2;
        Forecast::of(&config, &Setting::unchecked(&config).unwrap(), 0).unwrap()
    }

    #[test]
    fn the_run_without_evolution_counts_if_it_takes_more() {
        let paper = ["guarantee.way=back-off", "start=independent", "mu=20", "m=20", "lambda=2"];
        let population = |control: bool| {
            let control = format!("run.control={control}");
            plan(&[&paper[..], &[&control]].concat()).bytes.unwrap().population
        };
        // Its archive of 20, and two copies at work, where the run has 1 and 2.
        let genome = 4 * (64 * 128 + 128 + 128 * 10 + 10);
        assert_eq!(population(true) - population(false), 19 * genome);
    }

    #[test]
    fn what_is_too_large_is_refused_and_nothing_is_made() {
        let plan = plan(&["network.hidden=[65536, 65536, 65536]", "mu=1000000", "m=1"]);
        let message = plan.check().unwrap_err().to_string();
        assert!(message.contains("of memory and the machine has"), "{message}");
        // Some 10¹⁰ weights, a million times with a momentum or two.
        assert!(plan.bytes.unwrap().population > 50_000_000_000_000_000);
    }
}
