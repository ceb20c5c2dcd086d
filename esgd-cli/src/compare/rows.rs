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
    pub test_loss: Option<[Fitness; 2]>,
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
    /// Of Student's paired t-test, corrected by Holm for all rows of the kind.
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
        test_loss: best.iter().filter_map(|(_, s)| Some(s.test?.loss)).collect(),
        test_error: best.iter().filter_map(|(_, s)| s.test?.error).collect(),
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
        let losses = all.iter().filter_map(|s| Some(s.test?.loss.get())).collect();
        let errors = all.iter().filter_map(|s| s.test?.error).collect();
        for (ranges, values) in ranges.iter_mut().zip::<[Vec<f64>; 2]>([losses, errors]) {
            ranges.extend(range(&values));
        }
    }
    let means = |ranges: &[[f64; 2]]| {
        let mean = |i: usize| ranges.iter().map(|r| r[i]).sum::<f64>() / ranges.len() as f64;
        (ranges.len() == seeds.len()).then(|| [mean(0), mean(1)])
    };
    let [losses, errors] = ranges;
    let test_loss = means(&losses).map(|ends| ends.map(Fitness::new));
    (count > 1).then(|| Top { count, test_loss, test_error: means(&errors) })
}

fn range(values: &[f64]) -> Option<[f64; 2]> {
    let low = values.iter().copied().reduce(f64::min)?;
    Some([low, values.iter().copied().reduce(f64::max)?])
}

pub fn mean(values: &[Fitness]) -> f64 {
    values.iter().map(|value| value.get()).sum::<f64>() / values.len() as f64
}

/// Compares each row with ESGD's best network. Those that are of a kind are corrected together: single
/// rivals; what is made of several networks; what stands apart.
fn compare(rows: &mut [Row], esgd: &Row) {
    let loss = |row: &Row| -> Vec<f64> {
        let by = if row.test_loss.is_empty() { &row.fitness } else { &row.test_loss };
        by.iter().map(|value| value.get()).collect()
    };
    for kind in [(false, true), (false, false), (true, true)] {
        let of_kind: Vec<usize> = (0..rows.len())
            .filter(|&i| (rows[i].apart, rows[i].part == Part::Best) == kind)
            .filter(|&i| rows[i].title != esgd.title)
            .collect();
        let tests = |of: &dyn Fn(&Row) -> Vec<f64>| {
            let test = |&i: &usize| statistics::paired(&of(esgd), &of(&rows[i]));
            differences(&of_kind.iter().map(test).collect::<Vec<_>>())
        };
        let (losses, errors) = (tests(&loss), tests(&|row| row.test_error.clone()));
        for ((i, loss), error) in of_kind.into_iter().zip(losses).zip(errors) {
            rows[i].against = Some(Against { loss, error });
        }
    }
}

/// Tests with their p corrected for all that could be made.
fn differences(tests: &[Option<Paired>]) -> Vec<Option<Difference>> {
    let made: Vec<f64> = tests.iter().flatten().map(|test| test.p).collect();
    let mut corrected = statistics::holm(&made).into_iter();
    let mut difference = |test: &Paired| {
        let (mean, half, lower) = (test.difference, test.half, test.lower);
        Some(Difference { mean, half, p: corrected.next()?, lower })
    };
    tests.iter().map(Option::as_ref).map(|test| test.and_then(&mut difference)).collect()
}
