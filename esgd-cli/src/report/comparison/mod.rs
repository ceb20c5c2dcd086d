//! The section of a comparison: its verdict, its table, and each method's way there.

mod curves;
mod differences;
mod results;

use std::{collections::BTreeSet, path::Path};

use esgd_models::regular_file::{self, Links};

use self::curves::Way;
use super::{
    page::Section,
    texts::{NAME, short},
};
use crate::{
    compare::{Comparison, Method},
    draw::{detail::Detail, scale::number},
    failure::Failure,
    text::numbers::{count, fixed, thousands, with_minus},
};

/// A comparison's result.
pub(super) const FILE: &str = "comparison.json";
/// The largest, in bytes: more than ten thousand seeds of all methods take.
const LARGEST: u64 = 1 << 28;
/// Rows of a comparison: of each method its best, an ensemble and a soup.
const ROWS: usize = 3 * Method::ALL.len();
/// Sentences of a verdict, and the characters of each.
const SENTENCES: usize = 40;
const SENTENCE: usize = 2000;

/// A comparison with the runs that are still there.
pub(super) struct Compared {
    comparison: Comparison,
    ways: Vec<Way>,
    /// What is missing.
    notes: Vec<String>,
}

impl Compared {
    /// Reads the comparison in a folder.
    pub(super) fn read(folder: &Path) -> Result<Self, Failure> {
        let file = folder.join(FILE);
        let cannot = |e: &dyn std::fmt::Display| {
            Failure::Failed(format!(
                "cannot read {}: {e}; make it again with `esgd compare`",
                file.display()
            ))
        };
        let text = regular_file::read(&file, LARGEST, Links::Refuse).map_err(|e| cannot(&e))?;
        let read = serde_json::from_slice::<Comparison>(&text);
        let comparison = read.map_err(|e| cannot(&short(&e.to_string(), 200)))?;
        if let Some(fault) = fault(&comparison) {
            return Err(cannot(&fault));
        }
        let comparison = tidy(comparison);
        let (ways, notes) = curves::read(folder, &comparison);
        Ok(Self { comparison, ways, notes })
    }

    pub(super) fn section(&self, detail: Detail) -> Section {
        let comparison = &self.comparison;
        let mut figures = vec![];
        figures.extend(differences::figure(comparison));
        figures.extend(curves::figures(comparison, &self.ways, detail));
        let mut text = vec![heading(comparison)];
        text.extend(comparison.verdict.iter().map(|sentence| with_minus_signs(sentence)));
        text.extend(self.notes.iter().cloned());
        Section {
            title: format!("Methods compared: {}", comparison.name()),
            text,
            tables: vec![results::table(comparison), results::methods(comparison)],
            figures,
        }
    }
}

/// What no comparison has.
fn fault(comparison: &Comparison) -> Option<String> {
    let Comparison { rows, verdict, runs, .. } = comparison;
    let counts = [("rows", rows.len(), ROWS), ("sentences", verdict.len(), SENTENCES)];
    if let Some((what, n, most)) = counts.into_iter().find(|(_, n, most)| n > most) {
        return Some(format!("it has {n} {what}, expected at most {most}"));
    }
    let mut folders = BTreeSet::new();
    let twice = runs.iter().find(|run| !folders.insert(&run.folder));
    twice.map(|run| {
        let shown = short(&run.folder.display().to_string(), NAME);
        format!("it names the run {shown} twice")
    })
}

/// The same with texts that a page can have.
fn tidy(mut comparison: Comparison) -> Comparison {
    let Comparison { network, data, rows, verdict, .. } = &mut comparison;
    let titles = rows.iter_mut().map(|row| &mut row.title);
    [network, data].into_iter().chain(titles).for_each(|text| *text = short(text, NAME));
    verdict.iter_mut().for_each(|text| *text = short(text, SENTENCE));
    comparison
}

/// What was compared, in one paragraph.
fn heading(comparison: &Comparison) -> String {
    let epochs = comparison.epochs();
    let budget = match epochs {
        e if e == e.round() && e < 1e9 => count(e as usize, "epoch", "epochs"),
        e => format!("{} epochs", fixed(e, 1)),
    };
    let operations = match comparison.macs {
        0 => String::new(),
        macs => {
            let all = number(comparison.budget as f64 * 2.0 * macs as f64);
            format!(", {all} floating-point operations")
        }
    };
    format!(
        "{}. A budget of {budget} for each method, evaluations counted as a third of a gradient step: {} forward \
         passes{operations}. {}.",
        comparison.on_what(),
        thousands(comparison.budget),
        match comparison.seeds.len() {
            1 => "1 seed, so there are no confidence intervals and no tests".to_owned(),
            n => format!(
                "{n} seeds, paired; mean ± 95 % confidence interval; p of paired t-tests of like with like, or of signs where there is no mean, corrected by Holm"
            ),
        }
    )
}

