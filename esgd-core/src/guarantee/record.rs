//! A population without its networks: what a checkpoint writes down beside them, and how a population is
//! made of both again.
//!
//! A fitness is not measured again, so whoever restores a population must know that a record and its
//! networks are as they were written. What can be checked without networks is checked here.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, Mutex},
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    Archive, At, Effort, Entry, Guard, Id, Improvement, Individual, IndividualMeta, Population,
    Progress, Scored, Stage, population::ranked,
};
use crate::{
    EliteMean, Fitness, Hyperparameters, IndividualReport, Objective, Recipe, Slot,
    strategy::{Memory, Numbers},
    trace::Trace,
};

/// The name of a network: whose it is, the generation and epoch in which it was scored, and its fitness. A
/// run that goes on from the middle of a step under other settings may pass the same epoch with another.
///
/// Written `g3.1#17@4.2=0.125`: that of the individual `g3.1#17` after epoch 2 of generation 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The individual.
    pub id: Id,
    /// Generation and epoch; epoch 0 at birth.
    pub at: At,
    /// f(θ).
    pub fitness: Fitness,
}

impl Hash for Origin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Those that differ in fitness alone are few.
        (self.id, self.at).hash(state);
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}={}", self.id, self.at, self.fitness.get())
    }
}

/// What a population knows of an individual, without θ and its optimizer's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndividualRecord {
    /// Who it is.
    pub id: Id,
    /// The generation and epoch in which θ was scored.
    pub at: At,
    /// f(θ).
    pub fitness: Fitness,
    /// Whom it was recombined from.
    pub parents: Vec<Id>,
    /// The recipe that it drew, kept or inherited.
    pub recipe: Option<Recipe>,
    /// The hyper-parameters of its last SGD step.
    pub hyper: Option<Hyperparameters>,
    /// Whether its optimizer remembers something.
    pub state: bool,
    /// How far it is in an SGD step that is not over.
    pub progress: Option<Progress>,
    /// What each epoch of that reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub epochs: Vec<Fitness>,
}

/// What an archive knows of a network, without θ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryRecord {
    /// The individual it was.
    pub id: Id,
    /// When it was scored.
    pub at: At,
    /// f(θ).
    pub fitness: Fitness,
    /// What it had been trained with.
    pub hyper: Option<Hyperparameters>,
}

/// What the guarantee rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum GuardRecord {
    /// Strict back-off.
    BackOff,
    /// An anchor: who it is, and its fitness.
    Anchor(Id, Fitness),
    /// The best ever scored.
    Archive(Vec<EntryRecord>),
}

/// A population without its networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PopulationRecord {
    /// m.
    pub m: usize,
    /// What fitness was measured with.
    #[serde(alias = "yardstick")]
    pub objective: Objective,
    /// Generations completed.
    pub generation: usize,
    /// Evolution steps done in the generation after that.
    pub evolved: usize,
    /// Which part of the run it is in.
    pub stage: Stage,
    /// What was spent, but for the progress of individuals.
    #[serde(alias = "tally")]
    pub effort: Effort,
    /// The fitness that the guarantee held for when the last generation was complete.
    #[serde(alias = "record")]
    pub bound: Vec<Fitness>,
    /// When the best last got better in a generation; in a record that does not say, in the last one.
    #[serde(default)]
    pub improved: Option<Improvement>,
    /// What the guarantee rests on.
    pub guard: GuardRecord,
    /// The individuals, best first.
    pub individuals: Vec<IndividualRecord>,
    /// Parents that did not survive; see [`Population::departed`].
    #[serde(default)]
    pub departed: Vec<IndividualReport>,
    /// What has happened in a generation that is not complete.
    #[serde(default)]
    pub trace: Trace,
    /// μ as it was at first; in a record that does not say, as it is.
    #[serde(default)]
    pub mu: Option<usize>,
    /// What the strategy remembers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryRecord>,
    /// Why the strategy has ended the generations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
}

/// What a strategy remembers, without the networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryRecord {
    /// Whose memory it is.
    pub strategy: String,
    /// The numbers.
    pub numbers: Numbers,
    /// The names of the networks.
    pub networks: Vec<Slot>,
}

