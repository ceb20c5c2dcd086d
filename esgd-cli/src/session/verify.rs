//! Whether a run's folder is as the run left it, by what needs no problem.

use std::path::Path;

use esgd_models::regular_file::{self, Links};
use serde_json::Value;

use crate::{
    config::Described,
    error::Error,
    files::lock::Lock,
    run::{
        checkpoint::{self, Found},
        folder::MOST,
        log, summary,
        verify::{self, claims},
    },
};

pub use crate::run::verify::Check;

/// Checks the folder of a [`Session`](super::Session): that its checkpoints are whole, that each population of its log
/// follows from the one before with the guarantee kept, and that its result is the last checkpoint's.
///
/// # Errors
/// If there is no run of a session in the folder, or one that goes on. What is wrong with a run is no error: it is
/// in the check.
pub fn verify(folder: impl AsRef<Path>) -> Result<Vec<Check>, Error> {
    let run = folder.as_ref();
    // It would change while it is looked at.
    Lock::check(run)?;
    let found = checkpoint::search(run);
    let whole = found.as_ref().ok().and_then(Option::as_ref);
    let path = run.join("config.toml");
    let text = match whole {
        Some(found) => found.manifest.config.clone(),
        None => regular_file::read_text(&path, MOST, Links::Refuse).unwrap_or_default(),
    };
    if !Described::is_one(text.as_bytes()) {
        return Err(Error::Refused(format!(
            "{} has no run of a session in it: name the folder that one was given",
            run.display()
        )));
    }
    let settings = Described::of_toml(&text, &path.display().to_string())?.settings;
    let logged = claims::read(&run.join(log::NAME), whole.map(|found| &found.manifest.metrics));
    let mut checks = verify::without_problem(run, &found, &settings, &logged);
    checks.push(Check { name: "result", found: result(run, whole) });
    Ok(checks)
}

/// The result is as it was written, and the last checkpoint's.
fn result(run: &Path, found: Option<&Found>) -> Result<String, String> {
    let path = run.join("run.json");
    if !regular_file::is_there(&path) {
        return Ok("there is none yet".into());
    }
    let text = regular_file::read_text(&path, MOST, Links::Refuse);
    let text = text.map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    if summary::is_as_written(&text) != Some(true) {
        return Err("run.json is damaged: its checksum is another".into());
    }
    let Some(found) = found else {
        return Err("there is no checkpoint to compare the result with".into());
    };
    let result: Value = serde_json::from_str(&text).map_err(|e| format!("run.json: {e}"))?;
    let population = &found.manifest.population;
    let spent = serde_json::to_value(population.effort).map_err(|e| e.to_string())?;
    match result["spent"] == spent && result["generations"] == population.generation {
        true => Ok("run.json is of the last checkpoint".into()),
        false => Err("run.json is not of the last checkpoint".into()),
    }
}