/// The signs of numbers in a sentence; hyphens of words stay.
fn with_minus_signs(sentence: &str) -> String {
    let word = |word: &str| match word.trim_start_matches('(').strip_prefix('-') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => with_minus(word),
        _ => word.to_owned(),
    };
    sentence.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
pub(super) mod example {
    //! A comparison for tests.

    use serde_json::json;

    use crate::compare::Comparison;

    /// Of two methods, in one seed, with their runs in `runs/a` and `runs/b`.
    pub(crate) fn comparison() -> Comparison {
        let row = |method: &str, title: &str, apart: bool| {
            json!({
                "method": method, "part": "best", "title": title, "apart": apart,
                "fitness": [0.25, 0.35], "test_loss": [0.4, 0.4], "test_error": [0.1, 0.1],
                "networks": 1.0, "members": 1.0, "top": null,
                "spent": {"gradient_samples": 100, "evaluation_samples": 10},
                "share": 0.9, "flops": 1e9, "seconds": 2.0, "each": [],
                "against": {"loss": {"interval": {"mean": -0.1, "half": 0.05}, "p": 0.01, "lower": 2, "higher": 0}, "error": null}
            })
        };
        let run = |method: &str, folder: &str| json!({"method": method, "seed": 1, "rate": null, "folder": folder});
        serde_json::from_value(json!({
            "network": "mlp", "macs": 1000, "data": "digits", "train": 1000, "fitness": 300,
            "test": 1, "budget": 2_700_000, "seeds": [1, 2],
            "rows": [
                row("esgd", "ESGD", false), row("swa", "single run with SWA", false),
                row("single", "short single run", true)
            ],
            "verdict": ["ESGD is lower by (-0.1 ± 0.05) in a well-known way."],
            "runs": [run("esgd", "runs/a"), run("swa", "runs/b"), run("single", "runs/c")]
        }))
        .unwrap()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{draw::detail::LEVELS, report::example as logs};

    #[test]
    fn what_no_comparison_has_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |change: &dyn Fn(&mut Comparison)| {
            let mut comparison = example::comparison();
            change(&mut comparison);
            let text = serde_json::to_vec(&comparison).unwrap();
            fs::write(dir.path().join(FILE), text).unwrap();
            Compared::read(dir.path()).err().map(|e| e.to_string()).unwrap_or_default()
        };
        let rows = refused(&|all| all.rows = vec![all.rows[0].clone(); 40]);
        assert!(rows.contains("it has 40 rows, expected at most 33"), "{rows}");
        let sentences = refused(&|all| all.verdict = vec![String::new(); 50]);
        assert!(sentences.contains("it has 50 sentences"), "{sentences}");
        let runs = refused(&|all| all.runs[1].folder = all.runs[0].folder.join("."));
        assert!(runs.contains("names the run runs/a/. twice"), "{runs}");
        assert_eq!(refused(&|_| ()), "");
    }

    #[test]
    fn a_comparison_without_its_runs_still_has_its_table() {
        let dir = tempfile::tempdir().unwrap();
        let text = serde_json::to_vec(&example::comparison()).unwrap();
        fs::write(dir.path().join("comparison.json"), text).unwrap();
        let log: String = (0..3).map(|k| logs::line(k, k as f64, "[]")).collect();
        fs::create_dir_all(dir.path().join("runs/a")).unwrap();
        fs::create_dir_all(dir.path().join("runs/b")).unwrap();
        fs::write(dir.path().join("runs/a/metrics.jsonl"), log).unwrap();
        let section = Compared::read(dir.path()).unwrap().section(LEVELS[0]);
        assert_eq!(section.title, "Methods compared: mlp on digits");
        assert!(section.text[0].contains("900 epochs") && section.text[0].contains("2,700,000"));
        assert!(section.text[0].contains("5.4 × 10⁹ floating-point"), "{}", section.text[0]);
        assert_eq!(section.text[1], "ESGD is lower by (−0.1 ± 0.05) in a well-known way.");
        assert!(section.text[2].contains("single run with SWA, seed 1"), "{}", section.text[2]);
        assert!(!section.text[2].contains("name the folder"), "{}", section.text[2]);
        assert_eq!(section.text.len(), 3, "what is not drawn anyway is not missed");
        assert_eq!(section.tables[0].rows.len(), 3);
        assert!(section.figures.iter().any(|figure| figure.name == "methods"));
    }
}
