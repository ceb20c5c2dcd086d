//! Scoring: how an unscored θ becomes one with a fitness that can no longer be changed.

use std::sync::Arc;

use crate::{Error, Fitness, Problem, Yardstick, plan::Plan};

/// A network without a score: the only kind that may be changed.
#[derive(Debug)]
pub struct Brood<G>(G);

impl<G> Brood<G> {
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
    yardstick: Yardstick,
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
    pub fn yardstick(&self) -> &Yardstick {
        &self.yardstick
    }
}

impl<G> Scored<G> {
    /// One that was scored before, as a [`Ledger`](super::Ledger) has it.
    pub(super) fn restored(theta: Arc<G>, fitness: Fitness, yardstick: Yardstick) -> Self {
        Self { theta, fitness, yardstick }
    }
}

impl<G> Clone for Scored<G> {
    fn clone(&self) -> Self {
        Self {
            theta: Arc::clone(&self.theta),
            fitness: self.fitness,
            yardstick: self.yardstick.clone(),
        }
    }
}

/// An offspring that was built, scored and let go: its plan and its fitness, without θ.
#[derive(Clone, Debug)]
pub struct Unborn {
    plan: Plan,
    fitness: Fitness,
}

impl Unborn {
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

/// The one place where fitness is measured: one problem, one yardstick for the whole run.
#[derive(Debug)]
pub(crate) struct Judge<'a, P> {
    problem: &'a P,
    yardstick: Yardstick,
}

impl<'a, P: Problem> Judge<'a, P> {
    pub(crate) fn new(problem: &'a P) -> Self {
        Self { problem, yardstick: problem.yardstick() }
    }

    pub(crate) fn problem(&self) -> &'a P {
        self.problem
    }

    pub(crate) fn yardstick(&self) -> &Yardstick {
        &self.yardstick
    }

    /// Measures the fitness of a network; from here on it cannot be changed.
    pub(crate) fn score(
        &self,
        brood: Brood<P::Genome>,
    ) -> Result<Scored<P::Genome>, Error<P::Error>> {
        let fitness = self.measure(&brood.0)?;
        Ok(Scored { theta: Arc::new(brood.0), fitness, yardstick: self.yardstick.clone() })
    }

    /// Builds the offspring of `plan`, measures it and lets it go. The fitness of a clone is known.
    pub(crate) fn appraise(
        &self,
        parents: &[&Scored<P::Genome>],
        plan: Plan,
    ) -> Result<Unborn, Error<P::Error>> {
        let fitness = match plan.clones().and_then(|i| parents.get(i)) {
            Some(scored) => scored.fitness,
            None => self.measure(&self.build(parents, &plan)?)?,
        };
        Ok(Unborn { fitness, plan })
    }

    /// Builds an offspring again, to the bit, with the fitness it was measured to have.
    pub(crate) fn bear(
        &self,
        parents: &[&Scored<P::Genome>],
        unborn: &Unborn,
    ) -> Result<Scored<P::Genome>, Error<P::Error>> {
        if let Some(&scored) = unborn.plan.clones().and_then(|i| parents.get(i)) {
            return Ok(scored.clone());
        }
        let theta = Arc::new(self.build(parents, &unborn.plan)?);
        Ok(Scored { theta, fitness: unborn.fitness, yardstick: self.yardstick.clone() })
    }

    fn build(
        &self,
        population: &[&Scored<P::Genome>],
        plan: &Plan,
    ) -> Result<P::Genome, Error<P::Error>> {
        let parents: Option<Vec<_>> =
            plan.parents.iter().map(|&i| population.get(i).map(|one| one.theta())).collect();
        match parents {
            Some(parents) if !parents.is_empty() => {
                self.problem.recombine(&parents, plan.mutation, plan.key).map_err(Error::Problem)
            }
            _ => Err(Error::BadPlan { parents: plan.parents.clone(), mu: population.len() }),
        }
    }

    fn measure(&self, theta: &P::Genome) -> Result<Fitness, Error<P::Error>> {
        let fitness = self.problem.fitness(theta).map(Fitness::new).map_err(Error::Problem)?;
        let now = self.problem.yardstick();
        if now != self.yardstick {
            return Err(Error::YardstickMoved { was: self.yardstick.clone(), is: now });
        }
        Ok(fitness)
    }
}
