//! Running one trial, and what its networks come to on test data.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use esgd_core::{Executor, Fitness, Settings};
use esgd_models::{Evaluation, Genome, Network, Supervised, Workers, data::Splits, regular_file};
use indicatif::ProgressBar;

use super::{
    choosing::{self, Candidate},
    costs::{Metered, Spent},
    jobs::{Resumed, RunResult, Workspace},
    methods::Job,
    trial::Trial,
};
use crate::{
    compare::outcome::{Outcome, Scores, Test},
    config::Config,
    failure::Failure,
    files::{atomic_file, held_folder::HeldFolder, own_file},
    run::{checkpoint, interrupt::Interrupt, log, restore, setting, summary::TOP},
    terminal,
};

/// What a run of a comparison leaves beside its result, in the order in which it is written.
const CONFIG: &str = "config.toml";
const BEST: &str = "best.safetensors";

/// Everything that runs have in common.
pub(super) struct Context<'a> {
    pub config: &'a Config,
    pub problem: &'a Supervised<Network>,
    pub splits: &'a Splits,
    /// The comparison's folder.
    pub held: &'a HeldFolder,
    pub interrupt: &'a Interrupt,
    pub bar: &'a ProgressBar,
}

impl Context<'_> {
    /// Runs a trial and keeps what it came to; `None` if it was interrupted.
    pub(super) fn run(&self, trial: &Trial, workers: &Workers) -> Result<Option<Outcome>, Failure> {
        self.held.check().map_err(|e| Failure::Failed(e.to_string()))?;
        let resumed = self.prepare(trial)?;
        let before = match (&trial.job, &resumed) {
            (Job::Evolve(settings) | Job::Average { settings, .. }, Some((_, population))) => {
                setting::cost(self.problem).spent(settings, population.effort())?
            }
            _ => Spent::default(),
        };
        let progress = |passes| self.bar.inc(passes);
        let problem = Metered::new(self.problem, setting::cost(self.problem), before, &progress);
        let (folder, interrupt) = (trial.folder.as_path(), self.interrupt);
        let place = Workspace { folder, problem: &problem, executor: workers, interrupt };
        let left = match &trial.job {
            Job::Evolve(settings) => place.evolve(&self.config_with(settings), resumed)?,
            Job::Average { settings, after } => {
                place.average(&self.config_with(settings), *after, resumed)?
            }
            Job::Halve(settings) => place.halve(settings)?,
        };
        let Some(left) = left else { return Ok(None) };
        let outcome = self.outcome(trial, &problem, left, workers)?;
        let most = problem.spent().passes();
        if most > trial.budget {
            return Err(Failure::Failed(format!(
                "{} spent {most} of {} forward passes: this is a bug in the comparison, please report it",
                trial.title(),
                trial.budget
            )));
        }
        trial.keep(&outcome)?;
        // It will not be gone on with.
        remove_checkpoints(&trial.folder.join(checkpoint::DIR));
        Ok(Some(outcome))
    }

    /// The config of a run that `esgd train` could make.
    fn config_with(&self, settings: &Settings) -> Config {
        Config { settings: settings.clone(), ..self.config.clone() }
    }

    /// The config that a trial's folder has.
    fn config_of(&self, trial: &Trial) -> Config {
        match &trial.job {
            Job::Evolve(settings) | Job::Average { settings, .. } => self.config_with(settings),
            Job::Halve(halving) => {
                self.config_with(&Settings { seed: halving.seed, ..self.config.settings.clone() })
            }
        }
    }

    /// A folder to run in, and the checkpoint that is in it. What is there and cannot be used is not removed,
    /// and what this comparison did not begin is not touched.
    fn prepare(&self, trial: &Trial) -> Result<Option<Resumed>, Failure> {
        let config = self.config_of(trial);
        let hint = |failure: Failure| {
            let folder = trial.folder.display();
            Failure::Failed(format!("{failure}; to run it again, move the folder {folder} away"))
        };
        let foreign = || {
            let why = "its files are not of this run of the comparison, and stay as they are";
            hint(Failure::Failed(format!("{} cannot be used: {why}", trial.folder.display())))
        };
        trial.folder.parent().map_or(Ok(()), own_file::folder)?;
        own_file::folder(&trial.folder)?;
        let at = |name: &str| fs::symlink_metadata(trial.folder.join(name));
        let mut files = [CONFIG, log::NAME, BEST].into_iter().filter_map(|name| at(name).ok());
        if files.any(|metadata| !metadata.is_file()) {
            return Err(foreign());
        }
        if let Job::Evolve(_) | Job::Average { .. } = trial.job {
            if let Some(found) = checkpoint::search(&trial.folder).map_err(hint)? {
                for damaged in &found.damaged {
                    let title = trial.title();
                    self.bar.suspend(|| {
                        terminal::notice(&format!(
                            "{title} goes back to an earlier checkpoint: {damaged}"
                        ));
                    });
                }
                let was = Config::with_changes(&found.manifest.config, "its checkpoint", &[]);
                if was.map_err(hint)?.settings != config.settings {
                    return Err(foreign());
                }
                let population =
                    restore::restore(&trial.folder, &found, self.problem).map_err(hint)?;
                return Ok(Some((found, population)));
            }
        }
        let file = trial.folder.join(CONFIG);
        // A run of it that was stopped has begun with its config.
        let is_of_cell = |was: &Settings| match &trial.job {
            Job::Evolve(_) | Job::Average { .. } => *was == config.settings,
            // Nothing else of the config tells what it does.
            Job::Halve(halving) => was.seed == halving.seed,
        };
        let begun = || Config::of_run(&file).is_ok_and(|was| is_of_cell(&was.settings));
        if [CONFIG, log::NAME, BEST].into_iter().any(|name| at(name).is_ok()) && !begun() {
            return Err(foreign());
        }
        atomic_file::write(&file, config.to_toml()?.as_bytes())?;
        Ok(None)
    }

    fn outcome(
        &self,
        trial: &Trial,
        problem: &Metered<'_>,
        left: RunResult,
        workers: &Workers,
    ) -> Result<Outcome, Failure> {
        let spent = problem.spent();
        let best = self.one(&left.best)?;
        let file = trial.folder.join(BEST);
        atomic_file::write(&file, &left.best.theta.to_safetensors()?)?;
        let sound = sound(&left);
        let (mut ensemble, mut soup) = (None, None);
        if trial.method.leaves_many() && sound.len() > 1 {
            let chosen = choosing::ensemble(problem, &sound, workers)?;
            let members = chosen.members.len();
            let chosen_with = problem.spent() - spent;
            let test = match self.splits.test.is_empty() {
                true => None,
                false => Some(choosing::evaluate(
                    problem,
                    &chosen.networks(&sound),
                    &self.splits.test,
                    workers,
                )?),
            };
            ensemble =
                Some(scores(Size { networks: members, members }, chosen.loss, test, chosen_with));
            let before = problem.spent();
            let (chosen, theta) = choosing::soup(problem, &sound)?;
            let size = Size { networks: 1, members: chosen.members.len() };
            let test = self.test(&theta)?;
            soup = Some(scores(size, chosen.loss, test, problem.spent() - before));
        }
        Ok(Outcome {
            method: trial.method,
            seed: trial.seed,
            rate: trial.rate,
            spent,
            threads: workers.count().min(trial.job.width()),
            seconds: left.seconds,
            recipe: left.recipe,
            best,
            ensemble,
            soup,
            top: self.top(&left.last, workers)?,
        })
    }

    /// The best of those that are left.
    fn top(&self, last: &[Candidate], executor: &dyn Executor) -> Result<Vec<Scores>, Failure> {
        let top = &last[..last.len().min(TOP)];
        let trials: Vec<_> = top.iter().map(|_| Mutex::new(None)).collect();
        executor.run(top.len(), &|i| {
            *trials[i].lock().unwrap_or_else(PoisonError::into_inner) = Some(self.one(&top[i]));
        });
        let done = trials.into_iter().zip(top).map(|(trial, one)| {
            let done = trial.into_inner().unwrap_or_else(PoisonError::into_inner);
            done.unwrap_or_else(|| self.one(one))
        });
        done.collect()
    }

    fn one(&self, one: &Candidate) -> Result<Scores, Failure> {
        let test = self.test(&one.theta)?;
        Ok(scores(Size { networks: 1, members: 1 }, one.fitness.get(), test, Spent::default()))
    }

    fn test(&self, theta: &Genome) -> Result<Option<Evaluation>, Failure> {
        let data = &self.splits.test;
        if data.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.problem.evaluate(theta, data)?))
    }
}

/// What an ensemble or a soup may be made of: the best network, which may be of an earlier generation, and
/// those that are left.
fn sound(left: &RunResult) -> Vec<Candidate> {
    let others = left.last.iter().filter(|one| !Arc::ptr_eq(&one.theta, &left.best.theta));
    let all = std::iter::once(&left.best).chain(others);
    all.filter(|one| one.fitness.is_finite()).cloned().collect()
}

/// Removes a run's checkpoints, and nothing else that may lie among them.
fn remove_checkpoints(dir: &Path) {
    if !regular_file::is_folder(dir) {
        return;
    }
    for entry in fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok) {
        if checkpoint::is_ours(&entry.path()) && regular_file::is_there(&entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
    // It stays if something else is in it.
    let _ = fs::remove_dir(dir);
}

/// How many networks are evaluated for an answer, and how many are in it.
struct Size {
    networks: usize,
    members: usize,
}

fn scores(size: Size, loss: f64, test: Option<Evaluation>, chosen_with: Spent) -> Scores {
    Scores {
        networks: size.networks,
        members: size.members,
        fitness: Fitness::new(loss),
        test: test.map(|test| Test { loss: Fitness::new(test.loss), error: test.error }),
        chosen_with,
    }
}
