//! A run as it lies in its folder: its log, what it was told, what it came to.

use std::{fs, path::Path};

use esgd_core::{Fitness, IndividualReport, Phase};
use serde_json::Value;

use crate::{failure::Failure, metrics::Line};

/// A run to report on.
#[derive(Debug)]
pub struct Run {
    pub name: String,
    pub lines: Vec<Line>,
    /// `run.json`, where the run is complete.
    pub result: Option<Value>,
    /// Samples of an epoch, where they are known.
    pub samples: Option<f64>,
}

impl Run {
    /// Reads the run in a folder.
    pub fn read(folder: &Path) -> Result<Self, Failure> {
        let log = folder.join("metrics.jsonl");
        let text = fs::read_to_string(&log).map_err(|e| {
            Failure::Usage(format!(
                "cannot read {}: {e}; name the folder of a run, or of a comparison",
                log.display()
            ))
        })?;
        let mut lines = vec![];
        let n = text.lines().count();
        for (i, line) in text.lines().enumerate() {
            match serde_json::from_str::<Line>(line) {
                Ok(line) => lines.push(line),
                // A run that goes on, or was cut off, may not have written all of its last line.
                Err(_) if i > 0 && i + 1 == n && !text.ends_with('\n') => {}
                Err(e) => {
                    return Err(Failure::Failed(format!(
                        "{}, line {}, is no report of a run: {e}",
                        log.display(),
                        i + 1
                    )));
                }
            }
        }
        if lines.is_empty() {
            return Err(Failure::Usage(format!(
                "{} has no line yet: the run has not come to its first generation",
                log.display()
            )));
        }
        let result: Option<Value> = fs::read(folder.join("run.json"))
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        let samples = result.as_ref().and_then(|r| r["best"]["train"]["samples"].as_f64());
        let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { name, lines, result, samples })
    }

    /// A name on the x axis, and what it is of each line.
    pub fn epochs(&self) -> (&'static str, Vec<f64>) {
        let epochs = self.lines.iter().map(|line| line.report.tally.epochs as f64);
        match self.samples {
            Some(n) => ("samples trained on, by all individuals", epochs.map(|e| e * n).collect()),
            None => ("epochs, of all individuals", epochs.collect()),
        }
    }

    /// The generation of each line; fine-tuning comes as one more.
    pub fn generations(&self) -> Vec<f64> {
        let fine_tuned = |line: &Line| usize::from(line.report.phase == Phase::FineTune);
        self.lines.iter().map(|l| (l.report.generation + fine_tuned(l)) as f64).collect()
    }

    /// The lowest fitness so far, in each line.
    pub fn best(&self) -> Vec<f64> {
        let mut best = Fitness::WORST;
        let lowest = |line: &Line| {
            best = best.min(line.report.best);
            best.get()
        };
        self.lines.iter().map(lowest).collect()
    }

    /// The lowest and the highest fitness of the best `n` individuals, in each line.
    pub fn band(&self, n: usize) -> Vec<(f64, f64)> {
        let of = |line: &Line| {
            let sound = line.report.individuals.iter().map(|one| one.fitness.get());
            let sound: Vec<f64> = sound.filter(|f| f.is_finite()).take(n).collect();
            (sound.first().copied().unwrap_or(f64::NAN), sound.last().copied().unwrap_or(f64::NAN))
        };
        self.lines.iter().map(of).collect()
    }

    /// The elite of each line's population.
    pub fn elite(line: &Line) -> &[IndividualReport] {
        let all = &line.report.individuals;
        &all[..all.len().min(line.report.m)]
    }

    /// The optimizers that were ever used, in a fixed order.
    pub fn kinds(&self) -> Vec<String> {
        let reports = self.lines.iter().map(|line| &line.report);
        let all = reports.flat_map(|report| report.individuals.iter().chain(&report.departed));
        let mut kinds: Vec<String> =
            all.filter_map(|one| Some(one.hyper.as_ref()?.kind.clone())).collect();
        kinds.sort();
        kinds.dedup();
        kinds
    }

    /// Whether offspring were made.
    pub fn evolves(&self) -> bool {
        self.lines.iter().any(|line| line.report.tally.offspring > 0)
    }
}
