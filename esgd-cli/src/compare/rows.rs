//! The rows of the table: each method, and what can be made of its networks, over all seeds.

use esgd_core::Fitness;
use serde::{Deserialize, Serialize};

use super::{
    cell::{Outcome, Scores},
    costs::Spent,
    methods::Method,
    statistics::{self, Paired},
};

/// What of a method's networks a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The best of them.
    Best,
    /// Some of them with averaged probabilities.
    Ensemble,
    /// Some of them with averaged weights.
    Soup,
}

/// A row of the table. Vectors have a value a seed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    pub method: Method,
    pub part: Part,
    pub title: String,
    /// Whether it is no rival: it spends less, or something is not counted.
    pub apart: bool,
    pub fitness: Vec<Fitness>,
    pub test_loss: Vec<Fitness>,
    pub test_error: Vec<f64>,
    /// Networks that are evaluated for an answer, and those that are in it, in the mean.
    pub networks: f64,
    pub members: f64,
    pub top: Option<Top>,
    /// In the mean of seeds.
    pub spent: Spent,
    /// Of the budget, in the mean.
    pub share: f64,
    /// Floating-point operations.
    pub flops: f64,
    /// Seconds times threads.
    pub seconds: f64,
    /// Against ESGD's best network, if that is another.
    pub against: Option<Against>,
}

/// The spread of the 15 best networks of a run, or as many as there are, in the mean of seeds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Top {
    pub count: usize,
    pub test_loss: Option<[f64; 2]>,
    pub test_error: Option<[f64; 2]>,
}

/// ESGD minus the row, in pairs of seeds. Below 0 ESGD is better.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Against {
    pub loss: Option<Difference>,
    pub error: Option<Difference>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    pub mean: f64,
    /// Half the width of its 95 % confidence interval.
    pub half: f64,
    /// Of Student's paired t-test, corrected by Holm for all rows.
    pub p: f64,
    /// In how many seeds ESGD is lower.
    pub lower: usize,
}

/// One method's runs: of each seed, in order, one or several.
pub struct Runs {
    pub method: Method,
    pub seeds: Vec<Vec<Outcome>>,
}

/// All rows: those that compete, lowest test loss first, then those that stand apart.
pub fn rows(runs: &[Runs], budget: u64, macs: u64) -> Vec<Row> {
    let mut rows: Vec<Row> = runs
        .iter()
        .flat_map(|runs| {
            [Part::Best, Part::Ensemble, Part::Soup]
                .into_iter()
                .filter_map(|part| row(runs, part, budget, macs))
        })
        .collect();
    let reference = rows.iter().position(|r| r.method == Method::Esgd && r.part == Part::Best);
    if let Some(esgd) = reference.map(|i| rows[i].clone()) {
        compare(&mut rows, &esgd);
    }
    let key = |row: &Row| {
        let by = if row.test_loss.is_empty() { &row.fitness } else { &row.test_loss };
        (row.apart, Fitness::new(mean(by)))
    };
    rows.sort_by_key(key);
    rows
}

fn row(runs: &Runs, part: Part, budget: u64, macs: u64) -> Option<Row> {
    let best: Option<Vec<(&Outcome, &Scores)>> =
        runs.seeds.iter().map(|of_seed| best_of(of_seed, part)).collect();
    let best = best.filter(|best| !best.is_empty())?;
    let n = best.len() as f64;
    let of = |value: fn(&Scores) -> f64| best.iter().map(|(_, s)| value(s)).sum::<f64>() / n;
    let mut total = Spent::default();
    let mut seconds = 0.0;
    for outcome in runs.seeds.iter().flatten() {
        total = total + outcome.spent;
        seconds += outcome.seconds * outcome.threads as f64;
    }
    for (_, scores) in &best {
        total = total + scores.chosen_with;
    }
    let spent = Spent {
        gradient_samples: total.gradient_samples / best.len() as u64,
        evaluation_samples: total.evaluation_samples / best.len() as u64,
    };
    let name = match part {
        Part::Best => "",
        Part::Ensemble => ", ensemble",
        Part::Soup => ", soup",
    };
    let passes = total.passes() as f64 / n;
    Some(Row {
        method: runs.method,
        part,
        title: format!("{}{name}", runs.method.title()),
        apart: runs.method.is_apart(),
        fitness: best.iter().map(|(_, s)| s.fitness).collect(),
        test_loss: best.iter().filter_map(|(_, s)| s.test_loss).collect(),
        test_error: best.iter().filter_map(|(_, s)| s.test_error).collect(),
        networks: of(|s| s.networks as f64),
        members: of(|s| s.members as f64),
        top: (part == Part::Best).then(|| top(&runs.seeds)).flatten(),
        spent,
        share: passes / budget as f64,
        flops: passes * 2.0 * macs as f64,
        seconds: seconds / n,
        against: None,
    })
}

