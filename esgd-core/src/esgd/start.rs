//! The initial population Ψ(0) (section 3.3): independent draws, one trained network cloned, or
//! existing networks and perturbations of them.

use std::ops::RangeInclusive;

use super::PopulationOf;
use crate::{
    Effort, EpochReport, Error, Esgd, Id, Individual, Operation, Population, Problem, Recipe,
    Scored,
    guarantee::Unscored,
    plan::Mutation,
    rng::{Key, Purpose},
    settings::{RecipePolicy, Rung, Settings, SettingsError, Start},
    training::{Begin, train},
    work,
};

/// A candidate of a shared start, and what it was trained with so far.
struct Candidate<P: Problem> {
    /// Its number, from which its random numbers follow.
    j: usize,
    recipe: Recipe,
    scored: Scored<P::Genome>,
    /// The optimizer's, if it may train on.
    state: Option<P::State>,
}

/// A network of Ψ(0), or what went wrong.
type Founded<P> = Result<Scored<<P as Problem>::Genome>, Error<<P as Problem>::Error>>;

impl<P: Problem> Esgd<'_, P> {
    pub(crate) fn start(&self) -> Result<PopulationOf<P>, Error<P::Error>> {
        let mut effort = Effort::default();
        let mut found = None;
        let scored = match self.settings.start {
            Start::Independent => self.for_each_individual(self.settings.mu, |j| {
                let key = self.key(Purpose::Init, j);
                self.evaluator.score(Unscored::new(
                    self.evaluator.problem().init(key).map_err(Error::Problem)?,
                ))
            })?,
            Start::Shared { .. } => {
                effort.epochs = self.settings.start.epochs();
                let (scored, recipe) = self.shared()?.map(|one| (one.scored, one.recipe)).unzip();
                found = recipe;
                scored.into_iter().flat_map(|best| vec![best; self.settings.mu]).collect()
            }
            Start::Warm { sigma } => {
                if self.warm_start.is_empty() {
                    return Err(Error::Settings(SettingsError(
                        "start.warm begins from existing networks and none was given: name at least one"
                            .into(),
                    )));
                }
                if self.warm_start.len() > self.settings.mu {
                    return Err(Error::Settings(SettingsError(format!(
                        "{} networks to begin from do not fit into a population of mu = {}: set mu to at least {0}",
                        self.warm_start.len(),
                        self.settings.mu
                    ))));
                }
                for network in self.warm_start {
                    self.evaluator.problem().check_warm_start(network).map_err(Error::Problem)?;
                }
                self.for_each_individual(self.settings.mu, |j| {
                    self.perturbed_copy(j, sigma as f32)
                })?
            }
        };
        let newcomer = |(index, scored)| {
            let recipe = found.as_ref().and_then(|recipe| self.recipe_near(recipe, index));
            let id = Id { generation: 0, step: 0, index };
            Individual::born(id, vec![], recipe, None, scored)
        };
        let individuals = scored.into_iter().enumerate().map(newcomer).collect();
        Ok(Population::found(
            individuals,
            self.settings,
            self.evaluator.objective().clone(),
            effort,
        ))
    }

    /// The best candidate of a shared start. The better half of those on a rung climbs to the next.
    fn shared(&self) -> Result<Option<Candidate<P>>, Error<P::Error>> {
        let mut best: Vec<Candidate<P>> = vec![];
        let rungs = self.settings.start.rungs();
        let mut trained = 0;
        for (i, &Rung { candidates, epochs }) in rungs.iter().enumerate() {
            best.truncate(candidates);
            let climbed = self.for_each_individual(candidates, |rank| {
                let mut one =
                    self.pretrain(rank, best.get(rank), trained + 1..=trained + epochs)?;
                one.state = one.state.filter(|_| i + 1 < rungs.len());
                Ok(one)
            })?;
            best = climbed;
            // Stable: of equals the earlier one.
            best.sort_by_key(|one| one.scored.fitness());
            trained += epochs;
        }
        Ok(best.into_iter().next())
    }

    /// A candidate after some epochs: `before` trained on, or else a new one with number `j` and a recipe
    /// of its own.
    fn pretrain(
        &self,
        j: usize,
        before: Option<&Candidate<P>>,
        epochs: RangeInclusive<usize>,
    ) -> Result<Candidate<P>, Error<P::Error>> {
        let j = before.map_or(j, |one| one.j);
        let recipe = match before {
            Some(one) => one.recipe.clone(),
            None => self.settings.optimizers.draw(&mut self.key(Purpose::Recipe, j).stream()),
        };
        let hyper = recipe.at(1, self.settings.generations);
        let begin = match before {
            Some(one) => Begin::From(one.scored.theta()),
            None => Begin::New(self.key(Purpose::Init, j)),
        };
        let state = before.and_then(|one| one.state.clone());
        let (key, last) = (self.key(Purpose::Train, j), *epochs.end());
        let epochs = epochs.take_while(|_| !self.stopped()).map(|s| key.step(s));
        let (scored, state) = train(&self.evaluator, begin, state, &hyper, epochs)?;
        self.observer.epoch(&EpochReport {
            k: 0,
            s: last,
            id: Id { generation: 0, step: 0, index: j },
            hyper: &hyper,
            fitness: scored.fitness(),
            backed_off: false,
        });
        Ok(Candidate { j, recipe, scored, state: Some(state) })
    }

    /// What clone `j` of a network begins with, which was trained with `recipe`: where recipes are
    /// inherited, the same or one near it.
    fn recipe_near(&self, recipe: &Recipe, j: usize) -> Option<Recipe> {
        let Settings { recipes, optimizers, .. } = self.settings;
        let mut rng = self.key(Purpose::Recipe, j).step(1).stream();
        match recipes.policy {
            RecipePolicy::Redraw | RecipePolicy::Keep => None,
            RecipePolicy::Inherit | RecipePolicy::Explore if j == 0 => Some(recipe.clone()),
            RecipePolicy::Inherit => Some(optimizers.perturb(recipe, recipes.perturb, &mut rng)),
            RecipePolicy::Explore => {
                Some(optimizers.explore(recipe, recipes.exploration(), &mut rng))
            }
        }
    }

    /// Founder j itself, and from the second round on a perturbation of it.
    fn perturbed_copy(&self, j: usize, sigma: f32) -> Founded<P> {
        let problem = self.evaluator.problem();
        let network = &self.warm_start[j % self.warm_start.len()];
        let mutation = if j < self.warm_start.len() {
            Mutation::NONE
        } else {
            Mutation { sigma, scale: self.settings.mutation.scale }
        };
        let key = self.key(Purpose::Mutation, j);
        let theta = problem
            .build(&Operation::recombination(mutation), &[network], key)
            .map_err(Error::Problem)?;
        self.evaluator.score(Unscored::new(theta))
    }

    fn for_each_individual<R: Send>(
        &self,
        n: usize,
        make: impl Fn(usize) -> Result<R, Error<P::Error>> + Sync,
    ) -> Result<Vec<R>, Error<P::Error>> {
        work::try_map(self.executor, (0..n).collect(), |_, j| make(j))
    }

    fn key(&self, purpose: Purpose, j: usize) -> Key {
        Key::new(self.settings.seed, purpose).individual(j)
    }
}
