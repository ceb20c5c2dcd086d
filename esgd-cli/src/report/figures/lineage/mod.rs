//! The lineage of the best individual: at each step whom it was recombined from, and what they were trained
//! with when they became parents.

mod drawing;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write,
};

use esgd_core::{Fitness, Id, IndividualReport};

use super::Figure;
use crate::{
    draw::{detail::Detail, scale::number},
    report::run::Run,
    text::numbers,
};

/// The most other parents of a step.
const OTHERS: usize = 8;

/// An individual's life as the log has it: the generation and what it was then.
type Life<'a> = Vec<(f64, &'a IndividualReport)>;

/// A step of the lineage: one individual, and beside it the other parents of the next.
struct Step {
    id: Id,
    others: Vec<Id>,
    /// The generation in which they became parents; the best did not.
    until: Option<f64>,
}

/// All lives of a log.
struct Lives<'a>(HashMap<Id, Life<'a>>);

/// The best network as the run's result has it.
struct Best {
    id: Id,
    recipe: Option<String>,
    fitness: Option<f64>,
}

/// The figure of a run.
pub(super) fn figure(run: &Run, detail: Detail) -> Option<Figure> {
    let mut lives: HashMap<Id, Life<'_>> = HashMap::new();
    for (k, line) in run.generations().into_iter().zip(&run.lines) {
        for one in line.report.individuals.iter().chain(&line.report.departed) {
            lives.entry(one.id).or_default().push((k, one));
        }
    }
    let lives = Lives(lives);
    let best = best(run, &lives)?;
    let (steps, cut) = steps(best.id, &lives, detail.steps);
    if steps.len() < 2 {
        return None;
    }
    let title = format!("Lineage of the best individual, {}", best.id);
    let list: Vec<String> = steps.iter().map(|step| tooltip(step, &lives, &best)).collect();
    let svg = drawing::svg(&title, &steps, (&lives, &best), &run.kinds(), &list);
    let ends = match cut {
        true => format!("Only its last {} steps are drawn.", detail.steps),
        false => "It goes back to the start.".into(),
    };
    let logged = lives.lowest(best.id).map(|(_, one)| one.fitness.get());
    let better = match (best.fitness, logged) {
        (Some(fitness), Some(logged)) if fitness < logged => format!(
            " The best was scored between two lines of the log, at {}; there its lowest is {}.",
            number(fitness),
            number(logged)
        ),
        (None, _) => run.better_than_logged().map_or(String::new(), |why| {
            format!(" {why} Whose it is the log does not say, so this is the best of the log.")
        }),
        _ => String::new(),
    };
    Some(Figure {
        name: "lineage",
        title,
        caption: format!(
            "Each column is a step: in the middle the parent of lowest loss, which the line follows, and around it the \
             other parents of the same offspring. The colour is the optimizer that each was last trained with before \
             it became a parent. {ends}{better} The individuals that the line follows:"
        ),
        svg,
        list,
        values: None,
    })
}

/// The best network's individual: that of the result, if it is in the log, or else the best of the log.
fn best(run: &Run, lives: &Lives<'_>) -> Option<Best> {
    let result = run.result.as_ref();
    let named = result.and_then(|r| r["best"]["id"].as_str()?.parse::<Id>().ok());
    match named.filter(|id| lives.0.contains_key(id)) {
        Some(id) => {
            let recipe = result.and_then(|r| r["best"]["recipe"].as_str()).map(str::to_owned);
            let fitness = result.and_then(|r| r["fitness"].as_f64());
            Some(Best { id, recipe, fitness })
        }
        None => Some(Best { id: run.lowest()?.0, recipe: None, fitness: None }),
    }
}

impl Lives<'_> {
    /// What an individual was in the last line up to a generation.
    fn by(&self, id: Id, until: f64) -> Option<&IndividualReport> {
        let mut life = self.0.get(&id)?.iter();
        life.rfind(|(k, _)| *k <= until).map(|(_, one)| *one)
    }

    /// What it was where its fitness was the lowest.
    fn lowest(&self, id: Id) -> Option<(f64, &IndividualReport)> {
        let life = self.0.get(&id)?.iter();
        life.min_by_key(|(_, one)| (one.fitness, one.hyper.is_none())).map(|(k, one)| (*k, *one))
    }
}

/// From the earliest to the best, at most so many, and whether there were more before.
fn steps(best: Id, lives: &Lives<'_>, most: usize) -> (Vec<Step>, bool) {
    let mut steps = vec![Step { id: best, others: vec![], until: None }];
    let mut at = best;
    loop {
        let parents = lives.0.get(&at).and_then(|life| life.first()).map(|(_, one)| &one.parents);
        let parents: BTreeSet<Id> = parents.into_iter().flatten().copied().collect();
        let mut parents: Vec<Id> = parents.into_iter().collect();
        let until = at.generation as f64;
        let fitness = |id: &Id| lives.by(*id, until).map_or(Fitness::WORST, |one| one.fitness);
        parents.sort_by_key(fitness);
        let first = parents.first().copied().filter(|id| *id < at);
        let (Some(first), true) = (first, steps.len() < most) else {
            steps.reverse();
            return (steps, first.is_some());
        };
        let mut others = parents.split_off(1);
        others.truncate(OTHERS);
        steps.push(Step { id: first, others, until: Some(until) });
        at = first;
    }
}

