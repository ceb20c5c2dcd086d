//! The picture of a lineage: a column a step, the followed individual in the middle.

use std::fmt::Write;

use esgd_core::Id;

use super::{Best, Lives, Step, kind, recipe};
use crate::draw::{
    scale::number,
    svg::{WIDTH, escaped, open},
};

const LEFT: f64 = 34.0;
const TOP: f64 = 40.0;
const GAP: f64 = 16.0;
/// What a character takes of the width.
const LETTER: f64 = 7.0;
/// The height of a row of names.
const ROW: f64 = 17.0;
/// The class of what is not trained.
const NONE: &str = "none";

pub(super) fn svg(
    title: &str,
    steps: &[Step],
    (lives, best): (&Lives<'_>, &Best),
    kinds: &[String],
    tooltip: &[String],
) -> String {
    let most = steps.iter().map(|step| step.others.len()).max().unwrap_or(0) as f64;
    let names = legend(kinds);
    let rows = names.last().map_or(0, |name| name.row);
    let middle = TOP + ROW * rows as f64 + GAP * (most / 2.0).ceil();
    let bottom = middle + GAP * (most / 2.0).ceil() + 14.0;
    let width = (WIDTH - 2.0 * LEFT) / (steps.len() - 1) as f64;
    let last = tooltip.last().map_or("", String::as_str);
    let description = format!("{} steps. The last: {last}.", steps.len());
    let mut svg = open(WIDTH, bottom + 44.0, (title, &description), "");
    let beside = |i: usize| {
        let side = if i.is_multiple_of(2) { -1.0 } else { 1.0 };
        middle + side * GAP * (i / 2 + 1) as f64
    };
    for (i, step) in steps.iter().enumerate() {
        let x = LEFT + width * i as f64;
        for j in 0..step.others.len() {
            // Writing to a string does not fail.
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
    let node = |svg: &mut String,
                kind: Option<&str>,
                (x, y): (f64, f64),
                size: f64,
                tooltip: &str| {
        let colour = kind.and_then(|kind| kinds.iter().position(|k| k == kind));
        let _ = write!(
            svg,
            "<circle class=\"n f{}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{size}\"><title>{}</title></circle>",
            colour.map_or(NONE.to_owned(), |i| (i % 8).to_string()),
            escaped(tooltip)
        );
    };
    for (i, step) in steps.iter().enumerate() {
        let x = LEFT + width * i as f64;
        for (j, other) in step.others.iter().enumerate() {
            let one = step.until.and_then(|until| lives.by(*other, until));
            let text = one.map_or(format!("{other}: not in the log"), |one| {
                format!("{other}: {}, fitness {}", recipe(one), number(one.fitness.get()))
            });
            node(&mut svg, kind(one), (x, beside(j)), 3.5, &text);
        }
        let (own, size) = match step.until {
            Some(until) => (kind(lives.by(step.id, until)), 5.5),
            None => (kind_of_best(best, lives), 8.0),
        };
        node(&mut svg, own, (x, middle), size, &tooltip[i]);
    }
    let untrained = svg.contains("fnone");
    for Name { class, text, x, row } in names {
        if class == NONE && !untrained {
            continue;
        }
        let y = 12.0 + ROW * row as f64;
        let _ = write!(
            svg,
            "<circle class=\"f{class}\" cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"4.5\"/><text class=\"t\" x=\"{:.0}\" y=\"{:.0}\">{}</text>",
            x + 9.0,
            y + 4.0,
            escaped(text)
        );
    }
    let births: Vec<Id> = steps.iter().map(|step| step.id).collect();
    labels(&mut svg, &births, width, bottom + 14.0);
    let _ = write!(
        svg,
        "<text class=\"t m\" x=\"{:.0}\" y=\"{:.0}\">generation of birth</text></svg>",
        WIDTH / 2.0,
        bottom + 34.0
    );
    svg
}

/// The optimizer of the best network: the first word of its recipe, or what the log has.
fn kind_of_best<'a>(best: &'a Best, lives: &'a Lives<'_>) -> Option<&'a str> {
    let named = best.recipe.as_deref().and_then(|recipe| recipe.split(' ').next());
    named.or_else(|| kind(lives.lowest(best.id).map(|(_, one)| one)))
}

/// A name above the picture: the class of its colour, itself, and where it is.
struct Name<'a> {
    class: String,
    text: &'a str,
    x: f64,
    row: usize,
}

/// The names of the optimizers in rows, and of those who have none yet.
fn legend(kinds: &[String]) -> Vec<Name<'_>> {
    let (mut x, mut row) = (LEFT, 0);
    let named = kinds.iter().enumerate().map(|(i, kind)| ((i % 8).to_string(), kind.as_str()));
    let mut names = vec![];
    for (class, text) in named.chain([(NONE.to_owned(), "untrained")]) {
        let width = 28.0 + LETTER * text.chars().count() as f64;
        if x + width > WIDTH && x > LEFT {
            (x, row) = (LEFT, row + 1);
        }
        names.push(Name { class, text, x, row });
        x += width;
    }
    names
}

/// The generations of birth, as many as have room beside one another, the last among them.
fn labels(svg: &mut String, births: &[Id], width: f64, y: f64) {
    let half = |text: &str| LETTER / 2.0 * text.len() as f64;
    let texts: Vec<String> = births.iter().map(|id| id.generation.to_string()).collect();
    let x = |i: usize| LEFT + width * i as f64;
    let end = texts.len() - 1;
    let room = x(end) - half(&texts[end]) - LETTER;
    let mut taken = f64::NEG_INFINITY;
    for (i, text) in texts.iter().enumerate() {
        let (from, to) = (x(i) - half(text), x(i) + half(text));
        if i == end || (from >= taken && to <= room) {
            let _ = write!(svg, "<text class=\"t m\" x=\"{:.1}\" y=\"{y:.0}\">{text}</text>", x(i));
            taken = to + LETTER;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_on_the_paper() {
        let kinds: Vec<String> = (0..12).map(|i| format!("optimizer-{i}")).collect();
        let names = legend(&kinds);
        assert_eq!((names.len(), names[12].text), (13, "untrained"));
        let width = |name: &Name<'_>| 28.0 + LETTER * name.text.len() as f64;
        assert!(names.iter().all(|name| name.x + width(name) <= WIDTH));
        assert!(names.windows(2).all(|n| n[1].row > n[0].row || n[1].x >= n[0].x + width(&n[0])));
        assert!(names[12].row > 0);
    }

    #[test]
    fn labels_do_not_meet() {
        let births: Vec<Id> =
            (0..60).map(|i| format!("g{}.1#0", 20_000 + i).parse().unwrap()).collect();
        let mut svg = String::new();
        labels(&mut svg, &births, (WIDTH - 2.0 * LEFT) / 59.0, 10.0);
        let at =
            svg.split(" x=\"").skip(1).map(|part| part.split('"').next().unwrap().parse::<f64>());
        let at: Vec<f64> = at.map(Result::unwrap).collect();
        assert!(at.windows(2).all(|pair| pair[1] - pair[0] >= 5.0 * LETTER), "{at:?}");
        assert!(svg.contains(">20059<") && at.len() > 5);
    }
}
