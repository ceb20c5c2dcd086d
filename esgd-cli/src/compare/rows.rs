//! The rows of the table: each method, and what can be made of its networks, over all seeds.

use esgd_core::{Fitness, budget::Spent};
use serde::{Deserialize, Serialize};

use super::{
    methods::Method,
    statistics::{self, Interval, Paired},
};
use crate::compare::outcome::{Outcome, Scores};

/// What of a method's networks a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Part {
    /// The best of them.
    Best,
    /// Some of them with averaged probabilities.
    Ensemble,
    /// Some of them with averaged weights.
    Soup,
}

/// A row of the table. Vectors have a value a seed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub method: Method,
    pub part: Part,
    pub title: String,
    /// Whether it is no rival: it spends less than the budget, or more.
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
    /// What it took, a seed.
    pub each: Vec<Each>,
    /// Against ESGD's own of the same kind, if that is another.
    pub against: Option<Against>,
}

/// What a row took with one seed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Each {
    pub networks: usize,
    pub members: usize,
    pub spent: Spent,
    /// Of the clock, of all runs of the seed one after another.
    pub seconds: f64,
    /// The same times threads.
    pub core_seconds: f64,
}

/// The spread of the 15 best networks of a run, or as many as there are, in the mean of seeds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Top {
    pub count: usize,
    pub test_loss: Option<[Fitness; 2]>,
    pub test_error: Option<[f64; 2]>,
}

/// ESGD minus the row, in pairs of seeds. Below 0 ESGD is better.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Against {
    pub loss: Option<Difference>,
    pub error: Option<Difference>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Difference {
    /// Its mean and half the width of its 95 % confidence interval; none where a run diverged, or all differ
    /// by the same.
    pub interval: Option<Interval>,
    /// Of Student's paired t-test, or of a sign test where there is no interval, corrected by Holm for all
    /// rows of the kind.
    pub p: f64,
    /// In how many seeds ESGD is lower, and in how many higher.
    pub lower: usize,
    pub higher: usize,
}

impl Difference {
    /// Whether ESGD is lower.
    pub(crate) fn is_ahead(&self) -> bool {
        self.interval.map_or(self.lower > self.higher, |interval| interval.mean < 0.0)
    }
}

/// One method's runs: of each seed, in order, one or several.
pub(super) struct Runs {
    pub method: Method,
    pub seeds: Vec<Vec<Outcome>>,
}

/// All rows: those that compete, lowest test loss first, then those that stand apart.
pub(super) fn rows(runs: &[Runs], budget: u64, macs: u64) -> Vec<Row> {
    let mut rows: Vec<Row> = runs
        .iter()
        .flat_map(|runs| {
            [Part::Best, Part::Ensemble, Part::Soup]
                .into_iter()
                .filter_map(|part| row(runs, part, budget, macs))
        })
        .collect();
    compare(&mut rows);
    let key = |row: &Row| {
        let by = if row.test_loss.is_empty() { &row.fitness } else { &row.test_loss };
        (row.apart, Fitness::new(mean(by)))
    };
    rows.sort_by_key(key);
    rows
}

fn row(runs: &Runs, part: Part, budget: u64, macs: u64) -> Option<Row> {
    let has = |of_seed: &Vec<Outcome>| of_seed.iter().any(|outcome| outcome.part(part).is_some());
    if !runs.seeds.iter().any(has) {
        return None;
    }
    // Where all but one network of a seed diverged, that one is all that can be chosen.
    let best_of = |of_seed| best_of(of_seed, part).or_else(|| best_of(of_seed, Part::Best));
    let best: Vec<(&Outcome, &Scores)> = runs.seeds.iter().filter_map(|s| best_of(s)).collect();
    let each: Vec<Each> =
        runs.seeds.iter().zip(&best).map(|(s, (_, best))| each(s, best)).collect();
    let n = each.len() as f64;
    let mean = |value: &dyn Fn(&Each) -> f64| each.iter().map(value).sum::<f64>() / n;
    let total = each.iter().fold(Spent::default(), |total, one| total + one.spent);
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
        networks: mean(&|one| one.networks as f64),
        members: mean(&|one| one.members as f64),
        top: (part == Part::Best).then(|| top(&runs.seeds)).flatten(),
        spent: Spent {
            gradient_samples: total.gradient_samples / each.len() as u64,
            evaluation_samples: total.evaluation_samples / each.len() as u64,
        },
        share: passes / budget as f64,
        flops: passes * 2.0 * macs as f64,
        seconds: mean(&|one| one.core_seconds),
        each,
        against: None,
    })
}

