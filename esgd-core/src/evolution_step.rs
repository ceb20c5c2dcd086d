//! The evolution step of Algorithm 1: λ offspring by eq. 12, and the m-elitist selection of the
//! next population from μ ∪ λ.
//!
//! Offspring are scored as a stream: each is built from its plan, scored and dropped, so no more
//! of them exist at a time than the executor has workers. Only those selected are built again. The
//! most genomes alive are thus μ and the larger of the workers and the newcomers, whatever λ is;
//! the parents stay until all newcomers are there, so that an error loses nobody.

use crate::{
    Error, Esgd, Failure, Id, Individual, Problem, Scored,
    algorithm1::{Psi, Step},
    executor,
    guarantee::{Pool, Survivor, Unborn},
    rng::Purpose,
    settings::{RecipePolicy, Recipes, Settings},
    strategy::Moment,
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
    pub(crate) fn evolution_step(&self, mut psi: Psi<P>, k: usize, v: usize) -> Step<P> {
        let moment = Moment { settings: self.settings, k, v };
        match self.select(&psi, &moment) {
            Ok(None) => Ok(psi),
            Ok(Some(next)) => {
                psi.tally_mut().offspring += next.scored;
                psi.succeed(&next.parents, next.newcomers, next.evolved);
                Ok(psi)
            }
            Err(error) => Err(Box::new(Failure { error, population: Some(psi) })),
        }
    }

    /// Scores all offspring, and selects from them and their parents; `None` if it was stopped.
    fn select(
        &self,
        psi: &Psi<P>,
        moment: &Moment<'_>,
    ) -> Result<Option<Succession<P>>, Error<P::Error>> {
        let mu: Vec<_> = psi.individuals().iter().map(Individual::scored).collect();
        let ranked: Vec<_> = psi.individuals().iter().map(Individual::fitness).collect();

        // Generate the offspring population Ψ_λ and score it.
        let plans = self.strategy.offspring(&ranked, moment);
        let scored = executor::try_map(self.executor, plans, |_, plan| {
            if self.stopped() {
                return Ok(None);
            }
            let unborn = self.judge.appraise(&mu, plan)?;
            self.observer.offspring(unborn.fitness());
            Ok::<_, Error<_>>(Some(unborn))
        })?;
        let Some(offspring) = scored.into_iter().collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };

        // Sort Ψ_{μ+λ}, select the top m and draw the other μ − m.
        let key = moment.key(Purpose::Survivors, 0);
        let survivors = Pool::new(psi, &offspring).select(self.settings.m, self.settings.mu, key);

        let parents = survivors.iter().filter_map(|&s| match s {
            Survivor::Parent(rank) => Some(rank),
            Survivor::Offspring(_) => None,
        });
        let chosen = survivors.iter().filter_map(|&s| match s {
            Survivor::Offspring(i) => Some(i),
            Survivor::Parent(_) => None,
        });
        let newcomers = executor::try_map(self.executor, chosen.collect(), |_, i| {
            let scored = self.judge.bear(&mu, &offspring[i])?;
            Ok::<_, Error<_>>(self.christen(psi, &offspring[i], i, scored, moment))
        })?;
        let place = |survivor: &Survivor| match *survivor {
            Survivor::Parent(rank) => rank,
            Survivor::Offspring(i) => mu.len() + i,
        };
        let population = psi.individuals().iter().map(Individual::id).collect();
        let evolved = Evolved::of(population, &offspring, survivors.iter().map(place).collect());
        let scored = offspring.len();
        Ok(Some(Succession { scored, parents: parents.collect(), newcomers, evolved }))
    }

    /// Gives a newcomer its name, its parents' names, and what it inherits.
    fn christen(
        &self,
        psi: &Psi<P>,
        unborn: &Unborn,
        index: usize,
        scored: Scored<P::Genome>,
        moment: &Moment<'_>,
    ) -> Individual<P::Genome, P::State> {
        let parents: Vec<_> =
            unborn.plan().parents.iter().filter_map(|&rank| psi.individuals().get(rank)).collect();
        let Settings { recipes: Recipes { policy, perturb, resample }, ref optimizers, .. } =
            *self.settings;
        let first = parents.first();
        let inherited = first.and_then(|first| first.recipe());
        let mut rng = moment.key(Purpose::Recipe, index).stream();
        let (recipe, state) = match policy {
            RecipePolicy::Redraw | RecipePolicy::Keep => (None, None),
            RecipePolicy::Inherit => {
                (inherited.map(|recipe| optimizers.perturb(recipe, perturb, &mut rng)), None)
            }
            RecipePolicy::Explore => (
                inherited.map(|r| optimizers.explore(r, (perturb, resample), &mut rng)),
                // Of another network it would be the wrong one.
                first
                    .filter(|_| unborn.plan().clones().is_some())
                    .and_then(|one| one.state().cloned()),
            ),
        };
        let id = Id { generation: moment.k, step: moment.v, index };
        let parents = parents.iter().map(|one| one.id()).collect();
        Individual::born(id, parents, (recipe, state), scored)
    }
}
