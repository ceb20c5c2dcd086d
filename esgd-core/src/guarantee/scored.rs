//! Scoring: how an unscored θ becomes one with a fitness that can no longer be changed.

use std::sync::Arc;

use crate::{Error, Fitness, Objective, Operation, Plan, Problem};

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
    /// With the fitness that it was measured to have, here or by another process.
    pub(crate) fn measured(plan: Plan, fitness: Fitness) -> Self {
        Self { plan, fitness }
    }

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
        Ok(self.scored(unscored.0.into(), fitness))
    }

    /// Builds the offspring of `plan` from its sources, measures it and lets it go. The fitness of a clone is
    /// known.
    pub(crate) fn measure_plan(
        &self,
        plan: &Plan,
        sources: &[Network<'_, P::Genome>],
    ) -> Result<Fitness, Error<P::Error>> {
        match cloned(plan, sources) {
            Some(scored) => Ok(scored.fitness),
            None => self.measure(&self.build(plan, sources)?),
        }
    }

    /// A network with the fitness that it was measured to have, here or by another process.
    pub(crate) fn scored(&self, theta: Arc<P::Genome>, fitness: Fitness) -> Scored<P::Genome> {
        Scored { theta, fitness, objective: self.objective.clone() }
    }

    /// Builds an offspring again, to the bit, with the fitness it was measured to have.
    pub(crate) fn build_scored(
        &self,
        one: &ScoredPlan,
        sources: &[Network<'_, P::Genome>],
    ) -> Result<Scored<P::Genome>, Error<P::Error>> {
        if let Some(scored) = cloned(&one.plan, sources) {
            return Ok(scored.clone());
        }
        Ok(self.scored(self.build(&one.plan, sources)?.into(), one.fitness))
    }

    /// Builds a network; a fresh one is the problem's initial one.
    pub(crate) fn build(
        &self,
        plan: &Plan,
        sources: &[Network<'_, P::Genome>],
    ) -> Result<P::Genome, Error<P::Error>> {
        let built = match plan.operation {
            Operation::Init => self.problem.init(plan.key),
            ref operation => {
                let sources: Vec<_> = sources.iter().map(Network::theta).collect();
                self.problem.build(operation, &sources, plan.key)
            }
        };
        built.map_err(Error::Problem)
    }

    /// The fitness of a network, for [`scored`](Self::scored).
    pub(crate) fn measure(&self, theta: &P::Genome) -> Result<Fitness, Error<P::Error>> {
        let fitness = self.problem.fitness(theta).map(Fitness::new).map_err(Error::Problem)?;
        let now = self.problem.objective();
        if now != self.objective {
            return Err(Error::ObjectiveChanged { was: self.objective.clone(), is: now });
        }
        Ok(fitness)
    }
}

/// What a network is made of.
#[derive(Debug)]
pub(crate) enum Network<'a, G> {
    /// With a fitness.
    Scored(&'a Scored<G>),
    /// Without one, such as a velocity.
    Plain(&'a G),
}

impl<'a, G> Network<'a, G> {
    /// θ.
    pub(crate) fn theta(&self) -> &'a G {
        match self {
            Self::Scored(scored) => &scored.theta,
            Self::Plain(theta) => theta,
        }
    }
}

/// The network with a fitness that a plan makes an exact copy of, if it does.
fn cloned<'a, G>(plan: &Plan, sources: &[Network<'a, G>]) -> Option<&'a Scored<G>> {
    match (plan.clones(), sources) {
        (Some(_), [Network::Scored(scored)]) => Some(scored),
        _ => None,
    }
}
