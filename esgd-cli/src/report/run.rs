//! A run as it lies in its folder: its log, what it was told, what it came to.

use std::{fs, io, path::Path};

use esgd_core::{Fitness, Id, IndividualReport, Phase};
use esgd_models::regular_file::{self, Links};
use serde_json::Value;

use super::{
    log,
    texts::{self, short},
};
use crate::{
    compare::Method,
    failure::Failure,
    run::log::{Line, Log, NAME},
    text::numbers::fixed,
};

/// The largest result, in bytes.
const LARGEST: u64 = 1 << 24;

/// Characters of a recipe.
const RECIPE: usize = 200;

/// A run to report on.
#[derive(Debug)]
pub(super) struct Run {
    pub name: String,
    pub lines: Vec<Line>,
    /// Whether the last line of the log is cut off; it is not among the lines.
    pub cut: bool,
    /// `run.json`, where the run is complete.
    pub result: Option<Value>,
    /// Samples of an epoch, where they are known.
    pub samples: Option<f64>,
}

impl Run {
    /// Reads the run in a folder.
    pub(super) fn read(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(NAME);
        if fs::symlink_metadata(&path).is_err() && is_unfinished_comparison(folder) {
            return Err(Failure::Usage(format!(
                "{} is a comparison that is not finished: run the same `esgd compare` command again",
                folder.display()
            )));
        }
        let Log { mut lines, cut, .. } = log::read(&path)?;
        if lines.is_empty() {
            return Err(Failure::Usage(format!(
                "{} has no line yet: the run has not come to its first generation",
                path.display()
            )));
        }
        texts::tidy(&mut lines);
        let result = result(&folder.join("run.json"))?;
        let samples = result.as_ref().and_then(|r| r["best"]["train"]["samples"].as_f64());
        let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy();
        Ok(Self { name: short(&name, texts::NAME), lines, cut: !cut.is_empty(), result, samples })
    }

    /// The generation of each line; fine-tuning comes as one more.
    pub(super) fn generations(&self) -> Vec<f64> {
        let fine_tuned = |line: &Line| u8::from(line.report.phase == Phase::FineTune);
        self.lines.iter().map(|l| l.report.generation as f64 + f64::from(fine_tuned(l))).collect()
    }

    /// Where fine-tuning is among the generations.
    pub(super) fn fine_tuning(&self) -> Option<f64> {
        let at = self.lines.iter().position(|line| line.report.phase == Phase::FineTune)?;
        self.generations().get(at).copied()
    }

    /// The lowest fitness so far, in each line.
    pub(super) fn best(&self) -> Vec<f64> {
        let mut best = Fitness::WORST;
        let lowest = |line: &Line| {
            best = best.min(line.report.best);
            best.get()
        };
        self.lines.iter().map(lowest).collect()
    }

    /// The individual of the lowest fitness that the log has, and that fitness.
    pub(super) fn lowest(&self) -> Option<(Id, Fitness)> {
        let all = self.lines.iter().flat_map(|line| &line.report.individuals);
        all.min_by_key(|one| one.fitness).map(|one| (one.id, one.fitness))
    }

    /// What there is to say where the archive has better than any individual of the log.
    pub(super) fn better_than_logged(&self) -> Option<String> {
        let best = self.lines.iter().map(|line| line.report.best).min()?;
        let (_, logged) = self.lowest()?;
        (best < logged).then(|| {
            format!(
                "The archive also keeps what is scored between two lines of the log, after each epoch: its best, {}, \
                 is lower than that of any individual in the log, {}.",
                fixed(best.get(), 4),
                fixed(logged.get(), 4)
            )
        })
    }

    /// Whether what is guarded is an archive, and not the best of the population.
    pub(super) fn has_archive(&self) -> bool {
        self.lines.iter().any(|line| {
            let all = line.report.individuals.iter().map(|one| one.fitness);
            !line.report.elite.iter().copied().eq(all.take(line.report.elite.len()))
        })
    }

    /// How many networks are guarded: m, or the best alone where there is an anchor.
    pub(super) fn guarded(&self) -> usize {
        self.lines.last().map_or(0, |line| line.report.elite.len())
    }

    /// m, as the last line has it.
    pub(super) fn m(&self) -> usize {
        self.lines.last().map_or(0, |line| line.report.m)
    }

