//! The checks of a run's folder.

pub(crate) mod checkpoints;
pub(crate) mod claims;
pub(crate) mod result;

use std::path::Path;

use esgd_core::Settings;

use crate::{
    failure::Failure,
    run::{checkpoint::Found, log::Line},
};

/// A check of a run's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is checked, in a word.
    pub name: &'static str,
    /// What is right, or what is wrong.
    pub found: Result<String, String>,
}

impl Check {
    pub(crate) fn of((name, found): (&'static str, Result<String, String>)) -> Self {
        Self { name, found }
    }
}

/// The checks that need neither the problem nor its data, of a log as it was read.
pub(crate) fn without_problem(
    run: &Path,
    found: &Result<Option<Found>, Failure>,
    settings: &Settings,
    logged: &Result<(Vec<Line>, String), String>,
) -> Vec<Check> {
    let whole = found.as_ref().ok().and_then(Option::as_ref);
    let lines = logged.as_ref().map(|(lines, _)| &lines[..]).unwrap_or_default();
    let record = whole.map(|found| &found.manifest.population);
    let checks = [
        ("checkpoints", checkpoints::whole(found, lines)),
        ("config", checkpoints::config(run, whole)),
        ("log", logged.as_ref().map(|(_, what)| what.clone()).map_err(Clone::clone)),
        ("steps", claims::steps(lines, settings)),
        ("guarantee", claims::guarantee(lines, settings)),
        ("agreement", checkpoints::agreement(lines, record)),
    ];
    checks.into_iter().map(Check::of).collect()
}
