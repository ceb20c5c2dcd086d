//! Scoring: how an unscored θ becomes one with a fitness that can no longer be changed.

use std::sync::Arc;

use crate::{Error, Fitness, Objective, Plan, Problem, Source};

/// A network without a score: the only kind that may be changed.
#[derive(Debug)]
pub struct Unscored<G>(G);

impl<G> Unscored<G> {
    /// A new network, or a fork of one.
    pub(crate) fn new(theta: G) -> Self {
        Self(theta)
    }

    /// To train it.
    pub(crate) fn theta_mut(&mut self) -> &mut G {
        &mut self.0
    }
}

/// A network with its fitness. Nothing can change it, and it is never scored again.
///
/// A clone shares θ, which is safe because nobody can change it.
#[derive(Debug)]
pub struct Scored<G> {
    theta: Arc<G>,
    fitness: Fitness,
    objective: Objective,
}

impl<G> Scored<G> {
    /// θ.
    #[must_use]
    pub fn theta(&self) -> &G {
        &self.theta
    }

    /// θ, shared.
    #[must_use]
    pub fn shared(&self) -> Arc<G> {
        Arc::clone(&self.theta)
    }

    /// f(θ), as measured once.
    #[must_use]
    pub fn fitness(&self) -> Fitness {
        self.fitness
    }

    /// What the fitness was measured with.
    #[must_use]
    pub fn objective(&self) -> &Objective {
        &self.objective
    }
}

impl<G> Scored<G> {
    /// One that was scored before, as a [`PopulationRecord`](super::PopulationRecord) has it.
    pub(super) fn restored(theta: Arc<G>, fitness: Fitness, objective: Objective) -> Self {
        Self { theta, fitness, objective }
    }
}

impl<G> Clone for Scored<G> {
    fn clone(&self) -> Self {
        Self {
            theta: Arc::clone(&self.theta),
            fitness: self.fitness,
            objective: self.objective.clone(),
        }
    }
}

/// An offspring that was built, scored and let go: its plan and its fitness, without θ.
#[derive(Clone, Debug)]
pub struct ScoredPlan {
    plan: Plan,
    fitness: Fitness,
}

impl ScoredPlan {
    /// How to build it.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its fitness.
    #[must_use]
    pub fn fitness(&self) -> Fitness {
        self.fitness
    }
}

/// The one place where fitness is measured: one problem, one objective for the whole run.
#[derive(Debug)]
pub(crate) struct Evaluator<'a, P> {
    problem: &'a P,
    objective: Objective,
}

impl<'a, P: Problem> Evaluator<'a, P> {
    pub(crate) fn new(problem: &'a P) -> Self {
        Self { problem, objective: problem.objective() }
    }

    pub(crate) fn problem(&self) -> &'a P {
        self.problem
    }

    pub(crate) fn objective(&self) -> &Objective {
        &self.objective
    }

    /// Measures the fitness of a network; from here on it cannot be changed.
    pub(crate) fn score(
        &self,
        unscored: Unscored<P::Genome>,
    ) -> Result<Scored<P::Genome>, Error<P::Error>> {
        let fitness = self.measure(&unscored.0)?;
        Ok(Scored { theta: Arc::new(unscored.0), fitness, objective: self.objective.clone() })
    }

    /// Builds the offspring of `plan`, measures it and lets it go. The fitness of a clone is known.
    pub(crate) fn score_plan(
        &self,
        parents: &[&Scored<P::Genome>],
        plan: Plan,
    ) -> Result<ScoredPlan, Error<P::Error>> {
        let fitness = match cloned(&plan, parents) {
            Some(scored) => scored.fitness,
            None => self.measure(&self.build(parents, &plan)?)?,
        };
        Ok(ScoredPlan { fitness, plan })
    }

    /// Builds an offspring again, to the bit, with the fitness it was measured to have.
    pub(crate) fn build_scored(
        &self,
        parents: &[&Scored<P::Genome>],
        scored_plan: &ScoredPlan,
    ) -> Result<Scored<P::Genome>, Error<P::Error>> {
        if let Some(scored) = cloned(&scored_plan.plan, parents) {
            return Ok(scored.clone());
        }
        let theta = Arc::new(self.build(parents, &scored_plan.plan)?);
        Ok(Scored { theta, fitness: scored_plan.fitness, objective: self.objective.clone() })
    }

    fn build(
        &self,
        population: &[&Scored<P::Genome>],
        plan: &Plan,
    ) -> Result<P::Genome, Error<P::Error>> {
        let parent = |rank: usize| population.get(rank).map(|one| one.theta());
        let sources: Option<Vec<_>> = plan.parents().map(parent).collect();
        match sources {
            Some(sources) if !sources.is_empty() => {
                self.problem.build(&plan.operation, &sources, plan.key).map_err(Error::Problem)
            }
            _ => Err(Error::BadPlan { parents: plan.parents().collect(), mu: population.len() }),
        }
    }

    fn measure(&self, theta: &P::Genome) -> Result<Fitness, Error<P::Error>> {
        let fitness = self.problem.fitness(theta).map(Fitness::new).map_err(Error::Problem)?;
        let now = self.problem.objective();
        if now != self.objective {
            return Err(Error::ObjectiveChanged { was: self.objective.clone(), is: now });
        }
        Ok(fitness)
    }
}

/// The parent that a plan makes an exact copy of, if it does.
fn cloned<'a, G>(plan: &Plan, parents: &[&'a Scored<G>]) -> Option<&'a Scored<G>> {
    match plan.clones()? {
        Source::Parent(rank) => parents.get(*rank).copied(),
        _ => None,
    }
}
