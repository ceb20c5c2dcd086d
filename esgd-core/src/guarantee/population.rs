//! The population Ψ: μ individuals in order of fitness, and what guards its elite.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::{
    Archive, At, Entry, Guard, Id, Improvement, Individual, ScoredPlan, Selected, Survivor,
};
use crate::{
    EliteMean, Fitness, IndividualReport, Objective,
    settings::{Settings, Way},
    strategy::Memory,
    trace::{Evolved, Trace},
};

/// What a run has spent so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effort {
    /// Epochs of SGD, kept or backed off.
    pub epochs: usize,
    /// Of these, the epochs that made the fitness worse and were taken back.
    pub backed_off: usize,
    /// Offspring that were built and scored.
    pub offspring: usize,
}

/// Which part of a run a population is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The generations of Algorithm 1.
    #[default]
    Generations,
    /// The fine-tuning after the last one.
    FineTuning,
    /// Fine-tuned: nothing is left to do.
    FineTuned,
}

/// μ individuals, best first, between two steps of the algorithm, or in the middle of an SGD step that
/// was stopped.
#[derive(Debug)]
pub struct Population<G, S> {
    pub(super) individuals: Vec<Individual<G, S>>,
    pub(super) guard: Guard<G>,
    pub(super) m: usize,
    pub(super) objective: Objective,
    pub(super) generation: usize,
    /// Evolution steps done in the generation after `generation`.
    pub(super) evolved: usize,
    pub(super) stage: Stage,
    /// Without what individuals have done in an SGD step that is not over.
    pub(super) effort: Effort,
    /// The fitness that the guarantee held for when the last generation was complete.
    pub(super) bound: Vec<Fitness>,
    /// When the best last got better in a generation.
    pub(super) improved: Improvement,
    /// The parents of those born since the last SGD step that did not survive themselves.
    pub(super) departed: Vec<IndividualReport>,
    /// What has happened since the last report.
    pub(super) trace: Trace,
    /// μ as it was at first; a strategy may let it shrink.
    pub(super) mu: usize,
    /// What the strategy remembers, after its first step.
    pub(super) memory: Option<Memory<G>>,
    /// Why the strategy has ended the generations, if it has.
    pub(super) ended: Option<String>,
}

/// What an evolution step came to.
#[derive(Debug)]
pub(crate) struct Succession<G, S> {
    pub(crate) selected: Selected,
    /// Those of the selected that were no parents, in their order.
    pub(crate) newcomers: Vec<Individual<G, S>>,
    /// What was built and scored, for an archive.
    pub(crate) scored: Vec<Entry<G>>,
    /// How many were scored.
    pub(crate) evaluations: usize,
    pub(crate) memory: Option<Memory<G>>,
    pub(crate) end: Option<String>,
    /// All of that, for an audit.
    pub(crate) evolved: Evolved,
}

impl<G, S> Population<G, S> {
    /// Ψ(0): ranks the initial individuals and sets up what will guard them.
    pub(crate) fn found(
        individuals: Vec<Individual<G, S>>,
        settings: &Settings,
        objective: Objective,
        effort: Effort,
    ) -> Self {
        let individuals = ranked(individuals);
        let guard = match (settings.guarantee.way, individuals.first()) {
            (Way::Archive, _) => {
                let mut archive = Archive::new(settings.m);
                individuals.iter().for_each(|newcomer| archive.offer(entry(newcomer)));
                Guard::Archive(Mutex::new(archive))
            }
            (Way::BackOff, Some(best)) if settings.guarantee.anchor => {
                Guard::Anchor(best.id(), best.fitness())
            }
            (Way::BackOff, _) => Guard::BackOff,
        };
        let mut founded = Self {
            individuals,
            guard,
            m: settings.m,
            objective,
            generation: 0,
            evolved: 0,
            stage: Stage::default(),
            effort,
            bound: vec![],
            improved: Improvement { generation: 0, best: Fitness::WORST },
            departed: vec![],
            trace: Trace::default(),
            mu: settings.mu,
            memory: None,
            ended: None,
        };
        founded.bound = founded.guarded();
        founded.improved.best = founded.bound[0];
        founded
    }

    /// The individuals, best first.
    #[must_use]
    pub fn individuals(&self) -> &[Individual<G, S>] {
        &self.individuals
    }

