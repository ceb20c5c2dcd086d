//! The checkpoints, whether any is missing, and what they say beside the log and the config.

use std::path::Path;

use esgd_core::{
    Phase,
    guarantee::{GuardRecord, PopulationRecord, Stage},
};
use esgd_models::regular_file::{self, Links};

use crate::{
    failure::Failure,
    run::{checkpoint::Found, folder::MOST, log::Line},
};

/// Whether all are whole, and all there that the newest knows of.
pub(crate) fn whole(
    found: &Result<Option<Found>, Failure>,
    lines: &[Line],
) -> Result<String, String> {
    let found = match found {
        Err(failure) => return Err(failure.to_string()),
        Ok(None) if lines.is_empty() => return Ok("there is none yet".into()),
        Ok(None) => return Err("they are missing: the log has begun, and there is none".into()),
        Ok(Some(found)) => found,
    };
    let Found { damaged, older_damaged, manifests, number, manifest, .. } = found;
    if !(damaged.is_empty() && older_damaged.is_empty()) {
        return Err([&damaged[..], older_damaged].concat().join("; "));
    }
    let is_there = |number: &u64| manifests.iter().any(|one| one.number == *number);
    if let Some(missing) = manifest.beside.iter().find(|number| !is_there(number)) {
        return Err(format!("number {missing} is missing, which number {number} was kept beside"));
    }
    Ok(format!(
        "{} whole, the last one number {number}, after {} generations, with {} files",
        manifests.len(),
        manifest.population.generation,
        manifest.files().len()
    ))
}

/// The config file is the checkpoint's.
pub(crate) fn config(run: &Path, found: Option<&Found>) -> Result<String, String> {
    let Some(found) = found else { return Ok("there is no checkpoint to compare".into()) };
    let path = run.join("config.toml");
    let text = regular_file::read(&path, MOST, Links::Refuse);
    let text = text.map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    // As text: a file that was cut may say the same by what is not in it.
    match text == found.manifest.config.as_bytes() {
        true => Ok("config.toml is what the last checkpoint was made with".into()),
        false => Err("config.toml is not what the last checkpoint was made with".into()),
    }
}

/// The last checkpoint is of a population that the log has; at the end of a run it is the log's last.
pub(crate) fn agreement(
    lines: &[Line],
    record: Option<&PopulationRecord>,
) -> Result<String, String> {
    let Some(record) = record else { return Ok("there is no checkpoint to compare".into()) };
    let k = record.generation;
    let phase = match (record.stage, k) {
        (Stage::FineTuned, _) => Phase::FineTune,
        (_, 0) => Phase::Start,
        _ => Phase::Generation,
    };
    let of = |line: &&Line| line.report.generation == k && line.report.phase == phase;
    let Some((i, line)) = lines.iter().enumerate().rfind(|(_, line)| of(line)) else {
        return Err(format!("the log has no generation {k}"));
    };
    let report = &line.report;
    let between = record.evolved == 0
        && record.individuals.iter().all(|one| one.progress.is_none_or(|p| p.epochs == 0));
    let known = |one: &esgd_core::guarantee::IndividualRecord| {
        let mut all = report.individuals.iter();
        all.any(|it| {
            (it.id, it.fitness, &it.parents) == (one.id, one.fitness, &one.parents)
                && it.hyper == one.hyper
        })
    };
    if report.elite != record.bound {
        return Err(format!(
            "the last checkpoint guards another elite than the log says after generation {k}"
        ));
    }
    // In the middle of a step individuals have gone on.
    if between {
        if record.individuals.len() != report.individuals.len()
            || !record.individuals.iter().all(known)
        {
            return Err(format!(
                "the last checkpoint has another population than the log after generation {k}"
            ));
        }
        if record.effort != report.effort {
            return Err(format!(
                "the last checkpoint counts another work than the log after generation {k}"
            ));
        }
        if let GuardRecord::Archive(entries) = &record.guard {
            if !entries.iter().map(|entry| entry.fitness).eq(report.elite.iter().copied()) {
                return Err(format!(
                    "the last checkpoint has another archive than the log after generation {k}"
                ));
            }
        }
    }
    let ahead = lines.len() - 1 - i;
    Ok(match (between, ahead) {
        (true, 0) => format!(
            "the last checkpoint is the population of the log's last line, after generation {k}"
        ),
        (false, 0) => format!(
            "the last checkpoint is on the way from the log's last line, after generation {k}"
        ),
        (_, n) => format!(
            "the last checkpoint is of generation {k}; the log is {n} lines ahead, which `esgd resume` makes again"
        ),
    })
}
