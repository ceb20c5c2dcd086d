//! The same initial recipes without evolution: what evolution has to be better than.

use std::sync::atomic::AtomicBool;

use esgd_core::{Esgd, Outcome, Settings, baselines};

use crate::{
    failure::Failure,
    run::{
        progress::Progress,
        setting::Setting,
        summary::{Best, Control},
    },
    terminal,
};

/// Runs it. `None` if it was interrupted.
pub(crate) fn run(
    with: &Settings,
    setting: &Setting,
    stop: &AtomicBool,
    silent: bool,
) -> Result<Option<Control>, Failure> {
    let without = baselines::control(with);
    if !silent {
        terminal::say(
            "as a control, the same again without evolution (not if run.control = false)",
        );
    }
    let progress = Progress::new("without evolution", &without, silent)?;
    let run: Result<Outcome<_>, _> = Esgd::new(&setting.problem, &without)
        .executor(&setting.workers)
        .observer(&progress)
        .stop_when(stop)
        .run();
    let took = progress.finish();
    let run = run.map_err(|failure| Failure::Failed(failure.error.to_string()))?;
    if run.stopped {
        return Ok(None);
    }
    let best = Best::of(&run, setting, without.generations)?;
    Ok(Some(Control { best, epochs: run.population.effort().epochs, seconds: took.as_secs_f64() }))
}
