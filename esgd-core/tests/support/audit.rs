//! Reads a run back from what it told, and checks it. It trusts nothing that core computes: it
//! ranks, averages and selects for itself.

use std::collections::{BTreeMap, BTreeSet};

use esgd_core::{
    Fitness, Id, Phase, Report, Settings,
    settings::{Per, Way},
};
use proptest::{prelude::*, test_runner::TestCaseError};

use super::Event;

type Verdict = Result<(), TestCaseError>;

/// The fitness of `report`'s individuals, ranked here.
pub(crate) fn ranked(report: &Report) -> Vec<Fitness> {
    sorted(report.individuals.iter().map(|one| one.fitness))
}

/// Eq. 9: J(m') must not rise, for any m' up to the length of `before`.
pub(crate) fn no_elite_mean_rises(before: &[Fitness], now: &[Fitness]) -> Verdict {
    prop_assert!(now.len() >= before.len(), "the elite has shrunk");
    for m in 1..=before.len() {
        let mean = |f: &[Fitness]| f[..m].iter().map(|f| f.get() / m as f64).sum::<f64>();
        prop_assert!(mean(now) <= mean(before), "J({m}) rose: {before:?} to {now:?}");
    }
    Ok(())
}

/// Theorem 1, its corollary and section 4.3, from the reports alone.
pub(crate) fn guarantee_holds(settings: &Settings, reports: &[Report]) -> Verdict {
    let Settings { mu, m, guarantee, .. } = settings;
    let anchor = &reports[0].individuals[0];
    for report in reports {
        let order: Vec<_> = report.individuals.iter().map(|one| (one.fitness, one.id)).collect();
        prop_assert!(order.is_sorted(), "the population is not ranked");
        let ids: BTreeSet<_> = order.iter().map(|(_, id)| id).collect();
        prop_assert_eq!((order.len(), ids.len()), (*mu, *mu), "lost or doubled");
        prop_assert!(!report.best.get().is_nan() && report.best == report.elite[0]);
        prop_assert!(report.elite.is_sorted());
        if guarantee.anchor {
            let there = report.individuals.iter().find(|one| one.id == anchor.id);
            prop_assert_eq!(there.map(|one| one.fitness), Some(anchor.fitness), "anchor changed");
            prop_assert!(ranked(report)[0] <= anchor.fitness && report.best <= anchor.fitness);
        }
    }
    for pair in reports.windows(2) {
        match guarantee.way {
            Way::Archive => {
                prop_assert_eq!(pair[1].elite.len(), *m);
                no_elite_mean_rises(&pair[0].elite, &pair[1].elite)?;
            }
            Way::BackOff if guarantee.p_backoff == 1.0 => {
                no_elite_mean_rises(&ranked(&pair[0])[..*m], &ranked(&pair[1])[..*m])?;
            }
            Way::BackOff => {}
        }
    }
    Ok(())
}

/// Back-off and selection, step by step. `events` must come from a serial run.
pub(crate) fn every_step_is_right(settings: &Settings, events: &[Event]) -> Verdict {
    // What another strategy does is read back by the auditor.
    if settings.strategy.kind != "recombination" {
        return Ok(());
    }
    let mut audit = Audit::new(settings);
    for event in events {
        match event {
            // The networks that a shared start tries are no individuals yet.
            Event::Epoch { k: 0, .. } => {}
            Event::Epoch { k, id, fitness, backed_off } => {
                audit.epoch(*k, *id, *fitness, *backed_off)?;
            }
            Event::Offspring(fitness) => audit.offspring.push(*fitness),
            Event::Phase(report) => audit.phase(report)?,
        }
    }
    Ok(())
}

struct Audit<'a> {
    settings: &'a Settings,
    /// Who is in the population, with what fitness.
    population: BTreeMap<Id, Fitness>,
    /// Scored since the last phase, in order.
    offspring: Vec<Fitness>,
    /// All that was ever scored.
    ever: Vec<Fitness>,
    /// Whether a worse epoch was taken back, by whom the draw was for.
    drawn: BTreeMap<(usize, Option<Id>), bool>,
    anchor: Option<Id>,
    spent: (usize, usize, usize),
}

