//! Steps of a run on several processes: what was done here goes to the others, and what they have done comes
//! in. See [`Processes`](crate::Processes).

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::{
    Entry, Error, Esgd, Fitness, Id, Individual, Problem,
    guarantee::{Guard, IndividualRecord, MayWorsen, Origin},
    strategy::View,
    work::{Carrier, Own, Place, Said, Step, TrainedShare},
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

/// What this process has made of its jobs: `None` for those of others, or that a stop left out.
type Mine<P, T> = Result<Vec<Option<T>>, Error<<P as Problem>::Error>>;

/// Its results, or nothing and what went wrong.
fn parts<T, E>(mine: Result<Vec<Option<T>>, E>) -> (Vec<Option<T>>, Option<E>) {
    match mine {
        Ok(mine) => (mine, None),
        Err(error) => (vec![], Some(error)),
    }
}

impl<P: Problem> Esgd<'_, P> {
    /// The fitness of `n` networks, as all processes have measured it; `None` if a stop left some out.
    pub(super) fn share_fitness(
        &self,
        processes: &dyn Carrier<P>,
        step: Step,
        view: &View<'_>,
        n: usize,
        mine: Mine<P, Fitness>,
    ) -> Result<Option<Vec<Fitness>>, Error<P::Error>> {
        let (mine, error) = parts(mine);
        let said =
            self.said(step, view.parents.iter().map(|one| (one.id, one.fitness)), error.as_ref());
        let mine = mine.into_iter().enumerate().filter_map(|(i, fitness)| Some((i, fitness?)));
        let all = processes.fitness(said, mine.collect());
        // One's own error says more than that the others have heard it.
        if let Some(error) = error {
            return Err(error);
        }
        let (numbers, fitness): (Vec<_>, Vec<_>) =
            all.map_err(Error::of_share)?.into_iter().unzip();
        match numbers.into_iter().eq(0..n) {
            true => Ok(Some(fitness)),
            false if processes.stopped() => Ok(None),
            false => {
                let what =
                    "the networks that all processes have scored are not those that were planned";
                Err(Error::Processes(what.into()))
            }
        }
    }

    /// The individuals that all processes have made for the start: new ones, or those of `before` trained on.
    pub(super) fn share_start(
        &self,
        processes: &dyn Carrier<P>,
        rung: usize,
        before: &[Individual<P::Genome, P::State>],
        mine: Mine<P, Individual<P::Genome, P::State>>,
    ) -> Result<Individuals<P>, Error<P::Error>> {
        let (mut all, error) = parts(mine);
        let own = all.iter().enumerate().filter_map(|(place, one)| {
            let one = one.as_ref()?;
            let (record, theta) = (one.record(), one.scored().theta());
            Some(Own { place, record, theta, state: one.state(), moved: true })
        });
        let own = own.collect();
        let population = before.iter().map(|one| (one.id(), one.fitness()));
        let said = self.said(Step::Start(rung), population, error.as_ref());
        let others = processes.trained(said, own, &[]);
        if let Some(error) = error {
            return Err(error);
        }
        for TrainedShare { place, record, theta, state } in
            others.map_err(Error::of_share)?.individuals
        {
            let IndividualRecord { id, recipe, fitness, .. } = record;
            let new = Id { generation: 0, step: 0, index: place };
            let is_it = id == before.get(place).map_or(new, Individual::id);
            let (Some(free @ None), Some(theta), true) = (all.get_mut(place), theta, is_it) else {
                return Err(Error::Processes(format!("network {place} of the start came unasked")));
            };
            let state = state.map(|bytes| processes.read_state(&theta, &bytes));
            let state = state.transpose().map_err(Error::Problem)?;
            let scored = self.evaluator.scored(theta.into(), fitness);
            *free = Some(Individual::born(id, vec![], recipe, state, scored));
        }
        let missing = all.iter().position(Option::is_none);
        match missing {
            None => Ok(all.into_iter().flatten().collect()),
            Some(place) => {
                Err(Error::Processes(format!("no process has sent network {place} of the start")))
            }
        }
    }

    /// What this process says of a step and of the population that it begins with.
    fn said(
        &self,
        step: Step,
        population: impl Iterator<Item = (Id, Fitness)>,
        error: Option<&Error<P::Error>>,
    ) -> Said {
        let mut hasher = DefaultHasher::new();
        // What they are as a file, so that all that has a name counts.
        serde_json::to_string(self.settings).unwrap_or_default().hash(&mut hasher);
        self.evaluator.objective().to_string().hash(&mut hasher);
        for (id, fitness) in population {
            (id, fitness.get().to_bits()).hash(&mut hasher);
        }
        let place = Place { step, digest: hasher.finish() };
        Said { place, error: error.map(ToString::to_string), stop: self.interrupted() }
    }

    /// The individuals that all processes have trained. Whatever fails, no individual is lost.
    pub(super) fn share_training(
        &self,
        processes: &dyn Carrier<P>,
        step: &TrainingStep<'_, P::Genome>,
        individuals: Individuals<P>,
        error: Option<&Error<P::Error>>,
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
        let population = before.iter().map(|one| (one.id, one.fitness));
        let said = self.said(Step::Training(k), population, error);
        let is_own =
            |id| before.iter().position(|one| one.id == id).is_some_and(|i| processes.is_own(i));
        let others = match processes.trained(said, own, &guard.archived_of(k, is_own)) {
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
