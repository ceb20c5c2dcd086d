//! The evolution step of Algorithm 1: a strategy is asked for offspring, by eq. 12 or another way, they are
//! scored, and the strategy is told; then the next population is selected from μ ∪ λ.
//!
//! Offspring are scored as a stream: each is built from its plan, scored and dropped, so no more
//! of them exist at a time than the executor has workers. Only those that survive, that the archive wants or
//! that others are made of are built again. The parents stay until all newcomers are there, so that an error
//! loses nobody.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    PopulationOf, Step,
    building::{Builder, Built},
};
use crate::{
    Entry, Error, Esgd, Failure, Id, Individual, Memory, Plan, Problem, Scored, Source,
    guarantee::{Pool, ScoredPlan, Selected, Succession, Survivor},
    plan::OperationKind,
    rng::{Key, Purpose},
    settings::{RecipePolicy, Recipes, Settings},
    strategy::{Heir, Memo, Next, Parent, Strategy, Survivors, View},
    trace::{self, Evolved, Extra},
    work,
};

type SuccessionOf<P> = Succession<<P as Problem>::Genome, <P as Problem>::State>;

/// A newcomer before it is an individual.
struct Newborn<G> {
    index: usize,
    scored: Scored<G>,
    /// The ranks of the parents it was made of.
    parents: Vec<usize>,
    /// Whether it is an exact copy of the first of them.
    is_clone: bool,
    /// The rank of the parent whose recipe and state it goes on with.
    continues: Option<usize>,
}

