//! One member of the population: θ with its fitness, its recipe and optimizer state, its lineage.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{AfterTraining, At, NotWorse, Scored};
use crate::{Fitness, Hyperparameters, Recipe, trace::Trained};

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

impl FromStr for Id {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (generation, rest) = text.strip_prefix('g')?.split_once('.')?;
            let (step, index) = rest.split_once('#')?;
            let [generation, step, index] = [generation, step, index].map(|n| n.parse().ok());
            Some(Self { generation: generation?, step: step?, index: index? })
        };
        parse()
            .ok_or_else(|| format!("`{text}` is no individual's name: expected one like g3.1#17"))
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// How far an individual is in an SGD step, until its generation is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Its rank when the step began: j of Algorithm 1, which its random numbers are drawn by.
    #[serde(alias = "seat")]
    pub position: usize,
    /// Epochs done.
    pub epochs: usize,
    /// Of these, the epochs that were taken back.
    pub backed_off: usize,
}

/// A member of the population.
#[derive(Debug)]
pub struct Individual<G, S> {
    meta: IndividualMeta<S>,
    scored: Scored<G>,
}

/// An individual without its θ, while that is being trained.
#[derive(Debug)]
pub(crate) struct IndividualMeta<S> {
    pub(crate) id: Id,
    pub(crate) parents: Vec<Id>,
    pub(crate) recipe: Option<Recipe>,
    pub(crate) hyper: Option<Hyperparameters>,
    pub(crate) state: Option<S>,
    /// The generation and epoch in which θ was scored; epoch 0 at birth.
    pub(crate) at: At,
    pub(crate) progress: Option<Progress>,
    /// What each epoch of the SGD step reached that is not over.
    pub(crate) epochs: Vec<Fitness>,
}

impl<S> IndividualMeta<S> {
    /// Joins it with its θ again, by one of the two ways that [`AfterTraining`] allows.
    pub(crate) fn into_individual<G>(self, trained: AfterTraining<G>) -> Individual<G, S> {
        Individual { meta: self, scored: trained.into_scored() }
    }
}

impl<G, S> Individual<G, S> {
    /// A newcomer that has not been trained yet.
    pub(crate) fn born(
        id: Id,
        parents: Vec<Id>,
        recipe: Option<Recipe>,
        state: Option<S>,
        scored: Scored<G>,
    ) -> Self {
        let at = At::birth(id.generation);
        let (hyper, progress, epochs) = (None, None, vec![]);
        let meta = IndividualMeta { id, parents, recipe, hyper, state, at, progress, epochs };
        Self { meta, scored }
    }

    /// A newcomer that goes on with the recipe and optimizer state of another.
    pub(crate) fn heir(id: Id, parents: Vec<Id>, of: &Self, scored: Scored<G>) -> Self
    where
        S: Clone,
    {
        let (recipe, state) = (of.meta.recipe.clone(), of.meta.state.clone());
        let mut heir = Self::born(id, parents, recipe, state, scored);
        heir.meta.hyper = of.meta.hyper.clone();
        heir
    }

    /// One that has been in a population before.
    pub(super) fn restored(meta: IndividualMeta<S>, scored: Scored<G>) -> Self {
        Self { meta, scored }
    }

    /// Begins the SGD step at this position.
    pub(super) fn begin_step(&mut self, position: usize) {
        self.meta.progress = Some(Progress { position, epochs: 0, backed_off: 0 });
    }

    /// Closes the SGD step, if it was in one.
    pub(super) fn close_step(&mut self) -> Option<Trained> {
        self.meta.progress.take()?;
        let epochs = std::mem::take(&mut self.meta.epochs);
        Some(Trained { id: self.id(), epochs, fitness: self.fitness() })
    }

    /// Takes θ out to be trained. What was scored is not worse than itself.
    pub(crate) fn into_parts(self) -> (IndividualMeta<S>, NotWorse<G>) {
        (self.meta, NotWorse::unchanged(self.scored))
    }

    /// Who it is.
    #[must_use]
    pub fn id(&self) -> Id {
        self.meta.id
    }

    /// Whom it was recombined from, in the order of the sum; empty for the initial population.
    #[must_use]
    pub fn parents(&self) -> &[Id] {
        &self.meta.parents
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
        self.meta.recipe.as_ref()
    }

    /// The hyper-parameters of its last SGD step; `None` before its first.
    #[must_use]
    pub fn hyper(&self) -> Option<&Hyperparameters> {
        self.meta.hyper.as_ref()
    }

    /// Its optimizer's state after its last SGD step; `None` where the next one begins with a fresh one.
    #[must_use]
    pub fn state(&self) -> Option<&S> {
        self.meta.state.as_ref()
    }

    /// The generation and epoch in which θ was scored; epoch 0 at birth. With its name this is the
    /// name of θ.
    #[must_use]
    pub fn at(&self) -> At {
        self.meta.at
    }

    /// How far it is in the SGD step of a generation that is not complete.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        self.meta.progress
    }

    /// The fitness that each epoch of that step reached.
    #[must_use]
    pub fn epochs(&self) -> &[Fitness] {
        &self.meta.epochs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_are_not() {
        let id = Id { generation: 3, step: 1, index: 17 };
        assert_eq!(id.to_string(), "g3.1#17");
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in ["", "g3", "g3.1", "g3.1#", "3.1#17", "g3.1#17 ", "g-1.0#0", "g3#1.7"] {
            assert!(wrong.parse::<Id>().unwrap_err().contains("g3.1#17"), "{wrong}");
        }
    }
}
