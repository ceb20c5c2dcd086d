//! Theorem 1: the mean fitness of the m' best never rises, for any m' ≤ m, whatever the problem
//! does.
//!
//! The crate was broken in one place at a time, with its own check in `Population::complete` taken
//! out, to see that a test notices. Where nothing else is said, the first three tests of this file
//! do.
//!
//! | Broken | Noticed by |
//! |---|---|
//! | back-off keeps what is worse; what is NaN, even with permission | here, and `regressions` (a) |
//! | back-off sends back what is equal | here |
//! | back-off keeps the worse epoch's optimizer state | here, by the saboteur's `StateAstray` |
//! | `Guard::BackOff` permits to get worse; fine-tuning does | here |
//! | permission drawn with 1 − p; once for all individuals; for each, not once for all | here, by the rate or `drawn` of the audit |
//! | NaN or −∞ is the best fitness | here, by the saboteur's list |
//! | selection keeps m − 1 of the best; none for certain | here |
//! | selection keeps the μ best | `regressions`: beside the elite |
//! | no sort in `ranked`; in `Pool` | here |
//! | the pool lacks the parents; lacks the best one; has the offspring twice | here |
//! | survivors drawn with replacement; one network in two places | here, and `regressions` (c) |
//! | a newborn gets another one's fitness | here, by the saboteur's list |
//! | the anchor is trained; is not put back; pushes out somebody though it survived | here |
//! | the archive drops its best; holds m ± 1; misses newborns; misses epochs | here |
//! | `best` is the population's second; the archive's last | here |
//! | an offspring that the archive wants is not built; what is made after the offspring is not offered | here, `audit` and `laws` |
//! | an offspring replaces a parent that it is worse than | `pool`, `audit` and `laws` |
//! | the anchor is not put back after a free choice | here, `pool` and `laws` |
//! | another process's archive is not offered what it keeps | `processes` |
//! | roulette is uniform; is proportional to the loss | `regressions` (b) |
//! | keys of offspring ignore k, v or i; keys of training ignore k, s or j | `regressions`: no random number |
//! | evolution step v uses step 1's keys; only one step is made | here, and `regressions` (d) |
//! | the objective is not checked when scoring; when resuming | `failures` |
//! | an error loses its individual; a strategy's parents are not checked | `failures` |
//! | a job that an executor left undone is dropped | `failures` |
//! | a run is resumed under unchecked settings; under another m, mu or guarantee | `failures` |
//! | a run stops after somebody was born; evolution steps are done again after a failure | `failures` |
//! | offspring stay alive when they are scored | `memory` |
//! | results depend on the order in which threads finish | `bits` |
//! | settings accept unknown fields | `settings` |
//!
//! One break shows nowhere: `NotWorse::back_off` compares objectives though one evaluator has only one.

mod support;

use esgd_core::{Auditor, Domain, Serial, Settings, Threads, settings::FineTune};
use proptest::{prelude::*, test_runner::TestCaseError};
use support::{
    any_settings,
    audit::{every_step_is_right, guarantee_holds},
    guarded_by, guards,
    saboteur::{Saboteur, Told, Trained, any_kind, every_kind},
    small, watch,
};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Runs `settings` on a saboteur and reads the run back.
fn audited(settings: &Settings, (told, trained): (Told, Trained)) -> Result<(), TestCaseError> {
    let problem = Saboteur::under(settings, told, trained);
    let (ended, log) = watch(&problem, settings, &Serial);
    let outcome = ended.map_err(|failure| TestCaseError::fail(failure.error.to_string()))?;
    let reports = log.reports();
    let mut auditor = Auditor::new(settings);
    for report in &reports {
        auditor.read(report).map_err(TestCaseError::fail)?;
    }
    prop_assert_eq!(auditor.audited() + 1, reports.len());
    guarantee_holds(settings, &reports)?;
    every_step_is_right(settings, &log.events())?;
    prop_assert!(problem.told_all(&outcome.population), "a score that was never told");
    prop_assert_eq!(outcome.best.scored.fitness(), reports[reports.len() - 1].best);
    Ok(())
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn no_saboteur_makes_an_elite_mean_rise(settings in any_settings(), kind in any_kind()) {
        audited(&settings, kind)?;
    }

    #[test]
    fn nor_does_it_on_three_threads(settings in any_settings(), (told, trained) in any_kind()) {
        let problem = Saboteur::under(&settings, told, trained);
        let (ended, log) = watch(&problem, &settings, &Threads(3));
        let outcome = ended.map_err(|failure| TestCaseError::fail(failure.error.to_string()))?;
        guarantee_holds(&settings, &log.reports())?;
        prop_assert!(problem.told_all(&outcome.population));
    }
}

/// λ = 0, μ = 1, m = μ, ρ = μ and K_v from 0 to 2, under every guarantee and saboteur.
#[test]
fn it_holds_at_every_edge() {
    let edges: [fn(Settings) -> Settings; 5] = [
        |s| Settings { lambda: 0, ..s },
        |s| Settings { mu: 1, m: 1, rho: 1, ..s },
        |s| Settings { m: s.mu, ..s },
        |s| Settings { rho: s.mu, ..s },
        |s| Settings {
            m: 1,
            fine_tune: FineTune { epochs: 0, best: 0, lr: Domain::fixed(1.0) },
            ..s
        },
    ];
    for (guarantee, edge) in guards().into_iter().flat_map(|g| edges.map(|e| (g.clone(), e))) {
        for (kind, evolution_steps) in every_kind().flat_map(|kind| [0, 1, 2].map(|v| (kind, v))) {
            let settings = Settings { evolution_steps, ..edge(small()) };
            let settings = guarded_by(guarantee.clone(), settings);
            audited(&settings, kind).unwrap_or_else(|e| panic!("{kind:?}, {settings:?}: {e}"));
        }
    }
}

/// Section 4.3: an individual backs off with probability p, and what is free may get worse.
#[test]
fn relaxed_back_off_happens_as_often_as_it_should() {
    let guarantee = guards()[2].clone();
    let settings = Settings {
        generations: 40,
        epochs: 1,
        evolution_steps: 0,
        mu: 51,
        m: 1,
        fine_tune: FineTune { epochs: 0, best: 0, lr: Domain::fixed(1.0) },
        ..guarded_by(guarantee, small())
    };
    let (ended, log) = watch(&Saboteur::new(Told::Rising, Trained::Not), &settings, &Serial);
    let effort = ended.unwrap().population.effort();
    assert_eq!(effort.epochs, 2000, "all but the anchor");
    // Every epoch is worse; four standard deviations of 2000 draws with p = 0.4.
    assert!(effort.backed_off.abs_diff(800) < 88, "{effort:?}");
    let last = log.reports().pop().unwrap();
    assert!(last.individuals[50].fitness.get() > 1000.0, "nobody was free");
}
