//! A run, from its beginning or from a checkpoint, to what it leaves in its folder.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use esgd_core::{Error as CoreError, Esgd, Failure as CoreFailure, Population, Settings};
use esgd_models::{Genome, Network, OptimizerState, Supervised, data::Fingerprint};

use crate::{
    config::Config,
    failure::Failure,
    run::{
        best_networks::{self, BestNetworks},
        checkpoint::{Checkpoints, Found, OfRun, Retention},
        control,
        folder::RunFolder,
        interrupt::Interrupt,
        log::Metrics,
        metadata,
        progress::Progress,
        setting::Setting,
        summary::{Kept, Status, Summary},
        tensorboard::Events,
        time_limit::TimeLimit,
    },
};

/// Everything that a run needs.
pub struct Session<'a> {
    config: &'a Config,
    setting: &'a Setting,
    /// What the data are, by their contents.
    data: Fingerprint,
    folder: &'a RunFolder,
    interrupt: Interrupt,
    limit: TimeLimit,
    shown: Shown,
}

/// What is shown of a run while it goes on, and written for that.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// Whether neither a bar nor lines are shown.
    pub silent: bool,
    /// Whether TensorBoard's event files are written.
    pub tensorboard: bool,
}

/// What a run came to.
pub struct Ended {
    /// What `run.json` has.
    pub summary: Summary,
    /// And how it ended.
    pub end: End,
}

/// How a run ended.
pub enum End {
    /// As it should.
    Complete,
    /// It has had its time: what there is to say of that.
    OutOfTime(String),
    /// By a signal, or every network diverged.
    Failed(Failure),
}