/// What all runs of a seed took, and choosing what `best` are the scores of.
fn each(of_seed: &[Outcome], best: &Scores) -> Each {
    Each {
        networks: best.networks,
        members: best.members,
        spent: of_seed.iter().fold(best.chosen_with, |spent, outcome| spent + outcome.spent),
        seconds: of_seed.iter().map(|outcome| outcome.seconds).sum(),
        core_seconds: of_seed.iter().map(|o| o.seconds * o.threads as f64).sum(),
    }
}

/// Of several runs of a seed the one with the lowest loss to choose by.
fn best_of(of_seed: &[Outcome], part: Part) -> Option<(&Outcome, &Scores)> {
    let all = of_seed.iter().filter_map(|outcome| Some((outcome, outcome.part(part)?)));
    all.min_by_key(|(_, scores)| scores.fitness)
}

impl Outcome {
    fn part(&self, part: Part) -> Option<&Scores> {
        match part {
            Part::Best => Some(&self.best),
            Part::Ensemble => self.ensemble.as_ref(),
            Part::Soup => self.soup.as_ref(),
        }
    }
}

/// The spread of the best networks; `None` where there is one.
fn top(seeds: &[Vec<Outcome>]) -> Option<Top> {
    let mut count = usize::MAX;
    let mut domains: [Vec<[f64; 2]>; 2] = [vec![], vec![]];
    for of_seed in seeds {
        let mut all: Vec<&Scores> = match &of_seed[..] {
            [one] => one.top.iter().collect(),
            several => several.iter().map(|outcome| &outcome.best).collect(),
        };
        all.sort_by_key(|scores| scores.fitness);
        count = count.min(all.len());
        let losses = all.iter().filter_map(|s| Some(s.test?.loss.get())).collect();
        let errors = all.iter().filter_map(|s| s.test?.error).collect();
        for (domains, values) in domains.iter_mut().zip::<[Vec<f64>; 2]>([losses, errors]) {
            domains.extend(range(&values));
        }
    }
    let means = |domains: &[[f64; 2]]| {
        let mean = |i: usize| domains.iter().map(|r| r[i]).sum::<f64>() / domains.len() as f64;
        (domains.len() == seeds.len()).then(|| [mean(0), mean(1)])
    };
    let [losses, errors] = domains;
    let test_loss = means(&losses).map(|ends| ends.map(Fitness::new));
    (count > 1).then(|| Top { count, test_loss, test_error: means(&errors) })
}

fn range(values: &[f64]) -> Option<[f64; 2]> {
    let low = values.iter().copied().reduce(f64::min)?;
    Some([low, values.iter().copied().reduce(f64::max)?])
}

pub(super) fn mean(values: &[Fitness]) -> f64 {
    values.iter().map(|value| value.get()).sum::<f64>() / values.len() as f64
}

