//! The figures of one run, each a chart with a name and a sentence.

mod curves;
mod heat_map;
mod lineage;
mod recipes;

use super::run::Run;

/// A figure of a page.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What its files are called.
    pub name: &'static str,
    pub title: String,
    pub caption: String,
    pub svg: String,
}

/// All figures that one of so many runs has something to show for.
pub fn of(run: &Run, runs: usize) -> Vec<Figure> {
    let all = [
        curves::fitness(run),
        curves::offspring(run),
        curves::by_samples(run),
        curves::by_time(run),
        lineage::figure(run),
        recipes::figure(run),
        curves::diversity(run),
        heat_map::figure(run, runs),
    ];
    all.into_iter().flatten().collect()
}