    /// The lowest and the highest fitness of the best `n` individuals, in each line.
    pub(super) fn band(&self, n: usize) -> Vec<(f64, f64)> {
        let of = |line: &Line| {
            let sound = line.report.individuals.iter().map(|one| one.fitness.get());
            let sound: Vec<f64> = sound.filter(|f| f.is_finite()).take(n).collect();
            (sound.first().copied().unwrap_or(f64::NAN), sound.last().copied().unwrap_or(f64::NAN))
        };
        self.lines.iter().map(of).collect()
    }

    /// The m best of each line's population, which an archive need not have.
    pub(super) fn best_of_population(line: &Line) -> &[IndividualReport] {
        let all = &line.report.individuals;
        &all[..all.len().min(line.report.m)]
    }

    /// The optimizers that were ever used, in a fixed order.
    pub(super) fn kinds(&self) -> Vec<String> {
        let reports = self.lines.iter().map(|line| &line.report);
        let all = reports.flat_map(|report| report.individuals.iter().chain(&report.departed));
        let mut kinds: Vec<String> =
            all.filter_map(|one| Some(one.hyper.as_ref()?.kind.clone())).collect();
        kinds.sort();
        kinds.dedup();
        kinds
    }

    /// Whether offspring were made.
    pub(super) fn evolves(&self) -> bool {
        self.lines.iter().any(|line| line.report.effort.offspring > 0)
    }
}

/// What a run came to, if it is complete.
fn result(path: &Path) -> Result<Option<Value>, Failure> {
    let cannot = |e: &dyn std::fmt::Display| {
        let (shown, folder) = (path.display(), path.parent().unwrap_or(path).display());
        Failure::Failed(format!(
            "cannot read {shown}: {e}; the result is damaged, and `esgd verify {folder}` says what is left"
        ))
    };
    match regular_file::read(path, LARGEST, Links::Refuse) {
        Ok(text) => {
            let mut result: Value = serde_json::from_slice(&text).map_err(|e| cannot(&e))?;
            crate::old_names::in_result(&mut result);
            texts::shorten(&mut result, RECIPE);
            Ok(Some(result))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(cannot(&e)),
    }
}

/// Whether `esgd compare` made runs here and did not come to its end.
fn is_unfinished_comparison(folder: &Path) -> bool {
    let runs = fs::read_dir(folder.join("runs")).into_iter().flatten().filter_map(Result::ok);
    let of_method = |name: &str| {
        let begins = |method: &Method| name.starts_with(method.name());
        name.contains("-seed") && Method::ALL.iter().any(begins)
    };
    runs.filter_map(|entry| entry.file_name().into_string().ok()).any(|name| of_method(&name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::{self, individual};

    #[test]
    fn an_unfinished_comparison_is_told_from_no_run_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let error = || Run::read(dir.path()).unwrap_err().to_string();
        fs::create_dir_all(dir.path().join("runs/digits-1")).unwrap();
        assert!(error().contains("name the folder of a run"), "{}", error());
        fs::create_dir_all(dir.path().join("runs/esgd-seed1-0123456789ab")).unwrap();
        assert!(error().contains("run the same `esgd compare` command again"), "{}", error());
    }

    #[test]
    fn a_damaged_result_is_no_run_that_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("metrics.jsonl"), example::line(0, 0.0, "[]")).unwrap();
        assert!(Run::read(dir.path()).unwrap().result.is_none());
        fs::write(dir.path().join("run.json"), "{\"status\": \"comp").unwrap();
        let error = Run::read(dir.path()).unwrap_err().to_string();
        assert!(error.contains("run.json") && error.contains("damaged"), "{error}");
    }

    #[test]
    fn the_lowest_of_the_log_need_not_be_in_its_last_line() {
        let run = example::run(&[
            &[individual("g0.0#0", &[], 0.9, None)],
            &[individual("g0.0#1", &[], 0.6, Some("sgd"))],
            &[individual("g0.0#2", &[], 0.7, Some("sgd"))],
        ]);
        let (id, fitness) = run.lowest().unwrap();
        assert_eq!((id.to_string().as_str(), fitness.get()), ("g0.0#1", 0.6));
        // Of the example's lines the best is 0.5, which no individual has.
        assert!(run.has_archive());
        let told = run.better_than_logged().unwrap();
        assert!(told.contains("0.5000") && told.contains("0.6000"), "{told}");
    }

    #[test]
    fn with_an_anchor_the_best_alone_is_guarded() {
        let line = [individual("g0.0#0", &[], 0.5, None), individual("g0.0#1", &[], 0.6, None)];
        let mut run = example::run(&[&line]);
        run.lines[0].report.elite = vec![Fitness::new(0.5)];
        assert_eq!((run.has_archive(), run.guarded(), run.m()), (false, 1, 2));
    }
}
