//! What a run came to: as a table to read, and as `run.json`.

mod table;

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use esgd_core::{Effort, Executor, Fitness, Outcome, guarantee::Improvement};
use esgd_models::{Error, Evaluation, Network, Supervised, data::Fingerprint};
use serde::Serialize;

use crate::{
    config::Config,
    failure::Failure,
    files::sha256,
    run::{best_networks::Listed, setting::Setting},
};

pub(crate) use table::{Cells, Table, since};

type Run = Outcome<Supervised<Network>>;

/// How many of the best are reported together, as in Table 1 and figure 1 of the paper.
pub(crate) const TOP: usize = 15;

/// What a checksum stands in.
const BEFORE_SUM: &str = ",\n  \"sha256\": \"";
const AFTER_SUM: &str = "\"\n}\n";

/// Whether a run is at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Status {
    #[serde(rename = "complete")]
    Complete,
    #[serde(rename = "control missing")]
    ControlMissing,
    /// It has had the time that it was given.
    #[serde(rename = "stopped")]
    Stopped,
}

/// The result of a run.
#[derive(Debug, Serialize)]
pub struct Summary {
    pub(crate) status: Status,
    /// Generations completed.
    pub(crate) generations: usize,
    /// Why they are fewer than asked for, if patience has ended.
    pub(crate) ended_early: Option<EndedEarly>,
    pub(crate) versions: BTreeMap<&'static str, String>,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
    pub(crate) seconds: f64,
    /// What fitness was measured with.
    pub(crate) objective: String,
    /// The best network's fitness, to the bit.
    pub(crate) fitness: Fitness,
    pub(crate) best: Best,
    /// The files of the best networks, if they were asked for.
    pub(crate) best_networks: Vec<Listed>,
    pub(crate) top: Top,
    /// How often each optimizer made an individual of the final elite, and its learning rates.
    pub(crate) elite: BTreeMap<String, Kind>,
    pub(crate) spent: Effort,
    /// What data it was trained on, by their contents.
    pub(crate) data: Option<Fingerprint>,
    /// The checkpoints, since the run was last gone on with.
    pub(crate) checkpoints: Option<Kept>,
    pub(crate) control: Option<Control>,
}

/// That the best has not got better for as long as patience lasts.
#[derive(Debug, Serialize)]
pub(crate) struct EndedEarly {
    pub patience: usize,
    pub improved: Improvement,
}

/// What keeping a run took.
#[derive(Debug, Serialize)]
pub(crate) struct Kept {
    pub written: usize,
    pub seconds: f64,
}

/// The best network.
#[derive(Debug, Serialize)]
pub(crate) struct Best {
    pub id: String,
    pub recipe: Option<String>,
    /// The generation that trained it last, or in which it was born; one more than the last is fine-tuning.
    pub generation: usize,
    /// Its learning rate before annealing, where that is known and another.
    pub lr_drawn: Option<f64>,
    pub train: Evaluation,
    pub validation: Option<Evaluation>,
    pub test: Option<Evaluation>,
}

/// The spread of the best individuals of the final population.
#[derive(Debug, Serialize)]
pub(crate) struct Top {
    pub count: usize,
    pub fitness: [Fitness; 2],
    /// Error rates on test data, lowest and highest.
    pub test_error: Option<[f64; 2]>,
}

/// An optimizer's part in the elite.
#[derive(Debug, Serialize)]
pub(crate) struct Kind {
    pub individuals: usize,
    /// As drawn, before annealing.
    pub lr: [f64; 2],
    /// What they were multiplied by in the last generation.
    #[serde(skip)]
    pub annealed: f64,
}

/// The initial recipes, trained without evolution.
#[derive(Debug, Serialize)]
pub(crate) struct Control {
    pub best: Best,
    pub epochs: usize,
    pub seconds: f64,
}

impl Best {
    /// Of a run of so many generations.
    pub(crate) fn of(run: &Run, setting: &Setting, generations: usize) -> Result<Self, Error> {
        let Setting { problem, splits, .. } = setting;
        let theta = run.best.scored.theta();
        let on = |data: &esgd_models::data::Dataset| match data.is_empty() {
            true => Ok(None),
            false => problem.evaluate(theta, data).map(Some),
        };
        Ok(Self {
            id: run.best.id.to_string(),
            recipe: run.best.hyper.as_ref().map(ToString::to_string),
            generation: run.best.at.generation,
            lr_drawn: lr_drawn(run, generations),
            train: problem.evaluate(theta, &splits.train)?,
            validation: on(&splits.validation)?,
            test: on(&splits.test)?,
        })
    }

    fn rows(&self) -> impl Iterator<Item = (&'static str, Evaluation)> {
        let parts =
            [("train", Some(self.train)), ("validation", self.validation), ("test", self.test)];
        parts.into_iter().filter_map(|(name, part)| part.map(|part| (name, part)))
    }
}

