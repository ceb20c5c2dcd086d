//! Running one trial, and what its networks come to on test data.

use std::{
    fs,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use esgd_core::{
    Executor, Fitness, Portable, Settings,
    budget::{Metered, Spent},
    work,
};
use esgd_models::{Evaluation, Workers, regular_file};

use super::{
    choosing::Candidate,
    jobs::{Resumed, RunResult, Workspace},
    methods::Job,
    outcome::{Outcome, Scores, Test},
    predictor::Together,
    subject::Subject,
    trial::Trial,
    watcher::Watcher,
};
use crate::{
    failure::Failure,
    files::{atomic_file, held_folder::HeldFolder, own_file},
    run::{checkpoint, log, restore, summary::TOP},
    text::first_line::first_line,
};

/// What a run of a comparison leaves beside its result, in the order in which it is written.
const CONFIG: &str = "config.toml";
const BEST: &str = "best.safetensors";

/// Everything that runs have in common.
pub(super) struct Context<'a, P: Portable> {
    pub subject: &'a Subject<'a, P>,
    /// The comparison's folder.
    pub held: &'a HeldFolder,
    pub stop: &'a AtomicBool,
    pub watcher: &'a dyn Watcher,
}

impl<P: Portable> Context<'_, P> {
    /// Runs a trial and keeps what it came to; `None` if it was interrupted.
    pub(super) fn run(&self, trial: &Trial, workers: &Workers) -> Result<Option<Outcome>, Failure> {
        let subject = self.subject;
        self.held.check().map_err(|e| Failure::Failed(e.to_string()))?;
        let resumed = self.prepare(trial)?;
        let cost = subject.costs.run;
        let before = match (&trial.job, &resumed) {
            (Job::Evolve(settings) | Job::Average { settings, .. }, Some((_, population))) => {
                cost.spent(settings, population.effort())?
            }
            _ => Spent::default(),
        };
        let progress = |passes| self.watcher.spent(passes);
        let problem = Metered::new(subject.problem, cost, before, &progress);
        let (folder, stop) = (trial.folder.as_path(), self.stop);
        let place = Workspace { folder, subject, problem: &problem, executor: workers, stop };
        let left = match &trial.job {
            Job::Evolve(settings) => place.evolve(settings, resumed)?,
            Job::Average { settings, after } => match subject.predictor {
                Some(predictor) => place.average(settings, *after, predictor, resumed)?,
                None => return Err(Failure::Usage("its networks cannot be averaged".into())),
            },
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

    /// The settings that the config in a trial's folder has.
    fn settings_of(&self, trial: &Trial) -> Settings {
        match &trial.job {
            Job::Evolve(settings) | Job::Average { settings, .. } => settings.clone(),
            Job::Halve(halving) => Settings { seed: halving.seed, ..self.subject.settings.clone() },
        }
    }

    /// A folder to run in, and the checkpoint that is in it. What is there and cannot be used is not removed,
    /// and what this comparison did not begin is not touched.
    fn prepare(&self, trial: &Trial) -> Result<Option<Resumed<P>>, Failure> {
        let (settings, configs) = (self.settings_of(trial), self.subject.configs);
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
                    self.watcher
                        .notice(&format!("{title} goes back to an earlier checkpoint: {damaged}"));
                }
                let was = configs.settings(&found.manifest.config, "its checkpoint");
                if was.map_err(hint)? != settings {
                    return Err(foreign());
                }
                let Subject { problem, most_bytes, slack, .. } = *self.subject;
                let notice = |text: &str| self.watcher.notice(text);
                let population =
                    restore::of_problem(&trial.folder, &found, problem, most_bytes, slack, &notice)
                        .map_err(|why| {
                            let n = found.number;
                            hint(Failure::Failed(format!(
                                "cannot go on from checkpoint {n}: {why}"
                            )))
                        })?;
                return Ok(Some((found, population)));
            }
        }
        let file = trial.folder.join(CONFIG);
        // A run of it that was stopped has begun with its config.
        let is_of_trial = |was: &Settings| match &trial.job {
            Job::Evolve(_) | Job::Average { .. } => *was == settings,
            // Nothing else of the config tells what it does.
            Job::Halve(halving) => was.seed == halving.seed,
        };
        let begun = || configs.of_file(&file).is_some_and(|was| is_of_trial(&was));
        if [CONFIG, log::NAME, BEST].into_iter().any(|name| at(name).is_ok()) && !begun() {
            return Err(foreign());
        }
        atomic_file::write(&file, configs.to_toml(&settings)?.as_bytes())?;
        Ok(None)
    }

    fn outcome(
        &self,
        trial: &Trial,
        problem: &Metered<'_, P>,
        left: RunResult<P::Genome>,
        workers: &Workers,
    ) -> Result<Outcome, Failure> {
        let spent = problem.spent();
        let best = self.one(&left.best)?;
        let bytes = problem
            .inner()
            .write_genome(&left.best.theta)
            .map_err(|e| Failure::Failed(first_line(&e)))?;
        atomic_file::write(&trial.folder.join(BEST), &bytes)?;
        let sound = sound(&left);
        let (mut ensemble, mut soup) = (None, None);
        if let (Some(predictor), true) =
            (self.subject.predictor, trial.method.leaves_many() && sound.len() > 1)
        {
            let together = predictor.ensemble(problem, &sound, workers)?;
            let chosen = problem.spent();
            ensemble = Some(scores(together, chosen - spent));
            soup = Some(scores(predictor.soup(problem, &sound)?, problem.spent() - chosen));
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
    fn top(
        &self,
        last: &[Candidate<P::Genome>],
        executor: &dyn Executor,
    ) -> Result<Vec<Scores>, Failure> {
        let top = last.iter().take(TOP).collect();
        work::try_map(executor, top, |_, one| self.one(one))
    }

    fn one(&self, one: &Candidate<P::Genome>) -> Result<Scores, Failure> {
        let test = self.test(&one.theta)?;
        let alone = Together { networks: 1, members: 1, loss: one.fitness.get(), test };
        Ok(scores(alone, Spent::default()))
    }

    fn test(&self, theta: &P::Genome) -> Result<Option<Evaluation>, Failure> {
        match self.subject.predictor {
            Some(predictor) => Ok(predictor.test(self.subject.problem, theta)?),
            None => Ok(None),
        }
    }
}

/// What an ensemble or a soup may be made of: the best network, which may be of an earlier generation, and
/// those that are left.
fn sound<G>(left: &RunResult<G>) -> Vec<Candidate<G>> {
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

fn scores(together: Together, chosen_with: Spent) -> Scores {
    let Together { networks, members, loss, test } = together;
    Scores {
        networks,
        members,
        fitness: Fitness::new(loss),
        test: test.map(|test| Test { loss: Fitness::new(test.loss), error: test.error }),
        chosen_with,
    }
}
