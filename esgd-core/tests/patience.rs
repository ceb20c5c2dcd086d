//! Generations end when the best has not got better for a while, and nothing else changes.

mod support;

use std::sync::Mutex;

use esgd_core::{
    Domain, Esgd, Function, Observer, Outcome, Phase, Report, Settings, TestFunction,
    guarantee::{Improvement, Population, PopulationRecord, RecordError, Stage},
    settings::{FineTune, Start},
};
use proptest::prelude::*;
use support::{Log, any_settings, generations, small};

/// Phases, and what was said of the end.
#[derive(Default)]
struct Told {
    log: Log,
    ended: Mutex<Vec<(usize, Improvement)>>,
}

impl Observer for Told {
    fn phase(&self, report: &Report) {
        self.log.phase(report);
    }
    fn stagnation(&self, k: usize, improved: Improvement) {
        self.ended.lock().unwrap().push((k, improved));
    }
}

fn run(settings: &Settings, patience: usize) -> (Outcome<TestFunction>, Told) {
    let (problem, told) = (TestFunction::new(Function::Rosenbrock, 4), Told::default());
    let esgd = Esgd::new(&problem, settings).patience(patience).observer(&told);
    let outcome = esgd.run().unwrap();
    (outcome, told)
}

/// Every epoch diverges and is taken back, and there are no offspring.
fn hopeless() -> Settings {
    let mut settings = Settings { generations: 9, evolution_steps: 0, ..small() };
    for optimizer in &mut settings.optimizers.0 {
        optimizer.domains.insert("lr".into(), Domain::fixed(1e30));
    }
    settings
}

#[test]
fn a_run_without_progress_is_fine_tuned_after_as_many_generations_as_patience_lasts() {
    for patience in 1..4 {
        let (outcome, told) = run(&hopeless(), patience);
        let phases: Vec<_> = told.log.reports().iter().map(|r| (r.phase, r.generation)).collect();
        let generations = (1..=patience).map(|k| (Phase::Generation, k));
        let expected: Vec<_> = std::iter::once((Phase::Start, 0))
            .chain(generations)
            .chain([(Phase::FineTune, patience)])
            .collect();
        assert_eq!(phases, expected);
        let population = outcome.population;
        assert_eq!((population.generation(), population.stage()), (patience, Stage::FineTuned));
        let best = told.log.reports()[0].best;
        assert_eq!(*told.ended.lock().unwrap(), [(patience, Improvement { generation: 0, best })]);
    }
    let (outcome, told) = run(&hopeless(), 0);
    assert_eq!(outcome.population.generation(), 9, "no patience is all patience");
    assert!(told.ended.lock().unwrap().is_empty());
    let (_, told) = run(&hopeless(), 9);
    assert!(told.ended.lock().unwrap().is_empty(), "it ended as it would have");
}

#[test]
fn more_patience_goes_on_unless_it_was_fine_tuned() {
    let problem = TestFunction::new(Function::Rosenbrock, 4);
    let tuned = run(&hopeless(), 2).0.population;
    let failure = Esgd::new(&problem, &hopeless()).patience(5).resume(tuned).unwrap_err();
    assert!(failure.error.to_string().contains("fine-tuning"), "{}", failure.error);
    let untuned = FineTune { epochs: 0, ..hopeless().fine_tune };
    let settings = Settings { fine_tune: untuned, ..hopeless() };
    let population = run(&settings, 2).0.population;
    let population =
        Esgd::new(&problem, &settings).patience(5).resume(population).unwrap().population;
    assert_eq!(population.generation(), 5);
}

/// A record of a program that had no patience yet.
#[test]
fn an_older_record_counts_from_its_own_generation() {
    let problem = TestFunction::new(Function::Rosenbrock, 4);
    let settings = Settings { generations: 3, ..hopeless() };
    let population = run(&settings, 0).0.population;
    let mut json = serde_json::to_value(population.record()).unwrap();
    json.as_object_mut().unwrap().remove("improved").unwrap();
    json["stage"] = "generations".into();
    let record: PopulationRecord = serde_json::from_value(json).unwrap();
    let theta = |_| Ok::<_, RecordError>(vec![0.0; 4].into());
    let population: Population<Vec<f32>, Vec<f64>> =
        Population::restore(record, theta, |_| Ok(vec![0.0; 4]), |_| unreachable!()).unwrap();
    assert_eq!(population.improved().generation, 3);
    let population =
        Esgd::new(&problem, &hopeless()).patience(2).resume(population).unwrap().population;
    assert_eq!(population.generation(), 5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// The generations are those of a run without patience, and the last is the first one so long after the
    /// lowest fitness so far.
    #[test]
    fn it_ends_where_the_log_says(settings in any_settings(), patience in 1usize..4) {
        prop_assume!(!matches!(settings.start, Start::Warm { .. }));
        let settings = Settings { generations: settings.generations + 4, ..settings };
        let (all, some) = (run(&settings, 0).1.log.reports(), run(&settings, patience).1.log.reports());
        let (mut lowest, mut since, mut last) = (all[0].best, 0, settings.generations);
        for report in generations(&all) {
            let k = report.generation;
            if report.best < lowest {
                (lowest, since) = (report.best, k);
            }
            if k - since == patience {
                last = k;
                break;
            }
        }
        prop_assert_eq!(generations(&some), &generations(&all)[..last]);
        let end = some.last().unwrap();
        prop_assert_eq!(end.generation, last);
        prop_assert_eq!(end.phase == Phase::FineTune, settings.fine_tune.epochs > 0);
    }
}
