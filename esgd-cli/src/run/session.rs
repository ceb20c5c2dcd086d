//! A run, from its beginning or from a checkpoint, to what it leaves in its folder.

use std::{sync::Mutex, time::Duration};

use esgd_core::{Error as CoreError, Esgd, Failure as CoreFailure, Population, Settings};
use esgd_models::{
    Genome, Network, OptimizerState, Supervised, Workers,
    data::{Fingerprint, Splits},
};

use crate::{
    config::Config,
    failure::Failure,
    run::{
        best_networks::{self, BestNetworks},
        checkpoint::{Checkpoints, Found},
        control,
        folder::RunFolder,
        interrupt::Interrupt,
        log::Metrics,
        metadata,
        progress::Progress,
        summary::{Kept, Status, Summary},
        tensorboard::Events,
        time_limit::TimeLimit,
    },
    terminal,
};

/// Everything that a run needs.
pub struct Session<'a> {
    pub config: &'a Config,
    pub problem: &'a Supervised<Network>,
    pub splits: &'a Splits,
    /// What the splits are, by their contents.
    pub data: &'a Fingerprint,
    pub workers: &'a Workers,
    pub folder: &'a RunFolder,
    pub interrupt: &'a Interrupt,
    pub limit: &'a TimeLimit,
    pub quiet: bool,
    pub json: bool,
    /// Whether TensorBoard's event files are written.
    pub tensorboard: bool,
}

/// Where a run begins.
pub enum From<'a> {
    Start(&'a [Genome]),
    Checkpoint(&'a Found, Box<Population<Genome, OptimizerState>>),
}

impl Session<'_> {
    /// Runs it to its end, or until it is interrupted.
    pub fn run(&self, from: From<'_>) -> Result<(), Failure> {
        let Self { config, folder, .. } = *self;
        folder.check()?;
        let silent = self.quiet || self.json;
        let found = match &from {
            From::Start(_) => None,
            From::Checkpoint(found, _) => Some(*found),
        };
        let metrics = Mutex::new(match found {
            None => {
                folder.write("config.toml", config.to_toml()?.as_bytes())?;
                folder.new_metrics()?
            }
            Some(found) => Metrics::reopen(&folder.metrics(), &found.manifest.metrics)
                .map_err(Failure::Failed)?,
        });
        let kept = (config.run.keep, config.run.checkpoint_share);
        let events = match self.tensorboard {
            true => Some(Mutex::new(Events::of(folder.path(), &folder.lines())?)),
            false => None,
        };
        let kept_with = (config.to_toml()?, Some(self.data.clone()));
        let checkpoints = Checkpoints::new(folder.path(), kept_with, kept, &metrics, found)
            .map_err(|e| {
                Failure::Failed(format!(
                    "cannot keep checkpoints in {}: {e}",
                    folder.path().display()
                ))
            })?;
        let mut progress = Progress::new("ESGD", &config.settings, silent)?
            .explained(&format!("{} {}", config.data.fitness, config.data.score), silent)
            .logged(Some(&metrics), events.as_ref());
        if let From::Checkpoint(found, population) = &from {
            let before = Duration::from_secs_f64(found.manifest.seconds);
            progress = progress.behind(
                before,
                config.epochs_of_generations(population.effort().epochs),
                population,
            );
        }
        let esgd = Esgd::new(self.problem, &config.settings)
            .executor(self.workers)
            .observer(&progress)
            .checkpointer(&checkpoints)
            .patience(config.run.patience)
            .stop_when(self.interrupt.flag());
        let controls = match &from {
            From::Start(warm_start) => config.has_control() && warm_start.is_empty(),
            From::Checkpoint(..) => config.has_control(),
        };
        let outcome = match from {
            From::Start(warm_start) => esgd.warm_start(warm_start).run(),
            From::Checkpoint(_, population) => {
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
        let bytes = |theta: &Genome, fitness| metadata::file(config, self.problem, theta, fitness);
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
        let Self { problem, splits, workers, .. } = *self;
        let mut summary = Summary::of(&outcome, problem, splits, config, workers, took)?;
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
            summary.control = control::run(&with, problem, splits, workers, flag, silent)?;
            if summary.control.is_some() {
                summary.status = Status::Complete;
            }
            folder.write("run.json", &summary.to_bytes()?)?;
        }
        self.show(&summary)?;
        if !summary.fitness.is_finite() && !stopped {
            return Err(Failure::Failed(format!(
                "every network in {} diverged: draw smaller learning rates (optimizers.N.lr), or clip gradients (optimizers.N.clip)",
                folder.path().display()
            )));
        }
        let within = if stopped { "" } else { " after the run, in its control" };
        match self.interrupted(within) {
            _ if summary.status == Status::Complete => Ok(()),
            Some(failure) => Err(failure),
            None => {
                self.say_stopped(within);
                Ok(())
            }
        }
    }

    /// What a run ends with that a signal has stopped.
    fn interrupted(&self, within: &str) -> Option<Failure> {
        let shown = self.folder.path().display();
        let message = || format!("interrupted{within}; go on with: esgd resume {shown}");
        self.interrupt.failure(message)
    }

    /// The same of one that has had its time, which is no failure.
    fn say_stopped(&self, within: &str) {
        let shown = self.folder.path().display();
        let limit = self.limit.passed().unwrap_or_default();
        terminal::notice(&format!(
            "stopped after {limit} as asked{within}; go on with: esgd resume {shown}"
        ));
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

    fn show(&self, summary: &Summary) -> Result<(), Failure> {
        if self.json {
            return terminal::json(summary);
        }
        if self.quiet {
            return Ok(());
        }
        terminal::print(&format!("{}\n", summary.table(self.config)))?;
        let best = match &summary.best_networks[..] {
            [] => String::new(),
            [one] => format!(", {}", one.file),
            [first, .., last] => format!(", {} to {}", first.file, last.file),
        };
        terminal::line(&format!(
            "Saved in {}: best.safetensors{best}, config.toml, metrics.jsonl, run.json",
            self.folder.path().display()
        ))
    }

    /// A failed run still has the last complete population, which can be gone on from.
    fn save_what_is_left(
        &self,
        checkpoints: &Checkpoints<'_>,
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
