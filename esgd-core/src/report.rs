//! What a run tells while it goes: scalars only. Clocks, logs and progress bars are observers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Effort, EliteMean, Fitness, Hyperparameters, Id, Individual, Numbers, Population, Problem,
    guarantee::Improvement, trace::Trace,
};

/// Someone who watches a run. Every method may be left as it is.
pub trait Observer: Sync {
    /// An individual finished an epoch. Called from the threads that train, in any order.
    fn epoch(&self, _report: &EpochReport<'_>) {}

    /// An offspring was scored. Called from the threads that score, in any order.
    fn offspring(&self, _fitness: Fitness) {}

    /// A phase is complete. Called in order.
    fn phase(&self, _report: &Report) {}

    /// The strategy ends the generations after the `k`-th, for this reason.
    fn strategy_ended(&self, _k: usize, _why: &str) {}

    /// The generations end early, after the `k`-th, as the best has not got better for so long.
    fn stagnation(&self, _k: usize, _improved: Improvement) {}
}

/// Nobody watches.
impl Observer for () {}

/// An epoch of one individual.
#[derive(Clone, Copy, Debug)]
pub struct EpochReport<'a> {
    /// The generation: 0 for a shared start, one more than the last for fine-tuning.
    pub k: usize,
    /// The epoch within it, from 1.
    pub s: usize,
    /// The individual.
    pub id: Id,
    /// What it was trained with.
    pub hyper: &'a Hyperparameters,
    /// The fitness it reached.
    pub fitness: Fitness,
    /// Whether it was taken back.
    pub backed_off: bool,
}

/// Which part of a run a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The initial population.
    Start,
    /// A generation of Algorithm 1.
    Generation,
    /// Fine-tuning after the last generation.
    FineTune,
}

/// The population at the end of a phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Which part of the run.
    pub phase: Phase,
    /// Generations completed.
    pub generation: usize,
    /// The lowest fitness there is: of the archive, or of the population.
    pub best: Fitness,
    /// J(m) of the elite that is guarded.
    pub elite_mean: Fitness,
    /// Fitness of the guarded elite, best first.
    pub elite: Vec<Fitness>,
    /// How many of the m best of the population were born in this generation (figure 2).
    pub elite_offspring: usize,
    /// m.
    pub m: usize,
    /// All individuals, best first.
    pub individuals: Vec<IndividualReport>,
    /// The parents of those born in this generation that did not survive themselves.
    #[serde(default)]
    pub departed: Vec<IndividualReport>,
    /// What was spent since the run began.
    #[serde(alias = "tally")]
    pub effort: Effort,
    /// How far apart those are that did not diverge; see [`Problem::diversity`](crate::Problem::diversity).
    #[serde(default)]
    pub diversity: Option<f64>,
    /// The numbers that the strategy remembers, where they are few.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: Numbers,
    /// Why the strategy has ended the generations, if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// What happened in the phase; nothing in logs of before it was recorded.
    #[serde(default, skip_serializing_if = "Trace::is_empty")]
    pub trace: Trace,
}

/// One individual at the end of a phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IndividualReport {
    /// Who it is.
    pub id: Id,
    /// Whom it was recombined from.
    pub parents: Vec<Id>,
    /// Its fitness.
    pub fitness: Fitness,
    /// What it was last trained with; `None` before its first SGD step.
    pub hyper: Option<Hyperparameters>,
}

/// The most numbers of one name that are reported: a covariance is in the checkpoint.
const FEW: usize = 16;

fn numbers<G, S>(population: &Population<G, S>) -> Numbers {
    let all = population.memory().map(|memory| &memory.numbers).into_iter().flatten();
    let few = all.filter(|(_, list)| list.len() <= FEW);
    few.map(|(name, list)| (name.clone(), list.clone())).collect()
}

impl IndividualReport {
    pub(crate) fn of<G, S>(one: &Individual<G, S>) -> Self {
        Self {
            id: one.id(),
            parents: one.parents().to_vec(),
            fitness: one.fitness(),
            hyper: one.hyper().cloned(),
        }
    }
}

impl Report {
    pub(crate) fn of<P: Problem>(
        population: &Population<P::Genome, P::State>,
        phase: Phase,
        m: usize,
        problem: &P,
    ) -> Self {
        let sound = population.individuals().iter().filter(|one| one.fitness().is_finite());
        let sound: Vec<_> = sound.map(|one| one.scored().theta()).collect();
        let elite = population.guarded();
        let mean = EliteMean::of(&elite, elite.len(), population.objective());
        let born_now =
            |id: Id| phase == Phase::Generation && id.generation == population.generation();
        Self {
            phase,
            generation: population.generation(),
            best: elite.first().copied().unwrap_or(Fitness::WORST),
            elite_mean: mean.value(),
            elite,
            elite_offspring: population
                .individuals()
                .iter()
                .take(m)
                .filter(|one| born_now(one.id()))
                .count(),
            m,
            individuals: population.individuals().iter().map(IndividualReport::of).collect(),
            departed: population.departed().to_vec(),
            effort: population.effort(),
            diversity: problem.diversity(&sound),
            numbers: numbers(population),
            ended: population.ended().map(str::to_owned),
            trace: population.trace().clone(),
        }
    }
}
