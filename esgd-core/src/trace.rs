//! What happened in a generation, so that it can be audited: the fitness after each epoch of each individual,
//! and of every offspring how it was made, of whom, and its fitness.

use serde::{Deserialize, Serialize};

use crate::{
    Fitness, Id, Mutation, Operation, Plan, Source,
    guarantee::{ScoredPlan, Selected, Survivor},
    strategy::{Heir, Replacement},
};

/// The steps of a generation, in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The SGD step, in order of rank after it; empty where there was none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trained: Vec<Trained>,
    /// The evolution steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evolved: Vec<Evolved>,
    /// Whether something had happened before it was recorded, in a program of before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

impl Trace {
    /// Whether nothing has happened, or nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.trained.is_empty() && self.evolved.is_empty()
    }
}

/// An individual's SGD step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trained {
    /// Who it is.
    pub id: Id,
    /// The fitness that each epoch reached, whether it was taken back or not.
    pub epochs: Vec<Fitness>,
    /// The fitness after the step.
    pub fitness: Fitness,
}

/// An evolution step. An offspring's number is its place among all of the step, which with the seed gives
/// its noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evolved {
    /// The population that it began with, best first.
    pub population: Vec<Id>,
    /// All offspring: those that the same operation made stand together.
    pub made: Vec<Made>,
    /// What was made and scored after the offspring.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
    /// How the strategy chose survivors.
    #[serde(default, skip_serializing_if = "Exit::is_elitist")]
    pub exit: Exit,
    /// Who survived, of an elitist choice the m best first: of the population 0 to μ − 1, of the offspring μ to
    /// μ + λ − 1, of those chosen freely from μ + λ on.
    pub survivors: Vec<usize>,
}

/// How survivors were chosen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// The m best, and others drawn.
    #[default]
    Elitist,
    /// Offspring for parents that they are not worse than.
    Replacement(Vec<Replacement>),
    /// These.
    Free {
        /// All that were chosen.
        heirs: Vec<Heir>,
        /// How many networks were made after the offspring, scored or not: identities count on from there.
        made: usize,
    },
}

impl Exit {
    fn is_elitist(&self) -> bool {
        *self == Self::Elitist
    }
}

/// A network that was made and scored after the offspring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extra {
    /// Its number among all that were made.
    pub number: usize,
    /// The operation.
    pub operation: Operation,
    /// The sources, in the order of the operation.
    pub sources: Vec<Source>,
    /// Its fitness.
    pub fitness: Fitness,
}

impl Extra {
    pub(crate) fn of(number: usize, plan: &Plan, fitness: Fitness) -> Self {
        let operation = recorded(&plan.operation);
        Self { number, operation, sources: plan.sources.clone(), fitness }
    }
}

/// An operation as a log has it: without given values, of which there may be millions.
fn recorded(operation: &Operation) -> Operation {
    match operation {
        Operation::Values(_) => Operation::Values(vec![]),
        other => other.clone(),
    }
}

/// Offspring that the same operation made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "MadeForm", into = "MadeForm")]
pub struct Made {
    /// The operation.
    pub operation: Operation,
    /// The sources of each, in the order of the operation.
    pub sources: Vec<Vec<Source>>,
    /// The fitness of each.
    pub fitness: Vec<Fitness>,
}

/// How it is written: recombination, eq. 12, by its mutation alone.
#[derive(Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum MadeForm {
    Recombined {
        mutation: Mutation,
        #[serde(rename = "parents")]
        sources: Vec<Vec<Source>>,
        fitness: Vec<Fitness>,
    },
    Other {
        operation: Operation,
        sources: Vec<Vec<Source>>,
        fitness: Vec<Fitness>,
    },
}

impl From<MadeForm> for Made {
    fn from(form: MadeForm) -> Self {
        match form {
            MadeForm::Recombined { mutation, sources, fitness } => {
                Self { operation: Operation::recombination(mutation), sources, fitness }
            }
            MadeForm::Other { operation, sources, fitness } => Self { operation, sources, fitness },
        }
    }
}

impl From<Made> for MadeForm {
    fn from(made: Made) -> Self {
        let Made { operation, sources, fitness } = made;
        match operation.as_recombination() {
            Some(mutation) => Self::Recombined { mutation, sources, fitness },
            None => Self::Other { operation, sources, fitness },
        }
    }
}

impl Evolved {
    pub(crate) fn of(
        population: Vec<Id>,
        offspring: &[ScoredPlan],
        extra: Vec<Extra>,
        exit: Exit,
        selected: &Selected,
    ) -> Self {
        let mut made: Vec<Made> = vec![];
        for one in offspring {
            let operation = recorded(&one.plan().operation);
            if made.last().is_none_or(|last| last.operation != operation) {
                made.push(Made { operation, sources: vec![], fitness: vec![] });
            }
            if let Some(last) = made.last_mut() {
                last.sources.push(one.plan().sources.clone());
                last.fitness.push(one.fitness());
            }
        }
        let (mu, lambda) = (population.len(), offspring.len());
        let place = |survivor: &Survivor| match *survivor {
            Survivor::Parent(rank) => rank,
            Survivor::Offspring(i) => mu + i,
            Survivor::Heir(place) => mu + lambda + place,
        };
        let survivors = selected.survivors().iter().map(place).collect();
        Self { population, made, extra, exit, survivors }
    }

    /// The fitness of all offspring, in order of their numbers.
    pub fn offspring(&self) -> impl Iterator<Item = Fitness> + '_ {
        self.made.iter().flat_map(|made| made.fitness.iter().copied())
    }
}
