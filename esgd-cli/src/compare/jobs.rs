//! What a method does, from its last checkpoint if it has one.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use esgd_core::{
    Entry, Error as CoreError, Esgd, Executor, Fitness, Halving, HalvingSettings, Individual,
    Keeper, KeeperError, Observer, Population, Problem, Report, Settings,
};
use esgd_models::{Error, Genome, OptimizerState};

use super::{
    choosing::{self, Candidate},
    metered::Metered,
};
use crate::{
    checkpoint::{Checkpoints, Found},
    config::Config,
    failure::Failure,
    interrupt::Interrupt,
    metrics::Metrics,
};

/// What a run leaves.
pub struct Left {
    pub best: Candidate,
    /// What the best was last trained with.
    pub recipe: Option<String>,
    /// Best first.
    pub last: Vec<Candidate>,
    pub seconds: f64,
}

/// A population, its checkpoint and what it goes on with.
pub type Resumed = (Found, Population<Genome, OptimizerState>);

/// Where a job runs.
pub struct Place<'a> {
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

impl Log<'_> {
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

/// Keeps the networks that a single run passes through after some generation, to average them.
struct Trail {
    after: usize,
    networks: Mutex<Vec<Arc<Genome>>>,
}

impl Keeper<Genome, OptimizerState> for Trail {
    fn population(&self, psi: &Population<Genome, OptimizerState>) -> Result<(), KeeperError> {
        if psi.generation() > self.after {
            let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
            networks.extend(psi.individuals().iter().map(|one| one.scored().shared()));
        }
        Ok(())
    }

    fn individual(
        &self,
        _: &Individual<Genome, OptimizerState>,
        _: &dyn Fn() -> Vec<Entry<Genome>>,
    ) -> Result<(), KeeperError> {
        Ok(())
    }
}

impl Place<'_> {
    /// A population, or one network.
    pub fn evolve(
        &self,
        config: &Config,
        resumed: Option<Resumed>,
    ) -> Result<Option<Left>, Failure> {
        let (found, psi) = resumed.unzip();
        let metrics = Mutex::new(match &found {
            None => self.new_metrics()?,
            Some(found) => Metrics::reopen(&self.metrics(), &found.manifest.metrics)
                .map_err(Failure::Failed)?,
        });
        let (kept, toml) = ((1, config.run.checkpoint_share), config.to_toml()?);
        let checkpoints = Checkpoints::new(self.folder, toml, kept, &metrics, found.as_ref())
            .map_err(|e| {
                Failure::Failed(format!(
                    "cannot keep checkpoints in {}: {e}",
                    self.folder.display()
                ))
            })?;
        let before = found.map_or(0.0, |found| found.manifest.seconds);
        let log = Log { metrics: &metrics, before, began: Instant::now() };
        let esgd = Esgd::new(self.problem, &config.settings)
            .executor(self.executor)
            .observer(&log)
            .keeper(&checkpoints)
            .stop_when(self.interrupt.flag());
        let outcome = match psi {
            None => esgd.run(),
            Some(psi) => esgd.resume(psi),
        };
        let outcome = outcome.map_err(|failure| sentence(&failure.error))?;
        let last = outcome.population.individuals().iter().map(|one| one.scored().into());
        Ok((!outcome.stopped).then(|| Left {
            best: (&outcome.best.scored).into(),
            recipe: outcome.best.hyper.map(|hyper| hyper.to_string()),
            last: last.collect(),
            seconds: log.seconds(),
        }))
    }

    /// A single run of which the average after some generation counts.
    pub fn average(&self, settings: &Settings, after: usize) -> Result<Option<Left>, Failure> {
        let metrics = Mutex::new(self.new_metrics()?);
        let log = Log { metrics: &metrics, before: 0.0, began: Instant::now() };
        let trail = Trail { after, networks: Mutex::default() };
        let run = Esgd::new(self.problem, settings)
            .executor(self.executor)
            .observer(&log)
            .keeper(&trail)
            .stop_when(self.interrupt.flag())
            .run()
            .map_err(|failure| sentence(&failure.error))?;
        if run.stopped {
            return Ok(None);
        }
        let networks = trail.networks.into_inner().unwrap_or_else(PoisonError::into_inner);
        let networks: Vec<_> = networks.iter().map(|theta| &**theta).collect();
        let plain = self.problem.inner().average(&networks)?;
        let (theta, loss) = match choosing::reestimated(self.problem, &plain)? {
            Some(anew) => anew,
            None => {
                let loss = self.problem.fitness(&plain)?;
                (plain, loss)
            }
        };
        let best = Candidate { theta: Arc::new(theta), fitness: Fitness::new(loss) };
        Ok(Some(Left {
            last: vec![best.clone()],
            best,
            recipe: run.best.hyper.map(|hyper| hyper.to_string()),
            seconds: log.seconds(),
        }))
    }

    /// Successive halving.
    pub fn halve(&self, settings: &HalvingSettings) -> Result<Option<Left>, Failure> {
        let metrics = Mutex::new(self.new_metrics()?);
        let log = Log { metrics: &metrics, before: 0.0, began: Instant::now() };
        let trials = Halving::new(self.problem, settings)
            .executor(self.executor)
            .observer(&log)
            .stop_when(self.interrupt.flag())
            .run();
        let trials = match trials {
            Err(_) if self.interrupt.is_raised() => return Ok(None),
            trials => trials.map_err(|error| sentence(&error))?,
        };
        Ok((!trials.stopped).then(|| Left {
            best: (&trials.best.scored).into(),
            recipe: trials.best.hyper.map(|hyper| hyper.to_string()),
            last: trials.last.iter().map(|one| (&one.scored).into()).collect(),
            seconds: log.seconds(),
        }))
    }

    fn metrics(&self) -> std::path::PathBuf {
        self.folder.join("metrics.jsonl")
    }

    fn new_metrics(&self) -> Result<Metrics, Failure> {
        let path = self.metrics();
        Metrics::create(&path)
            .map_err(|e| Failure::Failed(format!("cannot write {}: {e}", path.display())))
    }
}

/// Why a run stopped, without the backtrace that candle puts behind its first line.
fn sentence(error: &CoreError<Error>) -> Failure {
    match error {
        CoreError::Settings(e) => Failure::Usage(e.to_string()),
        other => Failure::Failed(other.to_string().lines().next().unwrap_or_default().to_owned()),
    }
}
