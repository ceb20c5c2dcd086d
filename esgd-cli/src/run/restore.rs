//! The population of a checkpoint, in the memory of a program that goes on with it.

use std::path::Path;

use esgd_core::{Fitness, Population, Problem, Settings, guarantee::Stage};
use esgd_models::{Genome, Network, OptimizerState, Score, Supervised};

use crate::{
    failure::Failure,
    run::{
        checkpoint::{self, Found},
        known_data,
    },
    terminal,
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
fn most_bytes(shape: &Genome) -> u64 {
    let names: usize = shape.parameters().iter().map(|one| one.name.len() + 1000).sum();
    16 * (shape.len() + names) as u64 + (1 << 16)
}

/// The population of a checkpoint, whose best network must score here as it did there. Where it does up to rounding,
/// that is said on stderr.
///
/// # Errors
/// That it is not the population of this network, or that the data are others.
pub fn restore(
    run: &Path,
    found: &Found,
    problem: &Supervised<Network>,
) -> Result<Population<Genome, OptimizerState>, Failure> {
    let wrong = |why: String| {
        Failure::Failed(format!("cannot go on from checkpoint {}: {why}", found.number))
    };
    let population = population(run, found, problem)?.map_err(wrong)?;
    let best = population.best().scored;
    let now = Fitness::new(problem.fitness(best.theta())?);
    let (was, is) = (best.fitness().get(), now.get());
    if best.fitness() == now {
        return Ok(population);
    }
    let slack = match problem.score() {
        Score::Loss => 1e-3 * was.abs(),
        // Few samples are between two classes.
        Score::Error => 2.0 / problem.fitness_data().len() as f64,
    };
    if (was - is).abs() <= slack {
        terminal::notice(&format!(
            "the best network scores {is} here and scored {was}: this processor or device rounds otherwise, so the rest of the run will not be the same to the bit"
        ));
        return Ok(population);
    }
    Err(wrong(format!("its best network scores {is} and scored {was}, so the data is another")))
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
