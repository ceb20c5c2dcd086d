//! The SGD step of Algorithm 1: for j = 1 … μ, in parallel, pick an optimizer π_j and train for
//! K_s epochs, backing off when the fitness degrades. Also the fine-tuning of section 4.1.

use crate::{
    EpochReport, Error, Esgd, Failure, Hyper, Individual, NotWorse, Problem, Range, Recipe, Scored,
    algorithm1::{Psi, Step},
    executor,
    guarantee::{Brood, Guard, License, Resident, Seat},
    rng::{Key, Philox, Purpose},
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
        self.train(psi, k, epochs, None)
    }

    /// Some epochs with a small learning rate, backed off as well (section 4.1).
    pub(crate) fn fine_tune(&self, psi: Psi<P>) -> Step<P> {
        let tune = &self.settings.fine_tune;
        self.train(psi, self.settings.generations + 1, tune.epochs, Some(&tune.lr))
    }

    /// `lr` is the learning rate of fine-tuning, which takes the place of every recipe's own.
    fn train(&self, mut psi: Psi<P>, k: usize, epochs: usize, lr: Option<&Range>) -> Step<P> {
        let individuals = psi.depart();
        let guard = psi.guard();
        let played = executor::map(self.executor, individuals, |j, individual| {
            let (mut resident, theta) = individual.depart();
            if guard.is_anchor(resident.id) || self.stopped() {
                return untouched(resident, theta);
            }
            let key = Key::new(self.settings.seed, Purpose::Recipe).generation(k).individual(j);
            let mut rng = key.stream();
            let (recipe, state) = self.recipe(&resident, &mut rng, lr.is_some());
            let hyper = match lr {
                Some(lr) => {
                    recipe.clone().with("lr", lr, &mut rng).at(k, self.settings.generations)
                }
                None => recipe.at(k, self.settings.generations),
            };
            resident.recipe = Some(recipe);
            resident.hyper = Some(hyper.clone());
            let license = if lr.is_none() { self.license(guard, k, j) } else { None };
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
        theta: NotWorse<P::Genome>,
        state: Option<P::State>,
        guard: &Guard<P::Genome>,
    ) -> Of<P> {
        let Turn { k, hyper, license, .. } = *turn;
        let (mut epochs, mut backed_off) = (0, 0);
        let mut seat = Seat::Held(theta);
        let mut error = None;
        resident.state = state;
        for s in 1..=turn.epochs {
            if self.stopped() {
                break;
            }
            let from = seat.scored().theta();
            let (candidate, state) = match self.epoch(turn, s, from, resident.state.as_ref()) {
                Ok(trained) => trained,
                Err(stopped_by) => {
                    error = Some(stopped_by);
                    break;
                }
            };
            guard.witness(&candidate, resident.id, (k, s), hyper);
            let fitness = candidate.fitness();
            let back;
            (seat, back) = seat.advance(candidate, license);
            // θ and the optimizer's state return together.
            if !back {
                resident.state = Some(state);
            }
            epochs += 1;
            backed_off += usize::from(back);
            let id = resident.id;
            self.observer.epoch(&EpochReport { k, s, id, hyper, fitness, backed_off: back });
        }
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
    /// fresh whenever the recipe is new. Fine-tuning keeps every recipe and begins afresh.
    fn recipe(
        &self,
        resident: &Resident<P::State>,
        rng: &mut Philox,
        fine_tuning: bool,
    ) -> (Recipe, Option<P::State>) {
        match (self.settings.recipes.policy, &resident.recipe) {
            (_, Some(recipe)) if fine_tuning => (recipe.clone(), None),
            (RecipePolicy::Keep | RecipePolicy::Inherit, Some(recipe)) => {
                (recipe.clone(), resident.state.clone())
            }
            _ => (self.settings.optimizers.draw(rng), None),
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
