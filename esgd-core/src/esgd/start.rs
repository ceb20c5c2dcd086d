//! The initial population Ψ(0) (section 3.3): independent draws, one trained network cloned, or
//! existing networks and perturbations of them. Of several processes each makes its share.

use std::ops::RangeInclusive;

use super::PopulationOf;
use crate::{
    Effort, EpochReport, Error, Esgd, Id, Individual, Operation, Population, Problem, Recipe,
    guarantee::Unscored,
    plan::Mutation,
    rng::{Key, Purpose},
    settings::{RecipePolicy, Rung, Settings, SettingsError, Start},
    training::{Begin, train},
    work,
};

/// A network of Ψ(0), or a candidate of a shared start with what it was trained with so far.
type Initial<P> = Individual<<P as Problem>::Genome, <P as Problem>::State>;

/// It, or what went wrong.
type InitialOr<P> = Result<Initial<P>, Error<<P as Problem>::Error>>;

impl<P: Problem> Esgd<'_, P> {
    pub(crate) fn start(&self) -> Result<PopulationOf<P>, Error<P::Error>> {
        let (mu, problem) = (self.settings.mu, self.evaluator.problem());
        let mut effort = Effort::default();
        let individuals = match self.settings.start {
            Start::Independent => self
                .each(0, &[], mu, |j| self.founder(j, problem.init(self.key(Purpose::Init, j))))?,
            Start::Shared { .. } => {
                effort.epochs = self.settings.start.epochs();
                let best = self.shared()?;
                (0..mu).filter_map(|j| Some(self.clone_of(best.as_ref()?, j))).collect()
            }
            Start::Warm { sigma } => {
                self.check_warm_start()?;
                self.each(0, &[], mu, |j| self.founder(j, self.perturbed_copy(j, sigma as f32)))?
            }
        };
        let objective = self.evaluator.objective().clone();
        Ok(Population::found(individuals, self.settings, objective, effort))
    }

    /// Ψ(0)'s j-th individual, without a recipe.
    fn founder(&self, j: usize, theta: Result<P::Genome, P::Error>) -> InitialOr<P> {
        let scored = self.evaluator.score(Unscored::new(theta.map_err(Error::Problem)?))?;
        Ok(Individual::born(id(j), vec![], None, None, scored))
    }

    /// The best candidate of a shared start. The better half of those on a rung climbs to the next.
    fn shared(&self) -> Result<Option<Initial<P>>, Error<P::Error>> {
        let mut best: Vec<Initial<P>> = vec![];
        let rungs = self.settings.start.rungs();
        let mut trained = 0;
        for (i, &Rung { candidates, epochs }) in rungs.iter().enumerate() {
            best.truncate(candidates);
            let (epochs, is_last) = (trained + 1..=trained + epochs, i + 1 == rungs.len());
            trained = *epochs.end();
            best = self.each(i, &best, candidates, |rank| {
                self.pretrain(rank, best.get(rank), epochs.clone(), is_last)
            })?;
            // Stable: of equals the earlier one.
            best.sort_by_key(Individual::fitness);
            if self.stopped() {
                break;
            }
        }
        Ok(best.into_iter().next())
    }

    /// A candidate after some epochs: `before` trained on, or else a new one with number `j` and a recipe
    /// of its own. After its last epochs no optimizer goes on.
    fn pretrain(
        &self,
        j: usize,
        before: Option<&Initial<P>>,
        epochs: RangeInclusive<usize>,
        is_last: bool,
    ) -> InitialOr<P> {
        let id = before.map_or(id(j), Individual::id);
        let recipe = match before.and_then(Individual::recipe) {
            Some(recipe) => recipe.clone(),
            None => self.settings.optimizers.draw(&mut self.key(Purpose::Recipe, j).stream()),
        };
        let hyper = recipe.at(1, self.settings.generations);
        let begin = match before {
            Some(one) => Begin::From(one.scored().theta()),
            None => Begin::New(self.key(Purpose::Init, j)),
        };
        let state = before.and_then(|one| one.state().cloned());
        let (key, last) = (self.key(Purpose::Train, id.index), *epochs.end());
        let epochs = epochs.take_while(|_| !self.interrupted()).map(|s| key.step(s));
        let (scored, state) = train(&self.evaluator, begin, state, &hyper, epochs)?;
        self.observer.epoch(&EpochReport {
            k: 0,
            s: last,
            id,
            hyper: &hyper,
            fitness: scored.fitness(),
            backed_off: false,
        });
        let state = (!is_last).then_some(state);
        Ok(Individual::born(id, vec![], Some(recipe), state, scored))
    }

    /// Clone `j` of the best candidate.
    fn clone_of(&self, best: &Initial<P>, j: usize) -> Initial<P> {
        let recipe = best.recipe().and_then(|recipe| self.recipe_near(recipe, j));
        Individual::born(id(j), vec![], recipe, None, best.scored().clone())
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

    /// Whether there are networks to begin from, that can be, and not too many.
    fn check_warm_start(&self) -> Result<(), Error<P::Error>> {
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
        let check = |network| self.evaluator.problem().check_warm_start(network);
        self.warm_start.iter().try_for_each(check).map_err(Error::Problem)
    }

    /// Founder j itself, and from the second round on a perturbation of it.
    fn perturbed_copy(&self, j: usize, sigma: f32) -> Result<P::Genome, P::Error> {
        let network = &self.warm_start[j % self.warm_start.len()];
        let mutation = if j < self.warm_start.len() {
            Mutation::NONE
        } else {
            Mutation { sigma, scale: self.settings.mutation.scale }
        };
        let key = self.key(Purpose::Mutation, j);
        self.evaluator.problem().build(&Operation::recombination(mutation), &[network], key)
    }

    /// `n` individuals, new ones or those of `before` trained on; of several processes each makes its share.
    fn each(
        &self,
        rung: usize,
        before: &[Initial<P>],
        n: usize,
        make: impl Fn(usize) -> InitialOr<P> + Sync,
    ) -> Result<Vec<Initial<P>>, Error<P::Error>> {
        let mine = work::try_map(self.executor, (0..n).collect(), |_, i| match self.is_own(i) {
            true => make(i).map(Some),
            false => Ok(None),
        });
        match self.processes {
            None => Ok(mine?.into_iter().flatten().collect()),
            Some(processes) => self.share_start(processes, rung, before, mine),
        }
    }

    fn key(&self, purpose: Purpose, j: usize) -> Key {
        Key::new(self.settings.seed, purpose).individual(j)
    }
}

/// The name of Ψ(0)'s j-th.
fn id(index: usize) -> Id {
    Id { generation: 0, step: 0, index }
}
