//! Who comes new into the population by an evolution step: its name, its parents, and the recipe and optimizer
//! state that it continues, inherits or draws.

use super::{PopulationOf, building::Built};
use crate::{
    Entry, Id, Individual, Plan, Problem, Scored, Source,
    guarantee::{At, ScoredPlan, Selected, Survivor},
    rng::Purpose,
    settings::{RecipePolicy, Settings},
    strategy::{Heir, Make, Survivors, View},
    trace::Extra,
};

/// A step whose offspring are scored, and whose networks are built.
pub(super) struct Evolution<'a, P: Problem> {
    pub(super) population: &'a PopulationOf<P>,
    pub(super) view: View<'a>,
    pub(super) offspring: &'a [ScoredPlan],
    pub(super) makes: &'a [Make],
    pub(super) built: &'a Built<P::Genome>,
}

type Newcomer<P> = Individual<<P as Problem>::Genome, <P as Problem>::State>;

/// A newcomer's θ, and where that comes from.
struct Origin<'a, G> {
    scored: &'a Scored<G>,
    /// The ranks of the parents it was made of.
    parents: Vec<usize>,
    /// Whether it is an exact copy of the first of them.
    is_clone: bool,
}

impl<P: Problem> Evolution<'_, P> {
    /// Those of the selected that were no parents, in their order.
    ///
    /// # Errors
    /// If one has a θ without fitness: what the strategy does.
    pub(super) fn newcomers(
        &self,
        selected: &Selected,
        survivors: &Survivors,
    ) -> Result<Vec<Newcomer<P>>, String> {
        let heirs: &[Heir] = if let Survivors::Chosen(heirs) = survivors { heirs } else { &[] };
        let mut all = vec![];
        for survivor in selected.survivors() {
            let (source, index, continues) = match *survivor {
                Survivor::Parent(_) => continue,
                Survivor::Offspring(i) => (Source::Offspring(i), i, None),
                Survivor::Heir(place) => {
                    let heir = &heirs[place];
                    let index = self.offspring.len() + self.makes.len() + place;
                    (heir.theta.clone(), index, heir.continues)
                }
            };
            let Some(origin) = self.origin(&source) else {
                return Err(format!("lets {source} survive, which has no fitness"));
            };
            all.push(self.newcomer(index, origin, continues));
        }
        Ok(all)
    }

    fn origin(&self, source: &Source) -> Option<Origin<'_, P::Genome>> {
        let of = |plan: &Plan| (plan.parents().collect(), plan.clones().is_some());
        let (scored, (parents, is_clone)) = match source {
            Source::Parent(rank) => {
                let one = self.population.individuals().get(*rank)?;
                (one.scored(), (vec![*rank], true))
            }
            Source::Offspring(i) => {
                (self.built.offspring.get(i)?, of(self.offspring.get(*i)?.plan()))
            }
            Source::Made(i) => (self.built.made.get(*i)?.scored()?, of(&self.makes.get(*i)?.plan)),
            Source::Memory(_) => return None,
        };
        Some(Origin { scored, parents, is_clone })
    }

    /// Gives a newcomer its name, its parents' names, and what it continues or inherits.
    fn newcomer(
        &self,
        index: usize,
        origin: Origin<'_, P::Genome>,
        continues: Option<usize>,
    ) -> Newcomer<P> {
        let Origin { scored, parents, is_clone } = origin;
        let individuals = self.population.individuals();
        let parents: Vec<_> = parents.iter().filter_map(|&rank| individuals.get(rank)).collect();
        let names = parents.iter().map(|one| one.id()).collect();
        let (id, scored) = (self.id(index), scored.clone());
        if let Some(one) = continues.and_then(|rank| individuals.get(rank)) {
            return Individual::heir(id, names, one, scored);
        }
        let Settings { ref recipes, ref optimizers, .. } = *self.view.settings;
        let first = parents.first();
        let inherited = first.and_then(|first| first.recipe());
        let mut rng = self.view.key(Purpose::Recipe, index).stream();
        let (recipe, state) = match recipes.policy {
            RecipePolicy::Redraw | RecipePolicy::Keep => (None, None),
            RecipePolicy::Inherit => (
                inherited.map(|recipe| optimizers.perturb(recipe, recipes.perturb, &mut rng)),
                None,
            ),
            RecipePolicy::Explore => (
                inherited.map(|r| optimizers.explore(r, recipes.exploration(), &mut rng)),
                // Of another network it would be the wrong one.
                first.filter(|_| is_clone).and_then(|one| one.state().cloned()),
            ),
        };
        Individual::born(id, names, recipe, state, scored)
    }

    fn id(&self, index: usize) -> Id {
        Id { generation: self.view.k, step: self.view.v, index }
    }

    /// What was built and scored, for an archive: once each, whoever goes on from it.
    pub(super) fn entries(&self) -> Vec<Entry<P::Genome>> {
        let entry = |index: usize, scored: &Scored<P::Genome>| Entry {
            scored: scored.clone(),
            id: self.id(index),
            at: At::birth(self.view.k),
            hyper: None,
        };
        let born = self.built.offspring.iter().map(|(i, scored)| entry(*i, scored));
        let made = self.built.scored().map(|(i, scored)| entry(self.offspring.len() + i, scored));
        born.chain(made).collect()
    }

    /// What was made and scored after the offspring, for an audit.
    pub(super) fn extra(&self) -> Vec<Extra> {
        let made = self.built.scored();
        made.map(|(i, scored)| Extra::of(i, &self.makes[i].plan, scored.fitness())).collect()
    }
}
