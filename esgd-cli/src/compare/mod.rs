//! Is it worth it, at equal compute? Every method gets the same budget, and what each run comes to is kept.
//!
//! [`run`] compares on the data and the network of a config, [`Compare`] on a problem of your own.

pub(crate) mod choosing;
mod comparison;
pub(crate) mod costs;
mod folder;
mod grid;
mod jobs;
mod kept;
pub(crate) mod methods;
mod of_config;
mod of_problem;
mod outcome;
mod predictor;
mod rows;
mod running;
mod statistics;
mod subject;
mod table;
mod trial;
mod verdict;
mod watcher;

use std::{collections::BTreeSet, sync::atomic::AtomicBool};

use esgd_core::Portable;

pub use self::{
    comparison::Comparison,
    folder::Folder,
    methods::Method,
    of_config::{Request, run},
    of_problem::Compare,
    watcher::Watcher,
};
pub(crate) use self::{
    rows::{Against, Difference, Row},
    statistics::Interval,
    table::HEADS,
};

use self::{
    grid::{Done, Grid},
    running::Context,
    subject::{About, Subject},
};
use crate::failure::Failure;

/// Each method once, in the order of tables.
fn unique(methods: &[Method]) -> Vec<Method> {
    methods.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
}

/// What is asked of a comparison.
struct Asked<'a> {
    methods: &'a [Method],
    /// How many runs of each method, with seeds from the settings' on.
    seeds: u64,
    /// What each method may spend, in forward passes of a sample.
    budget: u64,
    threads: usize,
    watcher: &'a dyn Watcher,
    stop: &'a AtomicBool,
}

/// Compares methods, and leaves the results in the folder; `None` if it was stopped.
fn compare<P: Portable>(
    subject: &Subject<'_, P>,
    asked: &Asked<'_>,
    folder: &Folder,
) -> Result<Option<Comparison>, Failure> {
    let Asked { budget, threads, watcher, stop, .. } = *asked;
    let seeds = seeds(subject.settings.seed, asked.seeds)?;
    let (methods, left_out): (Vec<_>, Vec<_>) =
        unique(asked.methods).into_iter().partition(|method| subject.has(*method));
    let context = Context { subject, held: &folder.held, stop, watcher };
    let grid = Grid { context, threads, out: folder.path(), budget };
    let Some(Done { runs, folders }) = grid.run(&methods, &seeds)? else { return Ok(None) };
    let About { network, macs, data, test } = &subject.about;
    let rows = rows::rows(&runs, budget, *macs);
    let mut verdict = verdict::sentences(&rows, &runs, seeds.len());
    verdict.extend(verdict::left_out(&left_out, subject.costs.predicts));
    let comparison = Comparison {
        network: network.clone(),
        macs: *macs,
        data: data.clone(),
        train: subject.costs.run.train as usize,
        fitness: subject.costs.run.fitness as usize,
        test: *test,
        budget,
        seeds,
        rows,
        verdict,
        runs: folders,
    };
    folder.write(folder::JSON, &comparison.to_json()?)?;
    folder.write(folder::MARKDOWN, &comparison.markdown())?;
    folder.write(folder::CSV, &comparison.csv())?;
    Ok(Some(comparison))
}

/// The most seeds that are compared.
const MOST_SEEDS: u64 = 10_000;

/// So many seeds from the first on. A config has no larger numbers.
fn seeds(first: u64, n: u64) -> Result<Vec<u64>, Failure> {
    if !(1..=MOST_SEEDS).contains(&n) {
        return Err(Failure::Usage(format!("{n} seeds: expected 1 to {MOST_SEEDS}")));
    }
    let last = first.checked_add(n.saturating_sub(1)).filter(|last| i64::try_from(*last).is_ok());
    let last = last.ok_or_else(|| {
        Failure::Usage(format!(
            "{n} seeds would go from {first} on beyond {}, the largest: begin with a smaller one",
            i64::MAX
        ))
    })?;
    Ok((first..=last).collect())
}
