//! The lineage of the best individual: at each step whom it was recombined from, and what they were trained
//! with.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write,
};

use esgd_core::{Id, IndividualReport};

use super::Figure;
use crate::report::{
    chart::{WIDTH, escaped, open},
    run::Run,
    scale::number,
};

/// The most steps that are drawn, the latest.
const MOST: usize = 60;
/// The most other parents of a step.
const OTHERS: usize = 8;
const LEFT: f64 = 34.0;
const TOP: f64 = 40.0;
const GAP: f64 = 16.0;

/// An individual's life as the log has it: the generation and what it was then.
type Life<'a> = Vec<(f64, &'a IndividualReport)>;

/// A step of the lineage: one individual, and beside it the other parents of the next.
struct Step {
    id: Id,
    others: Vec<Id>,
}

/// The figure of a run.
pub fn figure(run: &Run) -> Option<Figure> {
    let mut lives: HashMap<Id, Life<'_>> = HashMap::new();
    for (k, line) in run.generations().into_iter().zip(&run.lines) {
        for one in line.report.individuals.iter().chain(&line.report.departed) {
            lives.entry(one.id).or_default().push((k, one));
        }
    }
    let best = best(run, &lives)?;
    let (steps, cut) = steps(best, &lives);
    if steps.len() < 2 {
        return None;
    }
    let title = format!("Lineage of the best individual, {best}");
    let svg = draw(&title, &steps, &lives, &run.kinds());
    let ends = match cut {
        true => format!("Only its last {MOST} steps are drawn."),
        false => "It goes back to the start.".into(),
    };
    let last =
        steps.iter().rev().take(2).rev().map(|step| story(step.id, &lives).replace('\n', "; "));
    Some(Figure {
        name: "lineage",
        title,
        caption: format!(
            "Each column is a step: in the middle the parent of lowest loss, which the line follows, and around it the \
             other parents of the same offspring. The colour is the optimizer that each was last trained with; point \
             at one to see its recipe. {ends} The last: {}.",
            last.collect::<Vec<_>>().join(". ")
        ),
        svg,
    })
}

/// The best network's individual: that of the result, if it is in the log, or else the best at the end.
fn best(run: &Run, lives: &HashMap<Id, Life<'_>>) -> Option<Id> {
    let named = run.result.as_ref().and_then(|r| r["best"]["id"].as_str()?.parse::<Id>().ok());
    let known = named.filter(|id| lives.contains_key(id));
    known.or_else(|| Some(run.lines.last()?.report.individuals.first()?.id))
}

/// From the earliest to the best, and whether there were more before.
fn steps(best: Id, lives: &HashMap<Id, Life<'_>>) -> (Vec<Step>, bool) {
    let mut steps = vec![Step { id: best, others: vec![] }];
    let mut at = best;
    while steps.len() < MOST {
        let parents = lives.get(&at).and_then(|life| life.first()).map(|(_, one)| &one.parents);
        let mut parents: Vec<Id> =
            parents.into_iter().flatten().copied().collect::<BTreeSet<_>>().into_iter().collect();
        // As they were when they became parents.
        let fitness = |id: &Id| {
            let mut before = lives.get(id).into_iter().flatten();
            before.rfind(|(k, _)| *k <= at.generation as f64).map(|(_, one)| one.fitness)
        };
        parents.sort_by_key(|id| fitness(id).unwrap_or(esgd_core::Fitness::WORST));
        let Some(first) = parents.first().copied().filter(|id| *id < at) else {
            steps.reverse();
            return (steps, false);
        };
        let mut others = parents.split_off(1);
        others.truncate(OTHERS);
        steps.push(Step { id: first, others });
        at = first;
    }
    steps.reverse();
    (steps, true)
}

