//! What a method does, from its last checkpoint if it has one.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use esgd_core::{
    CheckpointError, Checkpointer, Entry, Error as CoreError, Esgd, Executor, Fitness, Halving,
    HalvingSettings, Individual, Observer, Outcome as RunOutcome, Population, Problem, Report,
};
use esgd_models::{Error, Genome, Network, OptimizerState, RunningMean, Supervised};

use super::{
    choosing::{self, Candidate},
    costs::Metered,
};
use crate::{
    config::Config,
    failure::Failure,
    run::{
        checkpoint::{Checkpoints, Found, OfRun, Retention},
        interrupt::Interrupt,
        log::{self, Metrics},
    },
};

/// What a run leaves.
pub(super) struct RunResult {
    pub best: Candidate,
    /// What the best was last trained with.
    pub recipe: Option<String>,
    /// Best first.
    pub last: Vec<Candidate>,
    pub seconds: f64,
}

/// A population, its checkpoint and what it goes on with.
pub(super) type Resumed = (Found, Population<Genome, OptimizerState>);

/// Where a job runs.
pub(super) struct Workspace<'a> {
    pub folder: &'a Path,
    pub problem: &'a Metered<'a>,
    pub executor: &'a dyn Executor,
    pub interrupt: &'a Interrupt,
}

/// Writes a run's log.
struct Log<'a> {
    metrics: &'a Mutex<Metrics>,
    before: f64,
    began: Instant,
}

impl<'a> Log<'a> {
    fn after(found: Option<&Found>, metrics: &'a Mutex<Metrics>) -> Self {
        let before = found.map_or(0.0, |found| found.manifest.seconds);
        Self { metrics, before, began: Instant::now() }
    }

    fn seconds(&self) -> f64 {
        self.before + self.began.elapsed().as_secs_f64()
    }
}

impl Observer for Log<'_> {
    fn phase(&self, report: &Report) {
        let mut metrics = self.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        metrics.add(self.seconds(), report);
    }
}

/// Averages the networks that a single run passes through after some generation. Checkpoints end there: a
/// run that is interrupted while it averages goes on from where that began.
struct WeightAverager<'a> {
    checkpoints: &'a Checkpoints<'a, Supervised<Network>>,
    after: usize,
    mean: &'a Mutex<RunningMean>,
}

impl Checkpointer<Genome, OptimizerState> for WeightAverager<'_> {
    fn population(
        &self,
        population: &Population<Genome, OptimizerState>,
    ) -> Result<(), CheckpointError> {
        if population.generation() <= self.after {
            return self.checkpoints.population(population);
        }
        let mut mean = self.mean.lock().unwrap_or_else(PoisonError::into_inner);
        population.individuals().iter().try_for_each(|one| Ok(mean.add(one.scored().theta())?))
    }

    /// Its generations are an epoch each, so there is nothing in between to keep.
    fn individual(
        &self,
        _: &Individual<Genome, OptimizerState>,
        _: &dyn Fn() -> Vec<Entry<Genome>>,
    ) -> Result<(), CheckpointError> {
        Ok(())
    }
}