/// A step in words: the individual and what it was, and the optimizers of those beside it.
fn tooltip(step: &Step, lives: &Lives<'_>, best: &Best) -> String {
    let Some(until) = step.until else {
        let (k, one) = lives.lowest(step.id).map_or((None, None), |(k, one)| (Some(k), Some(one)));
        let recipe = best.recipe.clone().or_else(|| one.map(recipe)).unwrap_or_default();
        let fitness = best.fitness.or_else(|| one.map(|one| one.fitness.get()));
        let fitness = fitness.map_or(String::new(), |f| format!(", fitness {}", number(f)));
        let when = match (best.fitness, k) {
            (None, Some(k)) => format!(" in generation {k}"),
            _ => String::new(),
        };
        return format!("{}, the best{when}: {recipe}{fitness}", step.id);
    };
    let mut text = match lives.by(step.id, until) {
        Some(one) => format!("{}: {}, fitness {}", step.id, recipe(one), number(one.fitness.get())),
        None => format!("{}: not in the log", step.id),
    };
    let _ = write!(text, "; a parent in generation {until}");
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for other in &step.others {
        *kinds.entry(kind(lives.by(*other, until)).unwrap_or("untrained")).or_insert(0) += 1;
    }
    let kinds: Vec<_> = kinds.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
    if !kinds.is_empty() {
        let n = step.others.len();
        let _ =
            write!(text, ", with {} ({})", numbers::count(n, "other", "others"), kinds.join(", "));
    }
    text
}

fn recipe(one: &IndividualReport) -> String {
    one.hyper.as_ref().map_or("untrained".into(), ToString::to_string)
}

fn kind(one: Option<&IndividualReport>) -> Option<&str> {
    Some(&one?.hyper.as_ref()?.kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        draw::detail::LEVELS,
        report::example::{self, individual},
    };

    /// A parent that is trained with something else after it became one, and an offspring that is best in
    /// the middle of the log.
    fn run() -> Run {
        example::run(&[
            &[individual("g0.0#0", &[], 0.9, None), individual("g0.0#1", &[], 0.95, None)],
            &[
                individual("g0.0#0", &[], 0.6, Some("adam")),
                individual("g1.1#0", &["g0.0#0", "g0.0#1"], 0.65, None),
                individual("g0.0#1", &[], 0.8, Some("sgd")),
            ],
            &[individual("g1.1#0", &["g0.0#0", "g0.0#1"], 0.5, Some("sgd"))],
            &[
                individual("g0.0#0", &[], 0.7, Some("sgd")),
                individual("g1.1#0", &["g0.0#0", "g0.0#1"], 0.75, Some("adam")),
            ],
        ])
    }

    #[test]
    fn parents_are_what_they_were_when_they_became_parents() {
        let figure = figure(&run(), LEVELS[0]).unwrap();
        assert_eq!(
            figure.list,
            [
                "g0.0#0: adam lr=0.01, fitness 0.6; a parent in generation 1, with 1 other (sgd 1)",
                "g1.1#0, the best in generation 2: sgd lr=0.01, fitness 0.5",
            ]
        );
        // The followed parent has the colour of adam, not of what it was trained with later.
        assert!(figure.svg.contains("class=\"n f0\" cx=\"34.0\""), "{}", figure.svg);
    }

    #[test]
    fn without_a_result_the_best_is_the_best_of_the_log() {
        let mut run = run();
        let without = figure(&run, LEVELS[0]).unwrap();
        assert!(without.title.ends_with("g1.1#0"));
        assert!(!without.caption.contains("the log does not say"), "the best of the lines is 0.5");
        run.lines[2].report.best = Fitness::new(0.45);
        let without = figure(&run, LEVELS[0]).unwrap();
        assert!(without.caption.contains("Whose it is the log does not say"));
        run.result = Some(json!({
            "fitness": 0.45, "best": {"id": "g1.1#0", "recipe": "sgd lr=0.02"}
        }));
        let figure = figure(&run, LEVELS[0]).unwrap();
        assert_eq!(figure.list[1], "g1.1#0, the best: sgd lr=0.02, fitness 0.45");
        let why =
            "The best was scored between two lines of the log, at 0.45; there its lowest is 0.5.";
        assert!(figure.caption.contains(why), "{}", figure.caption);
    }

    #[test]
    fn a_long_lineage_is_cut_and_says_so() {
        let lines: Vec<Vec<String>> = (0..30)
            .map(|k| {
                let parent = format!("g{}.1#0", k.max(1) - 1);
                let parents = if k == 0 { vec![] } else { vec![parent.as_str()] };
                vec![individual(
                    &format!("g{k}.1#0"),
                    &parents,
                    1.0 / f64::from(k + 1),
                    Some("sgd"),
                )]
            })
            .collect();
        let lines: Vec<&[String]> = lines.iter().map(Vec::as_slice).collect();
        let figure = figure(&example::run(&lines), LEVELS[3]).unwrap();
        assert_eq!(figure.list.len(), LEVELS[3].steps);
        assert!(figure.caption.contains("Only its last 8 steps"), "{}", figure.caption);
    }
}