fn draw(title: &str, steps: &[Step], lives: &HashMap<Id, Life<'_>>, kinds: &[String]) -> String {
    let most = steps.iter().map(|step| step.others.len()).max().unwrap_or(0) as f64;
    let middle = TOP + GAP * (most / 2.0).ceil();
    let bottom = middle + GAP * (most / 2.0).ceil() + 14.0;
    let width = (WIDTH - 2.0 * LEFT) / (steps.len() - 1) as f64;
    let mut svg = open(WIDTH, bottom + 44.0, title);
    // Writing to a string does not fail.
    for (i, kind) in kinds.iter().enumerate() {
        let x = LEFT + 90.0 * i as f64;
        let _ = write!(
            svg,
            "<circle class=\"f{}\" cx=\"{x:.0}\" cy=\"12\" r=\"4.5\"/><text class=\"t\" x=\"{:.0}\" y=\"16\">{}</text>",
            i % 8,
            x + 9.0,
            escaped(kind)
        );
    }
    let colour = |id: &Id| {
        let mut life = lives.get(id).into_iter().flatten().rev();
        let kind = life.find_map(|(_, one)| Some(&one.hyper.as_ref()?.kind));
        let place = kind.and_then(|kind| kinds.iter().position(|k| k == kind));
        place.map_or("none".to_owned(), |i| (i % 8).to_string())
    };
    let node = |svg: &mut String, id: &Id, (x, y): (f64, f64), radius: f64| {
        let _ = write!(
            svg,
            "<circle class=\"n f{}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"><title>{}</title></circle>",
            colour(id),
            escaped(&story(*id, lives))
        );
    };
    let beside = |i: usize| {
        let side = if i.is_multiple_of(2) { -1.0 } else { 1.0 };
        middle + side * GAP * (i / 2 + 1) as f64
    };
    for (i, step) in steps.iter().enumerate() {
        let x = LEFT + width * i as f64;
        for j in 0..step.others.len() {
            let _ = write!(
                svg,
                "<path class=\"v\" d=\"M{x:.1} {:.1}L{:.1} {middle:.1}\"/>",
                beside(j),
                x + width
            );
        }
        if i + 1 < steps.len() {
            let _ = write!(
                svg,
                "<line class=\"a\" x1=\"{x:.1}\" y1=\"{middle:.1}\" x2=\"{:.1}\" y2=\"{middle:.1}\"/>",
                x + width
            );
        }
    }
    let every = steps.len().div_ceil(20);
    for (i, step) in steps.iter().enumerate() {
        let x = LEFT + width * i as f64;
        for (j, other) in step.others.iter().enumerate() {
            node(&mut svg, other, (x, beside(j)), 3.5);
        }
        node(&mut svg, &step.id, (x, middle), if i + 1 == steps.len() { 8.0 } else { 5.5 });
        if i % every == 0 || i + 1 == steps.len() {
            let _ = write!(
                svg,
                "<text class=\"t m\" x=\"{x:.0}\" y=\"{:.0}\">{}</text>",
                bottom + 14.0,
                step.id.generation
            );
        }
    }
    let _ = write!(
        svg,
        "<text class=\"t m\" x=\"{:.0}\" y=\"{:.0}\">generation of birth</text></svg>",
        WIDTH / 2.0,
        bottom + 34.0
    );
    svg
}

/// What is told of an individual: when it lived, with what fitness and recipe.
fn story(id: Id, lives: &HashMap<Id, Life<'_>>) -> String {
    let mut text = format!("{id}");
    let mut last: Option<String> = None;
    for (k, one) in lives.get(&id).into_iter().flatten() {
        let recipe = one.hyper.as_ref().map_or("untrained".into(), ToString::to_string);
        if last.as_ref() != Some(&recipe) {
            let _ =
                write!(text, "\ngeneration {k}: {recipe}, fitness {}", number(one.fitness.get()));
        }
        last = Some(recipe);
        // A tip is not a book.
        if text.len() > 300 {
            text.push_str("\n…");
            break;
        }
    }
    text
}
