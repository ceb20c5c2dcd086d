//! Texts of others on a page: one line each, no longer than can be read, and no more of them than can be
//! told apart, so that a page is small whatever is in a log.

use std::collections::HashMap;

use esgd_core::{Hyperparameters, IndividualReport};
use serde_json::Value;

pub(super) use crate::text::safe::short;
use crate::{run::log::Line, text::safe::one_line};

/// Characters of a name.
pub(super) const NAME: usize = 80;
/// Characters of an optimizer's name.
const KIND: usize = 40;
/// Optimizers that a page tells apart; there are colours for fewer.
const KINDS: usize = 12;
/// What the others are called.
const OTHERS: &str = "other optimizers";
/// Hyperparameters-parameters of an individual.
const VALUES: usize = 12;

/// A result with short texts, each in one line.
pub(super) fn shorten(value: &mut Value, most: usize) {
    match value {
        Value::String(text) => *text = short(text, most),
        Value::Array(all) => all.iter_mut().for_each(|one| shorten(one, most)),
        Value::Object(all) => {
            let tidied = std::mem::take(all).into_iter().map(|(name, mut value)| {
                shorten(&mut value, most);
                (short(&name, most), value)
            });
            *all = tidied.collect();
        }
        _ => {}
    }
}

/// A log with short names, and with the rarest optimizers under one name where there are too many.
pub(super) fn tidy(lines: &mut [Line]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for hyper in lines.iter_mut().flat_map(hypers) {
        match counts.get_mut(&hyper.kind) {
            Some(count) => *count += 1,
            None => drop(counts.insert(hyper.kind.clone(), 1)),
        }
    }
    let mut kinds: Vec<(String, usize)> = counts.into_iter().collect();
    kinds.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let name = |(i, (kind, _)): (usize, (String, usize))| {
        let name = if i < KINDS { short(&kind, KIND) } else { OTHERS.into() };
        (kind, name)
    };
    let names: HashMap<String, String> = kinds.into_iter().enumerate().map(name).collect();
    for hyper in lines.iter_mut().flat_map(hypers) {
        if let Some(name) = names.get(&hyper.kind).filter(|name| **name != hyper.kind) {
            hyper.kind.clone_from(name);
        }
        if hyper.values.len() > VALUES || !hyper.values.keys().all(|name| is_plain(name)) {
            let rate = hyper.values.remove_entry("lr");
            let others = std::mem::take(&mut hyper.values).into_iter().take(VALUES - 1);
            let others = others.map(|(name, value)| (short(&name, KIND), value));
            hyper.values = rate.into_iter().chain(others).collect();
        }
    }
    for numbers in lines.iter_mut().map(|line| &mut line.report.numbers) {
        if !numbers.keys().all(|name| is_plain(name)) {
            let all = std::mem::take(numbers).into_iter();
            *numbers = all.map(|(name, list)| (short(&name, KIND), list)).collect();
        }
    }
}

/// Whether a name can stay as it is.
fn is_plain(name: &str) -> bool {
    name.len() <= KIND && one_line(name) == name
}

fn hypers(line: &mut Line) -> impl Iterator<Item = &mut Hyperparameters> {
    let report = &mut line.report;
    let all = report.individuals.iter_mut().chain(&mut report.departed);
    all.filter_map(|one: &mut IndividualReport| one.hyper.as_mut())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::example::{self, individual};

    #[test]
    fn texts_of_a_result_are_one_line_each() {
        let mut value = json!({ "a\nb": ["\u{1b}", { "c": 1 }] });
        shorten(&mut value, 80);
        assert_eq!(value, json!({ "a\\u000ab": ["\\u001b", { "c": 1 }] }));
    }

    #[test]
    fn many_optimizers_are_a_few_and_the_others() {
        let line = |k: usize| {
            let of = |i: usize| {
                let kind = if i < 20 { "sgd".into() } else { format!("{k}-{i}") };
                individual(&format!("g0.0#{i}"), &[], 0.5, Some(&kind))
            };
            (0..60).map(of).collect::<Vec<_>>()
        };
        let lines: Vec<Vec<String>> = (0..10).map(line).collect();
        let lines: Vec<&[String]> = lines.iter().map(Vec::as_slice).collect();
        let mut run = example::run(&lines);
        tidy(&mut run.lines);
        let kinds = run.kinds();
        assert_eq!(kinds.len(), KINDS + 1, "{kinds:?}");
        assert!(kinds.contains(&"sgd".to_owned()) && kinds.contains(&OTHERS.to_owned()));
    }

    #[test]
    fn the_learning_rate_stays_among_many_values() {
        let mut run = example::run(&[&[individual("g0.0#0", &[], 0.5, Some("sgd"))]]);
        let hyper = run.lines[0].report.individuals[0].hyper.as_mut().unwrap();
        hyper.values.extend((0..1000).map(|i| (format!("a{i}\n"), 1.0)));
        tidy(&mut run.lines);
        let hyper = run.lines[0].report.individuals[0].hyper.as_ref().unwrap();
        assert_eq!((hyper.values.len(), hyper.get("lr")), (VALUES, Some(0.01)));
        assert!(hyper.values.keys().all(|name| !name.contains('\n')));
    }

    #[test]
    fn names_of_numbers_are_short() {
        let mut run = example::run(&[&[]]);
        let lists = [("sigma".to_owned(), vec![0.5]), ("a\n".repeat(1000), vec![1.0, 2.0])];
        run.lines[0].report.numbers = lists.into();
        tidy(&mut run.lines);
        let numbers = &run.lines[0].report.numbers;
        assert_eq!(numbers["sigma"], [0.5]);
        assert!(numbers.keys().all(|name| name.chars().count() < 300 && !name.contains('\n')));
        assert!(numbers.values().any(|list| *list == [1.0, 2.0]));
    }
}