/// Why a population cannot be made of a record.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct RecordError(String);

impl IndividualRecord {
    /// The name of its network.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin { id: self.id, at: self.at, fitness: self.fitness }
    }
}

impl EntryRecord {
    /// The name of its network.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin { id: self.id, at: self.at, fitness: self.fitness }
    }
}

impl<G> Entry<G> {
    /// The name of its network.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin { id: self.id, at: self.at, fitness: self.scored.fitness() }
    }

    /// It without θ.
    #[must_use]
    pub fn record(&self) -> EntryRecord {
        let (fitness, hyper) = (self.scored.fitness(), self.hyper.clone());
        EntryRecord { id: self.id, at: self.at, fitness, hyper }
    }
}

impl<G, S> Individual<G, S> {
    /// The name of its network.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin { id: self.id(), at: self.at(), fitness: self.fitness() }
    }

    /// It without θ and its optimizer's state.
    #[must_use]
    pub fn record(&self) -> IndividualRecord {
        IndividualRecord {
            id: self.id(),
            at: self.at(),
            fitness: self.fitness(),
            parents: self.parents().to_vec(),
            recipe: self.recipe().cloned(),
            hyper: self.hyper().cloned(),
            state: self.state().is_some(),
            progress: self.progress(),
            epochs: self.epochs().to_vec(),
        }
    }
}

impl<G, S> Population<G, S> {
    /// The population without its networks.
    #[must_use]
    pub fn record(&self) -> PopulationRecord {
        PopulationRecord {
            m: self.m,
            objective: self.objective.clone(),
            generation: self.generation,
            evolved: self.evolved,
            stage: self.stage,
            effort: self.effort,
            bound: self.bound.clone(),
            improved: Some(self.improved),
            guard: match &self.guard {
                Guard::BackOff => GuardRecord::BackOff,
                Guard::Anchor(id, fitness) => GuardRecord::Anchor(*id, *fitness),
                Guard::Archive(_) => {
                    GuardRecord::Archive(self.archived().iter().map(Entry::record).collect())
                }
            },
            individuals: self.individuals.iter().map(Individual::record).collect(),
            departed: self.departed.clone(),
            trace: self.trace.clone(),
            mu: Some(self.mu),
            memory: self.memory.as_ref().map(|memory| MemoryRecord {
                strategy: memory.strategy.clone(),
                numbers: memory.numbers.clone(),
                networks: memory.networks.keys().cloned().collect(),
            }),
            ended: self.ended.clone(),
        }
    }

    /// Makes a population of a record, its networks, its optimizers' states and the networks that its strategy
    /// remembers. What has the same origin is loaded once and shared, and `theta` may share more.
    ///
    /// # Errors
    /// What `theta`, `state` or `memory` say; or if the record contradicts itself, or breaks the guarantee.
    pub fn restore<E: From<RecordError>>(
        record: PopulationRecord,
        mut theta: impl FnMut(Origin) -> Result<Arc<G>, E>,
        mut state: impl FnMut(Id) -> Result<S, E>,
        mut memory: impl FnMut(&Slot) -> Result<Arc<G>, E>,
    ) -> Result<Self, E> {
        check(&record)?;
        let PopulationRecord { m, objective, generation, evolved, stage, effort, .. } = record;
        let (bound, departed, trace) = (record.bound, record.departed, record.trace);
        let mut loaded: HashMap<Origin, Scored<G>> = HashMap::new();
        let mut scored = |origin: Origin| -> Result<Scored<G>, E> {
            if let Some(scored) = loaded.get(&origin) {
                return Ok(scored.clone());
            }
            let scored = Scored::restored(theta(origin)?, origin.fitness, objective.clone());
            loaded.insert(origin, scored.clone());
            Ok(scored)
        };
        let mut individuals = vec![];
        for one in record.individuals {
            let IndividualRecord { id, at, parents, recipe, hyper, progress, epochs, .. } = one;
            let scored = scored(Origin { id, at, fitness: one.fitness })?;
            let state = if one.state { Some(state(id)?) } else { None };
            let meta = IndividualMeta { id, parents, recipe, hyper, state, at, progress, epochs };
            individuals.push(Individual::restored(meta, scored));
        }
        let guard = match record.guard {
            GuardRecord::BackOff => Guard::BackOff,
            GuardRecord::Anchor(id, fitness) => Guard::Anchor(id, fitness),
            GuardRecord::Archive(entries) => {
                let mut archive = Archive::new(m);
                for EntryRecord { id, at, fitness, hyper } in entries {
                    let scored = scored(Origin { id, at, fitness })?;
                    archive.offer(Entry { scored, id, at, hyper });
                }
                Guard::Archive(Mutex::new(archive))
            }
        };
        let individuals = ranked(individuals);
        let memory = match record.memory {
            None => None,
            Some(MemoryRecord { strategy, numbers, networks }) => {
                let load = |slot: Slot| Ok((slot.clone(), memory(&slot)?));
                let networks = networks.into_iter().map(load).collect::<Result<_, E>>()?;
                Some(Memory { strategy, numbers, networks })
            }
        };
        let mu = record.mu.unwrap_or(individuals.len());
        let improved = record.improved.unwrap_or(Improvement { generation, best: bound[0] });
        Ok(Self {
            individuals,
            guard,
            m,
            objective,
            generation,
            evolved,
            stage,
            effort,
            bound,
            improved,
            departed,
            trace,
            mu,
            memory,
            ended: record.ended,
        })
    }
}

