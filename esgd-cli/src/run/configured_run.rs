//! A run of a config, from its beginning or from a checkpoint, to what it leaves in its folder.

use std::time::Instant;

use esgd_core::{Esgd, Fitness, Population, Settings};
use esgd_models::{Genome, OptimizerState, data::Fingerprint};

use crate::{
    config::Config,
    failure::Failure,
    run::{
        best_networks::{self, BestNetworks},
        checkpoint::{Checkpoints, Found, Left, OfRun, Retention},
        control,
        folder::RunFolder,
        log::Writer,
        metadata,
        setting::Setting,
        summary::{Kept, Status, Summary},
        tensorboard::Events,
        time_limit::TimeLimit,
        watcher::{Around, Behind, Of, Training},
    },
};

/// Everything that a run of a config needs.
pub struct ConfiguredRun<'a> {
    config: &'a Config,
    setting: &'a Setting,
    /// What the data are, by their contents.
    data: Fingerprint,
    folder: &'a RunFolder,
    limit: TimeLimit,
    around: Around<'a>,
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

impl<'a> ConfiguredRun<'a> {
    /// A run in this folder, which has its time from when the process `began`.
    ///
    /// # Errors
    /// That it cannot watch the time.
    pub fn new(
        config: &'a Config,
        setting: &'a Setting,
        data: Fingerprint,
        folder: &'a RunFolder,
        began: Instant,
        around: Around<'a>,
    ) -> Result<Self, Failure> {
        let limit = TimeLimit::watch(config.run.max_time, began, &around.interrupt)?;
        Ok(Self { config, setting, data, folder, limit, around })
    }

    /// Runs it to its end, or until it is interrupted.
    ///
    /// # Errors
    /// That the folder cannot be written to, that it was stopped before there was anything to go on from, or whatever
    /// fails on the way; then the last population is kept where it can be.
    pub fn run(&self, from: Begin<'_>) -> Result<Ended, Failure> {
        let Self { config, setting, folder, ref around, .. } = *self;
        let Setting { problem, workers, .. } = setting;
        folder.check()?;
        let (found, behind) = match &from {
            Begin::Start(_) => (None, None),
            Begin::Checkpoint(found, population) => (Some(*found), Some(self.behind(population))),
        };
        let text = config.to_toml()?;
        if found.is_none() {
            folder.write("config.toml", text.as_bytes())?;
        }
        let metrics = folder.log(found)?;
        let events = match around.tensorboard {
            true => Some(Events::of(folder.path(), &folder.lines()?)?),
            false => None,
        };
        let watching = around.watcher.watch(Training {
            title: "ESGD",
            settings: &config.settings,
            of: Of::Run { fitness: format!("{} {}", config.data.fitness, config.data.score) },
            behind,
        })?;
        let log = Writer::new(metrics, found, &*watching).events(events);
        let checkpoints = Checkpoints::new(
            folder.path(),
            problem,
            OfRun { config: text.clone(), data: Some(self.data.clone()) },
            Retention { keep: config.run.keep, share: config.run.checkpoint_share },
            &log,
            found,
        )?;
        let esgd = Esgd::new(problem, &config.settings)
            .executor(workers)
            .observer(&log)
            .checkpointer(&checkpoints)
            .patience(config.run.patience)
            .stop_when(around.interrupt.flag());
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
                folder.write("config.toml", text.as_bytes())?;
                esgd.resume(*population)
            }
        };
        let took = log.elapsed();
        // Its bar is not to stand over what comes now.
        drop(log);
        drop(watching);
        let outcome = outcome.map_err(|failure| match checkpoints.keep(*failure) {
            Left { why, refused: true, .. } => Failure::Usage(why),
            Left { why, goes_on: true, .. } => self.with_advice(&why),
            Left { why, .. } => Failure::Failed(why),
        })?;
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
            let flag = around.interrupt.flag();
            summary.control = control::run(&with, setting, flag, around.watcher)?;
            if summary.control.is_some() {
                summary.status = Status::Complete;
            }
            folder.write("run.json", &summary.to_bytes()?)?;
        }
        let end = self.end(&summary, stopped);
        Ok(Ended { summary, end })
    }

    /// How far the run was that goes on with this population.
    fn behind(&self, population: &Population<Genome, OptimizerState>) -> Behind {
        Behind {
            epochs: self.config.epochs_of_generations(population.effort().epochs),
            generation: population.generation(),
            best: population.guarded().first().copied().unwrap_or(Fitness::WORST),
            stage: population.stage(),
        }
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
        self.around.interrupt.failure(message)
    }

    /// The same of one that has had its time, which is no failure.
    fn out_of_time(&self, within: &str) -> String {
        let shown = self.folder.path().display();
        let after = self.limit.passed().map(|limit| format!(" after {limit}")).unwrap_or_default();
        format!("stopped{after} as asked{within}; go on with: esgd resume {shown}")
    }

    fn stopped_too_early(&self) -> Failure {
        let nothing = "before the first generation, so there is nothing to go on from yet";
        let interrupted = self.around.interrupt.failure(|| format!("interrupted {nothing}"));
        interrupted.unwrap_or_else(|| {
            Failure::Failed(match self.limit.passed() {
                Some(limit) => {
                    format!("stopped after {limit} as asked, {nothing}: allow more with --max-time")
                }
                None => format!("stopped as asked, {nothing}"),
            })
        })
    }

    fn with_advice(&self, reason: &str) -> Failure {
        Failure::Failed(format!(
            "{reason}; when that is mended, go on with: esgd resume {}",
            self.folder.path().display()
        ))
    }
}
