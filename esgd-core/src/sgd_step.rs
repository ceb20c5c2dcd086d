//! The SGD step of Algorithm 1: for j = 1 … μ, in parallel, pick an optimizer π_j and train for
//! K_s epochs, backing off when the fitness degrades. Also the fine-tuning of section 4.1.

use crate::{
    EpochReport, Error, Esgd, Failure, Hyper, Individual, NotWorse, Problem, Recipe, Scored,
    algorithm1::{Psi, Step},
    executor,
    guarantee::{Brood, Guard, License, Resident, Seat},
    rng::{Key, Purpose},
    settings::{Per, RecipePolicy},
};

/// An individual's part of the step: who it is, and what it trains with for how long.
struct Turn<'a> {
    k: usize,
    j: usize,
    epochs: usize,
    hyper: &'a Hyper,
    /// `None` where it must back off.
    license: Option<License>,
}

/// What an individual's turn came to; the tally, and an error that stopped it.
struct Played<G, S, E: std::error::Error> {
    individual: Individual<G, S>,
    epochs: usize,
    backed_off: usize,
    error: Option<Error<E>>,
}

/// What an epoch makes: a scored candidate and the optimizer's state after it.
type Candidate<P> = (Scored<<P as Problem>::Genome>, <P as Problem>::State);

type Of<P> = Played<<P as Problem>::Genome, <P as Problem>::State, <P as Problem>::Error>;