fn wrong(what: String) -> RecordError {
    RecordError(what)
}

/// What must be true of every record.
fn check(record: &PopulationRecord) -> Result<(), RecordError> {
    let PopulationRecord { m, objective, bound, guard, individuals, .. } = record;
    let (m, mu) = (*m, individuals.len());
    let refuse = |what: &str| Err(wrong(what.to_owned()));
    if mu == 0 || m == 0 || m > mu {
        return Err(wrong(format!("a population of {mu} cannot guard its best {m}")));
    }
    if record.mu.is_some_and(|first| first < mu) {
        return refuse("it has more individuals than it had at first");
    }
    if individuals.iter().map(|one| one.id).collect::<HashSet<_>>().len() < mu {
        return refuse("two individuals have the same name");
    }
    let positions: Vec<_> =
        individuals.iter().filter_map(|one| Some(one.progress?.position)).collect();
    if positions.iter().collect::<HashSet<_>>().len() < positions.len()
        || positions.iter().any(|position| *position >= mu)
    {
        return refuse("two individuals have the same position, or one has none in the population");
    }
    if individuals.iter().any(|one| {
        one.progress.is_some_and(|p| p.backed_off > p.epochs || p.epochs > 0 && one.hyper.is_none())
    }) {
        return refuse("an individual has trained without hyper-parameters");
    }
    if record.improved.is_some_and(|improved| improved.generation > record.generation) {
        return refuse("the best got better in a generation that is not complete");
    }
    let mut fitness: Vec<_> = individuals.iter().map(|one| one.fitness).collect();
    fitness.sort();
    let guarded: Vec<_> = match guard {
        GuardRecord::BackOff => fitness.into_iter().take(m).collect(),
        GuardRecord::Anchor(id, fitness) => {
            if !individuals.iter().any(|one| one.id == *id && one.fitness == *fitness) {
                return refuse("the anchor is not in the population, or has another fitness");
            }
            if bound.len() != 1 || bound[0] > *fitness {
                return refuse("the bound is not that of the anchor");
            }
            return Ok(());
        }
        GuardRecord::Archive(entries) => {
            if entries.is_empty() || entries.len() > m {
                return Err(wrong(format!("an archive of {m} has {} networks", entries.len())));
            }
            entries.iter().map(|entry| entry.fitness).collect()
        }
    };
    if !guarded.is_sorted() {
        return refuse("the archive is not in order of fitness");
    }
    if guarded.len() < bound.len() || bound.is_empty() {
        return refuse("the guarantee was for more networks than there are");
    }
    for m in 1..=bound.len() {
        let mean = |of: &[Fitness]| EliteMean::of(of, m, objective).value();
        if mean(&guarded) > mean(bound) {
            return Err(wrong(format!("the mean fitness of the best {m} is above its bound")));
        }
    }
    Ok(())
}
