//! The evolution step of Algorithm 1: a strategy is asked for offspring, by eq. 12 or another way, they are
//! scored, and the strategy is told; then the next population is selected from μ ∪ λ.
//!
//! Offspring are scored as a stream: each is built from its plan, scored and dropped, so no more
//! of them exist at a time than the executor has workers. Only those that survive, that the archive wants or
//! that others are made of are built again. The parents stay until all newcomers are there, so that an error
//! loses nobody.

use std::collections::BTreeSet;

use super::{
    PopulationOf, Step,
    building::{Builder, Built, Made},
    succession::Evolution,
};
use crate::{
    Error, Esgd, Failure, Fitness, Individual, Memory, Problem, Source,
    guarantee::{Pool, ScoredPlan, Selected, Succession, Survivor},
    plan::OperationKind,
    rng::{Key, Purpose},
    settings::Settings,
    strategy::{Heir, Next, Parent, Replacement, Strategy, Survivors, View},
    trace::{self, Evolved},
    work,
};

type SuccessionOf<P> = Succession<<P as Problem>::Genome, <P as Problem>::State>;

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
        // The memory of another strategy is none of its own.
        let nothing = Memory::new(strategy.name());
        let own = population.memory().filter(|memory| memory.strategy == strategy.name());
        let begun;
        let memory = match own {
            Some(memory) => memory,
            None => {
                let builder = Builder::new(&self.evaluator, &scored, &nothing, &operations);
                let view = View::new(self.settings, k, v, &parents, &nothing.numbers);
                let memo = strategy.begin(&view.with_networks(&builder));
                if memo.make.iter().any(|make| make.scored) {
                    let what = "has a network scored before its first step: it may after it";
                    return Err(self.misled(strategy, what.into()));
                }
                let mut built = Built::default();
                builder.make(self.executor, &memo.make, &mut built)?;
                begun = builder.remember(memo, &built)?;
                &begun
            }
        };
        let builder = Builder::new(&self.evaluator, &scored, memory, &operations);
        let view = View::new(self.settings, k, v, &parents, &memory.numbers);
        let view = view.with_networks(&builder);

        // Generate the offspring population Ψ_λ and score it.
        let plans = strategy.ask(&view);
        let step = work::Step::Offspring(k, v);
        let measured = self.measure(step, &view, plans.len(), |i| match self.interrupted() {
            true => Ok(None),
            false => builder.measure(&plans[i]).map(Some),
        })?;
        let Some(measured) = measured else { return Ok(None) };
        let offspring = plans.into_iter().zip(measured);
        let offspring: Vec<_> = offspring.map(|(plan, f)| ScoredPlan::measured(plan, f)).collect();

        let fitness: Vec<_> = offspring.iter().map(ScoredPlan::fitness).collect();
        let Next { survivors, mu, memo, end } = strategy.tell(&view, &fitness);
        let mu = mu.unwrap_or(individuals.len());
        let key = view.key(Purpose::Survivors, 0);
        let selected = self.select(strategy, population, &offspring, &survivors, mu, key)?;

        // Build what survives, what the archive wants, and what others are made of.
        let mut wanted: BTreeSet<usize> = population.wanted(&offspring, k, v).into_iter().collect();
        wanted.extend(offspring_among(&selected, &survivors));
        let sources = memo.make.iter().flat_map(|make| &make.plan.sources);
        let remembered = memo.remember.iter().map(|(_, source)| source);
        wanted.extend(sources.chain(remembered).filter_map(Source::offspring));
        if let Some(i) = wanted.iter().find(|i| **i >= offspring.len()) {
            let what = format!("names offspring {i} of {}", offspring.len());
            return Err(self.misled(strategy, what));
        }
        let again = work::try_map(self.executor, wanted.into_iter().collect(), |_, i| {
            Ok::<_, Error<_>>((i, builder.build_scored(&offspring[i])?))
        })?;
        let mut built = Built { offspring: again.into_iter().collect(), made: vec![] };
        let makes = memo.make.clone();
        builder.make(self.executor, &makes, &mut built)?;
        // All are made before the first is scored, so that processes exchange fitness once.
        let to_score = (0..makes.len()).filter(|i| makes[*i].scored);
        let to_score: Vec<_> = to_score.map(|i| (i, built.made[i].shared())).collect();
        let step = work::Step::Made(k, v);
        let measured = self.measure(step, &view, to_score.len(), |place| {
            self.evaluator.measure(&to_score[place].1).map(Some)
        })?;
        let Some(measured) = measured else { return Ok(None) };
        for ((i, theta), fitness) in to_score.into_iter().zip(measured) {
            built.made[i] = Made::Scored(self.evaluator.scored(theta, fitness));
        }
        let memory = builder.remember(memo, &built)?;
        let memory = (!memory.is_empty()).then_some(memory);

        let evolution: Evolution<'_, P> =
            Evolution { population, view, offspring: &offspring, makes: &makes, built: &built };
        let newcomers = evolution.newcomers(&selected, &survivors);
        let newcomers = newcomers.map_err(|what| self.misled(strategy, what))?;
        let extra = evolution.extra();
        let evaluations = offspring.len() + extra.len();
        let ids = individuals.iter().map(Individual::id).collect();
        let scored = evolution.entries();
        let exit = match survivors {
            Survivors::Elitist => trace::Exit::Elitist,
            Survivors::Replace(pairs) => trace::Exit::Replacement(pairs),
            Survivors::Chosen(heirs) => trace::Exit::Free { heirs, made: makes.len() },
        };
        let evolved = Evolved::of(ids, &offspring, extra, exit, &selected);
        let succession =
            Succession { selected, newcomers, scored, evaluations, memory, end, evolved };
        Ok(Some(succession))
    }

    /// The fitness of `n` networks, each as `measure` finds it; `None` if it left one out for a stop. Of several
    /// processes each measures its share.
    fn measure(
        &self,
        step: work::Step,
        view: &View<'_>,
        n: usize,
        measure: impl Fn(usize) -> Result<Option<Fitness>, Error<P::Error>> + Sync,
    ) -> Result<Option<Vec<Fitness>>, Error<P::Error>> {
        let mine = work::try_map(self.executor, (0..n).collect(), |_, i| {
            let fitness = if self.is_own(i) { measure(i)? } else { None };
            fitness.into_iter().for_each(|fitness| self.observer.offspring(fitness));
            Ok(fitness)
        });
        match self.processes {
            // There is nothing to tell of nothing.
            Some(processes) if n > 0 => self.share_fitness(processes, step, view, n, mine),
            _ => Ok(mine?.into_iter().collect()),
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
        let (m, most) = (self.settings.m, population.individuals().len());
        // An anchor takes no place of the elite's.
        let least = m + usize::from(population.anchor_rank().is_some());
        if !(least..=most).contains(&mu) {
            let what = format!("asks for a population of {mu}: expected {least} to {most}");
            return Err(self.misled(strategy, what));
        }
        match survivors {
            Survivors::Elitist => Ok(pool.select(m, mu, key)),
            Survivors::Replace(pairs) => {
                let is_there =
                    |pair: &Replacement| pair.parent < most && pair.offspring < offspring.len();
                match pairs.iter().find(|pair| !is_there(pair)) {
                    None => Ok(pool.replace(pairs)),
                    Some(Replacement { parent, offspring }) => {
                        let what = format!(
                            "replaces parent {parent} by offspring {offspring}, of which one is not there"
                        );
                        Err(self.misled(strategy, what))
                    }
                }
            }
            Survivors::Chosen(heirs) => {
                let Some(permission) = population.guard().may_worsen() else {
                    return Err(self.misled(
                        strategy,
                        "chooses survivors freely under strict back-off, which allows only those that are not worse"
                            .into(),
                    ));
                };
                if !(least..=most).contains(&heirs.len()) {
                    let what =
                        format!("chooses {} survivors: expected {least} to {most}", heirs.len());
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

/// The offspring that survive, or whose θ does.
fn offspring_among(selected: &Selected, survivors: &Survivors) -> Vec<usize> {
    let of = |survivor: &Survivor| match (*survivor, survivors) {
        (Survivor::Offspring(i), _) => Some(i),
        (Survivor::Heir(place), Survivors::Chosen(heirs)) => heirs.get(place)?.theta.offspring(),
        _ => None,
    };
    selected.survivors().iter().filter_map(of).collect()
}
