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
    let slack = match problem.score() {
        Score::Loss => SLACK * population.best().scored.fitness().get().abs(),
        // Few samples are between two classes.
        Score::Error => 2.0 / problem.fitness_data().len() as f64,
    };
    match scores(&population, problem).map_err(wrong)? {
        Scores { was, is } if was == is => Ok(population),
        Scores { was, is } if (was.get() - is.get()).abs() <= slack => {
            notice(&format!(
                "the best network scores {is} here and scored {was}: this processor or device rounds otherwise, so the rest of the run will not be the same to the bit"
            ));
            Ok(population)
        }
        Scores { was, is } => Err(wrong(format!(
            "its best network scores {is} and scored {was}, so the data is another"
        ))),
    }
}

/// The same of any problem; or why there is none.
pub(crate) fn of_problem<P: Portable>(
    run: &Path,
    found: &Found,
    problem: &P,
    most: u64,
) -> Result<Population<P::Genome, P::State>, String> {
    let population = checkpoint::restore(run, &found.manifest, problem, most)
        .map_err(|e| first_line(&e.to_string()))?;
    let Scores { was, is } = scores(&population, problem)?;
    // Another processor may round otherwise.
    match was == is || (was.get() - is.get()).abs() <= SLACK * was.get().abs() {
        true => Ok(population),
        false => {
            Err(format!("its best network scores {is} and scored {was}, so the problem is another"))
        }
    }
}

/// By how much of itself a loss may be another on another processor.
const SLACK: f64 = 1e-3;

/// What the best network was scored by, and what it is now.
struct Scores {
    was: Fitness,
    is: Fitness,
}

fn scores<P: Problem>(
    population: &Population<P::Genome, P::State>,
    problem: &P,
) -> Result<Scores, String> {
    let best = population.best().scored;
    let is = problem.fitness(best.theta()).map_err(|e| first_line(&e.to_string()))?;
    Ok(Scores { was: best.fitness(), is: Fitness::new(is) })
}

/// candle puts a backtrace behind its first line.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
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
