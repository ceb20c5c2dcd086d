//! A whole generation on the digits, and how it scales with workers. Throughput is epochs of
//! individuals a second.

use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use esgd_core::{
    Domain, Esgd, OptimizerPool, OptimizerSpec, Settings,
    settings::{FineTune, Guarantee, RecipePolicy, Recipes, Way},
};
use esgd_models::{Activation, Network, Supervised, Workers, data, networks};

/// An MLP 64-64-10 on 1,000 digits.
fn digits() -> Supervised<Network> {
    let sizes = data::Sizes { train: Some(1000), validation: Some(300), test: None };
    let data = data::digits(sizes).unwrap();
    let mlp = networks::mlp(64, &[64], 10, Activation::Relu).unwrap();
    Supervised::new(mlp, data.train, data.validation).unwrap()
}

/// One network that is trained for three epochs a generation.
fn single() -> Settings {
    let domains = [("lr", 0.1), ("momentum", 0.9), ("nesterov", 1.0), ("batch", 32.0)];
    let domains = domains.map(|(name, value)| (name.to_owned(), Domain::fixed(value)));
    let sgd = OptimizerSpec { kind: "sgd".into(), weight: 1.0, domains: domains.into() };
    let paper = Settings::paper();
    Settings {
        epochs: 3,
        evolution_steps: 0,
        mu: 1,
        lambda: 0,
        rho: 1,
        m: 1,
        guarantee: Guarantee { way: Way::Archive, ..paper.guarantee.clone() },
        recipes: Recipes { policy: RecipePolicy::Keep, ..paper.recipes.clone() },
        fine_tune: FineTune { epochs: 0, ..paper.fine_tune.clone() },
        optimizers: OptimizerPool(vec![sgd]),
        ..paper
    }
}

/// Measures the second generation of `settings` on `n` workers; the first is set up outside.
fn generation(
    c: &mut Criterion,
    group: &str,
    task: &Supervised<Network>,
    settings: &Settings,
    n: usize,
) {
    let workers = Workers::new(n).unwrap();
    let until = |generations| Settings { generations, ..settings.clone() };
    let (first, second) = (until(1), until(2));
    let mut group = c.benchmark_group(group);
    group.throughput(Throughput::Elements((settings.mu * settings.epochs) as u64));
    group.sample_size(20).warm_up_time(Duration::from_secs(1));
    group.measurement_time(Duration::from_secs(5));
    group.bench_function(format!("mu {}, workers {n}", settings.mu), |bench| {
        bench.iter_batched(
            || {
                Esgd::new(task, &first)
                    .executor(&workers)
                    .run()
                    .map_err(|f| f.error)
                    .unwrap()
                    .population
            },
            |population| {
                Esgd::new(task, &second)
                    .executor(&workers)
                    .resume(population)
                    .map_err(|f| f.error)
                    .unwrap()
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn generations(c: &mut Criterion) {
    let task = digits();
    let one = single();
    let evolved = Settings { mu: 8, lambda: 32, rho: 2, m: 5, evolution_steps: 1, ..one.clone() };
    for workers in [1, 2] {
        generation(c, "generation", &task, &evolved, workers);
    }
    // Without evolution, which is what 1 individual could not do: throughput should nearly double.
    for n in [1, 2] {
        let settings = Settings { mu: n, ..one.clone() };
        generation(c, "scaling", &task, &settings, n);
    }
}

criterion_group!(benches, generations);
criterion_main!(benches);
