//! Asynchronous successive halving (Li et al., *A System for Massively Parallel Hyperparameter Tuning*,
//! MLSys 2020, Algorithm 2): the tuner that a population is compared with.
//!
//! Trials with recipes of their own train for r epochs; the best 1/η of those that have, go on to rη, and
//! so on up to R, rounded. A worker that is free promotes whoever can be promoted, from the highest rung down, or
//! begins a new trial. Here workers are simulated: a job takes as long as it has epochs, and jobs that are
//! under way at the same time run on the executor. So a run depends on the number of simulated workers
//! and not on the machine's.

mod rungs;
mod trial;

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    Effort, Entry, Error, Executor, IndividualReport, Numbers, Observer, OptimizerPool, Phase,
    Problem, Report, Serial,
    guarantee::Evaluator,
    rng::{Key, Purpose},
    settings::SettingsError,
    trace::Trace,
    work,
};
use rungs::Rungs;
use trial::{Job, JobOf, Trained, Trial, TrialOf};

/// What a run of successive halving is told.
#[derive(Clone, Debug, PartialEq)]
pub struct HalvingSettings {
    /// What every random number follows from.
    pub seed: u64,
    /// η: one of so many goes on. At least 2.
    pub eta: usize,
    /// r: the fewest epochs before a trial is first compared. At least 1.
    pub first: usize,
    /// R: the most epochs of a trial, over which its recipe is annealed. At least r.
    pub most: usize,
    /// Epochs of all trials together, at least r. What is left of them at the end is less than r.
    pub budget: usize,
    /// Jobs that are under way at the same time. At least 1.
    pub workers: usize,
    /// What recipes are drawn from.
    pub optimizers: OptimizerPool,
}

impl HalvingSettings {
    /// Checks that the settings can work.
    ///
    /// # Errors
    /// One sentence about the first that cannot.
    pub fn check(&self) -> Result<(), SettingsError> {
        let Self { eta, first, most, budget, workers, .. } = *self;
        let fault = match () {
            () if eta < 2 => Some(format!("eta = {eta}: expected at least 2")),
            () if first == 0 => Some("first = 0: expected at least 1 epoch".into()),
            () if most < first => Some(format!("most = {most}: expected at least first = {first}")),
            () if budget < first => {
                Some(format!("budget = {budget} epochs: expected at least first = {first}"))
            }
            () if most >= 1 << 24 => Some(format!("most = {most}: expected less than {}", 1 << 24)),
            () if workers == 0 => Some("workers = 0: expected at least 1".into()),
            () => self.optimizers.fault(),
        };
        fault.map_or(Ok(()), |sentence| Err(SettingsError(sentence)))
    }
}

/// A run of asynchronous successive halving.
///
/// ```
/// use esgd_core::{Function, Halving, HalvingSettings, TestFunction};
///
/// let problem = TestFunction::new(Function::Sphere, 5);
/// let settings = HalvingSettings {
///     seed: 1,
///     eta: 3,
///     first: 1,
///     most: 9,
///     budget: 60,
///     workers: 4,
///     optimizers: TestFunction::optimizers(),
/// };
/// let trials = Halving::new(&problem, &settings).run()?;
/// assert_eq!(trials.effort.epochs, 60);
/// # Ok::<(), esgd_core::Error<esgd_core::BuildError>>(())
/// ```
pub struct Halving<'a, P: Problem> {
    evaluator: Evaluator<'a, P>,
    settings: &'a HalvingSettings,
    executor: &'a dyn Executor,
    observer: &'a dyn Observer,
    stop: Option<&'a AtomicBool>,
}

/// What a run leaves.
#[derive(Debug)]
pub struct Trials<G> {
    /// The best network ever scored.
    pub best: Entry<G>,
    /// The trials as they are at the end, best first.
    pub last: Vec<Entry<G>>,
    /// What was spent.
    pub effort: Effort,
    /// Whether it was asked to stop before its budget was spent.
    pub stopped: bool,
}

impl<'a, P: Problem> Halving<'a, P> {
    /// A run on one thread, unobserved.
    #[must_use]
    pub fn new(problem: &'a P, settings: &'a HalvingSettings) -> Self {
        let evaluator = Evaluator::new(problem);
        Self { evaluator, settings, executor: &Serial, observer: &(), stop: None }
    }