/// Compares each row with ESGD's of the same kind: single networks, ensembles, soups. Those of a kind are
/// corrected together, and what stands apart by itself.
fn compare(rows: &mut [Row]) {
    let loss = |row: &Row| -> Vec<f64> {
        let by = if row.test_loss.is_empty() { &row.fitness } else { &row.test_loss };
        by.iter().map(|value| value.get()).collect()
    };
    for kind in
        [(false, Part::Best), (false, Part::Ensemble), (false, Part::Soup), (true, Part::Best)]
    {
        let is_esgd = |row: &&Row| row.method == Method::Esgd && row.part == kind.1;
        let Some(esgd) = rows.iter().find(is_esgd).cloned() else { continue };
        let of_kind: Vec<usize> = (0..rows.len())
            .filter(|&i| (rows[i].apart, rows[i].part) == kind && rows[i].method != Method::Esgd)
            .collect();
        let tests = |of: &dyn Fn(&Row) -> Vec<f64>| {
            let test = |&i: &usize| statistics::paired(&of(&esgd), &of(&rows[i]));
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
    let mut difference = |test: Paired| {
        let Paired { interval, lower, higher, .. } = test;
        Some(Difference { interval, p: corrected.next()?, lower, higher })
    };
    tests.iter().map(|test| test.and_then(&mut difference)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{outcome::Test, verdict};

    fn scores(loss: f64) -> Scores {
        Scores {
            networks: 1,
            members: 1,
            fitness: Fitness::new(loss),
            test: Some(Test { loss: Fitness::new(loss), error: Some(loss / 10.0) }),
            chosen_with: Spent::default(),
        }
    }

    fn outcome(method: Method, seed: u64, loss: f64) -> Outcome {
        Outcome {
            method,
            seed,
            rate: None,
            spent: Spent { gradient_samples: 100, evaluation_samples: 100 },
            threads: 2,
            seconds: 3.0,
            recipe: None,
            best: scores(loss),
            ensemble: Some(Scores { networks: 3, members: 3, ..scores(loss - 0.1) }),
            soup: None,
            top: vec![],
        }
    }

    /// A method's runs with these losses, a seed each.
    fn runs(method: Method, losses: &[f64]) -> Runs {
        let of_seed = |(seed, &loss)| vec![outcome(method, seed, loss)];
        Runs { method, seeds: (1..).zip(losses).map(of_seed).collect() }
    }

    fn compared(all: &[Runs]) -> (Vec<Row>, String) {
        let rows = rows(all, 400, 10);
        let verdict = verdict::sentences(&rows, all, all[0].seeds.len()).join("\n");
        (rows, verdict)
    }

    #[test]
    fn where_esgd_loses_it_is_said_so() {
        let (rows, verdict) = compared(&[
            runs(Method::Esgd, &[0.50, 0.52, 0.51, 0.53, 0.50]),
            runs(Method::Pbt, &[0.40, 0.41, 0.42, 0.42, 0.41]),
            runs(Method::Long, &[0.60, 0.61, 0.62, 0.64, 0.60]),
            runs(Method::Population, &[0.49, 0.53, 0.50, 0.54, 0.49]),
        ]);
        assert_eq!(rows[0].title, "population-based training, ensemble");
        for sentence in [
            "By test loss ESGD beats long single run; loses to population-based training; is behind or level",
            "By test error ESGD beats long single run; loses to population-based training",
            "By test loss ESGD's ensemble beats the ensemble of long single run; loses to the ensemble of population-based training",
            "The lowest mean loss of one network is that of population-based training, 0.4120; ESGD's is 0.5120.",
        ] {
            assert!(verdict.contains(sentence), "{verdict}");
        }
        let long = rows.iter().find(|row| row.title == "long single run").unwrap();
        assert_eq!((long.share, long.flops, long.seconds), (1.0, 400.0 * 20.0, 6.0));
    }

    #[test]
    fn a_seed_that_diverged_hides_nothing() {
        let inf = f64::INFINITY;
        let (rows, verdict) = compared(&[
            runs(Method::Esgd, &[0.5; 6]),
            runs(Method::Long, &[0.6, inf, 0.7, 0.6, inf, 0.6]),
            runs(Method::Pbt, &[0.4; 6]),
        ]);
        // Six of six are p = 0.031 by themselves, and of two tests 0.063.
        let sentence = "ESGD is ahead, by less than these seeds can show, of long single run";
        assert!(verdict.contains(sentence), "{verdict}");
        let long = rows.iter().find(|row| row.title == "long single run").unwrap();
        let loss = long.against.unwrap().loss.unwrap();
        assert_eq!((loss.interval, loss.lower, loss.higher), (None, 6, 0));
    }

    #[test]
    fn a_seed_with_one_sound_network_counts_it() {
        let mut esgd = runs(Method::Esgd, &[0.5, 0.6]);
        esgd.seeds[1][0].ensemble = None;
        let (rows, _) = compared(&[esgd]);
        let ensemble = rows.iter().find(|row| row.part == Part::Ensemble).unwrap();
        assert_eq!(ensemble.fitness, [Fitness::new(0.4), Fitness::new(0.6)]);
        assert_eq!((ensemble.networks, ensemble.each[1].networks), (2.0, 1));
    }

    #[test]
    fn a_best_rate_at_the_end_of_those_tried_is_said_so() {
        let inf = f64::INFINITY;
        let tuned = |losses: &[[f64; 3]]| {
            let run = |(rate, &loss): (f64, &f64)| Outcome {
                rate: Some(rate),
                ..outcome(Method::Tuned, 1, loss)
            };
            let of_seed =
                |losses: &[f64; 3]| [0.1, 0.2, 0.4].into_iter().zip(losses).map(run).collect();
            Runs { method: Method::Tuned, seeds: losses.iter().map(of_seed).collect() }
        };
        let verdict = |losses: &[[f64; 3]]| {
            compared(&[runs(Method::Esgd, &vec![0.5; losses.len()]), tuned(losses)]).1
        };
        for inner in [
            &[[0.4, 0.3, inf]][..],
            &[[inf, inf, inf]],
            &[[0.4, 0.3, 0.5], [0.4, 0.3, 0.5], [0.4, inf, 0.5]],
        ] {
            let found = verdict(inner);
            assert!(!found.contains("compare.rates") && !found.contains("inf"), "{found}");
        }
        let found = verdict(&[[0.2, 0.3, 0.5], [0.4, 0.3, 0.5], [0.2, 0.3, 0.5]]);
        let sentence = "tuned single run is mostly 0.1, the smallest of compare.rates";
        assert!(found.contains(sentence), "{found}");
        assert!(verdict(&[[0.4, 0.3, 0.2]]).contains("mostly 0.4, the largest"));
    }
}
