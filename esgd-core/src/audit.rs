//! An audit of a run from what it reported: whether each population follows from the one before by the steps
//! of Algorithm 1, and the guarded elite from everything that was scored.
//!
//! Nothing is trained or scored again. Settings that a run may change when it goes on, such as λ, are not
//! assumed; μ, m, the guarantee and the seed are.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Effort, Fitness, Id, IndividualReport, Phase, Report, Settings, Source,
    guarantee::{Pool, Survivor},
    rng::{Key, Purpose},
    settings::Way,
    trace::{Evolved, Exit, Trained},
};

/// A population as a report has it, best first.
type Ranked = Vec<(Fitness, Id)>;

/// Reads the reports of a run in their order.
///
/// ```
/// use std::sync::Mutex;
///
/// use esgd_core::{Auditor, Esgd, Function, Observer, TestFunction, Report, Settings};
///
/// #[derive(Default)]
/// struct Log(Mutex<Vec<Report>>);
///
/// impl Observer for Log {
///     fn phase(&self, report: &Report) {
///         self.0.lock().unwrap().push(report.clone());
///     }
/// }
///
/// let problem = TestFunction::new(Function::Sphere, 3);
/// let settings = Settings { optimizers: TestFunction::optimizers(), ..Settings::paper() };
/// let log = Log::default();
/// Esgd::new(&problem, &settings).observer(&log).run().map_err(|failure| failure.error)?;
///
/// let mut auditor = Auditor::new(&settings);
/// for report in log.0.into_inner().unwrap() {
///     assert_eq!(auditor.read(&report), Ok(()));
/// }
/// # Ok::<(), esgd_core::Error<esgd_core::BuildError>>(())
/// ```
#[derive(Debug)]
pub struct Auditor<'a> {
    settings: &'a Settings,
    before: Option<Before>,
    audited: usize,
}

/// What was reported before.
#[derive(Debug)]
struct Before {
    generation: usize,
    population: Ranked,
    /// The best of the initial population.
    anchor: Id,
    elite: Vec<Fitness>,
    effort: Effort,
    parents: BTreeMap<Id, Vec<Id>>,
}

/// What a phase comes to by its own account.
struct Account {
    population: Ranked,
    /// The fitness of everything that an archive was offered.
    scored: Vec<Fitness>,
    spent: Effort,
    /// The parents of those born, and of those before.
    parents: BTreeMap<Id, Vec<Id>>,
}

impl<'a> Auditor<'a> {
    /// An auditor of a run with these settings.
    #[must_use]
    pub fn new(settings: &'a Settings) -> Self {
        Self { settings, before: None, audited: 0 }
    }

    /// How many reports said how they came about. Those of before that was recorded are taken as they are.
    #[must_use]
    pub fn audited(&self) -> usize {
        self.audited
    }

    /// Reads the next report.
    ///
    /// # Errors
    /// What does not follow from what was reported before.
    pub fn read(&mut self, report: &Report) -> Result<(), String> {
        let population: Ranked =
            report.individuals.iter().map(|one| (one.fitness, one.id)).collect();
        let Some(best) = population.first() else { return Err("it has no individuals".into()) };
        let anchor = self.before.as_ref().map_or(best.1, |before| before.anchor);
        match &self.before {
            None => self.begins(report, &population)?,
            Some(before) if !report.trace.is_empty() && !report.trace.partial => {
                self.follows(before, report, &population)?;
                self.audited += 1;
            }
            Some(_) if self.audited > 0 => return Err("it does not say how it came about".into()),
            // It was made before that was recorded.
            Some(_) => {}
        }
        let parents = report.individuals.iter().map(|one| (one.id, one.parents.clone()));
        self.before = Some(Before {
            generation: report.generation,
            population,
            anchor,
            elite: report.elite.clone(),
            effort: report.effort,
            parents: parents.collect(),
        });
        Ok(())
    }

    /// The initial population, of which the best are guarded.
    fn begins(&self, report: &Report, population: &Ranked) -> Result<(), String> {
        let epochs = self.settings.start.epochs();
        if report.effort != (Effort { epochs, ..Effort::default() }) || report.elite_offspring > 0 {
            return Err("it counts more or less than a start takes".into());
        }
        let born = |one: &IndividualReport| one.id.generation == 0 && one.parents.is_empty();
        let first = report.phase == Phase::Start && report.generation == 0;
        if !first || !population.is_sorted() || !report.individuals.iter().all(born) {
            return Err("it is not what a start makes".into());
        }
        same(&report.elite, &self.elite(population))
    }

