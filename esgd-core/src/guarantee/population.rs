//! The population Ψ: μ individuals in order of fitness, and what guards its elite.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::{Archive, Entry, Id, Individual, License, Scored};
use crate::{
    EliteMean, Fitness, Hyper, Yardstick,
    settings::{Settings, SettingsError, Way},
};

/// What a run has spent so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Epochs of SGD, kept or backed off.
    pub epochs: usize,
    /// Of these, the epochs that made the fitness worse and were taken back.
    pub backed_off: usize,
    /// Offspring that were built and scored.
    pub offspring: usize,
}

/// What the guarantee rests on.
#[derive(Debug)]
pub(crate) enum Guard<G> {
    /// Every survivor of the SGD step is [`NotWorse`](super::NotWorse).
    BackOff,
    /// An individual that is always in the population and never changed.
    Anchor(Id, Fitness),
    /// The m best ever scored. The lock is for individuals that train at the same time.
    Archive(Mutex<Archive<G>>),
}

/// μ individuals, best first, between two steps of the algorithm.
#[derive(Debug)]
pub struct Population<G, S> {
    individuals: Vec<Individual<G, S>>,
    guard: Guard<G>,
    m: usize,
    yardstick: Yardstick,
    generation: usize,
    /// Evolution steps done in the generation after `generation`.
    evolved: usize,
    tally: Tally,
    /// The fitness that the guarantee held for when the last generation was complete.
    record: Vec<Fitness>,
}

impl<G, S> Population<G, S> {
    /// Ψ(0): ranks the initial individuals and sets up what will guard them.
    pub(crate) fn found(
        individuals: Vec<Individual<G, S>>,
        settings: &Settings,
        yardstick: Yardstick,
        tally: Tally,
    ) -> Self {
        let individuals = ranked(individuals);
        let guard = match (settings.guarantee.way, individuals.first()) {
            (Way::Archive, _) => {
                let mut archive = Archive::new(settings.m);
                individuals.iter().for_each(|newcomer| archive.offer(entry(newcomer, (0, 0))));
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
            yardstick,
            generation: 0,
            evolved: 0,
            tally,
            record: vec![],
        };
        founded.record = founded.guarded();
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

    /// What was spent so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// What fitness is measured with.
    #[must_use]
    pub fn yardstick(&self) -> &Yardstick {
        &self.yardstick
    }

    /// The best network there is: the archive's best, or else the population's. There is always
    /// one, since mu and m are at least 1.
    #[must_use]
    pub fn best(&self) -> Entry<G> {
        match &self.guard {
            Guard::Archive(archive) => {
                let archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
                let best = &archive.entries()[0];
                Entry { scored: best.scored.clone(), hyper: best.hyper.clone(), ..*best }
            }
            Guard::BackOff | Guard::Anchor(..) => entry(&self.individuals[0], (self.generation, 0)),
        }
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

    /// Whether the settings are those that the guarantee was founded on: μ, m and the way.
    pub(crate) fn founded_on(&self, settings: &Settings) -> Result<(), SettingsError> {
        let Settings { mu, m, ref guarantee, .. } = *settings;
        let refuse = |what: String| {
            Err(SettingsError(format!(
                "{what}: a run goes on with the mu, m and guarantee that it began with"
            )))
        };
        if mu != self.individuals.len() {
            return refuse(format!("mu = {mu} and the population has {}", self.individuals.len()));
        }
        if m != self.m {
            return refuse(format!("m = {m} and the population guards its best {}", self.m));
        }
        match (&self.guard, guarantee.way, guarantee.anchor) {
            (Guard::Archive(_), Way::Archive, _)
            | (Guard::BackOff, Way::BackOff, false)
            | (Guard::Anchor(..), Way::BackOff, true) => Ok(()),
            _ => refuse("the guarantee is another".into()),
        }
    }

    pub(crate) fn guard(&self) -> &Guard<G> {
        &self.guard
    }

    pub(crate) fn tally_mut(&mut self) -> &mut Tally {
        &mut self.tally
    }

    /// Takes the individuals out for the SGD step.
    pub(crate) fn depart(&mut self) -> Vec<Individual<G, S>> {
        std::mem::take(&mut self.individuals)
    }

    /// Takes them in again. Each has passed through [`Seat`](super::Seat).
    pub(crate) fn settle(&mut self, individuals: Vec<Individual<G, S>>) {
        self.individuals = ranked(individuals);
    }

    /// The survivors of an evolution step, of which `newcomers` begins with those just born.
    pub(crate) fn succeed(&mut self, parents: &[usize], newcomers: Vec<Individual<G, S>>) {
        if let Guard::Archive(archive) = &self.guard {
            let mut archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
            for newcomer in &newcomers {
                archive.offer(entry(newcomer, (newcomer.id().generation, 0)));
            }
        }
        let mut old: Vec<_> = std::mem::take(&mut self.individuals).into_iter().map(Some).collect();
        let kept = parents.iter().filter_map(|&rank| old.get_mut(rank)?.take());
        let next = kept.chain(newcomers).collect();
        self.individuals = ranked(next);
        self.evolved += 1;
    }

    /// Closes generation `k`, if the guarantee holds; else names the m' for which it does not.
    ///
    /// The types make a breach impossible. That it is checked as well costs μ comparisons.
    pub(crate) fn complete(&mut self, k: usize) -> Result<(), usize> {
        let now = self.guarded();
        let bound = match &self.guard {
            Guard::Anchor(_, fitness) => vec![*fitness],
            Guard::BackOff | Guard::Archive(_) => std::mem::take(&mut self.record),
        };
        for m in 1..=bound.len() {
            let (j, before) = (
                EliteMean::of(&now, m, &self.yardstick),
                EliteMean::of(&bound, m, &self.yardstick),
            );
            if now.len() < m || !matches!(j.partial_cmp(&before), Some(order) if order.is_le()) {
                self.record = bound;
                return Err(m);
            }
        }
        self.record = now;
        self.generation = k;
        self.evolved = 0;
        Ok(())
    }
}

impl<G> Guard<G> {
    /// Permission to let individuals get worse, if the guarantee rests on something else.
    pub(crate) fn license(&self) -> Option<License> {
        match self {
            Self::BackOff => None,
            Self::Anchor(..) | Self::Archive(_) => Some(License::given()),
        }
    }

    /// Whether this individual may not be touched.
    pub(crate) fn is_anchor(&self, id: Id) -> bool {
        matches!(self, Self::Anchor(anchor, _) if *anchor == id)
    }

    /// Shows the archive, if there is one, what was just scored.
    pub(crate) fn witness(&self, scored: &Scored<G>, id: Id, at: (usize, usize), hyper: &Hyper) {
        if let Self::Archive(archive) = self {
            let mut archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
            if archive.wants(scored.fitness()) {
                let hyper = Some(hyper.clone());
                archive.offer(Entry { scored: scored.clone(), id, at, hyper });
            }
        }
    }
}

fn entry<G, S>(individual: &Individual<G, S>, at: (usize, usize)) -> Entry<G> {
    Entry {
        scored: individual.scored().clone(),
        id: individual.id(),
        at,
        hyper: individual.hyper().cloned(),
    }
}

/// Eq. 8: ascending fitness; of equals the one that was born first.
fn ranked<G, S>(mut individuals: Vec<Individual<G, S>>) -> Vec<Individual<G, S>> {
    individuals.sort_by_key(|one| (one.fitness(), one.id()));
    individuals
}
