//! What a run reports proves itself: a report that was changed in any number that follows from others is
//! noticed.

mod support;

use esgd_core::{
    Auditor, Report, Serial, Settings,
    strategy::{Exit, make},
};
use proptest::prelude::*;
use serde_json::Value;
use support::{
    any_settings,
    saboteur::{Saboteur, Told, Trained},
    watch,
};

fn reports(settings: &Settings) -> Vec<Report> {
    let problem = Saboteur::under(settings, Told::AtRandom, Trained::Somehow);
    let (ended, log) = watch(&problem, settings, &Serial);
    ended.map_err(|failure| failure.error.to_string()).unwrap();
    log.reports()
}

fn audit(settings: &Settings, reports: &[Report]) -> Result<(), String> {
    let mut auditor = Auditor::new(settings);
    reports.iter().try_for_each(|report| auditor.read(report))
}

/// All numbers of a report that follow from others, by their paths.
fn numbers(value: &Value, settings: &Settings) -> Vec<String> {
    let mut paths = vec![];
    walk(value, String::new(), &mut paths);
    // What was drawn or measured, such as the parents of the dead, follows from nothing that is reported; `best`, the mean and the elite's
    // order are compared with the elite by whoever reads a log; names of the dead are only for drawings.
    let free = [
        "/hyper",
        "/mutation",
        "/diversity",
        "/m",
        "/best",
        "/elite_mean",
        "/departed",
        "/parents",
        "/numbers",
        "/operation",
        "/sources",
        "/exit",
        "/number",
    ];
    // Under relaxed back-off what an epoch reached on the way is nobody's fitness.
    let relaxed = settings.guarantee.anchor;
    paths.retain(|path| !(relaxed && (path.contains("/epochs/") || path == "/effort/backed_off")));
    // Nor that of an offspring where survivors are chosen freely, or that would replace the anchor, and no archive
    // keeps the best.
    let chosen = make(&settings.strategy).unwrap().needs(settings).exit != Exit::Elitist;
    paths.retain(|path| !(relaxed && chosen && path.contains("/evolved/")));
    paths.retain(|path| {
        !free.iter().any(|free| path.ends_with(free) || path.contains(&format!("{free}/")))
    });
    paths
}

fn walk(value: &Value, path: String, paths: &mut Vec<String>) {
    match value {
        Value::Number(_) => paths.push(path),
        Value::Array(list) => {
            for (i, value) in list.iter().enumerate() {
                walk(value, format!("{path}/{i}"), paths);
            }
        }
        Value::Object(table) => {
            for (key, value) in table {
                walk(value, format!("{path}/{key}"), paths);
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_number_can_be_changed_alone(settings in any_settings(), which: prop::sample::Index, number: prop::sample::Index) {
        let mut reports = reports(&settings);
        prop_assert_eq!(audit(&settings, &reports), Ok(()));
        let which = which.index(reports.len());
        let mut value = serde_json::to_value(&reports[which]).unwrap();
        let paths = numbers(&value, &settings);
        let path = &paths[number.index(paths.len())];
        let place = value.pointer_mut(path).unwrap();
        *place = match place.as_u64() {
            Some(n) => (n + 1).into(),
            // Better than anything.
            None => (-1e9 - place.as_f64().unwrap().abs()).into(),
        };
        let changed: Report = serde_json::from_value(value).unwrap();
        reports[which] = changed;
        prop_assert!(audit(&settings, &reports).is_err(), "{} of report {}", path, which);
    }
}