    /// The guarded elite of a population where that is what is guarded; of an archive what it begins with.
    fn elite(&self, population: &Ranked) -> Vec<Fitness> {
        let anchored =
            self.settings.guarantee.way == Way::BackOff && self.settings.guarantee.anchor;
        let m = if anchored { 1 } else { self.settings.m };
        population.iter().take(m).map(|one| one.0).collect()
    }

    fn follows(&self, before: &Before, report: &Report, population: &Ranked) -> Result<(), String> {
        let tuned = report.phase == Phase::FineTune;
        if report.generation != before.generation + usize::from(!tuned) {
            return Err("it is not of the generation that follows".into());
        }
        let mut account = self.trained(before, &report.trace.trained, tuned)?;
        for (v, evolved) in (1..).zip(&report.trace.evolved) {
            self.evolved(before, &mut account, evolved, report.generation, v)?;
        }
        if account.population != *population {
            return Err("its population is not what its steps lead to".into());
        }
        for one in &report.individuals {
            if account.parents.get(&one.id) != Some(&one.parents) {
                return Err(format!("{} has other parents than when it was made", one.id));
            }
        }
        let born_now = |one: &&IndividualReport| !tuned && one.id.generation == report.generation;
        let best = report.individuals.iter().take(self.settings.m);
        if report.elite_offspring != best.filter(born_now).count() {
            return Err("it counts other offspring among the best than there are".into());
        }
        let spent = Effort {
            epochs: report.effort.epochs.saturating_sub(before.effort.epochs),
            backed_off: report.effort.backed_off.saturating_sub(before.effort.backed_off),
            offspring: report.effort.offspring.saturating_sub(before.effort.offspring),
        };
        // Where back-off may be relaxed the same fitness may be reached with and without.
        let relaxed = self.settings.guarantee.anchor;
        let backed_off = if relaxed { spent.backed_off } else { account.spent.backed_off };
        if spent != (Effort { backed_off, ..account.spent }) {
            return Err("what was spent is not what its steps took".into());
        }
        let elite = match self.settings.guarantee.way {
            Way::Archive => {
                let mut all = [&before.elite[..], &account.scored].concat();
                all.sort();
                all.truncate(self.settings.m);
                all
            }
            Way::BackOff => self.elite(population),
        };
        same(&report.elite, &elite)
    }

    /// The SGD step.
    fn trained(
        &self,
        before: &Before,
        trained: &[Trained],
        tuned: bool,
    ) -> Result<Account, String> {
        let known: BTreeMap<Id, Fitness> =
            before.population.iter().map(|&(fitness, id)| (id, fitness)).collect();
        let ids: BTreeSet<Id> = trained.iter().map(|one| one.id).collect();
        if ids.len() != trained.len() || !ids.iter().eq(known.keys()) {
            return Err("those that trained are not the population before".into());
        }
        let (mut scored, mut spent) = (vec![], Effort::default());
        for one in trained {
            let from = known.get(&one.id).copied().unwrap_or(Fitness::WORST);
            let ends = self.may_get_worse(before, one.id, tuned).iter().find_map(|&free| {
                let (fitness, backed_off) = after(from, &one.epochs, free);
                (fitness == one.fitness).then_some(backed_off)
            });
            let Some(backed_off) = ends else {
                return Err(format!("the epochs of {} do not lead to its fitness", one.id));
            };
            spent.epochs += one.epochs.len();
            spent.backed_off += backed_off;
            scored.extend(&one.epochs);
        }
        let population: Ranked = trained.iter().map(|one| (one.fitness, one.id)).collect();
        if !population.is_sorted() {
            return Err("those that trained are not in order of fitness".into());
        }
        Ok(Account { population, scored, spent, parents: before.parents.clone() })
    }

