//! What a run came to: every number of `run.json` computed again from the checkpoint and the data, and the
//! files of networks held against the checkpoint's.

use std::{io, path::Path, sync::atomic::AtomicBool, time::Duration};

use esgd_core::{Fitness, Outcome, Problem, Settings};
use esgd_models::{
    Error, Genome, OptimizerState, metadata_of,
    regular_file::{self, Links},
};
use serde_json::Value;

use crate::{
    config::Config,
    old_names,
    run::{
        best_networks::BestNetworks,
        control,
        folder::MOST,
        metadata,
        setting::Setting,
        summary::{self, Control, Summary},
    },
};

type Population = esgd_core::Population<Genome, OptimizerState>;

/// What a run is checked with.
pub(crate) struct Checked<'a> {
    pub run: &'a Path,
    pub config: &'a Config,
    pub setting: &'a Setting,
    /// Whether the run was made before logs held an audit; then what is new since may be missing in its result.
    pub old: bool,
    /// Whether the run is at its end.
    pub done: bool,
    /// Whether the run without evolution is made again.
    pub control: bool,
}

/// What a result has since logs hold an audit.
const NEW: [&str; 7] = [
    "generations",
    "ended_early",
    "best_networks",
    "data",
    "best.generation",
    "best.lr_drawn",
    "annealed",
];

/// What cannot be found again: when and on how many threads it was.
const FREE: [&str; 4] = ["versions", "threads", "seconds", "checkpoints"];

