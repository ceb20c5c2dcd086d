//! One member of the population: θ with its fitness, its recipe and optimizer state, its lineage.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{NotWorse, Scored, Seat};
use crate::{Fitness, Hyper, Recipe};

/// Who an individual is: when it was born and as which. Training does not change it.
///
/// Written `g3.1#17`: born in generation 3, evolution step 1, as offspring 17.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// The generation of birth, 0 for the initial population.
    pub generation: usize,
    /// The evolution step of birth, 0 for the initial population.
    pub step: usize,
    /// Its number among those born together.
    pub index: usize,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "g{}.{}#{}", self.generation, self.step, self.index)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A member of the population.
#[derive(Debug)]
pub struct Individual<G, S> {
    who: Resident<S>,
    scored: Scored<G>,
}

/// An individual without its θ, while that is being trained.
#[derive(Debug)]
pub(crate) struct Resident<S> {
    pub(crate) id: Id,
    pub(crate) parents: Vec<Id>,
    pub(crate) recipe: Option<Recipe>,
    pub(crate) hyper: Option<Hyper>,
    pub(crate) state: Option<S>,
}

impl<S> Resident<S> {
    /// Back into the population, by one of the two ways that [`Seat`] allows.
    pub(crate) fn settle<G>(self, seat: Seat<G>) -> Individual<G, S> {
        Individual { who: self, scored: seat.into_scored() }
    }
}

impl<G, S> Individual<G, S> {
    /// A newcomer that has not been trained yet.
    pub(crate) fn born(
        id: Id,
        parents: Vec<Id>,
        recipe: Option<Recipe>,
        scored: Scored<G>,
    ) -> Self {
        Self { who: Resident { id, parents, recipe, hyper: None, state: None }, scored }
    }

    /// Takes θ out to be trained. What was scored is not worse than itself.
    pub(crate) fn depart(self) -> (Resident<S>, NotWorse<G>) {
        (self.who, NotWorse::unchanged(self.scored))
    }

    /// Who it is.
    #[must_use]
    pub fn id(&self) -> Id {
        self.who.id
    }

    /// Whom it was recombined from, in the order of the sum; empty for the initial population.
    #[must_use]
    pub fn parents(&self) -> &[Id] {
        &self.who.parents
    }

    /// θ and its fitness.
    #[must_use]
    pub fn scored(&self) -> &Scored<G> {
        &self.scored
    }

    /// f(θ).
    #[must_use]
    pub fn fitness(&self) -> Fitness {
        self.scored.fitness()
    }

    /// The recipe that it drew, kept or inherited.
    #[must_use]
    pub fn recipe(&self) -> Option<&Recipe> {
        self.who.recipe.as_ref()
    }

    /// The hyper-parameters of its last SGD step; `None` before its first.
    #[must_use]
    pub fn hyper(&self) -> Option<&Hyper> {
        self.who.hyper.as_ref()
    }

    /// Its optimizer's state after its last SGD step.
    #[must_use]
    pub fn state(&self) -> Option<&S> {
        self.who.state.as_ref()
    }
}
