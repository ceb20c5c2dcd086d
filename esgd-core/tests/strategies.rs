//! What a strategy may ask for, and what comes of it: an end, a smaller population, fresh networks, a memory that
//! is there from the first step; and what it may not.

mod support;

use std::sync::Mutex;

use esgd_core::{
    Auditor, Error, Esgd, Fitness, Function, Memo, Next, Observer, Operation, OperationKind, Plan,
    Settings, Source, Strategy, TestFunction, View,
    rng::Purpose,
    settings::{FineTune, Guarantee, Way},
    strategy::{Exit, Heir, Needs, Replacement, Survivors},
};
use support::{Log, small};

/// A strategy of closures.
struct Any<'a> {
    exit: Exit,
    begin: &'a (dyn Fn(&View<'_>) -> Memo + Sync),
    tell: &'a (dyn Fn(&View<'_>, &[Fitness]) -> Next + Sync),
}

impl Strategy for Any<'_> {
    fn name(&self) -> &str {
        "any"
    }

    fn needs(&self, settings: &Settings) -> Needs {
        Needs {
            evaluations: settings.lambda,
            networks: 3,
            operations: vec![OperationKind::Combine, OperationKind::Init, OperationKind::Values],
            exit: self.exit,
        }
    }

    fn begin(&self, view: &View<'_>) -> Memo {
        (self.begin)(view)
    }

    fn ask(&self, view: &View<'_>) -> Vec<Plan> {
        let fresh = |i| Plan {
            operation: Operation::Init,
            sources: vec![],
            key: view.key(Purpose::Init, i),
        };
        (0..view.settings.lambda).map(fresh).collect()
    }

    fn tell(&self, view: &View<'_>, offspring: &[Fitness]) -> Next {
        (self.tell)(view, offspring)
    }
}

fn nothing(_: &View<'_>) -> Memo {
    Memo::default()
}

fn archived() -> Settings {
    let guarantee = Guarantee { way: Way::Archive, ..small().guarantee };
    let fine_tune = FineTune { epochs: 0, ..small().fine_tune };
    Settings { guarantee, generations: 6, fine_tune, ..small() }
}

fn problem() -> TestFunction {
    TestFunction::new(Function::Rosenbrock, 3)
}

/// Hears why a run ends.
#[derive(Default)]
struct Ends(Mutex<Vec<(usize, String)>>);

impl Observer for Ends {
    fn strategy_ended(&self, k: usize, why: &str) {
        self.0.lock().unwrap().push((k, why.to_owned()));
    }
}

#[test]
fn a_strategy_ends_the_generations_and_fine_tuning_follows() {
    let tell = |view: &View<'_>, _: &[Fitness]| {
        let end = |why: &str| Some(why.to_owned());
        // The first reason stays, and the generation comes to its end.
        let end = match (view.k, view.v) {
            (2, 1) => end("it is good enough"),
            (2, _) => end("another reason"),
            _ => None,
        };
        Next { end, ..Next::elitist() }
    };
    let strategy = Any { exit: Exit::Elitist, begin: &nothing, tell: &tell };
    let fine_tune = FineTune { epochs: 1, ..small().fine_tune };
    let settings = Settings { evolution_steps: 2, fine_tune, ..archived() };
    let (problem, ends, log) = (problem(), Ends::default(), Log::default());
    let esgd = Esgd::new(&problem, &settings).strategy(&strategy);
    let run = esgd.observer(&ends).run().unwrap();
    assert_eq!(run.population.generation(), 2);
    assert_eq!(run.population.ended(), Some("it is good enough"));
    assert_eq!(*ends.0.lock().unwrap(), [(2, "it is good enough".to_owned())]);
    // It goes on to nothing.
    let again = Esgd::new(&problem, &settings).strategy(&strategy).observer(&log);
    let again = again.resume(run.population).unwrap();
    assert_eq!((again.population.generation(), log.reports().len()), (2, 0));
}

#[test]
fn a_population_may_shrink_to_its_elite() {
    let tell = |view: &View<'_>, _: &[Fitness]| {
        let mu = view.parents.len().saturating_sub(1).max(view.settings.m);
        Next { mu: Some(mu), ..Next::elitist() }
    };
    let strategy = Any { exit: Exit::Elitist, begin: &nothing, tell: &tell };
    let (problem, log) = (problem(), Log::default());
    let settings = Settings { mu: 4, m: 2, ..archived() };
    let esgd = Esgd::new(&problem, &settings).strategy(&strategy).observer(&log);
    assert_eq!(esgd.run().unwrap().population.individuals().len(), 2);
    let mut auditor = Auditor::new(&settings);
    log.reports().iter().for_each(|report| auditor.read(report).unwrap());

    // An anchor takes no place of the elite's.
    let guarantee = Guarantee { way: Way::BackOff, anchor: true, ..small().guarantee };
    let anchored = Settings { guarantee, m: 2, ..settings };
    let tell =
        |view: &View<'_>, _: &[Fitness]| Next { mu: Some(view.settings.m), ..Next::elitist() };
    let strategy = Any { exit: Exit::Elitist, begin: &nothing, tell: &tell };
    let failure = Esgd::new(&problem, &anchored).strategy(&strategy).run().unwrap_err();
    assert!(failure.error.to_string().contains("expected 3 to 4"), "{}", failure.error);
}

