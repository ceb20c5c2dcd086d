//! Properties that anyone can run on their own problem and strategy (feature `laws`).
//!
//! ```
//! use esgd_core::{Function, Recombination, TestFunction, laws};
//!
//! let problem = TestFunction::new(Function::Rastrigin, 3);
//! laws::check(&problem, &Recombination, &TestFunction::optimizers(), 8)?;
//! # Ok::<(), laws::Violation>(())
//! ```

mod corrupted;
mod settings;

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use proptest::{
    prelude::{prop_assert, prop_assert_eq},
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use thiserror::Error;

use crate::{
    Auditor, Esgd, Fitness, Id, Mutation, Numbers, Observer, Operation, OptimizerPool, Phase, Plan,
    Population, Problem, Report, Scale, Settings, Source, Strategy, TestFunction, Threads, View,
    rng::{Key, Purpose},
    strategy::Parent,
};

pub use corrupted::corrupted;
pub use settings::any_settings;
use settings::fitting;

/// Lets the laws look into a genome.
pub trait Inspect: Problem {
    /// All values of θ that recombination averages, in a fixed order.
    fn inspect(&self, theta: &Self::Genome) -> Vec<f32>;
}

impl Inspect for TestFunction {
    fn inspect(&self, theta: &Vec<f32>) -> Vec<f32> {
        theta.clone()
    }
}

/// A law that does not hold, and the settings that showed it.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Violation(String);

/// Checks every law on `cases` random settings. Each case makes a few runs of a few generations.
///
/// # Errors
/// The first law that does not hold, with the smallest settings found that show it.
pub fn check<P: Inspect>(
    problem: &P,
    strategy: &dyn Strategy,
    optimizers: &OptimizerPool,
    cases: u32,
) -> Result<(), Violation> {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    runner
        .run(&any_settings(optimizers.clone()), |settings| {
            let Some(settings) = fitting(strategy, settings) else {
                return Err(TestCaseError::reject(
                    "the strategy works with no settings like these",
                ));
            };
            scores_are_reproducible(problem, &settings)?;
            forks_are_deep(problem, &settings)?;
            recombination_is_the_mean(problem, &settings)?;
            plans_are_reproducible(strategy, &settings)?;
            elite_never_gets_worse(problem, strategy, &settings)?;
            threads_change_nothing(problem, strategy, &settings)?;
            a_resumed_run_is_identical(problem, strategy, &settings)
        })
        .map_err(|failure| Violation(failure.to_string()))
}

type Checked = Result<(), TestCaseError>;

fn fails(error: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(format!("the problem failed: {error}"))
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn networks<P: Problem>(
    problem: &P,
    settings: &Settings,
    n: usize,
) -> Result<Vec<P::Genome>, TestCaseError> {
    let key = Key::new(settings.seed, Purpose::Init);
    (0..n).map(|j| problem.init(key.individual(j)).map_err(fails)).collect()
}

/// The same key makes the same network, and the same network has the same fitness.
pub fn scores_are_reproducible<P: Inspect>(problem: &P, settings: &Settings) -> Checked {
    for _ in 0..2 {
        let (one, again) = (networks(problem, settings, 2)?, networks(problem, settings, 2)?);
        for (one, again) in one.iter().zip(&again) {
            prop_assert_eq!(
                bits(&problem.inspect(one)),
                bits(&problem.inspect(again)),
                "init is not reproducible"
            );
            let (f, g) =
                (problem.fitness(one).map_err(fails)?, problem.fitness(again).map_err(fails)?);
            prop_assert_eq!(f.to_bits(), g.to_bits(), "fitness is not reproducible");
        }
    }
    Ok(())
}

/// Training a fork leaves the original as it was, and training is reproducible.
pub fn forks_are_deep<P: Inspect>(problem: &P, settings: &Settings) -> Checked {
    let theta = networks(problem, settings, 1)?.remove(0);
    let before = problem.inspect(&theta);
    let recipe = settings.optimizers.draw(&mut Key::new(settings.seed, Purpose::Recipe).stream());
    let hyper = recipe.at(1, settings.generations);
    let key = Key::new(settings.seed, Purpose::Train);
    let mut trained = Vec::new();
    for _ in 0..2 {
        let mut fork = problem.fork(&theta).map_err(fails)?;
        prop_assert_eq!(
            bits(&problem.inspect(&fork)),
            bits(&before),
            "a fork differs from its original"
        );
        let mut state = problem.state(&fork, &hyper).map_err(fails)?;
        for s in 1..=2 {
            let kept = state.clone();
            problem.epoch(&mut fork, &mut state, &hyper, key.step(s)).map_err(fails)?;
            drop(kept);
        }
        trained.push(bits(&problem.inspect(&fork)));
    }
    prop_assert_eq!(
        bits(&problem.inspect(&theta)),
        bits(&before),
        "training a fork changed the original"
    );
    prop_assert_eq!(&trained[0], &trained[1], "training is not reproducible");
    Ok(())
}

/// Without noise an offspring is the mean of its parents; with noise it is the same every time;
/// parents stay as they are.
pub fn recombination_is_the_mean<P: Inspect>(problem: &P, settings: &Settings) -> Checked {
    let parents = networks(problem, settings, settings.rho)?;
    let parents: Vec<_> = parents.iter().collect();
    let before: Vec<_> = parents.iter().map(|parent| problem.inspect(parent)).collect();
    let key = Key::new(settings.seed, Purpose::Mutation);
    let child =
        problem.build(&Operation::recombination(Mutation::NONE), &parents, key).map_err(fails)?;
    for (i, value) in problem.inspect(&child).into_iter().enumerate() {
        let terms = before.iter().map(|parent| f64::from(parent[i]));
        let (mean, size) = (
            terms.clone().sum::<f64>() / settings.rho as f64,
            terms.map(f64::abs).fold(0.0, f64::max),
        );
        // ρ additions and a division, each rounded to 24 bits.
        let tolerance = size * (settings.rho + 2) as f64 * f64::from(f32::EPSILON);
        prop_assert!(
            (f64::from(value) - mean).abs() <= tolerance,
            "value {i} is {value}, not the mean {mean}"
        );
    }
    let noisy = Operation::recombination(Mutation { sigma: 0.1, scale: Scale::Absolute });
    let once = problem.build(&noisy, &parents, key).map_err(fails)?;
    let twice = problem.build(&noisy, &parents, key).map_err(fails)?;
    prop_assert_eq!(
        bits(&problem.inspect(&once)),
        bits(&problem.inspect(&twice)),
        "recombination is not reproducible"
    );
    for (parent, before) in parents.iter().zip(&before) {
        prop_assert_eq!(bits(&problem.inspect(parent)), bits(before), "breeding changed a parent");
    }
    Ok(())
}

/// A strategy answers the same every time, with operations that it has named and sources that are there.
pub fn plans_are_reproducible(strategy: &dyn Strategy, settings: &Settings) -> Checked {
    let id = |index| Id { generation: 0, step: 0, index };
    let parent = |j| Parent { id: id(j), fitness: Fitness::new(j as f64) };
    let parents: Vec<_> = (0..settings.mu).map(parent).collect();
    let needs = strategy.needs(settings);
    let nothing = Numbers::new();
    let view = View::new(settings, 1, 1, &parents, &nothing);
    let begun = strategy.begin(&view);
    prop_assert_eq!(&begun, &strategy.begin(&view), "the memory is not reproducible");
    let view = View::new(settings, 1, 1, &parents, &begun.numbers);
    let plans = strategy.ask(&view);
    prop_assert_eq!(&plans, &strategy.ask(&view), "plans are not reproducible");
    let fitness: Vec<_> = (0..plans.len()).map(|i| Fitness::new((i * 7 % 5) as f64)).collect();
    let next = strategy.tell(&view, &fitness);
    prop_assert_eq!(&next, &strategy.tell(&view, &fitness), "what follows is not reproducible");
    let slots: Vec<_> = begun.remember.iter().map(|(slot, _)| slot).collect();
    let is_there = |source: &Source, made: usize, born: usize| match source {
        Source::Parent(rank) => *rank < settings.mu,
        Source::Offspring(i) => *i < born,
        Source::Made(i) => *i < made,
        Source::Memory(slot) => slots.contains(&slot),
    };
    let made = next.memo.make.iter().enumerate().map(|(i, make)| (&make.plan, i, plans.len()));
    for (plan, made, born) in plans.iter().map(|plan| (plan, 0, 0)).chain(made) {
        let Plan { operation, sources, .. } = plan;
        prop_assert_eq!(operation.fault(sources.len()), None, "an operation that cannot be");
        let kind = operation.kind();
        prop_assert!(needs.operations.contains(&kind), "{} was not named", kind);
        let missing = sources.iter().find(|source| !is_there(source, made, born));
        prop_assert!(
            missing.is_none(),
            "{} is not there",
            missing.map_or(String::new(), |s| s.to_string())
        );
    }
    let scored = next.memo.make.iter().filter(|make| make.scored).count();
    prop_assert!(
        plans.len() + scored <= needs.evaluations.max(plans.len()),
        "scores more than it says"
    );
    Ok(())
}

/// Theorem 1 and its corollary, read off the reports, which follow from one another.
pub fn elite_never_gets_worse<P: Problem>(
    problem: &P,
    strategy: &dyn Strategy,
    settings: &Settings,
) -> Checked {
    let log = Log::default();
    Esgd::new(problem, settings)
        .strategy(strategy)
        .observer(&log)
        .run()
        .map_err(|f| fails(f.error))?;
    let reports = log.reports();
    let mut auditor = Auditor::new(settings);
    for report in &reports {
        auditor.read(report).map_err(TestCaseError::fail)?;
    }
    for pair in reports.windows(2) {
        prop_assert_eq!(pair[0].elite.len(), pair[1].elite.len());
        for m in 1..=pair[0].elite.len() {
            let mean = |report: &Report| -> f64 {
                report.elite[..m].iter().map(|f| f.get() / m as f64).sum()
            };
            // A relaxed population promises only that the anchor stays.
            if settings.guarantee.p_backoff == 1.0 {
                prop_assert!(
                    mean(&pair[1]) <= mean(&pair[0]),
                    "J({m}) rose in generation {}",
                    pair[1].generation
                );
            }
        }
        prop_assert!(
            !settings.guarantee.anchor || pair[1].best <= reports[0].best,
            "worse than the anchor"
        );
    }
    Ok(())
}

/// Two and three threads give the bits of one.
pub fn threads_change_nothing<P: Inspect>(
    problem: &P,
    strategy: &dyn Strategy,
    settings: &Settings,
) -> Checked {
    let run = |threads| {
        let executor = Threads(threads);
        let esgd = Esgd::new(problem, settings).strategy(strategy).executor(&executor);
        esgd.run()
            .map(|outcome| fingerprint(problem, &outcome.population))
            .map_err(|f| fails(f.error))
    };
    let one = run(1)?;
    prop_assert_eq!(&run(2)?, &one, "two threads differ from one");
    prop_assert_eq!(&run(3)?, &one, "three threads differ from one");
    Ok(())
}

/// A run that stops after a generation and goes on ends as if it had not stopped.
pub fn a_resumed_run_is_identical<P: Inspect>(
    problem: &P,
    strategy: &dyn Strategy,
    settings: &Settings,
) -> Checked {
    let whole = Esgd::new(problem, settings).strategy(strategy);
    let whole = whole.run().map_err(|f| fails(f.error))?;
    let stopper = StopAfter { k: settings.generations.div_ceil(2), stop: AtomicBool::new(false) };
    let first =
        Esgd::new(problem, settings).strategy(strategy).observer(&stopper).stop_when(&stopper.stop);
    let half = first.run().map_err(|f| fails(f.error))?;
    let rest = Esgd::new(problem, settings).strategy(strategy).resume(half.population);
    let rest = rest.map_err(|f| fails(f.error))?;
    prop_assert_eq!(
        fingerprint(problem, &rest.population),
        fingerprint(problem, &whole.population),
        "a resumed run differs"
    );
    Ok(())
}

/// Everything about a population that a run determines.
fn fingerprint<P: Inspect>(
    problem: &P,
    population: &Population<P::Genome, P::State>,
) -> Vec<(String, Fitness, Vec<u32>)> {
    let best = population.best();
    population
        .individuals()
        .iter()
        .map(|one| (format!("{} {:?}", one.id(), one.hyper()), one.scored()))
        .chain([(format!("best {} {:?}", best.id, best.at), &best.scored)])
        .map(|(name, scored)| (name, scored.fitness(), bits(&problem.inspect(scored.theta()))))
        .collect()
}

/// Keeps every report.
#[derive(Default)]
pub struct Log(Mutex<Vec<Report>>);

impl Log {
    /// The reports so far.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        self.0.lock().map(|reports| reports.clone()).unwrap_or_default()
    }
}

impl Observer for Log {
    fn phase(&self, report: &Report) {
        if let Ok(mut reports) = self.0.lock() {
            reports.push(report.clone());
        }
    }
}

struct StopAfter {
    k: usize,
    stop: AtomicBool,
}

impl Observer for StopAfter {
    fn phase(&self, report: &Report) {
        if report.phase == Phase::Generation && report.generation == self.k {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}