    /// Generations completed.
    #[must_use]
    pub fn generation(&self) -> usize {
        self.generation
    }

    /// Evolution steps done in the generation that is not complete yet: above 0 only after a
    /// failure between two of them.
    pub(crate) fn evolved(&self) -> usize {
        self.evolved
    }

    /// Which part of the run it is in.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Goes on to another part of the run.
    pub(crate) fn set_stage(&mut self, stage: Stage) {
        self.stage = stage;
    }

    /// What was spent so far.
    #[must_use]
    pub fn effort(&self) -> Effort {
        let mut effort = self.effort;
        for progress in self.individuals.iter().filter_map(Individual::progress) {
            effort.epochs += progress.epochs;
            effort.backed_off += progress.backed_off;
        }
        effort
    }

    /// The parents of those born since the last SGD step that did not survive themselves, best first.
    #[must_use]
    pub fn departed(&self) -> &[IndividualReport] {
        &self.departed
    }

    /// What has happened in the generation, until that is reported.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What the strategy remembers, after its first step.
    #[must_use]
    pub fn memory(&self) -> Option<&Memory<G>> {
        self.memory.as_ref()
    }

    /// Why the strategy has ended the generations, if it has.
    #[must_use]
    pub fn ended(&self) -> Option<&str> {
        self.ended.as_deref()
    }

    /// What has happened was reported.
    pub(crate) fn clear_trace(&mut self) {
        self.trace = Trace::default();
    }

    /// What fitness is measured with.
    #[must_use]
    pub fn objective(&self) -> &Objective {
        &self.objective
    }

    /// The best network there is: the archive's best, or else the population's. There is always
    /// one, since mu and m are at least 1.
    #[must_use]
    pub fn best(&self) -> Entry<G> {
        match &self.guard {
            Guard::Archive(archive) => {
                archive.lock().unwrap_or_else(PoisonError::into_inner).entries()[0].clone()
            }
            Guard::BackOff | Guard::Anchor(..) => entry(&self.individuals[0]),
        }
    }

    /// The archive's networks, best first; none where the guarantee rests on something else.
    #[must_use]
    pub fn archived(&self) -> Vec<Entry<G>> {
        self.guard.archived()
    }

    /// The fitness of the elite that is guarded, best first: of the m best of the population; of
    /// the best alone where back-off is relaxed; of the archive.
    #[must_use]
    pub fn guarded(&self) -> Vec<Fitness> {
        let best = |m| self.individuals.iter().take(m).map(Individual::fitness).collect();
        match &self.guard {
            Guard::BackOff => best(self.m),
            Guard::Anchor(..) => best(1),
            Guard::Archive(archive) => {
                let archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
                archive.entries().iter().map(|e| e.scored.fitness()).collect()
            }
        }
    }

    /// The anchor's rank, if there is an anchor.
    #[must_use]
    pub fn anchor_rank(&self) -> Option<usize> {
        match &self.guard {
            Guard::Anchor(id, _) => self.individuals.iter().position(|one| one.id() == *id),
            Guard::BackOff | Guard::Archive(_) => None,
        }
    }

    pub(crate) fn guard(&self) -> &Guard<G> {
        &self.guard
    }

    /// Takes the individuals out for the SGD step, in order of their positions: their ranks, or those
    /// that they had when a step that was stopped began.
    pub(crate) fn take_individuals(&mut self) -> Vec<Individual<G, S>> {
        self.departed.clear();
        let mut individuals = std::mem::take(&mut self.individuals);
        assign_positions(&mut individuals);
        individuals.sort_by_key(|one| one.progress().map(|progress| progress.position));
        individuals
    }

    /// Takes them in again. Each has passed through [`AfterTraining`](super::AfterTraining).
    pub(crate) fn put_back(&mut self, individuals: Vec<Individual<G, S>>) {
        self.individuals = ranked(individuals);
    }

    /// Which offspring the archive would keep, so that they are built though they may not survive; none
    /// where there is no archive.
    pub(crate) fn wanted(&self, offspring: &[ScoredPlan], k: usize, v: usize) -> Vec<usize> {
        match &self.guard {
            Guard::Archive(archive) => {
                let archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
                let rank = |i: usize| {
                    let id = Id { generation: k, step: v, index: i };
                    (offspring[i].fitness(), At::birth(k), id)
                };
                archive.wanted((0..offspring.len()).map(rank))
            }
            Guard::BackOff | Guard::Anchor(..) => vec![],
        }
    }