    /// Runs jobs on `executor`. It changes no result.
    #[must_use]
    pub fn executor(self, executor: &'a dyn Executor) -> Self {
        Self { executor, ..self }
    }

    /// Tells `observer` about each epoch, and as a phase about each job.
    #[must_use]
    pub fn observer(self, observer: &'a dyn Observer) -> Self {
        Self { observer, ..self }
    }

    /// Stops soon after `stop` becomes true.
    #[must_use]
    pub fn stop_when(self, stop: &'a AtomicBool) -> Self {
        Self { stop: Some(stop), ..self }
    }

    /// Runs until the budget is spent.
    ///
    /// # Errors
    /// What stopped it.
    pub fn run(&self) -> Result<Trials<P::Genome>, Error<P::Error>> {
        self.settings.check()?;
        let HalvingSettings { eta, first, most, budget, workers, .. } = *self.settings;
        let mut rungs = Rungs::new(eta, first, most);
        let mut trials: Vec<TrialOf<P>> = vec![];
        let mut busy: Vec<Option<JobOf<P>>> = (0..workers).map(|_| None).collect();
        let (mut now, mut left, mut finished) = (0, budget, 0);
        let mut effort = Effort::default();
        let mut best: Option<Entry<P::Genome>> = None;
        loop {
            for worker in busy.iter_mut().filter(|worker| worker.is_none()) {
                let Some((trial, rung)) = rungs.next(left) else { break };
                if trial == trials.len() {
                    let mut rng = self.key(Purpose::Recipe, trial).stream();
                    trials
                        .push(Trial { recipe: self.settings.optimizers.draw(&mut rng), now: None });
                }
                let epochs = rungs.epochs(rung);
                let n = epochs.end() + 1 - epochs.start();
                left -= n;
                *worker = Some(Job { trial, rung, end: now + n, epochs, done: None });
            }
            let next = busy.iter().flatten().map(|job| job.end).min();
            let Some(end) = next else { break };
            now = end;
            let due = |job: &JobOf<P>| job.end == now && job.done.is_none();
            if busy.iter().flatten().any(due) {
                self.work(&mut busy, &mut trials)?;
                if self.stopped() {
                    break;
                }
            }
            // Of jobs that end together those of earlier workers count first.
            for worker in &mut busy {
                if worker.as_ref().is_none_or(|job| job.end != now) {
                    continue;
                }
                let Some(job) = worker.take() else { continue };
                let Some(Trained { last, state, best: found }) = job.done else { continue };
                effort.epochs += job.epochs.count();
                finished += 1;
                rungs.report(job.trial, job.rung, last.scored.fitness());
                trials[job.trial].now = Some((last, state));
                best = match best {
                    Some(old) if old.rank() <= found.rank() => Some(old),
                    _ => Some(found),
                };
                if let Some(best) = &best {
                    self.tell(best, &trials, finished, effort);
                }
            }
        }
        let stopped = self.stopped();
        let mut last: Vec<_> = trials.into_iter().filter_map(|trial| Some(trial.now?.0)).collect();
        last.sort_by_key(Entry::rank);
        let Some(best) = best else {
            let why = "successive halving was stopped before its first trial was scored";
            return Err(Error::Settings(SettingsError(why.into())));
        };
        Ok(Trials { best, last, effort, stopped })
    }

    /// Runs all jobs under way that have not run.
    fn work(
        &self,
        busy: &mut [Option<JobOf<P>>],
        trials: &mut [TrialOf<P>],
    ) -> Result<(), Error<P::Error>> {
        let jobs = busy.iter_mut().flatten().filter(|job| job.done.is_none());
        let items: Vec<_> = jobs
            .map(|job| {
                let (trial, epochs) = (job.trial, job.epochs.clone());
                let from = trials[trial].now.take();
                (job, (trial, trials[trial].recipe.clone(), epochs, from))
            })
            .collect();
        work::try_map(self.executor, items, |_, (job, (trial, recipe, epochs, from))| {
            job.done = self.train(trial, &recipe, epochs, from)?;
            Ok::<_, Error<_>>(())
        })?;
        Ok(())
    }