    /// Whether epochs may have made an individual worse: as the guarantee has it, or either.
    fn may_get_worse(&self, before: &Before, id: Id, tuned: bool) -> &'static [bool] {
        let guarantee = &self.settings.guarantee;
        match guarantee.way {
            _ if tuned => &[false],
            Way::Archive => &[true],
            // How likely that is may have changed since.
            Way::BackOff if guarantee.anchor && id != before.anchor => &[false, true],
            Way::BackOff => &[false],
        }
    }

    /// Evolution step `v` of generation `k`.
    fn evolved(
        &self,
        before: &Before,
        account: &mut Account,
        evolved: &Evolved,
        k: usize,
        v: usize,
    ) -> Result<(), String> {
        let guarantee = &self.settings.guarantee;
        let fault = |what: &str| Err(format!("in its evolution step {v} {what}"));
        if !evolved.population.iter().eq(account.population.iter().map(|(_, id)| id)) {
            return fault("parents are drawn from another population");
        }
        let mu = account.population.len();
        let offspring: Vec<Fitness> = evolved.offspring().collect();
        let sources: Vec<&Vec<Source>> =
            evolved.made.iter().flat_map(|made| made.sources.iter()).collect();
        let all = sources.iter().copied().chain(evolved.extra.iter().map(|extra| &extra.sources));
        let mut ranks = all.flatten().filter_map(Source::rank);
        if sources.len() != offspring.len() || ranks.any(|rank| rank >= mu) {
            return fault("an offspring has no parents, or one that is not there");
        }
        let anchor = account.population.iter().position(|one| one.1 == before.anchor);
        let anchor = anchor.filter(|_| guarantee.way == Way::BackOff && guarantee.anchor);
        let key =
            Key::new(self.settings.seed, Purpose::Survivors).generation(k).step(v).individual(0);
        let Some(survivors) = self.survivors(account, &offspring, evolved, anchor, key) else {
            return fault("survivors are chosen as the guarantee does not allow");
        };
        let place = |survivor: &Survivor| match *survivor {
            Survivor::Parent(rank) => rank,
            Survivor::Offspring(i) => mu + i,
            Survivor::Heir(place) => mu + offspring.len() + place,
        };
        if !survivors.iter().map(place).eq(evolved.survivors.iter().copied()) {
            return fault("others survived than were selected");
        }
        let mut next = Ranked::new();
        for survivor in survivors {
            let (source, index) = match survivor {
                Survivor::Parent(rank) => {
                    next.push(account.population[rank]);
                    continue;
                }
                Survivor::Offspring(i) => (Source::Offspring(i), i),
                Survivor::Heir(place) => match &evolved.exit {
                    Exit::Free { heirs, made } => {
                        (heirs[place].theta.clone(), offspring.len() + made + place)
                    }
                    _ => return fault("others survived than were selected"),
                },
            };
            let extra = |i: usize| evolved.extra.iter().find(|extra| extra.number == i);
            let found = match &source {
                Source::Parent(rank) => {
                    account.population.get(*rank).map(|one| (one.0, vec![source.clone()]))
                }
                Source::Offspring(i) => {
                    offspring.get(*i).map(|fitness| (*fitness, sources[*i].clone()))
                }
                Source::Made(i) => extra(*i).map(|extra| (extra.fitness, extra.sources.clone())),
                Source::Memory(_) => None,
            };
            let Some((fitness, of)) = found else { return fault("a survivor has no fitness") };
            let id = Id { generation: k, step: v, index };
            let parents = of.iter().filter_map(Source::rank).map(|rank| account.population[rank].1);
            account.parents.insert(id, parents.collect());
            next.push((fitness, id));
        }
        next.sort();
        account.population = next;
        account.scored.extend(&offspring);
        account.scored.extend(evolved.extra.iter().map(|extra| extra.fitness));
        account.spent.offspring += offspring.len() + evolved.extra.len();
        Ok(())
    }

    /// Who survives a step by the way that it names, if the guarantee allows that.
    fn survivors(
        &self,
        account: &Account,
        offspring: &[Fitness],
        evolved: &Evolved,
        anchor: Option<usize>,
        key: Key,
    ) -> Option<Vec<Survivor>> {
        let Settings { m, ref guarantee, .. } = *self.settings;
        let fitness: Vec<_> = account.population.iter().map(|one| one.0).collect();
        let sizes = m + usize::from(anchor.is_some())..=fitness.len();
        let pool = Pool::of(fitness, offspring.to_vec(), anchor);
        match &evolved.exit {
            Exit::Elitist => {
                let mu = evolved.survivors.len();
                sizes.contains(&mu).then(|| pool.select(m, mu, key).survivors().to_vec())
            }
            Exit::Replacement(pairs) => Some(pool.replace(pairs).survivors().to_vec()),
            Exit::Free { heirs, .. } => {
                let may = !guarantee.is_strict() && sizes.contains(&heirs.len());
                may.then(|| pool.chosen(heirs))
            }
        }
    }
}

/// The fitness after epochs that reached these, from `from`, and how many were taken back.
fn after(from: Fitness, epochs: &[Fitness], free: bool) -> (Fitness, usize) {
    epochs.iter().fold((from, 0), |(now, backed_off), &reached| {
        let diverged = !reached.is_finite() && now.is_finite();
        match diverged || (!free && reached > now) {
            true => (now, backed_off + 1),
            false => (reached, backed_off),
        }
    })
}

fn same(reported: &[Fitness], derived: &[Fitness]) -> Result<(), String> {
    match reported == derived {
        true => Ok(()),
        false => Err("the guarded elite is not the best of what was scored".into()),
    }
}
