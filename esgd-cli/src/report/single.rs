//! The section of one run: what it took and came to, in words and a table, and its figures.

use esgd_core::Id;
use serde_json::Value;

use super::{
    figures,
    page::Section,
    run::Run,
    table::{Table, TableRow},
};
use crate::{
    draw::detail::Detail,
    text::numbers::{count, fixed, seconds, thousands},
};

pub(super) fn section(run: &Run, detail: Detail) -> Section {
    let mut text = vec![];
    if let Some(last) = run.lines.last() {
        let effort = last.report.effort;
        let lowest = run.best().last().copied().filter(|f| f.is_finite());
        text.push(format!(
            "{} in {}: {}, of which {} taken back, and {} scored. {}",
            count(last.report.generation, "generation", "generations"),
            seconds(last.seconds),
            count(effort.epochs, "epoch", "epochs"),
            count(effort.backed_off, "was", "were"),
            count(effort.offspring, "offspring was", "offspring were"),
            match lowest {
                Some(lowest) => format!("The lowest fitness is {}.", fixed(lowest, 4)),
                None => "All individuals diverged.".into(),
            }
        ));
    }
    match &run.result {
        Some(result) => {
            let best = &result["best"];
            let recipe = best["recipe"].as_str();
            text.extend(recipe.map(|r| format!("The best network was last trained with {r}.")));
            let id = best["id"].as_str().and_then(|id| id.parse::<Id>().ok());
            if id.is_some_and(|id| id.generation == 0) {
                text.push("It is of the start, so there is no lineage to draw.".into());
            }
        }
        None => text.push("The run is not complete: this is what its log has so far.".into()),
    }
    if run.cut {
        text.push("The last line of the log is cut off, and left out here.".into());
    }
    let tables = run.result.as_ref().map(|result| results(&run.name, result)).into_iter();
    // A run of a problem that the program does not know says nothing of data.
    let tables = tables.filter(|table| !table.rows.is_empty()).collect();
    Section { title: run.name.clone(), text, tables, figures: figures::of(run, detail) }
}

/// Loss and error of the best network, with evolution and without.
fn results(name: &str, result: &Value) -> Table {
    let number = |value: &Value, digits: usize| {
        (value.as_f64().map_or("–".into(), |v| fixed(v, digits)), value.as_f64())
    };
    let mut rows = vec![];
    let ways = [("with evolution", &result["best"]), ("without", &result["control"]["best"])];
    for (way, best) in ways {
        for part in ["train", "validation", "test"] {
            let scores = &best[part];
            if !scores.is_object() {
                continue;
            }
            let error = scores["error"].as_f64().map(|e| 100.0 * e);
            let error = (error.map_or("–".into(), |e| fixed(e, 2)), error);
            let samples = &scores["samples"];
            rows.push(TableRow {
                class: if way == "with evolution" { "own" } else { "" },
                cells: vec![
                    (format!("{part}, {way}"), None),
                    number(&scores["loss"], 4),
                    error,
                    (samples.as_u64().map_or("–".into(), thousands), samples.as_f64()),
                ],
            });
        }
    }
    Table {
        caption: format!("The best network of {name}."),
        heads: ["data", "loss", "error %", "samples"].map(str::to_owned).to_vec(),
        rows,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        draw::detail::LEVELS,
        report::example::{self, individual},
    };

    #[test]
    fn one_of_a_thing_is_told_as_one() {
        let line = [individual("g0.0#0", &[], 0.6, Some("sgd"))];
        let mut run = example::run(&[&line, &line]);
        run.cut = true;
        let section = section(&run, LEVELS[0]);
        let expected = "1 generation in 1.0 s: 1 epoch, of which 0 were taken back, and 1 offspring was scored. \
                        The lowest fitness is 0.5000.";
        assert_eq!(section.text[0], expected);
        assert!(section.text[1].contains("not complete") && section.text[2].contains("cut off"));
    }

    #[test]
    fn a_best_network_of_the_start_is_told_as_one() {
        let mut run = example::run(&[&[individual("g0.0#0", &[], 0.6, Some("sgd"))]]);
        let told = |run: &Run| section(run, LEVELS[0]).text.join(" ");
        run.result = Some(json!({"best": {"id": "g0.0#0", "recipe": "sgd lr=0.1"}}));
        assert!(told(&run).contains("It is of the start"));
        run.result = Some(json!({"best": {"id": "g1.1#0", "recipe": "sgd lr=0.1"}}));
        assert!(!told(&run).contains("It is of the start"));
    }

    #[test]
    fn every_column_has_a_head() {
        let table = results(
            "run",
            &json!({"best": {"test": {"loss": 0.1, "error": 0.02, "samples": 10000}}}),
        );
        assert!(table.heads.iter().all(|head| !head.is_empty()));
        assert_eq!(table.rows[0].cells[3].0, "10,000");
    }
}
