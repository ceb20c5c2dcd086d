//! Mistakes that public re-implementations of ESGD make.

mod support;

use std::{
    collections::{BTreeSet, HashSet},
    convert::Infallible,
    sync::Mutex,
};

use esgd_core::{
    Esgd, Hyperparameters, Objective, Operation, Problem, Serial, Settings, TestFunction, rng::Key,
    settings::MutationSettings,
};
use support::{
    Event, generations,
    saboteur::{Saboteur, Told, Trained, bits},
    small, watch,
};

/// (a) No back-off.
#[test]
fn training_that_only_does_harm_changes_nothing() {
    let settings = Settings { evolution_steps: 0, ..small() };
    let (ended, log) = watch(&Saboteur::new(Told::Honestly, Trained::ToPieces), &settings, &Serial);
    let reports = log.reports();
    let fitness = |i: usize| reports[i].individuals.iter().map(|one| (one.id, one.fitness));
    for i in 1..reports.len() {
        assert!(fitness(i).eq(fitness(0)));
    }
    let population = ended.unwrap().population;
    let epochs = settings.mu * (settings.generations * settings.epochs + settings.fine_tune.epochs);
    assert_eq!((population.effort().epochs, population.effort().backed_off), (epochs, epochs));
    assert!(
        population.individuals().iter().all(|one| one
            .scored()
            .theta()
            .iter()
            .all(|x| x.abs() < 2.0))
    );
}

/// Four networks with losses 1, 10, 100 and 1000 that training does not change; it writes down who
/// becomes a parent.
#[derive(Debug, Default)]
struct Unequal {
    born: Mutex<u32>,
    parents: Mutex<Vec<f64>>,
}

impl Problem for Unequal {
    type Genome = f64;
    type State = ();
    type Error = Infallible;

    fn objective(&self) -> Objective {
        Objective::new("itself")
    }
    fn init(&self, _: Key) -> Result<f64, Infallible> {
        let mut born = self.born.lock().unwrap();
        *born += 1;
        Ok(10f64.powi(*born as i32 - 1))
    }
    fn fork(&self, theta: &f64) -> Result<f64, Infallible> {
        Ok(*theta)
    }
    fn state(&self, _: &f64, _: &Hyperparameters) -> Result<(), Infallible> {
        Ok(())
    }
    fn epoch(
        &self,
        _: &mut f64,
        (): &mut (),
        _: &Hyperparameters,
        _: Key,
    ) -> Result<(), Infallible> {
        Ok(())
    }
    fn fitness(&self, theta: &f64) -> Result<f64, Infallible> {
        Ok(*theta)
    }
    fn build(&self, _: &Operation, parents: &[&f64], _: Key) -> Result<f64, Infallible> {
        self.parents.lock().unwrap().extend(parents.iter().copied());
        Ok(1e9)
    }
}

/// (b) Parents drawn uniformly.
#[test]
fn better_individuals_become_parents_more_often() {
    let problem = Unequal::default();
    let settings = Settings {
        generations: 5,
        evolution_steps: 1,
        m: 4,
        lambda: 1000,
        optimizers: TestFunction::optimizers(),
        ..small()
    };
    Esgd::new(&problem, &settings).run().unwrap();
    let parents = problem.parents.into_inner().unwrap();
    assert_eq!(parents.len(), 5 * 1000 * settings.rho);
    let n = parents.len() as f64;
    for loss in [1.0, 10.0, 100.0, 1000.0] {
        let drawn = parents.iter().filter(|&&parent| parent == loss).count() as f64;
        let p = (1.0 / loss) / 1.111;
        let deviation = (n * p * (1.0 - p)).sqrt();
        assert!((drawn - n * p).abs() < 4.0 * deviation, "{drawn} of {n} with p = {p}");
    }
}

