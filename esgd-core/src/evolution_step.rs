//! The evolution step of Algorithm 1: λ offspring by eq. 12, and the m-elitist selection of the
//! next population from μ ∪ λ.
//!
//! Offspring are scored as a stream: each is built from its plan, scored and dropped, so no more
//! of them exist at a time than the executor has workers. Only those selected are built again. The
//! most genomes alive are thus μ and the larger of the workers and the newcomers, whatever λ is;
//! the parents stay until all newcomers are there, so that an error loses nobody.

use crate::{
    Error, Esgd, Failure, Id, Individual, Problem, Scored,
    algorithm1::{PopulationOf, Step},
    executor,
    guarantee::{Pool, ScoredPlan, Survivor},
    rng::Purpose,
    settings::{RecipePolicy, Recipes, Settings},
    strategy::View,
    trace::Evolved,
};

/// Who survives an evolution step.
struct Succession<P: Problem> {
    /// How many offspring were scored.
    scored: usize,
    /// The ranks of the parents that survive.
    parents: Vec<usize>,
    /// The offspring that do.
    newcomers: Vec<Individual<P::Genome, P::State>>,
    /// All of that, for an audit.
    evolved: Evolved,
}

impl<P: Problem> Esgd<'_, P> {
    /// Evolution step `v` of generation `k`; nothing if the run is stopped before it is done.
    pub(crate) fn evolution_step(
        &self,
        mut population: PopulationOf<P>,
        k: usize,
        v: usize,
    ) -> Step<P> {
        let view = View { settings: self.settings, k, v };
        match self.select(&population, &view) {
            Ok(None) => Ok(population),
            Ok(Some(next)) => {
                population.effort_mut().offspring += next.scored;
                population.set_survivors(&next.parents, next.newcomers, next.evolved);
                Ok(population)
            }
            Err(error) => Err(Box::new(Failure { error, population: Some(population) })),
        }
    }

    /// Scores all offspring, and selects from them and their parents; `None` if it was stopped.
    fn select(
        &self,
        population: &PopulationOf<P>,
        view: &View<'_>,
    ) -> Result<Option<Succession<P>>, Error<P::Error>> {
        let mu: Vec<_> = population.individuals().iter().map(Individual::scored).collect();
        let ranked: Vec<_> = population.individuals().iter().map(Individual::fitness).collect();

        // Generate the offspring population Ψ_λ and score it.
        let plans = self.strategy.offspring(&ranked, view);
        let scored = executor::try_map(self.executor, plans, |_, plan| {
            if self.stopped() {
                return Ok(None);
            }
            let scored_plan = self.evaluator.score_plan(&mu, plan)?;
            self.observer.offspring(scored_plan.fitness());
            Ok::<_, Error<_>>(Some(scored_plan))
        })?;
        let Some(offspring) = scored.into_iter().collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };

        // Sort Ψ_{μ+λ}, select the top m and draw the other μ − m.
        let key = view.key(Purpose::Survivors, 0);
        let survivors =
            Pool::new(population, &offspring).select(self.settings.m, self.settings.mu, key);

        let parents = survivors.iter().filter_map(|&s| match s {
            Survivor::Parent(rank) => Some(rank),
            Survivor::Offspring(_) => None,
        });
        let chosen = survivors.iter().filter_map(|&s| match s {
            Survivor::Offspring(i) => Some(i),
            Survivor::Parent(_) => None,
        });
        let newcomers = executor::try_map(self.executor, chosen.collect(), |_, i| {
            let scored = self.evaluator.build_scored(&mu, &offspring[i])?;
            Ok::<_, Error<_>>(self.newcomer(population, &offspring[i], i, scored, view))
        })?;
        let place = |survivor: &Survivor| match *survivor {
            Survivor::Parent(rank) => rank,
            Survivor::Offspring(i) => mu.len() + i,
        };
        let population = population.individuals().iter().map(Individual::id).collect();
        let evolved = Evolved::of(population, &offspring, survivors.iter().map(place).collect());
        let scored = offspring.len();
        Ok(Some(Succession { scored, parents: parents.collect(), newcomers, evolved }))
    }

    /// Gives a newcomer its name, its parents' names, and what it inherits.
    fn newcomer(
        &self,
        population: &PopulationOf<P>,
        scored_plan: &ScoredPlan,
        index: usize,
        scored: Scored<P::Genome>,
        view: &View<'_>,
    ) -> Individual<P::Genome, P::State> {
        let parents: Vec<_> = scored_plan
            .plan()
            .parents()
            .filter_map(|rank| population.individuals().get(rank))
            .collect();
        let Settings { recipes: Recipes { policy, perturb, resample }, ref optimizers, .. } =
            *self.settings;
        let first = parents.first();
        let inherited = first.and_then(|first| first.recipe());
        let mut rng = view.key(Purpose::Recipe, index).stream();
        let (recipe, state) = match policy {
            RecipePolicy::Redraw | RecipePolicy::Keep => (None, None),
            RecipePolicy::Inherit => {
                (inherited.map(|recipe| optimizers.perturb(recipe, perturb, &mut rng)), None)
            }
            RecipePolicy::Explore => (
                inherited.map(|r| optimizers.explore(r, (perturb, resample), &mut rng)),
                // Of another network it would be the wrong one.
                first
                    .filter(|_| scored_plan.plan().clones().is_some())
                    .and_then(|one| one.state().cloned()),
            ),
        };
        let id = Id { generation: view.k, step: view.v, index };
        let parents = parents.iter().map(|one| one.id()).collect();
        Individual::born(id, parents, (recipe, state), scored)
    }
}