impl Checked<'_> {
    /// The result, number by number.
    pub(crate) fn result(&self, population: Population) -> Result<String, String> {
        let path = self.run.join("run.json");
        let text = match regular_file::read_text(&path, MOST, Links::Refuse) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound && !self.done => {
                return Ok("the run has not ended, so there is no run.json".into());
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(
                    "run.json is missing, and the run has ended: `esgd resume` makes it".into()
                );
            }
            Err(e) => return Err(format!("cannot read {}: {e}", path.display())),
        };
        let mut recorded: Value =
            serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        old_names::in_result(&mut recorded);
        let as_written = summary::is_as_written(&text);
        if as_written.is_none() && !self.old {
            return Err("run.json has no checksum of itself, or not where it was written".into());
        }
        if let Some(all) = recorded.as_object_mut() {
            all.remove("sha256");
        }
        let keep = self.config.run.keep_best;
        let best = BestNetworks::of(&population, keep).list;
        let reached = population.generation();
        let outcome = Outcome { best: population.best(), population, stopped: false };
        let summary = Summary::of(&outcome, self.setting, self.config, Duration::ZERO);
        let mut summary = summary.map_err(|e| e.to_string())?;
        drop(outcome);
        summary.best_networks = best;
        summary.data = Some(self.setting.splits.fingerprint().map_err(|e| e.to_string())?);
        let control = recorded.get("control").filter(|control| !control.is_null());
        let said = match (control, self.control) {
            (None, _) => "",
            (Some(_), true) => {
                summary.control = Some(self.trained_again(reached)?);
                ", and so does training without evolution, done again"
            }
            (Some(_), false) => {
                "; of what training without evolution came to only the checksum is checked (--control trains it again)"
            }
        };
        self.status(&recorded, control.is_some())?;
        let derived = serde_json::to_value(&summary).map_err(|e| e.to_string())?;
        let mut differences = vec![];
        let mut count = 0;
        for (key, value) in derived.as_object().into_iter().flatten() {
            let skipped = FREE.contains(&key.as_str())
                || key == "status"
                || key == "control" && !self.control
                // It named the folder.
                || key == "objective" && self.old;
            if !skipped {
                self.compare(key, recorded.get(key), value, &mut differences, &mut count);
            }
        }
        let known = |key: &&String| derived.get(key.as_str()).is_some();
        for key in recorded.as_object().into_iter().flat_map(|all| all.keys()) {
            if !known(&key) {
                differences.push(format!("{key} is not a field of a result"));
            }
        }
        let said = match self.old {
            true => format!("; the run is of before there were more{said}"),
            false => said.to_owned(),
        };
        match &differences[..] {
            [] if as_written == Some(false) => {
                Err("run.json was changed since: its checksum is another".into())
            }
            [] => Ok(format!(
                "{count} values of run.json follow from the checkpoint and the data{said}"
            )),
            [first, rest @ ..] => Err(match rest.len() {
                0 => format!("in run.json {first}"),
                n => format!("in run.json {first}, and {n} more"),
            }),
        }
    }

    /// Compares what is recorded with what is derived, but for times.
    fn compare(
        &self,
        path: &str,
        recorded: Option<&Value>,
        derived: &Value,
        differences: &mut Vec<String>,
        count: &mut usize,
    ) {
        match (recorded, derived) {
            (_, _) if path.ends_with("seconds") => {}
            // The same data may lie in other files.
            (Some(_), _) if path == "data.files" => {}
            (None, _)
                if self.old
                    && NEW.iter().any(|new| path == *new || path.ends_with(&format!(".{new}"))) => {
            }
            (Some(Value::Object(all)), Value::Object(table)) => {
                for (key, value) in table {
                    self.compare(&format!("{path}.{key}"), all.get(key), value, differences, count);
                }
                for key in all.keys().filter(|key| !table.contains_key(*key)) {
                    differences.push(format!("{path} has {key}, which a run does not write"));
                }
            }
            (Some(Value::Array(all)), Value::Array(list)) if all.len() == list.len() => {
                for (i, (recorded, derived)) in all.iter().zip(list).enumerate() {
                    let path = format!("{path}[{i}]");
                    self.compare(&path, Some(recorded), derived, differences, count);
                }
            }
            (Some(recorded), derived) if recorded == derived => *count += 1,
            (Some(recorded), derived) => {
                differences
                    .push(format!("{path} is {recorded}, and is {derived} by the checkpoint"));
            }
            (None, _) => differences.push(format!("{path} is missing")),
        }
    }

    /// Whether the status is what the rest says.
    fn status(&self, recorded: &Value, control: bool) -> Result<(), String> {
        let status = recorded.get("status").and_then(Value::as_str).unwrap_or_default();
        let controls = self.config.has_control();
        let sound = match status {
            "complete" => self.done && controls == control,
            "control missing" => self.done && controls && !control,
            // It may have been stopped at its very end.
            "stopped" => !control,
            _ => false,
        };
        // A config may have asked for no control only after it was made, or the other way round.
        match sound || status == "complete" && self.done && control {
            true => Ok(()),
            false if !self.done && ["complete", "control missing"].contains(&status) => {
                Err(format!(
                    "run.json says {status:?}, and the last checkpoint is of before the end: one is missing"
                ))
            }
            false => Err(format!(
                "in run.json status is {status:?}, which is not what the checkpoint and the rest say"
            )),
        }
    }

    /// The control, made again.
    fn trained_again(&self, reached: usize) -> Result<Control, String> {
        let with = Settings { generations: reached, ..self.config.settings.clone() };
        let never = AtomicBool::new(false);
        let made = control::run(&with, self.setting, &never, &());
        made.map_err(|e| e.to_string())?.ok_or_else(|| "it was interrupted".into())
    }

    /// The files of networks that a run leaves, each byte for byte as the checkpoint has it.
    pub(crate) fn networks(&self, population: &Population) -> Result<String, String> {
        let best = population.best().scored;
        let mut same = self.network("best.safetensors", best.theta(), best.fitness())?;
        let listed = BestNetworks::of(population, self.config.run.keep_best);
        for (one, theta) in listed.each() {
            same &= self.network(&one.file, theta, one.fitness)?;
        }
        Ok(match (same, listed.list.len()) {
            (false, _) => {
                "the run has not ended, and its files of networks are of before the last checkpoint"
                    .into()
            }
            (true, 0) => "best.safetensors is the checkpoint's, byte for byte".into(),
            (true, n) => format!(
                "best.safetensors and the {n} best networks are the checkpoint's, byte for byte"
            ),
        })
    }

    /// Whether a file is this network; else it is of before, in a run that has not ended.
    fn network(&self, name: &str, theta: &Genome, fitness: Fitness) -> Result<bool, String> {
        let path = self.run.join(name);
        let text = |e: Error| e.to_string();
        let mut own = metadata::of(self.config, &self.setting.problem, Some(fitness.get()));
        let most = 4 * theta.len() as u64 + MOST;
        let bytes = match regular_file::read(&path, most, Links::Refuse) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound && !self.done => return Ok(false),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(format!("{name} is missing"));
            }
            Err(e) => return Err(format!("cannot read {}: {e}", path.display())),
        };
        let plain = theta.to_safetensors().map_err(text)?;
        // Another version may have written it, and what classes are called is known by how the data lie.
        let mut said = metadata_of(&bytes);
        let older = old_names::in_metadata(&mut said);
        own.program = said.remove("program").unwrap_or_default();
        let names = said.remove("class_names").and_then(|names| serde_json::from_str(&names).ok());
        own.class_names = names.unwrap_or_default();
        let fitness_said = said.get("fitness").and_then(|fitness| fitness.parse().ok());
        let file = own.file(theta).map_err(text)?;
        if bytes == file || self.old && bytes == plain {
            return Ok(true);
        }
        let other = theta.with_safetensors(&bytes).map_err(|e| format!("{name}: {e}"))?;
        let mut same = metadata_of(&file);
        same.retain(|key, _| key != "program" && key != "class_names");
        if older && said == same && other.to_safetensors().map_err(text)? == plain {
            return Ok(true);
        }
        let now = self.setting.problem.fitness(&other).map(Fitness::new).map_err(text)?;
        let is_said = fitness_said.is_none_or(|said| Fitness::new(said) == now);
        if !self.done && is_said && now > fitness {
            // The run was stopped then, and has gone on since.
            return Ok(false);
        }
        match other.to_safetensors() {
            Ok(tensors) if tensors == plain => {
                Err(format!("{name} has the checkpoint's tensors and says something else of them"))
            }
            Ok(_) => Err(format!("{name} is another network than the checkpoint's best")),
            Err(e) => Err(format!("{name}: {e}")),
        }
    }
}