impl Summary {
    pub(crate) fn of(
        run: &Run,
        setting: &Setting,
        config: &Config,
        took: Duration,
    ) -> Result<Self, Error> {
        let Setting { problem, splits, workers } = setting;
        let individuals = run.population.individuals();
        let top = &individuals[..individuals.len().min(TOP)];
        let errors = Mutex::new(vec![]);
        let on_test = if splits.test.is_empty() { 0 } else { top.len() };
        workers.run(on_test, &|i| {
            let evaluation = problem.evaluate(top[i].scored().theta(), &splits.test);
            let error = evaluation.map(|evaluation| evaluation.error);
            errors.lock().unwrap_or_else(PoisonError::into_inner).push(error);
        });
        let errors = errors.into_inner().unwrap_or_else(PoisonError::into_inner);
        let errors = errors.into_iter().collect::<Result<Option<Vec<f64>>, _>>()?;
        let errors = errors.filter(|errors| !errors.is_empty());
        let range = |v: Vec<f64>| {
            [v.iter().copied().fold(f64::INFINITY, f64::min), v.iter().copied().fold(0.0, f64::max)]
        };
        let mut elite: BTreeMap<String, Kind> = BTreeMap::new();
        let drawn = individuals.iter().take(config.settings.m).filter_map(|one| one.recipe());
        let generations = config.settings.generations;
        let reached = run.population.generation();
        for recipe in drawn {
            let lr = |k| recipe.at(k, generations).get("lr").unwrap_or(f64::NAN);
            let first = lr(1);
            let annealed = lr(reached.max(1)) / first;
            let new = Kind { individuals: 0, lr: [first; 2], annealed };
            let kind = elite.entry(recipe.at(1, generations).kind).or_insert(new);
            kind.individuals += 1;
            kind.lr = [kind.lr[0].min(first), kind.lr[1].max(first)];
        }
        let patience = config.run.patience;
        let ended_early = (reached < generations && run.population.has_stagnated(patience))
            .then(|| EndedEarly { patience, improved: run.population.improved() });
        Ok(Self {
            status: Status::Complete,
            generations: reached,
            ended_early,
            versions: versions(),
            seed: config.settings.seed,
            threads: workers.count(),
            seconds: took.as_secs_f64(),
            objective: run.population.objective().to_string(),
            fitness: run.best.scored.fitness(),
            best: Best::of(run, setting, generations)?,
            best_networks: vec![],
            top: Top {
                count: top.len(),
                fitness: [top[0].fitness(), top[top.len() - 1].fitness()],
                test_error: errors.map(range),
            },
            elite,
            spent: run.population.effort(),
            data: None,
            checkpoints: None,
            control: None,
        })
    }

    /// `run.json`.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, Failure> {
        with_checksum(self)
    }

    /// The table, which says what was measured on which data.
    pub(crate) fn table<'a>(&'a self, config: &'a Config) -> Table<'a> {
        Table { summary: self, config }
    }
}

/// A `run.json`, which ends with a checksum of itself without that.
pub(crate) fn with_checksum(result: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let text = serde_json::to_string_pretty(result);
    let plain = text.map_err(|e| Failure::Failed(e.to_string()))? + "\n";
    let sum = sha256::of(plain.as_bytes());
    let open = plain.trim_end_matches("\n}\n");
    Ok(format!("{open}{BEFORE_SUM}{sum}{AFTER_SUM}").into_bytes())
}

/// Whether a `run.json` is as it was written; those of before they had a checksum do not say.
pub(crate) fn is_as_written(text: &str) -> Option<bool> {
    let (plain, rest) = text.rsplit_once(BEFORE_SUM)?;
    let sum = rest.strip_suffix(AFTER_SUM)?;
    Some(sha256::of(format!("{plain}\n}}\n").as_bytes()) == sum)
}

/// The learning rate that the best network's was annealed from: by the recipe of its individual, if it
/// still has the one that it was trained with then.
fn lr_drawn(run: &Run, generations: usize) -> Option<f64> {
    let best = &run.best;
    let lr = best.hyper.as_ref()?.get("lr")?;
    let one = run.population.individuals().iter().find(|one| one.id() == best.id)?;
    let recipe = one.recipe()?;
    let drawn = recipe.at(1, generations).get("lr")?;
    (recipe.at(best.at.generation, generations).get("lr")? == lr && drawn != lr).then_some(drawn)
}

/// The versions that a result depends on.
fn versions() -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("esgd", env!("CARGO_PKG_VERSION").to_owned()),
        ("candle", candle_version().to_owned()),
        ("platform", format!("{} {}", std::env::consts::ARCH, std::env::consts::OS)),
    ])
}

/// candle's version, from the lock file that this program was built with.
fn candle_version() -> &'static str {
    let lock = include_str!("../../../../Cargo.lock");
    let entry = lock.split("name = \"candle-core\"\nversion = \"").nth(1);
    entry.and_then(|rest| rest.split('"').next()).unwrap_or("unknown")
}
