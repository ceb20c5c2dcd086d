//! What happened in a generation, so that it can be audited: the fitness after each epoch of each individual,
//! and of every offspring how it was made, of whom, and its fitness.

use serde::{Deserialize, Serialize};

use crate::{Fitness, Id, Mutation, Operation, Source, guarantee::ScoredPlan};

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
    /// Who survived, the m best first: of the population 0 to μ − 1, of the offspring μ to μ + λ − 1.
    pub survivors: Vec<usize>,
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
    pub(crate) fn of(population: Vec<Id>, offspring: &[ScoredPlan], survivors: Vec<usize>) -> Self {
        let mut made: Vec<Made> = vec![];
        for one in offspring {
            let plan = one.plan();
            if made.last().is_none_or(|last| last.operation != plan.operation) {
                let operation = plan.operation.clone();
                made.push(Made { operation, sources: vec![], fitness: vec![] });
            }
            if let Some(last) = made.last_mut() {
                last.sources.push(plan.sources.clone());
                last.fitness.push(one.fitness());
            }
        }
        Self { population, made, survivors }
    }

    /// The fitness of all offspring, in order of their numbers.
    pub fn offspring(&self) -> impl Iterator<Item = Fitness> + '_ {
        self.made.iter().flat_map(|made| made.fitness.iter().copied())
    }
}
