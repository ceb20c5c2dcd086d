//! The same initial recipes without evolution: what evolution has to be better than.

use std::sync::atomic::AtomicBool;

use esgd_core::{
    Esgd, Outcome, Settings,
    settings::{Guarantee, RecipePolicy, Start, Way},
};

use crate::{
    failure::Failure,
    run::{
        progress::Progress,
        setting::Setting,
        summary::{Best, Control},
    },
    terminal,
};

/// The settings without evolution, for at least as many epochs.
pub(crate) fn settings(with: &Settings) -> Settings {
    let a_generation = with.mu.saturating_mul(with.epochs).max(1);
    let mut without = with.clone();
    without.start = Start::Independent;
    without.generations =
        without.generations.saturating_add(with.start.epochs().div_ceil(a_generation));
    without.evolution_steps = 0;
    without.recipes.policy = RecipePolicy::Keep;
    without.guarantee =
        Guarantee { way: Way::Archive, p_backoff: 1.0, anchor: false, ..with.guarantee.clone() };
    without
}

/// Runs it. `None` if it was interrupted.
pub(crate) fn run(
    with: &Settings,
    setting: &Setting,
    stop: &AtomicBool,
    silent: bool,
) -> Result<Option<Control>, Failure> {
    let without = settings(with);
    if !silent {
        terminal::say(
            "as a control, the same again without evolution (not if run.control = false)",
        );
    }
    let progress = Progress::new("without evolution", &without, silent);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_has_at_least_as_many_epochs() {
        let start = Start::Shared { epochs: 3, candidates: 5, halvings: 0 };
        let with = Settings { start, ..Settings::paper() };
        let without = settings(&with);
        let more = (without.generations - with.generations) * with.mu * with.epochs;
        assert!((15..15 + with.mu * with.epochs).contains(&more), "{more}");
        assert_eq!(without.evolution_steps, 0);
        let huge = Settings { generations: usize::MAX, mu: usize::MAX, epochs: 2, ..with };
        assert_eq!(settings(&huge).generations, usize::MAX, "no overflow");
    }
}
