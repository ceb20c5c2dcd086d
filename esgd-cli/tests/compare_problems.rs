//! Comparisons of problems that the program does not know: what they need no predictions for, and networks of one's own.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use candle_core::Tensor;
use candle_nn::{Linear, Module, VarBuilder, linear};
use esgd::{
    Error,
    compare::{Compare, Method, Watcher},
    report,
};
use esgd_core::{
    Domain, Function, OptimizerPool, OptimizerSpec, Settings, TestFunction, budget::Cost,
};
use esgd_models::{Pass, Supervised, Task, data};

fn small() -> Settings {
    Settings {
        generations: 3,
        mu: 4,
        m: 2,
        lambda: 6,
        optimizers: TestFunction::optimizers(),
        ..Settings::paper()
    }
}

/// The kept results of a comparison, without what the clock says.
fn results(folder: &Path) -> Vec<(String, serde_json::Value)> {
    let runs = fs::read_dir(folder.join("runs")).unwrap();
    let read = |entry: fs::DirEntry| {
        let text = fs::read(entry.path().join("result.json")).unwrap();
        let mut result: serde_json::Value = serde_json::from_slice(&text).unwrap();
        result["outcome"]["seconds"].take();
        result["outcome"]["threads"].take();
        result["sha256"].take();
        (entry.file_name().into_string().unwrap(), result)
    };
    let mut all: Vec<_> = runs.map(|entry| read(entry.unwrap())).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[test]
fn what_a_function_has_no_predictions_for_is_left_out_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let (problem, settings) = (TestFunction::new(Function::Rosenbrock, 4), small());
    let compare = Compare::new(&problem, &settings, dir.path()).seeds(2).threads(2);
    let comparison = compare.named("Rosenbrock", "4 numbers").run().unwrap().unwrap();
    let last = comparison.verdict().last().unwrap();
    assert!(last.contains("SWA, ensembles, soups"), "{last}");
    let methods: Vec<_> = results(dir.path()).into_iter().map(|(name, _)| name).collect();
    let of = |method: &Method| {
        methods.iter().filter(|name| name.starts_with(&format!("{}-", method.name()))).count()
    };
    for method in Method::ALL {
        // Five rates and two seeds of what tries them.
        let expected = match method {
            Method::Swa => 0,
            Method::Tuned | Method::Oracle => 10,
            _ => 2,
        };
        let found: usize = match method {
            Method::Tuned | Method::Oracle => methods
                .iter()
                .filter(|name| name.starts_with(&format!("{}-lr", method.name())))
                .count(),
            method => of(&method),
        };
        assert_eq!(found, expected, "{method:?} in {methods:?}");
    }
    let markdown = comparison.markdown();
    assert!(markdown.contains("Rosenbrock on 4 numbers") && !markdown.contains("floating-point"));
    report::write(dir.path()).unwrap();
    assert!(fs::read_to_string(dir.path().join("report.html")).unwrap().contains("Rosenbrock"));
}

/// Stops a comparison after some runs.
struct StopAfter {
    runs: AtomicUsize,
    stop: AtomicBool,
}

impl Watcher for StopAfter {
    fn end(&self, _: &str) {
        if self.runs.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn one_that_was_stopped_goes_on_to_the_same_results() {
    let dir = tempfile::tempdir().unwrap();
    let (problem, settings) = (TestFunction::new(Function::Sphere, 3), small());
    let methods = [Method::Esgd, Method::Pbt, Method::Asha, Method::Long];
    let compare = |name: &str| {
        Compare::new(&problem, &settings, dir.path().join(name)).methods(&methods).seeds(2)
    };
    assert!(compare("whole").threads(1).run().unwrap().is_some());
    let watcher = StopAfter { runs: 3.into(), stop: false.into() };
    let stopped = compare("cut").threads(2).watcher(&watcher).stop_when(&watcher.stop).run();
    assert!(stopped.unwrap().is_none());
    assert!(compare("cut").threads(2).run().unwrap().is_some());
    assert_eq!(results(&dir.path().join("whole")), results(&dir.path().join("cut")));
}

#[test]
fn what_cannot_be_compared_is_refused_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let (problem, settings) = (TestFunction::new(Function::Sphere, 3), small());
    let compare = || Compare::new(&problem, &settings, dir.path());
    let refused = |compare: Compare<'_, TestFunction>, what: &str| match compare.run() {
        Err(Error::Refused(why)) => assert!(why.contains(what) && !why.contains('\n'), "{why}"),
        other => panic!("{what}: {:?}", other.map(|comparison| comparison.is_some())),
    };
    refused(compare().seeds(0), "at least one seed");
    refused(compare().budget(1), "budget is too small");
    refused(compare().cost(Cost { train: 0, fitness: 1 }), "at least one sample");
    let none = Settings { mu: 0, ..small() };
    refused(Compare::new(&problem, &none, dir.path()), "mu");
}

struct Mine;

impl Task for Mine {
    type Model = Linear;

    fn build(&self, vb: VarBuilder<'_>) -> candle_core::Result<Linear> {
        linear(64, 10, vb.pp("fc"))
    }

    fn forward(&self, model: &Linear, x: &Tensor, _: &Pass) -> candle_core::Result<Tensor> {
        model.forward(&x.flatten_from(1)?)
    }
}

#[test]
fn networks_of_ones_own_that_predict_are_compared_by_all_methods_on_test_data() {
    let dir = tempfile::tempdir().unwrap();
    let sizes = data::Sizes { train: Some(100), validation: Some(50), test: Some(50) };
    let data = data::digits(sizes).unwrap();
    let problem = Supervised::new(Mine, data.train, data.validation).unwrap();
    let domains = [("lr".to_owned(), Domain::log_uniform(1e-3, 1e-1))].into();
    let optimizers =
        OptimizerPool(vec![OptimizerSpec { kind: "adam".into(), weight: 1.0, domains }]);
    let settings = Settings { generations: 4, optimizers, ..small() };
    let compare = Compare::supervised(&problem, &data.test, &settings, dir.path());
    let methods = [Method::Esgd, Method::Swa, Method::Tuned];
    let comparison = compare.methods(&methods).seeds(2).run().unwrap().unwrap();
    let csv = comparison.csv();
    let rows: Vec<_> =
        csv.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>()).collect();
    for (method, part) in [
        ("esgd", "best"),
        ("esgd", "ensemble"),
        ("esgd", "soup"),
        ("swa", "best"),
        ("tuned", "best"),
    ] {
        let of = rows.iter().filter(|row| row[0] == method && row[1] == part);
        let tested: Vec<f64> = of.map(|row| row[5].parse().unwrap()).collect();
        assert!(tested.len() == 2 && tested.iter().all(|loss| loss.is_finite()), "{csv}");
    }
    assert!(!comparison.verdict().iter().any(|one| one.starts_with("Left out")));
}
