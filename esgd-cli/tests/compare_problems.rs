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
    let compare = Compare::new("Rosenbrock in 4", &problem, &settings, dir.path());
    let comparison = compare.seeds(2).threads(2).run().unwrap().unwrap();
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
    assert!(markdown.contains("Rosenbrock in 4. A budget") && !markdown.contains("floating-point"));
    report::write(dir.path()).unwrap();
    let page = fs::read_to_string(dir.path().join("report.html")).unwrap();
    assert!(page.contains("Methods compared: Rosenbrock in 4<"), "{page}");
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
        Compare::new("sphere", &problem, &settings, dir.path().join(name))
            .methods(&methods)
            .seeds(2)
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
    let compare = || Compare::new("sphere", &problem, &settings, dir.path());
    let refused = |compare: Compare<'_, TestFunction>, what: &str| match compare.run() {
        Err(Error::Refused(why)) => assert!(why.contains(what) && !why.contains('\n'), "{why}"),
        other => panic!("{what}: {:?}", other.map(|comparison| comparison.is_some())),
    };
    refused(compare().seeds(0), "0 seeds: expected 1 to 10000");
    refused(compare().seeds(1 << 62), "expected 1 to 10000");
    refused(compare().rates(vec![0.1, -1.0]), "expected learning rates above 0");
    refused(compare().budget(1), "budget is too small");
    refused(compare().cost(Cost { train: 0, fitness: 1 }), "at least one sample");
    let none = Settings { mu: 0, ..small() };
    refused(Compare::new("sphere", &problem, &none, dir.path()), "mu");
}

struct Mine {
    hidden: usize,
}

impl Task for Mine {
    type Model = (Linear, Linear);

    fn build(&self, vb: VarBuilder<'_>) -> candle_core::Result<(Linear, Linear)> {
        Ok((linear(64, self.hidden, vb.pp("fc1"))?, linear(self.hidden, 10, vb.pp("fc2"))?))
    }

    fn forward(&self, model: &Self::Model, x: &Tensor, _: &Pass) -> candle_core::Result<Tensor> {
        model.1.forward(&model.0.forward(&x.flatten_from(1)?)?.relu()?)
    }
}

fn digits(test: usize) -> data::Splits {
    let sizes = data::Sizes { train: Some(100), validation: Some(50), test: Some(test) };
    data::digits(sizes).unwrap()
}

#[test]
fn results_of_other_networks_or_data_are_not_taken_for_these() {
    let dir = tempfile::tempdir().unwrap();
    let domains = [("lr".to_owned(), Domain::fixed(0.01))].into();
    let spec = OptimizerSpec { kind: "adam".into(), weight: 1.0, domains };
    let settings = Settings { optimizers: OptimizerPool(vec![spec]), ..small() };
    let runs = |hidden: usize, test: usize| {
        let data = digits(test);
        let problem = Supervised::new(Mine { hidden }, data.train, data.validation).unwrap();
        let compare =
            Compare::supervised("mine", &problem, &data.test, &settings, dir.path()).unwrap();
        compare.methods(&[Method::Esgd, Method::Esgd]).seeds(1).run().unwrap().unwrap();
        results(dir.path()).len()
    };
    assert_eq!([runs(4, 20), runs(4, 20), runs(5, 20), runs(5, 21)], [1, 1, 2, 3]);
}

#[test]
fn networks_of_ones_own_that_predict_are_compared_by_all_methods_on_test_data() {
    let dir = tempfile::tempdir().unwrap();
    let data = digits(50);
    let problem = Supervised::new(Mine { hidden: 8 }, data.train, data.validation).unwrap();
    let domains = [("lr".to_owned(), Domain::log_uniform(1e-3, 1e-1))].into();
    let optimizers =
        OptimizerPool(vec![OptimizerSpec { kind: "adam".into(), weight: 1.0, domains }]);
    let settings = Settings { generations: 4, optimizers, ..small() };
    let compare = Compare::supervised("mine", &problem, &data.test, &settings, dir.path()).unwrap();
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
