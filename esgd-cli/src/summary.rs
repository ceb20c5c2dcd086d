//! What a run came to: as a table to read, and as `run.json`.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use esgd_core::{Executor, Fitness, Outcome, Tally};
use esgd_models::{Error, Evaluation, Network, Supervised, Workers, data::Splits};
use serde::Serialize;

use crate::{
    config::{Config, Part},
    terminal::one_line,
};

type Run = Outcome<Supervised<Network>>;

/// How many of the best are compared, as in Table 1 of the paper.
const TOP: usize = 15;

/// The result of a run.
#[derive(Debug, Serialize)]
pub struct Summary {
    pub status: &'static str,
    pub versions: BTreeMap<&'static str, String>,
    pub seed: u64,
    pub threads: usize,
    pub seconds: f64,
    /// What fitness was measured with.
    pub yardstick: String,
    /// The best network's fitness, to the bit.
    pub fitness: Fitness,
    pub best: Best,
    pub top: Top,
    /// How often each optimizer made an individual of the final elite, and its learning rates as
    /// drawn, before annealing.
    pub elite: BTreeMap<String, Kind>,
    pub spent: Tally,
    /// The checkpoints, since the run was last gone on with.
    pub checkpoints: Option<Kept>,
    pub contrast: Option<Contrast>,
}

/// What keeping a run took.
#[derive(Debug, Serialize)]
pub struct Kept {
    pub written: usize,
    pub seconds: f64,
}

/// The best network.
#[derive(Debug, Serialize)]
pub struct Best {
    pub id: String,
    pub recipe: Option<String>,
    pub train: Evaluation,
    pub validation: Option<Evaluation>,
    pub test: Option<Evaluation>,
}

/// The spread of the best individuals of the final population.
#[derive(Debug, Serialize)]
pub struct Top {
    pub count: usize,
    pub fitness: [Fitness; 2],
    /// Error rates on test data, lowest and highest.
    pub test_error: Option<[f64; 2]>,
}

/// An optimizer's part in the elite.
#[derive(Debug, Serialize)]
pub struct Kind {
    pub individuals: usize,
    pub lr: [f64; 2],
}

/// The initial recipes, trained without evolution.
#[derive(Debug, Serialize)]
pub struct Contrast {
    pub best: Best,
    pub epochs: usize,
    pub seconds: f64,
}

impl Best {
    pub fn of(run: &Run, problem: &Supervised<Network>, splits: &Splits) -> Result<Self, Error> {
        let theta = run.best.scored.theta();
        let on = |data: &esgd_models::data::Dataset| match data.is_empty() {
            true => Ok(None),
            false => problem.evaluate(theta, data).map(Some),
        };
        Ok(Self {
            id: run.best.id.to_string(),
            recipe: run.best.hyper.as_ref().map(ToString::to_string),
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
    pub fn of(
        run: &Run,
        problem: &Supervised<Network>,
        splits: &Splits,
        config: &Config,
        workers: &Workers,
        took: Duration,
    ) -> Result<Self, Error> {
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
        for hyper in drawn.map(|recipe| recipe.at(1, config.settings.generations)) {
            let lr = hyper.get("lr").unwrap_or(f64::NAN);
            let kind = elite.entry(hyper.kind).or_insert(Kind { individuals: 0, lr: [lr, lr] });
            kind.individuals += 1;
            kind.lr = [kind.lr[0].min(lr), kind.lr[1].max(lr)];
        }
        Ok(Self {
            status: "complete",
            versions: versions(),
            seed: config.settings.seed,
            threads: workers.count(),
            seconds: took.as_secs_f64(),
            yardstick: run.population.yardstick().to_string(),
            fitness: run.best.scored.fitness(),
            best: Best::of(run, problem, splits)?,
            top: Top {
                count: top.len(),
                fitness: [top[0].fitness(), top[top.len() - 1].fitness()],
                test_error: errors.map(range),
            },
            elite,
            spent: run.population.tally(),
            checkpoints: None,
            contrast: None,
        })
    }

    /// The table, which says what was measured on which data.
    pub fn table<'a>(&'a self, config: &'a Config) -> Table<'a> {
        Table { summary: self, config }
    }
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
    let lock = include_str!("../../Cargo.lock");
    let entry = lock.split("name = \"candle-core\"\nversion = \"").nth(1);
    entry.and_then(|rest| rest.split('"').next()).unwrap_or("unknown")
}

/// A summary as text.
pub struct Table<'a> {
    summary: &'a Summary,
    config: &'a Config,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { best, top, spent, contrast, .. } = self.summary;
        writeln!(f, "The best of {} individuals: {}", self.config.settings.mu, best.id)?;
        if let Some(recipe) = &best.recipe {
            writeln!(f, "last trained with {}", one_line(recipe))?;
        }
        writeln!(f)?;
        match contrast {
            None => writeln!(f, "{:12}{:>10}{:>10}", "", "loss", "error")?,
            Some(_) => {
                writeln!(f, "{:12}{:>20}    {:>20}", "", "with evolution", "without evolution")?;
                writeln!(
                    f,
                    "{:12}{:>10}{:>10}    {:>10}{:>10}",
                    "", "loss", "error", "loss", "error"
                )?;
            }
        }
        let without: Vec<_> = contrast.iter().flat_map(|c| c.best.rows()).collect();
        for (i, (name, e)) in best.rows().enumerate() {
            write!(f, "{name:12}{}", Cells(e))?;
            if let Some((_, e)) = without.get(i) {
                write!(f, "    {}", Cells(*e))?;
            }
            let fitness = match self.config.data.fitness {
                Part::Train => "train",
                Part::Validation => "validation",
            };
            writeln!(f, "{}", if name == fitness { "    <- fitness" } else { "" })?;
        }
        writeln!(f)?;
        write!(
            f,
            "Top {} of the population: loss {:.4} to {:.4}",
            top.count, top.fitness[0], top.fitness[1]
        )?;
        if let Some([low, high]) = top.test_error {
            write!(f, ", test error {:.2} % to {:.2} %", 100.0 * low, 100.0 * high)?;
        }
        writeln!(f)?;
        write!(f, "Recipes of the elite:")?;
        for (i, (kind, part)) in self.summary.elite.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(
                f,
                "{comma} {} {} (lr {:.1e} to {:.1e})",
                one_line(kind),
                part.individuals,
                part.lr[0],
                part.lr[1]
            )?;
        }
        writeln!(f)?;
        writeln!(
            f,
            "Spent: {} epochs ({} taken back), {} offspring scored, {:.0} s on {} threads",
            spent.epochs,
            spent.backed_off,
            spent.offspring,
            self.summary.seconds,
            self.summary.threads
        )?;
        if let Some(c) = contrast {
            writeln!(
                f,
                "Without evolution: the same initial recipes, {} epochs, {:.0} s",
                c.epochs, c.seconds
            )?;
        }
        Ok(())
    }
}

/// Loss and error in columns.
pub struct Cells(pub Evaluation);

impl fmt::Display for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.loss {
            // Four decimals of what diverges would fill the line.
            loss if loss.abs() >= 1e5 => write!(f, "{loss:>10.2e}")?,
            loss => write!(f, "{:>10.4}", Fitness::new(loss))?,
        }
        match self.0.error {
            Some(error) => write!(f, "{:>8.2} %", 100.0 * error),
            None => write!(f, "{:>10}", "-"),
        }
    }
}
