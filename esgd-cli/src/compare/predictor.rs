//! What a comparison makes of networks that predict: their averages, ensembles and soups, and what they come to on
//! test data. A problem that only trains and scores has none of it.

use std::sync::Arc;

use esgd_core::{Executor, Fitness, Problem, budget::Metered};
use esgd_models::{Error, Evaluation, Genome, RunningMean, Supervised, Task, data::Dataset};

use super::choosing::{self, Candidate};

/// Networks that answer together.
pub(crate) struct Together {
    /// How many are evaluated for an answer.
    pub networks: usize,
    /// How many are in it.
    pub members: usize,
    /// The loss that they were chosen by.
    pub loss: f64,
    pub test: Option<Evaluation>,
}

/// A mean of networks that grows.
pub(crate) trait Mean<G>: Send {
    fn add(&mut self, theta: &G) -> Result<(), Error>;
    fn mean(&self) -> Result<Option<G>, Error>;
}

impl Mean<Genome> for RunningMean {
    fn add(&mut self, theta: &Genome) -> Result<(), Error> {
        self.add(theta)
    }

    fn mean(&self) -> Result<Option<Genome>, Error> {
        self.mean()
    }
}

/// What can be done with the networks of a problem.
pub(crate) trait Predictor<P: Problem>: Sync {
    /// On test data, if there are any.
    fn test(&self, problem: &P, theta: &P::Genome) -> Result<Option<Evaluation>, Error>;

    /// The mean of no networks yet.
    fn mean(&self) -> Box<dyn Mean<P::Genome>>;

    /// Averaged weights, scored: with statistics estimated anew where there are some, and as they are.
    fn averaged(
        &self,
        problem: &Metered<'_, P>,
        mean: P::Genome,
    ) -> Result<Vec<Candidate<P::Genome>>, Error>;

    /// An ensemble of some of `ranked`, best first.
    fn ensemble(
        &self,
        problem: &Metered<'_, P>,
        ranked: &[Candidate<P::Genome>],
        executor: &dyn Executor,
    ) -> Result<Together, Error>;

    /// A soup of some of `ranked`, best first.
    fn soup(
        &self,
        problem: &Metered<'_, P>,
        ranked: &[Candidate<P::Genome>],
    ) -> Result<Together, Error>;
}

/// Networks that are tested on these data.
pub(crate) struct TestedOn<'a>(pub &'a Dataset);

impl TestedOn<'_> {
    fn some<R>(&self, of: impl FnOnce(&Dataset) -> Result<R, Error>) -> Result<Option<R>, Error> {
        if self.0.is_empty() { Ok(None) } else { of(self.0).map(Some) }
    }
}

impl<T: Task> Predictor<Supervised<T>> for TestedOn<'_> {
    fn test(&self, problem: &Supervised<T>, theta: &Genome) -> Result<Option<Evaluation>, Error> {
        self.some(|data| problem.evaluate(theta, data))
    }

    fn mean(&self) -> Box<dyn Mean<Genome>> {
        Box::<RunningMean>::default()
    }

    fn averaged(
        &self,
        problem: &Metered<'_, Supervised<T>>,
        mean: Genome,
    ) -> Result<Vec<Candidate<Genome>>, Error> {
        let mut all = vec![];
        if let Some((theta, loss)) = choosing::reestimated(problem, &mean)? {
            all.push(Candidate { theta: Arc::new(theta), fitness: Fitness::new(loss) });
        }
        let fitness = Fitness::new(problem.fitness(&mean)?);
        all.push(Candidate { theta: Arc::new(mean), fitness });
        Ok(all)
    }

    fn ensemble(
        &self,
        problem: &Metered<'_, Supervised<T>>,
        ranked: &[Candidate<Genome>],
        executor: &dyn Executor,
    ) -> Result<Together, Error> {
        let chosen = choosing::ensemble(problem, ranked, executor)?;
        let networks = chosen.networks(ranked);
        let test = self.some(|data| choosing::evaluate(problem, &networks, data, executor))?;
        let members = networks.len();
        Ok(Together { networks: members, members, loss: chosen.loss, test })
    }

    fn soup(
        &self,
        problem: &Metered<'_, Supervised<T>>,
        ranked: &[Candidate<Genome>],
    ) -> Result<Together, Error> {
        let (chosen, theta) = choosing::soup(problem, ranked)?;
        let test = self.some(|data| problem.inner().evaluate(&theta, data))?;
        Ok(Together { networks: 1, members: chosen.members.len(), loss: chosen.loss, test })
    }
}