impl<P: Problem> Esgd<'_, P> {
    /// Evolution step `v` of generation `k`; nothing if the run is stopped before it is done.
    pub(crate) fn evolution_step(
        &self,
        strategy: &dyn Strategy,
        mut population: PopulationOf<P>,
        k: usize,
        v: usize,
    ) -> Step<P> {
        match self.evolve(strategy, &population, k, v) {
            Ok(None) => Ok(population),
            Ok(Some(succession)) => {
                population.close_evolution_step(succession);
                Ok(population)
            }
            Err(error) => Err(Box::new(Failure { error, population: Some(population) })),
        }
    }

    /// What the step comes to; `None` if it was stopped.
    fn evolve(
        &self,
        strategy: &dyn Strategy,
        population: &PopulationOf<P>,
        k: usize,
        v: usize,
    ) -> Result<Option<SuccessionOf<P>>, Error<P::Error>> {
        let individuals = population.individuals();
        let scored: Vec<_> = individuals.iter().map(Individual::scored).collect();
        let of = |one: &Individual<_, _>| Parent { id: one.id(), fitness: one.fitness() };
        let parents: Vec<_> = individuals.iter().map(of).collect();
        let operations = strategy.needs(self.settings).operations;
        let fail = |what: String| self.misled(strategy, what);

        // The memory of another strategy is none of its own.
        let own = population.memory().filter(|memory| memory.strategy == strategy.name());
        let begun;
        let memory = match own {
            Some(memory) => memory,
            None => {
                let nothing = Memory::new(strategy.name());
                let builder = Builder::new(&self.evaluator, &scored, &nothing, &operations);
                let view = View::new(self.settings, k, v, &parents, &nothing.numbers);
                let memo = strategy.begin(&view.with_networks(&builder));
                let mut built = Built::default();
                begun = self.remember(&builder, &mut built, memo, strategy)?;
                &begun
            }
        };
        let builder = Builder::new(&self.evaluator, &scored, memory, &operations);
        let view = View::new(self.settings, k, v, &parents, &memory.numbers);
        let view = view.with_networks(&builder);

        // Generate the offspring population Ψ_λ and score it.
        let plans = strategy.ask(&view);
        let Some(offspring) = self.score(&builder, plans, &view)? else { return Ok(None) };

        let fitness: Vec<_> = offspring.iter().map(ScoredPlan::fitness).collect();
        let Next { survivors, mu, memo, end } = strategy.tell(&view, &fitness);
        let mu = mu.unwrap_or(individuals.len());
        if !(self.settings.m..=individuals.len()).contains(&mu) {
            return Err(fail(format!(
                "asks for a population of {mu}: expected m = {} to {}",
                self.settings.m,
                individuals.len()
            )));
        }
        let key = view.key(Purpose::Survivors, 0);
        let selected = self.select(strategy, population, &offspring, &survivors, mu, key)?;

        // Build what survives, what the archive wants, and what others are made of.
        let heirs: &[Heir] = if let Survivors::Chosen(heirs) = &survivors { heirs } else { &[] };
        let mut built = Built::default();
        let mut wanted: BTreeSet<usize> = population.wanted(&offspring, k, v).into_iter().collect();
        wanted.extend(selected.survivors().iter().filter_map(|survivor| match *survivor {
            Survivor::Offspring(i) => Some(i),
            Survivor::Heir(place) => heirs[place].theta.offspring(),
            Survivor::Parent(_) => None,
        }));
        let sources = memo.make.iter().flat_map(|make| &make.plan.sources);
        let remembered = memo.remember.iter().map(|(_, source)| source);
        wanted.extend(sources.chain(remembered).filter_map(Source::offspring));
        if let Some(i) = wanted.iter().find(|i| **i >= offspring.len()) {
            return Err(fail(format!("names offspring {i} of {}", offspring.len())));
        }
        let again = work::try_map(self.executor, wanted.into_iter().collect(), |_, i| {
            Ok::<_, Error<_>>((i, builder.build_scored(&offspring[i])?))
        })?;
        built.offspring = again.into_iter().collect();
        let makes = memo.make.clone();
        let memory = self.remember(&builder, &mut built, memo, strategy)?;
        for scored in built.made.iter().filter_map(|made| made.scored()) {
            self.observer.offspring(scored.fitness());
        }

        let newborn = self.newborn(strategy, &scored, &offspring, &makes, &built, heirs, &selected);
        let newcomers = newborn?.into_iter().map(|one| self.newcomer(population, one, &view));
        let newcomers: Vec<_> = newcomers.collect();
        let entry = |index: usize, scored: &Scored<P::Genome>| Entry {
            scored: scored.clone(),
            id: Id { generation: k, step: v, index },
            at: (k, 0),
            hyper: None,
        };
        let born = built.offspring.iter().map(|(i, scored)| entry(*i, scored));
        let made = built
            .made
            .iter()
            .enumerate()
            .filter_map(|(i, made)| Some(entry(offspring.len() + i, made.scored()?)));
        let archived: Vec<_> = born.chain(made).collect();
        let made = makes.iter().zip(&built.made).enumerate();
        let extra: Vec<_> = made
            .filter_map(|(i, (make, made))| {
                Some(Extra::of(i, &make.plan, made.scored()?.fitness()))
            })
            .collect();
        let evaluations = offspring.len() + extra.len();
        let ids = individuals.iter().map(Individual::id).collect();
        let exit = match survivors {
            Survivors::Elitist => trace::Exit::Elitist,
            Survivors::Replace(pairs) => trace::Exit::Replacement(pairs),
            Survivors::Chosen(heirs) => trace::Exit::Free { heirs, made: makes.len() },
        };
        let evolved = Evolved::of(ids, &offspring, extra, exit, &selected);
        let memory = (!memory.is_empty()).then_some(memory);
        Ok(Some(Succession {
            selected,
            newcomers,
            scored: archived,
            evaluations,
            memory,
            end,
            evolved,
        }))
    }

    /// Scores all offspring; `None` if it was stopped. Of several processes each scores its share.
    fn score(
        &self,
        builder: &Builder<'_, P>,
        plans: Vec<Plan>,
        view: &View<'_>,
    ) -> Result<Option<Vec<ScoredPlan>>, Error<P::Error>> {
        let scored = work::try_map(self.executor, plans.clone(), |i, plan| {
            if !self.is_own(i) || self.interrupted() {
                return Ok(None);
            }
            let one = builder.score_plan(plan)?;
            self.observer.offspring(one.fitness());
            Ok::<_, Error<_>>(Some(one))
        });
        match self.processes {
            None => Ok(scored?.into_iter().collect()),
            Some(processes) => self.share_offspring(processes, plans, scored, view),
        }
    }

    /// Sort Ψ_{μ+λ}, select the top m and draw the other μ − m; or what else the strategy says.
    fn select(
        &self,
        strategy: &dyn Strategy,
        population: &PopulationOf<P>,
        offspring: &[ScoredPlan],
        survivors: &Survivors,
        mu: usize,
        key: Key,
    ) -> Result<Selected, Error<P::Error>> {
        let pool = Pool::new(population, offspring);
        let m = self.settings.m;
        match survivors {
            Survivors::Elitist => Ok(pool.select(m, mu, key)),
            Survivors::Replace(pairs) => Ok(pool.replace(pairs)),
            Survivors::Chosen(heirs) => {
                let Some(permission) = population.guard().may_worsen() else {
                    return Err(self.misled(
                        strategy,
                        "chooses survivors freely under strict back-off, which allows only those that are not worse"
                            .into(),
                    ));
                };
                let most = population.individuals().len();
                if !(m..=most).contains(&heirs.len()) {
                    let what =
                        format!("chooses {} survivors: expected m = {m} to {most}", heirs.len());
                    return Err(self.misled(strategy, what));
                }
                let rank = |heir: &&Heir| heir.continues.is_some_and(|rank| rank >= most);
                if let Some(heir) = heirs.iter().find(rank) {
                    let what = format!(
                        "continues the recipe of {:?} of {most} individuals",
                        heir.continues
                    );
                    return Err(self.misled(strategy, what));
                }
                Ok(pool.choose(heirs, permission))
            }
        }
    }

    /// Makes what a memo says, and the memory that follows.
    fn remember(
        &self,
        builder: &Builder<'_, P>,
        built: &mut Built<P::Genome>,
        memo: Memo,
        strategy: &dyn Strategy,
    ) -> Result<Memory<P::Genome>, Error<P::Error>> {
        builder.make(self.executor, &memo.make, built)?;
        if let Some((name, _)) =
            memo.numbers.iter().find(|(_, list)| list.iter().any(|x| !x.is_finite()))
        {
            let what = format!("remembers a number `{name}` that is not finite");
            return Err(self.misled(strategy, what));
        }
        let mut networks = BTreeMap::new();
        for (slot, source) in memo.remember {
            networks.insert(slot, builder.shared(&source, built)?);
        }
        Ok(Memory { strategy: strategy.name().into(), numbers: memo.numbers, networks })
    }

    /// Those of the selected that were no parents.
    #[allow(clippy::too_many_arguments)]
    fn newborn(
        &self,
        strategy: &dyn Strategy,
        parents: &[&Scored<P::Genome>],
        offspring: &[ScoredPlan],
        makes: &[crate::strategy::Make],
        built: &Built<P::Genome>,
        heirs: &[Heir],
        selected: &Selected,
    ) -> Result<Vec<Newborn<P::Genome>>, Error<P::Error>> {
        let mut all = vec![];
        for survivor in selected.survivors() {
            let (source, index, continues) = match *survivor {
                Survivor::Parent(_) => continue,
                Survivor::Offspring(i) => (Source::Offspring(i), i, None),
                Survivor::Heir(place) => {
                    let heir = &heirs[place];
                    (heir.theta.clone(), offspring.len() + makes.len() + place, heir.continues)
                }
            };
            let of = |plan: &Plan| (plan.parents().collect(), plan.clones().is_some());
            let (scored, (ranks, is_clone)) = match &source {
                Source::Parent(rank) => (parents.get(*rank).copied(), (vec![*rank], true)),
                Source::Offspring(i) => (built.offspring.get(i), of(offspring[*i].plan())),
                Source::Made(i) => {
                    let scored = built.made.get(*i).and_then(|made| made.scored());
                    (scored, makes.get(*i).map_or((vec![], false), |make| of(&make.plan)))
                }
                Source::Memory(_) => (None, (vec![], false)),
            };
            let Some(scored) = scored else {
                return Err(
                    self.misled(strategy, format!("lets {source} survive, which has no fitness"))
                );
            };
            let scored = scored.clone();
            all.push(Newborn { index, scored, parents: ranks, is_clone, continues });
        }
        Ok(all)
    }

    /// Gives a newcomer its name, its parents' names, and what it continues or inherits.
    fn newcomer(
        &self,
        population: &PopulationOf<P>,
        newborn: Newborn<P::Genome>,
        view: &View<'_>,
    ) -> Individual<P::Genome, P::State> {
        let Newborn { index, scored, ref parents, is_clone, continues } = newborn;
        let individuals = population.individuals();
        let parents: Vec<_> = parents.iter().filter_map(|&rank| individuals.get(rank)).collect();
        let id = Id { generation: view.k, step: view.v, index };
        let names = parents.iter().map(|one| one.id()).collect();
        if let Some(one) = continues.and_then(|rank| individuals.get(rank)) {
            return Individual::heir(id, names, one, scored);
        }
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
                first.filter(|_| is_clone).and_then(|one| one.state().cloned()),
            ),
        };
        Individual::born(id, names, (recipe, state), scored)
    }

    /// A strategy that asks for what cannot be.
    pub(crate) fn misled(&self, strategy: &dyn Strategy, what: String) -> Error<P::Error> {
        Error::Strategy { name: strategy.name().into(), what }
    }

    /// Whether the problem can build all that the strategy uses.
    pub(crate) fn can_build(&self, strategy: &dyn Strategy) -> Result<(), Error<P::Error>> {
        let Settings { evolution_steps, .. } = *self.settings;
        let needs = strategy.needs(self.settings);
        // A fresh network is the problem's initial one.
        let unknown = |kind: &&OperationKind| {
            **kind != OperationKind::Init && !self.evaluator.problem().builds(kind)
        };
        match needs.operations.iter().find(unknown) {
            Some(kind) if evolution_steps > 0 => Err(self.misled(
                strategy,
                format!("uses the operation {kind}, which this problem cannot build: choose another strategy"),
            )),
            _ => Ok(()),
        }
    }
}