impl<P: Problem> Esgd<'_, P> {
    /// The SGD step of generation `k`.
    pub(crate) fn sgd_step(&self, psi: Psi<P>, k: usize, epochs: usize) -> Step<P> {
        self.train(psi, k, epochs, true, |resident, key| self.recipe(resident, key))
    }

    /// Some epochs with a small learning rate, backed off as well (section 4.1).
    pub(crate) fn fine_tune(&self, psi: Psi<P>) -> Step<P> {
        let tune = &self.settings.fine_tune;
        let k = self.settings.generations + 1;
        self.train(psi, k, tune.epochs, false, |resident, key| {
            let mut rng = key.stream();
            let recipe = resident.recipe.clone();
            let recipe = recipe.unwrap_or_else(|| self.settings.optimizers.draw(&mut rng));
            (recipe.with("lr", &tune.lr, &mut rng), None)
        })
    }

    fn train(
        &self,
        mut psi: Psi<P>,
        k: usize,
        epochs: usize,
        may_loosen: bool,
        recipe: impl Fn(&Resident<P::State>, Key) -> (Recipe, Option<P::State>) + Sync,
    ) -> Step<P> {
        let individuals = psi.depart();
        let guard = psi.guard();
        let played = executor::map(self.executor, individuals, |j, individual| {
            let (mut resident, theta) = individual.depart();
            if guard.is_anchor(resident.id) || self.stopped() {
                return untouched(resident, theta);
            }
            let key = Key::new(self.settings.seed, Purpose::Recipe).generation(k).individual(j);
            let (recipe, state) = recipe(&resident, key);
            let hyper = recipe.at(k, self.settings.generations);
            resident.recipe = Some(recipe);
            resident.hyper = Some(hyper.clone());
            let license = if may_loosen { self.license(guard, k, j) } else { None };
            self.play(&Turn { k, j, epochs, hyper: &hyper, license }, resident, theta, state, guard)
        });
        let mut error = None;
        let individuals = played
            .into_iter()
            .map(|turn| {
                psi.tally_mut().epochs += turn.epochs;
                psi.tally_mut().backed_off += turn.backed_off;
                error = error.take().or(turn.error);
                turn.individual
            })
            .collect();
        psi.settle(individuals);
        match error {
            None => Ok(psi),
            Some(error) => Err(Box::new(Failure { error, population: Some(psi) })),
        }
    }

    /// K_s epochs of one individual.
    fn play(
        &self,
        turn: &Turn<'_>,
        mut resident: Resident<P::State>,
        mut held: NotWorse<P::Genome>,
        state: Option<P::State>,
        guard: &Guard<P::Genome>,
    ) -> Of<P> {
        let (mut epochs, mut backed_off) = (0, 0);
        let mut loose = None;
        let mut error = None;
        resident.state = state;
        for s in 1..=turn.epochs {
            if self.stopped() {
                break;
            }
            let from = loose.as_ref().unwrap_or(held.scored());
            let (candidate, state) =
                match self.epoch(turn, s, from.theta(), resident.state.as_ref()) {
                    Ok(trained) => trained,
                    Err(stopped_by) => {
                        error = Some(stopped_by);
                        break;
                    }
                };
            guard.witness(&candidate, resident.id, (turn.k, s), turn.hyper);
            let fitness = candidate.fitness();
            let mut back = false;
            if turn.license.is_some() {
                loose = Some(candidate);
            } else {
                (held, back) = held.back_off(candidate);
            }
            // θ and the optimizer's state return together.
            if !back {
                resident.state = Some(state);
            }
            epochs += 1;
            backed_off += usize::from(back);
            let (k, id, hyper) = (turn.k, resident.id, turn.hyper);
            self.observer.epoch(&EpochReport { k, s, id, hyper, fitness, backed_off: back });
        }
        let seat = match (loose, turn.license) {
            (Some(scored), Some(license)) => Seat::Loose(scored, license),
            _ => Seat::Held(held),
        };
        Played { individual: resident.settle(seat), epochs, backed_off, error }
    }

    /// One epoch from `theta`, which stays as it is, and the score of what came out.
    fn epoch(
        &self,
        turn: &Turn<'_>,
        s: usize,
        theta: &P::Genome,
        state: Option<&P::State>,
    ) -> Result<Candidate<P>, Error<P::Error>> {
        let problem = self.judge.problem();
        let mut brood = Brood::new(problem.fork(theta).map_err(Error::Problem)?);
        let mut state = match state {
            Some(state) => state.clone(),
            None => problem.state(theta, turn.hyper).map_err(Error::Problem)?,
        };
        let key = Key::new(self.settings.seed, Purpose::Train)
            .generation(turn.k)
            .step(s)
            .individual(turn.j);
        problem.epoch(brood.theta_mut(), &mut state, turn.hyper, key).map_err(Error::Problem)?;
        Ok((self.judge.score(brood)?, state))
    }

    /// The recipe of an individual for a generation, and the optimizer state that goes with it:
    /// fresh whenever the recipe is new.
    fn recipe(&self, resident: &Resident<P::State>, key: Key) -> (Recipe, Option<P::State>) {
        match (self.settings.recipes.policy, &resident.recipe) {
            (RecipePolicy::Keep | RecipePolicy::Inherit, Some(recipe)) => {
                (recipe.clone(), resident.state.clone())
            }
            _ => (self.settings.optimizers.draw(&mut key.stream()), None),
        }
    }

    /// Whether individual `j` is free of back-off in generation `k` (section 4.3).
    fn license(&self, guard: &Guard<P::Genome>, k: usize, j: usize) -> Option<License> {
        let license = guard.license()?;
        if matches!(guard, Guard::Archive(_)) {
            return Some(license);
        }
        let drawn_for = match self.settings.guarantee.p_backoff_per {
            Per::Individual => j + 1,
            Per::Generation => 0,
        };
        let key =
            Key::new(self.settings.seed, Purpose::BackOff).generation(k).individual(drawn_for);
        (key.stream().unit() >= self.settings.guarantee.p_backoff).then_some(license)
    }
}

fn untouched<G, S, E: std::error::Error>(
    resident: Resident<S>,
    theta: NotWorse<G>,
) -> Played<G, S, E> {
    let individual = resident.settle(Seat::Held(theta));
    Played { individual, epochs: 0, backed_off: 0, error: None }
}
