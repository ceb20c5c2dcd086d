//! Several networks as one, chosen greedily on the data that fitness is measured on: an ensemble, whose
//! probabilities are averaged, and a soup, whose weights are (Wortsman et al., 2022, the greedy recipe).

use std::sync::Arc;

use esgd_core::{Executor, Fitness, Problem, Scored, budget::Metered, work};
use esgd_models::{Error, Evaluation, Genome, Predictions, Supervised, Task, data::Dataset};

/// A network that may be chosen.
#[derive(Debug)]
pub(crate) struct Candidate<G> {
    pub theta: Arc<G>,
    pub fitness: Fitness,
}

impl<G> Clone for Candidate<G> {
    fn clone(&self) -> Self {
        Self { theta: Arc::clone(&self.theta), fitness: self.fitness }
    }
}

impl<G> From<&Scored<G>> for Candidate<G> {
    fn from(scored: &Scored<G>) -> Self {
        Self { theta: scored.shared(), fitness: scored.fitness() }
    }
}

/// Networks chosen to go together.
pub(crate) struct Chosen {
    /// Which candidates.
    pub members: Vec<usize>,
    /// Of all of them together.
    pub loss: f64,
}

impl Chosen {
    pub(crate) fn networks<'a, G>(&self, of: &'a [Candidate<G>]) -> Vec<&'a G> {
        self.members.iter().map(|&i| &*of[i].theta).collect()
    }
}

/// Adds networks, best first, as long as that lowers the loss of all together.
fn greedy<G>(
    ranked: &[Candidate<G>],
    mut loss_of: impl FnMut(&[usize]) -> Result<f64, Error>,
) -> Result<Chosen, Error> {
    let mut chosen: Vec<usize> = vec![];
    let mut best = f64::INFINITY;
    for candidate in 0..ranked.len() {
        chosen.push(candidate);
        let loss = match candidate {
            0 => ranked[0].fitness.get(),
            _ => loss_of(&chosen)?,
        };
        if loss < best || candidate == 0 {
            best = loss;
        } else {
            chosen.pop();
        }
    }
    Ok(Chosen { members: chosen, loss: best })
}

/// An ensemble of some of `ranked`, best first. Each of them is evaluated once more.
pub(crate) fn ensemble<T: Task>(
    problem: &Metered<'_, Supervised<T>>,
    ranked: &[Candidate<Genome>],
    executor: &dyn Executor,
) -> Result<Chosen, Error> {
    let data = problem.inner().fitness_data();
    let networks: Vec<_> = ranked.iter().map(|one| &*one.theta).collect();
    let all = predictions(problem, &networks, data, executor)?;
    problem.count_evaluation(data.len() * ranked.len());
    let score = problem.inner().score();
    greedy(ranked, |some| score.of(&together(some.iter().map(|&i| &all[i]), data)?))
}

/// The average of some of `ranked`, best first, with its statistics estimated anew where that is better.
/// Each candidate is evaluated.
pub(crate) fn soup<T: Task>(
    problem: &Metered<'_, Supervised<T>>,
    ranked: &[Candidate<Genome>],
) -> Result<(Chosen, Genome), Error> {
    let average = |some: &[usize]| {
        let some: Vec<_> = some.iter().map(|&i| &*ranked[i].theta).collect();
        problem.inner().average(&some)
    };
    let chosen = greedy(ranked, |some| problem.fitness(&average(some)?))?;
    let plain = problem.inner().average(&chosen.networks(ranked))?;
    if chosen.members.len() > 1 {
        if let Some((anew, loss)) = reestimated(problem, &plain)? {
            if loss < chosen.loss {
                return Ok((Chosen { loss, ..chosen }, anew));
            }
        }
    }
    Ok((chosen, plain))
}

/// A network with its statistics estimated anew, and its loss; `None` where there are none.
pub(crate) fn reestimated<T: Task>(
    problem: &Metered<'_, Supervised<T>>,
    theta: &Genome,
) -> Result<Option<(Genome, f64)>, Error> {
    let samples = problem.inner().train().len();
    let Some(anew) = problem.inner().reestimated(theta, samples)? else { return Ok(None) };
    problem.count_evaluation(samples);
    let loss = problem.fitness(&anew)?;
    Ok(Some((anew, loss)))
}

/// What an ensemble comes to on other data.
pub(crate) fn evaluate<T: Task>(
    problem: &Metered<'_, Supervised<T>>,
    networks: &[&Genome],
    data: &Dataset,
    executor: &dyn Executor,
) -> Result<Evaluation, Error> {
    together(predictions(problem, networks, data, executor)?.iter(), data)
}

fn together<'a>(
    all: impl Iterator<Item = &'a Predictions>,
    data: &Dataset,
) -> Result<Evaluation, Error> {
    match Predictions::mean(&all.collect::<Vec<_>>()) {
        Some(mean) => mean.evaluate(data),
        None => Ok(Evaluation { loss: f64::NAN, error: None, samples: data.len() }),
    }
}

/// What each network predicts, computed on all threads.
fn predictions<T: Task>(
    problem: &Metered<'_, Supervised<T>>,
    networks: &[&Genome],
    data: &Dataset,
    executor: &dyn Executor,
) -> Result<Vec<Predictions>, Error> {
    work::try_map(executor, networks.to_vec(), |_, theta| problem.inner().predict(theta, data))
}
