//! The same initial recipes without evolution: what evolution has to be better than.

use std::{sync::atomic::AtomicBool, time::Instant};

use esgd_core::{Esgd, Outcome, Settings, baselines};

use crate::{
    failure::Failure,
    run::{
        setting::Setting,
        summary::{Best, Control},
        watcher::{Of, Training, Watcher},
    },
};

/// Runs it. `None` if it was interrupted.
pub(crate) fn run(
    with: &Settings,
    setting: &Setting,
    stop: &AtomicBool,
    watcher: &dyn Watcher,
) -> Result<Option<Control>, Failure> {
    let without = baselines::control(with);
    let training =
        Training { title: "without evolution", settings: &without, of: Of::Control, behind: None };
    let watching = watcher.watch(training)?;
    let began = Instant::now();
    let run: Result<Outcome<_>, _> = Esgd::new(&setting.problem, &without)
        .executor(&setting.workers)
        .observer(&*watching)
        .stop_when(stop)
        .run();
    let took = began.elapsed();
    drop(watching);
    let run = run.map_err(|failure| Failure::Failed(failure.error.to_string()))?;
    if run.stopped {
        return Ok(None);
    }
    let best = Best::of(&run, setting, without.generations)?;
    Ok(Some(Control { best, epochs: run.population.effort().epochs, seconds: took.as_secs_f64() }))
}
