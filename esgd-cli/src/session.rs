//! A run, from its beginning or from a checkpoint, to what it leaves in its folder.

use std::{sync::Mutex, time::Duration};

use esgd_core::{Error as CoreError, Esgd, Failure as CoreFailure, Population};
use esgd_models::{Genome, Network, OptimizerState, Supervised, Workers, data::Splits};

use crate::{
    checkpoint::{Checkpoints, Found},
    config::Config,
    contrast,
    failure::Failure,
    interrupt::Interrupt,
    metadata,
    metrics::Metrics,
    progress::Progress,
    run_folder::RunFolder,
    summary::{Kept, Summary},
    tensorboard::Events,
    terminal,
};

/// Everything that a run needs.
pub struct Session<'a> {
    pub config: &'a Config,
    pub problem: &'a Supervised<Network>,
    pub splits: &'a Splits,
    pub workers: &'a Workers,
    pub folder: &'a RunFolder,
    pub interrupt: &'a Interrupt,
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
        let checkpoints = Checkpoints::new(folder.path(), config.to_toml()?, kept, &metrics, found)
            .map_err(|e| {
                Failure::Failed(format!(
                    "cannot keep checkpoints in {}: {e}",
                    folder.path().display()
                ))
            })?;
        let mut progress =
            Progress::new("ESGD", &config.settings, silent).logged(Some(&metrics), events.as_ref());
        if let From::Checkpoint(found, psi) = &from {
            let before = Duration::from_secs_f64(found.manifest.seconds);
            progress = progress.behind(before, config.epochs_of_generations(psi.tally().epochs));
        }
        let esgd = Esgd::new(self.problem, &config.settings)
            .executor(self.workers)
            .observer(&progress)
            .keeper(&checkpoints)
            .stop_when(self.interrupt.flag());
        let contrasts = match &from {
            From::Start(founders) => config.run.contrast && founders.is_empty(),
            From::Checkpoint(..) => config.run.contrast && !config.has_founders(),
        };
        let outcome = match from {
            From::Start(founders) => esgd.founders(founders).run(),
            From::Checkpoint(_, psi) => {
                checkpoints.save(&psi).map_err(Failure::Failed)?;
                folder.write("config.toml", config.to_toml()?.as_bytes())?;
                // It would be that of a shorter run.
                folder.remove("run.json")?;
                esgd.resume(*psi)
            }
        };
        let took = progress.finish();
        let outcome = outcome.map_err(|failure| self.save_what_is_left(&checkpoints, *failure))?;
        let begun = !outcome.stopped || checkpoints.any();
        if begun {
            checkpoints.save(&outcome.population).map_err(|e| self.with_advice(&e))?;
            folder
                .write("best.safetensors", &metadata::best(config, self.problem, &outcome.best)?)?;
        }
        let shown = folder.path().display();
        if outcome.stopped {
            drop(outcome);
            let message = || match begun {
                true => format!("interrupted; go on with: esgd resume {shown}"),
                false => {
                    "interrupted before the first generation, so there is nothing to go on from yet"
                        .into()
                }
            };
            return Err(self.interrupt.failure(message).unwrap_or(Failure::Failed(message())));
        }
        let Self { problem, splits, workers, .. } = *self;
        let mut summary = Summary::of(&outcome, problem, splits, config, workers, took)?;
        let (written, took) = checkpoints.spent();
        summary.checkpoints = Some(Kept { written, seconds: took.as_secs_f64() });
        summary.status = if contrasts { "contrast missing" } else { "complete" };
        folder.write_json("run.json", &summary)?;
        // The contrast has the memory to itself.
        drop(outcome);
        if contrasts {
            let flag = self.interrupt.flag();
            summary.contrast =
                contrast::run(&config.settings, problem, splits, workers, flag, silent)?;
            if summary.contrast.is_some() {
                summary.status = "complete";
            }
            folder.write_json("run.json", &summary)?;
        }
        self.show(&summary)?;
        if !summary.fitness.is_finite() {
            return Err(Failure::Failed(format!(
                "every network in {shown} diverged: draw smaller learning rates (optimizers.N.lr), or clip gradients (optimizers.N.clip)"
            )));
        }
        let message = || {
            format!("interrupted after the run, in its contrast; go on with: esgd resume {shown}")
        };
        match self.interrupt.failure(message) {
            Some(failure) if summary.status != "complete" => Err(failure),
            _ => Ok(()),
        }
    }

    fn show(&self, summary: &Summary) -> Result<(), Failure> {
        if self.json {
            return terminal::json(summary);
        }
        if self.quiet {
            return Ok(());
        }
        terminal::print(&format!("{}\n", summary.table(self.config)))?;
        terminal::line(&format!(
            "Saved in {}: best.safetensors, config.toml, metrics.jsonl, run.json",
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
            CoreError::NotKept(e) => e.to_string(),
            // candle puts a backtrace behind its first line.
            other => other.to_string().lines().next().unwrap_or_default().to_owned(),
        };
        let saved = failure.population.map(|psi| checkpoints.save(&psi));
        match saved {
            Some(Ok(())) => self.with_advice(&reason),
            Some(Err(e)) => self.with_advice(&format!("{reason}; and {e}")),
            None => Failure::Failed(reason),
        }
    }

    fn with_advice(&self, reason: &str) -> Failure {
        Failure::Failed(format!(
            "{reason}; when that is mended, go on with: esgd resume {}",
            self.folder.path().display()
        ))
    }
}
