//! The SGD step of Algorithm 1: for j = 1 … μ, in parallel, pick an optimizer π_j and train for
//! K_s epochs, backing off when the fitness degrades. Also the fine-tuning of section 4.1.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    EpochReport, Error, Esgd, Failure, Hyper, Individual, NotWorse, Problem, Range, Recipe, Scored,
    algorithm1::{Psi, Step},
    executor,
    guarantee::{Brood, Guard, License, Progress, Resident, Seat},
    rng::{Key, Philox, Purpose},
    settings::{FineTune, Per, RecipePolicy},
};

/// An individual's part of the step: who it is, and what it trains with for how long.
struct Turn<'a> {
    k: usize,
    j: usize,
    epochs: usize,
    recipe: &'a Recipe,
    hyper: &'a Hyper,
    /// `None` where it must back off.
    license: Option<License>,
    /// That another's turn has failed.
    failed: &'a AtomicBool,
}

/// What an individual's turn came to, and an error that stopped it.
struct Played<G, S, E: std::error::Error> {
    individual: Individual<G, S>,
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
        let (tune, k) = (&self.settings.fine_tune, psi.generation() + 1);
        self.train(psi, k, tune.epochs, Some(tune))
    }

    /// Fine-tuning has a learning rate that takes the place of every recipe's own, and may be for the best
    /// alone.
    fn train(&self, mut psi: Psi<P>, k: usize, epochs: usize, tune: Option<&FineTune>) -> Step<P> {
        let lr = tune.map(|tune| &tune.lr);
        let individuals = psi.depart();
        let guard = psi.guard();
        let mut seats = tune.map_or(self.settings.mu, |tune| tune.seats(self.settings.mu));
        // An anchor among the best takes none of their places.
        let anchor = individuals.iter().position(|one| guard.is_anchor(one.id()));
        seats += usize::from(anchor.is_some_and(|rank| rank < seats));
        let failed = AtomicBool::new(false);
        let played = executor::map(self.executor, individuals, |_, individual| {
            let Progress { seat: j, epochs: done, .. } = individual.progress().unwrap_or_default();
            // A seat is a rank: individuals departed best first.
            let idle = guard.is_anchor(individual.id()) || done >= epochs || j >= seats;
            if idle || self.stopped() || failed.load(Ordering::Relaxed) {
                return Played { individual, error: None };
            }
            let (mut resident, theta) = individual.depart();
            let (recipe, hyper, state) = self.equip(&mut resident, (k, j), done > 0, lr);
            let license = if lr.is_none() { self.license(guard, k, j) } else { None };
            let (recipe, hyper) = (&recipe, &hyper);
            let turn = Turn { k, j, epochs, recipe, hyper, license, failed: &failed };
            let mut played = self.play(&turn, resident, theta, state, guard);
            let kept = self.keeper.individual(&played.individual, &|| guard.archived());
            if let Err(error) = kept {
                played.error.get_or_insert(Error::NotKept(error));
            }
            failed.fetch_or(played.error.is_some(), Ordering::Relaxed);
            played
        });
        let mut error = None;
        let individuals = played
            .into_iter()
            .map(|turn| {
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

    /// What an individual trains with in generation `k`, and its optimizer's state, which may be fresh.
    /// Where its turn was stopped, it goes on with what it had.
    fn equip(
        &self,
        resident: &mut Resident<P::State>,
        (k, j): (usize, usize),
        begun: bool,
        lr: Option<&Range>,
    ) -> (Recipe, Hyper, Option<P::State>) {
        if let (true, Some(recipe), Some(hyper)) = (begun, &resident.recipe, &resident.hyper) {
            return (recipe.clone(), hyper.clone(), resident.state.take());
        }
        let key = Key::new(self.settings.seed, Purpose::Recipe).generation(k).individual(j);
        let mut rng = key.stream();
        let (recipe, state) = self.recipe(resident, &mut rng, lr.is_some());
        let of = self.settings.generations;
        let hyper = match lr {
            Some(lr) => recipe.clone().with("lr", lr, &mut rng).at(k, of),
            None => recipe.at(k, of),
        };
        (recipe, hyper, state)
    }

    /// The epochs of one individual that are left of K_s.
    fn play(
        &self,
        turn: &Turn<'_>,
        mut resident: Resident<P::State>,
        theta: NotWorse<P::Genome>,
        mut state: Option<P::State>,
        guard: &Guard<P::Genome>,
    ) -> Of<P> {
        let Turn { k, hyper, license, .. } = *turn;
        let mut progress = resident.progress.unwrap_or_default();
        let mut seat = Seat::Held(theta);
        let mut error = None;
        for s in progress.epochs + 1..=turn.epochs {
            if self.stopped() || turn.failed.load(Ordering::Relaxed) {
                break;
            }
            let from = seat.scored().theta();
            let (candidate, trained) = match self.epoch(turn, s, from, state.as_ref()) {
                Ok(trained) => trained,
                Err(stopped_by) => {
                    error = Some(stopped_by);
                    break;
                }
            };
            guard.witness(&candidate, resident.id, (k, s), hyper);
            let fitness = candidate.fitness();
            resident.epochs.push(fitness);
            let back;
            (seat, back) = seat.advance(candidate, license);
            // θ and the optimizer's state return together.
            if !back {
                state = Some(trained);
                resident.at = (k, s);
            }
            progress.epochs = s;
            progress.backed_off += usize::from(back);
            let id = resident.id;
            self.observer.epoch(&EpochReport { k, s, id, hyper, fitness, backed_off: back });
        }
        // One that was stopped before its first epoch draws its recipe again, so it stays as it was.
        if progress.epochs > 0 {
            resident.recipe = Some(turn.recipe.clone());
            resident.hyper = Some(hyper.clone());
            // A recipe that is drawn anew begins with a fresh state.
            let over = progress.epochs >= turn.epochs;
            let fresh = over && self.settings.recipes.policy == RecipePolicy::Redraw;
            resident.state = state.filter(|_| !fresh);
        }
        resident.progress = Some(progress);
        Played { individual: resident.settle(seat), error }
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
            (RecipePolicy::Keep | RecipePolicy::Inherit | RecipePolicy::Explore, Some(recipe)) => {
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