/// Of several runs of a seed the one with the lowest loss to choose by.
fn best_of(of_seed: &[Outcome], part: Part) -> Option<(&Outcome, &Scores)> {
    let all = of_seed.iter().filter_map(|outcome| {
        let scores = match part {
            Part::Best => Some(&outcome.best),
            Part::Ensemble => outcome.ensemble.as_ref(),
            Part::Soup => outcome.soup.as_ref(),
        };
        Some((outcome, scores?))
    });
    all.min_by_key(|(_, scores)| scores.fitness)
}

/// The spread of the best networks; `None` where there is one.
fn top(seeds: &[Vec<Outcome>]) -> Option<Top> {
    let mut count = usize::MAX;
    let mut ranges: [Vec<[f64; 2]>; 2] = [vec![], vec![]];
    for of_seed in seeds {
        let mut all: Vec<&Scores> = match &of_seed[..] {
            [one] => one.top.iter().collect(),
            several => several.iter().map(|outcome| &outcome.best).collect(),
        };
        all.sort_by_key(|scores| scores.fitness);
        count = count.min(all.len());
        let losses = all.iter().filter_map(|s| s.test_loss).map(Fitness::get).collect();
        let errors = all.iter().filter_map(|s| s.test_error).collect();
        for (ranges, values) in ranges.iter_mut().zip::<[Vec<f64>; 2]>([losses, errors]) {
            ranges.extend(range(&values));
        }
    }
    let means = |ranges: &[[f64; 2]]| {
        let mean = |i: usize| ranges.iter().map(|r| r[i]).sum::<f64>() / ranges.len() as f64;
        (ranges.len() == seeds.len()).then(|| [mean(0), mean(1)])
    };
    let [losses, errors] = ranges;
    (count > 1).then(|| Top { count, test_loss: means(&losses), test_error: means(&errors) })
}

fn range(values: &[f64]) -> Option<[f64; 2]> {
    let low = values.iter().copied().reduce(f64::min)?;
    Some([low, values.iter().copied().reduce(f64::max)?])
}

pub fn mean(values: &[Fitness]) -> f64 {
    values.iter().map(|value| value.get()).sum::<f64>() / values.len() as f64
}

/// Compares each row with ESGD's best network; the p of all rows are corrected together.
fn compare(rows: &mut [Row], esgd: &Row) {
    let numbers = |values: &[Fitness]| values.iter().map(|value| value.get()).collect::<Vec<_>>();
    let loss = |row: &Row| match row.test_loss.len() {
        0 => numbers(&row.fitness),
        _ => numbers(&row.test_loss),
    };
    let others = || (0..rows.len()).filter(|&i| rows[i].title != esgd.title);
    let corrected = |pairs: Vec<(usize, Option<Paired>)>| {
        let p = statistics::holm(
            &pairs.iter().filter_map(|(_, t)| Some(t.as_ref()?.p)).collect::<Vec<_>>(),
        );
        let tested = pairs.into_iter().filter_map(|(i, test)| Some((i, test?)));
        tested
            .zip(p)
            .map(|((i, t), p)| {
                (i, Difference { mean: t.difference, half: t.half, p, lower: t.lower })
            })
            .collect::<Vec<_>>()
    };
    let losses = corrected(
        others().map(|i| (i, statistics::paired(&loss(esgd), &loss(&rows[i])))).collect(),
    );
    let errors = corrected(
        others().map(|i| (i, statistics::paired(&esgd.test_error, &rows[i].test_error))).collect(),
    );
    let find = |all: &[(usize, Difference)], i| all.iter().find(|(j, _)| *j == i).map(|(_, d)| *d);
    for i in others().collect::<Vec<_>>() {
        rows[i].against = Some(Against { loss: find(&losses, i), error: find(&errors, i) });
    }
}
