//! Steps of a run on several processes: what was done here goes to the others, and what they have done comes
//! in. See [`Processes`](crate::Processes).

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::{
    Entry, Error, Esgd, Fitness, Id, Individual, Plan, Problem,
    guarantee::{Guard, MayWorsen, Origin, ScoredPlan},
    strategy::View,
    work::{Carrier, Own, Said, TrainedShare},
};

/// An SGD step, as it began here.
pub(super) struct TrainingStep<'a, G> {
    pub(super) k: usize,
    /// The individuals, in order of their positions.
    pub(super) before: &'a [Origin],
    pub(super) guard: &'a Guard<G>,
    /// Whether the individual of a position may get worse.
    pub(super) permit: &'a dyn Fn(usize) -> Option<MayWorsen>,
}

type Individuals<P> = Vec<Individual<<P as Problem>::Genome, <P as Problem>::State>>;

/// Offspring of this process: `None` for those of others, or that a stop left out.
type Scored<P> = Result<Vec<Option<ScoredPlan>>, Error<<P as Problem>::Error>>;

impl<P: Problem> Esgd<'_, P> {
    /// The offspring of all processes; `None` if one of them was stopped.
    pub(super) fn share_offspring(
        &self,
        processes: &dyn Carrier<P>,
        plans: Vec<Plan>,
        scored: Scored<P>,
        view: &View<'_>,
    ) -> Result<Option<Vec<ScoredPlan>>, Error<P::Error>> {
        let (error, mine) = match scored {
            Ok(mine) => (None, mine),
            Err(error) => (Some(error), vec![]),
        };
        let fitness = mine.iter().enumerate();
        let results = fitness.filter_map(|(i, one)| Some((i, one.as_ref()?.fitness()))).collect();
        let said = error.as_ref().map(ToString::to_string);
        let parents = view.parents.iter().map(|one| (one.id, one.fitness));
        let digest = self.digest(parents);
        let said = Said { digest, error: said, stop: self.interrupted() };
        let all = processes.offspring(view.k, view.v, said, results);
        // One's own error says more than that the others have heard it.
        if let Some(error) = error {
            return Err(error);
        }
        let all = all.map_err(Error::of_share)?;
        if all.stop {
            return Ok(None);
        }
        if !all.fitness.iter().map(|one| one.0).eq(0..plans.len()) {
            let what = "the offspring of all processes are not those that were planned";
            return Err(Error::Processes(what.into()));
        }
        let all = plans.into_iter().zip(all.fitness);
        Ok(Some(all.map(|(plan, (_, fitness))| ScoredPlan::returned(plan, fitness)).collect()))
    }

    /// A digest of the settings and of who is in the population with which fitness.
    fn digest(&self, population: impl Iterator<Item = (Id, Fitness)>) -> u64 {
        let mut hasher = DefaultHasher::new();
        // What they are as a file, so that all that has a name counts.
        serde_json::to_string(self.settings).unwrap_or_default().hash(&mut hasher);
        for (id, fitness) in population {
            (id, fitness.get().to_bits()).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// The individuals that all processes have trained. Whatever fails, no individual is lost.
    pub(super) fn share_training(
        &self,
        processes: &dyn Carrier<P>,
        step: &TrainingStep<'_, P::Genome>,
        individuals: Individuals<P>,
        error: Option<String>,
    ) -> (Individuals<P>, Option<Error<P::Error>>) {
        let &TrainingStep { k, before, guard, permit } = step;
        let own = individuals.iter().enumerate().filter(|(i, _)| processes.is_own(*i));
        let own = own.map(|(place, one)| Own {
            place,
            record: one.record(),
            theta: one.scored().theta(),
            state: one.state(),
            moved: one.origin() != before[place],
        });
        let own = own.collect();
        let digest = self.digest(before.iter().map(|one| (one.id, one.fitness)));
        let said = Said { digest, error, stop: self.interrupted() };
        let is_own =
            |id| before.iter().position(|one| one.id == id).is_some_and(|i| processes.is_own(i));
        let others = match processes.trained(k, said, own, &guard.archived_of(k, is_own)) {
            Ok(others) => others,
            Err(error) => return (individuals, Some(Error::of_share(error))),
        };
        let objective = self.evaluator.objective();
        for (record, theta) in others.entries {
            guard.offer_returned(Entry::returned(record, theta, objective));
        }
        let mut missing: BTreeSet<usize> =
            (0..individuals.len()).filter(|i| !processes.is_own(*i)).collect();
        let mut refused = None;
        let mut individuals: Vec<_> = individuals.into_iter().map(Some).collect();
        for TrainedShare { place, record, theta, state } in others.individuals {
            // One that was not awaited, or comes twice, is none of this step.
            if !missing.remove(&place) {
                refused.get_or_insert(Error::Processes(format!("individual {place} came unasked")));
                continue;
            }
            let Some(one) = individuals.get_mut(place).and_then(Option::take) else { continue };
            let of = theta.as_ref().unwrap_or(one.scored().theta());
            let state = state.map(|bytes| processes.read_state(of, &bytes)).transpose();
            let position = one.progress().unwrap_or_default().position;
            let one = match state {
                Ok(state) => {
                    let (one, agrees) = one.returned(record, theta, state, permit(position));
                    if !agrees {
                        let what = format!(
                            "another process has trained {} to what it cannot be",
                            one.id()
                        );
                        refused.get_or_insert(Error::Processes(what));
                    }
                    one
                }
                Err(error) => {
                    refused.get_or_insert(Error::Problem(error));
                    one
                }
            };
            individuals[place] = Some(one);
        }
        if let Some(place) = missing.first() {
            let what = format!("no process has sent individual {place}");
            refused.get_or_insert(Error::Processes(what));
        }
        (individuals.into_iter().flatten().collect(), refused)
    }
}
