//! What the tests share: a problem that sabotages, a log of what a run told, an audit of that log,
//! and random settings.
#![allow(dead_code, reason = "each test takes what it needs")]

pub(crate) mod audit;
pub(crate) mod saboteur;

use std::sync::Mutex;

use esgd_core::{
    Domain, EpochReport, Esgd, Executor, Failure, Fitness, Id, Observer, Outcome, Phase,
    Population, Report, Schedule, Settings, TestFunction,
    settings::{
        FineTune, Guarantee, MutationSettings, Per, RecipePolicy, Recipes, Selection, Start, Way,
    },
    strategy::StrategySettings,
};
use proptest::prelude::*;
use saboteur::{Saboteur, bits};

/// What an observer was told.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Epoch { k: usize, id: Id, fitness: Fitness, backed_off: bool },
    Offspring(Fitness),
    Phase(Box<Report>),
}

/// Keeps all it is told, in order.
#[derive(Default)]
pub(crate) struct Log(Mutex<Vec<Event>>);

impl Log {
    pub(crate) fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn reports(&self) -> Vec<Report> {
        let report = |event| if let Event::Phase(report) = event { Some(*report) } else { None };
        self.events().into_iter().filter_map(report).collect()
    }
}

impl Observer for Log {
    fn epoch(&self, &EpochReport { k, id, fitness, backed_off, .. }: &EpochReport<'_>) {
        self.0.lock().unwrap().push(Event::Epoch { k, id, fitness, backed_off });
    }
    fn offspring(&self, fitness: Fitness) {
        self.0.lock().unwrap().push(Event::Offspring(fitness));
    }
    fn phase(&self, report: &Report) {
        self.0.lock().unwrap().push(Event::Phase(Box::new(report.clone())));
    }
}

/// A run's result, or why there is none.
pub(crate) type Ended = Result<Outcome<Saboteur>, Box<Failure<Saboteur>>>;

/// A run from start to end, and what it told.
pub(crate) fn watch(
    problem: &Saboteur,
    settings: &Settings,
    executor: &dyn Executor,
) -> (Ended, Log) {
    let log = Log::default();
    let warm_start = [vec![1.0, -2.0, 0.5], vec![f32::NAN, 0.0, 1.0]];
    let warm_start = &warm_start[..settings.mu.min(2)];
    let esgd = Esgd::new(problem, settings).executor(executor).warm_start(warm_start);
    let ended = esgd.observer(&log).run();
    (ended, log)
}

/// Back-off, back-off with an anchor, relaxed in both ways, and the archive.
pub(crate) fn guards() -> [Guarantee; 5] {
    let guard =
        |way, p_backoff, p_backoff_per, anchor| Guarantee { way, p_backoff, p_backoff_per, anchor };
    [
        guard(Way::BackOff, 1.0, Per::Individual, false),
        guard(Way::BackOff, 1.0, Per::Individual, true),
        guard(Way::BackOff, 0.4, Per::Individual, true),
        guard(Way::BackOff, 0.4, Per::Generation, true),
        guard(Way::Archive, 1.0, Per::Individual, false),
    ]
}

/// Small settings to vary.
pub(crate) fn small() -> Settings {
    Settings {
        generations: 3,
        epochs: 2,
        evolution_steps: 2,
        mu: 4,
        lambda: 7,
        rho: 2,
        m: 3,
        fine_tune: FineTune { epochs: 1, best: 0, lr: Domain::fixed(1e-3) },
        optimizers: TestFunction::optimizers(),
        ..Settings::paper()
    }
}

/// `settings` under `guarantee`, with a place beside the elite if that has an anchor.
pub(crate) fn guarded_by(guarantee: Guarantee, settings: Settings) -> Settings {
    let mu = if guarantee.anchor { settings.mu.max(2) } else { settings.mu };
    let m = if guarantee.anchor { settings.m.min(mu - 1) } else { settings.m };
    Settings { mu, m, guarantee, ..settings }
}

/// Everything that a population is.
pub(crate) fn digest(population: &Population<Vec<f32>, Vec<f64>>) -> String {
    let networks: Vec<_> = population
        .individuals()
        .iter()
        .map(|one| (bits(one.scored().theta()), one.state()))
        .collect();
    let archived: Vec<_> =
        population.archived().iter().map(|entry| bits(entry.scored.theta())).collect();
    let remembered = population.memory().into_iter().flat_map(|memory| &memory.networks);
    let remembered: Vec<_> = remembered.map(|(slot, theta)| (slot, bits(theta))).collect();
    let (record, effort) = (population.record(), population.effort());
    format!("{networks:?} {archived:?} {remembered:?} {record:?} {effort:?}")
}

