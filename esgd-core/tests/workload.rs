//! What settings say that a run takes, beside what real runs call and count.

mod support;

use esgd_core::{
    Effort, Esgd, Function, Settings, TestFunction, Threads, baselines,
    budget::{Cost, Metered, Spent},
    settings::{FineTune, Start, Work},
};
use proptest::prelude::*;
use support::{any_settings, small};

/// By which what is spent is calls of `epoch` and of `fitness`.
const CALLS: Cost = Cost { train: 1, fitness: 1 };

/// What a run calls, and what it says that it has spent.
fn counted(settings: &Settings, patience: usize) -> (Work, Effort) {
    let problem = TestFunction::new(Function::Rastrigin, 3);
    let metered = Metered::new(&problem, CALLS, Spent::default(), &|_| ());
    let warm_start = [vec![1.0, -2.0, 0.5], vec![0.5, 0.0, 1.0]];
    let esgd = Esgd::new(&metered, settings).executor(&Threads(2)).patience(patience);
    let run = esgd.warm_start(&warm_start[..settings.mu.min(2)]).run().unwrap();
    let Spent { gradient_samples: epochs, evaluation_samples: evaluations } = metered.spent();
    (Work { epochs, evaluations }, run.population.effort())
}

/// Any settings, with clones, starts of any height and few or many to fine-tune.
fn any_run() -> impl Strategy<Value = Settings> {
    let shared = (1usize..4, 1usize..9, 0usize..4);
    let start = shared.prop_map(|(epochs, candidates, halvings)| Start::Shared {
        epochs,
        candidates,
        halvings,
    });
    (any_settings(), prop::option::of(start), any::<bool>()).prop_map(|(mut s, start, clones)| {
        s.start = start.unwrap_or(s.start);
        if clones {
            (s.rho, s.mutation.sigma) = (1, 0.0);
        }
        s
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// To the last epoch and evaluation, whatever guards the elite and whoever makes offspring.
    #[test]
    fn settings_say_what_a_run_takes(settings in any_run()) {
        let workload = settings.workload().unwrap();
        let (called, effort) = counted(&settings, 0);
        prop_assert_eq!(workload.total(), called);
        prop_assert_eq!(CALLS.of(called), CALLS.spent(&settings, effort).unwrap());
        prop_assert_eq!(called.epochs, effort.epochs as u64);
    }

    /// Generations that end early take no more.
    #[test]
    fn a_run_that_ends_early_takes_no_more(settings in any_run(), patience in 1usize..3) {
        let most = settings.workload().unwrap().total();
        let (called, effort) = counted(&settings, patience);
        prop_assert_eq!(CALLS.of(called), CALLS.spent(&settings, effort).unwrap());
        prop_assert!(called.epochs <= most.epochs && called.evaluations <= most.evaluations);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Each rival of any settings runs, and spends what it was planned to, which is no more than its budget.
    #[test]
    fn rivals_stay_within_their_budget(settings in any_run(), budget in 50u64..400) {
        let pool = || settings.optimizers.clone();
        let rivals = [
            settings.clone(),
            baselines::without_evolution(&settings),
            baselines::population(&settings, pool()),
            baselines::population_based(&settings),
            baselines::single(&settings, 1, pool()),
        ];
        for rival in rivals {
            let Ok(longest) = CALLS.longest(&rival, budget) else { continue };
            let (called, _) = counted(&longest, 0);
            let passes = CALLS.of(called).passes();
            prop_assert_eq!(passes, CALLS.run(&longest).unwrap());
            prop_assert!(passes <= budget, "{} of {}", passes, budget);
        }
    }
}

/// An anchor does not train, neither in generations nor after them, and takes nobody's place.
#[test]
fn an_anchor_takes_nothing() {
    let mut settings = small();
    settings.guarantee.anchor = true;
    for best in 0..=settings.mu {
        settings.fine_tune = FineTune { best, ..settings.fine_tune };
        assert_eq!(settings.workload().unwrap().total(), counted(&settings, 0).0, "{best}");
    }
}