    /// Reports all trials.
    fn tell(
        &self,
        best: &Entry<P::Genome>,
        trials: &[TrialOf<P>],
        finished: usize,
        effort: Effort,
    ) {
        let mut individuals: Vec<_> = trials
            .iter()
            .filter_map(|trial| trial.now.as_ref())
            .map(|(entry, _)| IndividualReport {
                id: entry.id,
                parents: vec![],
                fitness: entry.scored.fitness(),
                hyper: entry.hyper.clone(),
            })
            .collect();
        individuals.sort_by_key(|one| (one.fitness, one.id));
        let best = best.scored.fitness();
        self.observer.phase(&Report {
            phase: Phase::Generation,
            generation: finished,
            best,
            elite_mean: best,
            elite: vec![best],
            elite_offspring: 0,
            m: 1,
            individuals,
            departed: vec![],
            effort,
            diversity: None,
            numbers: Numbers::new(),
            ended: None,
            trace: Trace::default(),
        });
    }

    fn key(&self, purpose: Purpose, trial: usize) -> Key {
        Key::new(self.settings.seed, purpose).individual(trial)
    }

    fn stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Function, TestFunction, Threads};

    fn settings() -> HalvingSettings {
        HalvingSettings {
            seed: 3,
            eta: 3,
            first: 1,
            most: 9,
            budget: 100,
            workers: 4,
            optimizers: TestFunction::optimizers(),
        }
    }

    #[test]
    fn threads_change_nothing_and_all_of_the_budget_is_spent() {
        let problem = TestFunction::new(Function::Rastrigin, 3);
        let settings = settings();
        let run = |threads| {
            let executor = Threads(threads);
            let trials = Halving::new(&problem, &settings).executor(&executor).run().unwrap();
            assert_eq!(trials.effort.epochs, 100);
            let best = trials.last.iter().map(|one| one.scored.fitness()).min();
            assert!(Some(trials.best.scored.fitness()) <= best);
            format!("{:?} {:?}", trials.best, trials.last)
        };
        assert_eq!(run(1), run(3));
        assert_ne!(run(1), {
            let other = HalvingSettings { seed: 4, ..self::settings() };
            format!("{:?}", Halving::new(&problem, &other).run().unwrap().last)
        });
    }

    #[test]
    fn a_third_goes_on_and_the_best_get_the_most_epochs() {
        let problem = TestFunction::new(Function::Sphere, 2);
        let trials = Halving::new(&problem, &settings()).run().unwrap();
        let epochs: Vec<_> = trials.last.iter().map(|one| one.at.epoch).collect();
        let at_least = |n| epochs.iter().filter(|&&e| e >= n).count();
        // Who is promoted early may have been overtaken later, so it is not a third exactly.
        assert!(at_least(9) >= 1 && 2 * at_least(9) < at_least(3) && 2 * at_least(3) < at_least(1));
        assert_eq!(epochs.iter().sum::<usize>(), 100);
    }

    #[test]
    fn what_cannot_work_is_one_sentence() {
        type Spoil = fn(&mut HalvingSettings);
        let cases: [(&str, Spoil); 6] = [
            ("eta = 1", |s| s.eta = 1),
            ("first = 0", |s| s.first = 0),
            ("most = 0", |s| s.most = 0),
            ("budget = 0", |s| s.budget = 0),
            ("workers = 0", |s| s.workers = 0),
            ("optimizers", |s| s.optimizers.0.clear()),
        ];
        for (expected, spoil) in cases {
            let mut settings = settings();
            spoil(&mut settings);
            let message = settings.check().unwrap_err().to_string();
            assert!(message.contains(expected) && !message.contains('\n'), "{message}");
        }
    }

    #[test]
    fn a_stop_before_the_first_score_is_one_sentence() {
        let problem = TestFunction::new(Function::Sphere, 2);
        let stop = AtomicBool::new(true);
        let settings = settings();
        let error = Halving::new(&problem, &settings).stop_when(&stop).run().unwrap_err();
        assert!(error.to_string().contains("stopped before"), "{error}");
    }
}