/// Small valid settings: every guarantee, start and policy.
pub(crate) fn any_settings() -> impl Strategy<Value = Settings> {
    let sizes = (1usize..7).prop_flat_map(|mu| (Just(mu), 0usize..10, 1..=mu, 1..=mu));
    let loops = (1usize..5, 1usize..4, 0usize..3, 0usize..3);
    let start = prop_oneof![
        Just(Start::Independent),
        Just(Start::Shared { epochs: 1, candidates: 3, halvings: 1 }),
        Just(Start::Warm { sigma: 0.5 }),
    ];
    let policy = prop_oneof![
        Just(RecipePolicy::Redraw),
        Just(RecipePolicy::Keep),
        Just(RecipePolicy::Inherit),
        Just(RecipePolicy::Explore)
    ];
    (0..=i64::MAX as u64, sizes, loops, 0..guards().len(), start, policy, 0.0..2.0f64).prop_map(
        |(
            seed,
            (mu, lambda, rho, m),
            (generations, epochs, evolution_steps, tune),
            g,
            s,
            p,
            sigma,
        )| {
            let settings = Settings {
                seed,
                generations,
                epochs,
                evolution_steps,
                mu,
                lambda,
                rho,
                m,
                selection: match seed % 2 {
                    0 => Selection::Roulette,
                    _ => Selection::Truncation { best: 0.4 },
                },
                start: s,
                mutation: MutationSettings {
                    sigma,
                    anneal: Schedule::Constant,
                    ..Settings::paper().mutation
                },
                recipes: Recipes { policy: p, perturb: 0.2, resample: 0.25 },
                fine_tune: FineTune {
                    epochs: tune,
                    best: seed as usize % (mu + 1),
                    lr: Domain::fixed(1e-3),
                },
                ..small()
            };
            with_strategy(guarded_by(guards()[g].clone(), settings), seed / 2)
        },
    )
}

/// The same settings with a strategy, and what that needs; recombination half of the time.
fn with_strategy(settings: Settings, choice: u64) -> Settings {
    let strategy = |text: &str| toml::from_str::<StrategySettings>(text).unwrap();
    let archive = guards().into_iter().find(|one| one.way == Way::Archive).unwrap();
    let free = |settings: Settings| {
        let guarantee = match settings.guarantee.is_strict() {
            true => archive.clone(),
            false => settings.guarantee.clone(),
        };
        Settings { guarantee, ..settings }
    };
    // Without training where there are offspring.
    let epochs = |settings: &Settings| match settings.evolution_steps {
        0 => settings.epochs,
        _ => (choice / 8) as usize % 3,
    };
    match choice % 8 {
        0 => {
            let strategy = strategy("kind = 'nested'");
            Settings { strategy, ..settings }
        }
        1 => {
            let strategy = strategy("kind = 'nested'\nsuccession = 'best'");
            Settings { strategy, ..free(settings) }
        }
        2 => {
            let strategy = strategy("kind = 'nested'\nsuccession = 'best'\ntrail = [2, 3]");
            Settings { strategy, guarantee: archive.clone(), ..settings }
        }
        3 => {
            let (mu, epochs) = (settings.mu + 3, epochs(&settings));
            let strategy = strategy("kind = 'differential-evolution'");
            Settings { strategy, mu, epochs, ..settings }
        }
        4 => {
            let (lambda, epochs) = (2 + 2 * (settings.lambda / 2), epochs(&settings));
            let (mu, m, rho, guarantee) = (1, 1, 1, archive.clone());
            let strategy = strategy("kind = 'open-es'\nsigma = 0.3\nrate = 0.2");
            let fine_tune = FineTune { best: 0, ..settings.fine_tune };
            Settings { strategy, mu, m, rho, lambda, guarantee, epochs, fine_tune, ..settings }
        }
        _ => settings,
    }
}

/// The reports about generations, without start and fine-tuning.
pub(crate) fn generations(reports: &[Report]) -> Vec<&Report> {
    reports.iter().filter(|report| report.phase == Phase::Generation).collect()
}
