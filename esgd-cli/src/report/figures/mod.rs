//! The figures of one run, each a picture with a name, a sentence, and its values in words.

mod curves;
mod heat_map;
mod lineage;
mod recipes;
mod strategy;

use super::{run::Run, table::Table};
use crate::draw::{chart::Chart, detail::Detail};

/// A figure of a page.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    /// What its files are called.
    pub name: &'static str,
    pub title: String,
    pub caption: String,
    pub svg: String,
    /// What it shows as a list to read.
    pub list: Vec<String>,
    /// What it shows as a table.
    pub values: Option<Table>,
}

impl Figure {
    /// A chart as a figure, if there is something to show.
    pub(super) fn of(
        name: &'static str,
        chart: &Chart,
        caption: String,
        detail: Detail,
    ) -> Option<Self> {
        (!chart.is_empty()).then(|| Self {
            name,
            title: chart.title.clone(),
            caption,
            svg: chart.svg(detail),
            list: vec![],
            values: Some(chart.table(detail)),
        })
    }
}

/// All figures that a run has something to show for.
pub(super) fn of(run: &Run, detail: Detail) -> Vec<Figure> {
    let all = [
        curves::fitness(run, detail),
        curves::offspring(run, detail),
        curves::by_samples(run, detail),
        curves::by_time(run, detail),
        lineage::figure(run, detail),
        recipes::figure(run, detail),
        curves::diversity(run, detail),
        strategy::figure(run, detail),
        heat_map::figure(run, detail),
    ];
    all.into_iter().flatten().collect()
}