#[test]
fn what_cannot_be_is_one_sentence_and_loses_nobody() {
    let plan = |sources| Plan {
        operation: Operation::weighted([1.0]),
        sources,
        key: esgd_core::rng::Key::new(1, Purpose::Mutation),
    };
    let chosen = |theta: Source, n: usize| {
        let heir = Heir { theta, continues: None };
        Next::of(Survivors::Chosen(vec![heir; n]))
    };
    let made = |sources, remember: Option<Source>| {
        let mut memo = Memo::default();
        memo.make(plan(sources));
        memo.remember.extend(remember.map(|source| ("x".to_owned(), source)));
        Next::elitist().with(memo)
    };
    let numbers = Memo { numbers: [("n".to_owned(), vec![f64::NAN])].into(), ..Memo::default() };
    let values = Plan { operation: Operation::Values(vec![1.0]), ..plan(vec![Source::Parent(0)]) };
    let mut odd = Memo::default();
    odd.make(values);
    let replaced = Survivors::Replace(vec![Replacement { parent: 9, offspring: 0 }]);
    let cases = [
        (chosen(Source::memory("x"), 3), "memory/x survive, which has no fitness"),
        (chosen(Source::Parent(0), 0), "chooses 0 survivors: expected 2 to 4"),
        (chosen(Source::Parent(9), 3), "parent/9 survive"),
        (chosen(Source::Offspring(99), 3), "names offspring 99"),
        (made(vec![Source::Made(0)], None), "makes network 0 of itself"),
        (made(vec![Source::Parent(0), Source::Parent(1)], None), "1 weights for 2 sources"),
        (made(vec![Source::Parent(0)], Some(Source::Made(1))), "names made/1"),
        (Next::elitist().with(numbers), "`n` that is not finite"),
        (Next::elitist().with(odd), "1 values were given for a network of 3"),
        (Next { mu: Some(1), ..Next::elitist() }, "a population of 1"),
        (Next::of(replaced), "replaces parent 9"),
    ];
    let (problem, settings) = (problem(), Settings { mu: 4, m: 2, ..archived() });
    for (next, expected) in cases {
        let tell = |_: &View<'_>, _: &[Fitness]| next.clone();
        let strategy = Any { exit: Exit::Free, begin: &nothing, tell: &tell };
        let failure = Esgd::new(&problem, &settings).strategy(&strategy).run().unwrap_err();
        let message = failure.error.to_string();
        assert!(message.contains(expected) && !message.contains('\n'), "{expected}: {message}");
        assert_eq!(failure.population.unwrap().individuals().len(), 4);
    }

    // What was said before the run is held to.
    let tell = |_: &View<'_>, _: &[Fitness]| {
        let mut memo = Memo::default();
        memo.make(Plan { operation: Operation::Product, ..plan(vec![Source::Parent(0); 2]) });
        Next::elitist().with(memo)
    };
    let strategy = Any { exit: Exit::Elitist, begin: &nothing, tell: &tell };
    let failure = Esgd::new(&problem, &settings).strategy(&strategy).run().unwrap_err();
    assert!(failure.error.to_string().contains("product, which it did not name"));
    let strict = Settings { guarantee: small().guarantee, ..settings };
    let strategy = Any { exit: Exit::Free, begin: &nothing, tell: &|_, _| Next::elitist() };
    let failure = Esgd::new(&problem, &strict).strategy(&strategy).run().unwrap_err();
    assert!(matches!(failure.error, Error::Settings(_)), "{}", failure.error);
    // Nor does one choose that has said it would not.
    let tell = |_: &View<'_>, _: &[Fitness]| chosen(Source::Parent(0), 4);
    let strategy = Any { exit: Exit::Elitist, begin: &nothing, tell: &tell };
    let failure = Esgd::new(&problem, &strict).strategy(&strategy).run().unwrap_err();
    assert!(failure.error.to_string().contains("under strict back-off"), "{}", failure.error);
}

#[test]
fn what_is_remembered_is_there_in_the_next_step() {
    let begin = |view: &View<'_>| {
        let mut memo = Memo::default();
        memo.numbers.insert("steps".into(), vec![0.0]);
        let mean = Operation::recombination(esgd_core::Mutation::NONE);
        let key = view.key(Purpose::Mutation, 0);
        let sources = vec![Source::Parent(0), Source::Parent(1)];
        let made = memo.make(Plan { operation: mean, sources, key });
        memo.remember("mean", made);
        memo
    };
    let seen = Mutex::new(vec![]);
    let tell = |view: &View<'_>, _: &[Fitness]| {
        let mean = Source::memory("mean");
        let norm = view.norm(&mean).unwrap();
        let values = view.values(&mean).unwrap();
        let squares: f64 = values.iter().map(|x| x * x).sum();
        assert!((squares.sqrt() - norm).abs() < 1e-6 && view.dimension() == Some(3));
        seen.lock().unwrap().push((view.number("steps").unwrap(), norm));
        let mut memo = Memo::default();
        memo.numbers.insert("steps".into(), vec![view.number("steps").unwrap() + 1.0]);
        memo.remember("mean", mean);
        Next::elitist().with(memo)
    };
    let strategy = Any { exit: Exit::Elitist, begin: &begin, tell: &tell };
    let (problem, settings) = (problem(), archived());
    let run = Esgd::new(&problem, &settings).strategy(&strategy).run().unwrap();
    let seen = seen.into_inner().unwrap();
    let steps: Vec<f64> = seen.iter().map(|one| one.0).collect();
    let count = settings.generations * settings.evolution_steps;
    assert_eq!(steps, (0..count).map(|step| step as f64).collect::<Vec<_>>());
    assert!(seen.iter().all(|one| one.1 == seen[0].1), "the mean was kept as it was");
    let memory = run.population.memory().unwrap();
    assert_eq!((memory.strategy.as_str(), memory.networks.len()), ("any", 1));
}