/// Where a run begins.
pub enum Begin<'a> {
    /// With a population that begins from these networks, or without any from new ones.
    Start(&'a [Genome]),
    /// Where this checkpoint left it, with its population.
    Checkpoint(&'a Found, Box<Population<Genome, OptimizerState>>),
}

impl<'a> Session<'a> {
    /// A run in this folder, which listens to signals and has its time from when the process `began`.
    ///
    /// # Errors
    /// That it cannot listen, or cannot watch the time.
    pub fn new(
        config: &'a Config,
        setting: &'a Setting,
        data: Fingerprint,
        folder: &'a RunFolder,
        began: Instant,
        shown: Shown,
    ) -> Result<Self, Failure> {
        let interrupt = Interrupt::listen()?;
        let limit = TimeLimit::watch(config.run.max_time, began, &interrupt)?;
        Ok(Self { config, setting, data, folder, interrupt, limit, shown })
    }

    /// Runs it to its end, or until it is interrupted.
    ///
    /// # Errors
    /// That the folder cannot be written to, that it was stopped before there was anything to go on from, or whatever
    /// fails on the way; then the last population is kept where it can be.
    pub fn run(&self, from: Begin<'_>) -> Result<Ended, Failure> {
        let Self { config, setting, folder, shown, .. } = *self;
        let Setting { problem, workers, .. } = setting;
        let silent = shown.silent;
        folder.check()?;
        let found = match &from {
            Begin::Start(_) => None,
            Begin::Checkpoint(found, _) => Some(*found),
        };
        let metrics = Mutex::new(match found {
            None => {
                folder.write("config.toml", config.to_toml()?.as_bytes())?;
                folder.new_metrics()?
            }
            Some(found) => Metrics::reopen(&folder.metrics(), &found.manifest.metrics)
                .map_err(Failure::Failed)?,
        });
        let retention = Retention { keep: config.run.keep, share: config.run.checkpoint_share };
        let events = match shown.tensorboard {
            true => Some(Mutex::new(Events::of(folder.path(), &folder.lines()?)?)),
            false => None,
        };
        let of = OfRun { config: config.to_toml()?, data: Some(self.data.clone()) };
        let checkpoints = Checkpoints::new(folder.path(), problem, of, retention, &metrics, found)
            .map_err(|e| {
                Failure::Failed(format!(
                    "cannot keep checkpoints in {}: {e}",
                    folder.path().display()
                ))
            })?;
        let mut progress = Progress::new("ESGD", &config.settings, silent)?
            .explained(&format!("{} {}", config.data.fitness, config.data.score), silent)
            .logged(Some(&metrics), events.as_ref());
        if let Begin::Checkpoint(found, population) = &from {
            let before = Duration::from_secs_f64(found.manifest.seconds);
            progress = progress.behind(
                before,
                config.epochs_of_generations(population.effort().epochs),
                population,
            );
        }
        let esgd = Esgd::new(problem, &config.settings)
            .executor(workers)
            .observer(&progress)
            .checkpointer(&checkpoints)
            .patience(config.run.patience)
            .stop_when(self.interrupt.flag());
        let controls = match &from {
            Begin::Start(warm_start) => config.has_control() && warm_start.is_empty(),
            Begin::Checkpoint(..) => config.has_control(),
        };
        let outcome = match from {
            Begin::Start(warm_start) => esgd.warm_start(warm_start).run(),
            Begin::Checkpoint(_, population) => {
                // They would be those of a shorter run.
                best_networks::remove(folder)?;
                folder.remove("run.json")?;
                checkpoints.save(&population).map_err(Failure::Failed)?;
                folder.write("config.toml", config.to_toml()?.as_bytes())?;
                esgd.resume(*population)
            }
        };
        let took = progress.finish();
        let outcome = outcome.map_err(|failure| self.save_what_is_left(&checkpoints, *failure))?;
        let bytes = |theta: &Genome, fitness| metadata::file(config, problem, theta, fitness);
        let stopped = outcome.stopped;
        if stopped && !checkpoints.any() {
            return Err(self.stopped_too_early());
        }
        checkpoints.save(&outcome.population).map_err(|e| self.with_advice(&e))?;
        let best = &outcome.best.scored;
        folder.write("best.safetensors", &bytes(best.theta(), best.fitness())?)?;
        if let (true, Some(failure)) = (stopped, self.interrupted("")) {
            return Err(failure);
        }
        let mut summary = Summary::of(&outcome, setting, config, took)?;
        let (written, took) = checkpoints.spent();
        summary.data = Some(self.data.clone());
        summary.checkpoints = Some(Kept { written, seconds: took.as_secs_f64() });
        summary.status = match (stopped, controls) {
            (true, _) => Status::Stopped,
            (false, true) => Status::ControlMissing,
            (false, false) => Status::Complete,
        };
        let best = BestNetworks::of(&outcome.population, config.run.keep_best);
        summary.best_networks.clone_from(&best.list);
        folder.write("run.json", &summary.to_bytes()?)?;
        best.write(folder, bytes)?;
        let reached = outcome.population.generation();
        // The control has the memory to itself.
        drop((outcome, best));
        if controls && !stopped {
            let with = Settings { generations: reached, ..config.settings.clone() };
            let flag = self.interrupt.flag();
            summary.control = control::run(&with, setting, flag, silent)?;
            if summary.control.is_some() {
                summary.status = Status::Complete;
            }
            folder.write("run.json", &summary.to_bytes()?)?;
        }
        let end = self.end(&summary, stopped);
        Ok(Ended { summary, end })
    }

    /// How a run that has come to this, and was perhaps stopped, has ended.
    fn end(&self, summary: &Summary, stopped: bool) -> End {
        if !summary.fitness.is_finite() && !stopped {
            return End::Failed(Failure::Failed(format!(
                "every network in {} diverged: draw smaller learning rates (optimizers.N.lr), or clip gradients (optimizers.N.clip)",
                self.folder.path().display()
            )));
        }
        let within = if stopped { "" } else { " after the run, in its control" };
        match self.interrupted(within) {
            _ if summary.status == Status::Complete => End::Complete,
            Some(failure) => End::Failed(failure),
            None => End::OutOfTime(self.out_of_time(within)),
        }
    }

    /// What a run ends with that a signal has stopped.
    fn interrupted(&self, within: &str) -> Option<Failure> {
        let shown = self.folder.path().display();
        let message = || format!("interrupted{within}; go on with: esgd resume {shown}");
        self.interrupt.failure(message)
    }

    /// The same of one that has had its time, which is no failure.
    fn out_of_time(&self, within: &str) -> String {
        let shown = self.folder.path().display();
        let limit = self.limit.passed().unwrap_or_default();
        format!("stopped after {limit} as asked{within}; go on with: esgd resume {shown}")
    }

    fn stopped_too_early(&self) -> Failure {
        let nothing = "before the first generation, so there is nothing to go on from yet";
        let interrupted = self.interrupt.failure(|| format!("interrupted {nothing}"));
        let limit = self.limit.passed().unwrap_or_default();
        interrupted.unwrap_or_else(|| {
            Failure::Failed(format!(
                "stopped after {limit} as asked, {nothing}: allow more with --max-time"
            ))
        })
    }

    /// A failed run still has the last complete population, which can be gone on from.
    fn save_what_is_left(
        &self,
        checkpoints: &Checkpoints<'_, Supervised<Network>>,
        failure: CoreFailure<Supervised<Network>>,
    ) -> Failure {
        let reason = match failure.error {
            CoreError::Settings(e) => return Failure::Usage(e.to_string()),
            // Perhaps there is room again.
            CoreError::CheckpointFailed(e) => e.to_string(),
            // candle puts a backtrace behind its first line.
            other => other.to_string().lines().next().unwrap_or_default().to_owned(),
        };
        let saved = failure.population.map(|population| checkpoints.save(&population));
        match saved {
            Some(Ok(())) => self.with_advice(&reason),
            Some(Err(e)) if checkpoints.any() && e == reason => self.with_advice(&reason),
            Some(Err(e)) if checkpoints.any() => self.with_advice(&format!("{reason}; and {e}")),
            Some(Err(_)) | None => Failure::Failed(reason),
        }
    }

    fn with_advice(&self, reason: &str) -> Failure {
        Failure::Failed(format!(
            "{reason}; when that is mended, go on with: esgd resume {}",
            self.folder.path().display()
        ))
    }
}
