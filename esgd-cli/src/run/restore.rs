//! The population of a checkpoint, in the memory of a program that goes on with it.

use std::path::Path;

use esgd_core::{Fitness, Population, Portable, Problem, Settings, guarantee::Stage};
use esgd_models::{Genome, Network, OptimizerState, Score, Supervised};

use crate::{
    failure::Failure,
    run::{
        checkpoint::{self, Found},
        known_data,
    },
    text::first_line::first_line,
};

/// The population of a checkpoint, as it was written; or why there is none.
pub(crate) fn population(
    run: &Path,
    found: &Found,
    problem: &Supervised<Network>,
) -> Result<Result<Population<Genome, OptimizerState>, String>, Failure> {
    let most = most_bytes(problem.shape()?);
    let (mut manifest, objective) = (found.manifest.clone(), problem.objective());
    let was = &manifest.population.objective;
    if manifest.data.is_none() && known_data::same_but_for_the_name(was, &objective) {
        manifest.population.objective = objective;
    }
    Ok(checkpoint::restore(run, &manifest, problem, most).map_err(|e| e.to_string()))
}

/// More than a network of these shapes, or what an optimizer remembers of one, takes as a file.
pub(crate) fn most_bytes(shape: &Genome) -> u64 {
    let names: usize = shape.parameters().iter().map(|one| one.name.len() + 1000).sum();
    16 * (shape.len() + names) as u64 + (1 << 16)
}

/// The population of a checkpoint, whose best network must score here as it did there. Where it does so up to rounding
/// alone, `notice` is told.
///
/// # Errors
/// That it is not the population of this network, or that the data are others.
pub fn restore(
    run: &Path,
    found: &Found,
    problem: &Supervised<Network>,
    notice: &dyn Fn(&str),
) -> Result<Population<Genome, OptimizerState>, Failure> {
    let wrong = |why: String| {
        Failure::Failed(format!("cannot go on from checkpoint {}: {why}", found.number))
    };
    let population = population(run, found, problem)?.map_err(wrong)?;
    check(&population, problem, slack(problem), notice).map_err(wrong)?;
    Ok(population)
}

/// The same of any problem; or why there is none. Fitness that differs by no more than `slack` is taken for the same too.
pub(crate) fn of_problem<P: Portable>(
    run: &Path,
    found: &Found,
    problem: &P,
    most: u64,
    slack: f64,
    notice: &dyn Fn(&str),
) -> Result<Population<P::Genome, P::State>, String> {
    let population =
        checkpoint::restore(run, &found.manifest, problem, most).map_err(|e| first_line(&e))?;
    check(&population, problem, slack, notice)?;
    Ok(population)
}

/// More bytes than a network of any problem, or what an optimizer remembers of one, has as a file.
pub(crate) const MOST_OF_A_FILE: u64 = 1 << 40;

/// By how much of itself a loss may differ on another processor.
const ROUNDING: f64 = 1e-3;

/// By how much fitness may differ on another processor, where that is more than a rounding.
pub(crate) fn slack(problem: &Supervised<Network>) -> f64 {
    match problem.score() {
        Score::Loss => 0.0,
        // Few samples are between two classes.
        Score::Error => 2.0 / problem.fitness_data().len() as f64,
    }
}

/// Whether the best network scores here as it did there.
fn check<P: Problem>(
    population: &Population<P::Genome, P::State>,
    problem: &P,
    slack: f64,
    notice: &dyn Fn(&str),
) -> Result<(), String> {
    let best = population.best().scored;
    let now = problem.fitness(best.theta()).map_err(|e| first_line(&e))?;
    let (was, is) = (best.fitness(), Fitness::new(now));
    let slack = slack.max(ROUNDING * was.get().abs());
    if was != is && (was.get() - is.get()).abs() <= slack {
        notice(&format!(
            "the best network scores {is} here and scored {was}: this processor or device rounds otherwise, so the rest of the run will not be the same to the bit"
        ));
    } else if was != is {
        return Err(format!(
            "its best network scores {is} and scored {was}, so the problem or its data is another"
        ));
    }
    Ok(())
}

/// Whether no step is left to do.
pub(crate) fn is_done<G, S>(
    population: &Population<G, S>,
    settings: &Settings,
    patience: usize,
) -> bool {
    let tuned = settings.fine_tune.epochs == 0 || population.stage() == Stage::FineTuned;
    let over = population.generation() >= settings.generations
        || population.has_stagnated(patience)
        || population.ended().is_some();
    over && tuned
}
