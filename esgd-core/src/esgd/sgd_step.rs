//! The SGD step of Algorithm 1: for j = 1 … μ, in parallel, pick an optimizer π_j and train for
//! K_s epochs, backing off when the fitness degrades. Also the fine-tuning of section 4.1.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{PopulationOf, Step, sharing::TrainingStep};
use crate::{
    Domain, EpochReport, Error, Esgd, Failure, Hyperparameters, Individual, NotWorse, Problem,
    Recipe,
    guarantee::{AfterTraining, At, Guard, IndividualMeta, MayWorsen, Progress},
    rng::{Key, Philox, Purpose},
    settings::{FineTune, Per, RecipePolicy},
    training::{Begin, train},
    work,
};

/// An individual's part of the step: who it is, and what it trains with for how long.
struct Turn<'a> {
    k: usize,
    j: usize,
    epochs: usize,
    recipe: &'a Recipe,
    hyper: &'a Hyperparameters,
    /// `None` where it must back off.
    may_worsen: Option<MayWorsen>,
    /// That another's turn has failed.
    failed: &'a AtomicBool,
}

/// What an individual's turn came to, and an error that stopped it.
struct Played<G, S, E: std::error::Error> {
    individual: Individual<G, S>,
    error: Option<Error<E>>,
}

type Of<P> = Played<<P as Problem>::Genome, <P as Problem>::State, <P as Problem>::Error>;