impl<'a> Audit<'a> {
    fn new(settings: &'a Settings) -> Self {
        Self {
            settings,
            population: BTreeMap::new(),
            offspring: vec![],
            ever: vec![],
            drawn: BTreeMap::new(),
            anchor: None,
            spent: (0, 0, 0),
        }
    }

    fn epoch(&mut self, k: usize, id: Id, fitness: Fitness, backed_off: bool) -> Verdict {
        let Settings { guarantee, generations, .. } = self.settings;
        prop_assert!(Some(id) != self.anchor, "the anchor was trained");
        let before = self.population[&id];
        let worse = fitness > before;
        let diverged = worse && !fitness.is_finite();
        if diverged {
            prop_assert!(backed_off, "went on from what diverged");
        } else if guarantee.p_backoff < 1.0 && k <= *generations {
            prop_assert!(worse || !backed_off, "backed off though not worse");
            let whose = (guarantee.p_backoff_per == Per::Individual).then_some(id);
            if worse {
                let drawn = *self.drawn.entry((k, whose)).or_insert(backed_off);
                prop_assert_eq!(drawn, backed_off, "drawn twice in generation {}", k);
            }
        } else {
            let backs_off = guarantee.way == Way::BackOff || k > *generations;
            prop_assert_eq!(backed_off, worse && backs_off, "{:?} to {:?}", before, fitness);
        }
        if !backed_off {
            self.population.insert(id, fitness);
        }
        self.ever.push(fitness);
        self.spent.0 += 1;
        self.spent.1 += usize::from(backed_off);
        Ok(())
    }

    fn phase(&mut self, report: &Report) -> Verdict {
        let Settings { lambda, evolution_steps, rho, m, .. } = *self.settings;
        let individuals = &report.individuals;
        let mut pool = std::mem::take(&mut self.population);
        match report.phase {
            Phase::Start => {
                pool = individuals.iter().map(|one| (one.id, one.fitness)).collect();
                self.ever = pool.values().copied().collect();
                self.anchor = self.settings.guarantee.anchor.then(|| individuals[0].id);
                self.spent.0 = report.effort.epochs;
            }
            Phase::Generation => {
                prop_assert_eq!(self.offspring.len(), lambda * evolution_steps);
                let k = report.generation;
                pool.extend(self.offspring.iter().enumerate().map(|(i, &fitness)| {
                    let (step, index) = (1 + i / lambda, i % lambda);
                    (Id { generation: k, step, index }, fitness)
                }));
            }
            Phase::FineTune => prop_assert!(self.offspring.is_empty()),
        }
        self.ever.extend(&self.offspring);
        self.spent.2 += self.offspring.len();
        self.offspring.clear();

        // The m best of μ ∪ λ survive. The m best of each step are in the next one, so this holds
        // for several steps at once.
        let best = sorted(pool.values().copied());
        prop_assert_eq!(&ranked(report)[..m], &best[..m], "the m best did not survive");
        for one in individuals {
            prop_assert_eq!(pool.get(&one.id), Some(&one.fitness), "{} is not of the pool", one.id);
            let newborn = one.id.generation == report.generation && report.phase != Phase::Start;
            if newborn && one.id.generation > 0 {
                prop_assert_eq!(one.parents.len(), rho);
            }
            if newborn && report.phase == Phase::Generation {
                let there = |id: &Id| pool.contains_key(id) && *id < one.id;
                prop_assert!(one.parents.iter().all(there), "{} has strange parents", one.id);
            }
        }
        if self.settings.guarantee.way == Way::Archive {
            let best_ever = sorted(self.ever.iter().copied());
            prop_assert_eq!(&report.elite[..], &best_ever[..m], "not the m best ever scored");
        }
        let effort = report.effort;
        prop_assert_eq!((effort.epochs, effort.backed_off, effort.offspring), self.spent);
        self.population = individuals.iter().map(|one| (one.id, one.fitness)).collect();
        Ok(())
    }
}

fn sorted(fitness: impl Iterator<Item = Fitness>) -> Vec<Fitness> {
    let mut fitness: Vec<_> = fitness.collect();
    fitness.sort_by(|a, b| a.get().total_cmp(&b.get()));
    fitness
}
