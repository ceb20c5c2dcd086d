//! What is drawn of a run: its `metrics.jsonl`, a report a line.

use std::{fs, path::Path};

use serde_json::Value;

use crate::Result;

/// A generation, 0 for the initial population.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Generation {
    /// k.
    pub k: usize,
    /// The lowest fitness; `None` if every individual diverged.
    pub best: Option<f64>,
    /// J(m).
    pub elite_mean: Option<f64>,
    /// The lowest and the highest fitness of the individuals that did not diverge.
    pub range: Option<(f64, f64)>,
    /// The share of the elite that was born in this generation, in percent.
    pub born: f64,
}

/// Reads the generations of the run in the folder `run`; fine-tuning is left out.
///
/// # Errors
/// If there is no such file, or a line of it is no report.
pub fn read(run: &Path) -> Result<Vec<Generation>> {
    let path = run.join("metrics.jsonl");
    let text = fs::read_to_string(&path).map_err(|error| {
        format!("cannot read {}: {error}, expected the folder of a run", path.display())
    })?;
    let fault = |line| format!("{}, line {line}: expected a report of a run", path.display());
    let mut generations = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let report: Value = serde_json::from_str(line).map_err(|_| fault(i + 1))?;
        if report["phase"] != "fine-tune" {
            generations.push(generation(&report).ok_or_else(|| fault(i + 1))?);
        }
    }
    if generations.len() < 2 {
        let n = generations.len();
        return Err(format!("{} has {n} reports: expected two or more", path.display()).into());
    }
    Ok(generations)
}

fn generation(report: &Value) -> Option<Generation> {
    let fitness = report["individuals"].as_array()?.iter();
    let fitness: Vec<f64> = fitness.filter_map(|one| one["fitness"].as_f64()).collect();
    let range = fitness.iter().copied().reduce(f64::min).zip(fitness.into_iter().reduce(f64::max));
    Some(Generation {
        k: report["generation"].as_u64()? as usize,
        best: report["best"].as_f64(),
        elite_mean: report["elite_mean"].as_f64(),
        range,
        born: 100.0 * report["elite_offspring"].as_f64()? / report["m"].as_f64()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"phase": "generation", "generation": 3, "best": 0.5,
        "elite_mean": null, "elite_offspring": 2, "m": 5, "individuals":
        [{"fitness": 0.75}, {"fitness": 0.5}, {"fitness": null}]}"#;

    #[test]
    fn the_diverged_are_left_out() {
        let read = generation(&serde_json::from_str(REPORT).unwrap());
        let expected = Generation {
            k: 3,
            best: Some(0.5),
            elite_mean: None,
            range: Some((0.5, 0.75)),
            born: 40.0,
        };
        assert_eq!(read, Some(expected));
    }

    #[test]
    fn what_is_no_run_is_refused_in_one_sentence() {
        let dir = std::env::temp_dir().join(format!("esgd-metrics-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let report = REPORT.replace('\n', " ");
        for (text, expected) in [
            (None, "expected the folder of a run"),
            (Some(String::new()), "0 reports"),
            (Some(format!("{report}\nnonsense")), "line 2"),
            (Some(format!("{report}\n{{}}")), "line 2"),
        ] {
            if let Some(text) = text {
                fs::write(dir.join("metrics.jsonl"), text).unwrap();
            }
            let message = read(&dir).unwrap_err().to_string();
            assert!(message.contains(expected) && !message.contains('\n'), "{message}");
        }
        fs::remove_dir_all(&dir).unwrap();
    }
}