impl Workspace<'_> {
    /// A population, or one network.
    pub(super) fn evolve(
        &self,
        config: &Config,
        resumed: Option<Resumed>,
    ) -> Result<Option<RunResult>, Failure> {
        let (run, _, seconds) = self.run(config, None, resumed)?;
        let last = run.population.individuals().iter().map(|one| one.scored().into());
        Ok((!run.stopped).then(|| RunResult {
            best: (&run.best.scored).into(),
            recipe: run.best.hyper.as_ref().map(ToString::to_string),
            last: last.collect(),
            seconds,
        }))
    }

    /// A single run and the average of its weights after some generation: as they are, or with statistics
    /// estimated anew. The best of all counts, as of every run.
    pub(super) fn average(
        &self,
        config: &Config,
        after: usize,
        resumed: Option<Resumed>,
    ) -> Result<Option<RunResult>, Failure> {
        let (run, mean, seconds) = self.run(config, Some(after), resumed)?;
        if run.stopped {
            return Ok(None);
        }
        let mut all: Vec<Candidate> = vec![(&run.best.scored).into()];
        if let Some(plain) = mean.mean()? {
            if let Some((theta, loss)) = choosing::reestimated(self.problem, &plain)? {
                all.push(Candidate { theta: Arc::new(theta), fitness: Fitness::new(loss) });
            }
            let fitness = Fitness::new(self.problem.fitness(&plain)?);
            all.push(Candidate { theta: Arc::new(plain), fitness });
        }
        let best = all.into_iter().min_by_key(|one| one.fitness);
        Ok(best.map(|best| RunResult {
            last: vec![best.clone()],
            best,
            recipe: run.best.hyper.as_ref().map(ToString::to_string),
            seconds,
        }))
    }

    /// Runs or goes on; the networks after generation `after` are averaged. Also tells how long it took.
    fn run(
        &self,
        config: &Config,
        after: Option<usize>,
        resumed: Option<Resumed>,
    ) -> Result<(RunOutcome<Metered<'_>>, RunningMean, f64), Failure> {
        let (found, population) = resumed.unzip();
        let metrics = self.metrics(found.as_ref())?;
        let checkpoints = self.checkpoints(config, found.as_ref(), &metrics)?;
        let log = Log::after(found.as_ref(), &metrics);
        let mean = Mutex::default();
        let trail =
            after.map(|after| WeightAverager { checkpoints: &checkpoints, after, mean: &mean });
        let esgd = Esgd::new(self.problem, &config.settings)
            .executor(self.executor)
            .observer(&log)
            .checkpointer(match &trail {
                Some(trail) => trail,
                None => &checkpoints,
            })
            .stop_when(self.interrupt.flag());
        let outcome = match population {
            None => esgd.run(),
            Some(population) => esgd.resume(population),
        };
        let outcome = outcome.map_err(|failure| sentence(&failure.error))?;
        let mean = mean.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok((outcome, mean, log.seconds()))
    }

    /// Successive halving.
    pub(super) fn halve(&self, settings: &HalvingSettings) -> Result<Option<RunResult>, Failure> {
        let metrics = self.metrics(None)?;
        let log = Log::after(None, &metrics);
        let trials = Halving::new(self.problem, settings)
            .executor(self.executor)
            .observer(&log)
            .stop_when(self.interrupt.flag())
            .run();
        let trials = match trials {
            Err(_) if self.interrupt.is_raised() => return Ok(None),
            trials => trials.map_err(|error| sentence(&error))?,
        };
        Ok((!trials.stopped).then(|| RunResult {
            best: (&trials.best.scored).into(),
            recipe: trials.best.hyper.map(|hyper| hyper.to_string()),
            last: trials.last.iter().map(|one| (&one.scored).into()).collect(),
            seconds: log.seconds(),
        }))
    }

    /// The log of a run, behind what its checkpoint has of it.
    fn metrics(&self, found: Option<&Found>) -> Result<Mutex<Metrics>, Failure> {
        let path = self.folder.join(log::NAME);
        let metrics = match found {
            Some(found) => {
                Metrics::reopen(&path, &found.manifest.metrics).map_err(Failure::Failed)?
            }
            None => Metrics::create(&path)
                .map_err(|e| Failure::Failed(format!("cannot write {}: {e}", path.display())))?,
        };
        Ok(Mutex::new(metrics))
    }

    fn checkpoints<'m>(
        &'m self,
        config: &Config,
        found: Option<&Found>,
        metrics: &'m Mutex<Metrics>,
    ) -> Result<Checkpoints<'m, Supervised<Network>>, Failure> {
        let retention = Retention { keep: 1, share: config.run.checkpoint_share };
        let of = OfRun { config: config.to_toml()?, data: None };
        let made =
            Checkpoints::new(self.folder, self.problem.inner(), of, retention, metrics, found);
        made.map_err(|e| {
            Failure::Failed(format!("cannot keep checkpoints in {}: {e}", self.folder.display()))
        })
    }
}

/// Why a run stopped, without the backtrace that candle puts behind its first line.
fn sentence(error: &CoreError<Error>) -> Failure {
    match error {
        CoreError::Settings(e) => Failure::Usage(e.to_string()),
        other => Failure::Failed(other.to_string().lines().next().unwrap_or_default().to_owned()),
    }
}
