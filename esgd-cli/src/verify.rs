//! `esgd verify`: whether a run's folder is what a run left there, with its guarantee kept.

mod log;

use std::{fs, path::Path};

use esgd_core::{
    Fitness, Problem,
    rng::{Key, Purpose},
};
use esgd_models::{Genome, Network, Supervised};

use crate::{
    args::VerifyArgs,
    checkpoint::{self, Found},
    config::Config,
    device,
    failure::Failure,
    lock::Lock,
    task, terminal,
};

/// A check's name, and what it found: what is right, or what is wrong.
type Check = (&'static str, Result<String, String>);

/// Checks a run's folder.
pub fn verify(args: &VerifyArgs) -> Result<(), Failure> {
    let run = &args.run;
    // It would change while it is looked at.
    Lock::check(run)?;
    let mut config = Config::of_run(&run.join("config.toml"))?;
    if let Some(dir) = &args.data {
        config.data.read_from(dir);
    }
    let found = checkpoint::search(run);
    let whole = found.as_ref().ok().and_then(Option::as_ref);
    let logged = log::read(&run.join("metrics.jsonl"), whole.map(|found| &found.manifest.metrics));
    let lines = logged.as_ref().map(|(lines, _)| &lines[..]).unwrap_or_default();
    let checks: [Check; 5] = [
        ("checkpoints", checkpoints(&found)),
        ("log", logged.as_ref().map(|(_, what)| what.clone()).map_err(Clone::clone)),
        ("guarantee", log::guarantee(lines, &config.settings)),
        ("agreement", log::agreement(lines, whole.map(|found| &found.manifest.ledger))),
        ("best network", best(run, &config, whole, lines)),
    ];
    let mut printed = Ok(());
    for (name, result) in &checks {
        printed = printed.and(match result {
            Ok(what) if !args.quiet => terminal::line(&format!("ok      {name:14}{what}")),
            Ok(_) => Ok(()),
            Err(why) => terminal::line(&format!("FAILED  {name:14}{why}")),
        });
    }
    let failed: Vec<_> =
        checks.iter().filter(|(_, result)| result.is_err()).map(|(name, _)| *name).collect();
    match failed.is_empty() {
        true => printed,
        false => Err(Failure::Failed(format!(
            "{} is not as a run left it: {} of {} checks failed ({})",
            run.display(),
            failed.len(),
            checks.len(),
            failed.join(", ")
        ))),
    }
}

fn checkpoints(found: &Result<Option<Found>, Failure>) -> Result<String, String> {
    match found {
        Err(failure) => Err(failure.to_string()),
        Ok(None) => Ok("there is none yet".into()),
        Ok(Some(Found { damaged, older_damaged, .. }))
            if !(damaged.is_empty() && older_damaged.is_empty()) =>
        {
            Err([&damaged[..], older_damaged].concat().join("; "))
        }
        Ok(Some(Found { manifests, number, manifest, .. })) => Ok(format!(
            "{} whole, the last one number {number}, after {} generations, with {} files",
            manifests.len(),
            manifest.ledger.generation,
            manifest.files().len()
        )),
    }
}

/// The fitness of the best network must be the recorded one, to the bit.
fn best(
    run: &Path,
    config: &Config,
    found: Option<&Found>,
    lines: &[crate::metrics::Line],
) -> Result<String, String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let device = device::named(&config.run.device).map_err(|e| text(&e))?;
    let splits = task::splits(&config.data).map_err(|e| text(&e))?;
    let problem = task::problem(config, &splits).map_err(|e| text(&e))?.on(device);
    let shape = problem.init(Key::new(0, Purpose::Init)).map_err(|e| text(&e))?;
    let recorded = fs::read(run.join("run.json"))
        .ok()
        .and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok())
        // One that was stopped in a generation is ahead of its log.
        .filter(|run| run.get("status").and_then(serde_json::Value::as_str) != Some("stopped"))
        .and_then(|run| serde_json::from_value::<Fitness>(run.get("fitness")?.clone()).ok());
    let Some(recorded) = recorded else {
        // The run is not complete.
        let Some(found) = found else { return Ok("there is none yet".into()) };
        let psi = checkpoint::restore(run, &found.manifest, &shape).map_err(|e| text(&e))?;
        let best = psi.best().scored;
        return same(&problem, best.theta(), best.fitness(), "of the last checkpoint's best");
    };
    if let Some(line) = lines.last().filter(|line| line.report.best != recorded) {
        return Err(format!("run.json says {recorded} and the log {}", line.report.best));
    }
    let path = run.join("best.safetensors");
    let bytes = fs::read(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let theta = shape.with_safetensors(&bytes).map_err(|e| format!("{}: {e}", path.display()))?;
    same(&problem, &theta, recorded, "of best.safetensors")
}

fn same(
    problem: &Supervised<Network>,
    theta: &Genome,
    recorded: Fitness,
    of: &str,
) -> Result<String, String> {
    let now = problem.fitness(theta).map(Fitness::new).map_err(|e| e.to_string())?;
    match now == recorded {
        true => Ok(format!("the fitness {of} is {now}, as recorded, to the bit")),
        false => Err(format!(
            "the fitness {of} is {now}, and recorded {recorded}: the data, the network or the processor is another"
        )),
    }
}