/// (c) Survivors drawn with replacement.
#[test]
fn nobody_survives_twice_and_no_network_is_trained_twice() {
    let settings = Settings { generations: 10, mu: 8, m: 2, lambda: 5, epochs: 1, ..small() };
    for seed in 0..20 {
        let settings = Settings { seed, ..settings.clone() };
        let (ended, log) = watch(&Saboteur::new(Told::Honestly, Trained::Well), &settings, &Serial);
        for report in log.reports() {
            let ids: BTreeSet<_> = report.individuals.iter().map(|one| one.id).collect();
            assert_eq!(ids.len(), settings.mu);
        }
        let population = ended.unwrap().population;
        let thetas: HashSet<_> =
            population.individuals().iter().map(|one| bits(one.scored().theta())).collect();
        assert_eq!(thetas.len(), settings.mu, "two of them share one network");
        let mut trained = HashSet::new();
        for event in log.events() {
            if let Event::Epoch { k, id, .. } = event {
                assert!(trained.insert((k, id)), "{id} was trained twice in generation {k}");
            }
        }
    }
}

/// (c) The μ best survive, where only m are to and the others are drawn.
#[test]
fn beside_the_elite_some_survive_that_are_not_the_best() {
    let settings =
        Settings { generations: 10, evolution_steps: 1, mu: 6, m: 1, lambda: 40, ..small() };
    let (_, log) = watch(&Saboteur::new(Told::AtRandom, Trained::Not), &settings, &Serial);
    let mut scored = vec![];
    let mut lucky = 0;
    for event in log.events() {
        match event {
            Event::Epoch { .. } => {}
            Event::Offspring(fitness) => scored.push(fitness),
            Event::Phase(report) => {
                let worst = report.individuals[settings.mu - 1].fitness;
                let better = scored.iter().filter(|&&fitness| fitness < worst).count();
                lucky += usize::from(better >= settings.mu);
                scored.clear();
            }
        }
    }
    assert!(lucky >= 5, "only {lucky} of 10 selections kept one that is not among the best");
}

/// (c) Survivors drawn with replacement, where there is nothing to draw from but the parents.
#[test]
fn without_offspring_everybody_stays() {
    let settings = Settings { lambda: 0, mu: 6, m: 1, ..small() };
    let (_, log) = watch(&Saboteur::new(Told::Rising, Trained::Somehow), &settings, &Serial);
    let ids = |i: usize| -> BTreeSet<_> {
        log.reports()[i].individuals.iter().map(|one| one.id).collect()
    };
    assert!((1..log.reports().len()).all(|i| ids(i) == ids(0)));
}

/// (d) The second evolution step repeats the first.
#[test]
fn every_evolution_step_begins_where_the_last_one_ended() {
    let settings = Settings { generations: 4, lambda: 10, mu: 6, m: 4, ..small() };
    let (ended, log) = watch(&Saboteur::new(Told::Honestly, Trained::Not), &settings, &Serial);
    let effort = ended.unwrap().population.effort();
    assert_eq!(effort.offspring, 10 * 2 * 4);
    let fitness: Vec<_> = log
        .events()
        .into_iter()
        .filter_map(|e| if let Event::Offspring(f) = e { Some(f.get().to_bits()) } else { None })
        .collect();
    assert_eq!(fitness.iter().collect::<HashSet<_>>().len(), fitness.len(), "offspring twice");
    let reports = log.reports();
    let second: Vec<_> = generations(&reports)
        .into_iter()
        .flat_map(|report| &report.individuals)
        .filter(|one| one.id.step == 2)
        .collect();
    let of_the_same_generation = second.iter().any(|one| {
        one.parents.iter().any(|parent| parent.step == 1 && parent.generation == one.id.generation)
    });
    assert!(of_the_same_generation, "no newborn of the first step became a parent in the second");
}

/// (d) The same random numbers for every step, generation or individual.
#[test]
fn no_random_number_is_used_twice() {
    let mutation = MutationSettings { sigma: 0.5, ..small().mutation };
    let settings = Settings { m: 4, mutation, ..small() };
    // All offspring are worse than all parents, so none is built a second time.
    let problem = Saboteur::new(Told::WorseAfter(settings.mu), Trained::Not);
    let (ended, log) = watch(&problem, &settings, &Serial);
    assert!(ended.is_ok());
    assert!(log.reports()[3].individuals.iter().all(|one| one.id.generation == 0));
    let keys = problem.keys();
    // Birth; epochs of three generations and fine-tuning; offspring.
    assert_eq!(keys.len(), 4 + 4 * (3 * 2 + 1) + 7 * 2 * 3);
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
    let words: HashSet<_> = keys.iter().map(|key| key.block(0)).collect();
    assert_eq!(words.len(), keys.len());
}