    /// Takes over what an evolution step came to.
    pub(crate) fn close_evolution_step(&mut self, succession: Succession<G, S>) {
        let Succession { selected, newcomers, scored, memory, end, evolved, evaluations } =
            succession;
        if let Guard::Archive(archive) = &self.guard {
            let mut archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
            scored.into_iter().for_each(|entry| archive.offer(entry));
        }
        self.close_step();
        self.effort.offspring += evaluations;
        self.trace.partial |= self.trace.evolved.len() != self.evolved;
        self.trace.evolved.push(evolved);
        let mut old: Vec<_> = std::mem::take(&mut self.individuals).into_iter().map(Some).collect();
        let kept = selected.survivors().iter().filter_map(|survivor| match *survivor {
            Survivor::Parent(rank) => old.get_mut(rank)?.take(),
            Survivor::Offspring(_) | Survivor::Heir(_) => None,
        });
        let kept: Vec<_> = kept.collect();
        let left = old.into_iter().flatten();
        let is_parent = |one: &Individual<G, S>| {
            newcomers.iter().any(|newcomer| newcomer.parents().contains(&one.id()))
        };
        self.departed.extend(left.filter(is_parent).map(|one| IndividualReport::of(&one)));
        self.individuals = ranked(kept.into_iter().chain(newcomers).collect());
        self.memory = memory;
        self.ended = self.ended.take().or(end);
        self.evolved += 1;
    }

    /// Closes generation `k`, if the guarantee holds; else names the m' for which it does not.
    ///
    /// The types make a breach impossible. That it is checked as well costs μ comparisons.
    pub(crate) fn complete(&mut self, k: usize) -> Result<(), usize> {
        let now = self.guarded();
        let bound = match &self.guard {
            Guard::Anchor(_, fitness) => vec![*fitness],
            Guard::BackOff | Guard::Archive(_) => std::mem::take(&mut self.bound),
        };
        for m in 1..=bound.len() {
            let (j, before) = (
                EliteMean::of(&now, m, &self.objective),
                EliteMean::of(&bound, m, &self.objective),
            );
            if now.len() < m || !matches!(j.partial_cmp(&before), Some(order) if order.is_le()) {
                self.bound = bound;
                return Err(m);
            }
        }
        self.close_step();
        // Fine-tuning closes the last generation again.
        if k > self.generation && now[0] < self.improved.best {
            self.improved = Improvement { generation: k, best: now[0] };
        }
        self.bound = now;
        self.generation = k;
        self.evolved = 0;
        Ok(())
    }

    /// The SGD step is over: what was done in it is counted.
    fn close_step(&mut self) {
        self.effort = self.effort();
        let recorded = |one: &Individual<G, S>| {
            one.progress().is_none_or(|progress| progress.epochs == one.epochs().len())
        };
        self.trace.partial |= !self.individuals.iter().all(recorded);
        self.trace.trained.extend(self.individuals.iter_mut().filter_map(Individual::close_step));
    }
}

fn entry<G, S>(individual: &Individual<G, S>) -> Entry<G> {
    Entry {
        scored: individual.scored().clone(),
        id: individual.id(),
        at: individual.at(),
        hyper: individual.hyper().cloned(),
    }
}

/// Gives a position to every individual that has none yet: the free ones, in order of rank. Of a step that was stopped
/// those without one have not been trained, so they rank as they did.
fn assign_positions<G, S>(individuals: &mut [Individual<G, S>]) {
    let taken: Vec<_> =
        individuals.iter().filter_map(|one| Some(one.progress()?.position)).collect();
    let mut free = (0..).filter(|position| !taken.contains(position));
    for one in individuals.iter_mut().filter(|one| one.progress().is_none()) {
        one.begin_step(free.next().unwrap_or_default());
    }
}

/// Eq. 8: ascending fitness; of equals the one that was born first.
pub(super) fn ranked<G, S>(mut individuals: Vec<Individual<G, S>>) -> Vec<Individual<G, S>> {
    individuals.sort_by_key(|one| (one.fitness(), one.id()));
    individuals
}