impl<P: Problem> Esgd<'_, P> {
    /// The SGD step of generation `k`.
    pub(crate) fn sgd_step(&self, population: PopulationOf<P>, k: usize, epochs: usize) -> Step<P> {
        self.train(population, k, epochs, None)
    }

    /// Some epochs with a small learning rate, backed off as well (section 4.1).
    pub(crate) fn fine_tune(&self, population: PopulationOf<P>) -> Step<P> {
        let (tune, k) = (&self.settings.fine_tune, population.generation() + 1);
        self.train(population, k, tune.epochs, Some(tune))
    }

    /// Fine-tuning has a learning rate that takes the place of every recipe's own, and may be for the best
    /// alone.
    fn train(
        &self,
        mut population: PopulationOf<P>,
        k: usize,
        epochs: usize,
        tune: Option<&FineTune>,
    ) -> Step<P> {
        let lr = tune.map(|tune| &tune.lr);
        let individuals = population.take_individuals();
        let guard = population.guard();
        let mut trainees = tune.map_or(self.settings.mu, |tune| tune.individuals(self.settings.mu));
        // An anchor among the best takes none of their places.
        let anchor = individuals.iter().position(|one| guard.is_anchor(one.id()));
        trainees += usize::from(anchor.is_some_and(|rank| rank < trainees));
        let failed = AtomicBool::new(false);
        let before: Vec<_> = individuals.iter().map(Individual::origin).collect();
        let played = work::map(self.executor, individuals, |i, individual| {
            let Progress { position: j, epochs: done, .. } =
                individual.progress().unwrap_or_default();
            // A position is a rank: individuals are taken best first.
            let idle = guard.is_anchor(individual.id()) || done >= epochs || j >= trainees;
            if idle || !self.is_own(i) || self.interrupted() || failed.load(Ordering::Relaxed) {
                return Played { individual, error: None };
            }
            let (mut meta, theta) = individual.into_parts();
            let (recipe, hyper, state) = self.draw_recipe(&mut meta, k, j, done > 0, lr);
            let may_worsen = if lr.is_none() { self.may_worsen(guard, k, j) } else { None };
            let (recipe, hyper) = (&recipe, &hyper);
            let turn = Turn { k, j, epochs, recipe, hyper, may_worsen, failed: &failed };
            let mut played = self.train_individual(&turn, meta, theta, state, guard);
            let kept = self.checkpointer.individual(&played.individual, &|| guard.archived());
            if let Err(error) = kept {
                played.error.get_or_insert(Error::CheckpointFailed(error));
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
        let individuals = match self.processes {
            None => individuals,
            Some(processes) => {
                let permit = |j| if lr.is_none() { self.may_worsen(guard, k, j) } else { None };
                let step = TrainingStep { k, before: &before, guard, permit: &permit };
                let heard = error.as_ref();
                let (all, refused) = self.share_training(processes, &step, individuals, heard);
                error = error.or(refused);
                all
            }
        };
        population.put_back(individuals);
        match error {
            None => Ok(population),
            Some(error) => Err(Box::new(Failure { error, population: Some(population) })),
        }
    }

    /// What an individual trains with in generation `k`, and its optimizer's state, which may be fresh.
    /// Where its turn was stopped, it goes on with what it had.
    fn draw_recipe(
        &self,
        meta: &mut IndividualMeta<P::State>,
        k: usize,
        j: usize,
        begun: bool,
        lr: Option<&Domain>,
    ) -> (Recipe, Hyperparameters, Option<P::State>) {
        if let (true, Some(recipe), Some(hyper)) = (begun, &meta.recipe, &meta.hyper) {
            return (recipe.clone(), hyper.clone(), meta.state.take());
        }
        let key = Key::new(self.settings.seed, Purpose::Recipe).generation(k).individual(j);
        let mut rng = key.stream();
        let (recipe, state) = self.recipe(meta, &mut rng, lr.is_some());
        let of = self.settings.generations;
        let hyper = match lr {
            Some(lr) => recipe.clone().with("lr", lr, &mut rng).at(k, of),
            None => recipe.at(k, of),
        };
        (recipe, hyper, state)
    }

    /// The epochs of one individual that are left of K_s.
    fn train_individual(
        &self,
        turn: &Turn<'_>,
        mut meta: IndividualMeta<P::State>,
        theta: NotWorse<P::Genome>,
        mut state: Option<P::State>,
        guard: &Guard<P::Genome>,
    ) -> Of<P> {
        let Turn { k, j, hyper, may_worsen, .. } = *turn;
        let key = Key::new(self.settings.seed, Purpose::Train).generation(k).individual(j);
        let mut progress = meta.progress.unwrap_or_default();
        let mut trained = AfterTraining::NotWorse(theta);
        let mut error = None;
        for s in progress.epochs + 1..=turn.epochs {
            if self.interrupted() || turn.failed.load(Ordering::Relaxed) {
                break;
            }
            let from = Begin::From(trained.scored().theta());
            let epoch = [key.step(s)].into_iter();
            let (candidate, after) = match train(&self.evaluator, from, state.clone(), hyper, epoch)
            {
                Ok(candidate) => candidate,
                Err(stopped_by) => {
                    error = Some(stopped_by);
                    break;
                }
            };
            let at = At { generation: k, epoch: s };
            guard.offer_to_archive(&candidate, meta.id, at, hyper);
            let fitness = candidate.fitness();
            meta.epochs.push(fitness);
            let back;
            (trained, back) = trained.advance(candidate, may_worsen);
            // θ and the optimizer's state return together.
            if !back {
                state = Some(after);
                meta.at = at;
            }
            progress.epochs = s;
            progress.backed_off += usize::from(back);
            let id = meta.id;
            self.observer.epoch(&EpochReport { k, s, id, hyper, fitness, backed_off: back });
        }
        // One that was stopped before its first epoch draws its recipe again, so it stays as it was.
        if progress.epochs > 0 {
            meta.recipe = Some(turn.recipe.clone());
            meta.hyper = Some(hyper.clone());
            // A recipe that is drawn anew begins with a fresh state.
            let over = progress.epochs >= turn.epochs;
            let fresh = over && self.settings.recipes.policy == RecipePolicy::Redraw;
            meta.state = state.filter(|_| !fresh);
        }
        meta.progress = Some(progress);
        Played { individual: meta.into_individual(trained), error }
    }

    /// The recipe of an individual for a generation, and the optimizer state that goes with it:
    /// fresh whenever the recipe is new. Fine-tuning keeps every recipe and begins afresh.
    fn recipe(
        &self,
        meta: &IndividualMeta<P::State>,
        rng: &mut Philox,
        fine_tuning: bool,
    ) -> (Recipe, Option<P::State>) {
        match (self.settings.recipes.policy, &meta.recipe) {
            (_, Some(recipe)) if fine_tuning => (recipe.clone(), None),
            (RecipePolicy::Keep | RecipePolicy::Inherit | RecipePolicy::Explore, Some(recipe)) => {
                (recipe.clone(), meta.state.clone())
            }
            _ => (self.settings.optimizers.draw(rng), None),
        }
    }

    /// Whether individual `j` is free of back-off in generation `k` (section 4.3).
    fn may_worsen(&self, guard: &Guard<P::Genome>, k: usize, j: usize) -> Option<MayWorsen> {
        let may_worsen = guard.may_worsen()?;
        if matches!(guard, Guard::Archive(_)) {
            return Some(may_worsen);
        }
        let drawn_for = match self.settings.guarantee.p_backoff_per {
            Per::Individual => j + 1,
            Per::Generation => 0,
        };
        let key =
            Key::new(self.settings.seed, Purpose::BackOff).generation(k).individual(drawn_for);
        (key.stream().unit() >= self.settings.guarantee.p_backoff).then_some(may_worsen)
    }
}
