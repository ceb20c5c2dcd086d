//! Is it worth it, at equal compute? Every method gets the same budget, and what each run comes to is kept.

mod bar;
pub(crate) mod choosing;
mod comparison;
pub(crate) mod costs;
mod folder;
mod grid;
mod jobs;
mod kept;
mod methods;
mod outcome;
mod rows;
mod running;
mod statistics;
mod table;
mod trial;
mod verdict;

use esgd_core::Problem;
use esgd_models::{Network, Supervised, data::Splits};
use sha2::{Digest, Sha256};

pub(crate) use self::{
    bar::bar,
    rows::{Against, Difference, Row},
    statistics::Interval,
    table::HEADS,
};
pub use self::{comparison::Comparison, folder::Folder, methods::Method};

use self::{costs::Costs, grid::Grid, running::Context, trial::Task};
use crate::{config::Config, failure::Failure, files::sha256, run::interrupt::Interrupt};

/// A comparison to make.
pub struct Request<'a> {
    /// Whose settings are ESGD's, and the other methods' as far as they have them.
    pub config: &'a Config,
    /// The network and its data, as [`Setting`](crate::run::Setting) has them.
    pub problem: &'a Supervised<Network>,
    /// The same data, with those for tests.
    pub splits: &'a Splits,
    /// Each once.
    pub methods: Vec<Method>,
    /// How many runs of each method, with seeds from the config's on.
    pub seeds: u64,
    /// What each method may spend, in forward passes of a sample.
    pub budget: u64,
    /// Whether neither a bar nor a line for each run is shown.
    pub silent: bool,
    /// What stops it; the same request goes on.
    pub interrupt: &'a Interrupt,
}

/// Compares methods. The results are left in the folder, and each run's own in a folder in it; runs that are
/// there already are not made again.
///
/// # Errors
/// That a seed is too large, that the budget is not enough for a method, that results in the folder are of something
/// else, that it was interrupted, or whatever fails on the way.
pub fn run(request: &Request<'_>, folder: &Folder) -> Result<Comparison, Failure> {
    let Request { config, problem, splits, budget, interrupt, .. } = *request;
    let seeds = seeds(config.settings.seed, request.seeds)?;
    let task = Task {
        data: fingerprint(splits)?,
        rest: format!("{:?}\n{}\n{}", problem.task(), problem.objective(), config.run.device),
    };
    let bar = bar(request.silent);
    let bench = Context { config, problem, splits, held: &folder.held, interrupt, bar: &bar };
    let grid = Grid {
        bench,
        threads: config.run.threads(),
        lines: !request.silent,
        out: folder.path(),
        budget,
        task,
    };
    let (runs, folders) = grid.run(&request.methods, &seeds, Costs::of(problem))?;
    bar.finish_and_clear();
    let rows = rows::rows(&runs, budget, problem.task().macs());
    let verdict = verdict::sentences(&rows, &runs, seeds.len());
    let comparison = Comparison {
        network: problem.task().name().to_owned(),
        macs: problem.task().macs(),
        data: config.data.folder_name(),
        train: problem.train().len(),
        fitness: problem.fitness_data().len(),
        test: splits.test.len(),
        budget,
        seeds,
        rows,
        verdict,
        runs: folders,
    };
    folder.write(folder::JSON, &comparison.to_json()?)?;
    folder.write(folder::MARKDOWN, &comparison.markdown())?;
    folder.write(folder::CSV, &comparison.csv())?;
    Ok(comparison)
}

/// So many seeds from the first on. A config has no larger numbers.
fn seeds(first: u64, n: u64) -> Result<Vec<u64>, Failure> {
    let last = first.checked_add(n.saturating_sub(1)).filter(|last| i64::try_from(*last).is_ok());
    let last = last.ok_or_else(|| {
        Failure::Usage(format!(
            "--seeds {n}: they would go from {first} on beyond {}, the largest seed; begin with a smaller --seed",
            i64::MAX
        ))
    })?;
    Ok((first..=last).collect())
}

/// What the data are, so that results on others are not taken for theirs.
fn fingerprint(splits: &Splits) -> Result<String, Failure> {
    let mut hash = Sha256::new();
    for part in [&splits.train, &splits.validation, &splits.test] {
        part.visit_contents(|bytes| hash.update(bytes))?;
    }
    Ok(sha256::hex(hash))
}
