//! What a method does, from its last checkpoint if it has one.

use std::{
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use esgd_core::{
    CheckpointError, Checkpointer, Entry, Error as CoreError, Esgd, Executor, Halving,
    HalvingSettings, Individual, Outcome as RunOutcome, Population, Portable, Problem, Settings,
    budget::Metered,
};

use super::{
    choosing::Candidate,
    predictor::{Mean, Predictor},
    subject::Subject,
};
use crate::{
    failure::Failure,
    run::{
        checkpoint::{Checkpoints, Found, OfRun, Retention},
        log::{self, Metrics, Writer},
    },
    text::first_line::first_line,
};

/// What a run leaves.
pub(super) struct RunResult<G> {
    pub best: Candidate<G>,
    /// What the best was last trained with.
    pub recipe: Option<String>,
    /// Best first.
    pub last: Vec<Candidate<G>>,
    pub seconds: f64,
}

/// The population of a problem.
type PopulationOf<P> = Population<<P as Problem>::Genome, <P as Problem>::State>;

/// A population, its checkpoint and what it goes on with.
pub(super) type Resumed<P> = (Found, PopulationOf<P>);

/// What a run leaves; `None` if it was stopped.
type Leaves<P> = Result<Option<RunResult<<P as Problem>::Genome>>, Failure>;

/// Where a job runs.
pub(super) struct Workspace<'a, P: Portable> {
    pub folder: &'a Path,
    pub subject: &'a Subject<'a, P>,
    pub problem: &'a Metered<'a, P>,
    pub executor: &'a dyn Executor,
    pub stop: &'a AtomicBool,
}

/// Averages the networks that a single run passes through after some generation. Checkpoints end there: a
/// run that is interrupted while it averages goes on from where that began.
struct WeightAverager<'a, P: Portable> {
    checkpoints: &'a Checkpoints<'a, P>,
    after: usize,
    mean: Mutex<Box<dyn Mean<P::Genome>>>,
}

impl<P: Portable> Checkpointer<P::Genome, P::State> for WeightAverager<'_, P> {
    fn population(&self, population: &PopulationOf<P>) -> Result<(), CheckpointError> {
        if population.generation() <= self.after {
            return self.checkpoints.population(population);
        }
        let mut mean = self.mean.lock().unwrap_or_else(PoisonError::into_inner);
        population.individuals().iter().try_for_each(|one| Ok(mean.add(one.scored().theta())?))
    }

    /// Its generations are an epoch each, so there is nothing in between to keep.
    fn individual(
        &self,
        _: &Individual<P::Genome, P::State>,
        _: &dyn Fn() -> Vec<Entry<P::Genome>>,
    ) -> Result<(), CheckpointError> {
        Ok(())
    }
}

impl<P: Portable> Workspace<'_, P> {
    /// A population, or one network.
    pub(super) fn evolve(&self, settings: &Settings, resumed: Option<Resumed<P>>) -> Leaves<P> {
        let log = self.log(resumed.as_ref())?;
        let checkpoints = self.checkpoints(settings, &log, resumed.as_ref())?;
        let run = self.run(settings, &log, &checkpoints, resumed)?;
        let last = run.population.individuals().iter().map(|one| one.scored().into());
        Ok((!run.stopped).then(|| RunResult {
            best: (&run.best.scored).into(),
            recipe: run.best.hyper.as_ref().map(ToString::to_string),
            last: last.collect(),
            seconds: log.elapsed().as_secs_f64(),
        }))
    }

    /// A single run and the average of its weights after some generation: as they are, or with statistics
    /// estimated anew. The best of all counts, as of every run.
    pub(super) fn average(
        &self,
        settings: &Settings,
        after: usize,
        predictor: &dyn Predictor<P>,
        resumed: Option<Resumed<P>>,
    ) -> Leaves<P> {
        let log = self.log(resumed.as_ref())?;
        let checkpoints = self.checkpoints(settings, &log, resumed.as_ref())?;
        let mean = Mutex::new(predictor.mean());
        let averager = WeightAverager { checkpoints: &checkpoints, after, mean };
        let run = self.run(settings, &log, &averager, resumed)?;
        if run.stopped {
            return Ok(None);
        }
        let seconds = log.elapsed().as_secs_f64();
        let mut all: Vec<Candidate<P::Genome>> = vec![(&run.best.scored).into()];
        let mean = averager.mean.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(mean) = mean.mean()? {
            all.extend(predictor.averaged(self.problem, mean)?);
        }
        let best = all.into_iter().min_by_key(|one| one.fitness);
        Ok(best.map(|best| RunResult {
            last: vec![best.clone()],
            best,
            recipe: run.best.hyper.as_ref().map(ToString::to_string),
            seconds,
        }))
    }

    /// Runs or goes on.
    fn run(
        &self,
        settings: &Settings,
        log: &Writer<'_>,
        checkpointer: &dyn Checkpointer<P::Genome, P::State>,
        resumed: Option<Resumed<P>>,
    ) -> Result<RunOutcome<Metered<'_, P>>, Failure> {
        let esgd = Esgd::new(self.problem, settings)
            .executor(self.executor)
            .observer(log)
            .checkpointer(checkpointer)
            .stop_when(self.stop);
        let outcome = match resumed {
            None => esgd.run(),
            Some((_, population)) => esgd.resume(population),
        };
        outcome.map_err(|failure| sentence(&failure.error))
    }

    /// Successive halving.
    pub(super) fn halve(&self, settings: &HalvingSettings) -> Leaves<P> {
        let log = self.log(None)?;
        let trials = Halving::new(self.problem, settings)
            .executor(self.executor)
            .observer(&log)
            .stop_when(self.stop)
            .run();
        let trials = match trials {
            Err(_) if self.stop.load(Ordering::Relaxed) => return Ok(None),
            trials => trials.map_err(|error| sentence(&error))?,
        };
        Ok((!trials.stopped).then(|| RunResult {
            best: (&trials.best.scored).into(),
            recipe: trials.best.hyper.map(|hyper| hyper.to_string()),
            last: trials.last.iter().map(|one| (&one.scored).into()).collect(),
            seconds: log.elapsed().as_secs_f64(),
        }))
    }

    /// The log of a run.
    fn log(&self, resumed: Option<&Resumed<P>>) -> Result<Writer<'static>, Failure> {
        let found = resumed.map(|(found, _)| found);
        let extent = found.map(|found| &found.manifest.metrics);
        Ok(Writer::new(Metrics::open(&self.folder.join(log::NAME), extent)?, found, &()))
    }

    fn checkpoints(
        &self,
        settings: &Settings,
        log: &Writer<'_>,
        resumed: Option<&Resumed<P>>,
    ) -> Result<Checkpoints<'_, P>, Failure> {
        let retention = Retention { keep: 1, share: self.subject.checkpoint_share };
        let of = OfRun { config: self.subject.configs.to_toml(settings)?, data: None };
        let found = resumed.map(|(found, _)| found);
        Checkpoints::new(self.folder, self.subject.problem, of, retention, log, found)
    }
}

/// Why a run stopped.
fn sentence<E: std::error::Error>(error: &CoreError<E>) -> Failure {
    match error {
        CoreError::Settings(e) => Failure::Usage(e.to_string()),
        other => Failure::Failed(first_line(other)),
    }
}
